/* A vocabulary of another program, checked as a whole and put in the order of ours. Tokens arrive
 * with any ids and merges with any bytes; what both make must agree: each merge's two sides and its
 * result are tokens, and each token is a byte, the result of a merge, added or special. */
#include "text/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/utf8.h"
#include "text/byte_letters.h"
#include "text/word_merge.h"

#define BYTES 256u
#define NO_ID UINT32_MAX

struct w_import_slot {
    u32 id; /* NO_ID: a byte without an id so far */
    enum w_import_kind kind;
    bool made;    /* a merge that makes it is listed */
    bool reached; /* it is a byte, or listed merges make it of bytes */
};

/* Usual names of tokens that end documents, the preferred first. */
static const char *const usual_ends[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"};

enum w_status w_import_init(struct w_import *f, struct w_err *err)
{
    memset(f, 0, sizeof *f);
    enum w_status status = w_token_set_init(&f->tokens, err);
    if (status)
        return status;
    f->slot_room = 1024;
    f->slots = malloc(f->slot_room * sizeof *f->slots);
    if (!f->slots)
        return w_fail(err, W_NOMEM, "no memory for tokens");
    for (u32 i = 0; i < BYTES; i++)
        f->slots[i] = (struct w_import_slot){.id = NO_ID, .reached = true};
    return W_DONE;
}

void w_import_release(struct w_import *f)
{
    w_token_set_release(&f->tokens);
    w_token_set_release(&f->names);
    free(f->slots);
    free(f->name_ids);
    free(f->merges);
    free(f->results);
    memset(f, 0, sizeof *f);
}

/* ---- tokens ---- */

/* The first bytes of a token for messages, printable. */
static const char *shown(const u8 *bytes, size_t size, char text[64])
{
    size_t n = W_MIN(size, 60);

    memcpy(text, bytes, n);
    text[n] = 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] == 0)
            text[i] = '?';
    w_make_printable(text);
    return text;
}

static enum w_status refuse_twin(u32 id, u32 other, const u8 *bytes, size_t size, struct w_err *err)
{
    char text[64];

    return w_fail(err, W_CORRUPT, "ids %u and %u are both \"%s\"", id, other,
                  shown(bytes, size, text));
}

/* A special token of this name, with its id? */
static bool find_name(const struct w_import *f, const void *name, size_t size, u32 *id)
{
    u32 index;

    if (!w_token_set_find(&f->names, name, size, &index))
        return false;
    *id = f->name_ids[index];
    return true;
}

static enum w_status add_name(struct w_import *f, u32 id, const u8 *name, size_t size,
                              struct w_err *err)
{
    u32 slot;

    if (!w_utf8_valid(name, size))
        return w_fail(err, W_CORRUPT, "the special token of id %u has no name in UTF-8", id);
    if (w_token_set_find(&f->tokens, name, size, &slot) && f->slots[slot].id == id) {
        f->slots[slot].kind = W_IMPORT_SPECIAL; /* it was listed among the normal ones */
        return slot >= BYTES ? W_DONE : w_fail(err, W_CORRUPT, "a single byte is special: %u", id);
    }
    enum w_status status = w_grow(&f->name_ids, &f->name_room, f->names.count + 1u,
                                  sizeof *f->name_ids, "special tokens", err);
    if (!status)
        status = w_token_set_add(&f->names, name, size, &slot, err);
    if (status == W_NO)
        return f->name_ids[slot] == id ? W_DONE
                                       : refuse_twin(f->name_ids[slot], id, name, size, err);
    if (!status)
        f->name_ids[f->names.count - 1] = id;
    return status;
}

enum w_status w_import_token(struct w_import *f, u32 id, const u8 *bytes, size_t size,
                             enum w_import_kind kind, struct w_err *err)
{
    u32 slot = f->tokens.count, named;

