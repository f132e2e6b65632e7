/* lazy_rows.h - the rows of the table of ids that a step uses. With a sampled softmax most rows
 * have no gradient; with conf.lazy_rows the optimizer leaves them alone, weights, moments and
 * weight decay (as torch's SparseAdam), and nobody reads or clears their gradients, which stay
 * zero.
 *
 * A step's batches add ids; before the update the set is listed, after it cleared. */
#ifndef W_LAZY_ROWS_H
#define W_LAZY_ROWS_H

#include "net/id_set.h"
#include "net/tensors.h"

struct w_lazy_rows {
    const struct w_tensor *tensor; /* (V, d) */
    struct w_id_set used;          /* by the batches of the step so far */
    u32 *ids;                      /* (V): the same, ascending: `count` of them once listed */
    u64 count;
};

#endif
