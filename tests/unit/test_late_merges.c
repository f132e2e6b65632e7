/* Merges in any order of ranks, and tokens by rank: beside the definitions, applied to byte
 * strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "text/bpe_encode.h"
#include "text/import.h"
#include "text/vocab_formats.h"

#define TOKENS 24
#define LETTERS 3 /* a, b, c */
#define WORD 9    /* bytes of the longest word that is tried */

/* Random byte strings over a few letters, and pairs of them that make one, in any order. */
struct strings {
    char tokens[TOKENS][8];
    u32 count; /* the letters are the first */
    struct {
        u32 left, right, result;
    } merges[TOKENS * 8];
    u32 merge_count;
};

static u32 find(const struct strings *s, const char *bytes, size_t size)
{
    u32 i = 0;
    while (i < s->count && (strlen(s->tokens[i]) != size || memcmp(s->tokens[i], bytes, size)))
        i++;
    return i;
}

static void draw(struct strings *s, struct w_rng *rng)
{
    s->count = s->merge_count = 0;
    for (u32 i = 0; i < LETTERS; i++)
        s->tokens[s->count++][0] = (char)('a' + i), s->tokens[i][1] = 0;
    while (s->count < TOKENS) {
        char token[8] = {0};
        u32 size = 2 + (u32)w_rng_below(rng, 4);
        for (u32 i = 0; i < size; i++)
            token[i] = (char)('a' + (int)w_rng_below(rng, LETTERS));
        if (find(s, token, size) == s->count)
            memcpy(s->tokens[s->count++], token, 8);
    }
    for (u32 t = LETTERS; t < s->count; t++)
        for (size_t k = 1, size = strlen(s->tokens[t]); k < size; k++) {
            u32 left = find(s, s->tokens[t], k), right = find(s, s->tokens[t] + k, size - k);
            if (left == s->count || right == s->count || w_rng_below(rng, 4) == 0)
                continue;
            u32 at = (u32)w_rng_below(rng, s->merge_count + 1); /* anywhere */
            memmove(s->merges + at + 1, s->merges + at, (s->merge_count - at) * sizeof *s->merges);
            s->merges[at].left = left, s->merges[at].right = right, s->merges[at].result = t;
            s->merge_count++;
        }
}

/* The definition. Ranks of pairs: the first merge of these two; or, by_token, the number of the
 * token of their bytes. */
static u32 rank_of(const struct strings *s, u32 left, u32 right, bool by_token, u32 *result)
{
    char joined[32];
    if (by_token) {
        u32 size = (u32)snprintf(joined, sizeof joined, "%s%s", s->tokens[left], s->tokens[right]);
        *result = find(s, joined, size);
        return *result < s->count ? *result : UINT32_MAX;
    }
    for (u32 i = 0; i < s->merge_count; i++)
        if (s->merges[i].left == left && s->merges[i].right == right) {
            *result = s->merges[i].result;
            return i;
        }
    return UINT32_MAX;
}

