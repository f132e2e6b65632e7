/* wtok train - learn a vocabulary. */
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/output.h"
#include "sys/json.h"
#include "text/bpe_train.h"
#include "tools/wtok_words.h"

struct settings {
    struct wtok_input input;
    const char *output, *end, *report;
    bool counts;
    u64 size, min_count, threads, max_words;
    u32 tie;   /* enum w_tie */
    u32 split; /* enum w_split */
};

static const struct w_option options[] = {
    {"size", 'n', W_OPT_COUNT, AT(size), "N", "16000", .min = 257, .max = 1 << 24,
     .help = "Ids in the vocabulary, the 256 bytes and the end of a document included."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "Write the vocabulary to FILE, which appears when it is complete. Default: standard "
             "output."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", .min = 1, .max = 256,
     .help = "Threads that count words. The vocabulary does not depend on it."},
    WTOK_INPUT_OPTIONS(struct settings),
    {"max-bytes", 0, W_OPT_COUNT, AT(input.max_bytes), "N",
     .help =
         "Learn from the first N bytes of the text, up to the end of a word: 500M, 2Gi. Default: "
         "all of it."},
    {"doc-cap", 0, W_OPT_COUNT, AT(input.doc_cap), "N",
     .help = "Learn from the first N bytes of each document, so that long ones do not outweigh the "
             "others. Default: all of it."},
    {"counts", 0, W_OPT_FLAG, AT(counts),
     .help = "The input is not text but counted words, a JSON object a line: "
             "{\"word\":\" the\",\"count\":48886}. They are not split; "
             "--max-bytes and --doc-cap are refused."},
    {"min-count", 0, W_OPT_COUNT, AT(min_count), "N", "2", .min = 1,
     .help = "Pairs that occur less often in the text become no tokens."},
    {"max-words", 0, W_OPT_COUNT, AT(max_words), "N", "8M", .min = 2, .max = UINT32_MAX / 2,
     .help = "When the text has more different words than this, forget the rarest, down to half as "
             "many, and say so. A word takes about 300 bytes of memory."},
    {"split", 0, W_OPT_CHOICE, AT(split), "RULE", "gpt2", .choices = W_SPLIT_LEARNED_NAMES,
     .help = "How text is split into words, which no token crosses; the vocabulary remembers it."},
    {"tie", 0, W_OPT_CHOICE, AT(tie), "RULE", "id-min", .choices = "id-min|bytes-max|hf",
     .help = "Which of equally frequent pairs comes first: that of the smallest ids, that of the "
             "greatest bytes, or as Hugging Face's trainer decides."},
    {"report", 0, W_OPT_TEXT, AT(report), "FILE", .output = true,
     .help =
         "Write a JSON object about the training to FILE: the text, its words, those forgotten, "
         "the vocabulary, time and memory."},
    {"end", 0, W_OPT_TEXT, AT(end), "NAME", "<|endoftext|>",
     .help =
         "Name of the token that ends documents. Text never gives that token, even where it has "
         "this name."},
    {0},
};

static const char *const examples[] = {
    "A vocabulary of 16,000 tokens from all files of a folder",
    "wtok train -n 16000 -o wiki.vocab wiki/",
    "From compressed JSON Lines, on two threads",
    "wtok train -f jsonl --field body -t 2 -n 32k -o dump.vocab dump.jsonl.gz",
    NULL,
};

/* ---- reports ---- */

static void warn_pruned(const struct wtok_words *words, u64 max_words)
{
    const struct w_pruned *f = &words->pruned;

    if (f->times > 0)
        w_warn("more than %llu different words: the rarest were forgotten, %llu words with %.2g %% "
               "of the occurrences; no count is too low by more than %llu (--max-words)",
               (unsigned long long)max_words, (unsigned long long)f->words,
               100 * (double)f->occurrences / (double)words->total.total,
               (unsigned long long)f->floor);
}

struct merging {
    u32 wanted;
    double started_s;
};

static bool show_merges(void *context, u32 done)
{
    const struct merging *m = context;

    /* Later merges are faster than earlier ones: the ETA is an upper bound. */
    if (done % 64 == 0)
        w_progress_of(false, &(struct w_task){.verb = "learned",
                                              .unit = "merges",
                                              .done = done,
                                              .all = m->wanted,
                                              .seconds = w_now_s() - m->started_s});
    return !w_signal_stop;
}

static struct w_json *pruned_json(const struct w_pruned *f)
{
    struct w_json *json = w_json_object();

    w_json_set_u64(json, "times", f->times);
    w_json_set_u64(json, "words", f->words);
    w_json_set_u64(json, "occurrences", f->occurrences);
    w_json_set_u64(json, "count_error_max", f->floor);
    return json;
}

