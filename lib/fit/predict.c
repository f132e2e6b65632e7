#include "fit/predict.h"

#include <math.h>

#define NEAR 0.02 /* distances below are the same place: 2 % of a size */

/* ---- between shapes ---- */

/* Where a shape lies for a part: logarithms of what its cost depends on. */
struct place {
    double x, y;
};

static struct place place_of(enum w_step_part part, const struct w_conf *c)
{
    double d = (double)c->d_model, head = d / (double)c->num_heads;

    switch (part) {
    case W_STEP_LINEAR:
    case W_STEP_LINEAR_BACK: return (struct place){log(w_part_units(part, c)) / 2, 0};
    case W_STEP_ATTENTION:
    case W_STEP_ATTENTION_BACK: return (struct place){log((double)c->max_length), log(head)};
    /* the width is the depth of the product; the vocabulary only its length */
    case W_STEP_HEAD: return (struct place){log(d), log((double)c->vocab_size) / 4};
    case W_STEP_UPDATE: return (struct place){log(w_part_units(part, c)), 0};
    case W_STEP_EMBEDDING:
    case W_STEP_NORM:
    case W_STEP_PARTS: break;
    }
    return (struct place){log(d), 0};
}

/* Shapes of the other state than the one that is asked for do not count, unless there are no others:
 * then what multiplies is as much slower or faster as the peak is, and the rest is as it was. */
static double state_factor(const struct w_calibration *c, enum w_step_part part,
                           const struct w_step_probe *p, enum w_state state)
{
    static const bool multiplies[W_STEP_PARTS] = {
        [W_STEP_LINEAR] = true, [W_STEP_LINEAR_BACK] = true, [W_STEP_HEAD] = true};
    double ratio = c->peak[p->type].all / c->peak[p->type].half;

    if (!multiplies[part] || w_calibration_state(c, p) == state)
        return 1;
    return state == W_STATE_HALF ? ratio : 1 / ratio;
}

static bool counts(const struct w_calibration *c, const struct w_step_probe *p,
                   struct w_costs_of of, bool any_state)
{
    return p->threads == of.threads && p->type == of.type &&
           (any_state || w_calibration_state(c, p) == of.state);
}

/* The mean of the measured costs, weighted with the fourth power of the distance: at a shape that was
 * measured it is that one's. False: nothing was measured with so many threads. */
static bool cost_at(struct w_part_cost *cost, const struct w_calibration *c, enum w_step_part part,
                    const struct w_conf *conf, struct w_costs_of of)
{
    struct place here = place_of(part, conf);
    double weights = 0;
    bool any_state = true;

    *cost = (struct w_part_cost){0};
    for (u32 i = 0; i < c->probe_count; i++)
        any_state = any_state && !counts(c, &c->probes[i], of, false);
    for (u32 i = 0; i < c->probe_count; i++) {
        const struct w_step_probe *p = &c->probes[i];
        if (!counts(c, p, of, any_state))
            continue;
        struct w_conf shape = w_shape_conf(&p->shape, p->shape.batch_size);
        struct place there = place_of(part, &shape);
        double distance = hypot(there.x - here.x, there.y - here.y) + NEAR;
        double weight = pow(distance, -4), factor = state_factor(c, part, p, of.state);
        weights += weight;
        cost->token_s += weight * factor * p->parts[part].token_s;
        cost->call_s += weight * p->parts[part].call_s;
        cost->spread += weight * p->parts[part].spread;
    }
    cost->token_s /= weights;
    cost->call_s /= weights;
    cost->spread /= weights;
    return weights > 0;
}

/* ---- between numbers of threads ---- */

/* Amdahl's law through the two points that were measured: one = serial + parallel, all = serial +
 * parallel / n. With all of them alone, everything counts as parallel. */
static double share_time(double one, double all, double n, double threads)
{
    double parallel = n > 1 ? (one - all) / (1 - 1 / n) : one;
    parallel = W_MIN(W_MAX(parallel, 0), one);
    return one - parallel + parallel / threads;
}

static struct w_part_cost cost_with(const struct w_calibration *c, enum w_step_part part,
                                    const struct w_conf *conf, struct w_costs_of of)
{
    struct w_part_cost one, all;
    const double n = c->threads, threads = of.threads;

    of.threads = c->threads;
    if (!cost_at(&all, c, part, conf, of) || threads == n)
        return all;
    of.threads = 1;
    if (!cost_at(&one, c, part, conf, of)) {
        one = all;
        one.token_s *= n;
        one.call_s *= n;
    }
    return (struct w_part_cost){.token_s = share_time(one.token_s, all.token_s, n, threads),
                                .call_s = share_time(one.call_s, all.call_s, n, threads),
                                .spread = W_MAX(one.spread, all.spread)};
}

