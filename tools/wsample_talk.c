/* Prompts as they are typed: the model stays, each line is continued. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/wsample_text.h"

#define LINE_LIMIT ((size_t)1 << 20) /* bytes */

/* Lines of standard input, each as soon as it is there. */
struct typed {
    struct w_input in;
    char *bytes;
    size_t begin, end, room; /* of what was read and not yet used */
};

/* W_END: there is none. */
static enum w_status next_line(struct typed *t, char **line, size_t *size, struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t searched = t->begin, got = 1;
    char *newline = NULL;

    while (!status && got && !newline) {
        newline = memchr(t->bytes + searched, '\n', t->end - searched);
        if (newline)
            break;
        memmove(t->bytes, t->bytes + t->begin, t->end - t->begin);
        t->end -= t->begin;
        t->begin = 0;
        searched = t->end;
        if (t->end == LINE_LIMIT)
            return w_fail(err, W_LIMIT, "standard input: a line of more than %zu bytes",
                          LINE_LIMIT);
        status = w_input_some(&t->in, t->bytes + t->end, LINE_LIMIT - t->end, &got, err);
        t->end += got;
    }
    if (status)
        return status;
    *line = t->bytes + t->begin;
    *size = newline ? (size_t)(newline - *line) : t->end - t->begin;
    t->begin += *size + (newline != NULL);
    return newline || *size ? W_DONE : W_END;
}

/* Continue one line. A line that cannot be is told and skipped; Ctrl-C ends the sample alone. */
static enum w_status answer(struct generation *g, const struct settings *set,
                            const struct loaded_model *m, const char *line, size_t size,
                            struct w_err *err)
{
    struct prompts prompts = {0};
    struct w_err wrong = {0};
    enum w_status status = wsample_prompts_add(&prompts, set, m, line, size, &wrong);

    if (status == W_CORRUPT) {
        w_warn("%s", wrong.text);
        status = W_DONE;
    } else if (status) {
        *err = wrong;
    } else {
        status = wsample_generation_run(g, &prompts, err);
        if (w_signal_stop == SIGINT)
            w_signal_stop = 0;
    }
    wsample_prompts_release(&prompts);
    return status;
}

enum w_status wsample_talk(const struct settings *set, struct loaded_model *model,
                           struct w_err *err)
{
    const bool terminal = w_is_terminal(STDIN_FILENO);
    struct generation *g = NULL;
    struct typed typed = {.bytes = malloc(LINE_LIMIT)};
    char *line = NULL;
    size_t size = 0;

    enum w_status status =
        typed.bytes ? W_DONE : w_fail(err, W_NOMEM, "no memory for a line of text");
    if (!status)
        status = w_input_open(&typed.in, "-", err);
    if (!status)
        status = wsample_generation_new(&g, set, model, set->samples, err);
    w_signals_catch();
    while (!status && !w_signal_stop) {
        if (terminal)
            fputs("> ", stderr);
        status = next_line(&typed, &line, &size, err);
        if (!status && size)
            status = answer(g, set, model, line, size, err);
    }
    if (status == W_END) {
        status = W_DONE;
        wsample_generation_report(g);
    }
    wsample_generation_free(g);
    w_input_close(&typed.in);
    free(typed.bytes);
    return status;
}
