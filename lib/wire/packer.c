/* Compression of frames, on the ring of jobs of sys/ordered.h.
 *
 * Frames are independent of each other, and deflate is deterministic, so that the bytes do not
 * depend on the number of threads. With level 0 there is one thread: storing only takes a
 * checksum. */
#include "wire/packer.h"

#include <stdlib.h>

#include "sys/deflate.h"
#include "sys/ordered.h"

struct w_packer {
    u32 slots, raw_capacity;
    struct w_packer_job *jobs; /* by slot */
    u32 threads;
    struct w_deflater **deflaters; /* by thread; NULL: stores */
    struct w_ordered *ordered;
};

static enum w_status compress(struct w_packer *p, struct w_deflater *deflater,
                              struct w_packer_job *job, struct w_err *err)
{
    size_t size = 0;

    job->codec = W_STORED;
    job->bytes = job->raw_block;
    job->stored_len = job->raw_len;
    if (deflater) {
        if (!job->packed_block)
            job->packed_block = malloc(W_FRAME_BYTES + w_deflate_bound(p->raw_capacity));
        if (!job->packed_block)
            return w_fail(err, W_NOMEM, "no memory for a compressed frame");
        enum w_status status = w_deflate(deflater, job->raw, job->raw_len,
                                         job->packed_block + W_FRAME_BYTES, &size, err);
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

    job->status = compress(p, p->deflaters ? p->deflaters[worker] : NULL, job, &job->err);
}

/* A compressor for each thread. Fewer will do where memory is short, but not none. */
static enum w_status make_deflaters(struct w_packer *p, u32 threads, int level, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_err ignored;

    p->deflaters = calloc(threads, sizeof *p->deflaters);
    if (!p->deflaters)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    while (p->threads < threads && !status) {
        status = w_deflater_new(&p->deflaters[p->threads], level, p->threads ? &ignored : err);
        p->threads += !status;
    }
    return p->threads ? W_DONE : status;
}

enum w_status w_packer_new(struct w_packer **out, u32 threads, int level, u32 raw_capacity,
                           struct w_err *err)
{
    struct w_packer *p = calloc(1, sizeof *p);
    enum w_status status = W_DONE;

    *out = NULL;
    if (!p)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    p->raw_capacity = raw_capacity;
    if (level > 0)
        status = make_deflaters(p, W_MAX(threads, 1), level, err);
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
    for (u32 i = 0; p->deflaters && i < p->threads; i++)
        w_deflater_free(p->deflaters[i]);
    free(p->deflaters);
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
