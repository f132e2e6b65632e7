/* Checks of one frame header, in the order of wstream(5): sync and header checksum first, so that
 * no length is used before it is verified; then what the header says by itself; then, against the
 * chain, what it says of its place in the member. All of it is arithmetic on 48 bytes. */
#include "wire/frame.h"

#include <string.h>

#include "sys/deflate.h"

static const u8 sync_bytes[8] = {0x89, 'W', 'T', '1', '\r', '\n', 0x1A, '\n'};
enum { VERSION_AT = 3 };

void w_frame_encode(const struct w_frame *f, u8 bytes[W_FRAME_BYTES])
{
    memcpy(bytes, sync_bytes, sizeof sync_bytes);
    bytes[8] = f->type;
    bytes[9] = f->codec;
    bytes[10] = f->filter;
    bytes[11] = 0;
    w_put32(bytes + 12, f->seq);
    w_put64(bytes + 16, f->pos);
    w_put32(bytes + 24, f->count);
    w_put32(bytes + 28, f->raw_len);
    w_put32(bytes + 32, f->stored_len);
    w_put32(bytes + 36, f->payload_crc);
    w_put32(bytes + 40, f->link);
    w_put32(bytes + 44, w_crc32(0, bytes, 44));
}

bool w_frame_ratio_ok(u32 raw_len, u32 stored_len)
{
    /* zlib adds at most a fraction of a percent, and deflate cannot shrink below 1 : 1032. */
    return stored_len <= (u64)raw_len + raw_len / 1000 + 64 && raw_len <= 1032ull * stored_len + 64;
}

static enum w_status check_sync(const u8 *bytes, struct w_err *err)
{
    if (!memcmp(bytes, sync_bytes, sizeof sync_bytes))
        return W_DONE;
    if (!memcmp(bytes, sync_bytes, VERSION_AT) && bytes[VERSION_AT] > '1' &&
        bytes[VERSION_AT] <= '9' &&
        !memcmp(bytes + VERSION_AT + 1, sync_bytes + VERSION_AT + 1, 7 - VERSION_AT))
        return w_fail(err, W_NEWER, "stream format version %c: this program reads version 1",
                      bytes[VERSION_AT]);
    return w_fail(err, W_CORRUPT,
                  "no WTS frame here: expected 89 57 54 31, got %02X %02X %02X %02X", bytes[0],
                  bytes[1], bytes[2], bytes[3]);
}

bool w_frame_begins(const u8 *bytes, size_t size)
{
    return !memcmp(bytes, sync_bytes, W_MIN(size, sizeof sync_bytes));
}

/* Most bytes of a raw payload, by type. */
static u32 raw_limit(u8 type)
{
    switch (type) {
    case W_FRAME_HEADER: return W_FRAME_LINE_MAX;
    case W_FRAME_INDEX: return W_FRAME_INDEX_MAX;
    case W_FRAME_NOTE:
    case W_FRAME_ABORT: return W_FRAME_NOTE_MAX;
    case W_FRAME_END: return W_FRAME_END_PAYLOAD;
    default: return W_FRAME_RAW_MAX;
    }
}

static enum w_status check_meaning(const struct w_frame *f, u8 flags, struct w_err *err)
{
    bool lower = f->type >= 'a' && f->type <= 'z', upper = f->type >= 'A' && f->type <= 'Z';
    if (!lower && !upper)
        return w_fail(err, W_CORRUPT, "frame type %u is no letter", f->type);
    if (upper && !strchr("HDEX", f->type))
        return w_fail(err, W_NEWER, "frame type %c: needs a newer version of this program",
                      f->type);
    if (f->codec > W_ZLIB || f->filter >= W_FILTERS || flags)
        return w_fail(err, W_NEWER,
                      "codec %u, filter %u, flags %u: needs a newer version of this program",
                      f->codec, f->filter, flags);
    if (strchr("HmiEX", f->type) && f->codec != W_STORED)
        return w_fail(err, W_CORRUPT, "a frame of type %c must be stored, not compressed", f->type);
    if (f->filter && (f->type != W_FRAME_DATA || f->codec != W_ZLIB))
        return w_fail(err, W_CORRUPT, "a frame of type %c and codec %u cannot have a filter",
                      f->type, f->codec);
    return W_DONE;
}

