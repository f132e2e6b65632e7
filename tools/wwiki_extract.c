/* wwiki extract - pages of dumps to documents.
 *
 * One thread reads the XML and writes the documents in the order of the pages; others decompress
 * and render. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strnum.h"
#include "sys/ordered.h"
#include "base/grow.h"
#include "tools/wwiki.h"
#include "wiki/disambiguation.h"
#include "wiki/dump.h"
#include "wiki/wiki_block.h"
#include "wiki/wikitext.h"

struct settings {
    struct wwiki_io io;
    const char *separator, *inlines, *math, *item, *drop_sections;
    struct w_text_list namespaces;
    u64 count;
    u32 format;   /* enum w_wiki_form */
    u32 headings; /* enum w_wiki_headings */
    bool title, no_disambiguation, tables;
};

static const struct w_option options[] = {
    WWIKI_IO_OPTIONS(struct settings),
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "jsonl", .choices = "jsonl|wiki|plain",
     .help = "JSON Lines with id, url, title and text; WikiExtractor's <doc> blocks; or the text "
             "alone."},
    {"count", 'n', W_OPT_COUNT, AT(count), "N", .help = "Stop after N documents; 0: at the end."},
    {"namespace", 0, W_OPT_LIST, AT(namespaces), "N",
     .help = "Take pages of namespace N, by its number; 0, the articles, if none is named. May be "
             "given again."},
    {"no-disambiguation", 0, W_OPT_FLAG, AT(no_disambiguation),
     .help = "Leave out pages that only list what a name may mean."},
    {"title", 0, W_OPT_FLAG, AT(title),
     .help = "Begin each text with the title and an empty line, as <doc> blocks always do."},
    {"separator", 0, W_OPT_TEXT, AT(separator), "TEXT",
     .help = "Text after each document, with plain. Default: two empty lines."},
    {"headings", 0, W_OPT_CHOICE, AT(headings), "KIND", "plain", .choices = "plain|marked|none",
     .help = "Headings of sections: their text, their text between equals signs, or none."},
    {"drop-sections", 0, W_OPT_TEXT, AT(drop_sections), "NAMES",
     .help = "Leave out the sections of these headings: \"References|External links\". Default: a "
             "list in English; \"\": none."},
    {"item", 0, W_OPT_TEXT, AT(item), "TEXT", .help = "Text before each item of a list: \"- \"."},
    {"math", 0, W_OPT_TEXT, AT(math), "TEXT",
     .help = "Text in place of mathematics and chemistry. Default: their TeX source."},
    {"tables", 0, W_OPT_FLAG, AT(tables),
     .help = "Keep the text of tables, a line for each row. Default: they are left out."},
    {"inlines", 0, W_OPT_TEXT, AT(inlines), "FILE",
     .help = "More templates that stand for words in a sentence: rows NAME = PATTERN."},
    {0},
};

static const char *const examples[] = {
    "All articles of a dump",
    "wwiki -o wiki.jsonl enwiki-latest-pages-articles-multistream.xml.bz2",
    "A vocabulary from the first 20,000 articles, without text on the disk",
    "wwiki -n 20000 enwiki.xml.bz2 | wtok train -n 16000 -o wiki.vocab",
    "A dump that is being fetched, as WikiExtractor writes it",
    "curl -s URL | wwiki -f wiki -o wiki.txt",
    NULL,
};

#define BATCH_BYTES ((size_t)256 << 10) /* pages for a thread: full from here on */
#define BATCH_PAGES 4096                /* or from here on, where most are left out */

/* What becomes of a page. Until it has been rendered, a candidate is DOCUMENT. */
enum fate { DOCUMENT, EMPTY, DISAMBIGUATION, OTHER_NAMESPACE, REDIRECT, OTHER_MODEL };

/* A page of a job. The job's source holds its title, then its wikitext; for a page that is not
 * rendered both are empty. */
struct record {
    u64 id;
    size_t title_size, source_size;
    enum fate fate;
    size_t text_size; /* rendered */
    size_t end;       /* in the batch's output */
};

/* Some pages, to be rendered on a thread. */
struct job {
    struct w_buffer source, out;
    struct record *records;
    size_t count, room;
    u64 candidates; /* pages that may become documents */
    enum w_status status;
    struct w_err err;
};

