#include "text/vocab.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "sys/fdio.h"
#include "text/token_set.h"
#include "text/unicode.h"

#define BYTES 256                   /* ids of the single bytes */
#define FILE_BYTES_MAX (512u << 20) /* of a vocabulary file: far above 2^24 merges */

struct w_vocab {
    enum w_split split;
    u32 merge_count, special_count, size;
    struct w_merge *merges;
    struct w_token_set tokens;
    char sha256[W_SHA256_TEXT];
};

/* ---- building ---- */

/* The status of adding a token: two ids of the same bytes would make decoding right and everything
 * else wrong, such as export to other formats and the meaning of a token's probability. */
static enum w_status added(enum w_status status, u32 id, u32 twin, struct w_err *err)
{
    return status == W_NO ? w_fail(err, W_CORRUPT, "ids %u and %u have the same bytes", twin, id)
                          : status;
}

static enum w_status add_merge(struct w_vocab *v, u32 i, struct w_err *err)
{
    u32 id = BYTES + i, left = v->merges[i].left, right = v->merges[i].right, twin = 0;

    if (left >= id || right >= id)
        return w_fail(err, W_CORRUPT, "merge %u uses ids %u and %u, but makes id %u", i, left,
                      right, id);
    return added(w_token_set_join(&v->tokens, left, right, &twin, err), id, twin, err);
}

static enum w_status add_special(struct w_vocab *v, u32 i, const char *name, struct w_err *err)
{
    u32 id = BYTES + v->merge_count + i, twin = 0;
    size_t size = strlen(name);

    if (size == 0 || !w_utf8_valid((const u8 *)name, size))
        return w_fail(err, W_CORRUPT, "special token %u has no name in UTF-8", i);
    return added(w_token_set_add(&v->tokens, (const u8 *)name, size, &twin, err), id, twin, err);
}

/* The object without its hash. */
static struct w_json *canonical_json(const struct w_vocab *v)
{
    struct w_json *j = w_json_object();
    char *merges = malloc((size_t)v->merge_count * 18 + 1), *p = merges;

    if (!j || !merges) {
        w_json_free(j);
        free(merges);
        return NULL;
    }
    *p = 0;
    for (u32 i = 0; i < v->merge_count; i++)
        p += sprintf(p, "%s%u %u", i ? " " : "", v->merges[i].left, v->merges[i].right);
    w_json_set_string(j, "type", "bpe");
    w_json_set_string(j, "split", w_split_name(v->split));
    w_json_set_u64(j, "size", v->size);
    w_json_set_string(j, "merges", merges);
    struct w_json *specials = w_json_array();
    for (u32 i = 0; i < v->special_count; i++) {
        u32 size;
        const u8 *bytes = w_token_bytes(&v->tokens, BYTES + v->merge_count + i, &size);
        char *name = strndup((const char *)bytes, size);
        w_json_add_string(specials, name);
        free(name);
    }
    w_json_set(j, "specials", specials);
    free(merges);
    return j;
}

static enum w_status compute_hash(struct w_vocab *v, struct w_err *err)
{
    struct w_json *j = canonical_json(v);
    char *text = w_json_text(j, err);

    if (text)
        w_sha256(text, strlen(text), v->sha256);
    w_json_free(j);
    enum w_status status = text ? W_DONE : w_fail(err, W_NOMEM, "no memory for its text");
    free(text);
    return status;
}

enum w_status w_vocab_new(struct w_vocab **vocab, enum w_split split, const struct w_merge *merges,
                          u32 merge_count, const char *const *specials, u32 special_count,
                          struct w_err *err)
{
    enum w_status status = W_DONE;
    u64 size = BYTES + (u64)merge_count + special_count;

    *vocab = NULL;
    if (special_count == 0)
        return w_fail(err, W_CORRUPT, "vocabulary: it has no special token to end documents");
    if (size > W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "vocabulary: more than %u ids", W_TOKENS_MAX);
    struct w_vocab *v = calloc(1, sizeof *v);
    if (!v)
        return w_fail(err, W_NOMEM, "vocabulary: no memory");
    v->split = split;
    v->merge_count = merge_count;
    v->special_count = special_count;
    v->size = (u32)size;
    v->merges = malloc((merge_count + 1u) * sizeof *v->merges);
    if (v->merges && merge_count > 0)
        memcpy(v->merges, merges, merge_count * sizeof *merges);
    status = v->merges ? w_token_set_init(&v->tokens, err) : w_fail(err, W_NOMEM, "no memory");
    for (u32 i = 0; i < merge_count && !status; i++)
        status = add_merge(v, i, err);
    for (u32 i = 0; i < special_count && !status; i++)
        status = add_special(v, i, specials[i], err);
    if (!status)
        status = compute_hash(v, err);
    if (status) {
        w_vocab_free(v);
        return w_fail_at(err, status, "vocabulary");
    }
    *vocab = v;
    return W_DONE;
}

void w_vocab_free(struct w_vocab *v)
{
    if (!v)
        return;
    free(v->merges);
    w_token_set_release(&v->tokens);
    free(v);
}

/* ---- JSON ---- */

/* A decimal id and the one blank behind it, if it is not the last. */
static bool take_id(const char **text, u32 *id)
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
    if (*p == ' ' && p[1])
        p++;
    else if (*p)
        return false;
    *text = p;
    *id = value;
    return true;
}

