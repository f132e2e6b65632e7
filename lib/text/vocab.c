/* A vocabulary in memory: tokens have slots without gaps (vocab_private.h), ids are mapped to them. The
 * bytes of what merges make are written once, one after the other, and a set of byte strings finds equal
 * ones, so that a byte string has one id. */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/pair_map.h"
#include "text/vocab_private.h"

/* ---- building ---- */

static enum w_status give_id(struct w_vocab *v, u32 slot, u32 id, struct w_err *err)
{
    if (id >= v->slot_room)
        return w_fail(err, W_LIMIT, "id %u leaves too many ids unused; at most %u may be", id,
                      W_UNUSED_IDS_MAX);
    if (v->slots[id] != W_NO_SLOT)
        return w_fail(err, W_CORRUPT, "two tokens have the id %u", id);
    v->slots[id] = slot;
    v->ids[slot] = id;
    return W_DONE;
}

static u32 free_id(const struct w_vocab *v, u32 id)
{
    while (id < v->slot_room && v->slots[id] != W_NO_SLOT)
        id++;
    return id;
}

/* Two ids of the same bytes are refused: they would decode, but make export to other formats and
 * the probability of a token ambiguous. */
static enum w_status add_token(struct w_vocab *v, const struct w_token *token, struct w_err *err)
{
    u32 twin = 0;

    if (token->size == 0)
        return w_fail(err, W_CORRUPT, "a token without bytes (id %u)", token->id);
    enum w_status status = w_token_set_add(&v->tokens, token->bytes, token->size, &twin, err);
    return status == W_NO ? w_fail(err, W_CORRUPT, "the token of id %u is listed twice", token->id)
                          : status;
}

/* All tokens whose bytes are given: single bytes (the set begins with them), added ones,
 * specials. */
static enum w_status add_given(struct w_vocab *v, const struct w_vocab_parts *p, struct w_err *err)
{
    enum w_status status = w_token_set_init(&v->tokens, err);
    u32 slot = 0;

    for (u32 i = 0; i < W_BYTE_TOKENS && !status; i++)
        status = give_id(v, slot++, p->byte_ids ? p->byte_ids[i] : i, err);
    for (u32 i = 0; i < p->added_count && !status; i++) {
        status = add_token(v, &p->added[i], err);
        if (!status)
            status = give_id(v, slot++, p->added[i].id, err);
    }
    for (u32 i = 0; i < p->special_count && !status; i++) {
        const struct w_token *s = &p->specials[i];
        if (!w_utf8_valid(s->bytes, s->size) || memchr(s->bytes, 0, s->size))
            return w_fail(err, W_CORRUPT, "special token %u has no name in UTF-8", i);
        status = add_token(v, s, err);
        if (!status && !p->free_special_ids)
            status = give_id(v, slot++, s->id, err);
    }
    return status;
}

/* Merge i: it makes a new token of id next_id, or one that an earlier merge made of other
 * halves. */
static enum w_status add_merge(struct w_vocab *v, u32 i, u32 next_id, struct w_err *err)
{
    u32 twin = 0, halves[2] = {v->merges[i].left, v->merges[i].right}, slots[2];

    for (unsigned h = 0; h < 2; h++) {
        enum w_token_kind kind = w_vocab_kind(v, halves[h]);
        if (kind != W_TOKEN_BYTE && kind != W_TOKEN_MADE)
            return w_fail(err, W_CORRUPT,
                          "merge %u uses id %u, which is no byte and which no earlier merge makes",
                          i, halves[h]);
        slots[h] = v->slots[halves[h]];
    }
    enum w_status status = w_token_set_join(&v->tokens, slots[0], slots[1], &twin, err);
    if (status == W_NO) {
        v->merged_ids[i] = v->ids[twin];
        if (twin < w_vocab_first_made(v))
            return w_fail(err, W_CORRUPT, "merge %u makes a token that is listed as %s", i,
                          twin < w_vocab_first_special(v) ? "loose" : "special");
        return W_DONE;
    }
    if (!status && next_id == W_NO_SLOT)
        status = w_fail(err, W_CORRUPT, "merge %u makes a token for which no id is given", i);
    if (!status)
        status = give_id(v, v->tokens.count - 1, next_id, err);
    v->merged_ids[i] = next_id;
    return status;
}

static enum w_status add_merges(struct w_vocab *v, const struct w_vocab_parts *p, struct w_err *err)
{
    struct w_pair_map pairs = {0};
    u32 made = 0, next_id = 0;

