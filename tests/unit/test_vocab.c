/* Vocabularies: what is accepted, what is refused, the hash that names one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "text/vocab.h"

static const char *const end_of_text[] = {"<|endoftext|>"};

static void sha256_matches_fips_180_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char text[W_SHA256_TEXT];
    for (size_t i = 0; i < W_COUNTOF(vectors); i++) {
        w_sha256(vectors[i].text, strlen(vectors[i].text), text);
        assert_string_equal(text, vectors[i].hash);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    w_sha256(million, 1000000, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static enum w_status build(const struct w_merge *merges, u32 count)
{
    struct w_vocab *v = NULL;
    struct w_err err = {0};
    enum w_status status = w_vocab_new(&v, W_SPLIT_GPT2, merges, count, end_of_text, 1, &err);
    assert_true((v != NULL) == (status == W_DONE));
    w_vocab_free(v);
    return status;
}

static void merges_must_be_of_earlier_ids(void **state)
{
    (void)state;
    assert_int_equal(build(NULL, 0), W_DONE);
    assert_int_equal(build((struct w_merge[]){{'a', 'b'}, {256, 'c'}}, 2), W_DONE);
    assert_int_equal(build((struct w_merge[]){{'a', 256}}, 1), W_CORRUPT);
    assert_int_equal(build((struct w_merge[]){{'a', 'b'}, {'a', 'b'}}, 2), W_CORRUPT);
    /* doubling: the 17th token would have 2^17 bytes */
    struct w_merge doubling[17] = {{'a', 'a'}};
    for (u32 i = 1; i < 17; i++)
        doubling[i] = (struct w_merge){255 + i, 255 + i};
    assert_int_equal(build(doubling, 16), W_DONE);
    assert_int_equal(build(doubling, 17), W_LIMIT);
}

static void a_byte_string_that_merges_make_twice_has_one_id(void **state)
{
    (void)state;
    struct w_vocab *v = NULL;
    struct w_merge merges[] = {{'a', 'b'}, {'b', 'c'}, {256, 'c'}, {'a', 257}, {258, 'd'}};
    assert_int_equal(w_vocab_new(&v, W_SPLIT_GPT2, merges, 5, end_of_text, 1, NULL), W_DONE);
    assert_memory_equal(w_vocab_merged_ids(v), ((u32[]){256, 257, 258, 258, 259}), 5 * sizeof(u32));
    assert_int_equal(w_vocab_size(v), 261);
    assert_int_equal(w_vocab_eot_id(v), 260);
    w_vocab_free(v);
}

static void ids_are_bytes_then_merges_then_specials(void **state)
{
    (void)state;
    struct w_vocab *v = NULL;
    const char *specials[] = {"<end>", "<pad>"};
    struct w_merge merges[] = {{'t', 'h'}, {256, 'e'}};
    u32 size;
    assert_int_equal(w_vocab_new(&v, W_SPLIT_GPT2, merges, 2, specials, 2, NULL), W_DONE);
    assert_int_equal(w_vocab_size(v), 260);
    assert_int_equal(w_vocab_eot_id(v), 258);
    assert_memory_equal(w_vocab_bytes(v, 0, &size), "\0", 1);
    assert_memory_equal(w_vocab_bytes(v, 257, &size), "the", 3);
    assert_int_equal(size, 3);
    assert_memory_equal(w_vocab_bytes(v, 259, &size), "<pad>", 5);
    assert_null(w_vocab_bytes(v, 260, &size));
    assert_memory_equal(w_vocab_text(v, 257, &size), "the", 3);
    assert_null(w_vocab_text(v, 259, &size)); /* a special token has a name, but no text */
    assert_int_equal(size, 0);
    assert_null(w_vocab_text(v, 260, &size));
    assert_false(w_vocab_is_special(v, 257));
    assert_true(w_vocab_is_special(v, 258));
    assert_false(w_vocab_is_special(v, 260));
    w_vocab_free(v);
}

/* Bytes from 10 on backwards, merges at 5 and 300, a special at 0 and one after a gap, an added
 * token. */
