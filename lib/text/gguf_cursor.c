#include "text/gguf_cursor.h"

#include <string.h>

#define DEPTH_MAX 4 /* of arrays in arrays */

enum w_status w_gguf_take(struct w_gguf_cursor *c, void *bytes, u64 size)
{
    enum w_status status = W_DONE;
    u8 *to = bytes;

    while (size > 0 && !status) {
        if (c->at == c->end) {
            c->at = 0;
            status = w_input_some(c->in, c->buffer, sizeof c->buffer, &c->end, c->err);
            if (!status && c->end == 0)
                return w_fail(c->err, W_TRUNCATED, "GGUF: the file ends in its metadata");
            continue;
        }
        const size_t n = (size_t)W_MIN(size, c->end - c->at);
        if (to) {
            memcpy(to, c->buffer + c->at, n);
            to += n;
        }
        c->at += n;
        c->taken += n;
        size -= n;
    }
    return status;
}

enum w_status w_gguf_u32(struct w_gguf_cursor *c, u32 *value)
{
    u8 bytes[4];
    enum w_status status = w_gguf_take(c, bytes, sizeof bytes);

    *value = status ? 0 : w_get32(bytes);
    return status;
}

enum w_status w_gguf_u64(struct w_gguf_cursor *c, u64 *value)
{
    u8 bytes[8];
    enum w_status status = w_gguf_take(c, bytes, sizeof bytes);

    *value = status ? 0 : w_get64(bytes);
    return status;
}

enum w_status w_gguf_text(struct w_gguf_cursor *c, char *text, u64 room, const char *what)
{
    u64 size;
    enum w_status status = w_gguf_u64(c, &size);

    if (!status && size >= room)
        status = w_fail(c->err, W_LIMIT, "GGUF: %s of %llu bytes; at most %llu are read", what,
                        (unsigned long long)size, (unsigned long long)room - 1);
    if (!status)
        status = w_gguf_take(c, text, size);
    if (!status && memchr(text, 0, (size_t)size))
        status = w_fail(c->err, W_CORRUPT, "GGUF: %s holds a byte 0", what);
    text[status ? 0 : size] = 0;
    w_make_printable(text);
    return status;
}

/* Refused before it is read, where it can be known: a length that lies is not a long wait. */
static enum w_status skip(struct w_gguf_cursor *c, u64 size, const char *what)
{
    const u64 gone = c->in->start + c->taken;

    if (c->skip_max && size > c->skip_max - c->skipped)
        return w_fail(c->err, W_LIMIT, "GGUF: %s, and with it metadata of more than %llu bytes",
                      what, (unsigned long long)c->skip_max);
    if (c->in->seekable && size > c->in->size_bytes - W_MIN(c->in->size_bytes, gone))
        return w_fail(c->err, W_TRUNCATED, "GGUF: the file ends in %s", what);
    c->skipped += size;
    return w_gguf_take(c, NULL, size);
}

static enum w_status skip_value(struct w_gguf_cursor *c, u32 type, unsigned depth)
{
    static const u8 sizes[W_GGUF_PAIR_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    u32 element;
    u64 count, bytes;
    enum w_status status;

    if (type >= W_GGUF_PAIR_TYPES || depth > DEPTH_MAX)
        return w_fail(c->err, W_CORRUPT, "GGUF: a value of type %u, %u levels deep", type, depth);
    if (type == W_GGUF_STRING) {
        status = w_gguf_u64(c, &count);
        return status ? status : skip(c, count, "a string");
    }
    if (type != W_GGUF_ARRAY)
        return skip(c, sizes[type], "a value");
    status = w_gguf_u32(c, &element);
    if (!status)
        status = w_gguf_u64(c, &count);
    if (!status && element < W_GGUF_PAIR_TYPES && sizes[element])
        return skip(c, w_mul_ok(count, sizes[element], &bytes) ? bytes : UINT64_MAX, "an array");
    /* Each string or array takes eight bytes at least, so that the file bounds the loop. */
    for (u64 i = 0; !status && i < count; i++)
        status = skip_value(c, element, depth + 1);
    return status;
}

enum w_status w_gguf_skip_value(struct w_gguf_cursor *c, u32 type)
{
    return skip_value(c, type, 0);
}

enum w_status w_gguf_begin(struct w_gguf_cursor *c, u64 *tensors, u64 *pairs)
{
    u8 magic[4];
    u32 version = 0;

    enum w_status status = w_gguf_take(c, magic, sizeof magic);
    if (!status && memcmp(magic, "GGUF", sizeof magic))
        status = w_fail(c->err, W_CORRUPT, "this is no GGUF file");
    if (!status)
        status = w_gguf_u32(c, &version);
    if (!status && version != 2 && version != 3)
        status = w_fail(c->err, W_NEWER, "GGUF: version %u, or of the other byte order", version);
    if (!status)
        status = w_gguf_u64(c, tensors);
    return status ? status : w_gguf_u64(c, pairs);
}
