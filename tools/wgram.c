/* wgram - count the n-grams of tokens, and say how probable tokens are by the counts. */
#include "tools/wgram.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "sys/machine.h"

/* Tokens of a part, at least. */
#define PART_TOKENS (1u << 20)

/* Bytes of memory for each token of a text whose documents are left out, beside its ids: 28, and
 * what sorting the positions after a frequent token takes; more where n-grams need keys of 128
 * bits, that is with more than five tokens, or tokens of more than two bytes. */
enum { LEFT_OUT_BYTES = 40, LEFT_OUT_MORE_BYTES = 16 };

static const char *const examples[] = {
    "Count the n-grams of a token stream, up to five tokens",
    "wgram learn -n 5 -o wiki.counts wiki.tok",
    "Write beside each token how probable the counts find it, its document left out",
    "wgram add -m wiki.counts --leave-out -o counted.tok wiki.tok",
    "How well the counts predict another text",
    "wtok encode -V wiki.vocab new.txt | wgram score -m wiki.counts",
    NULL,
};

static const struct w_program program = {
    "wgram",
    "count n-grams of tokens, and score tokens by the counts",
    "COMMAND",
    "Interpolated modified Kneser-Ney smoothing over the tokens of a vocabulary, mixed with what a "
    "document repeats of itself.",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"learn", &wgram_learn_program}, {"add", &wgram_add_program},   {"score", &wgram_score_program},
    {"prune", &wgram_prune_program}, {"info", &wgram_info_program}, {0},
};

int main(int argc, char **argv)
{
    return w_cli_main(&program, commands, NULL, argc, argv);
}

/* ---- shared by the commands ---- */

enum w_status wgram_check_memory(u64 tokens, u64 token_bytes, const char *instead,
                                 struct w_err *err)
{
    struct w_machine machine;
    const double need = (double)tokens * (double)token_bytes;

    w_machine_read(&machine, "");
    if (machine.available_bytes && need > (double)machine.available_bytes)
        return w_fail(err, W_NOMEM,
                      "%llu tokens need about %.1f GB more memory, and there are %.1f GB: take %s",
                      (unsigned long long)tokens, need / 1e9, (double)machine.available_bytes / 1e9,
                      instead);
    return W_DONE;
}

enum w_status wgram_write_counts(const struct w_count_image *image, struct w_output *out,
                                 const struct w_writing *writing, const struct w_header *upstream,
                                 u32 threads, struct w_err *err)
{
    const struct w_count_write write = {
        .by = WGRAM_BY,
        .argv = writing->no_provenance ? NULL : w_cli_provenance(),
        .upstream = writing->no_provenance ? NULL : upstream,
        .tok = w_header_tok(upstream),
        .stream = w_cli_write_options(writing, threads),
    };

    enum w_status status = w_count_image_write(image, out, &write, err);
    return status ? status : w_output_commit(out, err);
}

/* ---- text ---- */

enum w_status wgram_text_open(struct wgram_text *t, int argc, char **argv, struct w_err *err)
{
    enum w_status status = W_DONE;

    memset(t, 0, sizeof *t);
    if (argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in: wtok encode ... |", err);
    return status ? status : w_corpus_open(&t->corpus, argv, (size_t)argc, err);
}

void wgram_text_close(struct wgram_text *t)
{
    w_corpus_close(&t->corpus);
    free(t->ids);
}

/* Append one chunk of the corpus, as numbers. */
static enum w_status read_chunk(struct wgram_text *t, struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(t->corpus);
    const u8 *records;
    u64 count;

    enum w_status status = w_signals_check(err);
    if (!status)
        status = w_corpus_read(t->corpus, &records, &count, err);
    if (!status)
        status = w_grow(&t->ids, &t->room, t->held + count, sizeof *t->ids, "tokens", err);
    if (!status)
        for (u64 i = 0; i < count; i++)
            t->ids[t->held++] = w_corpus_id(facts, records, i);
    w_progress(false, "read %.1f million tokens", (double)(t->tokens + t->held - t->end) / 1e6);
    return status;
}

enum w_status wgram_text_all(struct wgram_text *t, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (!status)
        status = read_chunk(t, err);
    t->at_end = true;
    t->end = t->tokens = t->held;
    return status == W_END ? W_DONE : status;
}

enum w_status wgram_text_next(struct wgram_text *t, u32 before, struct w_err *err)
{
    const u64 dropped = t->end - W_MIN(t->end, (u64)before);
    enum w_status status = W_DONE;