/* Everything about the training as one JSON object. */
static struct w_json *report_json(const struct settings *set, const struct wtok_words *words,
                                  const struct w_vocab *vocab, double merge_s)
{
    struct w_json *json = w_json_object();

    w_json_set_string(json, "by", WTOK_BY);
    w_json_set_string(json, "argv", w_cli_command_line());
    w_json_set_u64(json, "documents", words->documents);
    w_json_set_u64(json, "text_bytes", words->text_bytes);
    w_json_set_u64(json, "words", words->total.total);
    w_json_set_u64(json, "different_words", words->total.count);
    w_json_set(json, "forgotten", pruned_json(&words->pruned));
    w_json_set_u64(json, "merges", w_vocab_merge_count(vocab));
    w_json_set_u64(json, "size", w_vocab_size(vocab));
    w_json_set_string(json, "sha256", w_vocab_sha256(vocab));
    w_json_set_u64(json, "threads", set->threads);
    w_json_set_real(json, "count_s", words->seconds);
    w_json_set_real(json, "merge_s", merge_s);
    w_json_set_u64(json, "peak_memory_bytes", w_peak_memory_bytes());
    return json;
}

/* Write JSON, which is freed, to an open output and commit it. */
static enum w_status save(struct w_output *out, struct w_json *json, bool pretty, struct w_err *err)
{
    char *text = pretty ? w_json_pretty(json, err) : w_json_text(json, err);

    enum w_status status = text ? w_output_write(out, text, strlen(text), err) : W_NOMEM;
    if (!status)
        status = w_output_write(out, "\n", 1, err);
    if (!status)
        status = w_output_commit(out, err);
    free(text);
    w_json_free(json);
    return status;
}

/* ---- the command ---- */

/* Refuse wrong options before hours of work. */
static enum w_status check(const struct settings *set, struct w_err *err)
{
    enum w_status status = wtok_check_end(set->end, err);

    if (!status && set->counts && (set->input.max_bytes || set->input.doc_cap))
        status = w_fail(err, W_USAGE,
                        "--counts: counted words cannot be limited by --max-bytes or --doc-cap");
    if (!status && set->report)
        status = w_cli_refuse_same(set->output, set->report, err);
    return status;
}

/* Learn from counted words. */
static enum w_status learn(const struct settings *set, const struct wtok_words *words,
                           struct w_vocab **vocab, struct w_err *err)
{
    struct merging merging = {.wanted = (u32)set->size - 257, .started_s = w_now_s()};
    struct w_train_options train = {.merges = merging.wanted,
                                    .min_count = set->min_count,
                                    .tie = (enum w_tie)set->tie,
                                    .progress = show_merges,
                                    .context = &merging};
    struct w_merge *merges = NULL;
    u32 count, twin;

    enum w_status status = w_bpe_train(&words->total, &train, &merges, &count, err);
    if (!status)
        status = w_vocab_new(vocab, set->split, merges, count, &set->end, 1, err);
    /* Some formats of other programs have no two tokens of one name. */
    if (!status && w_vocab_find(*vocab, (const u8 *)set->end, strlen(set->end), &twin))
        status = w_fail(err, W_USAGE, "--end: the text gave a token of this name: choose another");
    if (!status && count < merging.wanted)
        w_warn("the text has only enough pairs for %u of the %llu ids: the vocabulary is smaller",
               w_vocab_size(*vocab), (unsigned long long)set->size);
    free(merges);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct wtok_words_options counting = {.input = &set->input,
                                          .split = set->split,
                                          .threads = (u32)set->threads,
                                          .max_words = (u32)set->max_words,
                                          .outputs = {set->output, set->report},
                                          .counts = set->counts};
    struct wtok_words words = {0};
    struct w_vocab *vocab = NULL;
    struct w_output out = {.fd = -1}, report = {.fd = -1};

    enum w_status status = check(set, err);
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->output, err);
    if (!status && set->report)
        status = w_output_open(&report, set->report, err);
    if (!status)
        status = wtok_words_count(&words, &counting, argc, argv, err);
    double started_s = w_now_s();
    if (!status) {
        warn_pruned(&words, set->max_words);
        status = learn(set, &words, &vocab, err);
    }
    double merge_s = w_now_s() - started_s;
    if (!status)
        status = w_signals_check(err);
    if (!status) /* the vocabulary first: it is the result of the work */
        status = save(&out, w_vocab_json(vocab), false, err);
    if (!status && set->report)
        status = save(&report, report_json(set, &words, vocab, merge_s), true, err);
    if (!status)
        w_say("%llu words, %u different, counted in %.2f s; %u merges in %.2f s; peak memory %.0f "
              "MB; vocabulary of %u ids, sha256 %.16s",
              (unsigned long long)words.total.total, words.total.count, words.seconds,
              w_vocab_merge_count(vocab), merge_s, (double)w_peak_memory_bytes() / 1e6,
              w_vocab_size(vocab), w_vocab_sha256(vocab));
    w_output_abort(&out);
    w_output_abort(&report);
    w_vocab_free(vocab);
    w_word_count_release(&words.total);
    return status;
}

const struct w_program wtok_train_program = {
    "wtok train",
    "learn a vocabulary from text",
    "[FILE|FOLDER ...]",
    "Counts the words of the text (standard input, if no file is named) and joins the most "
    "frequent pair of adjacent tokens to a new one until there are N. The result depends on "
    "the text alone.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
