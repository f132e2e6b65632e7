/* The JSON form of a vocabulary. Members that would hold the default are left out, so that a
 * learned vocabulary has only its merges and the names of its specials, and so that every
 * vocabulary has exactly one text, of which the hash is taken. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/input.h"
#include "text/vocab.h"
#include "text/vocab_private.h"

#define NFC "nfc"                   /* the one normalizer */
#define FILE_BYTES_MAX (512u << 20) /* of a vocabulary file: far above 2^24 merges */

/* ---- writing ---- */

/* Ids as one string of decimal numbers: a handful of JSON values, however large the vocabulary. */
static void set_ids(struct w_json *json, const char *key, const u32 *ids, size_t count)
{
    char *text = malloc(count * 11 + 1), *p = text;

    if (text)
        *p = 0;
    for (size_t i = 0; i < count && text; i++)
        p += sprintf(p, "%s%u", i ? " " : "", ids[i]);
    w_json_set_string(json, key, text);
    free(text);
}

/* Are the ids consecutive from *at on, if ids of other kinds are skipped? Moves *at past them. */
static bool in_order(const struct w_vocab *v, const u32 *ids, u32 count, unsigned other_kinds,
                     u32 *at)
{
    for (u32 i = 0; i < count; i++) {
        if (ids[i] != w_vocab_next_id(v, *at, other_kinds))
            return false;
        *at = ids[i] + 1;
    }
    return true;
}

static void set_given_ids(struct w_json *json, const struct w_vocab *v)
{
    const unsigned given = 1 << W_TOKEN_BYTE | 1 << W_TOKEN_ADDED;
    const u32 *specials = v->special_ids, *made = v->ids + w_vocab_first_made(v);
    u32 made_count = v->tokens.count - w_vocab_first_made(v), at = 0;

    if (v->late) {
        set_ids(json, "special_ids", specials, v->special_count);
        set_ids(json, "merged_ids", v->merged_ids, v->merge_count);
        return;
    }
    if (in_order(v, made, made_count, given, &at) &&
        in_order(v, specials, v->special_count, given, &at))
        return;
    set_ids(json, "special_ids", specials, v->special_count);
    at = 0;
    if (!in_order(v, made, made_count, given | 1 << W_TOKEN_SPECIAL, &at))
        set_ids(json, "made_ids", made, made_count);
}

/* Added tokens as one string, too: "ID:HEX ID:HEX", by id. */
static void set_added(struct w_json *json, const struct w_vocab *v)
{
    size_t room = 1;
    u32 size;

    for (u32 slot = W_BYTE_TOKENS; slot < w_vocab_first_made(v); slot++) {
        w_token_bytes(&v->tokens, slot, &size);
        room += 2 * (size_t)size + 12;
    }
    char *text = malloc(room), *p = text;
    for (u32 id = 0; id < v->size && text; id++) {
        if (w_vocab_kind(v, id) != W_TOKEN_ADDED)
            continue;
        const u8 *bytes = w_vocab_bytes(v, id, &size);
        p += sprintf(p, "%s%u:", p > text ? " " : "", id);
        for (u32 i = 0; i < size; i++)
            p += sprintf(p, "%02x", bytes[i]);
    }
    w_json_set_string(json, "loose", text);
    free(text);
}

static void set_specials(struct w_json *json, const struct w_vocab *v)
{
    struct w_json *list = w_json_array();

    for (u32 i = 0; i < v->special_count; i++) {
        u32 size;
        const u8 *bytes = w_token_bytes(&v->names, i, &size);
        char *name = strndup((const char *)bytes, size);
        w_json_add_string(list, name);
        free(name);
    }
    w_json_set(json, "specials", list);
}

struct w_json *w_vocab_json(const struct w_vocab *v)
{
    struct w_json *json = w_json_object();
    bool usual_bytes = true;

