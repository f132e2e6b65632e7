/* Encoding: ids checked against the plainest possible merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "text/bpe_encode.h"

/* Random text of characters on which the rules turn, with some invalid bytes. */
static void random_text(u8 *text, size_t size, u64 seed)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "s",
                                         "'",
                                         "ll",
                                         " ",
                                         " ",
                                         "\n",
                                         "7",
                                         "!",
                                         "\xff",
                                         "\xc3\xa9",
                                         "\xe3\x80\x80",
                                         "\t",
                                         "re",
                                         "\0",
                                         "\xc2",
                                         "\xf0\x9f\x98\x80"};
    struct w_rng rng = {.seed = seed};
    for (size_t i = 0; i < size;) {
        const char *piece = pieces[w_rng_below(&rng, W_COUNTOF(pieces))];
        size_t n = *piece ? strlen(piece) : 1;
        for (size_t k = 0; k < n && i < size; k++)
            text[i++] = (u8)piece[k];
    }
}

static struct w_vocab *vocab_of(const struct w_merge *merges, u32 count)
{
    static const char *const specials[] = {"<|endoftext|>"};
    struct w_vocab *v = NULL;
    assert_int_equal(w_vocab_new(&v, W_SPLIT_GPT2, merges, count, specials, 1, NULL), W_DONE);
    return v;
}

/* Merges that overlap in every way: runs, pairs with a space, bytes of UTF-8 characters. */
static struct w_vocab *sample_vocab(void)
{
    static const struct w_merge merges[] = {
        {'a', 'a'},   {'a', 'b'}, {256, 256},   {' ', 'a'}, {'b', 'a'}, {257, 257}, {259, 'b'},
        {0xc3, 0xa9}, {256, 'b'}, {' ', 0xc3},  {' ', ' '}, {266, 266}, {'s', 's'}, {268, 's'},
        {'!', '!'},   {'l', 'l'}, {'\'', 271},  {258, 258}, {0, 0xff},  {'b', 'b'}, {275, 275},
        {267, 267},   {270, 270}, {0xff, 0xff}, {273, 273}, {280, 280},
    };
    return vocab_of(merges, W_COUNTOF(merges));
}

/* The definition of BPE: in each word, do the merge of lowest rank, the leftmost first, until none is
 * left. */
static size_t encode_plainly(const struct w_vocab *v, const u8 *text, size_t size, u32 *ids)
{
    size_t ends[4096], words = w_split_words(W_SPLIT_GPT2, text, size, ends, 4096), total = 0;
    const struct w_merge *merges = w_vocab_merges(v);
    assert_true(words < 4096);
    for (size_t w = 0; w < words; w++) {
        size_t from = w ? ends[w - 1] : 0, n = ends[w] - from;
        u32 *word = ids + total;
        for (size_t i = 0; i < n; i++)
            word[i] = w_vocab_byte_ids(v)[text[from + i]];
        for (u32 rank = 0; rank < w_vocab_merge_count(v); rank++)
            for (size_t i = 0; i + 1 < n; i++)
                if (word[i] == merges[rank].left && word[i + 1] == merges[rank].right) {
                    word[i] = w_vocab_merged_ids(v)[rank];
                    n--;
                    memmove(word + i + 1, word + i + 2, (n - i - 1) * sizeof *word);
                }
        total += n;
    }
    return total;
}

static void check_round_trip(const struct w_vocab *v, const u8 *text, size_t size,
                             const struct w_ids *ids)
{
    size_t at = 0;
    for (size_t i = 0; i < ids->count; i++) {
        u32 n;
        const u8 *bytes = w_vocab_bytes(v, ids->ids[i], &n);
        assert_false(w_vocab_is_special(v, ids->ids[i]));
        assert_non_null(bytes);
        assert_true(n <= size - at);
        assert_memory_equal(bytes, text + at, n);
        at += n;
    }
    assert_int_equal(at, size);
}