static void ids_may_be_any(void **state)
{
    (void)state;
    u32 byte_ids[256], size, id, made[] = {300, 5};
    for (u32 i = 0; i < 256; i++)
        byte_ids[i] = 265 - i;
    struct w_merge merges[] = {{265 - 'a', 265 - 'b'}, {300, 265 - 'c'}};
    struct w_token specials[] = {{400, 5, (const u8 *)"<end>"}, {0, 5, (const u8 *)"<pad>"}};
    struct w_token added = {299, 3, (const u8 *)"\xff\xfe\0"};
    struct w_vocab_parts parts = {.split = W_SPLIT_GPT2,
                                  .whole_words = true,
                                  .byte_ids = byte_ids,
                                  .merges = merges,
                                  .merge_count = 2,
                                  .made_ids = made,
                                  .made_count = 2,
                                  .specials = specials,
                                  .special_count = 2,
                                  .added = &added,
                                  .added_count = 1};
    struct w_vocab *v = NULL, *again = NULL;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_DONE);
    struct w_json *json = w_vocab_json(v);
    assert_int_equal(w_vocab_from_json(&again, json, NULL), W_DONE);
    assert_string_equal(w_vocab_sha256(v), w_vocab_sha256(again));
    w_vocab_free(v);
    w_json_free(json);
    v = again;
    assert_int_equal(w_vocab_size(v), 401);
    assert_int_equal(w_vocab_eot_id(v), 400);
    assert_memory_equal(w_vocab_bytes(v, 5, &size), "abc", 3);
    assert_memory_equal(w_vocab_bytes(v, 265, &size), "\0", 1);
    assert_memory_equal(w_vocab_bytes(v, 299, &size), "\xff\xfe\0", 3);
    assert_null(w_vocab_bytes(v, 301, &size));
    assert_int_equal(w_vocab_kind(v, 301), W_TOKEN_UNUSED);
    assert_int_equal(w_vocab_kind(v, 0), W_TOKEN_SPECIAL);
    assert_int_equal(w_vocab_kind(v, 10), W_TOKEN_BYTE);
    assert_int_equal(w_vocab_kind(v, 300), W_TOKEN_MADE);
    assert_int_equal(w_vocab_kind(v, 299), W_TOKEN_ADDED);
    assert_true(w_vocab_find_special(v, "<pad>", 5, &id) && id == 0);
    assert_false(w_vocab_find(v, (const u8 *)"<pad>", 5, &id));
    assert_false(w_vocab_find_special(v, "abc", 3, &id));
    assert_true(w_vocab_find(v, (const u8 *)"abc", 3, &id) && id == 5);
    assert_false(w_vocab_find(v, (const u8 *)"abd", 3, &id));
    w_vocab_free(v);
    /* two of one id; a special with the bytes of a token, which is no matter; too many gaps */
    made[1] = 400;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_CORRUPT);
    made[1] = 5;
    specials[1].bytes = (const u8 *)"abc", specials[1].size = 3;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_DONE);
    assert_true(w_vocab_find(v, (const u8 *)"abc", 3, &id) && id == 5);
    assert_true(w_vocab_find_special(v, "abc", 3, &id) && id == 0);
    assert_memory_equal(w_vocab_bytes(v, 0, &size), "abc", 3);
    w_vocab_free(v);
    specials[0].bytes = specials[1].bytes, specials[0].size = 3; /* one name twice */
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_CORRUPT);
    specials[0].bytes = (const u8 *)"<end>", specials[0].size = 5, specials[1].size = 2;
    specials[1].bytes = (const u8 *)"zz", specials[0].id = 5000000;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_LIMIT);
    specials[0].id = 401, parts.size = 401;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_CORRUPT);
    parts.size = 16000000;
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_LIMIT);
}

static enum w_status parse(const char *text, struct w_vocab **v)
{
    struct w_json *json = NULL;
    struct w_err err = {0};
    assert_int_equal(w_json_parse(&json, text, strlen(text), &err), W_DONE);
    enum w_status status = w_vocab_from_json(v, json, &err);
    w_json_free(json);
    assert_true((*v != NULL) == (status == W_DONE));
    return status;
}

#define HEAD "{\"type\":\"bpe\",\"split\":\"gpt2\","
static const char whole[] =
    HEAD "\"size\":259,\"merges\":\"116 104 256 101\",\"specials\":[\"<end>\"]}";

static void json_reads_back_and_its_hash_is_checked(void **state)
{
    (void)state;
    struct w_vocab *v = NULL, *again = NULL;
    char hash[W_SHA256_TEXT];
    assert_int_equal(parse(whole, &v), W_DONE);
    w_sha256(whole, strlen(whole), hash);
    assert_string_equal(w_vocab_sha256(v), hash);
    struct w_json *json = w_vocab_json(v);
    char *text = w_json_text(json, NULL);
    w_json_free(json);
    assert_int_equal(parse(text, &again), W_DONE);
    assert_string_equal(w_vocab_sha256(again), hash);
    w_vocab_free(again);
    strstr(text, "101")[2] = '2'; /* another merge, the same hash */
    assert_int_equal(parse(text, &again), W_CORRUPT);
    free(text);
    w_vocab_free(v);
}

