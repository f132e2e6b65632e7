#include "net/seen_targets.h"

#include <string.h>

void w_seen_targets_add(const struct w_seen_targets *seen, const struct w_conf *conf,
                        const struct w_batch *batch)
{
    const u64 length = conf->max_length;

    for (u64 b = 0; b < conf->batch_size; b++)
        for (u64 t = 1; t <= length; t++)
            seen->step[batch->ids[b * (length + 1) + t]]++;
}

void w_seen_targets_settle(const struct w_seen_targets *seen, const struct w_conf *conf)
{
    for (u64 id = 0; id < conf->vocab_size; id++) {
        const u32 room = UINT32_MAX - seen->run[id];
        seen->run[id] += W_MIN(seen->step[id], room);
        seen->step[id] = 0;
    }
}

void w_seen_targets_begin_round(const struct w_seen_targets *seen, const struct w_conf *conf)
{
    memcpy(seen->common, seen->run, conf->vocab_size * sizeof *seen->run);
}

void w_seen_targets_reopen(const struct w_seen_targets *seen, const struct w_conf *conf)
{
    for (u64 id = 0; id < conf->vocab_size; id++)
        seen->step[id] = seen->run[id] - seen->common[id];
    memcpy(seen->run, seen->common, conf->vocab_size * sizeof *seen->run);
}

void w_seen_targets_drop_round(const struct w_seen_targets *seen, const struct w_conf *conf)
{
    memcpy(seen->run, seen->common, conf->vocab_size * sizeof *seen->run);
    memset(seen->step, 0, conf->vocab_size * sizeof *seen->step);
}
