/* Measuring a calibration; calibration_file.c reads and writes its file. A machine's speed
 * changes while it is measured, so the peak is sampled between all other measurements, and
 * shapes that were slow without being noisy are measured again. When the time is over, no
 * further shapes are added. */
#include "bench/calibration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/gemm.h"
#include "base/rng.h"
#include "net/infer.h"
#include "net/sampler.h"
#include "sys/clock.h"
#include "sys/fdio.h"

#define MIB ((u64)1 << 20)
#define CURVES 3
#define CURVE_PART 0.05     /* of the time: for each of the three curves */
#define LARGEST (256 * MIB) /* working set of all threads together */
#define SAMPLES 3           /* steps of a shape with all threads; one fewer with one thread */
#define OTHER_SHAPES 4      /* at most: of the other precision, and with one thread */
#define PEAK_K 256
#define PEAK_S 0.02
#define PEAKS_MAX 128
#define STATE_CHANGED 1.4 /* ratio of two peaks between which the machine has changed its state */
#define TRIES 3
#define SLOW 1.3 /* as a multiple of the usual time */
#define DISK_BYTES (16 * MIB)
#define DECODE_S 0.15
#define SAMPLE_IDS 16384

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
    t.memory = calloc(workers * t.stride, sizeof(float));
    if (!t.memory)
        return w_fail(err, W_NOMEM, "no memory to measure the peak");
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
    struct w_states states = {.full = w_quantile(samples, n, 0.5)};
    /* with other units a second state is due to another program */
    if (type == W_TYPE_BF16 && b->how->kern[type]->switched)
        states = w_states_of(samples, n);
    peak->all = states.full;
    peak->half = states.half;
    u32 first = 0; /* of the samples in the full state */
    while (samples[first] < states.border)
        first++;
    peak->slowest_part = w_quantile(samples + first, n - first, 0.05) / peak->all;
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

/* Run a shape; again if the state of the machine changed meanwhile. */
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
        if (W_MAX(before, after) < STATE_CHANGED * p->peak)
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

struct repetition {
    struct bench *b;
    struct w_team *team;
};

static enum w_status run_again(void *context, const struct w_step_probe *slow,
                               struct w_step_probe *again, struct w_err *err)
{
    const struct repetition *r = context;

    if (w_now_s() - r->b->began_s > r->b->how->seconds)
        return W_END;
    return run_shape(r->b, again, &slow->shape, slow->type, r->team, err);
}

/* The usual shapes: all, or a few without the narrowest, which says least about the others. */
static u32 usual_from(bool few)
{
    return few ? 1 : 0;
}

static u32 usual_end(bool few)
{
    u32 count = 0;

    while (w_shapes[count].d_model && !(few && count == usual_from(few) + OTHER_SHAPES))
        count++;
    return count;
}

/* Shapes that the caller asked for, then the usual ones: at least two, then as many as there is
 * time for. */
static enum w_status measure_some(struct bench *b, enum w_type type, struct w_team *team, bool few,
                                  struct w_err *err)
{
    const u32 from = usual_from(few), end = usual_end(few), first = b->c->probe_count;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < b->how->more_count && !status; i++, b->done++)
        status = measure_shape(b, &b->how->more[i], type, team, err);
    for (u32 i = from; i < end && !status; i++, b->done++)
        if (i < from + 2 || w_now_s() - b->began_s < b->how->seconds)
            status = measure_shape(b, &w_shapes[i], type, team, err);
    /* a unit that is switched may just be in its slow state */
    if (!status && !(type == W_TYPE_BF16 && b->how->kern[type]->switched))
        status = w_calibration_repeat(b->c->probes + first, b->c->probe_count - first, run_again,
                                      &(struct repetition){b, team}, err);
    return status;
}

static enum w_type other_type(const struct bench *b)
{
    return b->how->type == W_TYPE_F32 ? W_TYPE_BF16 : W_TYPE_F32;
}

/* The main precision with all threads, the other one, and the main one with one thread. */
static enum w_status measure_shapes(struct bench *b, struct w_err *err)
{
    const enum w_type type = b->how->type, other = other_type(b);
    enum w_status status = measure_some(b, type, b->all, false, err);

    if (!status && b->how->kern[other])
        status = measure_some(b, other, b->all, true, err);
    if (!status && b->one != b->all)
        status = measure_some(b, type, b->one, true, err);
    return status;
}

/* How many these are. */
static u32 planned_shapes(const struct bench *b)
{
    const u32 times = 1u + (b->how->kern[other_type(b)] != NULL) + (b->one != b->all);

    return times * b->how->more_count + usual_end(false) +
           (times - 1) * (usual_end(true) - usual_from(true));
}

/* ---- generation ---- */

/* Seconds of a token, one at a time, or of one of prompts as long as the model reads. */
static double time_decode(struct bench *b, struct w_infer *infer, bool prompt)
{
    const u64 length = w_infer_conf(infer)->max_length;
    const double began = w_now_s();
    double seconds[256];
    size_t n = 0;

    for (; n < W_COUNTOF(seconds) && (n < 4 || w_now_s() - began < DECODE_S); n++) {
        if (prompt || n % length == 0)
            w_infer_start(infer, 0);
        const double start = w_now_s();
        if (prompt) {
            for (u32 t = 0; t < length; t++)
                w_infer_append(infer, 0, t);
            w_infer_run(infer);
        } else {
            w_infer_next(infer, (u32)n);
        }
        seconds[n] = (w_now_s() - start) / (prompt ? (double)length : 1);
    }
    const struct w_probe p = w_probe_of(seconds + 1, n - 1);
    count(b, p.noisy);
    return p.seconds;
}

