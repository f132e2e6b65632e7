/* Samples from a model, several at a time: the newest tokens of all of them, and prompts, are rows
 * of the same products. What a sample is made of does not depend on the others, so that the text is
 * that of the sample alone. They are written in their order. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/grow.h"
#include "net/infer.h"
#include "net/sampler.h"
#include "sys/clock.h"
#include "tools/wsample_text.h"

/* An id that was drawn for a text. */
struct drawn {
    struct text *text;
    u32 id;
    double value; /* its log-probability with --json, else its logit */
};

struct generation {
    const struct settings *set;
    struct loaded_model *model;
    const struct prompts *prompts; /* of this run */
    struct w_infer *infer;
    struct w_sampler **samplers; /* of each thread */
    struct drawn *drawn;         /* (slots): of each row of the logits */
    struct text **open;          /* begun and not yet written whole, in their order */
    size_t open_count, open_room;
    u64 jobs, begun, written; /* samples */
    u32 slots;                /* of the KV cache; one more keeps a prompt for its next sample */
    bool *taken;              /* (slots) */
    const struct prompt *kept;
    /* Tokens made in passes without a prompt, and all. */
    u64 timed_tokens, tokens, prompt_tokens;
    u64 most_tokens; /* that this run can make; less where texts end before */
    double timed_s, prompt_s;
};

/* ---- samples begin ---- */

/* All of a prompt but its last token, whose logits are wanted, is computed once for all samples. */
static void read_prompt(struct generation *g, struct text *t)
{
    const struct w_ids *ids = &t->prompt->ids;
    const size_t count = ids->count - 1;
    const u32 keeper = g->slots;

    if (g->set->samples == 1 || count == 0 || ids->count > g->model->conf.max_length)
        return;
    if (g->kept != t->prompt) {
        const double begin_s = w_now_s();
        w_infer_start(g->infer, keeper);
        for (size_t i = 0; i < count; i++)
            w_infer_append(g->infer, keeper, ids->ids[i]);
        w_infer_run(g->infer);
        g->kept = t->prompt;
        g->prompt_s += w_now_s() - begin_s;
    }
    w_infer_copy(g->infer, t->slot, keeper, count);
    t->fed = count;
}

static enum w_status begin_text(struct generation *g, struct w_err *err)
{
    const u64 samples = g->set->samples;
    const struct prompt *prompt = &g->prompts->items[g->begun / samples];
    struct text *t = NULL;
    enum w_status status =
        w_grow(&g->open, &g->open_room, g->open_count + 1, sizeof *g->open, "samples", err);

    if (!status)
        status = wsample_text_new(&t, prompt, g->begun % samples, err);
    if (status)
        return status;
    g->open[g->open_count++] = t;
    g->begun++;
    if (t->done) /* 0 tokens are wanted */
        return W_DONE;
    while (g->taken[t->slot])
        t->slot++;
    g->taken[t->slot] = true;
    w_infer_start(g->infer, t->slot);
    if (g->model->counts)
        wsample_counts_restart(g->model->counts, t->slot);
    read_prompt(g, t);
    return W_DONE;
}

static u64 active(const struct generation *g)
{
    u64 count = 0;

    for (size_t i = 0; i < g->open_count; i++)
        count += !g->open[i]->done;
    return count;
}

/* ---- a pass ---- */

/* Is its next token drawn after given text: its prompt, or its own last ids in a slot that starts
 * again? */
static bool follows_given(const struct generation *g, const struct text *t)
{
    return t->ids.count == t->prompt->ids.count ||
           w_infer_length(g->infer, t->slot) == g->model->conf.max_length;
}

/* Append the ids that the model has not seen, but for the last one. When a text grows beyond the
 * model's positions, its slot starts again from as many of its last ids as half of them. */
static void feed(struct generation *g, struct text *t)
{
    const u64 positions = g->model->conf.max_length;

    if (w_infer_length(g->infer, t->slot) + (t->ids.count - t->fed) > positions) {
        w_infer_start(g->infer, t->slot);
        t->fed = t->ids.count - (size_t)W_MIN(W_MAX(positions / 2, 1), t->ids.count);
    }
    while (t->fed + 1 < t->ids.count)
        w_infer_append(g->infer, t->slot, t->ids.ids[t->fed++]);
}

/* Logits of a pass, which ids are drawn from. */
struct drawing {
    struct generation *g;
    const float *logits; /* (rows, V), or of one row */
};

static void draw(const struct drawing *d, struct drawn *drawn, const float *logits, u32 worker)
{
    const struct generation *g = d->g;
    const struct text *t = drawn->text;

    drawn->id = w_sampler_sample(g->samplers[worker], logits, t->ids.ids, t->ids.count, t->number,
                                 t->ids.count - t->prompt->ids.count);
    drawn->value = g->set->json ? w_log_probability(g->model->kern, logits,
                                                    (u32)g->model->conf.vocab_size, drawn->id)
                                : (double)logits[drawn->id];
}

