/* Reading frame by frame.
 *
 * Each frame passes the steps of "READING" in wstream(5) in that order: header, limits, chain,
 * payload checksum, inflating. The state says which frames may follow. The first failure is kept
 * and returned by every later call, so that nothing after a fault is ever used. One frame is in
 * memory at a time: its stored bytes and, if it is compressed, its inflated and unfiltered ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/file_kind.h"
#include "wire/plane_filter.h"
#include "wire/reader_private.h"

/* ---- failing ---- */

enum w_status w_reader_fail_at(struct w_reader *r, enum w_status status, struct w_err *err)
{
    return w_fail_at(err, status, "%s: member %u, frame %u at byte %llu", r->in->name, r->member,
                     r->frame_number, (unsigned long long)r->frame_offset);
}

enum w_status w_reader_fail(struct w_reader *r, enum w_status status, struct w_err *err)
{
    if (status && status != W_END && !r->failed) {
        r->failed = status;
        if (err)
            r->failure = *err;
    }
    return status;
}

/* The first failure again, for every call after it. */
static enum w_status failed_before(const struct w_reader *r, struct w_err *err)
{
    if (r->failed && err)
        *err = r->failure;
    return r->failed;
}

/* ---- bytes ---- */

static enum w_status read_bytes(struct w_reader *r, void *bytes, size_t size, size_t *got,
                                struct w_err *err)
{
    enum w_status status = w_input_read(r->in, bytes, size, got, err);
    r->offset += *got;
    return status;
}

/* Buffers for payloads grow to the largest frame met, which is at most 16 MiB, and are aligned so
 * that columns can be used in place. */
static enum w_status reserve(u8 **buffer, size_t *room, size_t size, struct w_err *err)
{
    if (*buffer && size <= *room)
        return W_DONE;
    free(*buffer);
    *room = 0;
    *buffer = aligned_alloc(64, w_round_up(W_MAX(size, 1u), 4096));
    if (!*buffer)
        return w_fail(err, W_NOMEM, "no memory for a frame of %zu bytes", size);
    *room = size;
    return W_DONE;
}

/* ---- one frame ---- */

/* Where a file is no stream from its first byte on: say what it is. */
static void say_what_it_is(struct w_err *err, const u8 *bytes, size_t size)
{
    char what[256];
    size_t used = err ? strlen(err->text) : 0;

    if (!err || w_frame_begins(bytes, size))
        return;
    w_file_kind_no_stream(what, sizeof what, bytes, size);
    snprintf(err->text + used, sizeof err->text - used, "; %s", what);
}

/* Read and check a frame header. W_END at the end of the file right after an end frame. */
static enum w_status next_header(struct w_reader *r, struct w_err *err)
{
    u8 bytes[W_FRAME_BYTES] = {0};
    size_t got = 0;
    bool between = r->state == W_BETWEEN || r->state == W_ENDED;

    r->frame_offset = r->offset;
    enum w_status status = read_bytes(r, bytes, sizeof bytes, &got, err);
    if (status)
        return status;
    if (got == 0 && between && r->member > 0)
        return W_END;
    if (between) {
        r->member++;
        r->member_start = r->frame_offset;
        r->chain = (struct w_chain){0};
    }
    r->frame_number = r->chain.seq;
    if (got == 0 && between)
        status = w_fail(err, W_TRUNCATED, "empty: a stream has at least a header and an end");
    else if (got < sizeof bytes && w_frame_begins(bytes, got))
        status = w_fail(err, W_TRUNCATED,
                        "ends without its end frame: the producer failed or the file was cut");
    if (!status)
        status = w_frame_decode(&r->frame, bytes, err);
    if (status == W_CORRUPT && between && r->member == 1)
        say_what_it_is(err, bytes, got);
    if (!status)
        status = w_chain_check(&r->chain, &r->frame, err);
    if (status)
        return w_reader_fail_at(r, status, err);
    w_chain_step(&r->chain, &r->frame, bytes);
    return W_DONE;
}

