/* wgram learn - tokens in, counts of their n-grams out. */
#include "count/count_learn.h"
#include "sys/clock.h"
#include "tools/wgram.h"

struct settings {
    struct w_writing writing;
    u64 order, threads;
    bool no_document;
};

static const struct w_option options[] = {
    {"order", 'n', W_OPT_COUNT, AT(order), "N", "5", .min = W_COUNT_ORDER_MIN,
     .max = W_COUNT_ORDER_MAX,
     .help = "Tokens of the longest n-grams: contexts have one token less. Each order more takes "
             "about 100 bytes for each 100 tokens of text more."},
    {"no-document", 0, W_OPT_FLAG, AT(no_document),
     .help = "What a document repeats is not to be mixed in where these counts are used: the "
             "rule of Kneser and Ney alone."},
    W_WRITING_OPTIONS(struct settings, "0"),
    WGRAM_THREADS_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "Up to five tokens",
    "wgram learn -o wiki.counts wiki.tok",
    "Straight from text, pairs and triples only",
    "wtok encode -V wiki.vocab wiki/ | wgram learn -n 3 -o wiki.counts",
    NULL,
};

/* Bytes of memory for each token of text: its place; and for each order, about; measured on
 * Wikipedia. */
enum { BYTES_OF_PLACE = 4, BYTES_OF_ORDER = 3 };

struct counting {
    u64 tokens;
    double started_s;
};

static bool go_on(void *context, u64 done)
{
    const struct counting *c = context;

    w_progress_of(false, &(struct w_task){.verb = "counted",
                                          .unit = "million tokens",
                                          .done = (double)done / 1e6,
                                          .all = (double)c->tokens / 1e6,
                                          .seconds = w_now_s() - c->started_s,
                                          .digits = 1});
    return !w_signal_stop;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct wgram_text text = {0};
    struct w_count_image image = {0};
    struct w_output out = {.fd = -1};

    enum w_status status = w_cli_refuse_terminal(set->writing.output, "use -o FILE", err);
    if (!status)
        status = wgram_text_open(&text, argc, argv, err);
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->writing.output, err);
    if (!status)
        status = wgram_text_all(&text, err);
    if (!status)
        status = wgram_check_memory(text.tokens, BYTES_OF_PLACE + BYTES_OF_ORDER * set->order,
                                    "fewer tokens, or a lower order (-n)", err);
    struct counting counting = {.tokens = text.tokens, .started_s = w_now_s()};
    if (!status) {
        const struct w_corpus_facts *facts = w_corpus_facts(text.corpus);
        const struct w_count_learn_options learn = {.order = (u32)set->order,
                                                    .vocab = facts->vocab,
                                                    .eot = facts->eot,
                                                    .threads = w_cli_threads(set->threads),
                                                    .go_on = go_on,
                                                    .context = &counting};
        status = w_count_learn(&image, text.ids, text.tokens, &learn, err);
        image.document = !set->no_document;
    }
    const double seconds = w_now_s() - counting.started_s;
    if (!status)
        status =
            wgram_write_counts(&image, &out, &set->writing, w_corpus_facts(text.corpus)->header,
                               w_cli_threads(set->threads), err);
    if (!status)
        w_say(
            "%llu tokens, order %u, %.1f MB of counts; %.2f s, %.1f million tokens/s; peak memory "
            "%.0f MB",
            (unsigned long long)text.tokens, image.order, (double)w_count_image_bytes(&image) / 1e6,
            seconds, seconds > 0 ? (double)text.tokens / 1e6 / seconds : 0,
            (double)w_peak_memory_bytes() / 1e6);
    w_output_abort(&out);
    w_count_image_release(&image);
    wgram_text_close(&text);
    return status;
}

const struct w_program wgram_learn_program = {
    "wgram learn",
    "count the n-grams of a stream of tokens",
    "[TOKENS ...]",
    "Reads token streams (files, or standard input) as one text and writes how often each token "
    "follows each context, as a stream that carries the vocabulary.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
