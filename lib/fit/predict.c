/* Costs between measured shapes: an average weighted by distance (Shepard's method), which is exact
 * at a measured shape and never leaves the range of the measured values, as a line through noisy
 * points could. Each phase has a distance of its own, in logarithms of the sizes that its cost
 * depends on. Between numbers of threads: Amdahl's law. Cost: phases times shapes, some hundred
 * distances. */
#include "fit/predict.h"

#include <math.h>

#include "net/softmax_sample.h"

#define NEAR 0.02    /* added to distances, so that none is 0: 2 % of a size */
#define OTHER_HEAD 3 /* distance of a head over all ids from a sampled one: beyond all widths */

/* ---- between shapes ---- */

/* Where a configuration is for a phase: logarithms of the sizes that the cost of a unit depends
 * on. */
struct place {
    double x, y;
    bool sampled; /* of the head: it gathers and scatters the rows of a set */
};

static struct place place_of(enum w_phase phase, const struct w_conf *c, const struct w_work *work)
{
    const double d = (double)c->d_model, blocks = (double)c->num_layers;

    switch (phase) {
    case W_PHASE_LINEAR:
    case W_PHASE_LINEAR_BACK: return (struct place){.x = log(work->units / blocks) / 2};
    case W_PHASE_ATTENTION:
    case W_PHASE_ATTENTION_BACK:
        return (struct place){.x = log((double)c->max_length), .y = log(d / (double)c->num_heads)};
    /* the width is the depth (k) of the GEMM; the ids are only its length, and count less */
    case W_PHASE_HEAD:
        return (struct place){log(d), log(work->units / d) / 4, w_softmax_is_sampled(c)};
    case W_PHASE_UPDATE: return (struct place){.x = log(work->units)};
    case W_PHASE_ORTHOGONALISE: /* the smaller side of its matrices */
    case W_PHASE_GATE:
    case W_PHASE_EMBEDDING:
    case W_PHASE_NORM:
    case W_PHASES: break;
    }
    return (struct place){.x = log(d)};
}

/* A configuration, and the places of it and of the measured shapes. */
struct query {
    const struct w_calibration *c;
    struct w_work work[W_PHASES]; /* of the configuration */
    struct place here[W_PHASES], there[W_CALIBRATION_PROBES][W_PHASES];
};

static void locate(struct place places[W_PHASES], const struct w_conf *conf,
                   const struct w_work work[W_PHASES])
{
    for (u32 phase = 0; phase < W_PHASES; phase++)
        places[phase] = place_of(phase, conf, &work[phase]);
}

static void make_query(struct query *q, const struct w_calibration *c, const struct w_conf *conf,
                       enum w_type type)
{
    q->c = c;
    w_arch_work(q->work, conf, type);
    locate(q->here, conf, q->work);
    for (u32 i = 0; i < c->probe_count; i++) {
        const struct w_conf shape =
            w_shape_conf(&c->probes[i].shape, c->probes[i].shape.batch_size);
        struct w_work work[W_PHASES];
        w_arch_work(work, &shape, type);
        locate(q->there[i], &shape, work);
    }
}

/* The mean of the measured costs, weighted by the inverse fourth power of the distance. False:
 * nothing was measured with so many threads. */
static bool cost_at(struct w_phase_cost *cost, const struct query *q, enum w_phase phase,
                    struct w_costs_of of)
{
    const struct w_calibration *c = q->c;
    const struct place here = q->here[phase];
    double weights = 0;

    *cost = (struct w_phase_cost){0};
    for (u32 i = 0; i < c->probe_count; i++) {
        const struct w_step_probe *p = &c->probes[i];
        const struct place there = q->there[i][phase];
        if (p->threads != of.threads || p->type != of.type)
            continue;
        double distance = hypot(there.x - here.x, there.y - here.y) + NEAR;
        if (there.sampled != here.sampled)
            distance += OTHER_HEAD;
        double weight = pow(distance, -4);
        weights += weight;
        cost->token_s += weight * p->phases[phase].token_s;
        cost->call_s += weight * p->phases[phase].call_s;
        cost->spread += weight * p->phases[phase].spread;
    }
    cost->token_s /= weights;
    cost->call_s /= weights;
    cost->spread /= weights;
    return weights > 0;
}

/* ---- between numbers of threads ---- */

/* Amdahl's law through the two measured points: one = serial + parallel, all = serial + parallel /
 * n. With n = 1 everything counts as parallel. */
static double amdahl(double one, double all, double n, double threads)
{
    double parallel = n > 1 ? (one - all) / (1 - 1 / n) : one;
    parallel = W_MIN(W_MAX(parallel, 0), one);
    return one - parallel + parallel / threads;
}

