/* wwiki clean - remove the markup that other extractors left in their text. */
#include <string.h>

#include "tools/wwiki.h"
#include "wiki/clean_reader.h"

struct settings {
    struct wwiki_io io;
    const char *field;
    u32 unescape; /* enum w_unescape */
};

static const struct w_option options[] = {
    WWIKI_IO_OPTIONS(struct settings),
    {"unescape", 0, W_OPT_CHOICE, AT(unescape), "WHEN", "auto", .choices = "auto|yes|no",
     .help = "Turn &lt; and the like into characters first; auto does so for a file that has them, "
             "and no < of its own."},
    {"field", 0, W_OPT_TEXT, AT(field), "NAME", "text",
     .help = "With JSON Lines: the member that is the text."},
    {0},
};

static const char *const examples[] = {
    "The output of WikiExtractor without the markup that it left",
    "wwiki clean extracted/ | wtok train -n 16000 -o wiki.vocab",
    NULL,
};

/* Clean the present file. */
static enum w_status clean_file(struct run *run, struct w_clean_reader *reader, struct w_err *err)
{
    struct w_span text;

    enum w_status status = w_clean_reader_begin(reader, run->files.unpack, run->files.in.name, err);
    while (!status && !(status = w_clean_reader_next(reader, &text, err))) {
        struct w_clean_reader_counts counts = w_clean_reader_counts(reader);
        status = w_signals_check(err);
        if (!status)
            status = w_output_write(&run->out, text.at, text.size, err);
        wwiki_progress(run, counts.documents ? &counts.documents : NULL);
    }
    return status == W_END ? W_DONE : status;
}

static void say(struct run *run, const struct w_clean_reader_counts *c)
{
    const struct w_clean_counts *removed = &c->removed;

    if (c->documents + c->empty > 0) { /* plain text has none */
        wwiki_figure(run, "documents", "documents", c->documents);
        wwiki_figure(run, "empty", "documents of which nothing is left", c->empty);
    }
    wwiki_figure(run, "text_bytes", "bytes", run->out.bytes);
    wwiki_figure(run, "read_bytes", "bytes before", c->read_bytes);
    wwiki_figure(run, "placeholders", "formula_N and codice_N", removed->placeholders);
    wwiki_figure(run, "parentheses", "empty parentheses", removed->parentheses);
    wwiki_figure(run, "templates", "templates", removed->templates);
    wwiki_figure(run, "braces", "single braces", removed->braces);
    wwiki_figure(run, "tags", "tags", removed->tags);
    wwiki_figure(run, "links", "links", removed->links);
    wwiki_figure(run, "entities", "entities", removed->entities);
    wwiki_figure(run, "lines", "lines", removed->lines);
}

static enum w_status clean_all(struct run *run, struct w_err *err)
{
    const struct settings *set = run->settings;
    const struct w_clean_reader_options how = {.field = set->field,
                                               .unescape = (enum w_unescape)set->unescape};
    struct w_clean_reader *reader = NULL;

    enum w_status status = w_clean_reader_new(&reader, &how, err);
    while (!status && !(status = w_text_files_next(&run->files, err)))
        status = clean_file(run, reader, err);
    if (status == W_END) {
        status = W_DONE;
        struct w_clean_reader_counts counts = w_clean_reader_counts(reader);
        say(run, &counts);
    }
    w_clean_reader_free(reader);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    return wwiki_run(&set->io, clean_all, set, argc, argv, err);
}

const struct w_program wwiki_clean_program = {
    "wwiki clean",
    "remove the markup that other extractors left in their text",
    "[FILE|FOLDER ...]",
    "Reads text that another extractor made, WikiExtractor's blocks, JSON Lines or plain text, and "
    "removes the markup that it left. The output has the form of the input.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
