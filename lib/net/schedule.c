#include "net/schedule.h"

#include <math.h>

double w_schedule_rate(const struct w_conf *conf, u64 step, double time_part)
{
    double warmup = (double)conf->warmup_steps, part = time_part;

    if (step <= conf->warmup_steps)
        return conf->learning_rate * (double)step / warmup;
    if (conf->schedule == W_SCHEDULE_CONSTANT)
        return conf->learning_rate;
    if (conf->steps > 0)
        part = conf->steps > conf->warmup_steps
                   ? ((double)step - warmup) / ((double)conf->steps - warmup)
                   : 1;
    part = W_MIN(W_MAX(part, 0), 1);
    return conf->learning_rate *
           (conf->min_lr_ratio + (1 - conf->min_lr_ratio) * (1 + cos(M_PI * part)) / 2);
}
