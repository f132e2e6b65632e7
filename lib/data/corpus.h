/* corpus.h - the tokens of one or more streams, one after another, as if they were one.
 *
 * All members of all files have to share one vocabulary and the same columns. Records stay in the
 * stream's own form. */
#ifndef W_CORPUS_H
#define W_CORPUS_H

#include "base/status.h"
#include "data/columns.h"

struct w_corpus;

struct w_corpus_facts {
    const struct w_header *header; /* of the first member */
    u64 record_bytes;
    u64 id_at; /* bytes of a record before its id */
    u32 id_bytes;
    struct w_columns columns; /* those for batches */
    u32 vocab;                /* every id is below it: checked while reading */
    u32 eot;                  /* the id that ends documents */
    bool regular_files;       /* all of them are: their size is fixed, and they can be read again */
};

/* The id of a record. */
static inline u32 w_corpus_id(const struct w_corpus_facts *facts, const u8 *records, u64 index)
{
    return w_id_at(records + index * facts->record_bytes + facts->id_at, facts->id_bytes, 0);
}

/* Open the first stream and read its header. count 0: standard input. The paths must outlive the
 * corpus. W_IO: a path leads nowhere; W_TRUNCATED: no stream in it; W_MISMATCH: no tokens;
 * W_CORRUPT: no valid vocabulary size or end id in the header; else as reading any stream. */
enum w_status w_corpus_open(struct w_corpus **, char *const *paths, size_t count,
                            struct w_err *) W_MUST_CHECK;
void w_corpus_close(struct w_corpus **); /* accepts NULL */

const struct w_corpus_facts *w_corpus_facts(const struct w_corpus *);

/* The next chunk of records, valid until the next call; W_END after the last stream. W_MISMATCH: a
 * stream of another vocabulary or with other columns; W_CORRUPT: an id outside of it, or an lp that
 * is no log-probability; else as opening. */
enum w_status w_corpus_read(struct w_corpus *, const u8 **records, u64 *count,
                            struct w_err *) W_MUST_CHECK;

#endif