static enum w_status parse_merges(const char *text, struct w_merge *merges, u32 count,
                                  struct w_err *err)
{
    for (u32 i = 0; i < count; i++)
        if (!take_id(&text, &merges[i].left) || !take_id(&text, &merges[i].right))
            return w_fail(err, W_CORRUPT, "vocabulary: \"merges\" is wrong at merge %u", i);
    if (*text)
        return w_fail(err, W_CORRUPT, "vocabulary: \"merges\" has more than \"size\" says");
    return W_DONE;
}

enum w_status w_vocab_from_json(struct w_vocab **vocab, const struct w_json *json,
                                struct w_err *err)
{
    const char *type, *split_name, *merges_text, *hash = w_json_string(w_json_get(json, "sha256"));
    const struct w_json *list = w_json_get(json, "specials");
    struct w_merge *merges = NULL;
    const char **specials = NULL;
    enum w_split split;
    u64 size = 0;

    *vocab = NULL;
    enum w_status status = w_json_need_string(json, "type", &type, err);
    if (!status && strcmp(type, "bpe"))
        status = w_fail(err, W_NEWER, "vocabulary: of type \"%.40s\", not \"bpe\"", type);
    if (!status)
        status = w_json_need_string(json, "split", &split_name, err);
    if (!status && !w_split_find(split_name, &split))
        status = w_fail(err, W_NEWER, "vocabulary: unknown splitting rule \"%.40s\"", split_name);
    if (!status)
        status = w_json_need_u64(json, "size", BYTES + 1, W_TOKENS_MAX, &size, err);
    if (!status)
        status = w_json_need_string(json, "merges", &merges_text, err);
    size_t special_count = w_json_is_array(list) ? w_json_size(list) : 0;
    if (!status && (special_count == 0 || special_count > size - BYTES))
        status = w_fail(err, W_CORRUPT, "vocabulary: \"specials\" must list 1 to %llu names",
                        (unsigned long long)size - BYTES);
    if (status)
        return w_fail_at(err, status, "vocabulary");

    u32 merge_count = (u32)(size - BYTES - special_count);
    /* A merge takes at least three characters, so that memory is bounded by what was read. */
    if (strlen(merges_text) < (size_t)merge_count * 3)
        return w_fail(err, W_CORRUPT, "vocabulary: \"merges\" has fewer than \"size\" says");
    merges = malloc((merge_count + 1u) * sizeof *merges);
    specials = malloc(special_count * sizeof *specials);
    if (!merges || !specials)
        status = w_fail(err, W_NOMEM, "vocabulary: no memory for %u merges", merge_count);
    if (!status)
        status = parse_merges(merges_text, merges, merge_count, err);
    size_t i = 0;
    for (const struct w_json *s = w_json_first(list); s && !status; s = w_json_next(s)) {
        specials[i++] = w_json_string(s);
        if (!specials[i - 1])
            status = w_fail(err, W_CORRUPT, "vocabulary: \"specials\" must be strings");
    }
    if (!status)
        status = w_vocab_new(vocab, split, merges, merge_count, specials, (u32)special_count, err);
    if (!status && hash && strcmp(hash, (*vocab)->sha256)) {
        status = w_fail(err, W_CORRUPT, "vocabulary: its sha256 is %s, not %.64s as it says",
                        (*vocab)->sha256, hash);
        w_vocab_free(*vocab);
        *vocab = NULL;
    }
    free(merges);
    free(specials);
    return status;
}

struct w_json *w_vocab_json(const struct w_vocab *v)
{
    struct w_json *j = canonical_json(v);

    if (j)
        w_json_set_string(j, "sha256", v->sha256);
    return j;
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
    status = w_json_parse(&json, text, size, err);
    if (!status)
        status = w_vocab_from_json(vocab, json, err);
    w_json_free(json);
    free(text);
    return status ? w_fail_at(err, status, "%s", path) : W_DONE;
}

enum w_status w_vocab_save(const struct w_vocab *v, const char *path, struct w_err *err)
{
    struct w_output out = {.fd = -1};
    struct w_json *json = w_vocab_json(v);
    char *text = w_json_text(json, err);

    w_json_free(json);
    if (!text)
        return w_fail(err, W_NOMEM, "vocabulary: no memory for its text");
    enum w_status status = w_output_open(&out, path, err);
    if (!status)
        status = w_output_write(&out, text, strlen(text), err);
    if (!status)
        status = w_output_write(&out, "\n", 1, err);
    if (!status)
        status = w_output_commit(&out, err);
    else
        w_output_abort(&out);
    free(text);
    return status;
}

/* ---- questions ---- */

u32 w_vocab_size(const struct w_vocab *v)
{
    return v->size;
}

u32 w_vocab_end_id(const struct w_vocab *v)
{
    return BYTES + v->merge_count;
}

const char *w_vocab_sha256(const struct w_vocab *v)
{
    return v->sha256;
}

enum w_split w_vocab_split(const struct w_vocab *v)
{
    return v->split;
}

u32 w_vocab_merge_count(const struct w_vocab *v)
{
    return v->merge_count;
}

const struct w_merge *w_vocab_merges(const struct w_vocab *v)
{
    return v->merges;
}

const u8 *w_vocab_bytes(const struct w_vocab *v, u32 id, u32 *size)
{
    *size = 0;
    return id < v->size ? w_token_bytes(&v->tokens, id, size) : NULL;
}

bool w_vocab_is_special(const struct w_vocab *v, u32 id)
{
    return id >= BYTES + v->merge_count && id < v->size;
}