    enum w_status status = w_pair_map_init(&pairs, p->merge_count, err);
    for (u32 i = 0; i < p->merge_count && !status; i++) {
        u32 left = v->merges[i].left, right = v->merges[i].right, tokens = v->tokens.count;
        next_id = p->made_ids ? (made < p->made_count ? p->made_ids[made] : W_NO_SLOT)
                              : free_id(v, next_id);
        status = add_merge(v, i, next_id, err);
        if (!status && w_pair_map_find(&pairs, left, right) != W_PAIR_NONE)
            status = w_fail(err, W_CORRUPT, "merge %u, of ids %u and %u, is listed twice", i, left,
                            right);
        if (!status)
            status = w_pair_map_add(&pairs, left, right, i, err);
        made += v->tokens.count - tokens;
    }
    if (!status && p->made_ids && made != p->made_count)
        status = w_fail(err, W_CORRUPT, "merges make %u tokens, not %u", made, p->made_count);
    for (u32 i = 0; i < p->special_count && p->free_special_ids && !status; i++)
        status = give_id(v, w_vocab_first_special(v) + i, next_id = free_id(v, next_id), err);
    w_pair_map_release(&pairs);
    return status;
}

/* The size: as wanted, or up to the largest id. */
static enum w_status settle_size(struct w_vocab *v, u32 wanted, struct w_err *err)
{
    u32 size = v->slot_room;

    while (v->slots[size - 1] == W_NO_SLOT)
        size--;
    if (wanted > 0 && wanted < size)
        return w_fail(err, W_CORRUPT, "there is an id %u, but the size is %u", size - 1, wanted);
    v->size = W_MAX(size, wanted);
    if (v->size > W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "more than %u ids", W_TOKENS_MAX);
    if (v->size - v->tokens.count > W_UNUSED_IDS_MAX)
        return w_fail(err, W_LIMIT, "%u of %u ids are unused; at most %u may be",
                      v->size - v->tokens.count, v->size, W_UNUSED_IDS_MAX);
    return W_DONE;
}

static enum w_status allocate(struct w_vocab *v, const struct w_vocab_parts *p, struct w_err *err)
{
    u64 tokens = (u64)W_BYTE_TOKENS + p->merge_count + p->added_count + p->special_count;

    if (tokens > W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "more than %u tokens", W_TOKENS_MAX);
    v->slot_room = W_MAX((u32)tokens + W_UNUSED_IDS_MAX, p->size);
    if (v->slot_room - (u32)tokens > 2 * W_UNUSED_IDS_MAX)
        return w_fail(err, W_LIMIT, "a size of %u for at most %u tokens", p->size, (u32)tokens);
    v->ids = malloc(tokens * sizeof *v->ids);
    v->slots = malloc(v->slot_room * sizeof *v->slots);
    v->merges = malloc((p->merge_count + 1u) * sizeof *v->merges);
    v->merged_ids = malloc((p->merge_count + 1u) * sizeof *v->merged_ids);
    if (!v->ids || !v->slots || !v->merges || !v->merged_ids)
        return w_fail(err, W_NOMEM, "no memory for %u tokens", (u32)tokens);
    memset(v->slots, 0xff, v->slot_room * sizeof *v->slots); /* W_NO_SLOT */
    if (p->merge_count > 0)
        memcpy(v->merges, p->merges, p->merge_count * sizeof *v->merges);
    return W_DONE;
}

static enum w_status compute_hash(struct w_vocab *v, struct w_err *err)
{
    struct w_json *json = w_vocab_json(v);
    char *text = json ? w_json_text(json, err) : NULL;

    if (text)
        w_sha256(text, strlen(text), v->sha256);
    w_json_free(json);
    enum w_status status = text ? W_DONE : w_fail(err, W_NOMEM, "no memory for its text");
    free(text);
    return status;
}

enum w_status w_vocab_make(struct w_vocab **vocab, const struct w_vocab_parts *parts,
                           struct w_err *err)
{
    enum w_status status = W_DONE;

