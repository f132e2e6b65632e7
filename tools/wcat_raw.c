/* wcat raw - the bytes of records alone. */
#include <string.h>

#include "tools/wcat.h"

struct settings {
    const char *tensor, *output;
};

static const struct w_option options[] = {
    {"tensor", 0, W_OPT_TEXT, AT(tensor), "NAME", .help = "Only the bytes of this tensor."},
    WCAT_OUTPUT_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "Tokens as numbers",
    "wcat raw wiki.tokens | od -An -tu2 | head",
    "One tensor as numbers",
    "wcat raw --tensor wpe.weight wiki.wts | od -An -tf4 | head",
    NULL,
};

static enum w_status raw_tensor(struct source *s, const struct w_array *a, struct w_output *out,
                                struct w_err *err)
{
    const void *bytes;
    u64 count;

    enum w_status status = w_reader_seek(s->reader, a->offset, NULL, err);
    for (u64 left = a->bytes; left > 0 && !status; left -= count) {
        status = w_reader_records(s->reader, &bytes, &count, err);
        count = W_MIN(count, left);
        if (!status)
            status = w_output_write(out, bytes, count, err);
    }
    return status;
}

static enum w_status raw_file(const struct settings *set, const char *path, struct w_output *out,
                              struct w_err *err)
{
    struct source s;
    const struct w_header *h;
    const void *records;
    u64 count;
    bool found = false;

    enum w_status status = wcat_open(&s, path, err);
    while (!status && !found && !(status = w_reader_member(s.reader, &h, err))) {
        const struct w_array *a =
            set->tensor && h->kind == W_TENSORS ? w_header_find(h, set->tensor) : NULL;
        if (a)
            status = raw_tensor(&s, a, out, err);
        while (!status && !set->tensor &&
               !(status = w_reader_records(s.reader, &records, &count, err)))
            status = w_output_write(out, records, count * h->record_bytes, err);
        status = status == W_END ? W_DONE : status;
        found = a != NULL;
    }
    if (status == W_END && set->tensor)
        status = w_fail(err, W_MISMATCH, "%s: no tensor is called %s: see wcat --what header",
                        s.in.name, set->tensor);
    wcat_close(&s);
    return status == W_END ? W_DONE : status;
}

static enum w_status raw_all(const void *settings, char **paths, struct w_output *out,
                             struct w_err *err)
{
    enum w_status status = W_DONE;

    for (; *paths && !status; paths++)
        status = raw_file(settings, *paths, out, err);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    enum w_status status = w_cli_refuse_terminal(set->output, "use -o FILE or a pipe", err);

    (void)argc;
    return status ? status : wcat_write(set->output, argv, raw_all, set, err);
}

const struct w_program wcat_raw_program = {
    "wcat raw",
    "write the bytes of the records",
    "[FILE ...]",
    "Writes the bytes of the records alone, numbers little-endian.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