/* What became of the pages: each is counted once in other_namespace to documents. */
struct counts {
    u64 pages, other_namespace, redirects, other_models, disambiguations, empty, documents;
    u64 text_bytes; /* of the documents */
};

/* One <mediawiki>. */
struct extraction {
    struct run *run;
    const struct settings *set;
    struct counts counts; /* of all of them */
    struct w_dump *dump;
    struct w_inline_table *inlines; /* for the language of this one */
    char *own_rows;                 /* that the user adds; owned */
    size_t own_rows_size;
    struct w_wiki_style style;
    struct w_wikitext **renderers; /* by thread */
    struct w_ordered *ordered;
    struct job *jobs; /* by slot */
    u32 slots;
    i64 *namespaces;
    size_t namespace_count;
    u64 candidates;     /* of all jobs that are not written yet */
    enum w_status read; /* how reading ended, to report after the jobs before; W_DONE: it has not */
    struct w_err read_err;
};

/* ---- on a thread ---- */

static enum w_status render_page(const struct extraction *x, u32 worker, struct job *job,
                                 struct record *r, const u8 *at)
{
    struct w_span title = {at, r->title_size}, source = {at + r->title_size, r->source_size}, text;

    r->fate = DISAMBIGUATION;
    if (x->set->no_disambiguation && w_is_disambiguation(title, source))
        return W_DONE;
    enum w_status status = w_wikitext_render(x->renderers[worker], title, source, &text, &job->err);
    if (status)
        return status;
    r->fate = text.size ? DOCUMENT : EMPTY;
    r->text_size = text.size;
    if (r->fate == DOCUMENT)
        w_wiki_block_add(&job->out, &x->style, r->id, title, text);
    r->end = job->out.size;
    return job->out.failed ? w_fail(&job->err, W_NOMEM, "no memory for a document") : W_DONE;
}

static void render_job(void *context, u32 slot, u32 worker)
{
    struct extraction *x = context;
    struct job *job = &x->jobs[slot];
    const u8 *at = job->source.at;

    job->out.size = 0;
    job->status = W_DONE;
    for (size_t i = 0; i < job->count && !job->status; i++) {
        struct record *r = &job->records[i];
        r->end = job->out.size;
        if (r->fate == DOCUMENT)
            job->status = render_page(x, worker, job, r, at);
        at += r->title_size + r->source_size;
    }
}

/* ---- the thread that reads and writes ---- */

/* The fate of a page as far as it is known before rendering. */
static enum fate fate_of(const struct extraction *x, const struct w_page *page)
{
    bool in_namespace = false;

    for (size_t i = 0; i < x->namespace_count; i++)
        in_namespace = in_namespace || x->namespaces[i] == page->ns;
    if (!in_namespace)
        return OTHER_NAMESPACE;
    if (page->redirect)
        return REDIRECT;
    if (!page->wikitext)
        return OTHER_MODEL;
    return page->text.size ? DOCUMENT : EMPTY;
}

static bool add_page(struct job *job, const struct w_page *page, enum fate fate)
{
    struct record record = {.id = page->id, .fate = fate};

    if (w_grow(&job->records, &job->room, job->count + 1, sizeof *job->records, "pages", NULL))
        return false;
    if (fate == DOCUMENT) {
        record.title_size = page->title.size;
        record.source_size = page->text.size;
        w_buffer_span(&job->source, page->title);
        w_buffer_span(&job->source, page->text);
        if (job->source.failed)
            return false;
        job->candidates++;
    }
    job->records[job->count++] = record;
    return true;
}

/* Are there as many documents as were asked for, if each candidate becomes one? Then the jobs are
 * awaited before more is read, because more input may be long in coming. */
static bool has_enough(const struct extraction *x, u64 candidates)
{
    u64 most = x->set->count;

    return most && x->counts.documents + candidates >= most;
}

/* Replace a job's pages by the next ones of the dump. It may have some even if reading fails. */
static enum w_status fill(struct extraction *x, struct job *job, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_page page;

    job->source.size = 0;
    job->count = 0;
    job->candidates = 0;
    while (!status && job->source.size < BATCH_BYTES && job->count < BATCH_PAGES &&
           !has_enough(x, x->candidates + job->candidates)) {
        status = w_signals_check(err);
        if (!status)
            status = w_dump_next(x->dump, &page, err);
        if (!status && !add_page(job, &page, fate_of(x, &page)))
            status = w_fail(err, W_NOMEM, "no memory for a page");
    }
    return status;
}

