/* Which format a file has, and the one way to its bytes, whatever decodes them. */
#include "sys/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "sys/bzip2_blocks.h"
#include "sys/bzip2_scan.h"
#include "sys/decode_ahead.h"

#define LOOK_BYTES W_UNPACK_PEEK /* read to recognize the format */
#define PLAIN_BYTES ((size_t)256 << 10)

/* A row for each format: decoded from the first byte to the last by a decoder or, where that is
 * NULL, by blocks. */
static const struct w_decoder *const decoders[] = {&w_gunzip, &w_unxz, &w_unzstd};
#define BZIP2 "bzip2"

struct w_unpack {
    struct w_input *in;
    const char *format; /* NULL: a plain file */
    struct w_bzip2_blocks *blocks;
    struct w_decode_ahead *ahead;
    u64 consumed;             /* of a plain file */
    size_t looked, looked_at; /* of `look`: not handed out yet */
    u8 *plain;                /* what w_unpack_next() hands out of a plain file */
    const u8 *left;           /* of the piece that was taken and not handed out as a whole */
    size_t left_size;
    u8 look[LOOK_BYTES];
};

static const struct w_decoder *decoder_of(const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < W_COUNTOF(decoders); i++)
        if (decoders[i]->begins(bytes, size))
            return decoders[i];
    return NULL;
}

const char *w_unpack_known(const u8 *bytes, size_t size)
{
    const struct w_decoder *decoder = decoder_of(bytes, size);
    return decoder ? decoder->name : w_bzip2_begins(bytes, size) ? BZIP2 : NULL;
}

enum w_status w_unpack_open_plain(struct w_unpack **unpack, struct w_input *in, struct w_err *err)
{
    struct w_unpack *u = *unpack = malloc(sizeof *u);

    if (!u)
        return w_fail(err, W_NOMEM, "no memory to read %s", in->name);
    memset(u, 0, offsetof(struct w_unpack, look));
    u->in = in;
    return W_DONE;
}

enum w_status w_unpack_open(struct w_unpack **unpack, struct w_input *in, u32 threads,
                            struct w_err *err)
{
    enum w_status status = w_unpack_open_plain(unpack, in, err);
    struct w_unpack *u = *unpack;

    if (!status)
        status = w_input_read(in, u->look, LOOK_BYTES, &u->looked, err);
    if (!status)
        u->format = w_unpack_known(u->look, u->looked);
    if (!status && u->format) {
        const struct w_decoder *decoder = decoder_of(u->look, u->looked);
        status = decoder
                     ? w_decode_ahead_open(&u->ahead, decoder, in, u->look, u->looked, threads, err)
                     : w_bzip2_blocks_open(&u->blocks, in, u->look, u->looked, threads, err);
    }
    if (status)
        w_unpack_close(unpack);
    return status;
}

void w_unpack_close(struct w_unpack **unpack)
{
    struct w_unpack *u = *unpack;

    *unpack = NULL;
    if (!u)
        return;
    w_bzip2_blocks_close(&u->blocks);
    w_decode_ahead_close(&u->ahead);
    free(u->plain);
    free(u);
}

u64 w_unpack_consumed(const struct w_unpack *u)
{
    if (u->blocks)
        return w_bzip2_blocks_consumed(u->blocks);
    return u->ahead ? w_decode_ahead_consumed(u->ahead) : u->consumed;
}

const char *w_unpack_format(const struct w_unpack *u)
{
    return u->format;
}

/* Bytes of a plain file: first those that were read to recognize it. */
static enum w_status read_plain(struct w_unpack *u, u8 *bytes, size_t size, size_t *got,
                                struct w_err *err)
{
    size_t first = W_MIN(size, u->looked - u->looked_at), more = 0;
    enum w_status status = W_DONE;

    if (first > 0)
        memcpy(bytes, u->look + u->looked_at, first);
    u->looked_at += first;
    if (first < size)
        status = w_input_read(u->in, bytes + first, size - first, &more, err);
    *got = first + more;
    u->consumed += *got;
    return status;
}

static enum w_status next_piece(struct w_unpack *u, const u8 **bytes, size_t *size,
                                struct w_err *err)
{
    if (u->blocks)
        return w_bzip2_blocks_next(u->blocks, bytes, size, err);
    if (u->ahead)
        return w_decode_ahead_next(u->ahead, bytes, size, err);
    if (!u->plain)
        u->plain = malloc(PLAIN_BYTES);
    if (!u->plain)
        return w_fail(err, W_NOMEM, "no memory to read %s", u->in->name);
    enum w_status status = read_plain(u, u->plain, PLAIN_BYTES, size, err);
    *bytes = u->plain;
    return !status && *size == 0 ? W_END : status;
}

enum w_status w_unpack_next(struct w_unpack *u, const u8 **bytes, size_t *size, struct w_err *err)
{
    if (u->left_size == 0)
        return next_piece(u, bytes, size, err);
    *bytes = u->left;
    *size = u->left_size;
    u->left_size = 0;
    return W_DONE;
}

enum w_status w_unpack_peek(struct w_unpack *u, const u8 **bytes, size_t *size, bool *is_all,
                            struct w_err *err)
{
    enum w_status status = W_DONE;

    if (u->format && u->left_size == 0)
        status = next_piece(u, &u->left, &u->left_size, err);
    *bytes = u->format ? u->left : u->look + u->looked_at;
    *size = u->format ? u->left_size : u->looked - u->looked_at;
    *is_all = status == W_END || (!u->format && u->looked < LOOK_BYTES);
    return status == W_END ? W_DONE : status;
}

enum w_status w_unpack_read(struct w_unpack *u, void *bytes, size_t size, size_t *got,
                            struct w_err *err)
{
    enum w_status status = W_DONE;

    if (!u->format)
        return read_plain(u, bytes, size, got, err);
    *got = 0;
    while (!status && *got < size) {
        if (u->left_size == 0)
            status = next_piece(u, &u->left, &u->left_size, err);
        if (!status) {
            size_t n = W_MIN(size - *got, u->left_size);
            memcpy((u8 *)bytes + *got, u->left, n);
            u->left += n;
            u->left_size -= n;
            *got += n;
        }
    }
    return status == W_END ? W_DONE : status;
}
