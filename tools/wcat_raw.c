/* wcat raw - the bytes of records alone. */
#include <string.h>

#include "tools/wcat.h"

struct settings {
    const char *tensor, *column, *output;
};

static const struct w_option options[] = {
    {"tensor", 0, W_OPT_TEXT, AT(tensor), "NAME", .help = "Only the bytes of this tensor."},
    {"column", 0, W_OPT_TEXT, AT(column), "NAME",
     .help = "Of records of tokens or batches, only the bytes of this column."},
    WCAT_OUTPUT_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "Tokens as numbers",
    "wcat raw wiki.tokens | od -An -tu2 | head",
    "The log-probabilities that counts gave to tokens",
    "wcat raw --column lp counted.tokens | od -An -tf4 | head",
    "One tensor as numbers",
    "wcat raw --tensor wpe.weight wiki.wts | od -An -tf4 | head",
    NULL,
};

static enum w_status raw_tensor(struct source *s, const struct w_array *a, struct w_output *out,
                                struct w_err *err)
{
    const void *bytes;
    u64 count;

    enum w_status status = w_reader_seek(s->reader, a->offset, err);
    for (u64 left = a->bytes; left > 0 && !status; left -= count) {
        status = w_reader_records(s->reader, &bytes, &count, err);
        count = W_MIN(count, left);
        if (!status)
            status = w_output_write(out, bytes, count, err);
    }
    return status;
}

/* Write one column of so many records: of small ones, many in one write. */
static enum w_status write_column(const struct w_array *column, const u8 *records, u64 record_bytes,
                                  u64 count, struct w_output *out, struct w_err *err)
{
    u8 gathered[1 << 14];
    const u64 many = sizeof gathered / column->bytes;
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status;) {
        const u64 n = W_MIN(count - i, W_MAX(many, 1));
        for (u64 k = 0; many && k < n; k++)
            memcpy(gathered + k * column->bytes, records + (i + k) * record_bytes + column->offset,
                   column->bytes);
        status = w_output_write(out, many ? gathered : records + i * record_bytes + column->offset,
                                n * column->bytes, err);
        i += n;
    }
    return status;
}

/* The records of a member, or one column of them. */
static enum w_status raw_records(struct source *s, const struct w_header *h,
                                 const struct w_array *column, struct w_output *out,
                                 struct w_err *err)
{
    const void *records;
    u64 count;
    enum w_status status = W_DONE;

    while (!status && !(status = w_reader_records(s->reader, &records, &count, err)))
        status = column ? write_column(column, records, h->record_bytes, count, out, err)
                        : w_output_write(out, records, count * h->record_bytes, err);
    return status == W_END ? W_DONE : status;
}

static enum w_status raw_file(const struct settings *set, const char *path, struct w_output *out,
                              struct w_err *err)
{
    const char *name = set->tensor ? set->tensor : set->column;
    struct source s;
    const struct w_header *h;
    bool found = false;

    enum w_status status = wcat_open(&s, path, err);
    while (!status && !(found && set->tensor) && !(status = w_reader_member(s.reader, &h, err))) {
        const struct w_array *a = name && w_kind_is_blob(h->kind) == (set->tensor != NULL)
                                      ? w_header_find(h, name)
                                      : NULL;
        found = found || a;
        if (a && set->tensor)
            status = raw_tensor(&s, a, out, err);
        else if (a || !name)
            status = raw_records(&s, h, a, out, err);
        else if (set->column)
            status = w_fail(err, W_MISMATCH, "%s: no column is called %s: see wcat --what header",
                            s.in.name, name);
    }
    if (status == W_END && set->tensor)
        status = w_fail(err, W_MISMATCH, "%s: no tensor is called %s: see wcat --what header",
                        s.in.name, name);
    wcat_close(&s);
    return status == W_END ? W_DONE : status;
}

static enum w_status write_raw(const void *settings, char **paths, struct w_output *out,
                               struct w_err *err)
{
    enum w_status status = W_DONE;

    for (; *paths && !status; paths++)
        status = raw_file(settings, *paths, out, err);
    return status;
}

static enum w_status write_all(const struct settings *set, char **paths, struct w_err *err)
{
    enum w_status status = w_cli_refuse_terminal(set->output, "use -o FILE or a pipe", err);

    return status ? status : wcat_write(set->output, paths, write_raw, set, err);
}

enum w_status wcat_raw_all(char **paths, const char *output, struct w_err *err)
{
    const struct settings all = {.output = output};

    return write_all(&all, paths, err);
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    (void)argc;
    if (set->tensor && set->column)
        return w_fail(err, W_USAGE, "a tensor has no columns: give --tensor or --column");
    return write_all(set, argv, err);
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
