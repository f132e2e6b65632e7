/* weights_change.h - models of another size from the same weights, and the mean of several.
 *
 * Each changes *w in place; after a failure it is as it was, or only to be released. */
#ifndef W_WEIGHTS_CHANGE_H
#define W_WEIGHTS_CHANGE_H

#include "store/weights.h"

/* Another number of positions. Fewer: the first ones stay, and the model says the same of texts
 * that are not longer. More: those from the old end on repeat the old ones from the first on, from
 * which training learns long texts sooner than from random ones (Beltagy et al., Longformer, 2020,
 * section 5); before that the model knows no text that is longer than the old ones. W_USAGE: no
 * such model; W_NOMEM. */
enum w_status w_weights_set_positions(struct w_weights *w, u64 positions,
                                      struct w_err *) W_MUST_CHECK;

/* The same for a table of positions alone: rows from `have` on repeat those before. */
void w_repeat_rows(float *rows, u64 have, u64 count, u64 width);

/* Another number of ids in the table. Rows that are new are the mean of the old ones, so that their
 * ids are about as probable as a common text makes an id on average. W_MISMATCH: ids of the
 * vocabulary would be lost; W_USAGE, W_NOMEM. */
enum w_status w_weights_set_ids(struct w_weights *w, u64 ids, struct w_err *) W_MUST_CHECK;

/* A mean is made of sums in double precision.
 *
 *     struct w_weights_mean mean = {0};
 *     for each model: w_weights_mean_add(&mean, &weights, &err)
 *     w_weights_mean_take(&mean, &weights)        // any of them, which gets the mean
 *     w_weights_mean_release(&mean) */
struct w_weights_mean {
    double *sums; /* of tensors.floats */
    u64 count;
    struct w_conf conf; /* of the first */
    char sha256[65];    /* of its vocabulary, or empty */
};
/* W_MISMATCH: another shape or vocabulary than the first one; W_NOMEM. */
enum w_status w_weights_mean_add(struct w_weights_mean *, const struct w_weights *,
                                 struct w_err *) W_MUST_CHECK;
void w_weights_mean_take(const struct w_weights_mean *, struct w_weights *);
void w_weights_mean_release(struct w_weights_mean *);

#endif
