/* wtok train - learn a vocabulary. */
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/ordered.h"
#include "text/bpe_train.h"
#include "text/text_batch.h"
#include "tools/wtok.h"

struct settings {
    struct wtok_input input;
    const char *output, *end;
    u64 size, min_count, threads, max_words;
    u32 tie;   /* enum w_tie */
    u32 split; /* enum w_split */
};

#define AT(field) offsetof(struct settings, field)

static const struct w_option options[] = {
    {"size", 'n', W_OPT_COUNT, AT(size), "N", "16000", .min = 257, .max = 1 << 24,
     .help = "Ids in the vocabulary, the 256 bytes and the end of a document included."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE",
     .help = "Write the vocabulary to FILE, which appears when it is complete. Default: standard "
             "output."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", .min = 1, .max = 256,
     .help = "Threads that count words. The vocabulary does not depend on it."},
    WTOK_INPUT_OPTIONS(struct settings),
    {"min-count", 0, W_OPT_COUNT, AT(min_count), "N", "2", .min = 1,
     .help = "A pair that occurs less often in the text becomes no token."},
    {"max-words", 0, W_OPT_COUNT, AT(max_words), "N", "8M", .min = 2, .max = UINT32_MAX / 2,
     .help = "When the text has more different words than this, forget the rarest, down to half as "
             "many, and say so. A word takes about 150 bytes of memory."},
    {"split", 0, W_OPT_CHOICE, AT(split), "RULE", "gpt2", .choices = W_SPLIT_NAMES,
     .help = "How text is split into words, which no token crosses; the vocabulary remembers it."},
    {"tie", 0, W_OPT_CHOICE, AT(tie), "RULE", "id-min", .choices = "id-min|bytes-max",
     .help =
         "Which of equally frequent pairs comes first: that of the smallest ids, or that of the "
         "greatest bytes."},
    {"end", 0, W_OPT_TEXT, AT(end), "NAME", "<|endoftext|>",
     .help = "What the token that ends documents is called. Text never gives that token, not even "
             "this name."},
    {0},
};

static const char *const examples[] = {
    "A vocabulary of 16,000 tokens from all files of a folder",
    "wtok train -n 16000 -o wiki.vocab wiki/",
    "From a stream of JSON Lines, on two threads",
    "zcat dump.jsonl.gz | wtok train -f jsonl --field body -t 2 -n 32k -o dump.vocab",
    NULL,
};

const struct w_program wtok_train_program = {
    "wtok train",
    "learn a vocabulary from text",
    "[FILE|FOLDER ...]",
    "Counts the words of the text (standard input, if no file is named) and joins the most "
    "frequent "
    "pair of neighbouring tokens to a new one until there are N. The result depends on the text "
    "alone.",
    options,
    examples,
};

/* A portion of text on its way through a thread. */
struct job {
    struct w_text_batch text;
    struct w_word_count counts;
    enum w_status status;
    struct w_err err;
};

struct counting {
    struct job *jobs; /* by slot */
    u32 slots;
    struct w_ordered *ordered;
    struct w_word_count total;
    struct w_forgotten forgotten;
    u32 max_words;
    enum w_split split;
};

static void count_batch(void *context, u32 slot, u32 member)
{
    const struct counting *c = context;
    struct job *job = &c->jobs[slot];
    const struct w_text_batch *b = &job->text;
    size_t from = 0;

    (void)member;
    w_word_count_clear(&job->counts);
    job->status = W_DONE;
    for (u32 i = 0; i < b->part_count && !job->status; from = b->parts[i++].end)
        job->status = w_word_count_text(&job->counts, c->split, b->text + from,
                                        b->parts[i].end - from, &job->err);
}

/* Add what a job has counted to the whole. The limit is looked at between portions of text, which
 * depend on nothing but the text: the same words are forgotten for any number of threads. */
static enum w_status take_counts(struct counting *c, const struct job *job, struct w_err *err)
{
    if (job->status) {
        *err = job->err;
        return job->status;
    }
    enum w_status status = w_word_count_merge(&c->total, &job->counts, err);
    if (!status && c->total.count > c->max_words)
        status = w_word_count_forget(&c->total, c->max_words / 2, &c->forgotten, err);
    return status;
}