static void draw_row(void *context, u64 row, u32 worker)
{
    const struct drawing *d = context;
    draw(d, &d->g->drawn[row], d->logits + row * d->g->model->conf.vocab_size, worker);
}

/* Draw an id for each row of the logits, with counts one after the other, since these have memory
 * for one mixture. */
static enum w_status draw_all(struct generation *g, const float *logits, u64 count,
                              struct w_err *err)
{
    struct drawing d = {g, logits};
    enum w_status status = W_DONE;

    if (!g->model->counts) {
        w_team_for(g->model->team, count, draw_row, &d);
        return W_DONE;
    }
    for (u64 row = 0; row < count && !status; row++) {
        const struct text *t = g->drawn[row].text;
        const float *mixed = logits + row * g->model->conf.vocab_size;
        status = wsample_counts_mix(g->model->counts, g->model, t->slot,
                                    &(struct counts_row){g->infer, row, &t->ids}, &mixed, err);
        if (!status)
            draw(&d, &g->drawn[row], mixed, 0);
    }
    return status;
}

/* Add the ids that were drawn to their texts. */
static enum w_status add_all(struct generation *g, u64 count, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 row = 0; row < count && !status; row++) {
        struct text *t = g->drawn[row].text;
        if (!isfinite(g->drawn[row].value))
            return w_fail(err, W_CORRUPT,
                          "%s: gives NaN instead of probabilities: its training diverged",
                          g->set->model);
        status = wsample_text_add(t, g->set, g->model, g->drawn[row].id, g->drawn[row].value, err);
        if (t->done)
            g->taken[t->slot] = false;
    }
    return status;
}

/* One token for each text that is not done; or first for those that follow given text alone, where
 * that is computed in another way. */
static enum w_status make_tokens(struct generation *g, struct w_err *err)
{
    const double begin_s = w_now_s();
    enum w_status status = W_DONE;
    bool given = false;
    u64 count = 0;

    for (size_t i = 0; i < g->open_count; i++)
        given |= !g->open[i]->done && follows_given(g, g->open[i]);
    const bool apart = given && !w_infer_mixes(g->infer);
    for (size_t i = 0; i < g->open_count; i++) {
        struct text *t = g->open[i];
        if (t->done || (apart && !follows_given(g, t)))
            continue;
        feed(g, t);
        g->drawn[count++].text = t;
    }
    if (w_infer_room(g->infer) < count)
        w_infer_run(g->infer);
    for (u64 row = 0; row < count; row++) {
        struct text *t = g->drawn[row].text;
        w_infer_want(g->infer, t->slot, t->ids.ids[t->fed++]);
    }
    if (count)
        status =
            draw_all(g, given ? w_infer_run(g->infer) : w_infer_run_drawn(g->infer), count, err);
    if (!status)
        status = add_all(g, count, err);
    g->tokens += count;
    /* The first token of a sample also waits for its prompt: it does not count for the speed. */
    if (given) {
        g->prompt_s += w_now_s() - begin_s;
    } else {
        g->timed_tokens += count;
        g->timed_s += w_now_s() - begin_s;
    }
    return status;
}

/* Show what is certain of the first text, and close those that are done. */
static enum w_status write_texts(struct generation *g, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (g->open_count && !status) {
        struct text *t = g->open[0];
        status = wsample_text_show(t, g->set, g->written == 0, err);
        if (status || !t->done)
            break;
        wsample_text_free(t);
        g->written++;
        g->open_count--;
        for (size_t i = 0; i < g->open_count; i++)
            g->open[i] = g->open[i + 1];
    }
    return status;
}

/* Not where the text itself is seen to grow. */
static void show_progress(const struct generation *g)
{
    if (!g->set->interactive && !w_is_terminal(STDOUT_FILENO))
        w_progress_of(false, &(struct w_task){.verb = "made",
                                              .unit = "tokens",
                                              .done = (double)g->tokens,
                                              .all = (double)g->most_tokens,
                                              .seconds = g->prompt_s + g->timed_s});
}

static enum w_status generate(struct generation *g, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (!status && (g->begun < g->jobs || g->open_count)) {
        while (!status && !w_signal_stop && g->begun < g->jobs && active(g) < g->slots)
            status = begin_text(g, err);
        if (!status)
            status = make_tokens(g, err);
        for (size_t i = 0; i < g->open_count && w_signal_stop; i++)
            if (!g->open[i]->done) {
                g->open[i]->done = true;
                g->open[i]->ending = AT_SIGNAL;
                g->taken[g->open[i]->slot] = false;
            }
        if (!status)
            status = write_texts(g, err);
        show_progress(g);
        if (w_signal_stop && !g->open_count)
            break;
    }
    return status;
}

