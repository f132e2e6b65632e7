/* Finding blocks by their marks.
 *
 * A mark is 48 bits and may begin at any bit. A window of 6 MiB, more than two blocks, moves over
 * the file; the last 8 bytes read are kept in a u64, and the 8 possible positions of a mark that
 * ends in the newest byte are compared. A table (see make_shifts()) rules out nearly all of them by
 * one look at one byte, so the search costs about one step a byte, a small part of the time that
 * decoding takes.
 *
 * A mark that is only data splits a block in two: w_unpack joins them again when the first part
 * does not decode. An end mark counts only where a new stream, or the end of the file, follows
 * it. */
#include "sys/bzip2_scan.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (2 * W_BZIP2_BLOCK_BYTES) /* more than a block and the end of its stream */
#define ENDS_BYTES 64                          /* of two streams that meet */
#define HEADER_BITS 32                         /* "BZh" and a digit */
#define HEADER_BYTES 10                        /* with the first mark */
#define MARK_BITS 48
#define MARK_MASK (((u64)1 << MARK_BITS) - 1)
#define CRC_BITS 32

/* A window onto the file. Places are counted in bits from its first byte. */
struct w_bzip2_scan {
    struct w_input *in;
    u8 *bytes;
    size_t size;
    u64 base;       /* offset of the window in the file */
    u64 at;         /* inside of a stream: where the block begins; else where a stream does */
    bool inside;    /* of a stream */
    bool at_eof;    /* no more bytes after the window */
    u8 shifts[256]; /* see below */
};

/* When a mark ends s bits before the end of the newest byte, the byte before that one is a known
 * byte of the mark. Bit s of shifts[byte] is set where it fits s. So nearly all positions are ruled
 * out by one look at one byte. */
static void make_shifts(u8 shifts[256])
{
    memset(shifts, 0, 256);
    for (unsigned s = 0; s < 8; s++) {
        shifts[(W_BZIP2_BLOCK << s >> 8) & 0xff] |= (u8)(1u << s);
        shifts[(W_BZIP2_END << s >> 8) & 0xff] |= (u8)(1u << s);
    }
}

enum w_status w_bzip2_scan_new(struct w_bzip2_scan **scan, struct w_input *in, const u8 *first,
                               size_t first_size, struct w_err *err)
{
    struct w_bzip2_scan *s = calloc(1, sizeof *s);

    *scan = NULL;
    if (s)
        s->bytes = malloc(WINDOW_BYTES);
    if (!s || !s->bytes) {
        w_bzip2_scan_free(s);
        return w_fail(err, W_NOMEM, "no memory to read bzip2");
    }
    s->in = in;
    if (first_size > 0)
        memcpy(s->bytes, first, first_size);
    s->size = first_size;
    make_shifts(s->shifts);
    *scan = s;
    return W_DONE;
}

void w_bzip2_scan_free(struct w_bzip2_scan *s)
{
    if (s)
        free(s->bytes);
    free(s);
}

/* Make the window hold a whole block, the end of its stream and the beginning of the next, or the
 * rest of the file: move the unread bytes to the front and read until the window is full. */
static enum w_status fill(struct w_bzip2_scan *s, struct w_err *err)
{
    size_t drop = (size_t)(s->at / 8), got;

    if (s->at_eof || s->size - drop > W_BZIP2_BLOCK_BYTES + ENDS_BYTES)
        return W_DONE;
    memmove(s->bytes, s->bytes + drop, s->size - drop);
    s->size -= drop;
    s->base += drop;
    s->at %= 8;
    enum w_status status =
        w_input_read(s->in, s->bytes + s->size, WINDOW_BYTES - s->size, &got, err);
    s->at_eof = s->size + got < WINDOW_BYTES;
    s->size += got;
    return status;
}

static enum w_status broken(const struct w_bzip2_scan *s, size_t at, struct w_err *err)
{
    return w_fail(err, W_CORRUPT, "%s: byte %llu: not bzip2, or broken", s->in->name,
                  (unsigned long long)(s->base + at));
}

static enum w_status truncated(const struct w_bzip2_scan *s, struct w_err *err)
{
    return w_fail(err, W_TRUNCATED, "%s: ends at byte %llu inside of a bzip2 stream", s->in->name,
                  (unsigned long long)(s->base + s->size));
}

/* The place of the next mark from bit `from` on, or false. */
static bool find_mark(const struct w_bzip2_scan *s, u64 from, u64 *place, u64 *mark)
{
    u64 last = 0; /* the bytes up to i */

    for (size_t i = (size_t)(from / 8); i < s->size; i++) {
        last = last << 8 | s->bytes[i];
        unsigned shifts = s->shifts[(last >> 8) & 0xff];
        while (shifts) {
            unsigned shift = 31 - (unsigned)__builtin_clz(shifts); /* the most: the first place */
            u64 end = 8 * (u64)(i + 1) - shift;
            *mark = last >> shift & MARK_MASK;
            *place = end - MARK_BITS;
            if (end >= from + MARK_BITS && (*mark == W_BZIP2_BLOCK || *mark == W_BZIP2_END))
                return true;
            shifts &= ~(1u << shift);
        }
    }
    return false;
}

