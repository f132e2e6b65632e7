/* Compression of frames, on the ring of jobs of sys/ordered.h.
 *
 * Frames are independent of each other, and filter and deflate are deterministic, so that the bytes
 * do not depend on the number of threads. With level 0 there is one thread: storing only takes a
 * checksum. */
#include "wire/packer.h"

#include <stdlib.h>

#include "sys/deflate.h"
#include "sys/literals.h"
#include "sys/ordered.h"
#include "wire/id_filter.h"
#include "wire/plane_filter.h"

/* What a thread compresses with. */
struct press {
    struct w_deflater *deflater;
    struct w_id_filter *ids; /* NULL: the records are not ids alone */
    u8 *filtered;            /* NULL: no filter suits the records */
};

struct w_packer {
    const struct w_header *header;
    u32 slots, raw_capacity, id_bytes;
    size_t filtered_room, packed_room;
    struct w_packer_job *jobs; /* by slot */
    u32 threads;
    struct press *presses; /* by thread; NULL: stores */
    struct w_ordered *ordered;
};

/* Filter a job's payload and deflate it to `out`; returns the size, 0 if no filter suits it. */
static size_t filter_job(const struct w_packer *p, const struct press *press,
                         const struct w_packer_job *job, u8 *out)
{
    u32 sizes[W_PLANES_MAX], parts = 2;

    if (!press->filtered)
        return 0;
    if (!press->ids)
        parts = w_planes_split(p->header, job->raw, job->count, press->filtered, sizes);
    else if (!w_id_filter_apply(press->ids, job->raw, job->raw_len / p->id_bytes, press->filtered,
                                sizes))
        return 0;
    return w_literals_deflate(press->filtered, sizes, parts, out);
}

/* Deflate a job's payload to packed_block. */
static enum w_status deflate_job(const struct w_packer *p, const struct press *press,
                                 struct w_packer_job *job, size_t *size, struct w_err *err)
{
    u8 *out = job->packed_block + W_FRAME_BYTES;

    *size = filter_job(p, press, job, out);
    if (*size && *size < job->raw_len && w_frame_ratio_ok(job->raw_len, (u32)*size)) {
        job->filter = press->ids ? W_FILTER_IDS : W_FILTER_PLANES;
        return W_DONE;
    }
    return w_deflate(press->deflater, job->raw, job->raw_len, out, size, err);
}

static enum w_status compress(const struct w_packer *p, const struct press *press,
                              struct w_packer_job *job, struct w_err *err)
{
    size_t size = 0;

    job->codec = W_STORED;
    job->filter = W_FILTER_NONE;
    job->bytes = job->raw_block;
    job->stored_len = job->raw_len;
    if (press) {
        if (!job->packed_block)
            job->packed_block = malloc(W_FRAME_BYTES + p->packed_room);
        if (!job->packed_block)
            return w_fail(err, W_NOMEM, "no memory for a compressed frame");
        enum w_status status = deflate_job(p, press, job, &size, err);
        if (status)
            return status;
        /* What does not shrink is stored: cheaper to read, and the reader's limits hold. */
        if (size < job->raw_len && w_frame_ratio_ok(job->raw_len, (u32)size)) {
            job->codec = W_ZLIB;
            job->bytes = job->packed_block;
            job->stored_len = (u32)size;
        }
    }
    job->payload_crc = w_crc32(0, job->bytes + W_FRAME_BYTES, job->stored_len);
    return W_DONE;
}

static void pack(void *context, u32 slot, u32 worker)
{
    struct w_packer *p = context;
    struct w_packer_job *job = &p->jobs[slot];

    job->status = compress(p, p->presses ? &p->presses[worker] : NULL, job, &job->err);
}

static void press_release(struct press *press)
{
    w_deflater_free(press->deflater);
    w_id_filter_free(press->ids);
    free(press->filtered);
}

/* To be released whatever it returns. */
static enum w_status press_make(struct press *press, const struct w_packer *p, int level,
                                struct w_err *err)
{
    enum w_status status = w_deflater_new(&press->deflater, level, err);

    if (!status && p->id_bytes)
        status = w_id_filter_new(&press->ids, p->id_bytes, p->raw_capacity / p->id_bytes, err);
    if (!status && p->filtered_room && !(press->filtered = malloc(p->filtered_room)))
        status = w_fail(err, W_NOMEM, "no memory to filter %u bytes", p->raw_capacity);
    return status;
}

