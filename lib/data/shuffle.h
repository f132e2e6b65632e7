/* shuffle.h - the two random decisions about data, as pure functions: the order of an epoch, and
 * which documents are for validation. There is no state that a restart would have to save. */
#ifndef W_SHUFFLE_H
#define W_SHUFFLE_H

#include "base/base.h"

/* Fill order with a permutation of 0 to n - 1 (Fisher and Yates; Durstenfeld's Algorithm 235), one
 * for each (n, seed, epoch). All n! are equally likely. */
void w_shuffle(u32 *order, u32 n, u64 seed, u64 epoch);

/* A slot in [0, n), n > 0, of a shuffle window: a function of (n, seed, draw). */
u64 w_shuffle_slot(u64 n, u64 seed, u64 draw);

/* Is document `number` of its source for validation? True for a share of `fraction` of all numbers,
 * whatever the documents hold and however many there are. A larger fraction with the same seed has
 * all the documents of a smaller one. */
bool w_is_validation(u64 seed, u64 number, double fraction);

#endif
