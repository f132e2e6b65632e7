/* Encoding: ids checked against the plainest possible merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nasty_text.h"
#include "plain_encoding.h"
#include "text/bpe_encode.h"

static void ids_are_those_of_plain_merging(void **state)
{
    (void)state;
    enum { SIZE = 2000 };
    struct w_vocab *v = sample_vocab(W_SPLIT_GPT2);
    struct w_encoder *e = NULL;
    u8 text[SIZE];
    u32 expected[SIZE];
    struct w_ids ids = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    for (u64 seed = 0; seed < 300; seed++) {
        nasty_text(text, SIZE, seed);
        if (seed % 3 == 0) /* words of all lengths, through every way of merging */
            for (size_t i = 0; i < SIZE; i++)
                text[i] = i % (seed + 2) ? (u8)('a' + (text[i] & 1)) : ' ';
        size_t size = SIZE - seed % 40;
        ids.count = 0;
        assert_int_equal(w_encode(e, text, size, &ids, NULL), W_DONE);
        assert_int_equal(ids.count, encode_plainly(v, text, size, expected));
        assert_memory_equal(ids.ids, expected, ids.count * sizeof *expected);
        assert_true(decodes_to(v, ids.ids, ids.count, text, size));
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
    struct w_token special = {7, 3, (const u8 *)"<e>"}, added = {8, 4, (const u8 *)"loos"};
    struct w_vocab_parts parts = {.split = W_SPLIT_GPT2,
                                  .whole_words = true,
                                  .byte_ids = byte_ids,
                                  .merges = merges,
                                  .merge_count = W_COUNTOF(merges),
                                  .specials = &special,
                                  .special_count = 1,
                                  .added = &added,
                                  .added_count = 1,
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
    struct w_vocab *v = sample_vocab(W_SPLIT_GPT2);
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
        assert_true(decodes_to(v, ids.ids, ids.count, text, SIZE));
    }
    ids.count = 0;
    assert_int_equal(w_encode(e, text, 0, &ids, NULL), W_DONE);
    assert_int_equal(ids.count, 0);
    free(text);
    free(ids.ids);
    w_encoder_free(e);
    w_vocab_free(v);
}

/* More words than the cache holds, long and short, with few and many ids: hits and misses give the
 * same. */
static void ids_do_not_depend_on_what_was_seen(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20, PIECE = 1 << 20 };
    struct w_vocab *v = sample_vocab(W_SPLIT_GPT2);
    struct w_encoder *old = NULL, *new = NULL;
    struct w_ids seen = {0}, unseen = {0};
    struct w_rng rng = {.seed = 11};
    u8 *text = malloc(SIZE);
    for (size_t i = 0; i < SIZE;) {
        size_t length = 1 + w_rng_below(&rng, w_rng_below(&rng, 4) ? 14 : 80);
        u64 bits = w_rng_u64(&rng);
        text[i++] = ' ';
        for (size_t k = 0; k < length && i < SIZE; k++, bits = bits >> 1 | bits << 63)
            text[i++] = (u8)(k % 7 == 6 ? 'x' : 'a' + (bits & 1));
    }
    assert_int_equal(w_encoder_new(&old, v, NULL), W_DONE);
    for (unsigned i = 0; i < 2 * SIZE / PIECE; i++) {
        const u8 *piece = text + (size_t)i * PIECE % SIZE;
        seen.count = unseen.count = 0;
        assert_int_equal(w_encoder_new(&new, v, NULL), W_DONE);
        assert_int_equal(w_encode(old, piece, PIECE, &seen, NULL), W_DONE);
        assert_int_equal(w_encode(new, piece, PIECE, &unseen, NULL), W_DONE);
        assert_int_equal(seen.count, unseen.count);
        assert_memory_equal(seen.ids, unseen.ids, seen.count * sizeof *seen.ids);
        w_encoder_free(new);
    }
    free(text);
    free(seen.ids);
    free(unseen.ids);
    w_encoder_free(old);
    w_vocab_free(v);
}

static void long_words_take_no_quadratic_time(void **state)
{
    (void)state;
    size_t size = 1000000;
    struct w_vocab *v = sample_vocab(W_SPLIT_GPT2);
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
        assert_true(decodes_to(v, ids.ids, ids.count, text, size));
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
    struct w_vocab *v = sample_vocab(W_SPLIT_GPT2);
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    assert_int_equal(w_encode(e, (const u8 *)"<|endoftext|>", 13, &ids, NULL), W_DONE);
    assert_true(decodes_to(v, ids.ids, ids.count, (const u8 *)"<|endoftext|>", 13));
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
        cmocka_unit_test(ids_do_not_depend_on_what_was_seen),
        cmocka_unit_test(long_words_take_no_quadratic_time),
        cmocka_unit_test(names_of_special_tokens_are_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
