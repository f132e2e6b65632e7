#include "net/score.h"

#include <math.h>
#include <stdlib.h>

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

enum w_status w_score_ids(struct w_score *score, struct w_model *model, const struct w_conf *conf,
                          const u32 *text, u64 count, void (*progress)(u64 done, u64 all),
                          struct w_err *err)
{
    u64 length = conf->max_length, rows = conf->batch_size, targets = count - 1;
    u32 *ids = malloc(rows * (length + 1) * sizeof *ids);
    float *nll = malloc(rows * length * sizeof *nll);
    enum w_status status = ids && nll ? W_DONE : w_fail(err, W_NOMEM, "no memory for the scores");

    for (u64 done = 0; done < targets && !status; done += rows * length) {
        /* The last window is filled up after the text: no earlier position sees those ids, so any
         * will do. */
        for (u64 row = 0; row < rows; row++)
            for (u64 t = 0; t <= length; t++) {
                u64 place = done + row * length + t;
                ids[row * (length + 1) + t] = place < count ? text[place] : text[0];
            }
        w_model_loss(model, &(struct w_batch){.ids = ids}, nll);
        u64 here = W_MIN(rows * length, targets - done);
        for (u64 i = 0; i < here; i++)
            score->nats += (double)nll[i];
        if (progress && done + here < targets)
            progress(done + here, targets);
    }
    score->tokens += targets;
    if (!status && !isfinite(score->nats))
        status =
            w_fail(err, W_CORRUPT, "the losses of the model are not finite: its training diverged");
    free(ids);
    free(nll);
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
