/* Text from a model: the prompt goes through it once (prefill), then each sampled token is fed
 * back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "net/infer.h"
#include "sys/clock.h"
#include "sys/pages.h"
#include "base/utf8.h"
#include "text/draft.h"
#include "tools/wsample.h"

#define PROMPT_LIMIT (64ull << 20) /* bytes */

enum ending { AT_COUNT, AT_END_ID, AT_STOP, AT_SIGNAL };
static const char *const ending_names[] = {"count", "end", "stop", "signal"};

/* The sample that is being generated. */
struct generation {
    const struct settings *set;
    struct loaded_model *model;
    struct w_infer *infer;
    struct w_sampler *sampler;
    struct w_draft prompt;
    struct w_ids ids;  /* the end id, the prompt, the generated ids */
    size_t prompt_ids; /* of the prompt, with the end id before them */
    size_t fed;        /* ids that are in the KV cache, or were dropped from it */
    struct w_draft made;
    size_t shown;     /* bytes of made that were written */
    double *logprobs; /* of the generated ids */
    size_t logprob_room;
    u64 tokens_made; /* of all samples */
    double prompt_s, making_s;
};

static enum w_status read_prompt(const struct settings *set, struct w_draft *prompt,
                                 struct w_err *err)
{
    const char *path = set->prompt_file;
    size_t size;

    if (set->prompt && !strcmp(set->prompt, "-"))
        path = "-";
    if (!path)
        return w_draft_append(prompt, set->prompt, set->prompt ? strlen(set->prompt) : 0, err);
    enum w_status status = w_input_slurp(path, PROMPT_LIMIT, &prompt->bytes, &size, err);
    prompt->count = prompt->room = size;
    /* A newline at the end, of a file or of echo, is not part of the prompt. */
    if (!status && size && prompt->bytes[size - 1] == '\n')
        prompt->count--;
    return status;
}

static enum w_status note_logprob(struct generation *g, size_t number, double value,
                                  struct w_err *err)
{
    enum w_status status = w_grow(&g->logprobs, &g->logprob_room, number + 1, sizeof *g->logprobs,
                                  "probabilities", err);

    if (status)
        return status;
    g->logprobs[number] = value;
    return isfinite(value) ? W_DONE
                           : w_fail(err, W_CORRUPT,
                                    "%s: gives NaN instead of probabilities: its training diverged",
                                    g->set->model);
}

/* Feed the ids that the model has not seen and return the logits of the next one. When a text grows
 * beyond the model's positions, the cache starts again from as many of its last ids as half of
 * them. */
static const float *prefill(struct generation *g)
{
    u64 positions = g->model->conf.max_length;
    const float *logits = NULL;

    if (w_infer_length(g->infer) + (g->ids.count - g->fed) > positions) {
        w_infer_start(g->infer);
        g->fed = g->ids.count - (size_t)W_MIN(W_MAX(positions / 2, 1), g->ids.count);
    }
    while (g->fed < g->ids.count)
        logits = w_infer_next(g->infer, g->ids.ids[g->fed++]);
    return logits;
}

static enum w_status show(struct generation *g, size_t until, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (!g->set->json && until > g->shown) {
        status = w_write_line(STDOUT_FILENO, g->made.bytes + g->shown, until - g->shown,
                              "standard output", err);
        g->shown = until;
    }
    return status;
}

/* Sample an id and add it to the text. W_END: the sample is complete, *ending says why. */
static enum w_status generate_token(struct generation *g, u64 sample, enum ending *ending,
                                    struct w_err *err)
{
    const float *logits = prefill(g);
    size_t number = g->ids.count - g->prompt_ids, before = g->made.count;
    u32 size = 0, id = 0;
    enum w_status status = W_DONE;

    if (g->model->counts)
        status = wsample_counts_mix(g->model->counts, g->model, g->infer, &g->ids, &logits, err);
    if (!status) {
        id = w_sampler_sample(g->sampler, logits, g->ids.ids, g->ids.count, sample, number);
        status = note_logprob(g, number,
                              w_log_probability(logits, (u32)g->model->conf.vocab_size, id), err);
    }
    if (!status)
        status = w_ids_append(&g->ids, id, err);
    if (status)
        return status;
    if (id == w_vocab_eot_id(g->model->vocab)) {
        *ending = AT_END_ID;
        return W_END;
    }
    const u8 *bytes = w_vocab_bytes(g->model->vocab, id, &size);
    status = w_draft_append(&g->made, bytes, size, err);
    if (!status && w_draft_stop(&g->made, before, g->set->stops.items, g->set->stops.count)) {
        *ending = AT_STOP;
        status = W_END;
    }
    if (!status)
        status = show(g, w_draft_settled(&g->made, g->set->stops.items, g->set->stops.count), err);
    return status;
}

/* The prompt, the text, its ids and their log-probabilities as one object. */
static enum w_status print_sample(struct generation *g, u64 sample, enum ending ending,
                                  struct w_err *err)
{
    struct w_json *object = w_json_object(), *ids = w_json_array(), *logprobs = w_json_array();
    char *prompt = w_utf8_mended(g->prompt.bytes, g->prompt.count);
    char *made = w_utf8_mended(g->made.bytes, g->made.count);
    enum w_status status = W_DONE;