    t->held -= dropped;
    if (dropped)
        memmove(t->ids, t->ids + dropped, t->held * sizeof *t->ids);
    t->from = t->end - dropped;
    while (!status && !t->at_end && t->held - t->from < PART_TOKENS) {
        status = read_chunk(t, err);
        t->at_end = status == W_END;
        status = t->at_end ? W_DONE : status;
    }
    t->end = t->held;
    t->tokens += t->end - t->from;
    return status ? status : t->end == t->from ? W_END : W_DONE;
}

/* ---- scoring ---- */

static enum w_status check_vocabulary(const struct wgram_scoring *s, const char *name,
                                      struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(s->text.corpus);
    const u32 vocab = s->counts ? w_counts_facts(s->counts)->vocab : s->facts.vocab;
    const char *a = w_tok_sha256(w_header_tok(&s->header));
    const char *b = w_tok_sha256(w_header_tok(facts->header));

    if (vocab == facts->vocab && (!a || !b || !strcmp(a, b)))
        return W_DONE;
    return w_fail(
        err, W_MISMATCH,
        "%s: has a vocabulary of %u ids (%.12s...), the tokens one of %u (%.12s...): count "
        "and score with one vocabulary",
        name, vocab, a ? a : "unknown", facts->vocab, b ? b : "unknown");
}

/* The counts, or where documents are left out, which is by the text alone, what they are of. */
static enum w_status read_counts(struct wgram_scoring *s, const char *name, struct w_err *err)
{
    if (s->mode != WGRAM_LEFT_OUT)
        return w_counts_load(&s->counts, &s->header, name, err);
    enum w_status status = w_count_facts_read(&s->facts, &s->header, name, err);
    if (!status && s->facts.pruned)
        status = w_fail(err, W_MISMATCH,
                        "%s: is pruned, so that no document can be left out: use the whole counts",
                        name);
    return status;
}

enum w_status wgram_scoring_open(struct wgram_scoring *s, const char *counts, bool leave_out,
                                 bool count_on, u64 threads, int argc, char **argv,
                                 struct w_err *err)
{
    memset(s, 0, sizeof *s);
    s->mode = leave_out ? WGRAM_LEFT_OUT : count_on ? WGRAM_ON : WGRAM_FROZEN;
    if (!counts)
        return w_fail(err, W_USAGE, "say which counts: -m FILE (make them with 'wgram learn')");
    if (leave_out && count_on)
        return w_fail(err, W_USAGE,
                      "--leave-out is for the text that was counted, --count-on for "
                      "other text: give one of them");
    enum w_status status = read_counts(s, counts, err);
    if (!status)
        status = wgram_text_open(&s->text, argc, argv, err);
    if (!status)
        status = check_vocabulary(s, counts, err);
    if (!status)
        status = w_team_new(&s->team, w_cli_threads(threads), err);
    if (!status && s->mode == WGRAM_ON)
        status = w_count_delta_new(&s->delta, s->counts, err);
    if (!status && (s->counts ? w_counts_facts(s->counts)->document : s->facts.document))
        status = w_count_documents_new(&s->documents, w_corpus_facts(s->text.corpus)->eot,
                                       w_team_size(s->team), err);
    return status;
}

/* Where the documents of a whole text end, of which the last may lack its end. */
static enum w_status find_ends(const struct wgram_text *t, u64 **ends, u64 *documents,
                               struct w_err *err)
{
    const u32 eot = w_corpus_facts(t->corpus)->eot;
    size_t room = 0;

    enum w_status status =
        w_count_documents_ends(t->ids, t->held, eot, ends, &room, documents, err);
    if (!status && t->held && t->ids[t->held - 1] != eot) {
        status = w_grow(ends, &room, *documents + 1, sizeof **ends, "documents", err);
        if (!status)
            (*ends)[(*documents)++] = t->held;
    }
    return status;
}

static enum w_status leave_out(struct wgram_scoring *s, const struct w_count_said *said,
                               struct w_err *err)
{
    const struct w_count_image *facts = &s->facts;
    struct w_count_leave_out text = {
        .ids = s->text.ids, .count = s->text.held, .order = facts->order, .vocab = facts->vocab};
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    u64 *ends = NULL;

    enum w_status status = find_ends(&s->text, &ends, &text.documents, err);
    text.ends = ends;
    if (!status)
        w_say("scoring %.1f million tokens, the document of each left out",
              (double)text.count / 1e6);
    if (!status && text.count == facts->tokens)
        status = w_count_leave_out(&text, s->team, said, spectrum, err);
    if (!status &&
        (text.count != facts->tokens || memcmp(spectrum, facts->spectrum, sizeof spectrum) != 0))
        status = w_fail(err, W_MISMATCH,
                        "--leave-out: the counts are of another text: of %llu tokens, not these "
                        "%llu; count this text, or score it without --leave-out",
                        (unsigned long long)facts->tokens, (unsigned long long)text.count);
    free(ends);
    return status;
}

static u64 left_out_bytes(const struct w_count_image *facts)
{
    return LEFT_OUT_BYTES + (facts->order > 5 || facts->id_bytes > 2 ? LEFT_OUT_MORE_BYTES : 0);
}

enum w_status wgram_scoring_next(struct wgram_scoring *s, struct w_err *err)
{
    struct wgram_text *t = &s->text;
    enum w_status status;

    if (s->mode == WGRAM_LEFT_OUT) /* it needs the whole text */
        status = t->at_end ? W_END : wgram_text_all(t, err);
    else
        status = wgram_text_next(t, w_counts_facts(s->counts)->order - 1, err);
    const u64 count = t->end - t->from;
    if (!status && s->mode == WGRAM_LEFT_OUT)
        status =
            wgram_check_memory(count, left_out_bytes(&s->facts), "a text of fewer tokens", err);
    if (!status)
        status = w_grow(&s->lp, &s->lp_room, count, sizeof *s->lp, "probabilities", err);
    if (!status)
        status = w_grow(&s->ctx, &s->ctx_room, count, W_COUNT_FEATURES, "features", err);
    if (status)
        return status;
    const struct w_count_text text = {t->ids, t->from, count};
    const struct w_count_said said = {s->lp, s->ctx};
    switch (s->mode) {
    case WGRAM_FROZEN: w_count_score(s->counts, s->team, &text, &said); break;
    case WGRAM_ON: status = w_count_score_on(s->counts, s->delta, &text, &said, err); break;
    case WGRAM_LEFT_OUT: status = leave_out(s, &said, err); break;
    }
    if (!status && s->documents)
        status = w_count_documents_say(s->documents, s->team, &text, s->lp, err);
    return status;
}

void wgram_scoring_close(struct wgram_scoring *s)
{
    w_count_delta_free(s->delta);
    w_count_documents_free(s->documents);
    w_counts_free(s->counts);
    w_count_image_release(&s->facts);
    w_team_free(s->team);
    wgram_text_close(&s->text);
    w_header_free(&s->header);
    free(s->lp);
    free(s->ctx);
}
