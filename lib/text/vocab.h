/* vocab.h - a byte-level BPE vocabulary: which byte strings are tokens, and how they merge.
 *
 * Every token has an id. There are tokens of four kinds:
 *
 *     bytes     the 256 single bytes, so that every byte string encodes, and decodes to itself
 *     made      the results of merges, whose order (rank) says which one is done first
 *     added     byte strings that no merge makes ("loose" in the JSON form); text gives one only as
 *               a whole word, and only if the vocabulary takes whole words (w_vocab_whole_words)
 *     special   names such as "<|endoftext|>", which text never gives; the first one ends documents
 *
 * A byte string has one id: a second merge that makes the same bytes makes the same id. The name of
 * a special token may be the bytes of another token: GPT-NeoX has names for runs of blanks.
 *
 * Ranks say nothing of how tokens are made: a merge may join a token that only a merge of a higher
 * rank makes ("late"). With a+bc = abc at rank 0 and b+c = bc at rank 1, abc is made of a, b, c all
 * the same. Vocabularies of ranks, as those of tiktoken and Llama 3, have such merges.
 *
 * A vocabulary that wtok train learns has the bytes at 0 to 255, then one id per merge, then the
 * specials; an imported one may have any ids, and some that are unused.
 *
 * A vocabulary is one file of JSON (see wtok(1)); the same JSON travels in the headers of token
 * streams and inside models, so that a model needs no other file. Its hash is the SHA-256 of its
 * canonical JSON text. */
#ifndef W_VOCAB_H
#define W_VOCAB_H

#include "base/status.h"
#include "sys/json.h"
#include "text/split.h"

#define W_UNUSED_IDS_MAX 65536u /* so that a small file cannot ask for much memory */

struct w_vocab;

/* A merge of two ids. */
struct w_merge {
    u32 left, right;
};

/* A token whose bytes are given: special or added. */
struct w_token {
    u32 id;
    u32 size;
    const u8 *bytes; /* not NUL-terminated */
};

/* The parts of a vocabulary. Everything is copied. Zeroes are the defaults, except for specials. */
struct w_vocab_parts {
    enum w_split split;
    bool nfc;                     /* text is in NFC before it is split (nfc.h) */
    bool whole_words;             /* a word that is a token is that token, whatever merges say */
    u32 size;                     /* ids, unused ones at the end included; 0: as needed */
    const u32 *byte_ids;          /* of the 256 bytes; NULL: 0 to 255 */
    const struct w_merge *merges; /* by rank; of ids of bytes and of results of merges */
    u32 merge_count;
    const u32 *merged_ids; /* the id that each merge makes; NULL: as made_ids says, and each merge
                              joins bytes and results of earlier ones */
    const u32 *made_ids;   /* ids of the made tokens, in the order in which merges first make them;
                              NULL: the smallest that nothing else has */
    u32 made_count;
    const struct w_token *added;
    u32 added_count;
    const struct w_token *specials; /* names in UTF-8; at least one */
    u32 special_count;
    bool free_special_ids; /* ids of specials: the smallest free after merges, not those given */
};

/* W_CORRUPT: the parts contradict each other, such as two tokens of one id; W_LIMIT: beyond the
 * limits of token_set.h, or too many unused ids; W_NOMEM. */
enum w_status w_vocab_make(struct w_vocab **, const struct w_vocab_parts *,
                           struct w_err *) W_MUST_CHECK;
/* A learned vocabulary: ids of the bytes, of the merges and of the specials, in this order. Fails
 * as w_vocab_make(). */
enum w_status w_vocab_new(struct w_vocab **, enum w_split split, const struct w_merge *merges,
                          u32 merge_count, const char *const *specials, u32 special_count,
                          struct w_err *) W_MUST_CHECK;
void w_vocab_free(struct w_vocab *); /* accepts NULL */

/* From and to JSON. The hash is that of the text of w_vocab_json(), without blanks and without the
 * member "sha256". W_CORRUPT: a member is wrong, or the hash, if there is one; W_NEWER: a type, a
 * splitting rule or a normalizer that is unknown here; else fails as w_vocab_make(). The caller
 * frees the object; NULL without memory. */
enum w_status w_vocab_from_json(struct w_vocab **, const struct w_json *,
                                struct w_err *) W_MUST_CHECK;
struct w_json *w_vocab_json(const struct w_vocab *);
/* A vocabulary file. (A stream or a model carries the same object as "tok" in its header.) Loading
 * fails as w_vocab_from_json(), with W_LIMIT above 512 MiB and with W_IO; saving with W_IO and
 * W_NOMEM. */
enum w_status w_vocab_load(struct w_vocab **, const char *path, struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_save(const struct w_vocab *, const char *path, struct w_err *) W_MUST_CHECK;

u32 w_vocab_size(const struct w_vocab *);           /* ids, unused ones included */
u32 w_vocab_eot_id(const struct w_vocab *);         /* the id that ends documents */
const char *w_vocab_sha256(const struct w_vocab *); /* 64 hexadecimal digits */
enum w_split w_vocab_split(const struct w_vocab *);
bool w_vocab_nfc(const struct w_vocab *);
bool w_vocab_whole_words(const struct w_vocab *);

/* The id of each byte. */
const u32 *w_vocab_byte_ids(const struct w_vocab *);
/* The merges by rank, and the id that each of them makes. */
u32 w_vocab_merge_count(const struct w_vocab *);
const struct w_merge *w_vocab_merges(const struct w_vocab *);
const u32 *w_vocab_merged_ids(const struct w_vocab *);

/* The bytes of an id (not NUL-terminated); of a special token its name. NULL if no token has the
 * id. */
const u8 *w_vocab_bytes(const struct w_vocab *, u32 id, u32 *size);
/* The text that an id stands for: the same, but NULL for a special token too, which has none. */
const u8 *w_vocab_text(const struct w_vocab *, u32 id, u32 *size);
enum w_token_kind { W_TOKEN_UNUSED, W_TOKEN_BYTE, W_TOKEN_MADE, W_TOKEN_ADDED, W_TOKEN_SPECIAL };
enum w_token_kind w_vocab_kind(const struct w_vocab *, u32 id); /* UNUSED from size on */
bool w_vocab_is_special(const struct w_vocab *, u32 id);
/* The id of a token with these bytes that is not special, and of a special token of this name:
 * false if there is none. */
bool w_vocab_find(const struct w_vocab *, const u8 *bytes, size_t size, u32 *id);
bool w_vocab_find_special(const struct w_vocab *, const char *name, size_t size, u32 *id);
/* The special tokens in the order given, the one that ends documents first. */
u32 w_vocab_special_count(const struct w_vocab *);
u32 w_vocab_special_id(const struct w_vocab *, u32 index);

#endif
