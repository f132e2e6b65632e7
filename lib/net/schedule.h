/* schedule.h - the learning rate of each step: a straight warm-up, then constant or half a cosine.
 *
 * With r = learning_rate, w = warmup_steps, and steps counted from 1:
 *     step <= w                 r * step / w
 *     constant                  r
 *     cosine                    r * (m + (1 - m) * (1 + cos(pi * p)) / 2),  m = min_lr_ratio
 * where p goes from 0 to 1: (step - w) / (steps - w), or, in a run that is limited by time alone, the
 * part of the time that has passed. (Loshchilov and Hutter: "SGDR", 2017, without restarts.) */
#ifndef W_SCHEDULE_H
#define W_SCHEDULE_H

#include "conf/conf.h"

/* time_part: in [0, 1]; used where conf.steps is 0. */
double w_schedule_rate(const struct w_conf *, u64 step, double time_part);

#endif