    if (!json)
        return NULL;
    for (u32 i = 0; i < W_BYTE_TOKENS; i++)
        usual_bytes &= v->ids[i] == i;
    w_json_set_string(json, "type", "bpe");
    w_json_set_string(json, "split", w_split_name(v->split));
    if (v->nfc)
        w_json_set_string(json, "normalizer", NFC);
    if (v->whole_words)
        w_json_set_bool(json, "whole_words", true);
    w_json_set_u64(json, "size", v->size);
    if (v->size > w_vocab_tokens(v))
        w_json_set_u64(json, "unused", v->size - w_vocab_tokens(v));
    if (!usual_bytes)
        set_ids(json, "byte_ids", v->ids, W_BYTE_TOKENS);
    static_assert(sizeof(struct w_merge) == 2 * sizeof(u32), "merges are pairs of ids");
    set_ids(json, "merges", &v->merges->left, 2 * (size_t)v->merge_count);
    if (v->added_count > 0)
        set_added(json, v);
    set_specials(json, v);
    set_given_ids(json, v);
    if (v->sha256[0])
        w_json_set_string(json, "sha256", v->sha256);
    return json;
}

/* ---- reading ---- */

/* The parts of a vocabulary being read; owns its arrays, but not the names of specials. */
struct reading {
    struct w_vocab_parts parts;
    u32 *byte_ids, *made_ids, *merged_ids, *special_ids, *merges;
    struct w_token *added, *specials;
    u8 *added_bytes;
};

static void release(struct reading *r)
{
    free(r->byte_ids);
    free(r->made_ids);
    free(r->merged_ids);
    free(r->special_ids);
    free(r->merges);
    free(r->added);
    free(r->added_bytes);
    free(r->specials);
}

/* A decimal id. */
static bool take_number(const char **text, u32 *id)
{
    const char *p = *text;
    u32 value = 0;

    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (u32)(*p - '0');
        if (value >= W_TOKENS_MAX)
            return false;
    }
    *text = p;
    *id = value;
    return true;
}

/* An id, and the one blank after it unless it is the last. */
static bool take_id(const char **text, u32 *id)
{
    if (!take_number(text, id))
        return false;
    if (**text == ' ' && (*text)[1])
        ++*text;
    else if (**text)
        return false;
    return true;
}

/* The ids of a member, which is one string; *ids is NULL if there is no such member. Memory is
 * bounded by the length of the text. */
static enum w_status read_ids(const struct w_json *json, const char *key, u32 **ids, u32 *count,
                              struct w_err *err)
{
    const struct w_json *member = w_json_get(json, key);
    const char *text = w_json_string(member);
    size_t room = 1;

    *count = 0;
    if (!member)
        return W_DONE;
    if (!text)
        return w_fail(err, W_CORRUPT, "\"%s\" must be a string of ids", key);
    for (const char *p = text; *p; p++)
        room += *p == ' ';
    if (room > 2 * W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "\"%s\" has more than %u ids", key, 2 * W_TOKENS_MAX);
    *ids = malloc(room * sizeof **ids);
    if (!*ids)
        return w_fail(err, W_NOMEM, "no memory for %zu ids", room);
    for (u32 i = 0; *text; i++, *count = i)
        if (!take_id(&text, *ids + i))
            return w_fail(err, W_CORRUPT, "\"%s\" is no list of ids from number %u on", key, i);
    return W_DONE;
}

static enum w_status read_specials(struct reading *r, const struct w_json *json, struct w_err *err)
{
    const struct w_json *list = w_json_get(json, "specials");
    size_t count = w_json_is_array(list) ? w_json_size(list) : 0;
    u32 ids = 0, i = 0;

