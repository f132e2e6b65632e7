#include "data/pack.h"

#include <stdlib.h>
#include <string.h>

struct w_pack {
    struct w_parts *parts;
    struct w_pack_options options;
    struct w_pack_counts counts;
    struct w_corpus_facts facts;
    struct w_run run; /* what is left of the present one */
    /* the sequence that is being filled */
    u8 *sequence;
    u64 filled, room; /* tokens; room is T + 1 */
};

enum w_status w_pack_new(struct w_pack **pack, struct w_corpus *corpus, struct w_parts *parts,
                         const struct w_pack_options *options, struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(corpus);
    struct w_pack *p = *pack = calloc(1, sizeof *p);
    u64 room, bytes;

    if (p && w_add_ok(options->length, 1, &room) &&
        w_mul_ok(room, facts->columns.token_bytes, &bytes)) {
        p->parts = parts;
        p->options = *options;
        p->facts = *facts;
        p->room = room;
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

/* The next run for training; those for validation before it are passed on. */
static enum w_status next_run(struct w_pack *p, struct w_err *err)
{
    struct w_run *run = &p->run;
    enum w_status status = W_DONE;

    do {
        status = w_parts_next(p->parts, run, err);
        if (status)
            break;
        p->counts.tokens[run->validation] += run->count;
        p->counts.documents[run->validation] += run->ends;
        if (run->validation && p->options.validation)
            status = w_validation_add(p->options.validation, run->records, run->count, err);
    } while (run->validation && !status);
    if (status)
        run->count = 0;
    return status;
}

/* Copy tokens of the run to the sequence. */
static void take(struct w_pack *p)
{
    const u64 n = W_MIN(p->run.count, p->room - p->filled), bytes = p->facts.record_bytes;

    w_columns_gather(&p->facts.columns, p->sequence, p->room, p->filled, p->run.records, bytes, n);
    p->filled += n;
    p->run.records += n * bytes;
    p->run.count -= n;
}

enum w_status w_pack_next(struct w_pack *p, u8 *sequence, struct w_err *err)
{
    bool ours;

    do {
        while (p->filled < p->room) {
            enum w_status status = p->run.count == 0 ? next_run(p, err) : W_DONE;
            if (status)
                return status;
            take(p);
        }
        ours = p->counts.sequences++ % p->options.shards == p->options.shard;
        if (ours && sequence)
            memcpy(sequence, p->sequence, w_pack_sequence_bytes(p));
        /* The last target is the first input of the next sequence. */
        w_columns_carry(&p->facts.columns, p->sequence, p->room);
        p->filled = 1;
    } while (!ours);
    return W_DONE;
}
