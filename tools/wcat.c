/* wcat - show, verify, join and cut streams. */
#include "tools/wcat.h"

#include <string.h>

#include "sys/clock.h"
#include "wire/prov.h"

static const char *const examples[] = {
    "What is in it, frame by frame",
    "wcat wiki.tokens | jq -c '{type,offset,count}'",
    NULL,
};

static const struct w_program program = {
    "wcat",
    "show, verify, join, cut and split streams",
    "COMMAND",
    "Reads what the other programs write: streams of tokens, batches and tensors. Without FILE: "
    "standard input.",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"show", &wcat_show_program}, {"verify", &wcat_verify_program}, {"raw", &wcat_raw_program},
    {"copy", &wcat_copy_program}, {"split", &wcat_split_program},   {0},
};

int main(int argc, char **argv)
{
    return w_cli_main(&program, commands, &commands[0], argc, argv);
}

/* ---- shared by the commands ---- */

void wcat_progress(const struct source *s, u64 offset)
{
    w_progress_of(false, &(struct w_task){.verb = "read",
                                          .unit = "MB",
                                          .done = (double)offset / 1e6,
                                          .all = (double)s->in.size_bytes / 1e6,
                                          .seconds = w_now_s() - s->opened_s,
                                          .digits = 1});
}

static void look_at_frame(void *source, u64 offset, const struct w_frame *f)
{
    wcat_progress(source, offset);
    (void)f;
}

enum w_status wcat_open(struct source *s, const char *path, struct w_err *err)
{
    *s = (struct source){.opened_s = w_now_s()};
    enum w_status status = W_DONE;
    if (!strcmp(path, "-"))
        status = w_cli_refuse_typing("name a file or pipe a stream in; see wcat --help", err);
    if (!status)
        status = w_input_open(&s->in, path, err);
    if (!status)
        status = w_reader_open(&s->reader, &s->in, err);
    if (!status)
        w_reader_on_frame(s->reader, look_at_frame, s);
    return status;
}

void wcat_close(struct source *s)
{
    w_reader_close(&s->reader);
    w_input_close(&s->in);
}

enum w_status wcat_write(const char *output, char **paths, wcat_work *work, const void *settings,
                         struct w_err *err)
{
    struct w_output out;

    w_signals_catch(); /* a signal must not leave a temporary file */
    enum w_status status = w_output_open(&out, output, err);
    if (status)
        return status;
    status = work(settings, w_cli_paths(paths), &out, err);
    if (!status)
        return w_output_commit(&out, err);
    w_output_abort(&out);
    return status;
}

const char *const wcat_of_records[] = {"wts", "kind", "rec", "vocab", "eot", "tok", NULL};

enum w_status wcat_header(struct w_header *header, const struct w_header *first, bool traced,
                          struct w_err *err)
{
    struct w_json *json = w_json_object();

    for (size_t i = 0; wcat_of_records[i]; i++) {
        const struct w_json *value = w_json_get(first->json, wcat_of_records[i]);
        if (value)
            w_json_set(json, wcat_of_records[i], w_json_copy(value));
    }
    w_json_set_string(json, "by", "wcat " W_VERSION_TEXT);
    if (!w_json_is_object(json)) {
        w_json_free(json);
        return w_fail(err, W_NOMEM, "no memory for a header");
    }
    enum w_status status = w_header_from_json(header, json, err);
    if (!status && traced)
        status = w_prov_add(header, w_cli_provenance(), first, err);
    return status;
}
