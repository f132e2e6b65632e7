#include "fit/scaling_law.h"

#include <math.h>

const char *const w_law_keys[W_LAW_KEYS] = {
    [W_LAW_FLOOR] = "floor", [W_LAW_A] = "a",         [W_LAW_ALPHA] = "alpha",
    [W_LAW_DEPTH] = "depth", [W_LAW_C] = "c",         [W_LAW_BETA] = "beta",
    [W_LAW_GAMMA] = "gamma", [W_LAW_BATCH] = "batch", [W_LAW_SMALL] = "small",
    [W_LAW_GROW] = "grow",   [W_LAW_REUSE] = "reuse",
};

/* The law as printed by tests/loss/fit; a recipe as in tests/loss/run. */
const struct w_recipe w_recipes[] = {
    [W_OPTIMIZER_ADAMW] = {.name = "adamw",
                           .spelled = "AdamW",
                           .law = {0.8, 0.04515, 0.34, 1, 1.274, 0.12, 0.11, 708.6, 0, 0, 1.89},
                           .widths = {64, 256},
                           .vocabularies = {4096, 16384},
                           .step_tokens = {1024, 4096},
                           .rate = 0.002,
                           .rate_width = 0.5,
                           .warmup_part = 0.05,
                           .schedule = W_SCHEDULE_COSINE,
                           .min_lr_ratio = 0.1,
                           .long_tokens = INFINITY},
    [W_OPTIMIZER_MUON] = {.name = "muon",
                          .spelled = "Muon",
                          .law = {0.8, 0.2676, 0.22, 1, 0.9692, 0.24, 0.11, 10220, 541.7, 0.5,
                                  1.726},
                          .widths = {64, 256},
                          .vocabularies = {4096, 16384}, /* as AdamW, of which gamma is */
                          .step_tokens = {1024, 8192},
                          .rate = 0.003,
                          .rate_width = 0,
                          .muon_rate = 20.0 / 3,
                          .warmup_part = 0.05,
                          .warmup_steps = 50,
                          .decay_part = 0.14,
                          .schedule = W_SCHEDULE_LINEAR,
                          .min_lr_ratio = 0,
                          .long_tokens = 50e6,
                          .long_length = 256},
};

const struct w_recipe *w_recipe_of(const struct w_conf *conf)
{
    return &w_recipes[conf->optimizer];
}

double w_recipe_rate(const struct w_recipe *recipe, u64 d_model, u64 step_tokens)
{
    return recipe->rate * pow(128.0 / (double)d_model, recipe->rate_width) *
           sqrt((double)step_tokens / 1024);
}

double w_recipe_decay(const struct w_recipe *recipe, double muon_learning_rate, double steps)
{
    return recipe->decay_part > 0 ? 1 / (recipe->decay_part * muon_learning_rate * steps)
                                  : INFINITY;
}

static bool within(u64 value, const u64 range[2])
{
    return value >= range[0] && value <= range[1];
}

bool w_recipe_outside(const struct w_conf *conf)
{
    const struct w_recipe *recipe = w_recipe_of(conf);

    return !within(conf->d_model, recipe->widths) ||
           !within(conf->vocab_size, recipe->vocabularies) ||
           !within(conf->batch_size * conf->max_length, recipe->step_tokens);
}
