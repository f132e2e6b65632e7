#include "sys/bzip2.h"

#include <bzlib.h>
#include <string.h>

#define OUT_BYTES ((size_t)1 << 20) /* room for nearly every block: 900,000 bytes before runs */

u64 w_bits_at(const u8 *bytes, u64 at, unsigned count)
{
    const u8 *p = bytes + at / 8;
    unsigned have = 8 - (unsigned)(at % 8);
    u64 value = *p++ & (0xffu >> (at % 8));

    for (; have < count; have += 8)
        value = value << 8 | *p++;
    return value >> (have - count);
}

/* Append `count` bits to a buffer that has `*used` bits and the room. */
static void put_bits(struct w_buffer *b, u64 *used, u64 value, unsigned count)
{
    for (unsigned i = count; i-- > 0; ++*used) {
        if (*used % 8 == 0)
            b->at[b->size++] = 0;
        b->at[*used / 8] |= (u8)((value >> i & 1) << (7 - *used % 8));
    }
}

/* libbz2 decodes only whole streams: make one of the block, shifted to a byte boundary. */
static bool make_stream(const struct w_bzip2_block *block, struct w_buffer *stream)
{
    static const char header[] = "BZh9"; /* 9: blocks of up to 900,000 bytes, so any */
    const u8 *from = block->bytes.at;
    unsigned shift = block->first_bit;
    u64 whole = block->bits / 8, used;

    stream->size = 0;
    if (!w_buffer_room(stream, (size_t)whole + 32))
        return false;
    w_buffer_text(stream, header);
    if (shift == 0)
        memcpy(stream->at + 4, from, whole);
    else
        for (u64 i = 0; i < whole; i++)
            stream->at[4 + i] = (u8)(from[i] << shift | from[i + 1] >> (8 - shift));
    stream->size += whole;
    used = stream->size * 8;
    unsigned rest = (unsigned)(block->bits % 8);
    if (rest)
        put_bits(stream, &used, w_bits_at(from, shift + whole * 8, rest), rest);
    put_bits(stream, &used, W_BZIP2_END, 48);
    /* The checksum of a stream of one block is that block's. */
    put_bits(stream, &used, w_bits_at(from, shift + 48, 32), 32);
    return true;
}

enum w_status w_bzip2_decode(const struct w_bzip2_block *block, struct w_buffer *scratch,
                             struct w_buffer *out, struct w_err *err)
{
    bz_stream bz = {0};
    int result = BZ_MEM_ERROR;

    out->size = 0;
    if (block->bits < 80 || block->bytes.size > 2 * W_BZIP2_BLOCK_BYTES)
        return w_fail(err, W_CORRUPT, "no bzip2 block");
    if (make_stream(block, scratch))
        result = BZ2_bzDecompressInit(&bz, 0, 0);
    if (result != BZ_OK)
        return w_fail(err, W_NOMEM, "no memory to decompress");
    bz.next_in = (char *)scratch->at;
    bz.avail_in = (unsigned)scratch->size;
    for (result = BZ_OK; result == BZ_OK;) {
        unsigned before = bz.avail_in;
        if (!w_buffer_room(out, OUT_BYTES)) {
            result = BZ_MEM_ERROR;
            break;
        }
        bz.next_out = (char *)out->at + out->size;
        bz.avail_out = (unsigned)W_MIN(out->room - out->size, (size_t)1 << 30);
        size_t room = bz.avail_out;
        result = BZ2_bzDecompress(&bz);
        out->size += room - bz.avail_out;
        if (result == BZ_OK && bz.avail_in == before && bz.avail_out == room)
            result = BZ_DATA_ERROR; /* wants more input than there is */
    }
    bool all = bz.avail_in == 0;
    BZ2_bzDecompressEnd(&bz);
    if (result == BZ_MEM_ERROR)
        return w_fail(err, W_NOMEM, "no memory to decompress");
    return result == BZ_STREAM_END && all ? W_DONE : w_fail(err, W_CORRUPT, "broken bzip2 block");
}