/* Read everything and count it. */
static enum w_status count_all(struct counting *c, struct wtok_reader *reader, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool at_end = false;
    u32 slot;

    while (!status) {
        while (!at_end && w_ordered_next(c->ordered, &slot)) {
            status = w_signal_stop ? w_fail(err, W_SIGNAL, "stopped by a signal")
                                   : w_text_batch_fill(&c->jobs[slot].text, reader->documents, err);
            at_end = status == W_END;
            if (status && !at_end)
                return status;
            if (!at_end)
                w_ordered_submit(c->ordered);
        }
        wtok_reader_progress(reader, "read", false);
        if (!w_ordered_take(c->ordered, &slot))
            return W_DONE;
        status = take_counts(c, &c->jobs[slot], err);
        w_ordered_release(c->ordered);
    }
    return status;
}

/* c->total is the caller's to release, whatever happens. */
static enum w_status count_words(struct counting *c, const struct settings *set, int argc,
                                 char **argv, struct w_err *err)
{
    struct wtok_reader reader = {0};

    c->max_words = (u32)set->max_words;
    c->split = set->split;
    c->slots = w_ordered_slots((u32)set->threads);
    c->jobs = calloc(c->slots, sizeof *c->jobs);
    enum w_status status =
        c->jobs ? W_DONE : w_fail(err, W_NOMEM, "no memory for %u portions of text", c->slots);
    if (!status)
        status = wtok_reader_open(&reader, &set->input, set->split, argc, argv, err);
    if (!status)
        status = w_ordered_new(&c->ordered, (u32)set->threads, count_batch, c, err);
    if (!status)
        status = count_all(c, &reader, err);
    if (!status)
        wtok_reader_progress(&reader, "read", true);
    w_ordered_free(c->ordered);
    for (u32 i = 0; i < c->slots && c->jobs; i++) {
        w_text_batch_release(&c->jobs[i].text);
        w_word_count_release(&c->jobs[i].counts);
    }
    free(c->jobs);
    wtok_reader_close(&reader);
    return status;
}

static void tell_forgotten(const struct counting *c)
{
    const struct w_forgotten *f = &c->forgotten;

    if (f->times > 0)
        w_warn(
            "more than %u different words: the rarest were forgotten, %llu words with %.2g %% of "
            "the occurrences; no count is too low by more than %llu (--max-words)",
            c->max_words, (unsigned long long)f->words,
            100 * (double)f->occurrences / (double)c->total.total, (unsigned long long)f->floor);
}

static bool show_merges(void *context, u32 done)
{
    const u32 *wanted = context;

    if (done % 64 == 0)
        w_progress(false, "learned %u of %u merges", done, *wanted);
    return !w_signal_stop;
}

static enum w_status run(const struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct counting counting = {0};
    struct w_merge *merges = NULL;
    struct w_vocab *vocab = NULL;
    u32 wanted = (u32)set->size - 257, count = 0;
    struct w_train_options train = {.merges = wanted,
                                    .min_count = set->min_count,
                                    .tie = (enum w_tie)set->tie,
                                    .progress = show_merges,
                                    .context = &wanted};

    w_cli_catch_signals();
    enum w_status status = count_words(&counting, set, argc, argv, err);
    double started_s = w_now_s();
    if (!status) {
        tell_forgotten(&counting);
        status = w_bpe_train(&counting.total, &train, &merges, &count, err);
    }
    if (!status)
        status = w_vocab_new(&vocab, set->split, merges, count, &set->end, 1, err);
    if (!status && count < wanted)
        w_warn("the text has only enough pairs for %u of the %llu ids: the vocabulary is smaller",
               w_vocab_size(vocab), (unsigned long long)set->size);
    if (!status)
        status = w_vocab_save(vocab, set->output, err);
    if (!status)
        w_say("%llu words, %u different; %u merges in %.2f s; vocabulary of %u ids, sha256 %.16s",
              (unsigned long long)counting.total.total, counting.total.count, count,
              w_now_s() - started_s, w_vocab_size(vocab), w_vocab_sha256(vocab));
    w_vocab_free(vocab);
    free(merges);
    w_word_count_release(&counting.total);
    return status;
}

int wtok_train(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&wtok_train_program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run(&set, argc, argv, &err), &err);
}
