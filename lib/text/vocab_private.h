/* vocab_private.h - the contents of a vocabulary; for vocab.c and vocab_json.c alone. */
#ifndef W_VOCAB_PRIVATE_H
#define W_VOCAB_PRIVATE_H

#include "base/sha256.h"
#include "text/token_set.h"
#include "text/vocab.h"

#define W_BYTE_TOKENS 256u
#define W_NO_SLOT UINT32_MAX
#define W_SPECIAL_SLOT (1u << 31) /* from here on slots are those of special tokens */

/* Tokens have slots without gaps: bytes, added tokens, then the tokens that merges make. Special
 * tokens have names of their own, and slots from W_SPECIAL_SLOT on. */
struct w_vocab {
    enum w_split split;
    bool nfc;
    bool whole_words;
    bool late; /* some merge joins a token that only a later one makes */
    u32 size, merge_count, added_count, special_count;
    struct w_token_set tokens; /* by slot */
    struct w_token_set names;  /* of specials, in their order */
    u32 *ids;                  /* of slots */
    u32 *special_ids;
    u32 *slots;    /* of ids; W_NO_SLOT: unused */
    u32 slot_room; /* ids that slots has room for */
    struct w_merge *merges;
    u32 *merged_ids;            /* the id that each merge makes */
    char sha256[W_SHA256_TEXT]; /* empty until the vocabulary is complete */
};

static inline u32 w_vocab_first_made(const struct w_vocab *v)
{
    return W_BYTE_TOKENS + v->added_count;
}
/* Tokens of all kinds. */
static inline u32 w_vocab_tokens(const struct w_vocab *v)
{
    return v->tokens.count + v->special_count;
}

/* The first id from `id` on that is of none of these kinds; bit 1 << kind for each. */
u32 w_vocab_next_id(const struct w_vocab *, u32 id, unsigned kinds);

#endif