/* Inflate ids and undo their filter. */
static enum w_status inflate_ids(struct w_reader *r, struct w_err *err)
{
    const struct w_frame *f = &r->frame;
    const u32 id_bytes = w_header_only_ids(&r->header);
    enum w_status status = W_DONE;
    size_t size = 0;

    if (!id_bytes)
        return w_fail(err, W_CORRUPT, "filtered as ids, but the records are not ids alone");
    if (r->id_bytes != id_bytes) {
        w_id_filter_free(r->id_filter);
        status = w_id_filter_new(&r->id_filter, id_bytes, 0, err);
        r->id_bytes = status ? 0 : id_bytes;
    }
    if (!status)
        status = w_inflate_upto(r->inflater, r->stored, f->stored_len, r->inflated, f->raw_len,
                                &size, err);
    if (!status)
        status = w_id_filter_undo(r->id_filter, r->inflated, size, r->unfiltered,
                                  f->raw_len / id_bytes, err);
    return status;
}

/* Inflate the payload, which is compressed, and undo its filter. */
static enum w_status inflate(struct w_reader *r, struct w_err *err)
{
    const struct w_frame *f = &r->frame;
    const size_t room = f->raw_len + (size_t)W_ID_FILTER_SLACK;

    enum w_status status = reserve(&r->inflated, &r->inflated_room, room, err);
    if (!status && f->filter)
        status = reserve(&r->unfiltered, &r->unfiltered_room, f->raw_len, err);
    if (!status && f->filter == W_FILTER_IDS)
        return inflate_ids(r, err);
    if (!status && f->filter == W_FILTER_PLANES && !w_planes_suit(&r->header))
        status = w_fail(err, W_CORRUPT, "filtered as columns, but the records have not several");
    if (!status)
        status = w_inflate(r->inflater, r->stored, f->stored_len, r->inflated, f->raw_len, err);
    if (!status && f->filter == W_FILTER_PLANES)
        w_planes_join(&r->header, r->inflated, f->count, r->unfiltered);
    return status;
}

/* Inflate a payload, only verify it, or skip it unread. */
enum payload { INFLATE, CHECK, LEAP };

static enum w_status next_payload(struct w_reader *r, enum payload what, struct w_err *err)
{
    const struct w_frame *f = &r->frame;
    size_t got = 0;

    r->raw = NULL;
    if (what == LEAP) {
        r->offset += f->stored_len;
        return w_input_seek(r->in, r->offset, err);
    }
    enum w_status status = reserve(&r->stored, &r->stored_room, f->stored_len, err);
    if (!status)
        status = read_bytes(r, r->stored, f->stored_len, &got, err);
    if (status)
        return status;
    u32 crc = w_crc32(0, r->stored, got);
    if (got < f->stored_len)
        status = w_fail(err, W_TRUNCATED, "ends inside a frame: %zu of %u bytes are there", got,
                        f->stored_len);
    else if (crc != f->payload_crc)
        status = w_fail(err, W_CORRUPT, "payload checksum: expected %08x, got %08x", f->payload_crc,
                        crc);
    if (!status && what == INFLATE && f->codec == W_ZLIB)
        status = inflate(r, err);
    if (what == INFLATE)
        r->raw = f->filter ? r->unfiltered : f->codec == W_ZLIB ? r->inflated : r->stored;
    if (status)
        w_reader_fail_at(r, status, err);
    else if (r->on_frame)
        r->on_frame(r->frame_context, r->frame_offset, f);
    return status;
}

/* ---- frames that are no data ---- */

/* One line: a newline at the end and nowhere else. */
static enum w_status parse_line(struct w_reader *r, struct w_json **json, struct w_err *err)
{
    const u8 *newline = memchr(r->raw, '\n', r->frame.raw_len);

    *json = NULL;
    if (!newline || newline != r->raw + r->frame.raw_len - 1)
        return w_fail(err, W_CORRUPT, "payload of a frame of type %c: expected one line of text",
                      r->frame.type);
    return w_json_parse(json, (const char *)r->raw, r->frame.raw_len - 1u, err);
}

