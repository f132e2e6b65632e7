/* The counts beside a network: read once, asked for each token. */
#include "tools/wsample.h"

#include <stdlib.h>

#include "count/count_document.h"
#include "count/count_documents.h"
#include "count/count_file.h"
#include "count/count_score.h"
#include "net/mixture.h"
#include "wire/token_header.h"

/* What is counted of a text. */
struct counted {
    struct w_count_delta *delta;       /* NULL: none */
    struct w_count_document *document; /* NULL: none */
    u64 ids;                           /* of the text that are in both */
};

struct counts {
    struct w_counts *counts;
    bool on;      /* with --count-on: texts are counted too */
    double *p;    /* (vocab of the counts) */
    float *mixed; /* (vocab of the network) */
    struct counted *slots;
    u32 slot_count;
    struct w_count_documents *documents; /* of a text that is scored; NULL until then */
};

static enum w_status check_model(const struct settings *set, const struct loaded_model *m,
                                 const struct w_header *header, struct w_err *err)
{
    struct w_token_header said;

    w_token_header_read(&said, header);
    if (m->conf.counts != W_COUNT_FEATURES)
        return w_fail(err, W_MISMATCH,
                      "%s: has a gate for %llu features of counts, not for %d: train it on batches "
                      "with columns of wgram",
                      set->model, (unsigned long long)m->conf.counts, W_COUNT_FEATURES);
    if (said.vocab > m->conf.vocab_size)
        return w_fail(err, W_MISMATCH, "%s: counts of a vocabulary of %llu, the model has %llu",
                      set->counts, (unsigned long long)said.vocab,
                      (unsigned long long)m->conf.vocab_size);
    if (w_tok_same(w_ckpt_tok(m->ckpt), w_header_tok(header), err))
        return w_fail(err, W_MISMATCH, "%s: counts of another vocabulary than that of %s",
                      set->counts, set->model);
    return W_DONE;
}

enum w_status wsample_counts_open(struct counts **out, const struct settings *set,
                                  const struct loaded_model *m, struct w_err *err)
{
    struct counts *c = *out = calloc(1, sizeof *c);
    struct w_header header = {0};

    if (!c)
        return w_fail(err, W_NOMEM, "no memory for counts");
    enum w_status status = w_counts_load(&c->counts, &header, set->counts, err);
    if (!status)
        status = check_model(set, m, &header, err);
    c->on = set->count_on;
    if (!status) {
        c->p = calloc(w_counts_facts(c->counts)->vocab, sizeof *c->p);
        c->mixed = calloc(m->conf.vocab_size, sizeof *c->mixed);
        if (!c->p || !c->mixed)
            status = w_fail(err, W_NOMEM, "no memory for probabilities");
    }
    w_header_free(&header);
    return status;
}

void wsample_counts_close(struct counts *c)
{
    if (!c)
        return;
    for (u32 i = 0; i < c->slot_count; i++) {
        w_count_delta_free(c->slots[i].delta);
        w_count_document_free(c->slots[i].document);
    }
    w_count_documents_free(c->documents);
    free(c->slots);
    w_counts_free(c->counts);
    free(c->p);
    free(c->mixed);
    free(c);
}

enum w_status wsample_counts_slots(struct counts *c, u32 slots, struct w_err *err)
{
    const struct w_count_facts *facts = w_counts_facts(c->counts);
    enum w_status status = W_DONE;

    c->slots = calloc(slots, sizeof *c->slots);
    if (!c->slots)
        return w_fail(err, W_NOMEM, "no memory for the counts of %u texts", slots);
    c->slot_count = slots;
    for (u32 i = 0; i < slots && c->on && !status; i++)
        status = w_count_delta_new(&c->slots[i].delta, c->counts, err);
    for (u32 i = 0; i < slots && facts->document && !status; i++)
        status = w_count_document_new(&c->slots[i].document, facts->eot, err);
    return status;
}

void wsample_counts_restart(struct counts *c, u32 slot)
{
    c->slots[slot].ids = 0;
    if (c->slots[slot].delta)
        w_count_delta_clear(c->slots[slot].delta);
    if (c->slots[slot].document)
        w_count_document_clear(c->slots[slot].document);
}

/* Add the ids that the text has grown by. */
static enum w_status count_on(const struct counts *c, struct counted *counted,
                              const struct w_ids *text, struct w_err *err)
{
    struct w_count_walk walk;
    enum w_status status = W_DONE;

    for (; counted->ids < text->count && !status; counted->ids++) {
        if (counted->delta) {
            w_counts_walk(c->counts, text->ids, counted->ids, 1, &walk);
            w_count_delta_walk(counted->delta, text->ids, counted->ids, &walk);
            status = w_count_delta_add(counted->delta, text->ids, counted->ids, &walk, err);
        }
        if (!status && counted->document)
            status = w_count_document_next(counted->document, text->ids[counted->ids], NULL, err);
    }
    return status;
}

enum w_status wsample_counts_mix(struct counts *c, const struct loaded_model *m, u32 slot,
                                 const struct counts_row *row, const float **logits,
                                 struct w_err *err)
{
    const struct w_ids *text = row->text;
    struct counted *counted = &c->slots[slot];
    const u32 vocab = w_counts_facts(c->counts)->vocab;
    u8 ctx[W_COUNT_FEATURES];
    enum w_status status = count_on(c, counted, text, err);

    if (status)
        return status;
    w_count_distribution(c->counts, counted->delta, text->ids, text->count, c->p, ctx);
    if (counted->document)
        w_count_document_mix(counted->document, c->p, vocab);
    w_mixture(c->mixed, *logits, m->conf.vocab_size, c->p, vocab,
              w_infer_gate(row->infer, row->row, ctx));
    *logits = c->mixed;
    return W_DONE;
}

enum w_status wsample_counts_score(struct counts *c, struct w_team *team, const struct w_ids *text,
                                   float *lp, u8 *ctx, struct w_err *err)
{
    const struct w_count_facts *facts = w_counts_facts(c->counts);
    const struct w_count_text all = {.ids = text->ids, .count = text->count};
    const struct w_count_said said = {.lp = lp, .ctx = ctx};
    enum w_status status = W_DONE;

    if (!c->on)
        w_count_score(c->counts, team, &all, &said);
    if (c->on && !c->slot_count)
        status = wsample_counts_slots(c, 1, err);
    if (!status && c->on) {
        wsample_counts_restart(c, 0);
        status = w_count_score_on(c->counts, c->slots[0].delta, &all, &said, err);
    }
    if (!status && facts->document && !c->documents)
        status = w_count_documents_new(&c->documents, facts->eot, w_team_size(team), err);
    if (!status && c->documents) {
        w_count_documents_clear(c->documents);
        status = w_count_documents_say(c->documents, team, &all, lp, err);
    }
    return status;
}
