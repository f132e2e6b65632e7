/* Measuring a calibration; calibration_file.c reads and writes its file. A machine's speed
 * changes while it is measured, so the peak is sampled between all other measurements, and
 * shapes that were slow without being noisy are measured again. Each part has its share of the
 * time; when that is over, no further shapes are added, or models that generate. */
#include "bench/calibration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/gemm.h"
#include "sys/clock.h"
#include "sys/output.h"

#define MIB ((u64)1 << 20)
#define CURVES 3
#define CURVE_PART 0.03     /* of the time: for each of the three curves */
#define LARGEST (256 * MIB) /* working set of all threads together */
#define SAMPLES 3           /* steps of a shape with all threads; one fewer with one thread */
#define SETS 3              /* of shapes */
#define MAIN_UNTIL 0.6      /* of the time: shapes of the main precision are begun */
#define OTHER_UNTIL 0.85    /* those of the other precision; the rest is for one thread */
#define DECODE_PART 0.2     /* of the time, after all shapes */
#define PEAK_K 256
#define PEAK_S 0.02
#define PEAKS_MAX 128
#define PEAK_CHANGED 1.4 /* ratio of two peaks between which another program came or went */
#define TRIES 3
#define SLOW 1.3 /* as a multiple of the usual time */
#define DISK_BYTES (16 * MIB)
#define DRAW_S 0.15

/* State of a measurement. */
struct bench {
    struct w_calibration *c;
    const struct w_calibrating *how;
    const struct w_machine *machine;
    struct w_team *one, *all;
    double began_s;
    u32 done, planned; /* measurements, of which progress says how far they are */
    double peaks[W_COMPUTE_TYPES][PEAKS_MAX]; /* of all threads, between the other measurements */
    u32 peak_count[W_COMPUTE_TYPES];
    double peak_now[W_COMPUTE_TYPES]; /* the latest of them */
};

/* What is measured next, and the part of all measurements that is done. */
static void progress(const struct bench *b, const char *what)
{
    if (b->how->progress)
        b->how->progress(b->how->context, what, (double)b->done / b->planned);
}

static void count(struct bench *b, bool noisy)
{
    b->c->measurements++;
    b->c->noisy += noisy;
}

/* ---- peak ---- */

struct tiles {
    const struct w_ukernel *ukernel;
    struct w_team *team;
    float *memory; /* for each worker: a, b and c of one tile */
    u64 stride, times;
};

static void multiply_own(void *context, u64 item, u32 worker)
{
    const struct tiles *t = context;
    const struct w_ukernel *ukernel = t->ukernel;
    float *a = t->memory + item * t->stride, *b = a + PEAK_K * (u64)ukernel->tile_rows;
    float *c = b + PEAK_K * (u64)ukernel->tile_cols;
    struct w_tile tile = {.k = PEAK_K,
                          .a = a,
                          .b = b,
                          .c = c,
                          .c_row = ukernel->tile_cols,
                          .rows = ukernel->tile_rows,
                          .cols = ukernel->tile_cols};

    (void)worker;
    for (u64 i = 0; i < t->times; i++)
        ukernel->run(&tile);
}

static void multiply_all(void *context, u64 times)
{
    struct tiles *t = context;
    t->times = times;
    w_team_for(t->team, w_team_size(t->team), multiply_own, t);
}

static enum w_status measure_peak(struct bench *b, enum w_type type, struct w_team *team,
                                  double *flops_s, struct w_err *err)
{
    const struct w_ukernel *ukernel = &b->how->kern[type]->ukernel[type];
    const u32 workers = w_team_size(team);
    const u64 tile = (u64)ukernel->tile_rows * ukernel->tile_cols;
    struct tiles t = {.ukernel = ukernel, .team = team};

    t.stride = w_round_up(PEAK_K * (u64)(ukernel->tile_rows + ukernel->tile_cols) + tile, 1024);
    /* aligned as the operands of GEMM are: rows of a tile that lie in two lines of the cache each
     * are loaded at a third of the rate */
    const size_t bytes = workers * t.stride * sizeof(float);
    t.memory = aligned_alloc(4096, bytes);
    if (!t.memory)
        return w_fail(err, W_NOMEM, "no memory to measure the peak");
    memset(t.memory, 0, bytes);
    struct w_probe p = w_probe_run(multiply_all, &t, PEAK_S);
    *flops_s = 2.0 * PEAK_K * (double)tile * workers / p.seconds;
    count(b, p.noisy);
    free(t.memory);
    return W_DONE;
}

