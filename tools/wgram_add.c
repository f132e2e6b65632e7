/* wgram add - tokens in, the same tokens out with what counts say of them. */
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "tools/wgram.h"
#include "wire/prov.h"

struct settings {
    struct w_writing writing;
    const char *counts;
    u64 threads;
    bool leave_out, count_on;
};

static const struct w_option options[] = {
    WGRAM_MODE_OPTIONS(struct settings),
    W_WRITING_OPTIONS(struct settings, "1"),
    WGRAM_THREADS_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "Columns for training, from the counts of the same text",
    "wgram add -m wiki.counts --leave-out wiki.tok | wbatch -c fast.json -o train.batch",
    "For a validation text, the counts as they are",
    "wgram add -m wiki.counts -o val.counted val.tok",
    "The same, with the counts going on along the text",
    "wgram add -m wiki.counts --count-on -o val.counted val.tok",
    NULL,
};

static enum w_status open_writer(struct w_writer **writer, struct w_output *out,
                                 const struct settings *set, const struct wgram_scoring *s,
                                 struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(s->text.corpus);
    const struct w_write_options write_options =
        w_cli_write_options(&set->writing, w_cli_threads(set->threads));
    const u64 features = W_COUNT_FEATURES;
    const struct w_json *tok = w_header_tok(facts->header);
    struct w_header header = {0};

    enum w_status status = w_header_begin(&header, W_TOKENS, WGRAM_BY, err);
    if (!status)
        status = w_header_add(&header, "tok", facts->id_bytes == 2 ? W_TYPE_U16 : W_TYPE_U32, 0,
                              NULL, err);
    if (!status)
        status = w_header_add(&header, "lp", W_TYPE_F32, 0, NULL, err);
    if (!status)
        status = w_header_add(&header, "ctx", W_TYPE_U8, 1, &features, err);
    if (!status) {
        w_token_header_write(&header, facts->vocab, facts->eot);
        if (tok)
            w_header_set_tok(&header, w_json_copy(tok));
        if (!set->writing.no_provenance)
            status = w_prov_add(&header, w_cli_provenance(), facts->header, err);
    }
    if (!status)
        status = w_writer_open(writer, out, &header, &write_options, err);
    w_header_free(&header);
    return status;
}

/* Records of a part: id, lp, ctx. */
static enum w_status write_part(const struct wgram_scoring *s, struct w_writer *writer,
                                struct w_err *err)
{
    const u32 id_bytes = w_corpus_facts(s->text.corpus)->id_bytes;
    const size_t record_bytes = id_bytes + 4 + W_COUNT_FEATURES;
    const u64 count = s->text.end - s->text.from;
    u8 records[512 * (4 + 4 + W_COUNT_FEATURES)];
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status;) {
        u8 *at = records;
        for (; i < count && at + record_bytes <= records + sizeof records;
             i++, at += record_bytes) {
            u32 lp;
            memcpy(&lp, &s->lp[i], sizeof lp);
            if (id_bytes == 2)
                w_put16(at, (u16)s->text.ids[s->text.from + i]);
            else
                w_put32(at, s->text.ids[s->text.from + i]);
            w_put32(at + id_bytes, lp);
            memcpy(at + id_bytes + 4, s->ctx + i * W_COUNT_FEATURES, W_COUNT_FEATURES);
        }
        status = w_writer_records(writer, records, (u64)(at - records) / record_bytes, err);
    }
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct wgram_scoring s = {0};
    struct w_output out = {.fd = -1};
    struct w_writer *writer = NULL;
    const double started_s = w_now_s();

    enum w_status status =
        w_cli_refuse_terminal(set->writing.output, "use -o FILE or | wbatch", err);
    if (!status)
        status = wgram_scoring_open(&s, set->counts, set->leave_out, set->count_on, set->threads,
                                    argc, argv, err);
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->writing.output, err);
    if (!status)
        status = open_writer(&writer, &out, set, &s, err);
    while (!status) {
        status = wgram_scoring_next(&s, err);
        if (!status)
            status = write_part(&s, writer, err);
    }
    status = status == W_END ? W_DONE : status;
    if (!status)
        status = w_writer_close(&writer, NULL, err);
    if (!status)
        status = w_output_commit(&out, err);
    if (!status)
        w_say("%llu tokens with columns lp and ctx; %.2f s", (unsigned long long)s.text.tokens,
              w_now_s() - started_s);
    w_writer_abort(&writer, "wgram add", err);
    w_output_abort(&out);
    wgram_scoring_close(&s);
    return status;
}

const struct w_program wgram_add_program = {
    "wgram add",
    "write beside each token what counts say of it",
    "[TOKENS ...]",
    "Reads token streams (files, or standard input) and writes them with two columns: lp, the "
    "natural logarithm of the probability that the counts, and what its document repeats, give "
    "the token in its place, and ctx, how much the counts know of its context.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
