/* The output head and its cross-entropy: logits = x weight^T, nll = log(sum(exp(logits))) - logit
 * of the target. A chunk of tokens goes through forward and backward before the next one starts, so
 * that only a chunk of logits (chunk, V) ever exists. The cost is 2 M V d FLOPs forward, 4 M V d
 * backward.
 *
 * In bf16, not even that exists in fp32: in the epilogue, segments of a row, W_EPILOGUE_COLS logits
 * wide, become exponentials while they are in the cache, and are stored in bf16, with the base
 * (kern.h) and the sum of each segment in fp32. The loss comes from these and from the target's
 * logit, which the epilogue saves. The gradient of a row of logits is
 *
 *      factor * (exponentials - their sum at the target),     factor = scale / their sum.
 *
 * To multiply the largest matrix by the factor would take another pass over it; instead the factor
 * goes into the small matrices, the rows of dx, and those of x for the gradient of the weight. */
#include "net/head.h"

#include <math.h>

#include "net/linear.h"

#define ROWS 4 /* tokens per item: a row of logits is long */

struct job {
    const struct w_engine *engine;
    const struct w_head *head;
    void *x;
    const u32 *ids;
    u64 first, rows; /* the chunk */
    float scale;
    bool backward;
};

/* The column of a row's target. */
static u32 target_of(const struct job *job, u64 row)
{
    const u64 length = job->head->length;
    const u32 id = job->ids[row / length * (length + 1) + row % length + 1];
    return job->head->columns ? job->head->columns[id] : id;
}

/* The logit of a row's target, at its place among the row's: the GEMM has added the correction to
 * it, as to all of its column. */
static float own_logit(const struct job *job, u32 target, float *logit)
{
    if (job->head->correction)
        *logit -= job->head->correction[target];
    return *logit;
}

/* ---- logits in fp32 ---- */

/* The loss of each row; then, in place, logits become scale * (softmax - one at the target). */
static void loss_rows(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const struct w_head *head = job->head;
    const struct w_kern *kern = job->engine->kern;
    u64 end = W_MIN((item + 1) * ROWS, job->rows);

    (void)worker;
    for (u64 i = item * ROWS; i < end; i++) {
        float *logits = (float *)head->logits + i * w_head_stride(head->vocab), base, sum;
        u32 target = target_of(job, job->first + i);
        float hit = own_logit(job, target, &logits[target]);
        kern->exp_sum(logits, &base, &sum, head->vocab);
        head->nll[job->first + i] = (float)(log((double)sum) - (double)(hit - base));
        if (job->backward) {
            kern->scale(logits, job->scale / sum, head->vocab);
            logits[target] -= job->scale;
        }
    }
}

/* ---- logits in bf16 ---- */

/* Of the exponentials of a segment of a row. */
struct segment_sum {
    float base, sum;
};

static struct segment_sum *sums_of(const struct w_head *head, u64 row)
{
    return (struct segment_sum *)(void *)head->sums + row * (head->vocab / W_EPILOGUE_COLS + 1);
}

/* Epilogue: a block of a chunk's logits, one segment wide. */
static void exp_block(void *context, const struct w_result_block *p)
{
    const struct job *job = context;
    const struct w_head *head = job->head;
    const struct w_kern *kern = job->engine->kern;

    for (u64 i = 0; i < p->rows; i++) {
        const u64 row = p->row + i;
        const u32 target = target_of(job, job->first + row);
        float *logits = p->c + i * p->c_row;
        w_bf16 *kept = (w_bf16 *)head->logits + row * w_head_stride(head->vocab) + p->col;
        struct segment_sum *sum = sums_of(head, row) + p->col / W_EPILOGUE_COLS;
        if (target >= p->col && target < p->col + p->cols)
            head->nll[job->first + row] = own_logit(job, target, &logits[target - p->col]);
        w_prefetch_next(kept);
        kern->exp_sum_bf16(kept, logits, &sum->base, &sum->sum, p->cols);
    }
}

/* Factor that turns exponentials with one base into those with another. Nearly all segments have
 * the base 0. */
static float rebase(float from, float to)
{
    return from == to ? 1 : expf(from - to);
}

/* Exponentials become the gradient without the factor: all get the same base, and total is
 * subtracted at the target, by expm1, since the difference of the two would cancel. x is multiplied
 * by the factor. */
static void gradient_row(const struct job *job, u64 row, float base, double total)
{
    const struct w_head *head = job->head;
    const struct w_kern *kern = job->engine->kern;
    const struct segment_sum *sums = sums_of(head, row);
    const double nll = (double)head->nll[job->first + row];
    w_bf16 *kept = (w_bf16 *)head->logits + row * w_head_stride(head->vocab);

    for (u64 col = 0; col < head->vocab; col += W_EPILOGUE_COLS, sums++)
        if (sums->base != base)
            kern->scale_bf16(kept + col, rebase(sums->base, base),
                             W_MIN(W_EPILOGUE_COLS, head->vocab - col));
    kept[target_of(job, job->first + row)] = w_bf16_of((float)(total * expm1(-nll)));
    head->factors[row] = (float)((double)job->scale / total);
    kern->scale_bf16((w_bf16 *)job->x + (job->first + row) * head->d, head->factors[row], head->d);
}

