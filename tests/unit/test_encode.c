/* Splitting and encoding: expected words derived by hand from the pattern in split.h, and encoders
 * checked against the plainest possible merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "text/bpe_encode.h"
#include "text/unicode.h"

/* ---- splitting ---- */

static void text_splits_as_the_pattern_says(void **state)
{
    (void)state;
    /* words between bars; a bar cannot be part of a text here */
    static const char *const cases[] = {
        "Hello| world",
        "it|'s| we|'ll| I|'ve| you|'re| he|'d| I|'m| don|'t",
        "it|'|S| '|LL",  /* upper case is no contraction */
        "'s|omething",   /* the first alternative wins */
        " '|s",          /* with the space, the quote is an other character */
        "a| ''|s|'s",    /* runs of others take quotes along */
        "x|'|v|'ve|'|l", /* unfinished */
        "abc|123|def",
        " 12| 3|.|5",
        "foo|!!| bar|...|\n|baz",
        "a|  | b", /* \s+(?!\S) gives back a space, which joins b */
        "a|\n| b",
        "a| \n|\n|b", /* and a newline, which joins nothing */
        "a|\t|b",     /* only U+0020 joins */
        "a| \t ",     /* at the end white space is one word */
        "a| | 1",
        " ",
        "caf\xc3\xa9| na\xc3\xafve",
        "\xe4\xb8\xad\xe6\x96\x87|\xef\xbc\x8c|\xd9\xa3\xe2\x85\xa7", /* Lo, Po, Nd and Nl */
        "a|\xe3\x80\x80|b",                                           /* ideographic space */
        "a|\xc2\xa0 |\xc2\xa0|b",
        "a|\xcc\x81|b", /* a combining mark is no letter */
        "a|\xff|b",     /* invalid bytes are others */
        "a|\xc3",       /* as is the beginning of a character at the end */
        "a|\xe4\xb8|b",
        "a|\xed\xa0\x80|b",     /* a surrogate */
        "a|\xc0\xaf|b",         /* overlong */
        "a|\xf5\x80\x80\x80|b", /* above U+10FFFF */
        "a| \xff!\xfe|1",
        "\xf0\x9f\x98\x80| \xf0\x9f\x98\x80\xf0\x9f\x98\x80|a",
        "\xf0\x9d\x94\xb8|\xf0\x9d\x9f\x98", /* mathematical letter and digit, plane 1 */
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        u8 text[128];
        size_t expected[64], ends[64], count = 0, size = 0;
        for (const char *p = cases[i]; *p; p++)
            if (*p == '|')
                expected[count++] = size;
            else
                text[size++] = (u8)*p;
        expected[count++] = size;
        size_t got = w_split_words(W_SPLIT_GPT2, text, size, ends, 64);
        if (got != count || memcmp(ends, expected, count * sizeof *ends))
            fail_msg("case %zu: %s", i, cases[i]);
    }
}

static void classes_follow_unicode_15(void **state)
{
    (void)state;
    assert_int_equal(w_char_class(0x01C5), W_CHAR_LETTER); /* Lt */
    assert_int_equal(w_char_class(0x02B0), W_CHAR_LETTER); /* Lm */
    assert_int_equal(w_char_class(0x4E00), W_CHAR_LETTER); /* first of a range */
    assert_int_equal(w_char_class(0x9FFF), W_CHAR_LETTER); /* last of it */
    assert_int_equal(w_char_class(0xD7A3), W_CHAR_LETTER);
    assert_int_equal(w_char_class(0xD7A4), W_CHAR_OTHER);
    assert_int_equal(w_char_class(0x31350), W_CHAR_LETTER); /* new in Unicode 15 */
    assert_int_equal(w_char_class(0x323AF), W_CHAR_LETTER); /* the last letter of all */
    assert_int_equal(w_char_class(0x323B0), W_CHAR_OTHER);
    assert_int_equal(w_char_class(0x10FFFF), W_CHAR_OTHER);
    assert_int_equal(w_char_class(0x00BD), W_CHAR_NUMBER); /* No */
    assert_int_equal(w_char_class(0x2028), W_CHAR_SPACE);
    assert_int_equal(w_char_class(0x200B), W_CHAR_OTHER); /* zero-width space is no space */
    assert_int_equal(w_char_class(0x001C), W_CHAR_OTHER);
}

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

static void texts_can_be_cut_where_it_says(void **state)
{
    (void)state;
    enum { SIZE = 60 };
    u8 text[SIZE];
    size_t whole[SIZE], front[SIZE], back[SIZE], cuts = 0;
    for (u64 seed = 0; seed < 20000; seed++) {
        random_text(text, SIZE, seed);
        size_t seen = SIZE - seed % 30; /* what a reader has of it so far */
        size_t cut = w_split_cut(W_SPLIT_GPT2, text, seen);
        size_t n = w_split_words(W_SPLIT_GPT2, text, SIZE, whole, SIZE);
        size_t a = w_split_words(W_SPLIT_GPT2, text, cut, front, SIZE);
        size_t b = w_split_words(W_SPLIT_GPT2, text + cut, SIZE - cut, back, SIZE);
        assert_true(cut <= seen);
        assert_int_equal(a + b, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(whole[i], i < a ? front[i] : cut + back[i - a]);
        cuts += cut > 0;
    }
    assert_true(cuts > 10000);
}

static void endless_words_end(void **state)
{
    (void)state;
    size_t size = 3 * W_WORD_BYTES_MAX, ends[8];
    u8 *text = malloc(size);
    assert_non_null(text);
    static const u8 fills[] = {'a', ' ', '!', '7', 0xff, '\n'};
    for (size_t i = 0; i < W_COUNTOF(fills); i++) {
        memset(text, fills[i], size);
        assert_int_equal(w_split_words(W_SPLIT_GPT2, text, size, ends, 8), 3);
        assert_int_equal(ends[0], W_WORD_BYTES_MAX);
        size_t cut = w_split_cut(W_SPLIT_GPT2, text, 2 * W_WORD_BYTES_MAX);
        assert_int_equal(cut, W_WORD_BYTES_MAX);
    }
    free(text);
}

/* ---- encoding ---- */

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
            word[i] = text[from + i];
        for (u32 rank = 0; rank < w_vocab_merge_count(v); rank++)
            for (size_t i = 0; i + 1 < n; i++)
                if (word[i] == merges[rank].left && word[i + 1] == merges[rank].right) {
                    word[i] = 256 + rank;
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
        cmocka_unit_test(text_splits_as_the_pattern_says),
        cmocka_unit_test(classes_follow_unicode_15),
        cmocka_unit_test(texts_can_be_cut_where_it_says),
        cmocka_unit_test(endless_words_end),
        cmocka_unit_test(ids_are_those_of_plain_merging),
        cmocka_unit_test(every_byte_string_round_trips),
        cmocka_unit_test(long_words_take_no_quadratic_time),
        cmocka_unit_test(names_of_special_tokens_are_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