bool w_bzip2_begins(const u8 *bytes, size_t size)
{
    if (size < HEADER_BYTES || memcmp(bytes, "BZh", 3) || bytes[3] < '1' || bytes[3] > '9')
        return false;
    u64 mark = w_bits_at(bytes, HEADER_BITS, MARK_BITS);
    return mark == W_BZIP2_BLOCK || mark == W_BZIP2_END;
}

/* Does a stream begin, or the file end, after the end mark at a place? *after: the byte there. */
static bool ends_stream(const struct w_bzip2_scan *s, u64 place, size_t *after)
{
    *after = (size_t)((place + MARK_BITS + CRC_BITS + 7) / 8);
    if (*after >= s->size)
        return *after == s->size && s->at_eof;
    return w_bzip2_begins(s->bytes + *after, s->size - *after);
}

/* Go from where a stream begins to its first block. */
static enum w_status enter_stream(struct w_bzip2_scan *s, struct w_err *err)
{
    for (;;) {
        enum w_status status = fill(s, err);
        size_t begin = (size_t)(s->at / 8), left = s->size - begin, after;
        if (status)
            return status;
        if (left == 0)
            return W_END;
        if (!w_bzip2_begins(s->bytes + begin, left))
            return left < HEADER_BYTES ? truncated(s, err) : broken(s, begin, err);
        s->at += HEADER_BITS;
        if (w_bits_at(s->bytes, s->at, MARK_BITS) == W_BZIP2_BLOCK)
            break;
        /* A stream of nothing, as `bzip2 </dev/null` writes it. */
        if (!ends_stream(s, s->at, &after))
            return after > s->size ? truncated(s, err) : broken(s, after, err);
        if (w_bits_at(s->bytes, s->at + MARK_BITS, CRC_BITS))
            return broken(s, begin, err);
        s->at = 8 * (u64)after;
    }
    s->inside = true;
    return W_DONE;
}

/* Are the bytes after a stream the beginning of another one, cut short? */
static bool is_cut_header(const struct w_bzip2_scan *s, size_t after)
{
    size_t left = s->size - after;

    return left < HEADER_BYTES && !memcmp(s->bytes + after, "BZh", W_MIN(left, (size_t)3));
}

/* Where the block at s->at ends. */
static enum w_status find_end(struct w_bzip2_scan *s, u64 *end, u64 *mark, size_t *after,
                              struct w_err *err)
{
    u64 from = s->at + MARK_BITS;
    size_t other = 0; /* where something else than bzip2 follows a possible end mark */

    while (find_mark(s, from, end, mark)) {
        if (*mark == W_BZIP2_BLOCK || ends_stream(s, *end, after))
            return W_DONE;
        if (*after < s->size && !is_cut_header(s, *after))
            other = *after;
        from = *end + 1;
    }
    if (other)
        return w_fail(err, W_CORRUPT, "%s: byte %llu: what follows a bzip2 stream is not bzip2",
                      s->in->name, (unsigned long long)(s->base + other));
    return s->at_eof ? truncated(s, err) : broken(s, (size_t)(s->at / 8), err);
}

enum w_status w_bzip2_scan_next(struct w_bzip2_scan *s, struct w_bzip2_block *block,
                                struct w_bzip2_place *place, struct w_err *err)
{
    enum w_status status = s->inside ? W_DONE : enter_stream(s, err);
    u64 end = 0, mark = 0;
    size_t after = 0;

    if (!status)
        status = fill(s, err);
    if (!status)
        status = find_end(s, &end, &mark, &after, err);
    if (status)
        return status;
    size_t first = (size_t)(s->at / 8);
    block->bytes.size = 0;
    w_buffer_put(&block->bytes, s->bytes + first, (size_t)((end + 7) / 8) - first);
    if (block->bytes.failed)
        return w_fail(err, W_NOMEM, "no memory for a bzip2 block");
    block->first_bit = (unsigned)(s->at % 8);
    block->bits = end - s->at;
    *place = (struct w_bzip2_place){.offset = s->base + first, .ends = mark == W_BZIP2_END};
    if (place->ends)
        place->stream_crc = (u32)w_bits_at(s->bytes, end + MARK_BITS, CRC_BITS);
    s->inside = !place->ends;
    s->at = place->ends ? 8 * (u64)after : end;
    return W_DONE;
}

bool w_bzip2_join(struct w_bzip2_block *block, const struct w_bzip2_block *next)
{
    /* The last byte of one block is the first of the next, unless the border is at a byte
     * boundary. */
    size_t whole = (size_t)((block->first_bit + block->bits) / 8);

    block->bytes.size = whole;
    block->bits += next->bits;
    w_buffer_put(&block->bytes, next->bytes.at, next->bytes.size);
    return !block->bytes.failed;
}
