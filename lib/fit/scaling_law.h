/* scaling_law.h - bits per byte of English text after training, from the model's size, its
 * vocabulary, the tokens and the batch. A law like that of Hoffmann and others (2022), fitted to
 * runs of this trainer: tests/loss has the runs and the fit, whose output is in scaling_law.c. The
 * formula is predict.bits of fit/figures.c.
 *
 * It is made for minutes to hours of training on a few cores, and for the choice between models of
 * one family: a cosine over the whole run, AdamW, learning rates by w_scaling_lr(). Outside the
 * sizes of the runs it is a guess. */
#ifndef W_SCALING_LAW_H
#define W_SCALING_LAW_H

#include "conf/conf.h"

struct w_scaling_law {
    const char *key; /* "floor", "a", "alpha", "c", "beta", "gamma", "batch": see fit/figures.c */
    double value;
};
#define W_SCALING_LAW_ROWS 7
extern const struct w_scaling_law w_scaling_law[W_SCALING_LAW_ROWS];

/* The smallest and the largest of the runs. */
extern const u64 w_scaling_widths[2], w_scaling_vocabularies[2];

/* The fewest tokens of a step for which the law holds. By the law smaller steps waste less, but
 * below this the runs were worse (256 tokens: 1.7 %), because they need another learning rate. */
extern const u64 w_scaling_step_tokens;

/* Tokens per parameter after which a model learns little more (Hoffmann and others, 2022). The runs
 * had fewer. */
#define W_TOKENS_ENOUGH 20.0

/* The learning rate of the runs: 0.002 sqrt(128 / width) sqrt(tokens of a step / 1024). */
double w_scaling_lr(u64 d_model, u64 step_tokens);

#endif