/* One more sample of the peak of all threads: the machine's speed at present. */
static enum w_status sample_peak(struct bench *b, enum w_type type, struct w_err *err)
{
    enum w_status status = measure_peak(b, type, b->all, &b->peak_now[type], err);

    if (!status && b->peak_count[type] < PEAKS_MAX)
        b->peaks[type][b->peak_count[type]++] = b->peak_now[type];
    return status;
}

static void settle_peak(struct bench *b, enum w_type type)
{
    struct w_peak *peak = &b->c->peak[type];
    double *samples = b->peaks[type];
    const u32 n = b->peak_count[type];

    w_sort_reals(samples, n);
    peak->all = w_quantile(samples, n, 0.5);
    peak->slowest_part = w_quantile(samples, n, 0.05) / peak->all;
}

/* ---- memory ---- */

static enum w_status measure_curves(struct bench *b, struct w_err *err)
{
    struct w_calibration *c = b->c;
    const u32 threads = c->threads;
    const double seconds = CURVE_PART * b->how->seconds;
    u64 room = b->machine->available_bytes / 8, largest = LARGEST;
    enum w_status status = W_DONE;

    while (largest > 16 * MIB && room && largest > room)
        largest /= 2;
    struct {
        struct w_curve *curve;
        enum w_curve_kind kind;
        struct w_team *team;
        u64 bytes;
    } curves[CURVES] = {
        {&c->latency, W_CURVE_LATENCY, b->one, largest},
        {&c->bandwidth_one, W_CURVE_BANDWIDTH, b->one, largest},
        {&c->bandwidth_all, W_CURVE_BANDWIDTH, b->all, largest / threads},
    };
    for (size_t i = 0; i < CURVES && !status; i++) {
        progress(b, "memory");
        status = w_curve_measure(curves[i].curve, curves[i].kind, b->how->kern[b->how->type],
                                 curves[i].team, curves[i].bytes, seconds, err);
        b->done++;
        c->measurements += curves[i].curve->count;
        c->noisy += curves[i].curve->noisy;
    }
    return status;
}

/* Find where each cache ends. The sizes that the system reports only serve to choose two working
 * sets, well inside and well outside a level. For the last level the outer one is the largest
 * working set, and the curve is the bandwidth, since the latency rises earlier, where the TLB
 * ends. */
static void find_capacities(struct bench *b)
{
    struct w_calibration *c = b->c;
    const struct w_cache *caches[] = {&b->machine->l1d, &b->machine->l2, &b->machine->l3};
    static const double usual[] = {32 << 10, 512 << 10, 8 << 20};
    double largest = (double)c->latency.points[c->latency.count - 1].bytes, inside = 4096;

    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        c->claimed[i] = caches[i]->bytes;
        double size = c->claimed[i] ? (double)c->claimed[i] : usual[i];
        double outside = i + 1 < W_CALIBRATION_LEVELS ? W_MIN(2.5 * size, largest) : largest;
        bool last = i + 1 == W_CALIBRATION_LEVELS;
        double knee = w_curve_knee(last ? &c->bandwidth_one : &c->latency, inside, outside);
        c->capacity[i] = isfinite(knee) ? knee : 0;
        inside = outside;
    }
}

/* ---- kernels ---- */

/* Run a shape; again if the peak changed meanwhile. */
static enum w_status run_shape(struct bench *b, struct w_step_probe *p, const struct w_shape *shape,
                               enum w_type type, struct w_team *team, struct w_err *err)
{
    enum w_status status = W_DONE;
    char what[64];

    snprintf(what, sizeof what, "%s kernels at width %u, %u threads", w_compute_type_name(type),
             (unsigned)shape->d_model, (unsigned)w_team_size(team));
    progress(b, what);
    for (int i = 0; i < TRIES && !status; i++) {
        double before = b->peak_now[type];
        status = w_step_probe_run(p, shape, b->how->kern[type], type, team,
                                  team == b->all ? SAMPLES : SAMPLES - 1, err);
        if (!status)
            status = sample_peak(b, type, err);
        double after = b->peak_now[type];
        p->peak = W_MIN(before, after);
        if (W_MAX(before, after) < PEAK_CHANGED * p->peak)
            break;
    }
    for (u32 phase = 0; phase < W_PHASES && !status; phase++)
        count(b, p->phases[phase].spread > W_PROBE_SPREAD_MAX);
    return status;
}

static enum w_status measure_shape(struct bench *b, const struct w_shape *shape, enum w_type type,
                                   struct w_team *team, struct w_err *err)
{
    struct w_calibration *c = b->c;

