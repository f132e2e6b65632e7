/* A vocabulary of another program, checked as a whole and put in the order of ours. Tokens arrive with
 * any ids and merges with any bytes; what both make must agree: each merge's two sides and its result are
 * tokens, and each token is a byte, the result of a merge, added or special. */
#include "text/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/utf8.h"
#include "text/byte_letters.h"

#define BYTES 256u
#define NO_ID UINT32_MAX

struct w_import_slot {
    u32 id; /* NO_ID: a byte without an id so far */
    enum w_import_kind kind;
    bool made; /* by a merge */
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
        f->slots[i] = (struct w_import_slot){.id = NO_ID};
    return W_DONE;
}

void w_import_release(struct w_import *f)
{
    w_token_set_release(&f->tokens);
    free(f->slots);
    free(f->merges);
    free(f->made);
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

enum w_status w_import_token(struct w_import *f, u32 id, const u8 *bytes, size_t size,
                             enum w_import_kind kind, struct w_err *err)
{
    u32 slot = f->tokens.count;
    char text[64];

    if (id >= W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "id %u is beyond the limit of %u", id, W_TOKENS_MAX);
    if (size == 0)
        return w_fail(err, W_CORRUPT, "the token of id %u is empty", id);
    if (kind == W_IMPORT_SPECIAL && !w_utf8_valid(bytes, size))
        return w_fail(err, W_CORRUPT, "the special token of id %u has no name in UTF-8", id);
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
        return w_fail(err, W_CORRUPT, "ids %u and %u are both \"%s\"", s->id, id,
                      shown(bytes, size, text));
    if (slot < BYTES && kind == W_IMPORT_SPECIAL)
        return w_fail(err, W_CORRUPT, "the single byte \"%s\" is a special token",
                      shown(bytes, size, text));
    s->id = id;
    if (kind == W_IMPORT_SPECIAL)
        s->kind = kind;
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

/* Is there a special token of this id and name? */
static bool is_named(const struct w_import *f, u32 id, const char *name, size_t size)
{
    u32 slot;

    return w_token_set_find(&f->tokens, (const u8 *)name, size, &slot) &&
           f->slots[slot].kind == W_IMPORT_SPECIAL && f->slots[slot].id == id;
}

enum w_status w_import_letters(struct w_import *f, u32 id, const char *letters, size_t size,
                               enum w_import_kind kind, struct w_err *err)
{
    bool other;
    size_t count = 0;

    if (is_named(f, id, letters, size))
        return W_DONE;
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
    return status ? status : w_grow(&f->made, &f->merge_room, room, sizeof *f->made, "merges", err);
}

/* The slot of a token that text can have. */
static bool find(const struct w_import *f, const u8 *bytes, size_t size, u32 *slot)
{
    return w_token_set_find(&f->tokens, bytes, size, slot) && f->slots[*slot].id != NO_ID &&
           f->slots[*slot].kind != W_IMPORT_SPECIAL;
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
    f->merges[f->merge_count++] = merge;
    if (!f->slots[result].made)
        f->made[f->made_count++] = result;
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
    u32 *made_ids;
    struct w_token *added, *specials;
    u32 added_count, special_count, largest_id;
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

static enum w_status sort_tokens(const struct w_import *f, struct sorting *s, struct w_err *err)
{
    size_t others = f->tokens.count - BYTES;

    s->merges = malloc((f->merge_count + 1u) * sizeof *s->merges);
    s->made_ids = malloc((f->made_count + 1u) * sizeof *s->made_ids);
    s->added = malloc((others + 1) * sizeof *s->added);
    s->specials = malloc((others + 1) * sizeof *s->specials); /* one more may be added */
    if (!s->merges || !s->made_ids || !s->added || !s->specials)
        return w_fail(err, W_NOMEM, "no memory for %u tokens", f->tokens.count);
    for (u32 i = 0; i < f->merge_count; i++)
        s->merges[i] =
            (struct w_merge){f->slots[f->merges[i].left].id, f->slots[f->merges[i].right].id};
    for (u32 i = 0; i < f->made_count; i++)
        s->made_ids[i] = f->slots[f->made[i]].id;
    for (u32 slot = 0; slot < f->tokens.count; slot++) {
        const struct w_import_slot *given = &f->slots[slot];
        struct w_token token = {.id = given->id};
        token.bytes = w_token_bytes(&f->tokens, slot, &token.size);
        if (given->id == NO_ID)
            return w_fail(err, W_MISMATCH,
                          "no token for the byte 0x%02x: this is no byte-level vocabulary", slot);
        s->largest_id = W_MAX(s->largest_id, given->id);
        bool special = given->kind == W_IMPORT_SPECIAL ||
                       (given->kind == W_IMPORT_UNMADE && w_utf8_valid(token.bytes, token.size) &&
                        !memchr(token.bytes, 0, token.size));
        if (slot < BYTES)
            s->byte_ids[slot] = given->id;
        else if (!given->made && special)
            s->specials[s->special_count++] = token;
        else if (!given->made)
            s->added[s->added_count++] = token;
    }
    w_import_sort(s->specials, s->special_count);
    return W_DONE;
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

enum w_status w_import_finish(struct w_import *f, const struct w_import_options *options,
                              struct w_vocab **vocab, struct w_err *err)
{
    struct sorting s = {0};

    *vocab = NULL;
    enum w_status status = sort_tokens(f, &s, err);
    if (!status)
        status = choose_end(f, &s, options->end, err);
    struct w_vocab_parts parts = {.split = f->split,
                                  .whole_words = f->whole_words,
                                  .byte_ids = s.byte_ids,
                                  .merges = s.merges,
                                  .merge_count = f->merge_count,
                                  .made_ids = s.made_ids,
                                  .made_count = f->made_count,
                                  .added = s.added,
                                  .added_count = s.added_count,
                                  .specials = s.specials,
                                  .special_count = s.special_count};
    if (!status)
        status = w_vocab_make(vocab, &parts, err);
    free(s.merges);
    free(s.made_ids);
    free(s.added);
    free(s.specials);
    return status;
}
