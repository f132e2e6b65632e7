/* packer.h - compress data frames on several threads and give them back in the order of arrival.
 *
 * The ring of jobs of sys/ordered.h; a job is one frame. Its output is a function of its input and
 * of the level.
 *
 *     status = w_packer_next(p, &job, &err);            // NULL: full, take one first
 *     fill job->raw, set count and raw_len
 *     w_packer_submit(p);
 *     status = w_packer_take(p, wait, &job, &err);      // NULL: none (or none ready)
 *     use job->bytes: room for a header, then the payload
 *     w_packer_return(p);                            // the job that was taken can be filled again
 */
#ifndef W_PACKER_H
#define W_PACKER_H

#include "wire/frame.h"
#include "wire/stream.h"

struct w_packer_job {
    /* filled by the caller */
    u32 count;
    u32 raw_len;
    u8 *raw; /* has the packer's capacity; allocated at first use */
    /* filled by packing */
    u8 codec, filter;
    u32 stored_len;
    u32 payload_crc;
    u8 *bytes; /* W_FRAME_BYTES of room for the header, then the payload */
    /* of the packer */
    u8 *raw_block, *packed_block;
    enum w_status status;
    struct w_err err;
};

struct w_packer;

/* level 0 stores, 1 to 9 compresses. raw_capacity: most bytes of a payload. header: of the records,
 * which lives as long; where a filter suits these, all levels but 0 make the same. Holds
 * 2 * threads + 1 jobs (1 for a single thread). W_NOMEM; threads that cannot be started are left
 * out. */
enum w_status w_packer_new(struct w_packer **, u32 threads, int level, u32 raw_capacity,
                           const struct w_header *header, struct w_err *err) W_MUST_CHECK;
/* Ends the workers after their present frame; accepts NULL. */
void w_packer_free(struct w_packer *);

/* The job to fill, with job->raw allocated; *job is NULL if all are in use. W_NOMEM. */
enum w_status w_packer_next(struct w_packer *, struct w_packer_job **job,
                            struct w_err *err) W_MUST_CHECK;
void w_packer_submit(struct w_packer *);
/* The oldest job, packed. Without `wait` only if it is ready. *job is NULL if there is none.
 * W_NOMEM: it could not be compressed. */
enum w_status w_packer_take(struct w_packer *, bool wait, struct w_packer_job **job,
                            struct w_err *err) W_MUST_CHECK;
void w_packer_return(struct w_packer *);

#endif