static enum w_status take_note(struct w_reader *r, struct w_err *err)
{
    struct w_json *line = NULL;
    enum w_status status = parse_line(r, &line, err);

    if (!status && r->note)
        r->note(r->note_context, line);
    w_json_free(line);
    return status;
}

/* Only a seek uses the index, as a hint; here its place and form are checked. */
static enum w_status take_index(struct w_reader *r, struct w_err *err)
{
    struct w_index_entry end = {r->frame_offset - r->member_start, r->chain.pos};

    if (r->state == W_INDEXED)
        return w_fail(err, W_CORRUPT, "a second index in one member");
    enum w_status status = w_frame_index_decode(&r->index, r->raw, r->frame.count, end, err);
    r->index_loaded = status == W_DONE;
    r->index_offset = end.offset;
    r->state = W_INDEXED;
    return status;
}

static enum w_status take_abort(struct w_reader *r, struct w_err *err)
{
    struct w_json *line = NULL;
    char tool[64] = "its producer", message[512] = "no reason given";
    enum w_status status = parse_line(r, &line, err);

    if (status)
        return status;
    const char *text = w_json_string(w_json_get(line, "tool"));
    if (text)
        strncpy(tool, text, sizeof tool - 1);
    if ((text = w_json_string(w_json_get(line, "msg"))) != NULL)
        strncpy(message, text, sizeof message - 1);
    w_json_free(line);
    tool[sizeof tool - 1] = message[sizeof message - 1] = 0;
    w_make_printable(tool);
    w_make_printable(message);
    return w_fail(err, W_ABORTED, "%s: aborted by %s: %s", r->in->name, tool, message);
}

enum w_status w_end_parse(struct w_json **end, const u8 *payload, struct w_err *err)
{
    *end = NULL;
    if (payload[W_FRAME_END_PAYLOAD - 1] != '\n')
        return w_fail(err, W_CORRUPT, "end frame without its newline");
    enum w_status status = w_json_parse(end, (const char *)payload, W_FRAME_END_PAYLOAD - 1, err);
    if (!status && !w_json_is_object(*end)) {
        w_json_free(*end);
        *end = NULL;
        status = w_fail(err, W_CORRUPT, "end frame without a JSON object");
    }
    return status;
}

static enum w_status check_total(const struct w_reader *r, const char *key, u64 expected,
                                 struct w_err *err)
{
    u64 said = 0;
    if (w_json_u64(w_json_get(r->end, key), 0, W_JSON_INT_MAX, &said) && said == expected)
        return W_DONE;
    return w_fail(err, W_CORRUPT, "end frame: \"%s\": expected %llu, got %llu", key,
                  (unsigned long long)expected, (unsigned long long)said);
}

static enum w_status take_end(struct w_reader *r, struct w_err *err)
{
    const struct w_header *h = &r->header;
    bool ok = false;
    u64 raw = 0;
    enum w_status status = w_end_parse(&r->end, r->raw, err);

    if (!status && (!w_json_bool(w_json_get(r->end, "ok"), &ok) || !ok))
        status = w_fail(err, W_CORRUPT, "end frame: \"ok\" is not true");
    if (!status && !w_mul_ok(r->chain.pos, h->record_bytes, &raw))
        status = w_fail(err, W_LIMIT, "more than 2^64 bytes of records");
    if (!status)
        status = check_total(r, "records", r->chain.pos, err);
    if (!status)
        status = check_total(r, "raw", raw, err);
    if (!status)
        status = check_total(r, "bytes", r->offset - r->member_start, err);
    if (!status)
        status = check_total(r, "frames", r->chain.seq, err);
    if (!status)
        status = check_total(r, "index", r->index_offset, err);
    if (!status && w_kind_is_blob(h->kind) && r->chain.pos != h->blob_bytes)
        status = w_fail(err, W_CORRUPT, "tensors of %llu bytes: expected %llu",
                        (unsigned long long)r->chain.pos, (unsigned long long)h->blob_bytes);
    return status;
}