    if (c->probe_count == W_CALIBRATION_PROBES)
        return W_DONE;
    enum w_status status = run_shape(b, &c->probes[c->probe_count], shape, type, team, err);
    c->probe_count += !status;
    return status;
}

/* Time of GEMM at a shape. A unit is a multiply-add, so that shapes can be compared. */
static double gemm_s(const struct w_step_probe *p)
{
    return p->phases[W_PHASE_LINEAR].token_s + p->phases[W_PHASE_LINEAR_BACK].token_s +
           p->phases[W_PHASE_HEAD].token_s;
}

enum w_status w_calibration_repeat(struct w_step_probe *probes, u32 count, w_shape_run *run,
                                   void *context, struct w_err *err)
{
    double times[W_CALIBRATION_PROBES];
    enum w_status status = W_DONE;

    for (u32 i = 0; i < count; i++)
        times[i] = gemm_s(&probes[i]);
    w_sort_reals(times, count);
    const double usual = w_quantile(times, count, 0.5);
    for (struct w_step_probe *p = probes; p < probes + count && !status; p++) {
        struct w_step_probe again;
        if (gemm_s(p) < SLOW * usual)
            continue;
        status = run(context, p, &again, err);
        if (!status && gemm_s(&again) < gemm_s(p))
            *p = again;
    }
    return status == W_END ? W_DONE : status;
}

/* Shapes that are measured with one precision and team: begun until a part of the time is over. */
struct shape_set {
    enum w_type type;
    struct w_team *team;
    double until;
};

struct repetition {
    struct bench *b;
    const struct shape_set *set;
};

static bool is_over(const struct bench *b, double part)
{
    return w_now_s() - b->began_s > part * b->how->seconds;
}

static enum w_status run_again(void *context, const struct w_step_probe *slow,
                               struct w_step_probe *again, struct w_err *err)
{
    const struct repetition *r = context;

    if (is_over(r->b, r->set->until))
        return W_END;
    return run_shape(r->b, again, &slow->shape, slow->type, r->set->team, err);
}

/* Shapes that the caller asked for, then the usual ones: at least two, then as many as there is
 * time for. */
static enum w_status measure_set(struct bench *b, const struct shape_set *set, struct w_err *err)
{
    const u32 first = b->c->probe_count;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < b->how->more_count && !status; i++, b->done++)
        status = measure_shape(b, &b->how->more[i], set->type, set->team, err);
    for (u32 i = 0; i < W_SHAPES && !status; i++, b->done++)
        if (i < 2 || !is_over(b, set->until))
            status = measure_shape(b, &w_shapes[i], set->type, set->team, err);
    if (!status)
        status = w_calibration_repeat(b->c->probes + first, b->c->probe_count - first, run_again,
                                      &(struct repetition){b, set}, err);
    return status;
}

/* The main precision with all threads, the other one, and the main one with one thread, as far as
 * there are kernels and further threads. Returns how many. */
static u32 shape_sets(const struct bench *b, struct shape_set sets[SETS])
{
    const enum w_type type = b->how->type, other = type == W_TYPE_F32 ? W_TYPE_BF16 : W_TYPE_F32;
    u32 count = 0;

    sets[count++] = (struct shape_set){type, b->all, MAIN_UNTIL};
    if (b->how->kern[other])
        sets[count++] = (struct shape_set){other, b->all, OTHER_UNTIL};
    if (b->one != b->all)
        sets[count++] = (struct shape_set){type, b->one, 1};
    return count;
}

static enum w_status measure_shapes(struct bench *b, struct w_err *err)
{
    struct shape_set sets[SETS];
    const u32 count = shape_sets(b, sets);
    enum w_status status = W_DONE;

    for (u32 i = 0; i < count && !status; i++)
        status = measure_set(b, &sets[i], err);
    return status;
}

/* ---- generation ---- */

/* By at least two models, then by as many as there is time for. */
static enum w_status measure_decodes(struct bench *b, struct w_err *err)
{
    const double seconds = DECODE_PART * b->how->seconds, began_s = w_now_s();
    struct w_calibration *c = b->c;
    enum w_status status = W_DONE;
    struct w_probe draw = {0};

    for (u32 i = 0; i < W_DECODE_MODELS && !status; i++, b->done++) {
        struct w_decode_probe p;
        if (i >= 2 && w_now_s() - began_s > seconds)
            break;
        progress(b, "generation");
        status = w_decode_probe_run(&p, &w_decode_models[i], b->how->kern, b->all,
                                    seconds / W_DECODE_MODELS, err);
        if (!status)
            c->decodes[c->decode_count++] = p.cost;
        c->measurements += p.measurements;
        c->noisy += p.noisy;
    }
    if (!status)
        status = w_draw_probe_run(&draw, b->how->kern[W_TYPE_F32], DRAW_S, err);
    if (!status) {
        c->draw_s = draw.seconds;
        count(b, draw.noisy);
    }
    return status;
}

