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
    u64 size, min_count, threads;
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

/* A portion of text to be counted, into the table of the thread that does it. */
struct counting {
    struct w_text_batch *batches; /* by slot */
    struct w_word_count *counts;  /* by thread */
    enum w_status *statuses;      /* by slot */
    struct w_err *errors;         /* by slot */
    enum w_split split;
};

static void count_batch(void *context, u32 slot, u32 member)
{
    struct counting *c = context;
    const struct w_text_batch *b = &c->batches[slot];
    size_t from = 0;

    c->statuses[slot] = W_DONE;
    for (u32 i = 0; i < b->part_count && !c->statuses[slot]; from = b->parts[i++].end)
        c->statuses[slot] = w_word_count_text(&c->counts[member], c->split, b->text + from,
                                              b->parts[i].end - from, &c->errors[slot]);
}

/* Read everything and count it. */
static enum w_status run_counting(struct counting *c, struct w_ordered *ordered,
                                  struct wtok_reader *reader, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool at_end = false;
    u32 slot;

    for (;;) {
        while (!at_end && w_ordered_next(ordered, &slot)) {
            status = w_signal_stop ? w_fail(err, W_SIGNAL, "stopped by a signal")
                                   : w_text_batch_fill(&c->batches[slot], reader->documents, err);
            at_end = status == W_END;
            if (status && !at_end)
                return status;
            if (!at_end)
                w_ordered_submit(ordered);
        }
        wtok_reader_progress(reader, "read", false);
        if (!w_ordered_take(ordered, &slot))
            return W_DONE;
        if (c->statuses[slot]) {
            *err = c->errors[slot];
            return c->statuses[slot];
        }
        w_ordered_release(ordered);
    }
}

/* The counts of a whole text; those of all threads are added to the first. */
static enum w_status count_words(struct w_word_count *total, const struct settings *set, int argc,
                                 char **argv, struct w_err *err)
{
    u32 threads = (u32)set->threads, slots = w_ordered_slots(threads);
    struct wtok_reader reader = {0};
    struct w_ordered *ordered = NULL;
    struct counting c = {.batches = calloc(slots, sizeof *c.batches),
                         .counts = calloc(threads, sizeof *c.counts),
                         .statuses = calloc(slots, sizeof *c.statuses),
                         .errors = calloc(slots, sizeof *c.errors),
                         .split = set->split};

    enum w_status status = c.batches && c.counts && c.statuses && c.errors
                               ? W_DONE
                               : w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    if (!status)
        status = wtok_reader_open(&reader, &set->input, set->split, argc, argv, err);
    if (!status)
        status = w_ordered_new(&ordered, threads, count_batch, &c, err);
    if (!status)
        status = run_counting(&c, ordered, &reader, err);
    if (!status)
        wtok_reader_progress(&reader, "read", true);
    w_ordered_free(ordered);
    for (u32 i = 0; i < threads && !status; i++)
        status = w_word_count_merge(total, &c.counts[i], err);
    for (u32 i = 0; i < threads && c.counts; i++)
        w_word_count_release(&c.counts[i]);
    for (u32 i = 0; i < slots && c.batches; i++)
        w_text_batch_release(&c.batches[i]);
    free(c.batches);
    free(c.counts);
    free(c.statuses);
    free(c.errors);
    wtok_reader_close(&reader);
    return status;
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
    struct w_word_count counts = {0};
    struct w_merge *merges = NULL;
    struct w_vocab *vocab = NULL;
    u32 wanted = (u32)set->size - 257, count = 0;
    struct w_train_options train = {.merges = wanted,
                                    .min_count = set->min_count,
                                    .tie = (enum w_tie)set->tie,
                                    .progress = show_merges,
                                    .context = &wanted};

    w_cli_catch_signals();
    enum w_status status = count_words(&counts, set, argc, argv, err);
    double started_s = w_now_s();
    if (!status)
        status = w_bpe_train(&counts, &train, &merges, &count, err);
    if (!status)
        status = w_vocab_new(&vocab, set->split, merges, count, &set->end, 1, err);
    if (!status && count < wanted)
        w_warn("the text has only enough pairs for %u of the %llu ids: the vocabulary is smaller",
               w_vocab_size(vocab), (unsigned long long)set->size);
    if (!status)
        status = w_vocab_save(vocab, set->output, err);
    if (!status)
        w_say("%llu words, %u different; %u merges in %.2f s; vocabulary of %u ids, sha256 %.16s",
              (unsigned long long)counts.total, counts.count, count, w_now_s() - started_s,
              w_vocab_size(vocab), w_vocab_sha256(vocab));
    w_vocab_free(vocab);
    free(merges);
    w_word_count_release(&counts);
    return status;
}

int wtok_train(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&wtok_train_program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run(&set, argc, argv, &err), &err);
}
