/* Moving in a stream: anywhere in a regular file, forward only in a pipe. Where the reader stands
 * (member, boundary, used, chain) is in reader_private.h.
 *
 * The end frame is the last 256 bytes of a member and holds the member's length, so that members
 * can be found from the end of the file backwards; it also holds the place of the index. A seek
 * goes to the nearest indexed frame before the record and walks from there. All of this only saves
 * time: where something is not as expected, the frames are walked from the front, which finds and
 * reports faults. */
#include <stdlib.h>

#include "wire/reader_private.h"

/* ---- reading elsewhere in a regular file, without moving ---- */

static bool peek_frame(struct w_reader *r, u64 offset, struct w_frame *frame)
{
    u8 bytes[W_FRAME_BYTES];
    size_t got = 0;
    struct w_err ignored;

    return !w_input_read_at(r->in, offset, bytes, sizeof bytes, &got, &ignored) &&
           got == sizeof bytes && !w_frame_decode(frame, bytes, &ignored);
}

/* bytes: room for the payload; w_frame_decode() has checked that a frame of its type has no
 * more. */
static bool peek_payload(struct w_reader *r, u64 offset, const struct w_frame *frame, u8 *bytes)
{
    size_t got = 0;
    struct w_err ignored;

    return !w_input_read_at(r->in, offset + W_FRAME_BYTES, bytes, frame->stored_len, &got,
                            &ignored) &&
           got == frame->stored_len && w_crc32(0, bytes, got) == frame->payload_crc;
}

/* The most members that are walked for a question about one member. Without this limit, asking it
 * of every member would take quadratic time. */
#define NEAR 64

static u64 records_of(const struct w_json *end)
{
    u64 records = 0;
    return w_json_u64(w_json_get(end, "records"), 0, W_JSON_INT_MAX, &records) ? records : 0;
}

/* The end frame of the present member, and its offset; NULL if it is not found, or if more than
 * `most` members follow. *after: records in the members that follow. */
static struct w_json *peek_end(struct w_reader *r, u64 *end_offset, u64 *after, u64 most)
{
    u64 at = r->in->seekable ? r->in->size_bytes : 0, bytes = 0;
    struct w_json *end = NULL;

    *after = 0;
    for (u64 members = 0; at >= r->member_start + W_FRAME_END_BYTES && members <= most; members++) {
        u8 payload[W_FRAME_END_PAYLOAD];
        struct w_frame f;
        struct w_err ignored;
        *end_offset = at - W_FRAME_END_BYTES;
        if (!peek_frame(r, *end_offset, &f) || f.type != W_FRAME_END ||
            !peek_payload(r, *end_offset, &f, payload) || w_end_parse(&end, payload, &ignored))
            return NULL;
        if (!w_json_u64(w_json_get(end, "bytes"), W_FRAME_END_BYTES, at - r->member_start, &bytes))
            break;
        if (at - bytes == r->member_start)
            return end;
        at -= bytes;
        *after += records_of(end);
        w_json_free(end);
        end = NULL;
    }
    w_json_free(end);
    return NULL;
}

u64 w_reader_known_count(struct w_reader *r)
{
    u64 end_offset, after;
    struct w_json *end = r->state == W_BETWEEN ? NULL : peek_end(r, &end_offset, &after, NEAR);
    u64 records = records_of(end);

    w_json_free(end);
    return records;
}

u64 w_reader_known_total(struct w_reader *r)
{
    u64 end_offset, after = 0;
    struct w_json *end =
        r->state == W_BETWEEN ? NULL : peek_end(r, &end_offset, &after, UINT64_MAX);
    u64 records = end ? records_of(end) + after : 0;

    w_json_free(end);
    return records;
}

static void load_index(struct w_reader *r)
{
    u64 end_offset = 0, at = 0, records = 0, after;
    struct w_frame f;
    struct w_err ignored;

    if (r->index_loaded)
        return;
    r->index_loaded = true;
    r->index.count = 0;
    struct w_json *end = peek_end(r, &end_offset, &after, NEAR);
    bool told = w_json_u64(w_json_get(end, "index"), W_FRAME_BYTES, W_JSON_INT_MAX, &at) &&
                w_json_u64(w_json_get(end, "records"), 0, W_JSON_INT_MAX, &records);
    w_json_free(end);
    if (!told || !peek_frame(r, r->member_start + at, &f) || f.type != W_FRAME_INDEX ||
        (u64)f.count * W_INDEX_ENTRY_BYTES != f.raw_len)
        return;
    u8 *bytes = malloc((size_t)f.stored_len + 1);
    if (bytes && peek_payload(r, r->member_start + at, &f, bytes) &&
        w_frame_index_decode(&r->index, bytes, f.count, (struct w_index_entry){at, records},
                             &ignored))
        r->index.count = 0;
    free(bytes);
}

/* ---- moving ---- */

static enum w_status go_to(struct w_reader *r, u64 offset, struct w_chain chain, struct w_err *err)
{
    chain.record_bytes = r->header.record_bytes;
    r->chain = chain;
    r->offset = offset;
    r->boundary = chain.pos;
    r->state = W_INSIDE;
    r->used = r->frame.count = 0;
    r->index_offset = 0;
    r->gap = 0;
    w_json_free(r->end);
    r->end = NULL;
    return w_input_seek(r->in, offset, err);
}

/* Go to a place at or before record `pos`, by the index if there is one; the caller walks from
 * there. */
static enum w_status approach(struct w_reader *r, u64 pos, struct w_err *err)
{
    bool back = r->state == W_ENDED || pos < r->boundary;

    if (!r->in->seekable)
        return back ? w_fail(err, W_IO, "%s: cannot go back to record %llu in a pipe", r->in->name,
                             (unsigned long long)pos)
                    : W_DONE;
    load_index(r);
    const struct w_index_entry *e = w_frame_index_find(&r->index, pos);
    if (e && (back || e->pos > r->boundary)) {
        struct w_frame f;
        u64 offset = r->member_start + e->offset;
        if (peek_frame(r, offset, &f) && f.type == W_FRAME_DATA && f.pos == e->pos)
            return go_to(r, offset, (struct w_chain){.seq = f.seq, .link = f.link, .pos = f.pos},
                         err);
        r->index.count = 0;
    }
    return back ? go_to(r, r->data_start, r->after_header, err) : W_DONE;
}

enum w_status w_reader_seek(struct w_reader *r, u64 pos, struct w_err *err)
{
    if (r->failed || r->state == W_BETWEEN) {
        if (err)
            *err = r->failure;
        return r->failed ? r->failed
                         : w_fail(err, W_USAGE, "%s: no member to seek in", r->in->name);
    }
    if (r->frame.count > 0 && r->raw && pos >= r->frame.pos && pos < r->boundary) {
        r->used = (u32)(pos - r->frame.pos);
        return W_DONE;
    }
    enum w_status status = approach(r, pos, err);
    while (!status && r->boundary < pos)
        status = w_reader_next_data(r, pos, r->in->seekable, err);
    if (!status)
        r->used = r->boundary > pos ? (u32)(pos - r->frame.pos) : r->frame.count;
    if (status == W_END)
        status = w_fail(err, W_MISMATCH, "%s: has %llu records: there is no record %llu",
                        r->in->name, (unsigned long long)r->chain.pos, (unsigned long long)pos);
    return w_reader_fail(r, status, err);
}
