#include "tools/wtok_words.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/json.h"
#include "sys/ordered.h"
#include "text/text_batch.h"

/* A batch of text, to be counted on a thread. */
struct job {
    struct w_text_batch text;
    struct w_word_count counts;
    enum w_status status;
    struct w_err err;
};

struct counting {
    const struct wtok_words_options *options;
    struct wtok_words *words;
    struct wtok_reader reader;
    struct job *jobs; /* by slot */
    u32 slots;
    struct w_ordered *ordered;
};

/* Prune the words when they are too many. Checked between batches of text, which depend on the text
 * alone, so that the same words are pruned for any number of threads. */
static enum w_status limit_words(struct counting *c, struct w_err *err)
{
    if (c->words->total.count <= c->options->max_words)
        return W_DONE;
    return w_word_count_prune(&c->words->total, c->options->max_words / 2, &c->words->pruned, err);
}

/* ---- text ---- */

static void count_batch(void *context, u32 slot, u32 worker)
{
    const struct counting *c = context;
    struct job *job = &c->jobs[slot];
    const struct w_text_batch *b = &job->text;
    size_t from = 0;

    (void)worker;
    w_word_count_clear(&job->counts);
    job->status = W_DONE;
    for (u32 i = 0; i < b->part_count && !job->status; from = b->parts[i++].end)
        job->status = w_word_count_text(&job->counts, c->options->split, b->text + from,
                                        b->parts[i].end - from, &job->err);
}

/* Add the counts of a job to the total. */
static enum w_status take_counts(struct counting *c, const struct job *job, struct w_err *err)
{
    if (job->status) {
        *err = job->err;
        return job->status;
    }
    c->words->documents += job->text.documents;
    c->words->text_bytes += job->text.size;
    enum w_status status = w_word_count_merge(&c->words->total, &job->counts, err);
    return status ? status : limit_words(c, err);
}

static enum w_status count_all(struct counting *c, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool at_end = false;
    u32 slot;

    while (!status) {
        while (!at_end && w_ordered_next(c->ordered, &slot)) {
            status = w_signals_check(err);
            if (!status)
                status = w_text_batch_fill(&c->jobs[slot].text, c->reader.documents, err);
            at_end = status == W_END;
            if (status && !at_end)
                return status;
            if (!at_end)
                w_ordered_submit(c->ordered);
        }
        wtok_reader_progress(&c->reader, "counted", false);
        if (!w_ordered_take(c->ordered, &slot))
            return w_signals_check(err);
        status = take_counts(c, &c->jobs[slot], err);
        w_ordered_return(c->ordered);
    }
    return status;
}

static enum w_status count_text(struct counting *c, struct w_err *err)
{
    c->slots = w_ordered_slots(c->options->threads);
    c->jobs = calloc(c->slots, sizeof *c->jobs);
    enum w_status status =
        c->jobs ? W_DONE : w_fail(err, W_NOMEM, "no memory for %u batches of text", c->slots);
    if (!status)
        status = w_ordered_new(&c->ordered, c->options->threads, c->slots, count_batch, c, err);
    if (!status)
        status = count_all(c, err);
    w_ordered_free(c->ordered);
    for (u32 i = 0; i < c->slots && c->jobs; i++) {
        w_text_batch_release(&c->jobs[i].text);
        w_word_count_release(&c->jobs[i].counts);
    }
    free(c->jobs);
    return status;
}

/* ---- words that were counted before ---- */

static enum w_status add_line(struct counting *c, const struct w_text_piece *line,
                              struct w_err *err)
{
    struct w_json *json = NULL;
    const char *word = NULL;
    u64 count = 0;

    enum w_status status = w_json_parse(&json, (const char *)line->text, line->size, err);
    if (!status)
        status = w_json_need_string(json, "word", &word, err);
    if (!status)
        status = w_json_need_u64(json, "count", 1, W_JSON_INT_MAX, &count, err);
    if (!status)
        status = w_word_count_add(&c->words->total, (const u8 *)word, strlen(word), count, err);
    w_json_free(json);
    return status ? status : limit_words(c, err);
}

static enum w_status add_counts(struct counting *c, struct w_err *err)
{
    struct w_text_piece line;

    for (u64 number = 1;; number++) {
        enum w_status status = w_signals_check(err);
        if (!status)
            status = w_documents_next(c->reader.documents, &line, err);
        if (status)
            return status == W_END ? w_signals_check(err) : status;
        status = add_line(c, &line, err);
        if (status)
            return w_fail_at(err, status, "entry %llu of the counts", (unsigned long long)number);
        wtok_reader_progress(&c->reader, "read", false);
    }
}

enum w_status wtok_words_count(struct wtok_words *words, const struct wtok_words_options *options,
                               int argc, char **argv, struct w_err *err)
{
    struct counting c = {.options = options, .words = words};
    struct wtok_input input = *options->input;

    if (options->counts)
        input.format = W_FORMAT_LINES;
    const struct wtok_reading reading = {.input = &input,
                                         .split = options->split,
                                         .threads = options->threads,
                                         .outputs = {options->outputs[0], options->outputs[1]}};
    enum w_status status = wtok_reader_open(&c.reader, &reading, argc, argv, err);
    if (!status)
        status = options->counts ? add_counts(&c, err) : count_text(&c, err);
    if (!status) {
        wtok_reader_progress(&c.reader, options->counts ? "read" : "counted", true);
        wtok_reader_say_files(&c.reader);
    }
    words->seconds = w_now_s() - c.reader.started_s;
    wtok_reader_close(&c.reader);
    return status;
}
