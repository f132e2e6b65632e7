/* Writing frame by frame.
 *
 * Records are copied into a job; a full one goes to the packer, and finished ones are written in
 * their order, with the header fields that depend on the order: seq, pos and link. A data frame has
 * a fixed number of records, so that the bytes depend neither on how the records arrive nor on the
 * threads.
 *
 * After a failed write, part of a frame may be in the output, and no reader could find a frame
 * after it: then not even an abort frame is written (`torn`). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/deflate.h"
#include "wire/frame_index.h"
#include "wire/packer.h"
#include "wire/stream.h"

struct w_writer {
    struct w_output *out;
    struct w_chain chain; /* of what has been written */
    struct w_header header;
    struct w_packer *packer;
    struct w_packer_job *filling; /* NULL: none; holds `filled` records */
    u32 filled, frame_records;
    u64 accepted, raw_bytes, member_bytes;
    struct w_frame_index index;
    enum w_status failed; /* the first failure; every later call returns it */
    struct w_err failure;
    bool torn; /* a write failed: the output may end inside of a frame */
};

/* ---- frames ---- */

static enum w_status fail(struct w_writer *w, enum w_status status, struct w_err *err)
{
    if (status && !w->failed) {
        w->failed = status;
        if (err != &w->failure)
            w->failure = *err;
    }
    return status;
}

/* Complete the header in bytes[0..48) and write it with the payload that follows it. */
static enum w_status put_frame(struct w_writer *w, struct w_frame *f, u8 *bytes, struct w_err *err)
{
    f->seq = w->chain.seq;
    f->pos = w->chain.pos;
    f->link = w->chain.link;
    if (f->seq == UINT32_MAX)
        return w_fail(err, W_LIMIT, "%s: more than 2^32 frames: use larger ones", w->out->name);
    w_frame_encode(f, bytes);
    enum w_status status =
        w_output_write(w->out, bytes, W_FRAME_BYTES + (size_t)f->stored_len, err);
    w->torn |= status != W_DONE;
    w_chain_step(&w->chain, f, bytes);
    w->member_bytes += W_FRAME_BYTES + (u64)f->stored_len;
    return status;
}

/* Write a small frame, stored. */
static enum w_status put_stored(struct w_writer *w, enum w_frame_type type, u32 count,
                                const void *payload, u32 size, struct w_err *err)
{
    u8 *bytes = malloc(W_FRAME_BYTES + (size_t)size);
    if (!bytes)
        return w_fail(err, W_NOMEM, "%s: no memory for a frame of %u bytes", w->out->name, size);
    memcpy(bytes + W_FRAME_BYTES, payload, size);
    struct w_frame f = {.type = (u8)type,
                        .codec = W_STORED,
                        .count = count,
                        .raw_len = size,
                        .stored_len = size,
                        .payload_crc = w_crc32(0, payload, size)};
    enum w_status status = put_frame(w, &f, bytes, err);
    free(bytes);
    return status;
}

/* Write the oldest data frame in flight; *wrote is false if there is none (or none ready). */
static enum w_status put_oldest(struct w_writer *w, bool wait, bool *wrote, struct w_err *err)
{
    struct w_packer_job *job = NULL;

    *wrote = false;
    enum w_status status = w_packer_take(w->packer, wait, &job, err);
    if (status || !job)
        return status;
    struct w_frame f = {.type = W_FRAME_DATA,
                        .codec = job->codec,
                        .filter = job->filter,
                        .count = job->count,
                        .raw_len = job->raw_len,
                        .stored_len = job->stored_len,
                        .payload_crc = job->payload_crc};
    status = w_frame_index_add(&w->index, w->member_bytes, w->chain.pos, err);
    if (!status)
        status = put_frame(w, &f, job->bytes, err);
    w->raw_bytes += job->raw_len;
    w_packer_return(w->packer);
    *wrote = true;
    return status;
}

static enum w_status put_all(struct w_writer *w, bool wait, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool wrote = true;

    while (!status && wrote)
        status = put_oldest(w, wait, &wrote, err);
    return status;
}

/* Hand the frame that is being filled to the packer. */
static void submit(struct w_writer *w)
{
    w->filling->count = w->filled;
    w->filling->raw_len = (u32)(w->filled * w->header.record_bytes);
    w_packer_submit(w->packer);
    w->filling = NULL;
    w->filled = 0;
}

/* A job to fill: a free one, or one that becomes free when the oldest is written. */
static enum w_status next_job(struct w_writer *w, struct w_err *err)
{
    bool wrote;
    enum w_status status = put_all(w, false, err);
    if (!status)
        status = w_packer_next(w->packer, &w->filling, err);
    if (!status && !w->filling) {
        status = put_oldest(w, true, &wrote, err);
        if (!status)
            status = w_packer_next(w->packer, &w->filling, err);
    }
    return status;
}

/* ---- life ---- */

enum w_status w_header_line(const struct w_header *header, char **line, size_t *size,
                            struct w_header *as_read, struct w_err *err)
{
    struct w_json *parsed = NULL;

