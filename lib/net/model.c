#include "net/model_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sys/machine.h"
#include "sys/pages.h"

#define HUGE_PAGE (2u << 20)

/* Streams of random numbers are told apart by a number per use. */
#define INIT_STREAM 0x696e6974 /* "init" */

static enum w_status map_block(struct w_model *m, struct w_err *err)
{
    void *block = w_pages_new(m->plan.bytes);
    if (!block)
        return w_fail(err, W_NOMEM,
                      "no memory for the %llu bytes of this configuration; a smaller batch_size or "
                      "max_length needs less",
                      (unsigned long long)m->plan.bytes);
    m->block = block;
    m->block_bytes = m->plan.bytes;
    for (u32 id = 0; id < m->plan.count; id++)
        if (m->plan.buffers[id].bytes)
            m->buffers[id] = (float *)(void *)(m->block + m->plan.buffers[id].offset);
    return W_DONE;
}

/* Every page is touched by the team before the first step, so that the step itself never waits for
 * the system to clear pages, and memory that is not there shows now. */
static void touch_stretch(void *context, u64 item, u32 member)
{
    const struct w_model *m = context;
    u64 begin = item * HUGE_PAGE, end = W_MIN(begin + HUGE_PAGE, m->block_bytes);

    (void)member;
    memset(m->block + begin, 0, end - begin);
}

enum w_status w_model_new(struct w_model **out, const struct w_conf *conf, enum w_plan_mode mode,
                          enum w_type type, const struct w_kern *kern, struct w_team *team,
                          struct w_err *err)
{
    static const char *const names[W_PART_COUNT] = {
        "embedding",          "norm", "linear", "linear backward", "attention",
        "attention backward", "head", "update",
    };
    struct w_model *m = calloc(1, sizeof *m);
    struct w_machine machine;
    enum w_status status;

    *out = NULL;
    if (!m)
        return w_fail(err, W_NOMEM, "no memory for a model");
    m->conf = *conf;
    m->keeps_layers = mode == W_PLAN_TRAIN;
    status = w_tensors_make(&m->tensors, conf, err);
    if (!status)
        status = w_plan_make(&m->plan, conf, mode, type, w_team_size(team), err);
    if (!status)
        status = map_block(m, err);
    if (status) {
        w_model_free(m);
        return status;
    }
    w_machine_read(&machine, "");
    m->engine = (struct w_engine){
        .kern = kern,
        .type = type,
        .blocks = {w_blocks_choose(kern, W_TYPE_F32, machine.l1d.bytes, machine.l2.bytes),
                   w_blocks_choose(kern, W_TYPE_BF16, machine.l1d.bytes, machine.l2.bytes)},
        .team = team,
        .shared = m->buffers[W_BUF_SHARED],
        .shared_floats = m->plan.buffers[W_BUF_SHARED].bytes / sizeof(float),
        .member = m->buffers[W_BUF_MEMBERS],
        .member_floats = m->plan.member_bytes / sizeof(float),
    };
    for (u32 i = 0; i < W_PART_COUNT; i++)
        m->times[i].name = names[i];
    w_team_for(team, (m->block_bytes + HUGE_PAGE - 1) / HUGE_PAGE, touch_stretch, m);
    *out = m;
    return W_DONE;
}

void w_model_free(struct w_model *m)
{
    if (!m)
        return;
    w_pages_free(m->block, m->block_bytes);
    w_tensors_free(&m->tensors);
    free(m);
}

u64 w_model_bytes(const struct w_model *m)
{
    return m->block_bytes;
}

const struct w_tensors *w_model_tensors(const struct w_model *m)
{
    return &m->tensors;
}

const struct w_engine *w_model_engine(const struct w_model *m)
{
    return &m->engine;
}

float *w_model_weights(struct w_model *m)
{
    m->stale = true;
    return m->buffers[W_BUF_WEIGHTS];
}

float *w_model_gradients(struct w_model *m)
{
    return m->buffers[W_BUF_GRADIENTS];
}

float *w_model_moments1(struct w_model *m)
{
    return m->buffers[W_BUF_MOMENTS1];
}

float *w_model_moments2(struct w_model *m)
{
    return m->buffers[W_BUF_MOMENTS2];
}

void w_model_init(struct w_model *m)
{
    const double std = m->conf.init_std;
    const double residual_std = std / sqrt(2 * (double)m->conf.num_layers);

    for (u32 i = 0; i < m->tensors.count; i++) {
        const struct w_tensor *t = &m->tensors.rows[i];
        float *w = w_model_weights(m) + t->offset;
        struct w_rng rng = {.seed = m->conf.seed, .stream = (u64)INIT_STREAM << 32 | i};
        for (u64 j = 0; j < t->count; j++)
            switch (t->init) {
            case W_INIT_ZERO: w[j] = 0; break;
            case W_INIT_ONE: w[j] = 1; break;
            case W_INIT_NORMAL: w[j] = (float)(std * w_rng_normal(&rng)); break;
            case W_INIT_RESIDUAL: w[j] = (float)(residual_std * w_rng_normal(&rng)); break;
            }
    }
}

double w_model_flops_per_token(const struct w_conf *conf)
{
    double d = (double)conf->d_model, layers = (double)conf->num_layers;
    double d_ff = (double)conf->d_ff, vocab = (double)conf->vocab_size;
    double positions = (double)conf->max_length;
    /* Per layer 4 d^2 + 2 d d_ff weights, and scores and sums over (T + 1) / 2 keys on average; the
     * head; a multiply-add is 2; backward takes twice the forward. */
    double forward = layers * (8 * d * d + 4 * d * d_ff + 2 * (positions + 1) * d) + 2 * d * vocab;
    return 3 * forward;
}

u32 w_model_times(const struct w_model *m, const struct w_part_time **times)
{
    *times = m->times;
    return W_PART_COUNT;
}

void w_model_times_reset(struct w_model *m)
{
    for (u32 i = 0; i < W_PART_COUNT; i++)
        m->times[i].seconds = 0;
}
