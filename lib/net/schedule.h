/* schedule.h - the learning rate of each step: linear warm-up, then constant, or falling to its
 * end.
 *
 * With r = learning_rate, w = warmup_steps, m = min_lr_ratio, and steps counted from 1:
 *     step <= w                 r * step / w
 *     constant                  r
 *     cosine                    r * (m + (1 - m) * (1 + cos(pi * q)) / 2)
 *     linear                    r * (m + (1 - m) * (1 - q))
 *     sqrt                      r * (m + (1 - m) * (1 - sqrt(q)))
 * where q goes from 0 to 1 over the last part of the run, `cooldown` of it, and is 0 before. The
 * run begins after the warm-up and ends at step `steps`, or, where only time limits it, with that.
 *
 * Half a cosine is from Loshchilov and Hutter, "SGDR", 2017, without restarts; a line, down to 0,
 * from Bergsma and others, "Straight to Zero", 2025; a constant rate with a cooldown of the form
 * 1 - sqrt(q), from Haegele and others, "Scaling Laws and Compute-Optimal Training Beyond Fixed
 * Training Durations", 2024. */
#ifndef W_SCHEDULE_H
#define W_SCHEDULE_H

#include "conf/conf.h"

/* time_part: fraction of the time, in [0, 1]; used if conf.steps is 0. */
double w_schedule_rate(const struct w_conf *, u64 step, double time_part);

#endif