    enum w_status status = w_json_line(header->json, line, size, err);
    if (!status && *size > W_FRAME_LINE_MAX)
        status = w_fail(err, W_LIMIT, "header of %zu bytes: at most %u", *size, W_FRAME_LINE_MAX);
    if (!status)
        status = w_json_parse(&parsed, *line, *size - 1, err);
    if (!status)
        status = w_header_from_json(as_read, parsed, err);
    return status;
}

static enum w_status put_header(struct w_writer *w, const struct w_header *header,
                                struct w_err *err)
{
    char *line = NULL;
    size_t size = 0;

    enum w_status status = w_header_line(header, &line, &size, &w->header, err);
    if (status) {
        w_fail_at(err, status, "%s", w->out->name);
    } else {
        w->chain.record_bytes = w->header.record_bytes;
        status = put_stored(w, W_FRAME_HEADER, 0, line, (u32)size, err);
    }
    free(line);
    return status;
}

/* Records in a data frame: a fixed number, so that the same records give the same frames. */
static u32 records_of_frame(const struct w_header *header, u64 frame_bytes)
{
    static const u64 defaults[] = {
        [W_TOKENS] = 1 << 20, [W_BATCH] = 256 << 10, [W_TENSORS] = 1 << 20, [W_COUNTS] = 1 << 20};
    u64 bytes = frame_bytes ? W_MIN(frame_bytes, (u64)W_FRAME_RAW_MAX) : defaults[header->kind];
    return (u32)W_MAX(bytes / header->record_bytes, 1u);
}

static void release(struct w_writer **writer)
{
    struct w_writer *w = *writer;

    *writer = NULL;
    w_packer_free(w->packer);
    w_frame_index_free(&w->index);
    w_header_free(&w->header);
    free(w);
}

enum w_status w_writer_open(struct w_writer **writer, struct w_output *out,
                            const struct w_header *header, const struct w_write_options *options,
                            struct w_err *err)
{
    struct w_writer *w = calloc(1, sizeof *w);

    *writer = NULL;
    if (!w)
        return w_fail(err, W_NOMEM, "%s: no memory for a stream writer", out->name);
    w->out = out;
    enum w_status status = put_header(w, header, err);
    if (!status) {
        w->frame_records = records_of_frame(&w->header, options->frame_bytes);
        status = w_packer_new(&w->packer, options->threads, options->level,
                              (u32)(w->frame_records * w->header.record_bytes), &w->header, err);
    }
    if (status)
        release(&w);
    *writer = w;
    return status;
}

enum w_status w_writer_records(struct w_writer *w, const void *records, u64 count,
                               struct w_err *err)
{
    err = err ? err : &w->failure;
    const u8 *from = records;
    u64 size = w->header.record_bytes;
    u64 room = w_kind_is_blob(w->header.kind) ? w->header.blob_bytes : W_JSON_INT_MAX;
    enum w_status status = W_DONE;

    if (w->failed) {
        *err = w->failure;
        return w->failed;
    }
    if (count > room - w->accepted)
        status = w_fail(err, W_LIMIT, "%s: more than the %llu records that fit", w->out->name,
                        (unsigned long long)room);
    while (count > 0 && !status) {
        if (!w->filling)
            status = next_job(w, err);
        if (status)
            break;
        u32 taken = (u32)W_MIN(count, (u64)(w->frame_records - w->filled));
        memcpy(w->filling->raw + w->filled * size, from, taken * size);
        from += taken * size, count -= taken;
        w->filled += taken, w->accepted += taken;
        if (w->filled == w->frame_records)
            submit(w);
    }
    return fail(w, status, err);
}

enum w_status w_writer_tensor(struct w_writer *w, const void *data, u64 bytes, struct w_err *err)
{
    static const u8 zeroes[W_TENSOR_ALIGN];
    const u64 padding = w_round_up(w->accepted, W_TENSOR_ALIGN) - w->accepted;
    enum w_status status = w_writer_records(w, zeroes, padding, err);

    return status ? status : w_writer_records(w, data, bytes, err);
}

enum w_status w_writer_flush(struct w_writer *w, struct w_err *err)
{
    err = err ? err : &w->failure;

    if (w->failed) {
        *err = w->failure;
        return w->failed;
    }
    if (w->filling && w->filled > 0)
        submit(w);
    return fail(w, put_all(w, true, err), err);
}

enum w_status w_writer_note(struct w_writer *w, const char *json_line, struct w_err *err)
{
    err = err ? err : &w->failure;
    size_t size = strlen(json_line);
    struct w_json *parsed = NULL; /* to refuse here what readers would */
    char *line = NULL;