static void count_page(struct counts *c, const struct record *r)
{
    c->pages++;
    switch (r->fate) {
    case DOCUMENT:
        c->documents++;
        c->text_bytes += r->text_size;
        break;
    case EMPTY: c->empty++; break;
    case DISAMBIGUATION: c->disambiguations++; break;
    case OTHER_NAMESPACE: c->other_namespace++; break;
    case REDIRECT: c->redirects++; break;
    case OTHER_MODEL: c->other_models++; break;
    }
}

/* Write the documents of a job. W_END when there are as many as were asked for; pages after the
 * last of them are not counted, because how many were read depends on the number of threads. */
static enum w_status write_job(struct extraction *x, const struct job *job, struct w_err *err)
{
    size_t end = 0;

    x->candidates -= job->candidates;
    for (size_t i = 0; i < job->count && !has_enough(x, 0); i++) {
        count_page(&x->counts, &job->records[i]);
        end = job->records[i].end;
    }
    enum w_status status = w_output_write(&x->run->out, job->out.at, end, err);
    return !status && has_enough(x, 0) ? W_END : status;
}

/* Read ahead until all slots are in use, or the dump ends or breaks. */
static void submit_all(struct extraction *x)
{
    u32 slot;

    while (!x->read && !has_enough(x, x->candidates) && w_ordered_next(x->ordered, &slot)) {
        struct job *job = &x->jobs[slot];
        x->read = fill(x, job, &x->read_err);
        if (job->count > 0) {
            x->candidates += job->candidates;
            w_ordered_submit(x->ordered);
        }
    }
}

/* All documents before a place where the dump is broken are written, whatever the number of
 * threads; if they are as many as were asked for, that place does not matter. */
static enum w_status extract_all(struct extraction *x, struct w_err *err)
{
    enum w_status status = W_DONE;
    u32 slot;

    while (!status) {
        submit_all(x);
        if (x->read == W_SIGNAL || !w_ordered_take(x->ordered, &slot)) {
            if (x->read == W_END)
                return W_DONE;
            *err = x->read_err;
            return x->read;
        }
        const struct job *job = &x->jobs[slot];
        if (job->status)
            *err = job->err;
        status = job->status ? job->status : write_job(x, job, err);
        w_ordered_return(x->ordered);
        wwiki_progress(x->run, &x->counts.documents);
    }
    return status;
}

/* The table of templates for the site of a dump, and the user's rows. */
static enum w_status make_inlines(struct extraction *x, const struct w_wiki_site *site,
                                  struct w_err *err)
{
    const char *path = x->set->inlines;

    w_inline_table_free(x->inlines);
    enum w_status status = w_inline_table_new(&x->inlines, site, err);
    if (!status && path) {
        status = w_inline_table_add(x->inlines,
                                    (struct w_span){(u8 *)x->own_rows, x->own_rows_size}, err);
        if (status)
            status = w_fail_at(err, status == W_NOMEM ? status : W_USAGE, "%s", path);
    }
    return status;
}

/* Renderers know the wiki: they are made for each <mediawiki>. */
static enum w_status start(struct extraction *x, struct w_err *err)
{
    const struct settings *set = x->set;
    u32 threads = x->run->threads;
    struct w_wikitext_options how = {.site = w_dump_site(x->dump),
                                     .headings = (enum w_wiki_headings)set->headings,
                                     .math = set->math,
                                     .item = set->item,
                                     .sections = set->drop_sections,
                                     .tables = set->tables};
    enum w_status status = make_inlines(x, how.site, err);

    how.inlines = x->inlines;
    x->style.address = w_dump_address(x->dump);
    x->candidates = 0;
    x->read = W_DONE;
    x->slots = w_ordered_slots(threads);
    x->renderers = calloc(threads, sizeof *x->renderers);
    x->jobs = calloc(x->slots, sizeof *x->jobs);
    if (!x->renderers || !x->jobs)
        return w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    for (u32 i = 0; i < threads && !status; i++)
        status = w_wikitext_new(&x->renderers[i], &how, err);
    if (!status)
        status = w_ordered_new(&x->ordered, threads, x->slots, render_job, x, err);
    return status;
}

