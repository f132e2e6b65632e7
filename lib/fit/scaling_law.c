#include "fit/scaling_law.h"

#include <math.h>

/* As printed by tests/loss/fit. */
const struct w_scaling_law w_scaling_law[W_SCALING_LAW_ROWS] = {
    {"floor", 0.8}, {"a", 0.04515},  {"alpha", 0.34},  {"c", 1.274},
    {"beta", 0.12}, {"gamma", 0.11}, {"batch", 708.6},
};

const u64 w_scaling_widths[2] = {64, 256};
const u64 w_scaling_vocabularies[2] = {4096, 16384};
const u64 w_scaling_step_tokens = 1024;

double w_scaling_lr(u64 d_model, u64 step_tokens)
{
    return 0.002 * sqrt(128.0 / (double)d_model) * sqrt((double)step_tokens / 1024);
}