static void ids_are_those_of_plain_merging(void **state)
{
    (void)state;
    enum { SIZE = 2000 };
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    u8 text[SIZE];
    u32 expected[SIZE];
    struct w_ids ids = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    for (u64 seed = 0; seed < 300; seed++) {
        random_text(text, SIZE, seed);
        if (seed % 3 == 0) /* words of all lengths, through every way of merging */
            for (size_t i = 0; i < SIZE; i++)
                text[i] = i % (seed + 2) ? (u8)('a' + (text[i] & 1)) : ' ';
        size_t size = SIZE - seed % 40;
        ids.count = 0;
        assert_int_equal(w_encode(e, text, size, &ids, NULL), W_DONE);
        assert_int_equal(ids.count, encode_plainly(v, text, size, expected));
        assert_memory_equal(ids.ids, expected, ids.count * sizeof *expected);
        check_round_trip(v, text, size, &ids);
    }
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

/* Ids in no order, a token made by two merges, a word that only as a whole is a token. */
static void rank_and_id_are_two_things(void **state)
{
    (void)state;
    u32 byte_ids[256], made[] = {301, 300, 256, 5, 9}, expected[4096];
    for (u32 i = 0; i < 256; i++)
        byte_ids[i] = 1000 - i;
    u32 a = byte_ids['a'], b = byte_ids['b'], c = byte_ids['c'];
    struct w_merge merges[] = {{a, b}, {b, c}, {c, a}, {301, c}, {a, 300}, {256, b}};
    struct w_token special = {7, 3, (const u8 *)"<e>"}, loose = {8, 4, (const u8 *)"loos"};
    struct w_vocab_parts parts = {.split = W_SPLIT_GPT2,
                                  .whole_words = true,
                                  .byte_ids = byte_ids,
                                  .merges = merges,
                                  .merge_count = W_COUNTOF(merges),
                                  .specials = &special,
                                  .special_count = 1,
                                  .loose = &loose,
                                  .loose_count = 1,
                                  .made_ids = made,
                                  .made_count = 5};
    struct w_vocab *v = NULL;
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};
    struct w_rng rng = {.seed = 9};
    assert_int_equal(w_vocab_make(&v, &parts, NULL), W_DONE);
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    for (unsigned round = 0; round < 200; round++) {
        u8 text[400];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (u8)('a' + w_rng_below(&rng, 3));
        ids.count = 0;
        size_t size = 1 + round * 2;
        assert_int_equal(w_encode(e, text, size, &ids, NULL), W_DONE);
        assert_int_equal(ids.count, encode_plainly(v, text, size, expected));
        assert_memory_equal(ids.ids, expected, ids.count * sizeof *expected);
    }
    ids.count = 0;
    assert_int_equal(w_encode(e, (const u8 *)"loos", 4, &ids, NULL), W_DONE);
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.ids[0], 8);
    assert_int_equal(w_encode(e, (const u8 *)"loose", 5, &ids, NULL), W_DONE);
    assert_int_equal(ids.count, 6); /* no part of a word */
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

static void every_byte_string_round_trips(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};
    struct w_rng rng = {.seed = 7};
    u8 *text = malloc(SIZE);
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    for (unsigned round = 0; round < 5; round++) {
        for (size_t i = 0; i < SIZE; i++)
            text[i] = (u8)w_rng_u64(&rng) & (round < 3 ? 0xff : 0x9f);
        ids.count = 0;
        assert_int_equal(w_encode(e, text, SIZE, &ids, NULL), W_DONE);
        check_round_trip(v, text, SIZE, &ids);
    }
    ids.count = 0;
    assert_int_equal(w_encode(e, text, 0, &ids, NULL), W_DONE);
    assert_int_equal(ids.count, 0);
    free(text);
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

static void long_words_take_no_quadratic_time(void **state)
{
    (void)state;
    size_t size = 1000000;
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};
    u8 *text = malloc(size);
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    /* A quadratic loop would need hours here, and the test runner ends it. */
    static const u8 fills[] = {'a', ' ', '!', 0};
    for (size_t i = 0; i < W_COUNTOF(fills); i++) {
        memset(text, fills[i], size);
        ids.count = 0;
        assert_int_equal(w_encode(e, text, size, &ids, NULL), W_DONE);
        check_round_trip(v, text, size, &ids);
    }
    memset(text, 'a', size);
    ids.count = 0;
    assert_int_equal(w_encode(e, text, size, &ids, NULL), W_DONE);
    assert_int_equal(ids.count, size / 32); /* the longest merge of a's */
    free(text);
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

static void names_of_special_tokens_are_plain_text(void **state)
{
    (void)state;
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    assert_int_equal(w_encode(e, (const u8 *)"<|endoftext|>", 13, &ids, NULL), W_DONE);
    check_round_trip(v, (const u8 *)"<|endoftext|>", 13, &ids);
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_plain_merging),
        cmocka_unit_test(rank_and_id_are_two_things),
        cmocka_unit_test(every_byte_string_round_trips),
        cmocka_unit_test(long_words_take_no_quadratic_time),
        cmocka_unit_test(names_of_special_tokens_are_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
