#include "net/score.h"

#include <math.h>
#include <stdlib.h>

void w_score_count(struct w_score *score, const char *text, size_t size)
{
    bool inside = false;

    score->bytes += size;
    for (size_t i = 0; i < size; i++) {
        bool space = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
        score->words += !space && !inside;
        score->lines += text[i] == '\n';
        inside = !space;
    }
}

struct w_plan_decode w_score_how(enum w_type weights, u64 max_length)
{
    return (struct w_plan_decode){.weights = weights,
                                  .slots = W_MAX(W_INFER_ROWS / max_length, 1),
                                  .rows = W_INFER_ROWS,
                                  .logits = W_INFER_ROWS};
}

/* Targets of a pass that begins with target `first`: as many as there is room for, in as many
 * windows as there are slots. */
static u64 targets_of_pass(const struct w_infer *m, u64 first, u64 targets)
{
    const struct w_plan_decode *how = w_infer_how(m);
    const u64 length = w_infer_conf(m)->max_length;
    const u64 windows = length - first % length + (how->slots - 1) * length;

    return W_MIN(W_MIN(W_MIN(how->logits, how->rows), windows), targets - first);
}

/* Targets [first, first + count): the token before each is a row of the pass. */
static void score_pass(struct w_score *score, struct w_infer *m, const struct w_score_text *text,
                       u64 first, u64 count, double *losses)
{
    const struct w_conf *conf = w_infer_conf(m);
    const u64 slots = w_infer_how(m)->slots;

    for (u64 i = first; i < first + count; i++) {
        const u32 slot = (u32)(i / conf->max_length % slots);
        if (i % conf->max_length == 0)
            w_infer_start(m, slot);
        w_infer_want(m, slot, text->ids[i]);
    }
    w_infer_run(m);
    w_infer_losses(m, text->ids + first + 1, losses);
    for (u64 i = 0; i < count; i++) {
        const u64 target = first + 1 + i;
        score->nats += losses[i];
        if (!text->lp || !text->ctx)
            continue;
        const double g = w_infer_gate(m, i, text->ctx + target * conf->counts);
        const double lp = (double)text->lp[target];
        score->nats_counts -= lp;
        if (conf->counts)
            score->nats_mixed -= log((1 - g) * exp(-losses[i]) + g * exp(lp));
    }
}

enum w_status w_score_ids(struct w_score *score, struct w_infer *m, const struct w_score_text *text,
                          void (*progress)(u64 done, u64 all), struct w_err *err)
{
    const u64 targets = text->count - 1;
    double *losses = malloc(w_infer_how(m)->logits * sizeof *losses);
    enum w_status status = losses ? W_DONE : w_fail(err, W_NOMEM, "no memory for the scores");

    for (u64 done = 0, count; done < targets && !status; done += count) {
        count = targets_of_pass(m, done, targets);
        score_pass(score, m, text, done, count, losses);
        if (progress && done + count < targets)
            progress(done + count, targets);
    }
    score->tokens += targets;
    if (!status && !isfinite(score->nats))
        status =
            w_fail(err, W_CORRUPT, "the losses of the model are not finite: its training diverged");
    free(losses);
    return status;
}

double w_score_bits(const struct w_score *score)
{
    return score->nats / M_LN2;
}

double w_score_bits_per_byte(const struct w_score *score)
{
    return score->bytes ? w_score_bits(score) / (double)score->bytes : 0;
}

double w_score_perplexity(const struct w_score *score, u64 units)
{
    return units ? exp(score->nats / (double)units) : NAN;
}
