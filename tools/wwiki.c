/* wwiki - MediaWiki dumps to documents of text. */
#include "tools/wwiki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/json.h"
#include "sys/machine.h"

static const struct w_option options[] = {
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE",
     .help = "Write to FILE, which appears when it is complete. Default: standard output."},
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "jsonl", .choices = "jsonl|wiki|plain",
     .help = "JSON Lines with id, url, title and text; WikiExtractor's <doc> blocks; or the text "
             "alone."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", .min = 1, .max = 256,
     .help = "Threads that decompress, and as many that render. Default: OMP_NUM_THREADS, else the "
             "cores that may be used. The bytes do not depend on it."},
    {"count", 'n', W_OPT_COUNT, AT(count), "N", .help = "Stop after N documents; 0: at the end."},
    {"namespace", 0, W_OPT_LIST, AT(namespaces), "N",
     .help = "Take pages of namespace N, by its number; 0, the articles, if none is named. May be "
             "given again."},
    {"no-disambiguation", 0, W_OPT_FLAG, AT(no_disambiguation),
     .help = "Leave out pages that only list what a name may mean."},
    {"title", 0, W_OPT_FLAG, AT(title),
     .help = "Begin each text with the title and an empty line, as <doc> blocks always do."},
    {"separator", 0, W_OPT_TEXT, AT(separator), "TEXT",
     .help = "What follows each document of plain text. Default: two empty lines."},
    {"headings", 0, W_OPT_CHOICE, AT(headings), "KIND", "plain", .choices = "plain|marked|none",
     .help = "Headings of sections: their text, between signs of equality, or none."},
    {"drop-sections", 0, W_OPT_TEXT, AT(drop_sections), "NAMES",
     .help = "Leave out the sections of these headings: \"References|External links\". Default: a "
             "list in English; \"\": none."},
    {"item", 0, W_OPT_TEXT, AT(item), "TEXT", .help = "Stands before each item of a list: \"- \"."},
    {"math", 0, W_OPT_TEXT, AT(math), "TEXT",
     .help = "Stands for mathematics and chemistry. Default: their TeX source."},
    {"tables", 0, W_OPT_FLAG, AT(tables),
     .help = "Keep the text of tables, a line for each row. Default: they are left out."},
    {"inlines", 0, W_OPT_TEXT, AT(inlines), "FILE",
     .help = "More templates that stand for words in a sentence: rows NAME = PATTERN."},
    {"clean", 0, W_OPT_FLAG, AT(clean),
     .help =
         "Read text that another extractor made, instead of dumps, and remove what it left: see "
         "Cleaning. The output has the form of the input."},
    {"unescape", 0, W_OPT_CHOICE, AT(unescape), "WHEN", "auto", .choices = "auto|yes|no",
     .help = "With --clean: turn &lt; and the like into characters first; auto does so for a file "
             "that has them, and no < of its own."},
    {"field", 0, W_OPT_TEXT, AT(field), "NAME", "text",
     .help = "With --clean and JSON Lines: the member that is the text."},
    {"log", 0, W_OPT_TEXT, AT(log), "FILE",
     .help = "Write what became of the pages to FILE, as a JSON object."},
    {0},
};

static const char *const examples[] = {
    "All articles of a dump",
    "wwiki -o wiki.jsonl enwiki-latest-pages-articles-multistream.xml.bz2",
    "A vocabulary from the first 20,000 articles, then tokens of all, without text on the disk",
    "wwiki -n 20000 enwiki.xml.bz2 | wtok train -n 16000 -o wiki.vocab",
    "From a dump to a model in a pipeline",
    "wwiki enwiki.xml.bz2 | wtok encode -V wiki.vocab | wbatch -c fast.json |\n"
    "    wtrain -c fast.json -o wiki.wts",
    "A dump that is being fetched, as WikiExtractor writes it",
    "curl -s URL | wwiki -f wiki -o wiki.txt",
    "What WikiExtractor wrote, without what it left of markup",
    "wwiki --clean extracted/ | wtok train -n 16000 -o wiki.vocab",
    NULL,
};

static const struct w_program program = {
    "wwiki",
    "turn MediaWiki dumps into documents of text",
    "[FILE|FOLDER ...]",
    "Reads XML dumps of a wiki (pages-articles; plain, or by bzip2 in one stream or many) and "
    "writes the text of each page that a reader sees: without markup, templates, references and "
    "tables.",
    options,
    examples,
};

/* Do documents come out, and not only text? */
static bool has_documents(const struct run *run)
{
    return !run->set->clean || run->counts.documents + run->counts.empty > 0;
}

void wwiki_progress(const struct run *run, u64 bytes, bool last)
{
    char documents[40] = "";
    double read_mb = (double)(run->bytes + bytes) / 1e6;
    double seconds = w_now_s() - run->started_s, rate = seconds > 0 ? read_mb / seconds : 0;

    if (has_documents(run))
        snprintf(documents, sizeof documents, "%llu documents, ",
                 (unsigned long long)run->counts.documents);
    if (run->files.sized)
        w_progress(last, "%sread %.1f of %.1f MB, %.1f MB/s", documents, read_mb,
                   (double)run->files.bytes / 1e6, rate);
    else
        w_progress(last, "%sread %.1f MB, %.1f MB/s", documents, read_mb, rate);
}