static enum w_status measure_decode(struct bench *b, const struct w_shape *shape, u64 layers,
                                    struct w_err *err)
{
    struct w_conf conf = w_shape_conf(shape, 1);
    struct w_decode_cost *cost = &b->c->decodes[b->c->decode_count];
    struct w_tensors tensors;

    conf.num_layers = layers;
    enum w_status status = w_tensors_make(&tensors, &conf, err);
    if (status)
        return status;
    float *weights = malloc(tensors.floats * sizeof *weights);
    if (!weights)
        status = w_fail(err, W_NOMEM, "no memory for weights");
    for (u64 i = 0; i < tensors.floats && weights; i++)
        weights[i] = 0.01f;
    cost->bytes = 4 * (tensors.floats - (u64)shape->max_length * shape->d_model);
    cost->layer_bytes = cost->bytes - 4 * tensors.table;
    for (u32 i = 0; i < W_DECODE_TYPES && !status; i++) {
        const enum w_type type = w_decode_types[i];
        const struct w_plan_decode how = {type, 1, shape->max_length, 1};
        const struct w_kern *kern = b->how->kern[w_decode_type(type)];
        struct w_infer *infer = NULL;
        if (!kern)
            continue;
        status = w_infer_new(&infer, &conf, weights, &how, kern, b->all, err);
        if (!status) {
            cost->seconds[i] = time_decode(b, infer, false);
            cost->prompt_s[i] = time_decode(b, infer, true);
        }
        w_infer_free(infer);
    }
    if (!status)
        b->c->decode_count++;
    free(weights);
    w_tensors_free(&tensors);
    return status;
}

struct sampling {
    struct w_sampler *sampler;
    float logits[SAMPLE_IDS];
    u64 position;
    u32 drawn;
};

static void sample_tokens(void *context, u64 times)
{
    struct sampling *d = context;

    for (u64 i = 0; i < times; i++, d->position++)
        d->drawn = w_sampler_sample(d->sampler, d->logits, NULL, 0, 0, d->position);
}

/* With wsample's defaults, from logits that spread like those of a small model. */
static enum w_status measure_sampling(struct bench *b, struct w_err *err)
{
    static const struct w_sampler_options usual = {.temperature = 0.8, .top_p = 0.95, .penalty = 1};
    struct sampling *d = calloc(1, sizeof *d);
    struct w_rng rng = {.seed = 1};
    enum w_status status =
        d ? w_sampler_new(&d->sampler, SAMPLE_IDS, NULL, &usual, b->how->kern[W_TYPE_F32], err)
          : w_fail(err, W_NOMEM, "no memory to measure sampling");

    for (u32 i = 0; i < SAMPLE_IDS && !status; i++)
        d->logits[i] = (float)(2 * w_rng_normal(&rng));
    if (!status) {
        struct w_probe p = w_probe_run(sample_tokens, d, DECODE_S);
        b->c->draw_s = p.seconds / SAMPLE_IDS;
        count(b, p.noisy);
    }
    if (d)
        w_sampler_free(d->sampler);
    free(d);
    return status;
}

static const struct {
    struct w_shape shape;
    u64 layers;
} decode_models[] = {
    {{64, 2, 256, 4096, 64, 1, 0}, 2},      {{128, 4, 512, 4096, 128, 1, 0}, 3},
    {{256, 4, 1024, 8192, 128, 1, 0}, 4},   {{512, 8, 2048, 8192, 128, 1, 0}, 6},
    {{768, 12, 3072, 16000, 128, 1, 0}, 8},
};

static enum w_status measure_decodes(struct bench *b, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < W_COUNTOF(decode_models) && !status; i++, b->done++) {
        progress(b, "generation");
        if (i < 2 || w_now_s() - b->began_s < b->how->seconds)
            status = measure_decode(b, &decode_models[i].shape, decode_models[i].layers, err);
    }
    return status ? status : measure_sampling(b, err);
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
    b.planned = CURVES + W_COUNTOF(decode_models) + planned_shapes(&b);
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
        status = measure_decodes(&b, err);
    if (!status)
        measure_disk(&b);
    if (!status)
        status = measure_shapes(&b, err);
    for (u32 type = 0; type < W_COMPUTE_TYPES && !status; type++)
        if (how->kern[type])
            settle_peak(&b, type);
    c->took_s = w_now_s() - b.began_s;
    if (b.all != b.one)
        w_team_free(b.all);
    w_team_free(b.one);
    return status;
}

enum w_state w_calibration_state(const struct w_calibration *c, const struct w_step_probe *p)
{
    const struct w_peak *peak = &c->peak[p->type];
    bool half = peak->half > 0 && p->peak > 0 && p->peak < sqrt(peak->all * peak->half);

    return half ? W_STATE_HALF : W_STATE_FULL;
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
