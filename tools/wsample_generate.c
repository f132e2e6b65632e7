#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "net/infer.h"
#include "sys/clock.h"
#include "sys/pages.h"
#include "text/draft.h"
#include "tools/wsample.h"

#define PROMPT_LIMIT (64ull << 20) /* bytes */

enum ending { AT_COUNT, AT_END_ID, AT_STOP, AT_SIGNAL };
static const char *const ending_names[] = {"count", "end", "stop", "signal"};

/* A sample in the making. */
struct speech {
    const struct settings *set;
    struct spoken *model;
    struct w_infer *infer;
    struct w_sampler *sampler;
    struct w_draft prompt;
    struct w_ids ids;  /* the end id, the prompt, what was made */
    size_t prompt_ids; /* with the end id before them */
    size_t fed;        /* of ids, into the cache of infer */
    struct w_draft made;
    size_t shown;     /* bytes of made that were written */
    double *logprobs; /* of what was made */
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
    /* The newline that ends a line of a file or of echo is not what is to be continued. */
    if (!status && size && prompt->bytes[size - 1] == '\n')
        prompt->count--;
    return status;
}

static enum w_status note_logprob(struct speech *s, size_t number, double value, struct w_err *err)
{
    enum w_status status = w_grow(&s->logprobs, &s->logprob_room, number + 1, sizeof *s->logprobs,
                                  "probabilities", err);

    if (status)
        return status;
    s->logprobs[number] = value;
    return isfinite(value)
               ? W_DONE
               : w_fail(err, W_CORRUPT, "%s: gives no numbers but NaN: its training diverged",
                        s->set->model);
}

/* Feed what the model has not seen and return the logits of the next id. A text that outgrows the
 * model's positions goes on from its last half of them. */
static const float *listen(struct speech *s)
{
    u64 positions = s->model->conf.max_length;
    const float *logits = NULL;

    if (w_infer_length(s->infer) + (s->ids.count - s->fed) > positions) {
        w_infer_start(s->infer);
        s->fed = s->ids.count - (size_t)W_MIN(W_MAX(positions / 2, 1), s->ids.count);
    }
    while (s->fed < s->ids.count)
        logits = w_infer_next(s->infer, s->ids.ids[s->fed++]);
    return logits;
}

static enum w_status show(struct speech *s, size_t until, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (!s->set->json && until > s->shown) {
        status = w_write_line(STDOUT_FILENO, s->made.bytes + s->shown, until - s->shown,
                              "standard output", err);
        s->shown = until;
    }
    return status;
}

/* Draw an id and add it to the text. */
static enum w_status speak(struct speech *s, u64 sample, enum ending *ending, struct w_err *err)
{
    const float *logits = listen(s);
    size_t number = s->ids.count - s->prompt_ids, before = s->made.count;
    u32 size = 0, id = w_sampler_draw(s->sampler, logits, s->ids.ids, s->ids.count, sample, number);

    double logprob = w_log_probability(logits, (u32)s->model->conf.vocab_size, id);
    enum w_status status = note_logprob(s, number, logprob, err);
    if (!status)
        status = w_ids_append(&s->ids, id, err);
    if (status)
        return status;
    if (id == w_vocab_end_id(s->model->vocab)) {
        *ending = AT_END_ID;
        return W_END;
    }
    const u8 *bytes = w_vocab_bytes(s->model->vocab, id, &size);
    status = w_draft_append(&s->made, bytes, size, err);
    if (!status && w_draft_stop(&s->made, before, s->set->stops.items, s->set->stops.count)) {
        *ending = AT_STOP;
        status = W_END;
    }
    if (!status)
        status = show(s, w_draft_settled(&s->made, s->set->stops.items, s->set->stops.count), err);
    return status;
}

/* Numbers of the ids that were made, and the text before and after, as one object. */
static enum w_status print_sample(struct speech *s, u64 sample, enum ending ending,
                                  struct w_err *err)
{
    struct w_json *object = w_json_object(), *ids = w_json_array(), *logprobs = w_json_array();
    char *prompt = w_utf8_mended(s->prompt.bytes, s->prompt.count);
    char *made = w_utf8_mended(s->made.bytes, s->made.count);
    enum w_status status = W_DONE;