    if (count == 0)
        return w_fail(err, W_CORRUPT, "\"specials\" must list at least one name");
    enum w_status status = read_ids(json, "special_ids", &r->special_ids, &ids, err);
    if (status)
        return status;
    if (r->special_ids && ids != count)
        return w_fail(err, W_CORRUPT, "\"special_ids\" has %u ids for %zu names", ids, count);
    r->specials = calloc(count, sizeof *r->specials);
    if (!r->specials)
        return w_fail(err, W_NOMEM, "no memory for %zu names", count);
    for (const struct w_json *s = w_json_first(list); s; s = w_json_next(s), i++) {
        const char *name = w_json_string(s);
        if (!name)
            return w_fail(err, W_CORRUPT, "\"specials\" must be strings");
        r->specials[i] = (struct w_token){.id = r->special_ids ? r->special_ids[i] : 0,
                                          .size = (u32)strlen(name),
                                          .bytes = (const u8 *)name};
    }
    r->parts.free_special_ids = !r->special_ids;
    r->parts.specials = r->specials;
    r->parts.special_count = (u32)count;
    return W_DONE;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "ID:HEX ID:HEX" */
static enum w_status read_added(struct reading *r, const struct w_json *json, struct w_err *err)
{
    const struct w_json *member = w_json_get(json, "loose");
    const char *text = w_json_string(member);
    size_t room = 1;

    if (!member)
        return W_DONE;
    for (const char *p = text ? text : ""; *p; p++)
        room += *p == ':';
    r->added = calloc(room, sizeof *r->added);
    r->added_bytes = malloc((text ? strlen(text) : 0) / 2 + 1);
    if (!r->added || !r->added_bytes)
        return w_fail(err, W_NOMEM, "no memory for %zu tokens", room);
    u8 *bytes = r->added_bytes;
    for (u32 count = 0; text && *text; r->parts.added_count = ++count) {
        struct w_token *token = &r->added[count];
        *token = (struct w_token){.bytes = bytes};
        if (!take_number(&text, &token->id) || *text++ != ':')
            break;
        for (; hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0; text += 2)
            *bytes++ = (u8)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
        token->size = (u32)(bytes - token->bytes);
        text += *text == ' ' && text[1];
    }
    r->parts.added = r->added;
    if (!text || *text)
        return w_fail(err, W_CORRUPT, "\"loose\" is wrong at token %u", r->parts.added_count);
    return W_DONE;
}

/* Everything that says which id has which bytes. */
static enum w_status read_tokens(struct reading *r, const struct w_json *json, struct w_err *err)
{
    const char *merges;
    u32 count = 0;

    enum w_status status = w_json_need_string(json, "merges", &merges, err);
    if (!status)
        status = read_ids(json, "merges", &r->merges, &count, err);
    if (!status && count % 2)
        status = w_fail(err, W_CORRUPT, "\"merges\" has half a merge at its end");
    r->parts.merges = (const struct w_merge *)r->merges;
    r->parts.merge_count = count / 2;
    if (!status)
        status = read_ids(json, "byte_ids", &r->byte_ids, &count, err);
    if (!status && r->byte_ids && count != W_BYTE_TOKENS)
        status = w_fail(err, W_CORRUPT, "\"byte_ids\" has %u ids", count);
    r->parts.byte_ids = r->byte_ids;
    if (!status)
        status = read_ids(json, "made_ids", &r->made_ids, &r->parts.made_count, err);
    r->parts.made_ids = r->made_ids;
    if (!status)
        status = read_ids(json, "merged_ids", &r->merged_ids, &count, err);
    if (!status && r->merged_ids && count != r->parts.merge_count)
        status = w_fail(err, W_CORRUPT, "\"merged_ids\" has %u ids for %u merges", count,
                        r->parts.merge_count);
    if (!status && r->merged_ids && r->made_ids)
        status = w_fail(err, W_CORRUPT, "\"merged_ids\" and \"made_ids\" exclude each other");
    r->parts.merged_ids = r->merged_ids;
    if (!status)
        status = read_added(r, json, err);
    return status ? status : read_specials(r, json, err);
}

static enum w_status read_normalizer(struct reading *r, const struct w_json *json,
                                     struct w_err *err)
{
    const struct w_json *member = w_json_get(json, "normalizer");
    const char *name = w_json_string(member);