/* ---- data ---- */

/* Tensors: the bytes between two arrays are zero. Frames pass in order; `gap` is the next array. */
static enum w_status check_padding(struct w_reader *r, struct w_err *err)
{
    const struct w_header *h = &r->header;
    u64 from = r->frame.pos, to = from + r->frame.count;

    if (r->chain.pos > h->blob_bytes)
        return w_fail(err, W_CORRUPT, "more tensor data than the %llu bytes of the header",
                      (unsigned long long)h->blob_bytes);
    for (; r->gap + 1 < h->array_count; r->gap++) {
        u64 begin = h->arrays[r->gap].offset + h->arrays[r->gap].bytes;
        u64 end = h->arrays[r->gap + 1].offset;
        for (u64 i = W_MAX(begin, from); i < W_MIN(end, to); i++)
            if (r->raw[i - from])
                return w_fail(err, W_CORRUPT, "padding before tensor %s is not 0",
                              h->arrays[r->gap + 1].name);
        if (end > to)
            break;
    }
    return W_DONE;
}

/* A frame that is no data, whose payload has been read. */
static enum w_status take_other(struct w_reader *r, struct w_err *err)
{
    enum w_status status = W_DONE;

    switch (r->frame.type) {
    case W_FRAME_NOTE: status = take_note(r, err); break;
    case W_FRAME_INDEX: status = take_index(r, err); break;
    case W_FRAME_ABORT: return take_abort(r, err);
    case W_FRAME_END:
        status = take_end(r, err);
        r->state = W_ENDED;
        break;
    default: break; /* unknown, but may be skipped */
    }
    return status ? w_reader_fail_at(r, status, err) : W_DONE;
}

enum w_status w_reader_next_data(struct w_reader *r, u64 wanted, bool leap, struct w_err *err)
{
    enum w_status status = W_DONE;

    r->used = r->frame.count = 0;
    while (!status && r->state != W_ENDED) {
        status = next_header(r, err);
        if (status)
            break;
        if (r->frame.type == W_FRAME_DATA) {
            bool pass = r->chain.pos <= wanted;
            if (r->state == W_INDEXED)
                return w_reader_fail_at(r, w_fail(err, W_CORRUPT, "data after the index"), err);
            status = next_payload(r, !pass ? INFLATE : leap ? LEAP : CHECK, err);
            if (!status && !pass && w_kind_is_blob(r->header.kind) &&
                (status = check_padding(r, err)) != W_DONE)
                w_reader_fail_at(r, status, err);
            r->used = pass ? r->frame.count : 0;
            r->boundary = r->chain.pos;
            return status;
        }
        /* Of an unknown frame only the checksum is verified. */
        status = next_payload(r, strchr("miEX", r->frame.type) ? INFLATE : CHECK, err);
        if (!status)
            status = take_other(r, err);
        r->frame.count = 0; /* no records are available */
    }
    return status ? status : W_END;
}

/* ---- life ---- */

enum w_status w_reader_open(struct w_reader **reader, struct w_input *in, struct w_err *err)
{
    struct w_reader *r = calloc(1, sizeof *r);

    *reader = NULL;
    if (!r)
        return w_fail(err, W_NOMEM, "%s: no memory for a stream reader", in->name);
    r->in = in;
    r->offset = in->start;
    enum w_status status = w_inflater_new(&r->inflater, err);
    if (status)
        free(r);
    else
        *reader = r;
    return status;
}

static void forget_member(struct w_reader *r)
{
    w_header_free(&r->header);
    w_json_free(r->end);
    r->end = NULL;
    r->index_loaded = false;
    r->index.count = 0;
    r->index_offset = 0;
    r->gap = 0;
    r->used = r->frame.count = 0;
}

