#include "net/schedule.h"

#include <math.h>

/* From 1 to 0 while q goes from 0 to 1. */
static double cosine(double q)
{
    return (1 + cos(M_PI * q)) / 2;
}

static double linear(double q)
{
    return 1 - q;
}

static double square_root(double q)
{
    return 1 - sqrt(q);
}

/* How the rate falls; NULL: it does not. */
static double (*const falls[])(double q) = {
    [W_SCHEDULE_CONSTANT] = NULL,
    [W_SCHEDULE_COSINE] = cosine,
    [W_SCHEDULE_LINEAR] = linear,
    [W_SCHEDULE_SQRT] = square_root,
};

double w_schedule_rate(const struct w_conf *conf, u64 step, double time_part)
{
    const double warmup = (double)conf->warmup_steps;
    double part = time_part;

    if (step <= conf->warmup_steps)
        return conf->learning_rate * (double)step / warmup;
    if (!falls[conf->schedule])
        return conf->learning_rate;
    if (conf->steps > 0)
        part = conf->steps > conf->warmup_steps
                   ? ((double)step - warmup) / ((double)conf->steps - warmup)
                   : 1;
    const double q = W_MIN(W_MAX((part - (1 - conf->cooldown)) / conf->cooldown, 0), 1);
    return conf->learning_rate *
           (conf->min_lr_ratio + (1 - conf->min_lr_ratio) * falls[conf->schedule](q));
}
