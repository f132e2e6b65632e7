#include "data/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "data/shuffle.h"

struct w_parts {
    struct w_corpus *corpus;
    struct w_parts_options options;
    struct w_corpus_facts facts;
    /* records that have not been given yet: of those read ahead, or of the present chunk */
    const u8 *records;
    u64 left;
    bool begun, ended; /* reading the corpus */
    u8 *ahead;         /* records read ahead */
    size_t ahead_room;
    u64 document, given; /* number of the present document; tokens given so far */
    bool inside;         /* the text is split after `boundary` tokens, not by document */
    u64 boundary;
};

enum w_status w_parts_new(struct w_parts **parts, struct w_corpus *corpus,
                          const struct w_parts_options *options, struct w_err *err)
{
    struct w_parts *p = *parts = calloc(1, sizeof *p);

    if (!p)
        return w_fail(err, W_NOMEM, "no memory to split the tokens");
    p->corpus = corpus;
    p->options = *options;
    p->facts = *w_corpus_facts(corpus);
    return W_DONE;
}

void w_parts_free(struct w_parts *p)
{
    if (p)
        free(p->ahead);
    free(p);
}

static bool is_validation(const struct w_parts *p, u64 document)
{
    return w_is_validation(p->options.split_seed, document, p->options.val_fraction);
}

/* Tokens to the end of the document, its end id included, but at most `limit`. */
static u64 document_run(const struct w_parts *p, const u8 *records, u64 limit, bool *ends)
{
    u64 n = 0;

    *ends = false;
    for (; n < limit && !*ends; n++)
        *ends = w_corpus_id(&p->facts, records, n) == p->facts.eot;
    return n;
}

static enum w_status read_chunk(struct w_parts *p, const u8 **records, u64 *count,
                                struct w_err *err)
{
    const enum w_status status = p->ended ? W_END : w_corpus_read(p->corpus, records, count, err);

    p->ended = status == W_END;
    return status;
}

/* Append a chunk to what is read ahead. */
static enum w_status keep(struct w_parts *p, const u8 *records, u64 count, struct w_err *err)
{
    const u64 bytes = p->facts.record_bytes, had = p->left * bytes;
    enum w_status status =
        w_grow(&p->ahead, &p->ahead_room, had + count * bytes, 1, "bytes of tokens", err);

    if (!status)
        memcpy(p->ahead + had, records, count * bytes);
    p->left += status ? 0 : count;
    return status;
}

/* Read until both parts have a document. If there is none for one of them, split inside. */
static enum w_status read_ahead(struct w_parts *p, struct w_err *err)
{
    const u64 most = W_PARTS_AHEAD / p->facts.record_bytes;
    bool met[2] = {false, false}, ends; /* documents for training, for validation */
    const u8 *records;
    u64 document = 0, count;
    enum w_status status = W_DONE;

    while (!status && !(met[0] && met[1]) && p->left < most) {
        status = read_chunk(p, &records, &count, err);
        if (!status)
            status = keep(p, records, count, err);
        for (u64 at = 0; !status && at < count; document += ends) {
            met[is_validation(p, document)] = true;
            at += document_run(p, records + at * p->facts.record_bytes, count - at, &ends);
        }
    }
    p->records = p->ahead;
    if (status == W_END && !(met[0] && met[1])) {
        const u64 share = (u64)((double)p->left * p->options.val_fraction);
        p->inside = true;
        p->boundary = p->left - W_MAX(share, 1);
    }
    return status == W_END ? W_DONE : status;
}

enum w_status w_parts_next(struct w_parts *p, struct w_run *run, struct w_err *err)
{
    const bool both = p->options.val_fraction > 0 && p->options.val_fraction < 1;
    enum w_status status = both && !p->begun ? read_ahead(p, err) : W_DONE;

    p->begun = true;
    if (!status && p->left == 0) {
        free(p->ahead);
        p->ahead = NULL;
        status = read_chunk(p, &p->records, &p->left, err);
    }
    if (status) {
        p->left = 0;
        return status;
    }
    run->records = p->records;
    run->validation = p->inside ? p->given >= p->boundary : is_validation(p, p->document);
    const u64 limit = p->inside && !run->validation ? p->boundary - p->given : p->left;
    run->count = document_run(p, p->records, limit, &run->ends);
    p->records += run->count * p->facts.record_bytes;
    p->left -= run->count;
    p->given += run->count;
    p->document += run->ends;
    return W_DONE;
}

void w_parts_say(struct w_header *header, const struct w_parts_options *options, const char *part)
{
    struct w_json *split = w_json_object();

    w_json_set_string(split, "part", part);
    w_json_set_real(split, "val_fraction", options->val_fraction);
    w_json_set_u64(split, "seed", options->split_seed);
    w_json_set(header->json, "split", split);
}

bool w_parts_are_inside(const struct w_parts *p)
{
    return p->inside;
}
