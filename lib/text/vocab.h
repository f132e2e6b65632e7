/* vocab.h - a byte-level BPE vocabulary: which byte strings are tokens, and how they merge.
 *
 * Ids 0 to 255 are the bytes in their order; then one id per merge, in the order learned; then the
 * special tokens, the first of which ends documents ("<|endoftext|>"). Text can never produce a
 * special id. Every byte string encodes, and decodes to itself.
 *
 * A vocabulary is one file of JSON (wvocab in wstream(5)); the same JSON travels in the headers of
 * token streams and inside models, so that a model needs no other file. Its hash is the SHA-256 of
 * its canonical JSON text. */
#ifndef W_VOCAB_H
#define W_VOCAB_H

#include "base/status.h"
#include "sys/json.h"
#include "text/split.h"

struct w_vocab;

/* Learned merges: pairs of ids, in order of rank; merge i makes id 256 + i. */
struct w_merge {
    u32 left, right;
};

/* Build from merges (copied) and special tokens, at least one. Checks that every merge names earlier
 * ids and makes a new byte string: one id per byte string. */
enum w_status w_vocab_new(struct w_vocab **, enum w_split split, const struct w_merge *merges,
                          u32 merge_count, const char *const *specials, u32 special_count,
                          struct w_err *) W_MUST_CHECK;
void w_vocab_free(struct w_vocab *); /* accepts NULL */

/* From and to JSON: {"type":"bpe","split":"gpt2","size":16000,"merges":"l r l r ...",
 * "specials":["<|endoftext|>"],"sha256":"..."}. Merges are one string of decimal ids, so that the
 * largest vocabulary is a handful of JSON values. The hash is that of the object's text without
 * blanks and without the member "sha256"; a wrong one is W_CORRUPT, none is accepted. The object
 * that w_vocab_json() returns is the caller's; NULL without memory. */
enum w_status w_vocab_from_json(struct w_vocab **, const struct w_json *,
                                struct w_err *) W_MUST_CHECK;
struct w_json *w_vocab_json(const struct w_vocab *);
/* A vocabulary file. (A stream or a model carries the same object as "tok" in its header.) */
enum w_status w_vocab_load(struct w_vocab **, const char *path, struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_save(const struct w_vocab *, const char *path, struct w_err *) W_MUST_CHECK;

u32 w_vocab_size(const struct w_vocab *);           /* ids, specials included */
u32 w_vocab_end_id(const struct w_vocab *);         /* the id that ends documents */
const char *w_vocab_sha256(const struct w_vocab *); /* 64 hexadecimal digits */
enum w_split w_vocab_split(const struct w_vocab *);
u32 w_vocab_merge_count(const struct w_vocab *);
const struct w_merge *w_vocab_merges(const struct w_vocab *);
/* The bytes of an id (not NUL-terminated); special tokens give their name. NULL if id >= size. */
const u8 *w_vocab_bytes(const struct w_vocab *, u32 id, u32 *size);
bool w_vocab_is_special(const struct w_vocab *, u32 id);

#endif
