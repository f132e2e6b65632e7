/* How well a model foretells a text. The text is one document: it begins behind the end id, as every
 * document in training did. It is cut into windows of max_length tokens that do not overlap; the
 * first token of a window is foretold from the last one of the window before, so that every token,
 * and with it every byte, is scored once. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/model.h"
#include "sys/clock.h"
#include "tools/wsample.h"

#define TEXT_LIMIT (1ull << 30)    /* bytes */
#define TOKENS_PER_BATCH 4096      /* about so many in one forward pass */
#define LN2 0.69314718055994530942 /* nats in a bit */

struct score {
    u64 tokens, bytes, words, lines;
    double nats;
};

static void count_words(struct score *score, const char *text, size_t size)
{
    bool inside = false;

    score->bytes = size;
    for (size_t i = 0; i < size; i++) {
        bool space = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
        score->words += !space && !inside;
        score->lines += text[i] == '\n';
        inside = !space;
    }
}

/* Sum the losses of ids 1 to count - 1, each from those before it. */
static enum w_status sum_losses(struct w_model *model, const struct w_conf *conf,
                                const struct w_ids *text, u32 filler, struct score *score,
                                struct w_err *err)
{
    u64 length = conf->max_length, rows = conf->batch_size;
    u32 *ids = malloc(rows * (length + 1) * sizeof *ids);
    float *nll = malloc(rows * length * sizeof *nll);
    u64 targets = text->count - 1;
    enum w_status status = ids && nll ? W_DONE : w_fail(err, W_NOMEM, "no memory for the scores");

    for (u64 done = 0; done < targets && !status; done += rows * length) {
        for (u64 row = 0; row < rows; row++)
            for (u64 t = 0; t <= length; t++) {
                u64 place = done + row * length + t;
                ids[row * (length + 1) + t] = place < text->count ? text->ids[place] : filler;
            }
        w_model_loss(model, ids, nll);
        u64 here = W_MIN(rows * length, targets - done);
        for (u64 i = 0; i < here; i++)
            score->nats += (double)nll[i];
        if (done + here < targets)
            w_progress(false, "scored %llu of %llu tokens", (unsigned long long)(done + here),
                       (unsigned long long)targets);
    }
    if (!status && !isfinite(score->nats))
        status =
            w_fail(err, W_CORRUPT, "the model gives no numbers but NaN: its training diverged");
    free(ids);
    free(nll);
    return status;
}

static enum w_status print_score(const struct settings *set, const struct score *s, u64 window,
                                 struct w_err *err)
{
    double bits = s->nats / LN2, words = (double)s->words, lines = (double)s->lines;
    const struct {
        const char *name;
        double value;
        int digits;
    } rows[] = {
        {"nats", s->nats, 3},
        {"tokens", (double)s->tokens, 0},
        {"bits_per_token", bits / (double)s->tokens, 5},
        {"bytes", (double)s->bytes, 0},
        {"bits_per_byte", bits / (double)s->bytes, 5},
        {"words", words, 0},
        {"lines", lines, 0},
        {"word_perplexity", words > 0 ? exp(s->nats / words) : NAN, 4},
        {"word_perplexity_lines", words + lines > 0 ? exp(s->nats / (words + lines)) : NAN, 4},
        {"window", (double)window, 0},
    };

    if (set->json) {
        struct w_json *json = w_json_object();
        w_json_set_string(json, "model", set->model);
        w_json_set_string(json, "file", set->score);
        for (size_t i = 0; i < W_COUNTOF(rows); i++)
            if (!isnan(rows[i].value)) /* a text without words has no perplexity by them */
                w_json_set_real(json, rows[i].name, rows[i].value);
        return wsample_print_json(json, err);
    }
    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (!isnan(rows[i].value))
            printf("%-22s %.*f\n", rows[i].name, rows[i].digits, rows[i].value);
    return W_DONE;
}

enum w_status wsample_score(const struct settings *set, struct spoken *m, struct w_err *err)
{
    struct w_model *model = NULL;
    struct w_ids text = {0};
    struct score score = {0};
    char *bytes = NULL;
    size_t size;
    u32 end_id = w_vocab_end_id(m->vocab);

    enum w_status status = w_input_slurp(set->score, TEXT_LIMIT, &bytes, &size, err);
    if (!status && size == 0)
        status = w_fail(err, W_MISMATCH, "%s: empty: there is nothing to score", set->score);
    if (!status)
        status = w_ids_append(&text, end_id, err);
    if (!status)
        status = w_encode(m->encoder, (const u8 *)bytes, size, &text, err);
    if (!status) {
        count_words(&score, bytes, size);
        score.tokens = text.count - 1;
        u64 windows = (score.tokens + m->conf.max_length - 1) / m->conf.max_length;
        m->conf.batch_size = W_MIN(windows, W_MAX(TOKENS_PER_BATCH / m->conf.max_length, 1));
        status = w_model_new(&model, &m->conf, W_PLAN_EVAL, W_TYPE_F32, m->kern, m->team, err);
    }
    if (!status)
        status = w_ckpt_read(m->ckpt, w_model_tensors(model), w_model_weights(model), NULL, err);
    double begin_s = w_now_s();
    if (!status) {
        status = sum_losses(model, &m->conf, &text, end_id, &score, err);
    }
    if (!status)
        status = print_score(set, &score, m->conf.max_length, err);
    if (!status)
        w_say("%llu tokens scored, %.0f tokens/s", (unsigned long long)score.tokens,
              (double)score.tokens / W_MAX(w_now_s() - begin_s, 1e-9));
    w_model_free(model);
    free(text.ids);
    free(bytes);
    return status;
}
