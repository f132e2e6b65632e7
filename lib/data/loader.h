/* loader.h - batches for a trainer: reads a batch stream ahead on a thread of its own, so that
 * reading, inflating and checking overlap with training.
 *
 *     w_loader_open(&loader, &options, &err)              // checks the header against the options
 *     while (!(status = w_loader_next(loader, &batch, &place, &err))) // W_END after the last one
 *         train(batch.ids);
 *     w_loader_close(&loader)
 *
 * Each of several ranks reads all batches for the few that are its share. It could not go by the
 * index: a place is a checksum of the records before it, frames have one of their deflated bytes,
 * and a frame of 256 KiB holds batches of all ranks. A core reads 200 million ids in a second, as
 * many as a thousand ranks of a hundred threads train on.
 *
 * Every id is below vocab_size when it arrives. All memory is taken by w_loader_open(). Members of
 * the stream follow each other as if they were one; each has to have the same shape and columns. */
#ifndef W_LOADER_H
#define W_LOADER_H

#include <signal.h>

#include "wire/origin.h"

/* Of every `of` batches only [first, first + count) are handed out, and only if all are there. of
 * 0: every batch. */
struct w_loader_share {
    u64 first, count, of;
};

struct w_loader_options {
    const char *path;       /* NULL or "-": standard input */
    u64 batch_size, length; /* a batch is (batch_size, length + 1) ids */
    u64 vocab_size;
    struct w_loader_share share;
    /* Where an earlier run stopped, of which origin: all before it is read again and compared.
     * NULL: where the stream begins; not known. */
    const struct w_batch_place *start;
    const struct w_json *origin;
    const volatile sig_atomic_t *stop; /* waiting ends with W_SIGNAL once it is set; may be NULL */
};

/* What the columns of a batch hold, widened where that is needed. */
struct w_loaded {
    const u32 *ids;  /* (batch_size, length + 1) */
    const float *lp; /* the same: of each id by the counts; NULL without such columns */
    const u8 *ctx;   /* (batch_size, length + 1, features); NULL without */
    /* (batch_size): targets of each sequence that are text, from the first on; NULL: all are */
    const u32 *targets;
};

struct w_loader;

/* W_MISMATCH: the stream is valid, but of another shape or vocabulary, or, with a start, other
 * batches, or begins after it. W_TRUNCATED: it is empty. Else as reading any stream; W_IO, W_NOMEM.
 * *loader is NULL after a failure. */
enum w_status w_loader_open(struct w_loader **loader, const struct w_loader_options *,
                            struct w_err *) W_MUST_CHECK;
/* The header of the first member; lives as long as the loader. */
const struct w_header *w_loader_header(const struct w_loader *);
/* Features in ctx of each id, the same for all members; 0: the batches have no columns of
 * counts. */
u64 w_loader_features(const struct w_loader *);
/* Is it a stream for validation, whose last batch has padding? (The same for all members.) */
bool w_loader_is_padded(const struct w_loader *);
/* Batches of the whole stream, where a regular file can say so, else 0. */
u64 w_loader_known_batches(const struct w_loader *);
/* The place of the first batch: the start, once verified, or where the stream begins. */
struct w_batch_place w_loader_start(const struct w_loader *);

/* The next batch, valid until the next call, and where the one after it begins; with a share, after
 * the last of the batches that are handed out, where the next `of` begin. W_END after the last one;
 * W_SIGNAL once the stop flag is set; W_CORRUPT for an id outside vocab_size, an lp that is no
 * log-probability, or more targets than a sequence has; else as w_loader_open(). After a failure or
 * the end, further calls return the same. */
enum w_status w_loader_next(struct w_loader *, struct w_loaded *, struct w_batch_place *after,
                            struct w_err *err) W_MUST_CHECK;
/* Seconds that w_loader_next() has waited so far. */
double w_loader_wait_s(const struct w_loader *);

void w_loader_close(struct w_loader **); /* accepts NULL; at any time, also before the end */

#endif
