/* The likelihood of a text under a model (net/score.h): read, score, print. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/score.h"
#include "sys/clock.h"
#include "sys/text_files.h"
#include "tools/wsample.h"

#define TEXT_LIMIT (1ull << 30) /* bytes */

/* Of the counts or the mixture: NaN without them. */
static double bits_per_byte(const struct w_score *s, double nats)
{
    const struct w_score of = {.nats = nats, .bytes = s->bytes};
    return nats > 0 ? w_score_bits_per_byte(&of) : NAN;
}

static enum w_status print_score(const struct settings *set, const struct w_score *s, u64 window,
                                 struct w_err *err)
{
    const struct {
        const char *name;
        double value;
        int digits;
    } rows[] = {
        {"nats", s->nats, 3},
        {"tokens", (double)s->tokens, 0},
        {"bits_per_token", w_score_bits(s) / (double)s->tokens, 5},
        {"bytes", (double)s->bytes, 0},
        {"bits_per_byte", w_score_bits_per_byte(s), 5},
        {"nats_counts", s->nats_counts > 0 ? s->nats_counts : NAN, 3},
        {"bits_per_byte_counts", bits_per_byte(s, s->nats_counts), 5},
        {"nats_mixed", s->nats_mixed > 0 ? s->nats_mixed : NAN, 3},
        {"bits_per_byte_mixed", bits_per_byte(s, s->nats_mixed), 5},
        {"words", (double)s->words, 0},
        {"lines", (double)s->lines, 0},
        {"word_perplexity", w_score_perplexity(s, s->words), 4},
        {"word_perplexity_lines", w_score_perplexity(s, s->words + s->lines), 4},
        {"window", (double)window, 0},
    };

    if (set->json) {
        struct w_json *json = w_json_object();
        w_json_set_string(json, "model", set->model);
        w_json_set_string(json, "file", set->score);
        for (size_t i = 0; i < W_COUNTOF(rows); i++)
            if (!isnan(rows[i].value)) /* a text without words has no perplexity by them, and
                                          without counts there are none */
                w_json_set_real(json, rows[i].name, rows[i].value);
        return wsample_print_json(json, err);
    }
    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (!isnan(rows[i].value))
            printf("%-22s %.*f\n", rows[i].name, rows[i].digits, rows[i].value);
    return W_DONE;
}

static void show_progress(u64 done, u64 all)
{
    w_progress(false, "scored %llu of %llu tokens", (unsigned long long)done,
               (unsigned long long)all);
}

static enum w_status score_text(struct w_score *score, struct w_infer *infer,
                                const struct loaded_model *m, const struct w_ids *text,
                                struct w_err *err)
{
    float *lp = m->counts ? malloc(text->count * sizeof *lp) : NULL;
    u8 *ctx = m->counts ? malloc(text->count * m->conf.counts) : NULL;
    const struct w_score_text what = {.ids = text->ids, .count = text->count, .lp = lp, .ctx = ctx};
    enum w_status status = W_DONE;

    if (m->counts && (!lp || !ctx))
        status = w_fail(err, W_NOMEM, "no memory for the scores");
    if (!status && m->counts)
        status = wsample_counts_score(m->counts, m->team, text, lp, ctx, err);
    if (!status)
        status = w_score_ids(score, infer, &what, show_progress, err);
    free(lp);
    free(ctx);
    return status;
}

enum w_status wsample_score(const struct settings *set, struct loaded_model *m, struct w_err *err)
{
    const struct w_plan_decode how = w_score_how(m->type, m->conf.max_length);
    struct w_infer *infer = NULL;
    struct w_ids text = {0};
    struct w_score score = {0};
    char *bytes = NULL;
    size_t size;

    enum w_status status = w_text_file_slurp(set->score, TEXT_LIMIT, 2, &bytes, &size, err);
    if (!status && size == 0)
        status = w_fail(err, W_MISMATCH, "%s: empty: there is nothing to score", set->score);
    if (!status)
        status = w_ids_append(&text, w_vocab_eot_id(m->vocab), err);
    if (!status)
        status = w_encode(m->encoder, (const u8 *)bytes, size, &text, err);
    if (!status)
        status = wsample_infer_new(&infer, m, &how, err);
    double begin_s = w_now_s();
    if (!status) {
        w_score_count(&score, bytes, size);
        status = score_text(&score, infer, m, &text, err);
    }
    if (!status)
        status = print_score(set, &score, m->conf.max_length, err);
    if (!status)
        w_say("%llu tokens scored, %.0f tokens/s", (unsigned long long)score.tokens,
              (double)score.tokens / W_MAX(w_now_s() - begin_s, 1e-9));
    w_infer_free(infer);
    free(text.ids);
    free(bytes);
    return status;
}
