/* scaling_law.h - how good a model becomes: bits per byte of English text after training, from its size,
 * its vocabulary, the tokens and the batch. A law of the kind of Hoffmann and others (2022), fitted to
 * runs of this trainer: tests/loss has the runs and the fit, whose output stands in scaling_law.c.
 *
 * It is made for minutes to hours of training on a few cores, and for choosing between models of one
 * family: a cosine over the whole run, AdamW, learning rates by w_scaling_lr(). Outside the sizes of the
 * runs it is a guess. */
#ifndef W_SCALING_LAW_H
#define W_SCALING_LAW_H

#include "conf/conf.h"

struct w_scaling_law {
    const char *key; /* "floor", "a", "alpha", "c", "beta", "gamma", "batch": see fit/figures.c */
    double value;
};
#define W_SCALING_LAW_ROWS 7
extern const struct w_scaling_law w_scaling_law[W_SCALING_LAW_ROWS];

/* The sizes that the runs had, and those that the law is asked for. */
extern const u64 w_scaling_widths[2], w_scaling_vocabularies[2];

/* The fewest tokens of a step. The law says that smaller steps waste less; below this the runs got
 * worse instead (256 tokens: 1.7 %), since the learning rate would have to be another. */
extern const u64 w_scaling_step_tokens;

/* Tokens for each parameter after which a model of its size learns little more (Hoffmann and others,
 * 2022). The runs had fewer. */
#define W_TOKENS_ENOUGH 20.0

/* The learning rate of the runs at such a width and so many tokens in a step: 0.002 at a width of 128
 * and 1024 tokens, with the inverse root of the width and the root of the tokens. */
double w_scaling_lr(u64 d_model, u64 step_tokens);

#endif
