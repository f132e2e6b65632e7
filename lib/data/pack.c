#include "data/pack.h"

#include <stdlib.h>
#include <string.h>

#include "data/shuffle.h"

struct w_pack {
    struct w_corpus *corpus;
    struct w_pack_options options;
    struct w_pack_counts counts;
    struct w_corpus_facts facts;
    /* the present chunk of the corpus: records not used yet */
    const u8 *records;
    u64 left;
    bool wanted; /* the present document belongs to the part asked for */
    /* the sequence that is being filled */
    u8 *sequence;
    u64 filled, room; /* tokens; room is T + 1 */
};

static bool is_wanted(const struct w_pack *p, u64 document)
{
    const struct w_pack_options *o = &p->options;

    if (o->part == W_SUBSET_ALL)
        return true;
    return w_is_validation(o->split_seed, document, o->val_fraction) == (o->part == W_SUBSET_VAL);
}

enum w_status w_pack_new(struct w_pack **pack, struct w_corpus *corpus,
                         const struct w_pack_options *options, struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(corpus);
    struct w_pack *p = *pack = calloc(1, sizeof *p);
    u64 room, bytes;

    if (p && w_add_ok(options->length, 1, &room) &&
        w_mul_ok(room, facts->columns.token_bytes, &bytes)) {
        p->corpus = corpus;
        p->options = *options;
        p->facts = *facts;
        p->room = room;
        p->wanted = is_wanted(p, 0);
        p->sequence = malloc(bytes);
    }
    if (!p || !p->sequence) {
        w_pack_free(p);
        *pack = NULL;
        return w_fail(err, W_NOMEM, "no memory for sequences of %llu ids",
                      (unsigned long long)options->length);
    }
    return W_DONE;
}

void w_pack_free(struct w_pack *p)
{
    if (p)
        free(p->sequence);
    free(p);
}

size_t w_pack_sequence_bytes(const struct w_pack *p)
{
    return (size_t)(p->room * p->facts.columns.token_bytes);
}

const struct w_columns *w_pack_columns(const struct w_pack *p)
{
    return &p->facts.columns;
}

const struct w_pack_counts *w_pack_counts(const struct w_pack *p)
{
    return &p->counts;
}

/* Tokens from here to the end of the document, its end id included, but at most `limit`. */
static u64 document_run(const struct w_pack *p, u64 limit, bool *ends)
{
    const u8 *id = p->records + p->facts.id_at;
    u64 n = 0;

    *ends = false;
    for (; n < limit && !*ends; n++, id += p->facts.record_bytes)
        *ends = w_id_at(id, p->facts.id_bytes, 0) == p->facts.eot;
    return n;
}

/* Copy tokens of one document from the chunk to the sequence, or skip them. */
static void take_run(struct w_pack *p)
{
    bool ends;
    u64 limit = p->wanted ? W_MIN(p->left, p->room - p->filled) : p->left;
    u64 n = document_run(p, limit, &ends);

    if (p->wanted) {
        w_columns_gather(&p->facts.columns, p->sequence, p->room, p->filled, p->records,
                         p->facts.record_bytes, n);
        p->filled += n;
        p->counts.part_tokens += n;
        p->counts.part_documents += ends;
    }
    p->records += n * p->facts.record_bytes;
    p->left -= n;
    p->counts.tokens += n;
    if (ends)
        p->wanted = is_wanted(p, ++p->counts.documents);
}

enum w_status w_pack_next(struct w_pack *p, u8 *sequence, struct w_err *err)
{
    size_t bytes = w_pack_sequence_bytes(p);
    bool ours;

    do {
        while (p->filled < p->room) {
            if (p->left == 0) {
                enum w_status status = w_corpus_read(p->corpus, &p->records, &p->left, err);
                if (status) {
                    p->left = 0;
                    return status;
                }
            }
            take_run(p);
        }
        ours = p->counts.sequences++ % p->options.shards == p->options.shard;
        if (ours)
            memcpy(sequence, p->sequence, bytes);
        /* The last target is the first input of the next sequence. */
        w_columns_carry(&p->facts.columns, p->sequence, p->room);
        p->filled = 1;
    } while (!ours);
    return W_DONE;
}
