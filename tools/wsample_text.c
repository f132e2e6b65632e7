/* A text in the making: its ids and bytes, when it is done, and how it is written. */
#include "tools/wsample_text.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/utf8.h"

static const char *const ending_names[] = {"count", "end", "stop", "signal"};

enum w_status wsample_text_new(struct text **out, const struct prompt *prompt, u64 number,
                               struct w_err *err)
{
    struct text *t = *out = calloc(1, sizeof *t);
    enum w_status status = t ? W_DONE : w_fail(err, W_NOMEM, "no memory for a sample");

    if (!status)
        *t = (struct text){.prompt = prompt, .number = number, .done = prompt->count == 0};
    for (size_t i = 0; i < prompt->ids.count && !status; i++)
        status = w_ids_append(&t->ids, prompt->ids.ids[i], err);
    if (status) {
        wsample_text_free(t);
        *out = NULL;
    }
    return status;
}

void wsample_text_free(struct text *t)
{
    if (!t)
        return;
    free(t->ids.ids);
    free(t->made.bytes);
    free(t->logprobs);
    free(t);
}

static enum w_status add_logprob(struct text *t, double value, struct w_err *err)
{
    const size_t number = t->ids.count - t->prompt->ids.count;
    enum w_status status = w_grow(&t->logprobs, &t->logprob_room, number + 1, sizeof *t->logprobs,
                                  "probabilities", err);

    if (!status)
        t->logprobs[number] = value;
    return status;
}

static void end(struct text *t, enum ending ending)
{
    t->done = true;
    t->ending = ending;
}

enum w_status wsample_text_add(struct text *t, const struct settings *set,
                               const struct loaded_model *m, u32 id, double logprob,
                               struct w_err *err)
{
    const struct w_text_list *stops = &t->prompt->stops;
    const size_t before = t->made.count;
    enum w_status status = set->json ? add_logprob(t, logprob, err) : W_DONE;
    u32 size = 0;

    if (!status)
        status = w_ids_append(&t->ids, id, err);
    if (status)
        return status;
    if (id == w_vocab_eot_id(m->vocab)) {
        end(t, AT_END_ID);
        return W_DONE;
    }
    const u8 *bytes = w_vocab_bytes(m->vocab, id, &size);
    status = w_draft_append(&t->made, bytes, size, err);
    if (!status && w_draft_stop(&t->made, before, stops->items, stops->count))
        end(t, AT_STOP);
    else if (!status && t->ids.count - t->prompt->ids.count >= t->prompt->count)
        end(t, AT_COUNT);
    return status;
}

/* ---- output ---- */

/* The prompt, the text, its ids and their log-probabilities as one object. */
static enum w_status print_object(const struct text *t, struct w_err *err)
{
    struct w_json *object = w_json_object(), *ids = w_json_array(), *logprobs = w_json_array();
    const struct w_draft *before = &t->prompt->text;
    const size_t first = t->prompt->ids.count;
    char *prompt = w_utf8_mended(before->bytes, before->count);
    char *made = w_utf8_mended(t->made.bytes, t->made.count);
    enum w_status status = W_DONE;

    if (t->prompt->line)
        w_json_set_u64(object, "line", t->prompt->line);
    w_json_set_u64(object, "sample", t->number);
    w_json_set_string(object, "prompt", prompt ? prompt : "");
    w_json_set_string(object, "text", made ? made : "");
    for (size_t i = first; i < t->ids.count; i++) {
        w_json_add_u64(ids, t->ids.ids[i]);
        w_json_add_real(logprobs, t->logprobs[i - first]);
    }
    w_json_set(object, "tokens", ids);
    w_json_set(object, "logprobs", logprobs);
    w_json_set_string(object, "end", ending_names[t->ending]);
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

static enum w_status begin(struct text *t, const struct settings *set, bool first,
                           struct w_err *err)
{
    enum w_status status = first ? W_DONE : write_out("\n---\n", 5, err);

    t->begun = true;
    if (!status && !set->no_echo && !set->interactive)
        status = write_out(t->prompt->text.bytes, t->prompt->text.count, err);
    return status;
}

enum w_status wsample_text_show(struct text *t, const struct settings *set, bool first,
                                struct w_err *err)
{
    const struct w_text_list *stops = &t->prompt->stops;
    const size_t until =
        t->done ? t->made.count : w_draft_settled(&t->made, stops->items, stops->count);
    enum w_status status = W_DONE;

    if (set->json)
        return t->done ? print_object(t, err) : W_DONE;
    if (!t->begun)
        status = begin(t, set, first, err);
    if (!status && until > t->shown) {
        status = write_out(t->made.bytes + t->shown, until - t->shown, err);
        t->shown = until;
    }
    if (!status && t->done && (set->interactive || w_is_terminal(STDOUT_FILENO)))
        status = write_out("\n", 1, err);
    return status;
}