    *vocab = NULL;
    if (parts->special_count == 0)
        return w_fail(err, W_CORRUPT, "vocabulary: it has no special token to end documents");
    struct w_vocab *v = calloc(1, sizeof *v);
    if (!v)
        return w_fail(err, W_NOMEM, "vocabulary: no memory");
    v->split = parts->split;
    v->whole_words = parts->whole_words;
    v->merge_count = parts->merge_count;
    v->added_count = parts->added_count;
    v->special_count = parts->special_count;
    status = allocate(v, parts, err);
    if (!status)
        status = add_given(v, parts, err);
    if (!status)
        status = add_merges(v, parts, err);
    if (!status)
        status = settle_size(v, parts->size, err);
    if (!status)
        status = compute_hash(v, err);
    if (status) {
        w_vocab_free(v);
        return w_fail_at(err, status, "vocabulary");
    }
    *vocab = v;
    return W_DONE;
}

enum w_status w_vocab_new(struct w_vocab **vocab, enum w_split split, const struct w_merge *merges,
                          u32 merge_count, const char *const *specials, u32 special_count,
                          struct w_err *err)
{
    struct w_token *tokens = calloc(special_count + 1u, sizeof *tokens);
    struct w_vocab_parts parts = {.split = split,
                                  .merges = merges,
                                  .merge_count = merge_count,
                                  .specials = tokens,
                                  .special_count = special_count,
                                  .free_special_ids = true};

    *vocab = NULL;
    if (!tokens)
        return w_fail(err, W_NOMEM, "vocabulary: no memory");
    for (u32 i = 0; i < special_count; i++) {
        tokens[i].bytes = (const u8 *)specials[i];
        tokens[i].size = (u32)strlen(specials[i]);
    }
    enum w_status status = w_vocab_make(vocab, &parts, err);
    free(tokens);
    return status;
}

void w_vocab_free(struct w_vocab *v)
{
    if (!v)
        return;
    w_token_set_release(&v->tokens);
    free(v->ids);
    free(v->slots);
    free(v->merges);
    free(v->merged_ids);
    free(v);
}

/* ---- access ---- */

u32 w_vocab_size(const struct w_vocab *v)
{
    return v->size;
}

u32 w_vocab_eot_id(const struct w_vocab *v)
{
    return v->ids[w_vocab_first_special(v)];
}

const char *w_vocab_sha256(const struct w_vocab *v)
{
    return v->sha256;
}

enum w_split w_vocab_split(const struct w_vocab *v)
{
    return v->split;
}

bool w_vocab_whole_words(const struct w_vocab *v)
{
    return v->whole_words;
}

const u32 *w_vocab_byte_ids(const struct w_vocab *v)
{
    return v->ids; /* the first slots are the bytes */
}

u32 w_vocab_merge_count(const struct w_vocab *v)
{
    return v->merge_count;
}

const struct w_merge *w_vocab_merges(const struct w_vocab *v)
{
    return v->merges;
}

const u32 *w_vocab_merged_ids(const struct w_vocab *v)
{
    return v->merged_ids;
}

const u8 *w_vocab_bytes(const struct w_vocab *v, u32 id, u32 *size)
{
    *size = 0;
    return id < v->size && v->slots[id] != W_NO_SLOT ? w_token_bytes(&v->tokens, v->slots[id], size)
                                                     : NULL;
}

enum w_token_kind w_vocab_kind(const struct w_vocab *v, u32 id)
{
    u32 slot = id < v->slot_room ? v->slots[id] : W_NO_SLOT;

    return slot == W_NO_SLOT                 ? W_TOKEN_UNUSED
           : slot < W_BYTE_TOKENS            ? W_TOKEN_BYTE
           : slot < w_vocab_first_special(v) ? W_TOKEN_ADDED
           : slot < w_vocab_first_made(v)    ? W_TOKEN_SPECIAL
                                             : W_TOKEN_MADE;
}

bool w_vocab_is_special(const struct w_vocab *v, u32 id)
{
    return w_vocab_kind(v, id) == W_TOKEN_SPECIAL;
}

bool w_vocab_find(const struct w_vocab *v, const u8 *bytes, size_t size, u32 *id)
{
    u32 slot;

    if (!w_token_set_find(&v->tokens, bytes, size, &slot))
        return false;
    *id = v->ids[slot];
    return true;
}

u32 w_vocab_special_count(const struct w_vocab *v)
{
    return v->special_count;
}

u32 w_vocab_special_id(const struct w_vocab *v, u32 index)
{
    return v->ids[w_vocab_first_special(v) + index];
}

u32 w_vocab_next_id(const struct w_vocab *v, u32 id, unsigned kinds)
{
    while (kinds >> w_vocab_kind(v, id) & 1)
        id++;
    return id;
}
