/* A span is as large as a message may be, so that an owner adds up one while the next is on its
 * way; and so small that the ranks can have equally much of each rule. */
#include "net/deal.h"

#include <stdlib.h>

#include "net/gradient_tree.h"
#include "net/optim.h"

#define SPANS_OF_A_RANK 8 /* about; all ranks together have no more than SPANS */
#define SPANS 2048

/* What the rule of a tensor does with it as a whole before the update; 0: nothing. */
static double whole_flops(const struct w_tensors *tensors, const struct w_tensor *t)
{
    const struct w_rule *rule = tensors->optimizer->rules[t->rule];
    return rule->prepare ? rule->prepare_flops(t) : 0;
}

static u64 rows_of_span(const struct w_tensors *tensors, const struct w_tensor *t, u32 ranks)
{
    const u64 width = t->count / w_tensor_rows(t);
    const u64 floats = W_MIN(w_gradient_piece(tensors->floats, tensors->floats, 0),
                             tensors->floats / W_MIN(SPANS_OF_A_RANK * ranks, SPANS));

    return whole_flops(tensors, t) > 0 ? w_tensor_rows(t)
                                       : W_MAX(floats / width / W_STRIPE_ROWS, 1) * W_STRIPE_ROWS;
}

/* Cut the tensors into spans; without memory for them, count them. */
static u64 cut(const struct w_tensors *tensors, u32 ranks, struct w_deal_span *spans)
{
    u64 count = 0;

    for (const struct w_tensor *t = tensors->rows + tensors->count; t-- > tensors->rows;) {
        const u64 rows = w_tensor_rows(t), width = t->count / rows;
        const u64 each = rows_of_span(tensors, t, ranks);
        for (u64 i = w_ceil_div(rows, each); i-- > 0; count++)
            if (spans)
                spans[count] = (struct w_deal_span){.tensor = t,
                                                    .begin = i * each * width,
                                                    .end = W_MIN((i + 1) * each, rows) * width,
                                                    .owner = W_DEAL_ALL};
    }
    return count;
}

/* What a span costs its owner, beside others of the same rule. */
static double cost_of(const struct w_tensors *tensors, const struct w_deal_span *span)
{
    const double flops = whole_flops(tensors, span->tensor);
    return flops > 0 ? flops : (double)(span->end - span->begin);
}

/* The most costly span that has no owner yet, or NULL. */
static struct w_deal_span *next_span(const struct w_deal *deal, const struct w_tensors *tensors,
                                     const struct w_tensor *for_all)
{
    struct w_deal_span *next = NULL;

    for (struct w_deal_span *s = deal->spans; s < deal->spans + deal->count; s++)
        if (s->owner == W_DEAL_ALL && s->tensor != for_all &&
            (!next || cost_of(tensors, s) > cost_of(tensors, next)))
            next = s;
    return next;
}

/* The largest first, each to the rank that has least of its rule (Graham, 1969). loads (rules,
 * ranks): zeros. */
static void give(const struct w_deal *deal, const struct w_tensors *tensors,
                 const struct w_tensor *for_all, double *loads, u32 ranks)
{
    struct w_deal_span *span;

    while ((span = next_span(deal, tensors, for_all))) {
        double *load = loads + span->tensor->rule * ranks;
        span->owner = 0;
        for (u32 r = 1; r < ranks; r++)
            if (load[r] < load[span->owner])
                span->owner = r;
        load[span->owner] += cost_of(tensors, span);
    }
}

enum w_status w_deal_make(struct w_deal *deal, const struct w_tensors *tensors,
                          const struct w_lazy_rows *lazy, u32 rank, u32 ranks, struct w_err *err)
{
    const u64 count = cut(tensors, ranks, NULL);
    double *loads = NULL;

    *deal = (struct w_deal){.rank = rank};
    if (count > W_DEAL_SPANS)
        return W_DONE;
    loads = calloc((size_t)W_OPTIMIZER_RULES * ranks, sizeof *loads);
    deal->spans = calloc(count, sizeof *deal->spans);
    if (loads && deal->spans) {
        deal->count = (u32)cut(tensors, ranks, deal->spans);
        give(deal, tensors, lazy ? lazy->tensor : NULL, loads, ranks);
    }
    free(loads);
    return deal->count > 0 ? W_DONE : w_fail(err, W_NOMEM, "no memory to deal out the update");
}

void w_deal_free(struct w_deal *deal)
{
    free(deal->spans);
    *deal = (struct w_deal){0};
}

u32 w_deal_owner(const struct w_deal *deal, u64 offset)
{
    u32 first = 0, last = deal->count - 1; /* it is one of these */

    while (first < last) {
        const u32 middle = first + (last - first) / 2;
        const struct w_deal_span *span = &deal->spans[middle];
        if (span->tensor->offset + span->begin <= offset)
            last = middle;
        else
            first = middle + 1;
    }
    return deal->spans[first].owner;
}