static u32 encode(const struct strings *s, const char *word, bool by_token, u32 *ids)
{
    u32 n = 0, result, made = 0;
    if (by_token && find(s, word, strlen(word)) < s->count) {
        ids[0] = find(s, word, strlen(word));
        return 1;
    }
    for (; word[n]; n++)
        ids[n] = (u32)(word[n] - 'a');
    for (;;) {
        u32 best = UINT32_MAX, at = 0;
        for (u32 i = 0; i + 1 < n; i++) {
            u32 rank = rank_of(s, ids[i], ids[i + 1], by_token, &result);
            if (rank < best)
                best = rank, at = i, made = result;
        }
        if (best == UINT32_MAX)
            return n;
        ids[at] = made;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

/* Ids in vocabularies: letters are their bytes, the others come from 1000 on. */
static u32 id_of(u32 token)
{
    return token < LETTERS ? 'a' + token : 1000 + token;
}

/* All words of up to WORD letters; long words too, which are merged by a heap. */
static void compare(const struct strings *s, const struct w_vocab *v, bool by_token,
                    struct w_rng *rng)
{
    struct w_encoder *e = NULL;
    struct w_ids got = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    for (u32 n = 0; n < 2000; n++) {
        char word[101] = {0};
        u32 want[100];
        u32 size = (u32)(n % 50 ? 1 + w_rng_below(rng, WORD) : 65 + w_rng_below(rng, 36));
        for (u32 i = 0; i < size; i++)
            word[i] = (char)('a' + (int)w_rng_below(rng, LETTERS));
        u32 count = encode(s, word, by_token, want);
        got.count = 0;
        assert_int_equal(w_encode(e, (const u8 *)word, size, &got, NULL), W_DONE);
        bool same = got.count == count;
        for (u32 i = 0; i < count && same; i++)
            same = got.ids[i] == id_of(want[i]);
        if (!same)
            fail_msg("%s", word);
    }
    free(got.ids);
    w_encoder_free(e);
}

static void check_json(const struct w_vocab *v)
{
    struct w_json *json = w_vocab_json(v);
    struct w_vocab *again = NULL;
    assert_int_equal(w_vocab_from_json(&again, json, NULL), W_DONE);
    assert_string_equal(w_vocab_sha256(v), w_vocab_sha256(again));
    w_vocab_free(again);
    w_json_free(json);
}

/* Tokens that no merge makes are added ones. */
static struct w_vocab *vocab_of(const struct strings *s, bool *late)
{
    static const struct w_token end = {2000, 5, (const u8 *)"<end>"};
    struct w_merge merges[TOKENS * 8];
    u32 merged[TOKENS * 8], count = 0;
    bool made[TOKENS] = {0}, known[TOKENS] = {true, true, true};
    *late = false;
    for (u32 i = 0; i < s->merge_count; i++)
        made[s->merges[i].result] = true;
    /* A merge of a token that nothing makes is left out. */
    for (u32 i = 0; i < s->merge_count; i++) {
        u32 l = s->merges[i].left, r = s->merges[i].right;
        assert_true((l < LETTERS || made[l]) && (r < LETTERS || made[r]));
        *late |= !known[l] || !known[r];
        known[s->merges[i].result] = true;
        merges[count] = (struct w_merge){id_of(l), id_of(r)};
        merged[count++] = id_of(s->merges[i].result);
    }
    struct w_vocab_parts parts = {.merges = merges,
                                  .merge_count = count,
                                  .merged_ids = merged,
                                  .specials = &end,
                                  .special_count = 1};
    struct w_vocab *v = NULL;
    struct w_err err = {0};
    if (w_vocab_make(&v, &parts, &err))
        fail_msg("%s", err.text);
    return v;
}

/* Drop merges whose halves nothing makes, until there are none. */
static void prune(struct strings *s)
{
    for (bool again = true; again;) {
        bool made[TOKENS] = {true, true, true};
        again = false;
        for (u32 i = 0; i < s->merge_count; i++)
            made[s->merges[i].result] = true;
        for (u32 i = 0; i < s->merge_count; i++)
            if (!made[s->merges[i].left] || !made[s->merges[i].right]) {
                memmove(s->merges + i, s->merges + i + 1,
                        (--s->merge_count - i) * sizeof *s->merges);
                i--;
                again = true;
            }
    }
}

static struct w_vocab *import(const struct strings *s)
{
    struct w_import f;
    struct w_import_options options = {.end = "<end>"};
    struct w_vocab *v = NULL;
    struct w_err err = {0};
    assert_int_equal(w_import_init(&f, &err), W_DONE);
    for (u32 b = 0; b < 256; b++)
        assert_int_equal(w_import_token(&f, b, &(u8){(u8)b}, 1, W_IMPORT_NORMAL, &err), W_DONE);
    for (u32 t = LETTERS; t < s->count; t++)
        assert_int_equal(w_import_token(&f, id_of(t), (const u8 *)s->tokens[t],
                                        strlen(s->tokens[t]), W_IMPORT_NORMAL, &err),
                         W_DONE);
    for (u32 i = 0; i < s->merge_count; i++) {
        const char *l = s->tokens[s->merges[i].left], *r = s->tokens[s->merges[i].right];
        assert_int_equal(
            w_import_merge(&f, (const u8 *)l, strlen(l), (const u8 *)r, strlen(r), &err), W_DONE);
    }
    if (w_import_finish(&f, &options, &v, &err))
        fail_msg("%s", err.text);
    w_import_release(&f);
    return v;
}

static void merges_in_any_order_give_the_ids_of_their_definition(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 1};
    struct strings s;
    u32 lates = 0, dropped = 0;
    for (u32 n = 0; n < 60; n++) {
        bool late;
        draw(&s, &rng);
        prune(&s);
        struct w_vocab *v = vocab_of(&s, &late);
        lates += late;
        check_json(v);
        compare(&s, v, false, &rng);
        struct w_vocab *imported = import(&s);
        check_json(imported);
        compare(&s, imported, false, &rng);
        dropped += w_vocab_merge_count(imported) < w_vocab_merge_count(v);
        w_vocab_free(imported);
        w_vocab_free(v);
    }
    assert_true(lates > 20 && dropped > 20);
}

static void ranks_give_the_ids_of_their_definition(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct w_import_options options = {.has_split = true, .split = W_SPLIT_GPT2};
    struct w_rng rng = {.seed = 2};
    struct strings s;
    u32 added = 0, late = 0;
    for (u32 n = 0; n < 60; n++) {
        struct w_vocab *v = NULL;
        struct w_draft text = {0};
        char line[64];
        draw(&s, &rng);
        for (u32 b = 0; b < 256 + TOKENS - LETTERS; b++) {
            u8 bytes[8] = {(u8)b};
            size_t size = 1, at = 0;
            if (b >= 256)
                memcpy(bytes, s.tokens[b - 256 + LETTERS],
                       size = strlen(s.tokens[b - 256 + LETTERS]));
            for (size_t i = 0; i < size; i += 3) {
                u32 group = (u32)bytes[i] << 16 | (i + 1 < size ? (u32)bytes[i + 1] << 8 : 0) |
                            (i + 2 < size ? bytes[i + 2] : 0);
                for (size_t k = 0; k < 4; k++)
                    line[at++] = i + k <= size ? digits[group >> (18 - 6 * k) & 63] : '=';
            }
            at += (size_t)sprintf(line + at, " %u\n", b < 256 ? b : id_of(b - 256 + LETTERS));
            assert_int_equal(w_draft_append(&text, line, at, NULL), W_DONE);
        }
        struct w_err err = {0};
        if (w_vocab_read_tiktoken(&v, text.bytes, text.count, "", &options, &err))
            fail_msg("%s", err.text);
        check_json(v);
        compare(&s, v, true, &rng);
        for (u32 i = 0; i < w_vocab_merge_count(v); i++)
            late += w_vocab_merges(v)[i].left > w_vocab_merged_ids(v)[i] ||
                    w_vocab_merges(v)[i].right > w_vocab_merged_ids(v)[i];
        added += w_vocab_whole_words(v);
        w_vocab_free(v);
        free(text.bytes);
    }
    assert_true(added > 20 && late > 20);
}

static enum w_status make(const struct w_merge *merges, u32 count, const u32 *merged,
                          struct w_err *err)
{
    static const struct w_token end = {300, 1, (const u8 *)"a"}; /* the name of a byte, too */
    struct w_vocab_parts parts = {.merges = merges,
                                  .merge_count = count,
                                  .merged_ids = merged,
                                  .specials = &end,
                                  .special_count = 1};
    struct w_vocab *v = NULL;
    enum w_status status = w_vocab_make(&v, &parts, err);
    w_vocab_free(v);
    return status;
}

static void merges_that_wait_for_ever_are_refused(void **state)
{
    (void)state;
    struct w_err err = {0};
    u32 size;
    assert_int_equal(make((struct w_merge[]){{'a', 257}, {'b', 'c'}}, 2, (u32[]){256, 257}, &err),
                     W_DONE);
    assert_int_equal(make((struct w_merge[]){{'a', 257}, {'b', 256}}, 2, (u32[]){256, 257}, &err),
                     W_CORRUPT);
    assert_non_null(strstr(err.text, "merge 0 uses id 257"));
    assert_int_equal(make((struct w_merge[]){{256, 'a'}}, 1, (u32[]){256}, &err), W_CORRUPT);
    assert_int_equal(make((struct w_merge[]){{'a', 300}}, 1, (u32[]){256}, &err), W_CORRUPT);
    assert_int_equal(make((struct w_merge[]){{'a', 9999999}}, 1, (u32[]){256}, &err), W_CORRUPT);
    assert_int_equal(make((struct w_merge[]){{'a', 'b'}}, 1, (u32[]){'c'}, &err), W_CORRUPT);
    assert_int_equal(make((struct w_merge[]){{'a', 'b'}}, 1, (u32[]){9999999}, &err), W_LIMIT);
    /* abc has one id, of whatever halves */
    struct w_merge twice[] = {{'a', 'b'}, {'b', 'c'}, {256, 'c'}, {'a', 257}};
    assert_int_equal(make(twice, 4, (u32[]){256, 257, 258, 258}, &err), W_DONE);
    assert_int_equal(make(twice, 4, (u32[]){256, 257, 258, 259}, &err), W_CORRUPT);
    /* doubling, the longest first: each waits for the next */
    struct w_merge doubling[17];
    u32 merged[17];
    for (u32 i = 0; i < 17; i++) {
        doubling[i] = i < 16 ? (struct w_merge){257 + i, 257 + i} : (struct w_merge){'a', 'a'};
        merged[i] = 256 + i;
    }
    assert_int_equal(make(doubling, 17, merged, &err), W_LIMIT);
    assert_int_equal(make(doubling + 1, 16, merged + 1, &err), W_DONE);
    /* the JSON form */
    struct w_json *json = NULL;
    struct w_vocab *v = NULL;
    static const char text[] = "{\"type\":\"bpe\",\"split\":\"gpt2\",\"size\":259,"
                               "\"merges\":\"97 257 98 99\",\"specials\":[\"<e>\"],"
                               "\"special_ids\":\"258\",\"merged_ids\":\"256 257\"}";
    assert_int_equal(w_json_parse(&json, text, sizeof text - 1, NULL), W_DONE);
    assert_int_equal(w_vocab_from_json(&v, json, &err), W_DONE);
    w_json_free(json);
    json = w_vocab_json(v);
    char *again = w_json_text(json, NULL);
    assert_memory_equal(again, text, sizeof text - 2); /* then "sha256" */
    assert_memory_equal(w_vocab_bytes(v, 256, &size), "abc", 3);
    free(again);
    w_json_free(json);
    w_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_in_any_order_give_the_ids_of_their_definition),
        cmocka_unit_test(ranks_give_the_ids_of_their_definition),
        cmocka_unit_test(merges_that_wait_for_ever_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
