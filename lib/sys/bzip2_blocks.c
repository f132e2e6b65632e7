/* bzip2 on several threads: a scan cuts the file into blocks (bzip2_scan.h), a ring of jobs decodes
 * them (ordered.h), and they are handed out in their order.
 *
 * The scan goes by marks alone, so that a block may come in two parts, each of which fails to
 * decode. Only then is a block joined with the next ones, and decoded by the caller's thread. A
 * block's own checksum decides when it is complete; the checksum of each stream over those of its
 * blocks then shows that none is missing. */
#include "sys/bzip2_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "sys/bzip2_scan.h"
#include "sys/ordered.h"

#define MOST_JOINS 8 /* marks inside of one block; even one is very unlikely by chance */

/* A block and its decoded bytes. */
struct job {
    struct w_bzip2_block block;
    struct w_bzip2_place place;
    struct w_buffer scratch, out;
    enum w_status status;
    struct w_err err;
};

struct w_bzip2_blocks {
    struct w_input *in;
    u64 consumed;
    struct w_bzip2_scan *scan;
    struct w_ordered *ordered;
    struct job *jobs; /* by slot */
    u32 slots;
    enum w_status scanned; /* how the scan ended, reported after the last job; W_DONE: it has not */
    struct w_err scan_err;
    struct job joined; /* a block that the scan had cut in two or more */
    bool holds;        /* a slot, whose bytes were handed out */
    u32 crc;           /* of the blocks of the present stream */
};

static void decode(void *context, u32 slot, u32 worker)
{
    struct w_bzip2_blocks *b = context;
    struct job *job = &b->jobs[slot];

    (void)worker;
    job->status = w_bzip2_decode(&job->block, &job->scratch, &job->out, &job->err);
}

enum w_status w_bzip2_blocks_open(struct w_bzip2_blocks **blocks, struct w_input *in,
                                  const u8 *first, size_t first_size, u32 threads,
                                  struct w_err *err)
{
    struct w_bzip2_blocks *b = *blocks = calloc(1, sizeof *b);

    if (!b)
        return w_fail(err, W_NOMEM, "no memory to read %s", in->name);
    b->in = in;
    b->slots = w_ordered_slots(threads);
    b->jobs = calloc(b->slots, sizeof *b->jobs);
    enum w_status status =
        b->jobs ? W_DONE : w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    if (!status)
        status = w_bzip2_scan_new(&b->scan, in, first, first_size, err);
    if (!status)
        status = w_ordered_new(&b->ordered, threads, b->slots, decode, b, err);
    if (status)
        w_bzip2_blocks_close(blocks);
    return status;
}

static void free_job(struct job *job)
{
    w_buffer_free(&job->block.bytes);
    w_buffer_free(&job->scratch);
    w_buffer_free(&job->out);
}

void w_bzip2_blocks_close(struct w_bzip2_blocks **blocks)
{
    struct w_bzip2_blocks *b = *blocks;

    *blocks = NULL;
    if (!b)
        return;
    w_ordered_free(b->ordered); /* first: the others use the jobs */
    for (u32 i = 0; i < b->slots && b->jobs; i++)
        free_job(&b->jobs[i]);
    free_job(&b->joined);
    free(b->jobs);
    w_bzip2_scan_free(b->scan);
    free(b);
}

u64 w_bzip2_blocks_consumed(const struct w_bzip2_blocks *b)
{
    return b->consumed;
}

/* Hand out blocks until all slots are in use or no more come. */
static void submit_all(struct w_bzip2_blocks *b)
{
    u32 slot;

    while (!b->scanned && w_ordered_next(b->ordered, &slot)) {
        struct job *job = &b->jobs[slot];
        b->scanned = w_bzip2_scan_next(b->scan, &job->block, &job->place, &b->scan_err);
        if (!b->scanned)
            w_ordered_submit(b->ordered);
    }
}

/* Wait for the next block. W_END after the last. */
static enum w_status take(struct w_bzip2_blocks *b, struct job **job, struct w_err *err)
{
    u32 slot;

    submit_all(b);
    if (!w_ordered_take(b->ordered, &slot)) {
        if (b->scanned != W_END)
            *err = b->scan_err;
        return b->scanned;
    }
    *job = &b->jobs[slot];
    return W_DONE;
}

/* A block that does not decode may have been cut at data that looks like a mark: join it with the
 * blocks after it. */
static enum w_status join(struct w_bzip2_blocks *b, struct job **job, struct w_err *err)
{
    struct job *whole = &b->joined, *next = *job;
    enum w_status status = next->status;
    u64 offset = next->place.offset;

    whole->block.bytes.size = 0;
    whole->block.bits = 0;
    whole->block.first_bit = next->block.first_bit;
    for (unsigned joins = 0;; joins++) {
        if (!w_bzip2_join(&whole->block, &next->block))
            return w_fail(err, W_NOMEM, "no memory for a bzip2 block");
        if (joins)
            status = w_bzip2_decode(&whole->block, &whole->scratch, &whole->out, err);
        whole->place = next->place;
        if (status != W_CORRUPT)
            break;
        if (joins == MOST_JOINS || next->place.ends ||
            whole->block.bytes.size > W_BZIP2_BLOCK_BYTES)
            return w_fail(err, W_CORRUPT, "%s: byte %llu: a broken bzip2 block", b->in->name,
                          (unsigned long long)offset);
        w_ordered_return(b->ordered);
        b->holds = false;
        status = take(b, &next, err);
        if (status)
            return status;
        b->holds = true;
    }
    *job = whole;
    return status;
}

/* The checksum of a stream is computed from those of its blocks. */
static enum w_status check_stream(struct w_bzip2_blocks *b, const struct job *job,
                                  struct w_err *err)
{
    u32 block_crc = (u32)w_bits_at(job->block.bytes.at, job->block.first_bit + 48, 32);

    b->crc = (b->crc << 1 | b->crc >> 31) ^ block_crc;
    if (!job->place.ends)
        return W_DONE;
    bool right = b->crc == job->place.stream_crc;
    b->crc = 0;
    return right ? W_DONE
                 : w_fail(err, W_CORRUPT,
                          "%s: the bzip2 stream with byte %llu has another checksum: blocks are "
                          "missing or changed",
                          b->in->name, (unsigned long long)job->place.offset);
}

enum w_status w_bzip2_blocks_next(struct w_bzip2_blocks *b, const u8 **bytes, size_t *size,
                                  struct w_err *err)
{
    struct job *job = NULL;

    if (b->holds)
        w_ordered_return(b->ordered);
    b->holds = false;
    enum w_status status = take(b, &job, err);
    if (status)
        return status;
    b->holds = true;
    if (job->status == W_CORRUPT) {
        status = join(b, &job, err);
    } else if (job->status) {
        *err = job->err;
        status = job->status;
    }
    if (!status)
        status = check_stream(b, job, err);
    if (!status) { /* else the job may be another thread's again */
        *bytes = job->out.at;
        *size = job->out.size;
        b->consumed = job->place.offset;
    }
    return status;
}
