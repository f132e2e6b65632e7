/* A vocabulary in memory: tokens have slots without gaps (vocab_private.h), ids are mapped to them.
 * The bytes of what merges make are written once, one after the other, and a set of byte strings
 * finds equal ones, so that a byte string has one id. */
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
    if (slot < W_SPECIAL_SLOT)
        v->ids[slot] = id;
    else
        v->special_ids[slot - W_SPECIAL_SLOT] = id;
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
static enum w_status add_token(struct w_token_set *set, const struct w_token *token,
                               struct w_err *err)
{
    if (token->size == 0)
        return w_fail(err, W_CORRUPT, "a token without bytes (id %u)", token->id);
    enum w_status status = w_token_set_add(set, token->bytes, token->size, NULL, err);
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
        status = add_token(&v->tokens, &p->added[i], err);
        if (!status)
            status = give_id(v, slot++, p->added[i].id, err);
    }
    for (u32 i = 0; i < p->special_count && !status; i++) {
        const struct w_token *s = &p->specials[i];
        if (!w_utf8_valid(s->bytes, s->size) || memchr(s->bytes, 0, s->size))
            return w_fail(err, W_CORRUPT, "special token %u has no name in UTF-8", i);
        status = add_token(&v->names, s, err);
        if (!status && !p->free_special_ids)
            status = give_id(v, W_SPECIAL_SLOT + i, s->id, err);
    }
    return status;
}

/* Merges in the order in which they can be joined. A merge whose halves are not all known waits for
 * one of them; `waiting` has the last merge that waits for an id, or for nothing any more and is
 * `ready`, and `next` the one before it. */
struct joining {
    struct w_pair_map pairs; /* that are listed */
    u32 *waiting, *next;
    u32 ready, done, made, next_id;
};

static bool is_part(const struct w_vocab *v, u32 id)
{
    enum w_token_kind kind = w_vocab_kind(v, id);

    return kind == W_TOKEN_BYTE || kind == W_TOKEN_MADE;
}

/* Join the halves of merge i, which are known: it makes a new token, or one that a merge before
 * made of other halves. */
static enum w_status join(struct w_vocab *v, const struct w_vocab_parts *p, struct joining *j,
                          u32 i, struct w_err *err)
{
    u32 left = v->merges[i].left, right = v->merges[i].right, twin = 0, id;

    enum w_status status =
        w_token_set_join(&v->tokens, v->slots[left], v->slots[right], &twin, err);
    if (status && status != W_NO)
        return status;
    if (status == W_NO && twin < w_vocab_first_made(v))
        return w_fail(err, W_CORRUPT, "merge %u makes a token that is listed as loose", i);
    if (status == W_NO) {
        v->merged_ids[i] = v->ids[twin];
        return p->merged_ids && p->merged_ids[i] != v->ids[twin]
                   ? w_fail(err, W_CORRUPT, "merge %u makes the bytes of id %u, not of %u", i,
                            v->ids[twin], p->merged_ids[i])
                   : W_DONE;
    }
    if (p->merged_ids)
        id = p->merged_ids[i];
    else if (p->made_ids && j->made == p->made_count)
        return w_fail(err, W_CORRUPT, "merge %u makes a token for which no id is given", i);
    else
        id = p->made_ids ? p->made_ids[j->made] : (j->next_id = free_id(v, j->next_id));
    j->made++;
    v->merged_ids[i] = id;
    return give_id(v, v->tokens.count - 1, id, err);
}

/* Merge i, if its halves are known, and those that have waited for its result become ready. */
static enum w_status try_merge(struct w_vocab *v, const struct w_vocab_parts *p, struct joining *j,
                               u32 i, struct w_err *err)
{
    u32 tokens = v->tokens.count;

    for (unsigned h = 0; h < 2; h++) {
        u32 id = h ? v->merges[i].right : v->merges[i].left;
        if (is_part(v, id))
            continue;
        if (!p->merged_ids || id >= v->slot_room || v->slots[id] != W_NO_SLOT)
            return w_fail(err, W_CORRUPT,
                          "merge %u uses id %u, which is no byte and which no %smerge makes", i, id,
                          p->merged_ids ? "" : "earlier ");
        j->next[i] = j->waiting[id];
        j->waiting[id] = i;
        v->late = true;
        return W_DONE;
    }
    enum w_status status = join(v, p, j, i, err);
    j->done++;
    if (!status && p->merged_ids && v->tokens.count > tokens)
        while (j->waiting[v->merged_ids[i]] != W_PAIR_NONE) {
            u32 first = j->waiting[v->merged_ids[i]];
            j->waiting[v->merged_ids[i]] = j->next[first];
            j->next[first] = j->ready;
            j->ready = first;
        }
    return status;
}

/* Some merges still wait: name the first of them. */
static enum w_status refuse_waiting(const struct w_vocab *v, struct w_err *err)
{
    for (u32 i = 0;; i++) {
        const struct w_merge *m = &v->merges[i];
        if (!is_part(v, m->left) || !is_part(v, m->right))
            return w_fail(err, W_CORRUPT,
                          "merge %u uses id %u, which is no byte and which no merge makes", i,
                          is_part(v, m->left) ? m->right : m->left);
    }
}

static enum w_status join_all(struct w_vocab *v, const struct w_vocab_parts *p, struct joining *j,
                              struct w_err *err)
{
    enum w_status status = w_pair_map_init(&j->pairs, p->merge_count, err);

