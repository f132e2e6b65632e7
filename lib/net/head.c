/* The output head and its cross-entropy: logits = x weight^T, nll = log(sum(exp(logits))) -
 * logit of the target. A chunk of tokens goes through forward and backward before the next one
 * starts, so that a chunk of logits is all that ever exists. */
#include "net/layers.h"

#include <math.h>

#define ROWS 4 /* tokens per item: a row of logits is long */

struct job {
    const struct w_engine *engine;
    const struct w_head *head;
    const u32 *ids;
    u64 first, rows; /* the chunk */
    float scale;
    bool backward;
};

static u32 target_of(const struct job *job, u64 row)
{
    u64 length = job->head->length;
    return job->ids[row / length * (length + 1) + row % length + 1];
}

/* The loss of each row; then, in place, logits become scale * (softmax - one at the target). */
static void loss_rows(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const struct w_head *head = job->head;
    const struct w_kern *kern = job->engine->kern;
    u64 end = W_MIN((item + 1) * ROWS, job->rows);

    (void)member;
    for (u64 i = item * ROWS; i < end; i++) {
        float *logits = head->logits + i * head->vocab, max, sum;
        u32 target = target_of(job, job->first + i);
        float hit = logits[target];
        kern->exp_sum(logits, &max, &sum, head->vocab);
        head->nll[job->first + i] = logf(sum) - (hit - max);
        if (job->backward) {
            kern->scale(logits, job->scale / sum, head->vocab);
            logits[target] -= job->scale;
        }
    }
}

static struct w_gemm logits_product(const struct w_head *head, const float *x, u64 first, u64 rows)
{
    return (struct w_gemm){
        .m = rows,
        .n = head->vocab,
        .k = head->d,
        .a = x + first * head->d,
        .a_row = head->d,
        .a_col = 1,
        .b = head->weight,
        .b_row = 1,
        .b_col = head->d,
        .packed = head->panels,
        .c = head->logits,
        .c_row = head->vocab,
    };
}

static struct w_gemm input_product(const struct w_head *head, float *dx, u64 first, u64 rows)
{
    return (struct w_gemm){
        .m = rows,
        .n = head->d,
        .k = head->vocab,
        .a = head->logits,
        .a_row = head->vocab,
        .a_col = 1,
        .b = head->weight,
        .b_row = head->d,
        .b_col = 1,
        .packed = head->panels_back,
        .c = dx + first * head->d,
        .c_row = head->d,
    };
}

static struct w_gemm weight_product(const struct w_head *head, const float *x, u64 first, u64 rows)
{
    return (struct w_gemm){
        .m = head->vocab,
        .n = head->d,
        .k = rows,
        .a = head->logits,
        .a_row = 1,
        .a_col = head->vocab,
        .b = x + first * head->d,
        .b_row = head->d,
        .b_col = 1,
        .add = head->d_weight,
        .add_row = head->d,
        .c = head->d_weight,
        .c_row = head->d,
    };
}

static void run(struct job *job, float *dx, const float *x)
{
    const struct w_head *head = job->head;
    const u64 tokens = head->batch * head->length;
    struct w_gemm g = logits_product(head, x, 0, 0);

    w_gemm_pack(job->engine, head->panels, &g);
    if (job->backward) {
        g = input_product(head, dx, 0, 0);
        w_gemm_pack(job->engine, head->panels_back, &g);
    }
    for (job->first = 0; job->first < tokens; job->first += job->rows) {
        job->rows = W_MIN(tokens - job->first, head->chunk);
        g = logits_product(head, x, job->first, job->rows);
        w_gemm(job->engine, &g);
        w_team_for(job->engine->team, (job->rows + ROWS - 1) / ROWS, loss_rows, job);
        if (!job->backward)
            continue;
        g = input_product(head, dx, job->first, job->rows);
        w_gemm(job->engine, &g);
        g = weight_product(head, x, job->first, job->rows);
        w_gemm(job->engine, &g);
    }
}

void w_head_forward(const struct w_engine *engine, const struct w_head *head, const float *x,
                    const u32 *ids)
{
    struct job job = {.engine = engine, .head = head, .ids = ids};
    run(&job, NULL, x);
}

void w_head_forward_backward(const struct w_engine *engine, const struct w_head *head, float *dx,
                             const float *x, const u32 *ids, float scale)
{
    struct job job = {.engine = engine, .head = head, .ids = ids, .scale = scale, .backward = true};
    run(&job, dx, x);
}