/* ---- disk ---- */

/* Write as for a checkpoint: whole, synced, renamed. If the folder cannot be written to, the rate
 * is left at 0. */
static void measure_disk(struct bench *b)
{
    u8 *bytes = b->how->scratch ? malloc(DISK_BYTES) : NULL;

    if (!bytes)
        return;
    memset(bytes, 0x5A, DISK_BYTES);
    double start = w_now_s();
    if (!w_output_whole(b->how->scratch, bytes, DISK_BYTES, NULL))
        b->c->disk_bytes_s = (double)DISK_BYTES / (w_now_s() - start);
    remove(b->how->scratch);
    free(bytes);
}

/* ---- the whole ---- */

enum w_status w_calibration_run(struct w_calibration *c, const struct w_machine *m,
                                const struct w_calibrating *how, struct w_err *err)
{
    struct bench b = {.c = c, .how = how, .machine = m, .began_s = w_now_s()};

    *c = (struct w_calibration){
        .logical_cpus = m->logical_cpus, .threads = how->threads, .time = how->time};
    snprintf(c->cpu, sizeof c->cpu, "%s", m->name);
    snprintf(c->host, sizeof c->host, "%s", how->host);
    snprintf(c->version, sizeof c->version, "%s", W_VERSION_TEXT);
    enum w_status status = w_team_new(&b.one, 1, err);
    b.all = b.one;
    if (!status && how->threads > 1)
        status = w_team_new(&b.all, how->threads, err);
    b.planned = CURVES + W_DECODE_MODELS +
                shape_sets(&b, (struct shape_set[SETS]){0}) * (how->more_count + W_SHAPES);
    for (u32 type = 0; type < W_COMPUTE_TYPES && !status; type++) {
        if (!how->kern[type])
            continue;
        snprintf(c->kernel[type], sizeof c->kernel[type], "%s", how->kern[type]->name);
        status = measure_peak(&b, type, b.one, &c->peak[type].one, err);
        if (!status)
            status = sample_peak(&b, type, err);
    }
    if (!status)
        status = measure_curves(&b, err);
    if (!status)
        find_capacities(&b);
    if (!status)
        status = measure_shapes(&b, err);
    if (!status)
        status = measure_decodes(&b, err);
    if (!status)
        measure_disk(&b);
    for (u32 type = 0; type < W_COMPUTE_TYPES && !status; type++)
        if (how->kern[type])
            settle_peak(&b, type);
    c->took_s = w_now_s() - b.began_s;
    if (b.all != b.one)
        w_team_free(b.all);
    w_team_free(b.one);
    return status;
}

bool w_calibration_knows(const struct w_calibration *c, enum w_type type)
{
    for (u32 i = 0; i < c->probe_count; i++)
        if (c->probes[i].type == type)
            return true;
    return false;
}

void w_calibration_apply(const struct w_calibration *c, struct w_machine *m)
{
    struct w_rate *peaks[W_COMPUTE_TYPES] = {&m->flops_per_s, &m->bf16_flops_per_s};
    struct w_cache *caches[] = {&m->l1d, &m->l2, &m->l3};
    double inside = 4096;

    for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
        if (c->peak[type].all > 0)
            *peaks[type] = (struct w_rate){c->peak[type].all, W_FROM_MEASUREMENT};
    m->memory_bytes_per_s = (struct w_rate){
        c->bandwidth_all.points[c->bandwidth_all.count - 1].value, W_FROM_MEASUREMENT};
    m->memory_latency_s =
        (struct w_rate){c->latency.points[c->latency.count - 1].value, W_FROM_MEASUREMENT};
    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        double size = c->capacity[i] > 0 ? c->capacity[i] : (double)c->claimed[i];
        /* half of its capacity, but more than the level below holds */
        double set = W_MAX(size / 2, inside);
        if (size > 0) {
            caches[i]->bytes_per_s =
                (struct w_rate){w_curve_at(&c->bandwidth_one, set), W_FROM_MEASUREMENT};
            caches[i]->latency_s =
                (struct w_rate){w_curve_at(&c->latency, set), W_FROM_MEASUREMENT};
        }
        inside = size * 1.5;
    }
}
