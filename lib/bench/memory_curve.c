/* Latency is measured by a chain of dependent loads that visits all cache lines of the working set
 * in an order that no prefetcher predicts; bandwidth by the dot product of the two halves of the
 * working set, in every thread its own. */
#include "bench/memory_curve.h"

#include <math.h>

#include "sys/pages.h"

#define SMALLEST ((u64)4 << 10)
#define LINE 64
#define HUGE_PAGE ((size_t)2 << 20)
#define SLOWER 1.5 /* a plateau that is no slower than this is the same plateau */

/* ---- latency: a chain of cache lines, each of which holds the offset of the next one ---- */

struct chain {
    u8 *memory;
    u64 at; /* stored, so that the compiler keeps the loop */
};

/* i -> (a i + c) mod n visits all n lines before it comes back if c has no factor in common with
 * n and a - 1 has every prime factor of n, and 4 if n has (Hull and Dobell, 1962). n is 2^k or 3
 * 2^k. */
static void link_lines(u8 *memory, u64 lines)
{
    u64 a = (u64)(0.381966 * (double)lines) / 12 * 12 + 1, c = (lines / 5 * 2) | 1;

    while (c % 3 == 0)
        c += 2;
    for (u64 i = 0; i < lines; i++)
        *(u64 *)(void *)(memory + i * LINE) = (a * i + c) % lines * LINE;
}

static void chase(void *context, u64 times)
{
    struct chain *chain = context;
    const u8 *memory = chain->memory;
    u64 at = chain->at;

    for (u64 i = 0; i < times; i++)
        at = *(const u64 *)(const void *)(memory + at);
    *(volatile u64 *)&chain->at = at;
}

/* ---- bandwidth: every thread reads its own memory, by a kernel of the trainer ---- */

struct reading {
    const struct w_kern *kern;
    struct w_team *team;
    const float *memory;
    u64 stride, floats; /* between threads; read by each */
    u64 times;
    volatile float sums[64];
};

static void read_own(void *context, u64 item, u32 worker)
{
    struct reading *r = context;
    const float *own = r->memory + item * r->stride;
    u64 half = r->floats / 2;
    float sum = 0;

    (void)worker;
    for (u64 i = 0; i < r->times; i++)
        sum += r->kern->dot(own, own + half, half);
    r->sums[item % W_COUNTOF(r->sums)] = sum;
}

static void read_all(void *context, u64 times)
{
    struct reading *r = context;
    r->times = times;
    w_team_for(r->team, w_team_size(r->team), read_own, r);
}

static void touch_own(void *context, u64 item, u32 worker)
{
    const struct reading *r = context;
    float *own = (float *)(void *)(u8 *)(uintptr_t)(r->memory + item * r->stride);

    (void)worker;
    for (u64 i = 0; i < r->stride; i += LINE / sizeof *own)
        own[i] = 1;
}

/* ---- curves ---- */

static double measure_point(struct w_curve *c, u8 *memory, struct reading *r, u64 bytes,
                            double budget_s, double *spread)
{
    struct chain chain = {.memory = memory};
    struct w_probe p;
    double value;

    if (c->kind == W_CURVE_LATENCY) {
        link_lines(memory, bytes / LINE);
        p = w_probe_run(chase, &chain, budget_s);
        value = p.seconds;
    } else {
        r->floats = bytes / sizeof(float);
        p = w_probe_run(read_all, r, budget_s);
        value = (double)bytes * w_team_size(r->team) / p.seconds;
    }
    c->noisy += p.noisy;
    *spread = p.spread;
    return value;
}

void w_curve_flatten(struct w_curve *c)
{
    for (u32 i = c->count; i-- > 1;) {
        double *value = &c->points[i - 1].value, next = c->points[i].value;
        bool slower = c->kind == W_CURVE_LATENCY ? *value > next : *value < next;
        if (slower)
            *value = next;
    }
}

enum w_status w_curve_measure(struct w_curve *c, enum w_curve_kind kind, const struct w_kern *kern,
                              struct w_team *team, u64 max_bytes, double budget_s,
                              struct w_err *err)
{
    const u32 threads = kind == W_CURVE_LATENCY ? 1 : w_team_size(team);
    const size_t room = (size_t)max_bytes * threads;
    double spreads[W_CURVE_POINTS];
    u32 points = 0;

    *c = (struct w_curve){.kind = kind, .threads = threads};
    for (u64 bytes = SMALLEST; bytes <= max_bytes; bytes *= 2)
        points += 2;
    /* Huge pages, as the trainer has; without them the curve would show the TLB first. */
    u8 *memory = w_pages_new(room + HUGE_PAGE);
    if (!memory)
        return w_fail_errno(err, "no memory to measure: %zu bytes", room);
    u8 *aligned = (u8 *)w_round_up((uintptr_t)memory, HUGE_PAGE);
    struct reading r = {.kern = kern,
                        .team = team,
                        .memory = (const float *)(const void *)aligned,
                        .stride = max_bytes / sizeof(float)};
    if (kind == W_CURVE_BANDWIDTH)
        w_team_for(team, threads, touch_own, &r);
    for (u64 bytes = SMALLEST; bytes <= max_bytes && c->count + 2 <= W_CURVE_POINTS; bytes *= 2)
        for (u64 size = bytes; size <= bytes * 3 / 2 && size <= max_bytes; size += bytes / 2) {
            c->points[c->count].bytes = size;
            c->points[c->count].value =
                measure_point(c, aligned, &r, size, budget_s / points, &spreads[c->count]);
            c->count++;
        }
    w_pages_free(memory, room + HUGE_PAGE);
    w_curve_flatten(c);
    w_sort_reals(spreads, c->count);
    c->spread = w_quantile(spreads, c->count, 0.5);
    return W_DONE;
}

double w_curve_at(const struct w_curve *c, double bytes)
{
    u32 i = 0;

    if (c->count == 0)
        return NAN;
    while (i < c->count && (double)c->points[i].bytes < bytes)
        i++;
    if (i == 0 || i == c->count)
        return c->points[W_MIN(i, c->count - 1)].value;
    double low = log((double)c->points[i - 1].bytes), high = log((double)c->points[i].bytes);
    double part = (log(bytes) - low) / (high - low);
    return c->points[i - 1].value + part * (c->points[i].value - c->points[i - 1].value);
}

double w_curve_knee(const struct w_curve *c, double inside, double outside)
{
    const bool rises = c->kind == W_CURVE_LATENCY;
    double fast = w_curve_at(c, inside), slow = w_curve_at(c, outside), middle = sqrt(fast * slow);

    if (!((rises ? slow / fast : fast / slow) >= SLOWER))
        return INFINITY;
    for (double bytes = inside; bytes < outside; bytes *= 1.02) {
        double value = w_curve_at(c, bytes);
        if (rises ? value >= middle : value <= middle)
            return bytes;
    }
    return outside;
}