/* What is counted: its name in the log, and the words behind it in the closing line. */
struct figure {
    const char *name, *words;
    size_t offset;
};
static const struct figure extracted[] = {
    {"documents", "documents", offsetof(struct counts, documents)},
    {"text_bytes", "bytes of text", offsetof(struct counts, text_bytes)},
    {"pages", "pages", offsetof(struct counts, pages)},
    {"other_namespace", "in other namespaces", offsetof(struct counts, other_namespace)},
    {"redirects", "redirects", offsetof(struct counts, redirects)},
    {"other_models", "of other models", offsetof(struct counts, other_models)},
    {"disambiguations", "disambiguations", offsetof(struct counts, disambiguations)},
    {"empty", "empty", offsetof(struct counts, empty)},
    {0},
};
/* Plain text has no documents: the first two are left out. */
#define FIGURES_OF_DOCUMENTS 2
static const struct figure cleaned[] = {
    {"documents", "documents", offsetof(struct counts, documents)},
    {"empty", "documents of which nothing is left", offsetof(struct counts, empty)},
    {"text_bytes", "bytes", offsetof(struct counts, text_bytes)},
    {"read_bytes", "bytes before", offsetof(struct counts, read_bytes)},
    {"placeholders", "formula_N and codice_N", offsetof(struct counts, cleaned.placeholders)},
    {"parentheses", "empty parentheses", offsetof(struct counts, cleaned.parentheses)},
    {"templates", "templates", offsetof(struct counts, cleaned.templates)},
    {"braces", "single braces", offsetof(struct counts, cleaned.braces)},
    {"tags", "tags", offsetof(struct counts, cleaned.tags)},
    {"links", "links", offsetof(struct counts, cleaned.links)},
    {"entities", "entities", offsetof(struct counts, cleaned.entities)},
    {"lines", "lines", offsetof(struct counts, cleaned.lines)},
    {0},
};

static u64 value(const struct counts *counts, const struct figure *f)
{
    return *(const u64 *)((const char *)counts + f->offset);
}

static void say_figures(const struct run *run, const struct figure *f, double seconds)
{
    char line[512];
    size_t used = 0;

    for (; f->name && used < sizeof line; f++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%llu %s%s",
                                 (unsigned long long)value(&run->counts, f), f->words,
                                 f[1].name ? ", " : "");
    w_say("%s; %.2f s", line, seconds);
}

static enum w_status write_log(const struct run *run, const struct figure *f, double seconds,
                               struct w_err *err)
{
    struct w_json *json = w_json_object();

    for (; f->name; f++)
        w_json_set_u64(json, f->name, value(&run->counts, f));
    w_json_set_real(json, "seconds", seconds);
    enum w_status status = w_json_save(json, false, run->set->log, err);
    w_json_free(json);
    return status;
}

static u32 choose_threads(u64 asked)
{
    struct w_machine machine;
    const char *why = "";

    w_machine_read(&machine, "");
    return w_machine_threads(&machine, asked, getenv("OMP_NUM_THREADS"), &why);
}

/* What would have no effect was meant to have one. */
static enum w_status check_settings(const struct settings *set, struct w_err *err)
{
    const struct {
        const char *name;
        bool is_given, is_of_clean;
    } rows[] = {
        {"--format", set->format != W_WIKI_JSONL, false},
        {"--count", set->count != 0, false},
        {"--namespace", set->namespaces.count != 0, false},
        {"--no-disambiguation", set->no_disambiguation, false},
        {"--title", set->title, false},
        {"--separator", set->separator, false},
        {"--headings", set->headings != W_HEADINGS_PLAIN, false},
        {"--drop-sections", set->drop_sections, false},
        {"--item", set->item, false},
        {"--math", set->math, false},
        {"--tables", set->tables, false},
        {"--inlines", set->inlines, false},
        {"--unescape", set->unescape != UNESCAPE_AUTO, true},
        {"--field", strcmp(set->field, "text"), true},
    };

    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (rows[i].is_given && rows[i].is_of_clean != set->clean)
            return w_fail(err, W_USAGE, "%s %s --clean", rows[i].name,
                          set->clean ? "has no effect with" : "goes with");
    return set->log ? w_cli_refuse_same(set->output, set->log, err) : W_DONE;
}

static enum w_status run_all(const struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct run run = {.set = set, .out = {.fd = -1}, .started_s = w_now_s()};
    enum w_status status = check_settings(set, err);

    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a dump, or pipe one in", err);
    if (!status)
        status = w_file_list_make(&run.files, argv, (size_t)argc, err);
    run.threads = choose_threads(set->threads);
    w_cli_catch_signals();
    if (!status)
        status = w_output_open(&run.out, set->output, err);
    if (!status)
        status = set->clean ? wwiki_clean(&run, err) : wwiki_extract(&run, err);
    const struct figure *figures = !set->clean           ? extracted
                                   : has_documents(&run) ? cleaned
                                                         : cleaned + FIGURES_OF_DOCUMENTS;
    double seconds = w_now_s() - run.started_s;
    if (!status)
        status = w_output_commit(&run.out, err);
    if (!status && set->log)
        status = write_log(&run, figures, seconds, err);
    if (!status)
        say_figures(&run, figures, seconds);
    w_output_abort(&run.out);
    w_file_list_release(&run.files);
    return status;
}

int main(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run_all(&set, argc, argv, &err), &err);
}