    w_json_set_u64(object, "sample", sample);
    w_json_set_string(object, "prompt", prompt ? prompt : "");
    w_json_set_string(object, "text", made ? made : "");
    for (size_t i = g->prompt_ids; i < g->ids.count; i++) {
        w_json_add_u64(ids, g->ids.ids[i]);
        w_json_add_real(logprobs, g->logprobs[i - g->prompt_ids]);
    }
    w_json_set(object, "tokens", ids);
    w_json_set(object, "logprobs", logprobs);
    w_json_set_string(object, "end", ending_names[ending]);
    if (!prompt || !made) {
        w_json_free(object);
        status = w_fail(err, W_NOMEM, "no memory for the text");
    } else {
        status = wsample_print_json(object, err);
    }
    free(prompt);
    free(made);
    return status;
}

static enum w_status write_out(const void *bytes, size_t size, struct w_err *err)
{
    return size ? w_write_line(STDOUT_FILENO, bytes, size, "standard output", err) : W_DONE;
}

static enum w_status make_sample(struct generation *g, u64 sample, struct w_err *err)
{
    const struct settings *set = g->set;
    enum ending ending = AT_COUNT;
    enum w_status status = W_DONE;

    w_infer_start(g->infer);
    if (g->model->counts)
        wsample_counts_restart(g->model->counts);
    g->ids.count = g->prompt_ids;
    g->fed = g->made.count = g->shown = 0;
    if (!set->json && sample > 0)
        status = write_out("\n---\n", 5, err);
    if (!status && !set->json && !set->no_echo)
        status = write_out(g->prompt.bytes, g->prompt.count, err);

    double begin_s = w_now_s(), made_s = begin_s;
    for (u64 i = 0; i < set->count && !status; i++) {
        status = generate_token(g, sample, &ending, err);
        if (i == 0)
            made_s = w_now_s();
        if (w_signal_stop && !status)
            status = W_END, ending = AT_SIGNAL;
    }
    g->prompt_s += made_s - begin_s;
    g->making_s += w_now_s() - made_s;
    g->tokens_made += g->ids.count - g->prompt_ids;
    if (status && status != W_END)
        return status;
    status = show(g, g->made.count, err);
    if (!status && set->json)
        status = print_sample(g, sample, ending, err);
    else if (!status && w_is_terminal(STDOUT_FILENO))
        status = write_out("\n", 1, err);
    return status;
}

/* The sampler, which suppresses all but tokens of text and the end of a document. */
static enum w_status make_sampler(struct generation *g, struct w_err *err)
{
    const struct w_vocab *vocab = g->model->vocab;
    u32 size = w_vocab_size(vocab);
    bool *suppressed = calloc(size, sizeof *suppressed);

    if (!suppressed)
        return w_fail(err, W_NOMEM, "no memory for %u ids", size);
    for (u32 id = 0; id < size; id++)
        suppressed[id] = w_vocab_is_special(vocab, id) || w_vocab_kind(vocab, id) == W_TOKEN_UNUSED;
    suppressed[w_vocab_eot_id(vocab)] = g->set->ignore_end;
    enum w_status status = w_sampler_new(&g->sampler, size, suppressed, &g->set->sampler, err);
    free(suppressed);
    return status;
}

static enum w_status prepare(struct generation *g, const struct w_tensors *tensors, float *weights,
                             struct w_err *err)
{
    const struct loaded_model *m = g->model;
    u32 eot_id = w_vocab_eot_id(m->vocab);

    enum w_status status = w_ckpt_read(m->ckpt, tensors, weights, NULL, NULL, err);
    if (!status)
        status = w_infer_new(&g->infer, &m->conf, weights, m->kern, m->team, err);
    if (!status)
        status = make_sampler(g, err);
    if (!status)
        status = w_ids_append(&g->ids, eot_id, err);
    if (!status)
        status = w_encode(m->encoder, (const u8 *)g->prompt.bytes, g->prompt.count, &g->ids, err);
    if (status)
        return status;
    g->prompt_ids = g->ids.count;
    if (g->prompt_ids > m->conf.max_length)
        w_warn("the prompt has %zu tokens: the model sees only the last %llu of them",
               g->prompt_ids, (unsigned long long)W_MAX(m->conf.max_length / 2, 1));
    return W_DONE;
}

static void report(const struct generation *g)
{
    /* The first token of a sample also waits for its prompt: it does not count for the speed. */
    double timed = (double)g->tokens_made - (double)g->set->samples;
    double tok_s = g->making_s > 0 && timed > 0 ? timed / g->making_s : 0;

    w_say("%llu tokens, %.0f tokens/s; %zu tokens of prompt in %.2f s",
          (unsigned long long)g->tokens_made, tok_s, g->prompt_ids,
          g->prompt_s / (double)g->set->samples);
}

enum w_status wsample_generate(const struct settings *set, struct loaded_model *model,
                               struct w_err *err)
{
    struct generation g = {.set = set, .model = model};
    struct w_tensors tensors = {0};
    float *weights = NULL;

    enum w_status status = read_prompt(set, &g.prompt, err);
    if (!status)
        status = w_tensors_make(&tensors, &model->conf, err);
    if (!status) {
        weights = w_pages_new(tensors.floats * sizeof *weights);
        status = weights ? prepare(&g, &tensors, weights, err)
                         : w_fail(err, W_NOMEM, "no memory for %llu parameters",
                                  (unsigned long long)tensors.parameters);
    }
    w_cli_catch_signals();
    for (u64 i = 0; i < set->samples && !status && !w_signal_stop; i++)
        status = make_sample(&g, i, err);
    if (!status)
        report(&g);
    w_infer_free(g.infer);
    w_sampler_free(g.sampler);
    w_pages_free(weights, tensors.floats * sizeof *weights);
    w_tensors_free(&tensors);
    free(g.logprobs);
    free(g.ids.ids);
    free(g.prompt.bytes);
    free(g.made.bytes);
    return status;
}
