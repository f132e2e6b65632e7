/* wgram score - how many bits the tokens of a text cost by the counts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/vocab.h"
#include "tools/wgram.h"

struct settings {
    const char *counts;
    u64 threads;
    bool leave_out, count_on, json;
};

static const struct w_option options[] = {
    WGRAM_MODE_OPTIONS(struct settings),
    {"json", 0, W_OPT_FLAG, AT(json), .help = "Print a JSON object."},
    WGRAM_THREADS_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "How well counts predict another text",
    "wtok encode -V wiki.vocab new.txt | wgram score -m wiki.counts",
    "The same, with what was read of it counted",
    "wgram score -m wiki.counts --count-on --json new.tok",
    NULL,
};

struct sums {
    u64 tokens, bytes; /* of the text; those that end documents have no bytes */
    double nats;
};

/* The bytes of each id, if the stream has its vocabulary; else *bytes stays NULL. */
static enum w_status bytes_of_ids(const struct w_corpus_facts *facts, u32 **bytes,
                                  struct w_err *err)
{
    struct w_vocab *vocab = NULL;
    const struct w_json *tok = w_header_tok(facts->header);

    if (!tok)
        return W_DONE;
    enum w_status status = w_vocab_from_json(&vocab, tok, err);
    if (!status && !(*bytes = calloc(facts->vocab, sizeof **bytes)))
        status = w_fail(err, W_NOMEM, "no memory for %u lengths", facts->vocab);
    for (u32 id = 0; id < facts->vocab && !status; id++)
        (void)w_vocab_text(vocab, id, &(*bytes)[id]);
    w_vocab_free(vocab);
    return status;
}

static void add(struct sums *sums, const struct wgram_scoring *s, const u32 *bytes)
{
    for (u64 i = s->text.from; i < s->text.end; i++) {
        sums->tokens++;
        sums->nats -= s->lp[i - s->text.from];
        sums->bytes += bytes ? bytes[s->text.ids[i]] : 0;
    }
}

static enum w_status print(const struct settings *set, const struct sums *sums, struct w_err *err)
{
    static const char *const modes[] = {"frozen", "left out", "counting on"};
    const double bits = sums->nats / log(2), tokens = (double)sums->tokens;
    const char *mode = modes[set->leave_out  ? WGRAM_LEFT_OUT
                             : set->count_on ? WGRAM_ON
                                             : WGRAM_FROZEN];

    if (!set->json) {
        printf("%-22s %s\n%-22s %.6f\n", "counts", mode, "bits_per_token", bits / tokens);
        if (sums->bytes)
            printf("%-22s %.6f\n", "bits_per_byte", bits / (double)sums->bytes);
        printf("%-22s %.2f\n%-22s %llu\n", "perplexity", exp(sums->nats / tokens), "tokens",
               (unsigned long long)sums->tokens);
        if (sums->bytes)
            printf("%-22s %llu\n", "bytes", (unsigned long long)sums->bytes);
        return W_DONE;
    }
    struct w_json *json = w_json_object();
    w_json_set_string(json, "counts", mode);
    w_json_set_real(json, "bits_per_token", bits / tokens);
    if (sums->bytes)
        w_json_set_real(json, "bits_per_byte", bits / (double)sums->bytes);
    w_json_set_real(json, "perplexity", exp(sums->nats / tokens));
    w_json_set_u64(json, "tokens", sums->tokens);
    if (sums->bytes)
        w_json_set_u64(json, "bytes", sums->bytes);
    return w_cli_print_json(json, false, err);
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct wgram_scoring s = {0};
    struct sums sums = {0};
    u32 *bytes = NULL;

    w_signals_catch();
    enum w_status status = wgram_scoring_open(&s, set->counts, set->leave_out, set->count_on,
                                              set->threads, argc, argv, err);
    if (!status)
        status = bytes_of_ids(w_corpus_facts(s.text.corpus), &bytes, err);
    while (!status) {
        status = wgram_scoring_next(&s, err);
        if (!status)
            add(&sums, &s, bytes);
    }
    status = status == W_END ? W_DONE : status;
    if (!status && sums.tokens == 0)
        status = w_fail(err, W_CORRUPT, "no tokens to score");
    if (!status)
        status = print(set, &sums, err);
    wgram_scoring_close(&s);
    free(bytes);
    return status;
}

const struct w_program wgram_score_program = {
    "wgram score",
    "how many bits tokens cost by the counts",
    "[TOKENS ...]",
    "Reads token streams (files, or standard input) and prints how well the counts predict them: "
    "bits per token, and per byte of text where the stream has its vocabulary.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
