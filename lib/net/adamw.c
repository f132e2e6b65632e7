/* AdamW (Loshchilov and Hutter, 2019): with m and v the running means of g and g^2,
 *
 *      w -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + lr * decay * w
 */
#include "net/optim.h"

#include <math.h>

static void begin(struct w_optimizer_step *step, const struct w_conf *conf, u64 t,
                  double learning_rate, double grad_scale)
{
    const struct w_adamw adamw = {
        .grad_scale = (float)grad_scale,
        .beta1 = (float)conf->beta1,
        .beta2 = (float)conf->beta2,
        .epsilon = (float)conf->epsilon,
        .step_size = (float)(learning_rate / (1 - pow(conf->beta1, (double)t))),
        .sqrt_correction2 = (float)sqrt(1 - pow(conf->beta2, (double)t)),
        .decay_factor = 1,
    };

    step->adamw.plain = step->adamw.decayed = adamw;
    step->adamw.decayed.decay_factor = (float)(1 - learning_rate * conf->weight_decay);
}

static void update(const struct w_optimizer_step *step, const struct w_kern *kern,
                   const struct w_tensor *t, float *weights, float *gradients,
                   float *const states[W_RULE_STATES], u64 n)
{
    kern->adamw(weights, gradients, states[0], states[1],
                t->decays ? &step->adamw.decayed : &step->adamw.plain, n);
}

const struct w_rule w_rule_adamw = {
    .states = {"adam.m", "adam.v"},
    .flops = 12,
    .bytes = 36,
    .begin = begin,
    .update = update,
};