/* ---- levels of memory ---- */

static double bandwidth(const struct w_calibration *c, double bytes_each, u32 threads)
{
    double one = w_curve_at(&c->bandwidth_one, bytes_each);
    double all = w_curve_at(&c->bandwidth_all, bytes_each);

    if (threads >= c->threads)
        return all;
    return one + (all - one) * (threads - 1) / W_MAX(c->threads - 1, 1);
}

/* Bytes that are touched before a part touches the same again. */
static double working_set(enum w_step_part part, const struct w_conf *c, const struct w_plan *plan,
                          u32 threads)
{
    double d = (double)c->d_model, length = (double)c->max_length;
    double head = d / (double)c->num_heads;

    switch (part) {
    case W_STEP_ATTENTION: return 4 * (4 * length * head + length * length);
    case W_STEP_ATTENTION_BACK: return 4 * (8 * length * head + 2 * length * length);
    case W_STEP_HEAD: return (double)plan->buffers[W_BUF_LOGITS].bytes / threads;
    case W_STEP_UPDATE: return 16 * w_part_units(part, c) / threads;
    case W_STEP_EMBEDDING:
    case W_STEP_NORM:
    case W_STEP_LINEAR:
    case W_STEP_LINEAR_BACK:
    case W_STEP_PARTS: break;
    }
    return (double)plan->bytes / threads;
}

static const char *level_of(const struct w_calibration *c, double bytes_each, u32 threads)
{
    double l2 = c->capacity[1] > 0 ? c->capacity[1] : (double)c->claimed[1];
    double l3 = c->capacity[2] > 0 ? c->capacity[2] : (double)c->claimed[2];

    return bytes_each <= l2 ? "L2" : bytes_each * threads <= l3 ? "L3" : "memory";
}

/* ---- generation ---- */

/* Seconds per byte between the two measured sizes around this one; and drawing from the vocabulary. */
static double decode_seconds(const struct w_calibration *c, const struct w_conf *conf)
{
    /* as calibration.c counts them: of the positions only one is read */
    double positions = (double)conf->max_length * (double)conf->d_model;
    double bytes = 4 * (w_part_units(W_STEP_UPDATE, conf) - positions);
    u32 i = 0;

    while (i < c->decode_count && (double)c->decodes[i].bytes < bytes)
        i++;
    const struct w_decode_cost *high = &c->decodes[W_MIN(i, c->decode_count - 1)];
    const struct w_decode_cost *low = &c->decodes[i > 0 ? i - 1 : 0];
    double slow = high->seconds / (double)high->bytes, fast = low->seconds / (double)low->bytes;
    double part = 0;
    if (high->bytes > low->bytes)
        part = log(bytes / (double)low->bytes) / log((double)high->bytes / (double)low->bytes);
    return bytes * (fast + W_MIN(W_MAX(part, 0), 1) * (slow - fast)) +
           c->draw_s * (double)conf->vocab_size;
}

void w_costs_make(struct w_costs *costs, const struct w_calibration *c, const struct w_conf *conf,
                  const struct w_plan *plan, struct w_costs_of of)
{
    const u32 threads = of.threads;
    const double tokens = (double)(conf->batch_size * conf->max_length);
    double seconds = 0, squares = 0;

    for (u32 part = 0; part < W_STEP_PARTS; part++) {
        struct w_part_cost cost = cost_with(c, part, conf, of);
        double set = working_set(part, conf, plan, threads);
        double time = w_part_units(part, conf) * (cost.call_s + tokens * cost.token_s);
        if (part != W_STEP_HEAD && part != W_STEP_UPDATE && part != W_STEP_EMBEDDING)
            time *= (double)conf->num_layers;
        costs->parts[part] = cost;
        costs->bytes_s[part] = bandwidth(c, set, threads);
        costs->level[part] = level_of(c, set, threads);
        seconds += time;
        squares += time * cost.spread * time * cost.spread;
    }
    costs->spread = sqrt(squares) / seconds;
    costs->decode_s = decode_seconds(c, conf);
}