    if (id >= W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "id %u is beyond the limit of %u", id, W_TOKENS_MAX);
    if (size == 0)
        return w_fail(err, W_CORRUPT, "the token of id %u is empty", id);
    if (kind == W_IMPORT_SPECIAL)
        return add_name(f, id, bytes, size, err);
    if (find_name(f, bytes, size, &named) && named == id)
        return W_DONE;
    enum w_status status =
        w_grow(&f->slots, &f->slot_room, slot + 1u, sizeof *f->slots, "tokens", err);
    if (!status)
        status = w_token_set_add(&f->tokens, bytes, size, &slot, err);
    if (status && status != W_NO)
        return status;
    struct w_import_slot *s = &f->slots[slot];
    if (!status)
        *s = (struct w_import_slot){.id = NO_ID, .kind = kind};
    if (s->id != NO_ID && s->id != id)
        return refuse_twin(s->id, id, bytes, size, err);
    s->id = id;
    return W_DONE;
}

/* The bytes of letters, the caller's; NULL without memory, or, with *other, for characters that are
 * none. */
static u8 *unlettered(const char *letters, size_t size, size_t *count, bool *other)
{
    u8 *bytes = malloc(size + 1);

    *other = bytes && !w_letters_to_bytes(letters, size, bytes, count);
    if (*other) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

enum w_status w_import_letters(struct w_import *f, u32 id, const char *letters, size_t size,
                               enum w_import_kind kind, struct w_err *err)
{
    bool other;
    size_t count = 0;
    u32 named;

    if (find_name(f, letters, size, &named))
        return named == id ? W_DONE : refuse_twin(named, id, (const u8 *)letters, size, err);
    u8 *bytes = unlettered(letters, size, &count, &other);
    if (other)
        return w_import_token(f, id, (const u8 *)letters, size, W_IMPORT_SPECIAL, err);
    if (!bytes)
        return w_fail(err, W_NOMEM, "no memory for a token");
    enum w_status status = w_import_token(f, id, bytes, count, kind, err);
    free(bytes);
    return status;
}

/* ---- merges ---- */

static enum w_status room_for_merge(struct w_import *f, struct w_err *err)
{
    if (f->merge_count < f->merge_room)
        return W_DONE;
    if (f->merge_count >= W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "more than %u merges", W_TOKENS_MAX);
    size_t room = f->merge_room;
    enum w_status status =
        w_grow(&f->merges, &room, f->merge_count + 1u, sizeof *f->merges, "merges", err);
    return status ? status
                  : w_grow(&f->results, &f->merge_room, room, sizeof *f->results, "merges", err);
}

/* The slot of a token that text can have. */
static bool find(const struct w_import *f, const u8 *bytes, size_t size, u32 *slot)
{
    return w_token_set_find(&f->tokens, bytes, size, slot) && f->slots[*slot].id != NO_ID &&
           f->slots[*slot].kind != W_IMPORT_SPECIAL;
}

bool w_import_has(const struct w_import *f, const u8 *bytes, size_t size)
{
    u32 slot;

    return find(f, bytes, size, &slot);
}

enum w_status w_import_merge(struct w_import *f, const u8 *left, size_t left_size, const u8 *right,
                             size_t right_size, struct w_err *err)
{
    struct w_merge merge;
    char text[64], other[64];
    u32 result;

    if (left_size > W_TOKEN_BYTES_MAX || right_size > W_TOKEN_BYTES_MAX)
        return w_fail(err, W_LIMIT, "merge %u: a token has at most %u bytes", f->merge_count,
                      W_TOKEN_BYTES_MAX);
    u8 *joined = malloc(left_size + right_size + 1);
    enum w_status status = joined ? room_for_merge(f, err) : w_fail(err, W_NOMEM, "no memory");
    if (status)
        goto out;
    memcpy(joined, left, left_size);
    memcpy(joined + left_size, right, right_size);
    if (!find(f, left, left_size, &merge.left) || !find(f, right, right_size, &merge.right) ||
        !find(f, joined, left_size + right_size, &result)) {
        status =
            w_fail(err, W_CORRUPT, "merge %u, of \"%s\" and \"%s\": %s is no normal token",
                   f->merge_count, shown(left, left_size, text), shown(right, right_size, other),
                   find(f, left, left_size, &result) && find(f, right, right_size, &result)
                       ? "the result"
                       : "one of them");
        goto out;
    }
    f->results[f->merge_count] = result;
    f->merges[f->merge_count++] = merge;
    f->slots[result].made = true;
out:
    free(joined);
    return status;
}

enum w_status w_import_merge_letters(struct w_import *f, const char *left, size_t left_size,
                                     const char *right, size_t right_size, struct w_err *err)
{
    bool other_left, other_right;
    size_t left_count = 0, right_count = 0;
    u8 *left_bytes = unlettered(left, left_size, &left_count, &other_left);
    u8 *right_bytes = unlettered(right, right_size, &right_count, &other_right);
    enum w_status status;

    if (other_left || other_right)
        status = w_fail(err, W_CORRUPT, "merge %u has characters that stand for no byte",
                        f->merge_count);
    else if (!left_bytes || !right_bytes)
        status = w_fail(err, W_NOMEM, "no memory for a merge");
    else
        status = w_import_merge(f, left_bytes, left_count, right_bytes, right_count, err);
    free(left_bytes);
    free(right_bytes);
    return status;
}

enum w_status w_import_merge_line(struct w_import *f, const char *line, size_t size,
                                  struct w_err *err)
{
    const char *blank = memchr(line, ' ', size);

    if (!blank)
        return w_fail(err, W_CORRUPT, "merge %u is not two tokens with a blank between",
                      f->merge_count);
    /* A blank is no letter: a second one is refused there. */
    return w_import_merge_letters(f, line, (size_t)(blank - line), blank + 1,
                                  size - (size_t)(blank + 1 - line), err);
}

/* ---- the vocabulary ---- */

/* The tokens by kind, as w_vocab_make() takes them. */
struct sorting {
    u32 byte_ids[BYTES];
    struct w_merge *merges; /* of ids */
    u32 *merged_ids;
    struct w_token *added, *specials;
    u32 merge_count, added_count, special_count, largest_id;
};

static int by_id(const void *a, const void *b)
{
    const struct w_token *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

void w_import_sort(struct w_token *tokens, u32 count)
{
    if (count > 0)
        qsort(tokens, count, sizeof *tokens, by_id);
}

static int by_number(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return (x > y) - (x < y);
}

/* Does the rule falcon split the bytes of this token (split.h)? */
static bool is_split(const struct w_import *f, u32 slot)
{
    u32 size, numbers = 0;
    const u8 *bytes = w_token_bytes(&f->tokens, slot, &size);

    if (f->split != W_SPLIT_FALCON)
        return false;
    for (u32 i = 0; i < size; i++)
        numbers += w_split_is_number_letter(bytes[i]);
    return numbers > 0 && numbers < size;
}

/* Drop merges of tokens that nothing makes of bytes: short tokens first, since a token's halves are
 * shorter than itself. */
static enum w_status drop_unreached_merges(struct w_import *f, struct w_err *err)
{
    u64 *order = malloc((f->merge_count + 1u) * sizeof *order); /* size of the result, merge */
    struct w_import_slot *slots = f->slots;
    u32 kept = 0, size;

    if (!order)
        return w_fail(err, W_NOMEM, "no memory for %u merges", f->merge_count);
    for (u32 i = 0; i < f->merge_count; i++) {
        w_token_bytes(&f->tokens, f->results[i], &size);
        order[i] = (u64)size << 32 | i;
    }
    qsort(order, f->merge_count, sizeof *order, by_number);
    for (u32 k = 0; k < f->merge_count; k++) {
        struct w_merge merge = f->merges[(u32)order[k]];
        if (slots[merge.left].reached && slots[merge.right].reached &&
            !is_split(f, f->results[(u32)order[k]]))
            slots[f->results[(u32)order[k]]].reached = true;
    }
    for (u32 i = 0; i < f->merge_count; i++)
        if (slots[f->merges[i].left].reached && slots[f->merges[i].right].reached &&
            slots[f->results[i]].reached) {
            f->merges[kept] = f->merges[i];
            f->results[kept++] = f->results[i];
        }
    f->merge_count = kept;
    free(order);
    return W_DONE;
}

static enum w_status allocate(const struct w_import *f, struct sorting *s, struct w_err *err)
{
    size_t merges = f->merge_count + 1u, others = f->tokens.count - BYTES + 1u;

    s->merges = malloc(merges * sizeof *s->merges);
    s->merged_ids = malloc(merges * sizeof *s->merged_ids);
    s->added = malloc(others * sizeof *s->added);
    /* One more may be added, the one that ends documents. */
    s->specials = malloc((others + f->names.count) * sizeof *s->specials);
    return s->merges && s->merged_ids && s->added && s->specials
               ? W_DONE
               : w_fail(err, W_NOMEM, "no memory for %u tokens", f->tokens.count);
}

/* Bytes that no text in UTF-8 has. */
static bool never_in_utf8(u32 byte)
{
    return byte == 0xc0 || byte == 0xc1 || byte >= 0xf5;
}

/* Ids of the bytes. Some vocabularies of Hugging Face lack those that no UTF-8 has; here every byte
 * string has tokens, so these get the ids after all others. */
static enum w_status sort_bytes(const struct w_import *f, struct sorting *s, struct w_err *err)
{
    for (u32 i = 0; i < BYTES; i++) {
        s->byte_ids[i] = f->slots[i].id != NO_ID ? f->slots[i].id : ++s->largest_id;
        if (f->slots[i].id == NO_ID && !never_in_utf8(i))
            return w_fail(
                err, W_MISMATCH,
                "no token for the byte 0x%02x, which text can have: this is no byte-level "
                "vocabulary",
                i);
    }
    return W_DONE;
}

static enum w_status sort_tokens(const struct w_import *f, struct sorting *s, struct w_err *err)
{
    enum w_status status = allocate(f, s, err);
    if (status)
        return status;
    for (u32 i = 0; i < f->merge_count; i++) {
        s->merges[i] =
            (struct w_merge){f->slots[f->merges[i].left].id, f->slots[f->merges[i].right].id};
        s->merged_ids[i] = f->slots[f->results[i]].id;
    }
    s->merge_count = f->merge_count;
    for (u32 slot = 0; slot < f->tokens.count; slot++) {
        const struct w_import_slot *given = &f->slots[slot];
        struct w_token token = {.id = given->id};
        token.bytes = w_token_bytes(&f->tokens, slot, &token.size);
        if (given->id != NO_ID)
            s->largest_id = W_MAX(s->largest_id, given->id);
        bool special = given->kind == W_IMPORT_SPECIAL ||
                       (given->kind == W_IMPORT_UNMADE && w_utf8_valid(token.bytes, token.size) &&
                        !memchr(token.bytes, 0, token.size));
        if (slot >= BYTES && !given->made && special)
            s->specials[s->special_count++] = token;
        else if (slot >= BYTES && !given->reached)
            s->added[s->added_count++] = token;
    }
    for (u32 i = 0; i < f->names.count; i++) {
        struct w_token *token = &s->specials[s->special_count++];
        token->id = f->name_ids[i];
        token->bytes = w_token_bytes(&f->names, i, &token->size);
        s->largest_id = W_MAX(s->largest_id, token->id);
    }
    w_import_sort(s->specials, s->special_count);
    return sort_bytes(f, s, err);
}

/* Which special token has this name? */
static bool find_special(const struct sorting *s, const char *name, u32 *index)
{
    for (*index = 0; *index < s->special_count; ++*index) {
        const struct w_token *t = &s->specials[*index];
        if (t->size == strlen(name) && !memcmp(t->bytes, name, t->size))
            return true;
    }
    return false;
}

/* Put the special token that ends documents first: the one that the user names, else the one that
 * the format names, else one with a usual name. */
static enum w_status choose_end(const struct w_import *f, struct sorting *s, const char *end,
                                struct w_err *err)
{
    bool found = false;
    u32 index = 0, slot;

    if (end) {
        found = find_special(s, end, &index);
    } else {
        while (f->has_end_id && index < s->special_count && s->specials[index].id != f->eot_id)
            index++;
        found = f->has_end_id && index < s->special_count;
        for (size_t i = 0; i < W_COUNTOF(usual_ends) && !found; i++)
            found = find_special(s, usual_ends[i], &index);
        if (!found && s->special_count > 0)
            return w_fail(err, W_USAGE,
                          "none of its %u special tokens is known to end documents: name one with "
                          "--end; a new name makes a new token",
                          s->special_count);
    }
    if (!found) {
        const char *name = end ? end : usual_ends[0];
        if (w_token_set_find(&f->tokens, (const u8 *)name, strlen(name), &slot))
            return w_fail(err, W_USAGE, "\"%s\" is a normal token and cannot end documents", name);
        index = s->special_count++;
        s->specials[index] = (struct w_token){++s->largest_id, (u32)strlen(name), (const u8 *)name};
    }
    struct w_token first = s->specials[index];
    memmove(s->specials + 1, s->specials, index * sizeof first);
    s->specials[0] = first;
    return W_DONE;
}

static enum w_status make(const struct w_import *f, const struct sorting *s, bool whole_words,
                          struct w_vocab **vocab, struct w_err *err)
{
    struct w_vocab_parts parts = {.split = f->split,
                                  .nfc = f->nfc,
                                  .whole_words = whole_words,
                                  .byte_ids = s->byte_ids,
                                  .merges = s->merges,
                                  .merge_count = s->merge_count,
                                  .merged_ids = s->merged_ids,
                                  .added = s->added,
                                  .added_count = s->added_count,
                                  .specials = s->specials,
                                  .special_count = s->special_count};

    return w_vocab_make(vocab, &parts, err);
}

/* Keep the merges that are done for some text: for each token the last one for its own bytes. A
 * token that has none becomes an added one. */
static enum w_status drop_dead_merges(const struct w_import *f, struct sorting *s,
                                      const struct w_vocab *all, struct w_err *err)
{
    struct w_merger *merger = NULL;
    u32 *live = malloc((f->tokens.count + 1u) * sizeof *live); /* by slot: a rank, or NO_ID */
    u32 *ids = malloc(W_TOKEN_BYTES_MAX * sizeof *ids);
    enum w_status status =
        live && ids ? w_merger_new(&merger, all, err) : w_fail(err, W_NOMEM, "no memory");
    u32 kept = 0;

    for (u32 slot = BYTES; slot < f->tokens.count && !status; slot++) {
        struct w_token token = {.id = f->slots[slot].id};
        size_t count = 0;
        u32 last = 0;
        live[slot] = NO_ID;
        if (!f->slots[slot].reached)
            continue;
        token.bytes = w_token_bytes(&f->tokens, slot, &token.size);
        status = w_merge_bytes(merger, token.bytes, token.size, ids, &count, &last, err);
        if (count == 1)
            live[slot] = last;
        else
            s->added[s->added_count++] = token;
    }
    for (u32 i = 0; i < f->merge_count && !status; i++)
        if (live[f->results[i]] == i) {
            s->merges[kept] = s->merges[i];
            s->merged_ids[kept++] = s->merged_ids[i];
        }
    s->merge_count = kept;
    w_merger_free(merger);
    free(live);
    free(ids);
    return status;
}

enum w_status w_import_finish(struct w_import *f, const struct w_import_options *options,
                              struct w_vocab **vocab, struct w_err *err)
{
    struct sorting s = {0};
    struct w_vocab *all = NULL;

    *vocab = NULL;
    enum w_status status = drop_unreached_merges(f, err);
    if (!status)
        status = sort_tokens(f, &s, err);
    if (!status)
        status = choose_end(f, &s, options->end, err);
    if (!status)
        status = make(f, &s, f->whole_words, &all, err);
    if (!status)
        status = drop_dead_merges(f, &s, all, err);
    /* Where merges make every token of its own bytes, they make whole words too. */
    bool whole_words = f->whole_words && s.added_count > 0;
    if (!status && (s.merge_count < f->merge_count || whole_words != f->whole_words)) {
        status = make(f, &s, whole_words, vocab, err);
    } else if (!status) {
        *vocab = all;
        all = NULL;
    }
    w_vocab_free(all);
    free(s.merges);
    free(s.merged_ids);
    free(s.added);
    free(s.specials);
    return status;
}