void w_reader_close(struct w_reader **reader)
{
    struct w_reader *r = *reader;

    *reader = NULL;
    if (!r)
        return;
    forget_member(r);
    w_frame_index_free(&r->index);
    w_inflater_free(r->inflater);
    free(r->stored);
    free(r->inflated);
    free(r->unfiltered);
    w_id_filter_free(r->id_filter);
    free(r);
}

static enum w_status begin_member(struct w_reader *r, struct w_err *err)
{
    struct w_json *json = NULL;

    enum w_status status = next_header(r, err);
    if (status)
        return status;
    status = next_payload(r, INFLATE, err);
    if (status)
        return status;
    status = parse_line(r, &json, err);
    if (!status)
        status = w_header_from_json(&r->header, json, err);
    if (status)
        return w_reader_fail_at(r, status, err);
    r->chain.record_bytes = r->header.record_bytes;
    r->after_header = r->chain;
    r->data_start = r->offset;
    r->boundary = 0;
    r->state = W_INSIDE;
    return W_DONE;
}

enum w_status w_reader_member(struct w_reader *r, const struct w_header **header, struct w_err *err)
{
    enum w_status status = failed_before(r, err);

    *header = NULL;
    while (!status && (r->state == W_INSIDE || r->state == W_INDEXED))
        status = w_reader_next_data(r, UINT64_MAX, false, err);
    if (status && status != W_END)
        return w_reader_fail(r, status, err);
    forget_member(r);
    r->state = W_BETWEEN;
    status = begin_member(r, err);
    if (!status)
        *header = &r->header;
    return w_reader_fail(r, status, err);
}

/* ---- records ---- */

/* Make records available: the rest of the present frame, or the next one. */
static enum w_status at_hand(struct w_reader *r, struct w_err *err)
{
    enum w_status status = failed_before(r, err);

    if (status || r->used < r->frame.count)
        return status;
    if (r->state != W_INSIDE && r->state != W_INDEXED)
        return W_END;
    return w_reader_fail(r, w_reader_next_data(r, 0, false, err), err);
}

enum w_status w_reader_records(struct w_reader *r, const void **records, u64 *count,
                               struct w_err *err)
{
    enum w_status status = at_hand(r, err);

    *records = NULL;
    *count = 0;
    if (status)
        return status;
    *records = r->raw + r->used * r->header.record_bytes;
    *count = r->frame.count - r->used;
    r->used = r->frame.count;
    return W_DONE;
}

enum w_status w_reader_upto(struct w_reader *r, void *out, u64 count, u64 *got, struct w_err *err)
{
    u64 size = r->header.record_bytes;
    enum w_status status = W_DONE;

    for (*got = 0; *got < count && !(status = at_hand(r, err));) {
        u64 taken = W_MIN(count - *got, (u64)(r->frame.count - r->used));
        memcpy((u8 *)out + *got * size, r->raw + r->used * size, taken * size);
        r->used += (u32)taken;
        *got += taken;
    }
    return status == W_END ? W_DONE : status;
}

enum w_status w_reader_exactly(struct w_reader *r, void *out, u64 count, struct w_err *err)
{
    u64 got = 0;

    enum w_status status = w_reader_upto(r, out, count, &got, err);
    if (!status && got < count)
        status = w_fail(err, W_CORRUPT, "%s: the stream ends %llu records too early", r->in->name,
                        (unsigned long long)(count - got));
    return status;
}

const char *w_reader_header_line(const struct w_reader *r, size_t *size)
{
    *size = r->frame.raw_len - 1u;
    return (const char *)r->raw;
}

const struct w_json *w_reader_end(const struct w_reader *r)
{
    return r->end;
}

void w_reader_on_note(struct w_reader *r, void (*note)(void *context, const struct w_json *line),
                      void *context)
{
    r->note = note;
    r->note_context = context;
}

void w_reader_on_frame(struct w_reader *r,
                       void (*frame)(void *context, u64 offset, const struct w_frame *frame),
                       void *context)
{
    r->on_frame = frame;
    r->frame_context = context;
}