    if (w->failed) {
        *err = w->failure;
        return w->failed;
    }
    /* First the frames in flight; the one that is being filled is written later, full. */
    enum w_status status = put_all(w, true, err);
    if (!status && size >= W_FRAME_NOTE_MAX)
        status = w_fail(err, W_LIMIT, "%s: note of %zu bytes: at most %u", w->out->name, size,
                        W_FRAME_NOTE_MAX - 1);
    if (!status && strchr(json_line, '\n'))
        status = w_fail(err, W_CORRUPT, "%s: a note of more than one line", w->out->name);
    if (!status)
        status = w_json_parse(&parsed, json_line, size, err);
    if (!status && !(line = malloc(size + 1)))
        status = w_fail(err, W_NOMEM, "%s: no memory for a note", w->out->name);
    if (!status) {
        memcpy(line, json_line, size);
        line[size] = '\n';
        status = put_stored(w, W_FRAME_NOTE, 0, line, (u32)size + 1, err);
    }
    w_json_free(parsed);
    free(line);
    return fail(w, status, err);
}

u64 w_writer_count(const struct w_writer *w)
{
    return w->accepted;
}

/* ---- the end ---- */

/* The index, unless the whole member is one frame. *offset: its place, or 0. */
static enum w_status put_index(struct w_writer *w, u64 *offset, struct w_err *err)
{
    u32 size = w->index.count * W_INDEX_ENTRY_BYTES;

    *offset = 0;
    if (w->index.count < 2)
        return W_DONE;
    u8 *bytes = malloc(size);
    if (!bytes)
        return w_fail(err, W_NOMEM, "%s: no memory for the index", w->out->name);
    w_frame_index_encode(&w->index, bytes);
    *offset = w->member_bytes;
    enum w_status status = put_stored(w, W_FRAME_INDEX, w->index.count, bytes, size, err);
    free(bytes);
    return status;
}

/* The end frame's text with the first `kept` statistics; NULL without memory. */
static char *end_text(const struct w_writer *w, u64 index_offset, const struct w_json *stats,
                      size_t kept, struct w_err *err)
{
    struct w_json *end = w_json_object();

    w_json_set_u64(end, "records", w->chain.pos);
    w_json_set_u64(end, "raw", w->raw_bytes);
    w_json_set_u64(end, "bytes", w->member_bytes + W_FRAME_END_BYTES);
    w_json_set_u64(end, "index", index_offset);
    w_json_set_u64(end, "frames", w->chain.seq + 1ull);
    w_json_set_bool(end, "ok", true);
    /* A statistic must not replace one of the keys that readers verify. */
    for (const struct w_json *s = w_json_first(stats); s && kept; s = w_json_next(s), kept--)
        if (!w_json_get(end, w_json_key(s)))
            w_json_set(end, w_json_key(s), w_json_copy(s));
    char *text = w_json_text(end, err);
    w_json_free(end);
    return text;
}

/* Statistics that do not fit the fixed size are left out, the last first. */
static enum w_status put_end(struct w_writer *w, const struct w_json *stats, struct w_err *err)
{
    char payload[W_FRAME_END_PAYLOAD];
    u64 index_offset;
    size_t kept = w_json_size(stats), size = 0;
    char *text = NULL;

    enum w_status status = put_index(w, &index_offset, err);
    if (status)
        return status;
    for (;; kept--) {
        text = end_text(w, index_offset, stats, kept, err);
        if (!text)
            return W_NOMEM;
        size = strlen(text);
        if (size < sizeof payload || kept == 0)
            break;
        free(text);
    }
    memset(payload, ' ', sizeof payload);
    memcpy(payload, text, W_MIN(size, sizeof payload - 1));
    payload[sizeof payload - 1] = '\n';
    free(text);
    return put_stored(w, W_FRAME_END, 0, payload, sizeof payload, err);
}

enum w_status w_writer_close(struct w_writer **writer, const struct w_json *stats,
                             struct w_err *err)
{
    struct w_writer *w = *writer;

    enum w_status status = w_writer_flush(w, err);
    if (!status && w_kind_is_blob(w->header.kind) && w->accepted != w->header.blob_bytes)
        status = w_fail(err, W_CORRUPT, "%s: %llu bytes of tensors written, the header says %llu",
                        w->out->name, (unsigned long long)w->accepted,
                        (unsigned long long)w->header.blob_bytes);
    if (!status && stats && !w_json_is_object(stats))
        status = w_fail(err, W_NOMEM, "no memory for the end frame"); /* see w_json_set() */
    if (!status)
        status = put_end(w, stats, err);
    release(writer);
    return status;
}

void w_writer_abort(struct w_writer **writer, const char *tool, const struct w_err *why)
{
    struct w_writer *w = *writer;

    if (!w)
        return;
    if (!w->torn) {
        struct w_err ignored;
        char message[W_ERR_TEXT];
        snprintf(message, sizeof message, "%s", why && why->text[0] ? why->text : "stopped");
        w_make_printable(message);
        struct w_json *j = w_json_object();
        w_json_set_string(j, "tool", tool);
        w_json_set_string(j, "msg", message);
        w_json_set_u64(j, "exit", (u64)w_exit_code(why ? why->status : W_SIGNAL));
        char *text = NULL;
        size_t size;
        /* The program has failed already: a failure to write the reason changes nothing. */
        if (!w_json_line(j, &text, &size, &ignored) &&
            put_stored(w, W_FRAME_ABORT, 0, text, (u32)size, &ignored))
            w->torn = true;
        free(text);
        w_json_free(j);
    }
    release(writer);
}
