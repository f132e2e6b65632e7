/* mixture.h - the next token by a network and by counts together (net/gate.c). */
#ifndef W_MIXTURE_H
#define W_MIXTURE_H

#include "base/base.h"

/* mixed[i] = log((1 - g) softmax(logits)[i] + g p[i]) for the ids i below vocab: what a sampler
 * takes as logits. p (known): the probabilities by the counts; those of ids from `known` on are 0.
 * mixed may be logits. */
void w_mixture(float *mixed, const float *logits, u64 vocab, const double *p, u64 known, double g);

#endif