static enum w_status check_sizes(const struct w_frame *f, struct w_err *err)
{
    if (f->raw_len > raw_limit(f->type))
        return w_fail(err, W_LIMIT, "frame of %u bytes: type %c has at most %u", f->raw_len,
                      f->type, raw_limit(f->type));
    if (f->type == W_FRAME_END && f->raw_len != W_FRAME_END_PAYLOAD)
        return w_fail(err, W_CORRUPT, "end frame of %u bytes: expected %u", f->raw_len,
                      W_FRAME_END_PAYLOAD);
    if (f->codec == W_STORED ? f->stored_len != f->raw_len
                             : !w_frame_ratio_ok(f->raw_len, f->stored_len))
        return w_fail(err, W_CORRUPT, "frame of %u bytes cannot be stored in %u", f->raw_len,
                      f->stored_len);
    if (f->pos > W_JSON_INT_MAX)
        return w_fail(err, W_LIMIT, "frame position %llu is beyond 2^53",
                      (unsigned long long)f->pos);
    return W_DONE;
}

enum w_status w_frame_decode(struct w_frame *f, const u8 bytes[W_FRAME_BYTES], struct w_err *err)
{
    memset(f, 0, sizeof *f);
    enum w_status status = check_sync(bytes, err);
    if (status)
        return status;
    u32 header_crc = w_get32(bytes + 44), computed = w_crc32(0, bytes, 44);
    if (header_crc != computed)
        return w_fail(err, W_CORRUPT, "frame header checksum: expected %08x, got %08x", header_crc,
                      computed);
    *f = (struct w_frame){
        .type = bytes[8],
        .codec = bytes[9],
        .filter = bytes[10],
        .seq = w_get32(bytes + 12),
        .pos = w_get64(bytes + 16),
        .count = w_get32(bytes + 24),
        .raw_len = w_get32(bytes + 28),
        .stored_len = w_get32(bytes + 32),
        .payload_crc = w_get32(bytes + 36),
        .link = w_get32(bytes + 40),
    };
    status = check_meaning(f, bytes[11], err);
    return status ? status : check_sizes(f, err);
}

enum w_status w_chain_check(const struct w_chain *chain, const struct w_frame *f, struct w_err *err)
{
    if (f->seq != chain->seq)
        return w_fail(err, W_CORRUPT, "frame out of order: expected frame %u, got frame %u",
                      chain->seq, f->seq);
    if (f->link != chain->link)
        return w_fail(err, W_CORRUPT, "frame of another stream: expected link %08x, got %08x",
                      chain->link, f->link);
    if (f->pos != chain->pos)
        return w_fail(err, W_CORRUPT, "frame position: expected record %llu, got %llu",
                      (unsigned long long)chain->pos, (unsigned long long)f->pos);
    if ((f->type == W_FRAME_HEADER) != (f->seq == 0))
        return w_fail(err, W_CORRUPT, "frame of type %c as number %u of its member", f->type,
                      f->seq);
    /* count < 2^32 and both sizes <= 2^24: the products below cannot wrap. */
    u64 unit = f->type == W_FRAME_DATA ? chain->record_bytes : W_INDEX_ENTRY_BYTES;
    bool counted = f->type == W_FRAME_DATA || f->type == W_FRAME_INDEX;
    bool known = counted || strchr("HEXm", f->type);
    if (counted && (f->count == 0 || f->count * unit != f->raw_len))
        return w_fail(err, W_CORRUPT,
                      "frame of %u records of %llu bytes: expected %llu bytes, got %u", f->count,
                      (unsigned long long)unit, (unsigned long long)(f->count * unit), f->raw_len);
    if (known && !counted && f->count != 0)
        return w_fail(err, W_CORRUPT, "frame of type %c with count %u: expected 0", f->type,
                      f->count);
    return W_DONE;
}

void w_chain_step(struct w_chain *chain, const struct w_frame *f, const u8 bytes[W_FRAME_BYTES])
{
    chain->seq++;
    chain->link = w_crc32(chain->link, bytes + 8, 32);
    if (f->type == W_FRAME_DATA)
        chain->pos += f->count;
}
