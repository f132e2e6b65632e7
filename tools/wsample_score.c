/* The likelihood of a text under a model (net/score.h): read, score, print. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/score.h"
#include "sys/clock.h"
#include "tools/wsample_documents.h"

/* Of the counts or the mixture: NaN without them. */
static double bits_per_byte(const struct w_score *s, double nats)
{
    const struct w_score of = {.nats = nats, .bytes = s->bytes};
    return nats > 0 ? w_score_bits_per_byte(&of) : NAN;
}

/* The figures of a score; NaN: there is none, such as a perplexity of a text without words. */
#define FIGURES 13
struct figure {
    const char *name;
    double value;
    int digits;
};

static void figures_of(struct figure rows[FIGURES], const struct w_score *s)
{
    const struct figure all[FIGURES] = {
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
    };
    memcpy(rows, all, sizeof all);
}

static void put_figures(struct w_json *json, const struct figure *rows)
{
    for (size_t i = 0; i < FIGURES; i++)
        if (!isnan(rows[i].value))
            w_json_set_real(json, rows[i].name, rows[i].value);
}

static enum w_status print_score(const struct settings *set, const struct w_score *s, u64 documents,
                                 u64 window, struct w_err *err)
{
    struct figure rows[FIGURES];

    figures_of(rows, s);
    if (set->json) {
        struct w_json *json = w_json_object();
        w_json_set_string(json, "model", set->model);
        w_json_set_string(json, "file", set->score);
        put_figures(json, rows);
        w_json_set_u64(json, "window", window);
        w_json_set_u64(json, "documents", documents);
        return wsample_print_json(json, err);
    }
    for (size_t i = 0; i < FIGURES; i++)
        if (!isnan(rows[i].value))
            printf("%-22s %.*f\n", rows[i].name, rows[i].digits, rows[i].value);
    printf("%-22s %llu\n%-22s %llu\n", "window", (unsigned long long)window, "documents",
           (unsigned long long)documents);
    return W_DONE;
}

/* A line for one document. */
static enum w_status print_document(const struct settings *set, const struct w_score *s, u64 number,
                                    struct w_err *err)
{
    struct figure rows[FIGURES];

    figures_of(rows, s);
    if (set->json) {
        struct w_json *json = w_json_object();
        w_json_set_u64(json, "document", number);
        put_figures(json, rows);
        return wsample_print_json(json, err);
    }
    printf("document %-13llu %.5f bits per byte, %llu bytes, %llu tokens\n",
           (unsigned long long)number, w_score_bits_per_byte(s), (unsigned long long)s->bytes,
           (unsigned long long)s->tokens);
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

static void add_score(struct w_score *all, const struct w_score *one)
{
    all->nats += one->nats;
    all->nats_counts += one->nats_counts;
    all->nats_mixed += one->nats_mixed;
    all->tokens += one->tokens;
    all->bytes += one->bytes;
    all->words += one->words;
    all->lines += one->lines;
}

/* All documents; *count becomes their number. */
static enum w_status score_all(struct w_score *all, u64 *count, struct w_infer *infer,
                               const struct settings *set, const struct loaded_model *m,
                               struct w_err *err)
{
    struct documents *documents = NULL;
    struct w_draft text = {0};
    struct w_ids ids = {0};
    enum w_status status = wsample_documents_open(&documents, set, m, err);

    while (!status) {
        struct w_score one = {0};
        status = wsample_documents_next(documents, &ids, &text, err);
        if (status)
            break;
        w_score_count(&one, text.bytes, text.count);
        status = score_text(&one, infer, m, &ids, err);
        if (status)
            break;
        add_score(all, &one);
        ++*count;
        if (set->documents)
            status = print_document(set, &one, *count, err);
        w_progress(false, "scored %llu documents, %llu tokens", (unsigned long long)*count,
                   (unsigned long long)all->tokens);
    }
    if (status == W_END)
        status = *count
                     ? W_DONE
                     : w_fail(err, W_MISMATCH, "%s: empty: there is nothing to score", set->score);
    wsample_documents_close(documents);
    free(text.bytes);
    free(ids.ids);
    return status;
}

enum w_status wsample_score(const struct settings *set, struct loaded_model *m, struct w_err *err)
{
    const struct w_plan_decode how = w_score_how(m->type, m->conf.max_length);
    struct w_infer *infer = NULL;
    struct w_score score = {0};
    u64 documents = 0;

    enum w_status status = wsample_infer_new(&infer, m, &how, err);
    const double begin_s = w_now_s();
    if (!status)
        status = score_all(&score, &documents, infer, set, m, err);
    if (!status)
        status = print_score(set, &score, documents, m->conf.max_length, err);
    if (!status)
        w_say("%llu tokens scored, %.0f tokens/s", (unsigned long long)score.tokens,
              (double)score.tokens / W_MAX(w_now_s() - begin_s, 1e-9));
    w_infer_free(infer);
    return status;
}