    if (!member)
        return W_DONE;
    if (!name)
        return w_fail(err, W_CORRUPT, "\"normalizer\" must be a name");
    r->parts.nfc = !strcmp(name, NFC);
    return r->parts.nfc ? W_DONE : w_fail(err, W_NEWER, "unknown normalizer \"%.40s\"", name);
}

static enum w_status read_parts(struct reading *r, const struct w_json *json, struct w_err *err)
{
    const struct w_json *whole_words = w_json_get(json, "whole_words");
    const char *type, *split;
    u64 size = 0;

    enum w_status status = w_json_need_string(json, "type", &type, err);
    if (!status && strcmp(type, "bpe"))
        status = w_fail(err, W_NEWER, "of type \"%.40s\", not \"bpe\"", type);
    if (!status)
        status = w_json_need_string(json, "split", &split, err);
    if (!status && !w_split_find(split, &r->parts.split))
        status = w_fail(err, W_NEWER, "unknown splitting rule \"%.40s\"", split);
    if (!status)
        status = read_normalizer(r, json, err);
    if (!status && whole_words && !w_json_bool(whole_words, &r->parts.whole_words))
        status = w_fail(err, W_CORRUPT, "\"whole_words\" must be true or false");
    if (!status)
        status = w_json_need_u64(json, "size", W_BYTE_TOKENS + 1, W_TOKENS_MAX, &size, err);
    r->parts.size = (u32)size;
    return status ? status : read_tokens(r, json, err);
}

/* Are the size, the unused ids and the hash that the JSON states those of the vocabulary? */
static enum w_status check_stated(const struct w_vocab *v, const struct w_json *json,
                                  struct w_err *err)
{
    const char *hash = w_json_string(w_json_get(json, "sha256"));
    u64 unused = 0;

    if (w_json_get(json, "unused")) {
        enum w_status status = w_json_need_u64(json, "unused", 0, W_TOKENS_MAX, &unused, err);
        if (status)
            return status;
    }
    if (w_vocab_tokens(v) + unused != v->size)
        return w_fail(err, W_CORRUPT, "it has %u tokens, but its size is %u, and %llu are unused",
                      w_vocab_tokens(v), v->size, (unsigned long long)unused);
    if (hash && strcmp(hash, v->sha256))
        return w_fail(err, W_CORRUPT, "its sha256 is %s, not %.64s as it says", v->sha256, hash);
    return W_DONE;
}

enum w_status w_vocab_from_json(struct w_vocab **vocab, const struct w_json *json,
                                struct w_err *err)
{
    struct reading r = {0};

    *vocab = NULL;
    enum w_status status = read_parts(&r, json, err);
    if (status)
        status = w_fail_at(err, status, "vocabulary");
    else
        status = w_vocab_make(vocab, &r.parts, err);
    if (!status) {
        status = check_stated(*vocab, json, err);
        if (status) {
            status = w_fail_at(err, status, "vocabulary");
            w_vocab_free(*vocab);
            *vocab = NULL;
        }
    }
    release(&r);
    return status;
}

/* ---- files ---- */

enum w_status w_vocab_load(struct w_vocab **vocab, const char *path, struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;
    struct w_json *json = NULL;

    *vocab = NULL;
    enum w_status status = w_input_slurp(path, FILE_BYTES_MAX, &text, &size, err);
    if (status)
        return status;
    if (size > 0 && (u8)text[0] == 0x89) /* the first byte of a stream, which JSON never has */
        status = w_fail(err, W_CORRUPT, "a stream or a model, not a file of a vocabulary");
    if (!status)
        status = w_json_parse(&json, text, size, err);
    if (!status)
        status = w_vocab_from_json(vocab, json, err);
    w_json_free(json);
    free(text);
    return status ? w_fail_at(err, status, "%s", path) : W_DONE;
}

enum w_status w_vocab_save(const struct w_vocab *v, const char *path, struct w_err *err)
{
    struct w_json *json = w_vocab_json(v);
    enum w_status status = w_json_save(json, false, path, err);

    w_json_free(json);
    return status;
}
