/* Muon (Jordan and others, 2024), for the matrices between hidden layers, q, k and v apart. With m
 * the momentum of g in the form of Nesterov:
 *
 *      m = beta m + g,   o = orthogonal(beta m + g),
 *      w -= lr sqrt(max(1, rows / cols)) o + lr decay w
 *
 * where lr follows the schedule of learning_rate with a peak of its own, muon_learning_rate. The
 * factor of a matrix that is higher than wide keeps the change of its outputs alike (Bernstein,
 * "Deriving Muon", 2025). o does not depend on the scale of g; clipping scales g all the same, so
 * that in m one wild batch does not outweigh the others. */
#include <math.h>

#include "net/optim.h"
#include "net/orthogonal.h"

/* Where the largest matrix has up to so many elements, each is orthogonalised by one thread,
 * several at a time: the products are too small for a team. */
#define ALONE_ELEMENTS ((u64)1 << 20)

static void begin(struct w_optimizer_step *step, const struct w_conf *conf, u64 t,
                  double learning_rate, double grad_scale)
{
    const double rate = learning_rate / conf->learning_rate * conf->muon_learning_rate;

    (void)t;
    step->muon.grad_scale = (float)grad_scale;
    step->muon.momentum = (float)conf->muon_momentum;
    step->muon.learning_rate = (float)rate;
    step->muon.decay_factor = (float)(1 - rate * conf->weight_decay);
}

static void update(const struct w_optimizer_step *step, const struct w_kern *kern,
                   const struct w_tensor *t, float *weights, float *gradients,
                   float *const states[W_RULE_STATES], u64 n)
{
    const double rows = (double)t->shape[0] / t->parts, cols = (double)t->shape[1];

    (void)states;
    kern->descend(weights, gradients, step->muon.decay_factor,
                  step->muon.learning_rate * (float)sqrt(fmax(1, rows / cols)), n);
}

/* ---- before the update: gradients become orthogonal ---- */

static u64 largest_of(const struct w_tensors *tensors)
{
    u64 largest = 0;

    for (u32 i = 0; i < tensors->count; i++) {
        const struct w_tensor *t = &tensors->rows[i];
        if (t->parts > 0)
            largest = W_MAX(largest, t->count / t->parts);
    }
    return largest;
}

static u32 matrices_of(const struct w_tensors *tensors)
{
    u32 matrices = 0;

    for (u32 i = 0; i < tensors->count; i++)
        matrices += tensors->rows[i].parts;
    return matrices;
}

/* Scratch of one matrix, whichever. */
static u64 matrix_bytes(const struct w_tensors *tensors, enum w_type type)
{
    u64 bytes = 0;

    for (u32 i = 0; i < tensors->count; i++) {
        const struct w_tensor *t = &tensors->rows[i];
        if (t->parts > 0)
            bytes = W_MAX(bytes, w_orthogonal_bytes(t->shape[0] / t->parts, t->shape[1], type));
    }
    return w_size_padded(bytes);
}

static u64 scratch_bytes(const struct w_tensors *tensors, enum w_type type, u32 threads)
{
    const bool alone = largest_of(tensors) <= ALONE_ELEMENTS;
    const u32 at_a_time = alone ? W_MIN(threads, matrices_of(tensors)) : 1;

    return w_size_mul(at_a_time, matrix_bytes(tensors, type));
}

#define BLOCK_FLOATS 16384

/* One matrix, and who works on it. */
struct matrix {
    struct w_engine engine; /* without a team: the caller alone */
    const struct w_optimizer_step *step;
    float *gradient, *momentum;
    u64 rows, cols;
};

static void gather_block(void *context, u64 item, u32 worker)
{
    const struct matrix *m = context;
    const u64 begin = item * BLOCK_FLOATS, n = W_MIN(BLOCK_FLOATS, m->rows * m->cols - begin);

    (void)worker;
    m->engine.kern->momentum(m->momentum + begin, m->gradient + begin, m->step->muon.momentum,
                             m->step->muon.grad_scale, n);
}

static void prepare_matrix(struct matrix *m, void *scratch)
{
    const u64 blocks = w_ceil_div(m->rows * m->cols, BLOCK_FLOATS);

    w_team_for(m->engine.team, blocks, gather_block, m);
    w_orthogonalise(&m->engine, scratch, m->gradient, m->rows, m->cols);
}

struct job {
    const struct w_engine *engine;
    const struct w_update *u;
    u64 matrix_bytes;
    u32 matrices;
    bool alone;
};

/* Matrix number `item`, for the worker alone or for the whole team. */
static void prepare_item(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const struct w_update *u = job->u;
    const struct w_tensor *t = u->tensors->rows;
    /* scratch of the worker, or of the matrix, whichever are fewer */
    const u64 set = !job->alone                                       ? 0
                    : w_team_size(job->engine->team) <= job->matrices ? worker
                                                                      : item;

    for (; item >= t->parts; t++)
        item -= t->parts;
    const u64 count = t->count / t->parts, at = item * count;
    if (!w_update_takes(u, t, at))
        return;
    struct matrix m = {.engine = *job->engine,
                       .step = &u->step,
                       .gradient = u->gradients + t->offset + at,
                       .momentum = w_update_state(u, t, 0) + at,
                       .rows = t->shape[0] / t->parts,
                       .cols = t->shape[1]};
    if (job->alone) {
        m.engine.team = NULL;
        m.engine.scratch = w_engine_scratch(job->engine, worker);
    }
    prepare_matrix(&m, (u8 *)u->scratch + set * job->matrix_bytes);
}

static void prepare(const struct w_engine *engine, const struct w_update *update)
{
    struct job job = {.engine = engine,
                      .u = update,
                      .matrix_bytes = matrix_bytes(update->tensors, engine->type),
                      .matrices = matrices_of(update->tensors),
                      .alone = largest_of(update->tensors) <= ALONE_ELEMENTS};

    if (job.alone)
        w_team_for(engine->team, job.matrices, prepare_item, &job);
    for (u32 i = 0; !job.alone && i < job.matrices; i++)
        prepare_item(&job, i, 0);
}

static double prepare_flops(const struct w_tensor *t)
{
    const double rows = (double)t->shape[0] / t->parts;

    return t->parts * w_orthogonal_flops(rows, (double)t->shape[1]);
}

const struct w_rule w_rule_muon = {
    .states = {"muon.m"},
    .flops = 3,
    .bytes = 20,
    .begin = begin,
    .update = update,
    .scratch_bytes = scratch_bytes,
    .prepare = prepare,
    .prepare_flops = prepare_flops,
    .prepare_bytes = 20,
};
