/* bzip2 on several threads: a scan cuts the file into blocks (bzip2_scan.h), a ring of jobs decodes
 * them (ordered.h), and they are handed out in their order.
 *
 * The scan goes by marks alone, so that a block may come in two parts, each of which fails to
 * decode. Only then is a block joined with the next ones, and decoded by the caller's thread. A
 * block's own checksum decides when it is complete; the checksum of each stream over those of its
 * blocks then shows that none is missing. */
#include "sys/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "sys/bzip2_scan.h"
#include "sys/ordered.h"

#define PLAIN_BYTES ((size_t)256 << 10)
#define MOST_JOINS 8 /* marks inside of one block; even one is very unlikely by chance */

/* A block and its decoded bytes. */
struct job {
    struct w_bzip2_block block;
    struct w_bzip2_place place;
    struct w_buffer scratch, out;
    enum w_status status;
    struct w_err err;
};

struct w_unpack {
    struct w_input *in;
    struct w_buffer plain; /* not bzip2: handed out as it is read */
    size_t looked;         /* bytes read to recognize the format, not yet handed out */
    u64 consumed;
    struct w_bzip2_scan *scan; /* NULL: not bzip2 */
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
    struct w_unpack *u = context;
    struct job *job = &u->jobs[slot];

    (void)worker;
    job->status = w_bzip2_decode(&job->block, &job->scratch, &job->out, &job->err);
}

static enum w_status start_decoding(struct w_unpack *u, u32 threads, struct w_err *err)
{
    u->slots = w_ordered_slots(threads);
    u->jobs = calloc(u->slots, sizeof *u->jobs);
    if (!u->jobs)
        return w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    enum w_status status = w_bzip2_scan_new(&u->scan, u->in, u->plain.at, u->looked, err);
    if (!status)
        status = w_ordered_new(&u->ordered, threads, u->slots, decode, u, err);
    return status;
}

enum w_status w_unpack_open(struct w_unpack **unpack, struct w_input *in, u32 threads,
                            struct w_err *err)
{
    struct w_unpack *u = calloc(1, sizeof *u);
    enum w_status status = W_DONE;

    *unpack = u;
    if (!u || !w_buffer_room(&u->plain, PLAIN_BYTES))
        status = w_fail(err, W_NOMEM, "no memory to read %s", in->name);
    if (!status) {
        u->in = in;
        status = w_input_read(in, u->plain.at, PLAIN_BYTES, &u->looked, err);
    }
    if (!status && w_bzip2_begins(u->plain.at, u->looked))
        status = start_decoding(u, threads, err);
    if (status)
        w_unpack_close(unpack);
    return status;
}

static void free_job(struct job *job)
{
    w_buffer_free(&job->block.bytes);
    w_buffer_free(&job->scratch);
    w_buffer_free(&job->out);
}

void w_unpack_close(struct w_unpack **unpack)
{
    struct w_unpack *u = *unpack;

    *unpack = NULL;
    if (!u)
        return;
    w_ordered_free(u->ordered); /* first: the others use the jobs */
    for (u32 i = 0; i < u->slots && u->jobs; i++)
        free_job(&u->jobs[i]);
    free_job(&u->joined);
    free(u->jobs);
    w_bzip2_scan_free(u->scan);
    w_buffer_free(&u->plain);
    free(u);
}

u64 w_unpack_consumed(const struct w_unpack *u)
{
    return u->consumed;
}

/* Hand out blocks until all slots are in use or no more come. */
static void submit_all(struct w_unpack *u)
{
    u32 slot;

    while (!u->scanned && w_ordered_next(u->ordered, &slot)) {
        struct job *job = &u->jobs[slot];
        u->scanned = w_bzip2_scan_next(u->scan, &job->block, &job->place, &u->scan_err);
        if (!u->scanned)
            w_ordered_submit(u->ordered);
    }
}

/* Wait for the next block. W_END after the last. */
static enum w_status take(struct w_unpack *u, struct job **job, struct w_err *err)
{
    u32 slot;

    submit_all(u);
    if (!w_ordered_take(u->ordered, &slot)) {
        if (u->scanned != W_END)
            *err = u->scan_err;
        return u->scanned;
    }
    *job = &u->jobs[slot];
    return W_DONE;
}

/* A block that does not decode may have been cut at data that looks like a mark: join it with the
 * blocks after it. */
static enum w_status join(struct w_unpack *u, struct job **job, struct w_err *err)
{
    struct job *whole = &u->joined, *next = *job;
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
            return w_fail(err, W_CORRUPT, "%s: byte %llu: a broken bzip2 block", u->in->name,
                          (unsigned long long)offset);
        w_ordered_return(u->ordered);
        u->holds = false;
        status = take(u, &next, err);
        if (status)
            return status;
        u->holds = true;
    }
    *job = whole;
    return status;
}

/* The checksum of a stream is computed from those of its blocks. */
static enum w_status check_stream(struct w_unpack *u, const struct job *job, struct w_err *err)
{
    u32 block_crc = (u32)w_bits_at(job->block.bytes.at, job->block.first_bit + 48, 32);

    u->crc = (u->crc << 1 | u->crc >> 31) ^ block_crc;
    if (!job->place.ends)
        return W_DONE;
    bool right = u->crc == job->place.stream_crc;
    u->crc = 0;
    return right ? W_DONE
                 : w_fail(err, W_CORRUPT,
                          "%s: the bzip2 stream with byte %llu has another checksum: blocks are "
                          "missing or changed",
                          u->in->name, (unsigned long long)job->place.offset);
}

static enum w_status next_block(struct w_unpack *u, const u8 **bytes, size_t *size,
                                struct w_err *err)
{
    struct job *job = NULL;

    if (u->holds)
        w_ordered_return(u->ordered);
    u->holds = false;
    enum w_status status = take(u, &job, err);
    if (status)
        return status;
    u->holds = true;
    if (job->status == W_CORRUPT) {
        status = join(u, &job, err);
    } else if (job->status) {
        *err = job->err;
        status = job->status;
    }
    if (!status)
        status = check_stream(u, job, err);
    if (!status) { /* else the job may be another thread's again */
        *bytes = job->out.at;
        *size = job->out.size;
        u->consumed = job->place.offset;
    }
    return status;
}

enum w_status w_unpack_next(struct w_unpack *u, const u8 **bytes, size_t *size, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (u->scan)
        return next_block(u, bytes, size, err);
    *size = u->looked;
    u->looked = 0;
    if (*size == 0)
        status = w_input_read(u->in, u->plain.at, PLAIN_BYTES, size, err);
    *bytes = u->plain.at;
    u->consumed += *size;
    return !status && *size == 0 ? W_END : status;
}
