/* corpus.h - the ids of one or more token streams, one after another, as if they were one.
 *
 * All members of all files have to share one vocabulary. Ids stay in the stream's own form: little-
 * endian, id_bytes (2 or 4) each. */
#ifndef W_CORPUS_H
#define W_CORPUS_H

#include "base/status.h"
#include "wire/token_header.h"

struct w_corpus;

struct w_corpus_facts {
    const struct w_header *header; /* of the first member */
    enum w_type dtype;             /* W_TYPE_U16 or W_TYPE_U32 */
    u32 id_bytes;
    u32 vocab;          /* every id is below it: checked while reading */
    u32 eot;            /* the id that ends documents */
    bool regular_files; /* all of them are: their size is fixed, and they can be read again */
};

/* Open the first stream and read its header. count 0: standard input. The paths must outlive the
 * corpus. W_IO: a path leads nowhere; W_TRUNCATED: no stream in it; W_MISMATCH: no tokens;
 * W_CORRUPT: no valid vocabulary size or end id in the header; else as reading any stream. */
enum w_status w_corpus_open(struct w_corpus **, char *const *paths, size_t count,
                            struct w_err *) W_MUST_CHECK;
void w_corpus_close(struct w_corpus **); /* accepts NULL */

const struct w_corpus_facts *w_corpus_facts(const struct w_corpus *);

/* The next chunk of ids (see w_id_at), valid until the next call; W_END after the last stream.
 * W_MISMATCH: a stream of another vocabulary; W_CORRUPT: an id outside of it; else as opening. */
enum w_status w_corpus_read(struct w_corpus *, const u8 **ids, u64 *count,
                            struct w_err *) W_MUST_CHECK;

#endif
