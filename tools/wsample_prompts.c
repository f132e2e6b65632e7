/* What is to be continued: one prompt of the command line, or those of a file of JSON Lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/lines.h"
#include "text/nfc.h"
#include "tools/wsample_text.h"

#define PROMPT_LIMIT (64ull << 20) /* bytes */
#define PROMPTS_LIMIT (1ull << 30)

static enum w_status add_prompt(struct prompts *all, const struct settings *set,
                                struct prompt **added, struct w_err *err)
{
    enum w_status status =
        w_grow(&all->items, &all->room, all->count + 1, sizeof *all->items, "prompts", err);

    if (status)
        return status;
    *added = &all->items[all->count++];
    **added = (struct prompt){.count = set->count, .stops = set->stops};
    return W_DONE;
}

static enum w_status read_one(struct prompt *p, const struct settings *set, struct w_err *err)
{
    const char *path = set->prompt_file;
    size_t size;

    if (set->prompt && !strcmp(set->prompt, "-"))
        path = "-";
    if (!path)
        return w_draft_append(&p->text, set->prompt, set->prompt ? strlen(set->prompt) : 0, err);
    if (!strcmp(path, "-") && w_is_terminal(STDIN_FILENO))
        w_say("type a text, then Ctrl-D at the beginning of a line");
    enum w_status status = w_input_slurp(path, PROMPT_LIMIT, &p->text.bytes, &size, err);
    p->text.count = p->text.room = size;
    /* A newline at the end, of a file or of echo, is not part of the prompt. */
    if (!status && size && p->text.bytes[size - 1] == '\n')
        p->text.count--;
    return status;
}

/* "stop": a text or an array of them, in place of those of the command line. */
static enum w_status read_stops(struct prompt *p, const struct w_json *stop, struct w_err *err)
{
    const size_t count = w_json_is_array(stop) ? w_json_size(stop) : 1;

    p->own_stops = calloc(W_MAX(count, 1), sizeof *p->own_stops);
    p->stops = (struct w_text_list){.items = p->own_stops};
    if (!p->own_stops)
        return w_fail(err, W_NOMEM, "no memory for %zu stop texts", count);
    for (; p->stops.count < count; p->stops.count++) {
        const char *text =
            w_json_string(w_json_is_array(stop) ? w_json_at(stop, p->stops.count) : stop);
        if (!text || !*text)
            return w_fail(err, W_CORRUPT,
                          "\"stop\" must be a text or an array of texts, not empty");
        p->stops.items[p->stops.count] = text;
    }
    return W_DONE;
}

/* A line of JSON: an object with the members of a prompt; or a string, which is its text. */
static enum w_status read_json(struct prompt *p, const char *line, size_t size, struct w_err *err)
{
    enum w_status status = w_json_parse(&p->json, line, size, err);

    if (status)
        return status;
    const struct w_json *object = w_json_is_object(p->json) ? p->json : NULL;
    const struct w_json *count = object ? w_json_get(object, "count") : NULL;
    const struct w_json *stop = object ? w_json_get(object, "stop") : NULL;
    const char *text = w_json_string(object ? w_json_get(object, "prompt") : p->json);
    if (!text)
        return w_fail(err, W_CORRUPT, "must be an object with a text \"prompt\", or a text");
    if (count && !w_json_u64(count, 0, W_JSON_INT_MAX, &p->count))
        return w_fail(err, W_CORRUPT, "\"count\" must be a whole number");
    if (stop)
        status = read_stops(p, stop, err);
    return status ? status : w_draft_append(&p->text, text, strlen(text), err);
}

static enum w_status read_lines(struct prompts *all, const struct settings *set, const char *bytes,
                                size_t size, struct w_err *err)
{
    enum w_status status = W_DONE;
    const char *at = bytes, *line;
    size_t length;
    u64 number = 0;

    while (!status && w_line_next(&at, bytes + size, &line, &length)) {
        struct prompt *p = NULL;
        number++;
        if (strspn(line, " \t\r") >= length)
            continue;
        status = add_prompt(all, set, &p, err);
        if (status)
            break;
        p->line = number;
        status = read_json(p, line, length, err);
        if (status)
            status =
                w_fail_at(err, status, "%s: line %llu", set->prompts, (unsigned long long)number);
    }
    if (!status && !all->count)
        status = w_fail(err, W_MISMATCH, "%s: holds no prompt", set->prompts);
    return status;
}

/* Append the ids of a text, which is normalised first if the vocabulary wants that. */
static enum w_status encode(const struct loaded_model *m, const struct w_draft *text,
                            struct w_ids *ids, struct w_err *err)
{
    const u8 *bytes = (const u8 *)text->bytes;
    struct w_buffer normal = {0};
    enum w_status status;

    if (!w_vocab_nfc(m->vocab))
        return w_encode(m->encoder, bytes, text->count, ids, err);
    status = w_nfc_append(&normal, bytes, text->count, err);
    if (!status)
        status = w_encode(m->encoder, normal.at, normal.size, ids, err);
    w_buffer_free(&normal);
    return status;
}

static enum w_status make_ids(struct prompt *p, const struct loaded_model *m, struct w_err *err)
{
    enum w_status status = w_ids_append(&p->ids, w_vocab_eot_id(m->vocab), err);

    if (!status)
        status = encode(m, &p->text, &p->ids, err);
    if (status || p->ids.count <= m->conf.max_length)
        return status;
    char place[32] = "";
    if (p->line)
        snprintf(place, sizeof place, "line %llu: ", (unsigned long long)p->line);
    w_warn("%sthe prompt has %zu tokens: the model sees only the last %llu of them", place,
           p->ids.count, (unsigned long long)W_MAX(m->conf.max_length / 2, 1));
    return W_DONE;
}

enum w_status wsample_prompts_read(struct prompts *all, const struct settings *set,
                                   const struct loaded_model *m, struct w_err *err)
{
    struct prompt *one = NULL;
    char *bytes = NULL;
    size_t size = 0;
    enum w_status status = W_DONE;

    if (set->prompts) {
        status = w_input_slurp(set->prompts, PROMPTS_LIMIT, &bytes, &size, err);
        if (!status)
            status = read_lines(all, set, bytes, size, err);
        free(bytes);
    } else {
        status = add_prompt(all, set, &one, err);
        if (!status)
            status = read_one(one, set, err);
    }
    for (size_t i = 0; i < all->count && !status; i++)
        status = make_ids(&all->items[i], m, err);
    return status;
}

enum w_status wsample_prompts_add(struct prompts *all, const struct settings *set,
                                  const struct loaded_model *m, const char *line, size_t size,
                                  struct w_err *err)
{
    struct prompt *p = NULL;
    enum w_status status = add_prompt(all, set, &p, err);

    if (!status)
        status = size && *line == '{' ? read_json(p, line, size, err)
                                      : w_draft_append(&p->text, line, size, err);
    return status ? status : make_ids(p, m, err);
}

void wsample_prompts_release(struct prompts *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct prompt *p = &all->items[i];
        free(p->own_stops);
        w_json_free(p->json);
        free(p->text.bytes);
        free(p->ids.ids);
    }
    free(all->items);
}