/* Which filter suits the records, and the room that it needs. */
static void choose_filter(struct w_packer *p)
{
    p->id_bytes = w_header_only_ids(p->header);
    if (p->id_bytes)
        p->filtered_room = w_id_filter_bound(p->id_bytes, p->raw_capacity / p->id_bytes);
    else if (w_planes_suit(p->header))
        p->filtered_room = p->raw_capacity;
    p->packed_room = w_deflate_bound(p->raw_capacity);
    if (p->filtered_room)
        p->packed_room = W_MAX(p->packed_room, w_literals_bound(p->filtered_room, W_PLANES_MAX));
}

/* A press for each thread. Fewer will do where memory is short, but not none. */
static enum w_status make_presses(struct w_packer *p, u32 threads, int level, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_err ignored;

    p->presses = calloc(threads, sizeof *p->presses);
    if (!p->presses)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    while (p->threads < threads && !status) {
        status = press_make(&p->presses[p->threads], p, level, p->threads ? &ignored : err);
        if (status)
            press_release(&p->presses[p->threads]);
        else
            p->threads++;
    }
    return p->threads ? W_DONE : status;
}

enum w_status w_packer_new(struct w_packer **out, u32 threads, int level, u32 raw_capacity,
                           const struct w_header *header, struct w_err *err)
{
    struct w_packer *p = calloc(1, sizeof *p);
    enum w_status status = W_DONE;

    *out = NULL;
    if (!p)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    p->raw_capacity = raw_capacity;
    p->header = header;
    choose_filter(p);
    if (level > 0)
        status = make_presses(p, W_MAX(threads, 1), level, err);
    else
        p->threads = 1; /* storing only takes a checksum: handing it over would cost more */
    p->slots = w_ordered_slots(p->threads);
    p->jobs = calloc(p->slots, sizeof *p->jobs);
    if (!status && !p->jobs)
        status = w_fail(err, W_NOMEM, "no memory for a stream writer");
    /* If threads cannot be started, the caller compresses. */
    if (!status && w_ordered_new(&p->ordered, p->threads, p->slots, pack, p, err))
        status = w_ordered_new(&p->ordered, 1, p->slots, pack, p, err);
    if (status)
        w_packer_free(p);
    else
        *out = p;
    return status;
}

void w_packer_free(struct w_packer *p)
{
    if (!p)
        return;
    w_ordered_free(p->ordered); /* first: its threads use the others */
    for (u32 i = 0; p->jobs && i < p->slots; i++) {
        free(p->jobs[i].raw_block);
        free(p->jobs[i].packed_block);
    }
    for (u32 i = 0; p->presses && i < p->threads; i++)
        press_release(&p->presses[i]);
    free(p->presses);
    free(p->jobs);
    free(p);
}

enum w_status w_packer_next(struct w_packer *p, struct w_packer_job **out, struct w_err *err)
{
    u32 slot;

    *out = NULL;
    if (!w_ordered_next(p->ordered, &slot))
        return W_DONE;
    struct w_packer_job *job = &p->jobs[slot];
    if (!job->raw_block) {
        job->raw_block = malloc(W_FRAME_BYTES + (size_t)p->raw_capacity);
        if (!job->raw_block)
            return w_fail(err, W_NOMEM, "no memory for a frame of %u bytes", p->raw_capacity);
        job->raw = job->raw_block + W_FRAME_BYTES;
    }
    *out = job;
    return W_DONE;
}

void w_packer_submit(struct w_packer *p)
{
    w_ordered_submit(p->ordered);
}

enum w_status w_packer_take(struct w_packer *p, bool wait, struct w_packer_job **out,
                            struct w_err *err)
{
    u32 slot;

    *out = NULL;
    if (!(wait ? w_ordered_take(p->ordered, &slot) : w_ordered_poll(p->ordered, 0, &slot)))
        return W_DONE;
    struct w_packer_job *job = &p->jobs[slot];
    if (job->status) {
        if (err)
            *err = job->err;
        return job->status;
    }
    *out = job;
    return W_DONE;
}

void w_packer_return(struct w_packer *p)
{
    w_ordered_return(p->ordered);
}