    w_json_set_u64(object, "sample", sample);
    w_json_set_string(object, "prompt", prompt ? prompt : "");
    w_json_set_string(object, "text", made ? made : "");
    for (size_t i = s->prompt_ids; i < s->ids.count; i++) {
        w_json_add_u64(ids, s->ids.ids[i]);
        w_json_add_real(logprobs, s->logprobs[i - s->prompt_ids]);
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

static enum w_status make_sample(struct speech *s, u64 sample, struct w_err *err)
{
    const struct settings *set = s->set;
    enum ending ending = AT_COUNT;
    enum w_status status = W_DONE;

    w_infer_start(s->infer);
    s->ids.count = s->prompt_ids;
    s->fed = s->made.count = s->shown = 0;
    if (!set->json && sample > 0)
        status = write_out("\n---\n", 5, err);
    if (!status && !set->json && !set->no_echo)
        status = write_out(s->prompt.bytes, s->prompt.count, err);

    double begin_s = w_now_s(), made_s = begin_s;
    for (u64 i = 0; i < set->count && !status; i++) {
        status = speak(s, sample, &ending, err);
        if (i == 0)
            made_s = w_now_s();
        if (w_signal_stop && !status)
            status = W_END, ending = AT_SIGNAL;
    }
    s->prompt_s += made_s - begin_s;
    s->making_s += w_now_s() - made_s;
    s->tokens_made += s->ids.count - s->prompt_ids;
    if (status && status != W_END)
        return status;
    status = show(s, s->made.count, err);
    if (!status && set->json)
        status = print_sample(s, sample, ending, err);
    else if (!status && w_is_terminal(STDOUT_FILENO))
        status = write_out("\n", 1, err);
    return status;
}

/* What may be drawn: tokens that text can have, and the end of a document. */
static enum w_status make_sampler(struct speech *s, struct w_err *err)
{
    const struct w_vocab *vocab = s->model->vocab;
    u32 size = w_vocab_size(vocab);
    bool *barred = calloc(size, sizeof *barred);

    if (!barred)
        return w_fail(err, W_NOMEM, "no memory for %u ids", size);
    for (u32 id = 0; id < size; id++)
        barred[id] = w_vocab_is_special(vocab, id) || w_vocab_kind(vocab, id) == W_TOKEN_UNUSED;
    barred[w_vocab_end_id(vocab)] = s->set->ignore_end;
    enum w_status status = w_sampler_new(&s->sampler, size, barred, &s->set->sampler, err);
    free(barred);
    return status;
}

static enum w_status prepare(struct speech *s, const struct w_tensors *tensors, float *weights,
                             struct w_err *err)
{
    const struct spoken *m = s->model;
    u32 end_id = w_vocab_end_id(m->vocab);

    enum w_status status = w_ckpt_read(m->ckpt, tensors, weights, NULL, err);
    if (!status)
        status = w_infer_new(&s->infer, &m->conf, weights, m->kern, m->team, err);
    if (!status)
        status = make_sampler(s, err);
    if (!status)
        status = w_ids_append(&s->ids, end_id, err);
    if (!status)
        status = w_encode(m->encoder, (const u8 *)s->prompt.bytes, s->prompt.count, &s->ids, err);
    if (status)
        return status;
    s->prompt_ids = s->ids.count;
    if (s->prompt_ids > m->conf.max_length)
        w_warn("the prompt has %zu tokens, the model sees %llu: only the last of them count",
               s->prompt_ids, (unsigned long long)W_MAX(m->conf.max_length / 2, 1));
    return W_DONE;
}

static void report(const struct speech *s)
{
    /* The first token of a sample also waits for its prompt: it does not count for the speed. */
    double timed = (double)s->tokens_made - (double)s->set->samples;
    double rate = s->making_s > 0 && timed > 0 ? timed / s->making_s : 0;

    w_say("%llu tokens, %.0f tokens/s; %zu tokens of prompt in %.2f s",
          (unsigned long long)s->tokens_made, rate, s->prompt_ids,
          s->prompt_s / (double)s->set->samples);
}

enum w_status wsample_generate(const struct settings *set, struct spoken *model, struct w_err *err)
{
    struct speech s = {.set = set, .model = model};
    struct w_tensors tensors = {0};
    float *weights = NULL;

    enum w_status status = read_prompt(set, &s.prompt, err);
    if (!status)
        status = w_tensors_make(&tensors, &model->conf, err);
    if (!status) {
        weights = w_pages_new(tensors.floats * sizeof *weights);
        status = weights ? prepare(&s, &tensors, weights, err)
                         : w_fail(err, W_NOMEM, "no memory for %llu parameters",
                                  (unsigned long long)tensors.parameters);
    }
    w_cli_catch_signals();
    for (u64 i = 0; i < set->samples && !status && !w_signal_stop; i++)
        status = make_sample(&s, i, err);
    if (!status)
        report(&s);
    w_infer_free(s.infer);
    w_sampler_free(s.sampler);
    w_pages_free(weights, tensors.floats * sizeof *weights);
    w_tensors_free(&tensors);
    free(s.logprobs);
    free(s.ids.ids);
    free(s.prompt.bytes);
    free(s.made.bytes);
    return status;
}
