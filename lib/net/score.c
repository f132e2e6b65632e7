#include "net/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_PER_BATCH 4096 /* approximately */

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

u64 w_score_batch_size(u64 targets, u64 max_length)
{
    u64 windows = (targets + max_length - 1) / max_length;

    return W_MIN(windows, W_MAX(TOKENS_PER_BATCH / max_length, 1));
}

/* A batch of windows, with room for what counts say of it. */
struct windows {
    u64 rows, length, features;
    u32 *ids;
    float *lp, *nll;
    u8 *ctx;
};

static enum w_status windows_new(struct windows *w, const struct w_conf *conf, bool counts,
                                 struct w_err *err)
{
    const u64 ids = conf->batch_size * (conf->max_length + 1);

    *w = (struct windows){
        .rows = conf->batch_size, .length = conf->max_length, .features = conf->counts};
    w->ids = malloc(ids * sizeof *w->ids);
    w->nll = malloc(w->rows * w->length * sizeof *w->nll);
    w->lp = counts ? malloc(ids * sizeof *w->lp) : NULL;
    w->ctx = counts ? malloc(ids * W_MAX(w->features, 1)) : NULL;
    return w->ids && w->nll && (!counts || (w->lp && w->ctx))
               ? W_DONE
               : w_fail(err, W_NOMEM, "no memory for the scores");
}

static void windows_free(struct windows *w)
{
    free(w->ids);
    free(w->nll);
    free(w->lp);
    free(w->ctx);
}

/* Fill the windows that begin at `done`. The last one is filled up after the text: no earlier
 * position sees those ids, so any will do. */
static void fill(struct windows *w, const struct w_score_text *text, u64 done)
{
    for (u64 row = 0; row < w->rows; row++)
        for (u64 t = 0; t <= w->length; t++) {
            const u64 place = done + row * w->length + t, at = row * (w->length + 1) + t;
            const u64 from = place < text->count ? place : 0;
            w->ids[at] = text->ids[from];
            if (w->lp)
                w->lp[at] = text->lp[from];
            if (w->ctx)
                memcpy(w->ctx + at * w->features, text->ctx + from * w->features, w->features);
        }
}

static void add(struct w_score *score, const struct windows *w, const float *mixed, u64 targets)
{
    for (u64 i = 0; i < targets; i++) {
        score->nats += (double)w->nll[i];
        if (w->lp)
            score->nats_counts -=
                (double)w->lp[i / w->length * (w->length + 1) + i % w->length + 1];
        if (mixed)
            score->nats_mixed += (double)mixed[i];
    }
}

enum w_status w_score_ids(struct w_score *score, struct w_model *model, const struct w_conf *conf,
                          const struct w_score_text *text, void (*progress)(u64 done, u64 all),
                          struct w_err *err)
{
    const u64 some = conf->batch_size * conf->max_length, targets = text->count - 1;
    struct windows w;
    enum w_status status = windows_new(&w, conf, text->lp && text->ctx, err);

    for (u64 done = 0; done < targets && !status; done += some) {
        const u64 here = W_MIN(some, targets - done);
        fill(&w, text, done);
        w_model_loss(model, &(struct w_batch){.ids = w.ids, .lp = w.lp, .ctx = w.ctx}, w.nll);
        add(score, &w, w_model_mixed(model), here);
        if (progress && done + here < targets)
            progress(done + here, targets);
    }
    score->tokens += targets;
    if (!status && !isfinite(score->nats))
        status =
            w_fail(err, W_CORRUPT, "the losses of the model are not finite: its training diverged");
    windows_free(&w);
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
