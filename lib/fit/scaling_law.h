/* scaling_law.h - bits per byte of English text after training, from the model's size, its
 * vocabulary, the tokens and the batch. A law like that of Hoffmann and others (2022), fitted to
 * runs of this trainer: tests/loss has the runs and the fit, whose output is in scaling_law.c. The
 * formula is predict.bits of fit/figures.c.
 *
 * There is one for each recipe of training, which is a row of w_recipes[]: one for what other
 * programs do, AdamW with the softmax over all ids, and one for what learns most in a time, Muon
 * with a sampled softmax. A configuration has the recipe of its optimizer. What mixes the two (Muon
 * with all ids, AdamW with samples) lies between their laws, and nobody chooses it for a time: that
 * was not worth runs of its own.
 *
 * The laws are made for minutes to hours of training on a few cores, and for the choice between
 * models of one family. Outside the sizes of the runs they are a guess. */
#ifndef W_SCALING_LAW_H
#define W_SCALING_LAW_H

#include "conf/conf.h"

/* The constants, in the order of w_recipe.law. */
enum w_law_key {
    W_LAW_FLOOR,
    W_LAW_A,
    W_LAW_ALPHA,
    W_LAW_DEPTH,
    W_LAW_C,
    W_LAW_BETA,
    W_LAW_GAMMA,
    W_LAW_BATCH,
    W_LAW_SMALL,
    W_LAW_GROW,
    W_LAW_REUSE,
    W_LAW_KEYS
};
extern const char *const w_law_keys[W_LAW_KEYS]; /* "floor", ...: law.floor of fit/figures.c */

/* How the runs of a law were trained. */
struct w_recipe {
    const char *name;    /* as in tests/loss/runs.tsv */
    const char *spelled; /* for people */
    double law[W_LAW_KEYS];
    /* The smallest and the largest of the runs. Runs with still fewer tokens in a step there were,
     * but they need another learning rate. */
    u64 widths[2], vocabularies[2], step_tokens[2];
    /* Of the learning rate: at a width of 128 and 1024 tokens in a step, and how it falls with the
     * width. It grows as the square root of the tokens. */
    double rate, rate_width;
    double muon_rate;   /* muon_learning_rate / learning_rate; 0: the recipe has none */
    double warmup_part; /* share of the steps in which the rate rises */
    u64 warmup_steps;   /* these are at most so many; 0: no limit */
    /* The part of the steps, at least, in which weight decay lets go what is not learned again, 1 /
     * (muon_learning_rate * weight_decay * steps): a stronger one costs a long run what it learned
     * early (Wang and Aitchison: "How to set AdamW's weight decay", 2024). 0: not known. */
    double decay_part;
    u32 schedule;        /* enum w_schedule: how the rate falls after them */
    double min_lr_ratio; /* the last rate, as a part of the highest */
    /* From so many tokens on, sequences of long_length teach more than those of 128 tokens, which
     * most of the runs have: a longer context is worth more than the texts and the visits to each
     * position that it costs a step. INFINITY: not known. */
    double long_tokens;
    u64 long_length;
};
extern const struct w_recipe w_recipes[]; /* in the order of enum w_optimizer_name */

const struct w_recipe *w_recipe_of(const struct w_conf *);
/* Outside the sizes of the runs: there the law is a guess. */
bool w_recipe_outside(const struct w_conf *);

/* Tokens for a parameter: the runs had no fewer. */
#define W_TOKENS_LEAST 0.15

/* Tokens in all: the runs had not many more. */
#define W_TOKENS_MOST 80e6

/* Tokens per parameter after which a model learns little more (Hoffmann and others, 2022). The runs
 * had fewer. */
#define W_TOKENS_ENOUGH 20.0

/* The learning rate of the recipe's runs for a width and the tokens of a step. */
double w_recipe_rate(const struct w_recipe *, u64 d_model, u64 step_tokens);
/* The strongest weight decay that suits a run of so many steps; INFINITY: any. */
double w_recipe_decay(const struct w_recipe *, double muon_learning_rate, double steps);

#endif