    for (u32 i = 0; i < p->merge_count && !status; i++) {
        const struct w_merge *m = &v->merges[i];
        status = w_pair_map_find(&j->pairs, m->left, m->right) == W_PAIR_NONE
                     ? w_pair_map_add(&j->pairs, m->left, m->right, i, err)
                     : w_fail(err, W_CORRUPT, "merge %u, of ids %u and %u, is listed twice", i,
                              m->left, m->right);
        if (!status)
            status = try_merge(v, p, j, i, err);
        while (!status && j->ready != W_PAIR_NONE) {
            u32 first = j->ready;
            j->ready = j->next[first];
            status = try_merge(v, p, j, first, err);
        }
    }
    if (!status && j->done < p->merge_count)
        status = refuse_waiting(v, err);
    if (!status && p->made_ids && j->made != p->made_count)
        status = w_fail(err, W_CORRUPT, "merges make %u tokens, not %u", j->made, p->made_count);
    return status;
}

static enum w_status add_merges(struct w_vocab *v, const struct w_vocab_parts *p, struct w_err *err)
{
    struct joining j = {.ready = W_PAIR_NONE};
    enum w_status status = W_DONE;

    if (p->merged_ids) {
        j.waiting = malloc(v->slot_room * sizeof *j.waiting);
        j.next = malloc((p->merge_count + 1u) * sizeof *j.next);
        if (j.waiting && j.next)
            memset(j.waiting, 0xff, v->slot_room * sizeof *j.waiting); /* W_PAIR_NONE */
        else
            status = w_fail(err, W_NOMEM, "no memory for %u merges", p->merge_count);
    }
    if (!status)
        status = join_all(v, p, &j, err);
    for (u32 i = 0; i < p->special_count && p->free_special_ids && !status; i++)
        status = give_id(v, W_SPECIAL_SLOT + i, j.next_id = free_id(v, j.next_id), err);
    w_pair_map_release(&j.pairs);
    free(j.waiting);
    free(j.next);
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
    if (v->size - w_vocab_tokens(v) > W_UNUSED_IDS_MAX)
        return w_fail(err, W_LIMIT, "%u of %u ids are unused; at most %u may be",
                      v->size - w_vocab_tokens(v), v->size, W_UNUSED_IDS_MAX);
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
    v->special_ids = malloc((p->special_count + 1u) * sizeof *v->special_ids);
    v->slots = malloc(v->slot_room * sizeof *v->slots);
    v->merges = malloc((p->merge_count + 1u) * sizeof *v->merges);
    v->merged_ids = malloc((p->merge_count + 1u) * sizeof *v->merged_ids);
    if (!v->ids || !v->special_ids || !v->slots || !v->merges || !v->merged_ids)
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
    v->nfc = parts->nfc;
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
    w_token_set_release(&v->names);
    free(v->ids);
    free(v->special_ids);
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
    return v->special_ids[0];
}

const char *w_vocab_sha256(const struct w_vocab *v)
{
    return v->sha256;
}

enum w_split w_vocab_split(const struct w_vocab *v)
{
    return v->split;
}

bool w_vocab_nfc(const struct w_vocab *v)
{
    return v->nfc;
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
    u32 slot = id < v->size ? v->slots[id] : W_NO_SLOT;

    *size = 0;
    if (slot == W_NO_SLOT)
        return NULL;
    return slot < W_SPECIAL_SLOT ? w_token_bytes(&v->tokens, slot, size)
                                 : w_token_bytes(&v->names, slot - W_SPECIAL_SLOT, size);
}

enum w_token_kind w_vocab_kind(const struct w_vocab *v, u32 id)
{
    u32 slot = id < v->slot_room ? v->slots[id] : W_NO_SLOT;

    return slot == W_NO_SLOT              ? W_TOKEN_UNUSED
           : slot >= W_SPECIAL_SLOT       ? W_TOKEN_SPECIAL
           : slot < W_BYTE_TOKENS         ? W_TOKEN_BYTE
           : slot < w_vocab_first_made(v) ? W_TOKEN_ADDED
                                          : W_TOKEN_MADE;
}

bool w_vocab_is_special(const struct w_vocab *v, u32 id)
{
    return w_vocab_kind(v, id) == W_TOKEN_SPECIAL;
}

const u8 *w_vocab_text(const struct w_vocab *v, u32 id, u32 *size)
{
    *size = 0;
    return w_vocab_is_special(v, id) ? NULL : w_vocab_bytes(v, id, size);
}

bool w_vocab_find(const struct w_vocab *v, const u8 *bytes, size_t size, u32 *id)
{
    u32 slot;

    if (!w_token_set_find(&v->tokens, bytes, size, &slot))
        return false;
    *id = v->ids[slot];
    return true;
}

bool w_vocab_find_special(const struct w_vocab *v, const char *name, size_t size, u32 *id)
{
    u32 index;

    if (!w_token_set_find(&v->names, (const u8 *)name, size, &index))
        return false;
    *id = v->special_ids[index];
    return true;
}

u32 w_vocab_special_count(const struct w_vocab *v)
{
    return v->special_count;
}

u32 w_vocab_special_id(const struct w_vocab *v, u32 index)
{
    return v->special_ids[index];
}

u32 w_vocab_next_id(const struct w_vocab *v, u32 id, unsigned kinds)
{
    while (kinds >> w_vocab_kind(v, id) & 1)
        id++;
    return id;
}
