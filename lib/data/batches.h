/* batches.h - sequences to batches: in which order, how often, from where.
 *
 * When all sequences are held (always so for files without a window), the order of epoch e is a
 * permutation made from (seed, e), and batch k needs nothing from the batches before it. A source
 * that is larger than the window is shuffled while it passes: each draw takes a random one of the
 * sequences held and puts the next one of the source in its place; that gives another order, for a
 * single epoch only. In both cases batch k is a function of (seed, source, window, k). An epoch's
 * last sequences that do not fill a batch are dropped. */
#ifndef W_BATCHES_H
#define W_BATCHES_H

#include "data/pack.h"

struct w_batches_options {
    u64 batch;  /* B: sequences in a batch */
    u64 epochs; /* 0: without end */
    u64 start;  /* the first batch to give; those before it are made too, for their CRC */
    u64 seed;
    bool shuffle;
    u64 window; /* sequences to hold at most; 0: no limit */
};

struct w_batches;

/* Reads from the pack, which stays the caller's, until it ends or the window is full. W_USAGE: more
 * than one epoch of a source larger than the window, or a start after the end; W_MISMATCH if
 * there is not one batch; W_LIMIT: more than 2^32 - 1 sequences without a window; W_NOMEM; else
 * what the pack gives. */
enum w_status w_batches_open(struct w_batches **, struct w_pack *, const struct w_batches_options *,
                             struct w_err *) W_MUST_CHECK;
void w_batches_close(struct w_batches **); /* accepts NULL */

/* Batches in an epoch, or 0: not known, as the source passes through the window. */
u64 w_batches_epoch_len(const struct w_batches *);
/* CRC-32 of the records of the batches before the start, by which a trainer knows its place
 * again. */
u32 w_batches_start_crc(const struct w_batches *);
/* CRC-32 of all sequences in the order of the text; false: not known, as the source passes through
 * the window. */
bool w_batches_data_crc(const struct w_batches *, u32 *crc);
/* Fill the record of a batch, (B, T + 1) of each column (columns.h); W_END after the last batch;
 * else, of a passing source, what the pack gives. */
enum w_status w_batches_next(struct w_batches *, u8 *record, struct w_err *) W_MUST_CHECK;
/* Sequences dropped so far at the end of epochs. */
u64 w_batches_dropped(const struct w_batches *);

#endif