static void loss_rows_bf16(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const struct w_head *head = job->head;
    const u64 end = W_MIN((item + 1) * ROWS, job->rows);
    const u64 segments = w_ceil_div(head->vocab, W_EPILOGUE_COLS);

    (void)worker;
    for (u64 i = item * ROWS; i < end; i++) {
        const struct segment_sum *sums = sums_of(head, i);
        float *nll = &head->nll[job->first + i], base = sums[0].base;
        double total = 0;
        for (u64 s = 1; s < segments; s++)
            base = W_MAX(base, sums[s].base);
        for (u64 s = 0; s < segments; s++)
            total += (double)sums[s].sum * (double)rebase(sums[s].base, base);
        *nll = (float)(log(total) - (double)(*nll - base));
        if (job->backward)
            gradient_row(job, i, base, total);
    }
}

static void multiply_factors(void *context, const struct w_result_block *p)
{
    const struct job *job = context;
    for (u64 i = 0; i < p->rows; i++)
        job->engine->kern->scale(p->c + i * p->c_row, job->head->factors[p->row + i], p->cols);
}

/* ---- GEMMs ---- */

/* Logits of a chunk: in fp32 to memory, in bf16 to the epilogue. */
static struct w_gemm logits_gemm(struct job *job)
{
    const struct w_head *head = job->head;
    struct w_gemm g = {
        .type = job->engine->type,
        .m = job->rows,
        .n = head->vocab,
        .k = head->d,
        .a = w_at(job->x, job->engine->type, job->first * head->d),
        .a_row = head->d,
        .a_col = 1,
        .b = head->weight,
        .b_row = 1,
        .b_col = head->d,
        .packed = head->panels,
        .add = head->correction,
    };

    if (g.type == W_TYPE_F32) {
        g.c = head->logits;
        g.c_row = w_head_stride(head->vocab);
    } else {
        g.epilogue = exp_block;
        g.context = job;
    }
    return g;
}

static struct w_gemm input_gemm(struct job *job, float *dx)
{
    const struct w_head *head = job->head;
    return (struct w_gemm){
        .type = job->engine->type,
        .m = job->rows,
        .n = head->d,
        .k = head->vocab,
        .a = head->logits,
        .a_row = w_head_stride(head->vocab),
        .a_col = 1,
        .b = head->weight,
        .b_row = head->d,
        .b_col = 1,
        .packed = head->panels_back,
        .c = dx + job->first * head->d,
        .c_row = head->d,
        .epilogue = job->engine->type == W_TYPE_BF16 ? multiply_factors : NULL,
        .context = job,
    };
}

static struct w_gemm weight_gemm(const struct job *job)
{
    const struct w_head *head = job->head;
    return (struct w_gemm){
        .type = job->engine->type,
        .m = head->vocab,
        .n = head->d,
        .k = job->rows,
        .a = head->logits,
        .a_row = 1,
        .a_col = w_head_stride(head->vocab),
        .b = w_at(job->x, job->engine->type, job->first * head->d),
        .b_row = head->d,
        .b_col = 1,
        .add = head->fresh && job->first == 0 ? NULL : head->d_weight,
        .add_row = head->d,
        .c = head->d_weight,
        .c_row = head->d,
    };
}

/* All chunks use the same panels of the weight. */
static void pack_panels(struct job *job)
{
    struct w_gemm g = logits_gemm(job);

    w_gemm_pack(job->engine, job->head->panels, &g);
    if (job->backward) {
        g = input_gemm(job, NULL);
        w_gemm_pack(job->engine, job->head->panels_back, &g);
    }
}

static void run(struct job *job, float *dx)
{
    const struct w_head *head = job->head;
    const u64 tokens = head->batch * head->length;
    struct w_gemm g;

    if (!head->packed)
        pack_panels(job);
    for (job->first = 0; job->first < tokens; job->first += job->rows) {
        job->rows = W_MIN(tokens - job->first, head->chunk);
        g = logits_gemm(job);
        w_gemm(job->engine, &g);
        w_team_for(job->engine->team, w_ceil_div(job->rows, ROWS),
                   job->engine->type == W_TYPE_BF16 ? loss_rows_bf16 : loss_rows, job);
        if (!job->backward)
            continue;
        g = input_gemm(job, dx);
        w_gemm(job->engine, &g);
        g = weight_gemm(job);
        w_gemm(job->engine, &g);
    }
}

void w_head_forward(const struct w_engine *engine, const struct w_head *head, void *x,
                    const u32 *ids)
{
    struct job job = {.engine = engine, .head = head, .x = x, .ids = ids};
    run(&job, NULL);
}

void w_head_forward_backward(const struct w_engine *engine, const struct w_head *head, float *dx,
                             void *x, const u32 *ids, float scale)
{
    struct job job = {
        .engine = engine, .head = head, .x = x, .ids = ids, .scale = scale, .backward = true};
    run(&job, dx);
}