static void finish(struct extraction *x)
{
    w_ordered_free(x->ordered); /* first: its threads use the jobs */
    x->ordered = NULL;
    for (u32 i = 0; i < x->slots && x->jobs; i++) {
        w_buffer_free(&x->jobs[i].source);
        w_buffer_free(&x->jobs[i].out);
        free(x->jobs[i].records);
    }
    free(x->jobs);
    x->jobs = NULL;
    for (u32 i = 0; i < x->run->threads && x->renderers; i++)
        w_wikitext_free(x->renderers[i]);
    free(x->renderers);
    x->renderers = NULL;
}

/* Extract the present file. */
static enum w_status extract_file(struct extraction *x, struct w_err *err)
{
    enum w_status status = w_dump_open(&x->dump, x->run->files.unpack, x->run->files.in.name, err);

    while (!status && !(status = w_dump_begin(x->dump, err))) {
        status = start(x, err);
        if (!status)
            status = extract_all(x, err);
        finish(x);
    }
    w_dump_close(&x->dump);
    return status == W_END ? W_DONE : status;
}

static enum w_status read_namespaces(struct extraction *x, struct w_err *err)
{
    const struct w_text_list *list = &x->set->namespaces;

    x->namespace_count = W_MAX(list->count, (size_t)1);
    x->namespaces = calloc(x->namespace_count, sizeof *x->namespaces); /* 0: the articles */
    if (!x->namespaces)
        return w_fail(err, W_NOMEM, "no memory for namespaces");
    for (size_t i = 0; i < list->count; i++) {
        u64 number;
        if (w_parse_count(list->items[i], 0, INT32_MAX, &number, err))
            return w_fail_at(err, W_USAGE, "--namespace %s", list->items[i]);
        x->namespaces[i] = (i64)number;
    }
    return W_DONE;
}

/* What is wrong with the rows is said before a dump is read. */
static enum w_status read_inlines(struct extraction *x, struct w_err *err)
{
    const char *path = x->set->inlines;
    enum w_status status = W_DONE;

    if (path)
        status = w_input_slurp(path, 16 << 20, &x->own_rows, &x->own_rows_size, err);
    return status ? status : make_inlines(x, NULL, err);
}

static void say(struct run *run, const struct counts *c)
{
    wwiki_figure(run, "documents", "documents", c->documents);
    wwiki_figure(run, "text_bytes", "bytes of text", c->text_bytes);
    wwiki_figure(run, "pages", "pages", c->pages);
    wwiki_figure(run, "other_namespace", "in other namespaces", c->other_namespace);
    wwiki_figure(run, "redirects", "redirects", c->redirects);
    wwiki_figure(run, "other_models", "of other models", c->other_models);
    wwiki_figure(run, "disambiguations", "disambiguations", c->disambiguations);
    wwiki_figure(run, "empty", "empty", c->empty);
}

static enum w_status extract_dumps(struct run *run, struct w_err *err)
{
    const struct settings *set = run->settings;
    struct extraction x = {.run = run,
                           .set = set,
                           .style = {.form = (enum w_wiki_form)set->format,
                                     .separator = set->separator ? set->separator : "\n\n\n",
                                     .with_title = set->title}};

    enum w_status status = read_namespaces(&x, err);
    if (!status)
        status = read_inlines(&x, err);
    run->files.utf16 = true; /* XML says its encoding */
    while (!status && (!set->count || x.counts.documents < set->count)) {
        status = w_text_files_next(&run->files, err);
        if (!status)
            status = extract_file(&x, err);
    }
    if (status == W_END)
        status = W_DONE;
    say(run, &x.counts);
    w_inline_table_free(x.inlines);
    free(x.own_rows);
    free(x.namespaces);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    return wwiki_run(&set->io, extract_dumps, set, argc, argv, err);
}

const struct w_program wwiki_extract_program = {
    "wwiki extract",
    "extract the text of the pages of a dump",
    "[FILE|FOLDER ...]",
    "Reads XML dumps of a wiki (pages-articles; plain, or compressed by gzip, bzip2, xz or zstd) "
    "and writes the text that a reader of each page sees: without markup, templates, "
    "references and tables.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