/* ---- the whole ---- */

/* Samplers, which suppress all but tokens of text and the end of a document. */
static enum w_status make_samplers(struct generation *g, struct w_err *err)
{
    const struct w_vocab *vocab = g->model->vocab;
    u32 size = w_vocab_size(vocab);
    const u32 threads = w_team_size(g->model->team);
    bool *suppressed = calloc(size, sizeof *suppressed);
    enum w_status status = W_DONE;

    g->samplers = calloc(threads, sizeof *g->samplers);
    if (suppressed && !g->samplers) {
        free(suppressed);
        suppressed = NULL;
    }
    if (!suppressed)
        return w_fail(err, W_NOMEM, "no memory for %u ids", size);
    for (u32 id = 0; id < size; id++)
        suppressed[id] = w_vocab_is_special(vocab, id) || w_vocab_kind(vocab, id) == W_TOKEN_UNUSED;
    suppressed[w_vocab_eot_id(vocab)] = g->set->ignore_end;
    for (u32 i = 0; i < threads && !status; i++)
        status =
            w_sampler_new(&g->samplers[i], size, suppressed, &g->set->sampler, g->model->kern, err);
    free(suppressed);
    return status;
}

enum w_status wsample_generation_new(struct generation **out, const struct settings *set,
                                     struct loaded_model *m, u64 jobs, struct w_err *err)
{
    struct generation *g = *out = calloc(1, sizeof *g);

    if (!g)
        return w_fail(err, W_NOMEM, "no memory to generate");
    *g = (struct generation){.set = set, .model = m, .slots = (u32)W_MIN(jobs, set->batch)};
    g->taken = calloc(g->slots, sizeof *g->taken);
    g->drawn = calloc(g->slots, sizeof *g->drawn);
    if (!g->taken || !g->drawn)
        return w_fail(err, W_NOMEM, "no memory for %u samples at a time", g->slots);
    const struct w_plan_decode how = {.weights = m->type,
                                      .slots = g->slots + (set->samples > 1),
                                      .rows = W_MAX(W_INFER_ROWS, g->slots),
                                      .logits = g->slots};
    enum w_status status = wsample_infer_new(&g->infer, m, &how, err);
    if (!status && m->counts)
        status = wsample_counts_slots(m->counts, g->slots, err);
    return status ? status : make_samplers(g, err);
}

void wsample_generation_free(struct generation *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->open_count; i++)
        wsample_text_free(g->open[i]);
    for (u32 i = 0; g->samplers && i < w_team_size(g->model->team); i++)
        w_sampler_free(g->samplers[i]);
    w_infer_free(g->infer);
    free(g->samplers);
    free(g->drawn);
    free(g->open);
    free(g->taken);
    free(g);
}

enum w_status wsample_generation_run(struct generation *g, const struct prompts *prompts,
                                     struct w_err *err)
{
    g->prompts = prompts;
    g->kept = NULL;
    g->begun = g->written = 0;
    if (!w_mul_ok(prompts->count, g->set->samples, &g->jobs))
        return w_fail(err, W_USAGE, "--samples: more samples than can be counted");
    for (size_t i = 0; i < prompts->count; i++)
        g->prompt_tokens += prompts->items[i].ids.count;
    g->most_tokens = 0;
    for (size_t i = 0; i < prompts->count; i++)
        g->most_tokens += prompts->items[i].count * g->set->samples;
    return generate(g, err);
}

void wsample_generation_report(const struct generation *g)
{
    const double tok_s = g->timed_s > 0 ? (double)g->timed_tokens / g->timed_s : 0;

    w_say("%llu tokens, %.0f tokens/s; %llu tokens of prompt in %.4f s",
          (unsigned long long)g->tokens, tok_s, (unsigned long long)g->prompt_tokens, g->prompt_s);
}

enum w_status wsample_generate(const struct settings *set, struct loaded_model *model,
                               struct w_err *err)
{
    struct generation *g = NULL;
    struct prompts prompts = {0};
    u64 jobs;

    enum w_status status = wsample_prompts_read(&prompts, set, model, err);
    if (!status) {
        jobs = w_mul_ok(prompts.count, set->samples, &jobs) ? jobs : UINT64_MAX;
        status = wsample_generation_new(&g, set, model, jobs, err);
    }
    w_signals_catch();
    if (!status)
        status = wsample_generation_run(g, &prompts, err);
    if (!status)
        wsample_generation_report(g);
    wsample_generation_free(g);
    wsample_prompts_release(&prompts);
    return status;
}