static void wrong_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum w_status status;
        const char *text;
    } cases[] = {
        {W_NEWER, "{\"type\":\"unigram\",\"split\":\"gpt2\",\"size\":257,\"merges\":\"\","
                  "\"specials\":[\"e\"]}"},
        {W_NEWER, "{\"type\":\"bpe\",\"split\":\"gpt9\",\"size\":257,\"merges\":\"\","
                  "\"specials\":[\"<e>\"]}"},
        {W_NEWER,
         HEAD "\"normalizer\":\"nfkc\",\"size\":257,\"merges\":\"\",\"specials\":[\"e\"]}"},
        {W_CORRUPT, HEAD "\"normalizer\":true,\"size\":257,\"merges\":\"\",\"specials\":[\"e\"]}"},
        {W_DONE, HEAD "\"normalizer\":\"nfc\",\"size\":257,\"merges\":\"\",\"specials\":[\"e\"]}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[]}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[1]}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[\"\"]}"},
        {W_DONE, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[\"a\"]}"}, /* a byte's, too */
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"\",\"specials\":[\"<e>\",\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"1 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 \",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2 \",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2 3\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1  2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"01 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"-1 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 4294967298\",\"specials\":[\"<e>\"]}"},
        {W_LIMIT, HEAD "\"size\":16000000,\"merges\":\"1 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":258,\"unused\":1,\"merges\":\"1 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"special_ids\":\"256 257\"}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"special_ids\":\"7\"}"},
        {W_CORRUPT, HEAD "\"size\":257,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"byte_ids\":\"1 2 3\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2\",\"specials\":[\"<e>\"],"
                         "\"made_ids\":\"256 257\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2\",\"specials\":[\"<e>\"],"
                         "\"made_ids\":\"\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2\",\"specials\":[\"<e>\"],"
                         "\"merged_ids\":\"256 257\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 2\",\"specials\":[\"<e>\"],"
                         "\"merged_ids\":\"256\",\"made_ids\":\"256\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"1 257 2 256\",\"specials\":[\"<e>\"],"
                         "\"merged_ids\":\"256 257\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"loose\":\"257:616\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"loose\":\"257:\"}"},
        {W_CORRUPT, HEAD "\"size\":258,\"merges\":\"\",\"specials\":[\"<e>\"],"
                         "\"loose\":\"257:6162 \"}"},
        {W_CORRUPT, HEAD "\"size\":257,\"whole_words\":1,\"merges\":\"\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":1e9,\"merges\":\"1 2\",\"specials\":[\"<e>\"]}"},
        {W_CORRUPT, HEAD "\"size\":257}"},
        {W_CORRUPT, "[]"},
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct w_vocab *v = NULL;
        if (parse(cases[i].text, &v) != cases[i].status)
            fail_msg("%s", cases[i].text);
        w_vocab_free(v);
    }
}

static void a_saved_file_loads(void **state)
{
    (void)state;
    struct w_vocab *v = NULL, *again = NULL;
    char path[] = "/tmp/test_vocab.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(parse(whole, &v), W_DONE);
    assert_int_equal(w_vocab_save(v, path, NULL), W_DONE);
    assert_int_equal(w_vocab_load(&again, path, NULL), W_DONE);
    assert_string_equal(w_vocab_sha256(again), w_vocab_sha256(v));
    w_vocab_free(again);
    struct w_err err = {0};
    assert_int_equal(w_vocab_load(&again, "/nonexistent/x.vocab", &err), W_IO);
    assert_non_null(strstr(err.text, "/nonexistent/x.vocab"));
    w_vocab_free(v);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_fips_180_vectors),
        cmocka_unit_test(merges_must_be_of_earlier_ids),
        cmocka_unit_test(a_byte_string_that_merges_make_twice_has_one_id),
        cmocka_unit_test(ids_may_be_any),
        cmocka_unit_test(ids_are_bytes_then_merges_then_specials),
        cmocka_unit_test(json_reads_back_and_its_hash_is_checked),
        cmocka_unit_test(wrong_json_is_refused),
        cmocka_unit_test(a_saved_file_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
