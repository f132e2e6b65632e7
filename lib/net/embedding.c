/* Token and position embedding: y (M, d) = wte[id] + wpe[t], the beginning of the residual
 * stream. */
#include "net/layer.h"

#include <string.h>

enum { TOKENS, POSITIONS }; /* tensors */
enum { ORDER };             /* buffers */

static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    /* a GEMM operand too: the head is tied to it */
    w_tensors_table(tensors, layer->name, "wte.weight", conf->vocab_size, layer->out,
                    W_INIT_NORMAL);
    w_tensors_matrix(tensors, layer->name, "wpe.weight", conf->max_length, layer->out,
                     W_INIT_NORMAL, 0, false);
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    if (p->mode == W_PLAN_TRAIN)
        layer->own_at[ORDER] =
            w_plan_shared(p, "embedding.order", W_LIFE_SCRATCH, w_size_mul(p->tokens, sizeof(u32)));
}

/* ---- forward ---- */

static void embed(const struct w_layer_at *at, float *y, u64 id, u64 position)
{
    const u64 d = at->layer->out;

    memcpy(y, w_layer_weight(at, TOKENS) + id * d, d * sizeof *y);
    at->pass->engine.kern->add(y, w_layer_weight(at, POSITIONS) + position * d, d);
}

static void embed_sequence(void *context, u64 b, u32 worker)
{
    const struct w_layer_at *at = context;
    const u64 length = at->pass->conf->max_length;

    (void)worker;
    for (u64 t = 0; t < length; t++)
        embed(at, (float *)at->y + (b * length + t) * at->layer->out,
              at->pass->batch->ids[b * (length + 1) + t], t);
}

static void forward(const struct w_layer_at *at)
{
    w_team_for(at->pass->engine.team, at->pass->conf->batch_size, embed_sequence, (void *)at);
}

static void decode(const struct w_layer_at *at)
{
    const struct w_decode_row *rows = at->pass->decode->rows;

    for (u64 i = 0; i < at->pass->tokens; i++)
        embed(at, (float *)at->y + i * at->layer->out, rows[i].id, rows[i].position);
}

/* ---- backward ---- */

/* Ids are divided into groups: one thread adds to all rows of a group, in the order of the
 * tokens. */
#define GROUPS 64

struct job {
    const struct w_layer_at *at;
    const u32 *order;      /* (M): tokens, group by group, each in their own order */
    u32 begin[GROUPS + 1]; /* of each group in `order` */
};

static u64 input_of(const struct w_pass *pass, u64 token)
{
    const u64 length = pass->conf->max_length;
    return pass->batch->ids[token / length * (length + 1) + token % length];
}

/* Counting sort. */
static void sort_tokens(struct job *job, u32 *order)
{
    const struct w_pass *pass = job->at->pass;
    u32 next[GROUPS] = {0};

    for (u64 i = 0; i < pass->tokens; i++)
        next[input_of(pass, i) % GROUPS]++;
    job->begin[0] = 0;
    for (u32 g = 0; g < GROUPS; g++) {
        job->begin[g + 1] = job->begin[g] + next[g];
        next[g] = job->begin[g];
    }
    for (u64 i = 0; i < pass->tokens; i++)
        order[next[input_of(pass, i) % GROUPS]++] = (u32)i;
    job->order = order;
}

static void backward_group(void *context, u64 group, u32 worker)
{
    const struct job *job = context;
    const struct w_pass *pass = job->at->pass;
    const u64 d = job->at->layer->out;
    float *d_tokens = w_layer_gradient(job->at, TOKENS);

    (void)worker;
    for (u32 i = job->begin[group]; i < job->begin[group + 1]; i++)
        pass->engine.kern->add(d_tokens + input_of(pass, job->order[i]) * d,
                               pass->d_residual + job->order[i] * d, d);
}

static void backward_position(void *context, u64 t, u32 worker)
{
    const struct w_layer_at *at = context;
    const struct w_pass *pass = at->pass;
    const u64 d = at->layer->out;

    (void)worker;
    for (u64 b = 0; b < pass->conf->batch_size; b++)
        pass->engine.kern->add(w_layer_gradient(at, POSITIONS) + t * d,
                               pass->d_residual + (b * pass->conf->max_length + t) * d, d);
}

static void backward(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    struct w_team *team = pass->engine.team;
    struct job job = {.at = at};

    sort_tokens(&job, at->own[ORDER]);
    w_team_for(team, GROUPS, backward_group, &job);
    for (u64 i = 0; pass->lazy && i < pass->tokens; i++)
        w_id_set_add(&pass->lazy->used, input_of(pass, i));
    w_team_for(team, at->pass->conf->max_length, backward_position, (void *)at);
}

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double numbers = w_work_rows(conf) * (double)layer->out;

    (void)type; /* it is always in fp32 */
    *forward =
        (struct w_work){.flops = numbers, .bytes = 12 * numbers, .units = (double)layer->out};
    *backward = (struct w_work){.flops = numbers, .bytes = 12 * numbers};
}

const struct w_layer_kind w_layer_embedding = {
    .name = "embedding",
    .forward_phase = W_PHASE_EMBEDDING,
    .backward_phase = W_PHASE_EMBEDDING,
    .tensors = tensors,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .decode = decode,
    .work = work,
};
