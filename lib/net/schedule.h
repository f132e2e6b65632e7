/* schedule.h - the learning rate of each step: linear warm-up, then constant or half a cosine.
 *
 * With r = learning_rate, w = warmup_steps, and steps counted from 1:
 *     step <= w                 r * step / w
 *     constant                  r
 *     cosine                    r * (m + (1 - m) * (1 + cos(pi * p)) / 2),  m = min_lr_ratio
 * where p goes from 0 to 1: (step - w) / (steps - w), or, in a run that is limited only by time,
 * the fraction of the time that has passed. (Loshchilov and Hutter: "SGDR", 2017, without
 * restarts.) */
#ifndef W_SCHEDULE_H
#define W_SCHEDULE_H

#include "conf/conf.h"

/* time_part: fraction of the time, in [0, 1]; used if conf.steps is 0. */
double w_schedule_rate(const struct w_conf *, u64 step, double time_part);

#endif