static struct w_phase_cost cost_with(const struct query *q, enum w_phase phase,
                                     struct w_costs_of of)
{
    struct w_phase_cost one, all;
    const double n = q->c->threads, threads = of.threads;

    of.threads = q->c->threads;
    if (!cost_at(&all, q, phase, of) || threads == n)
        return all;
    of.threads = 1;
    if (!cost_at(&one, q, phase, of)) {
        one = all;
        one.token_s *= n;
        one.call_s *= n;
    }
    return (struct w_phase_cost){.token_s = amdahl(one.token_s, all.token_s, n, threads),
                                 .call_s = amdahl(one.call_s, all.call_s, n, threads),
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

/* Bytes that a thread touches before a phase touches the same ones again. */
static double working_set(const struct w_work *work, const struct w_plan *plan, u32 threads)
{
    if (work->thread_set > 0)
        return work->thread_set;
    return (work->set > 0 ? work->set : (double)plan->bytes) / threads;
}

static const char *level_of(const struct w_calibration *c, double bytes_each, u32 threads)
{
    double l2 = c->capacity[1] > 0 ? c->capacity[1] : (double)c->claimed[1];
    double l3 = c->capacity[2] > 0 ? c->capacity[2] : (double)c->claimed[2];

    return bytes_each <= l2 ? "L2" : bytes_each * threads <= l3 ? "L3" : "memory";
}

/* ---- generation ---- */

/* Bytes of a configuration, and its place among the measured ones. */
struct among {
    const struct w_decode_cost *low, *high;
    double part; /* of the way from low to high, in the logarithm of bytes */
};

static struct among among(const struct w_calibration *c, double bytes)
{
    struct among a;
    u32 i = 0;

    while (i < c->decode_count && (double)c->decodes[i].bytes < bytes)
        i++;
    a.high = &c->decodes[W_MIN(i, c->decode_count - 1)];
    a.low = &c->decodes[i > 0 ? i - 1 : 0];
    a.part = 0;
    if (a.high->bytes > a.low->bytes)
        a.part =
            log(bytes / (double)a.low->bytes) / log((double)a.high->bytes / (double)a.low->bytes);
    a.part = W_MIN(W_MAX(a.part, 0), 1);
    return a;
}

/* The weights of a token at the seconds per byte between the two measured sizes around this one,
 * and sampling from the vocabulary; of a prompt the layers alone. */
static void decode_costs(struct w_costs *costs, const struct w_calibration *c,
                         const struct w_conf *conf)
{
    /* as decode_probe.c counts them, but for vectors: of the position table only one row is read */
    const double positions = (double)conf->max_length * (double)conf->d_model;
    const double bytes = 4 * (w_arch_matrices(conf) - positions);
    const double layers = bytes - 4 * (double)conf->vocab_size * (double)conf->d_model;
    const struct among a = among(c, bytes);
    const double low = (double)a.low->bytes, high = (double)a.high->bytes;
    const double low_layers = (double)a.low->layer_bytes, high_layers = (double)a.high->layer_bytes;

    for (u32 i = 0; i < W_DECODE_TYPES; i++) {
        const double fast = a.low->seconds[i] / low, slow = a.high->seconds[i] / high;
        const double first = a.low->prompt_s[i] / low_layers;
        const double last = a.high->prompt_s[i] / high_layers;
        const bool known = fast > 0 && slow > 0;
        costs->decode_s[i] =
            known ? bytes * (fast + a.part * (slow - fast)) + c->draw_s * (double)conf->vocab_size
                  : 0;
        costs->prompt_s[i] = first > 0 && last > 0 ? layers * (first + a.part * (last - first)) : 0;
    }
}

void w_costs_make(struct w_costs *costs, const struct w_calibration *c, const struct w_conf *conf,
                  const struct w_plan *plan, struct w_costs_of of)
{
    const double tokens = (double)(conf->batch_size * conf->max_length);
    double seconds = 0, squares = 0;
    struct query q;

    make_query(&q, c, conf, of.type);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        const struct w_phase_cost cost = cost_with(&q, phase, of);
        const double set = working_set(&q.work[phase], plan, of.threads);
        const double time = q.work[phase].units * (cost.call_s + tokens * cost.token_s);
        costs->phases[phase] = cost;
        costs->bytes_s[phase] = bandwidth(c, set, of.threads);
        costs->level[phase] = level_of(c, set, of.threads);
        seconds += time;
        squares += time * cost.spread * time * cost.spread;
    }
    costs->spread = sqrt(squares) / seconds;
    /* generation reads all weights, also those that no step updates */
    decode_costs(costs, c, conf);
}
