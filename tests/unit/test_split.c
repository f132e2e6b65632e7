/* Splitting: words derived by hand from the patterns in split.h, and the patterns themselves, run
 * by a matcher of a hundred plain lines, on random text of the characters that matter to the
 * rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "nasty_text.h"
#include "pattern.h"
#include "text/split.h"

#define RULES W_SPLITS

static const char *const names[RULES] = {"gpt2",  "cl100k",   "qwen2", "smollm",
                                         "o200k", "deepseek", "falcon"};

static void rules_have_names(void **state)
{
    (void)state;
    enum w_split rule;
    char all[64] = "";
    for (enum w_split i = 0; i < RULES; i++) {
        assert_string_equal(w_split_name(i), names[i]);
        assert_true(w_split_find(names[i], &rule));
        assert_int_equal(rule, i);
        strcat(strcat(all, i ? "|" : ""), names[i]);
    }
    assert_string_equal(W_SPLIT_NAMES, all);
    assert_false(w_split_find("gpt3", &rule));
}

/* Words between bars; a bar cannot be part of a text here. */
static void check_cases(enum w_split rule, const char *const *cases, size_t case_count)
{
    for (size_t i = 0; i < case_count; i++) {
        u8 text[128];
        size_t expected[64], ends[64], count = 0, size = 0;
        for (const char *p = cases[i]; *p; p++)
            if (*p == '|')
                expected[count++] = size;
            else
                text[size++] = (u8)*p;
        expected[count++] = size;
        size_t got = w_split_words(rule, text, size, ends, 64);
        if (got != count || memcmp(ends, expected, count * sizeof *ends))
            fail_msg("%s: case %zu: %s", w_split_name(rule), i, cases[i]);
    }
}

static void gpt2_splits_as_its_pattern_says(void **state)
{
    (void)state;
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
    check_cases(W_SPLIT_GPT2, cases, W_COUNTOF(cases));
}

static void cl100k_splits_as_its_pattern_says(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "it|'s| IT|'S| we|'Ll|'vE|'RE",
        "it|'\xc5\xbf|a", /* U+017F folds to s */
        "'\xc5\xb0",      /* its neighbours do not */
        "(Hello|,| world|)",
        "\tx|\n|y|\r|z", /* anything but newlines joins letters */
        "a|\xc2\xa0\x62|\xff\x63",
        "123|456|7| |89", /* three numbers, and no space before them */
        "\xd9\xa3\xe2\x85\xa7\xc2\xb2|1",
        "a| !!\n\r\n| b", /* newlines belong to others before them */
        "x|.\n\n|  \n|y",
        "a|  \n \n|  | b", /* white space ends after its last newline */
        "a| \n|  ",        /* even at the end of the text */
        "a|  | |1",
        "a| '|1",
    };
    check_cases(W_SPLIT_CL100K, cases, W_COUNTOF(cases));
}

static void qwen2_takes_numbers_one_by_one(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "a| |1|2|3|b| |\xd9\xa3|\xc2\xb2",
        "IT|'S|(\n\n|x|\r\n|y",
    };
    check_cases(W_SPLIT_QWEN2, cases, W_COUNTOF(cases));
}

static void smollm_ends_text_at_numbers(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "a| |1|2|3|b", "a|  |1|  | b", /* before a number it is one word */
        "it|'s|1|'|S", "a| !|\xd9\xa3|\xc2\xb2", "a| ",
    };
    check_cases(W_SPLIT_SMOLLM, cases, W_COUNTOF(cases));
}

static void o200k_cuts_words_where_their_case_says(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Hello| World| it's| WE'LL|foo|Bar|XMLHttp|Request|ABCx",
        "don't|X'T| '|tis",
        "it'\xc5\xbf|'s|'\xc3\xa9",
        "ABC\xe4\xb8\xad|DEF",
        "ABC\xe4\xb8\xad\x44\x45\x46g",
        "\xcc\x81|AB|!\xcc\x81|!!\xcc\x81|\xc7\x85\x61",
        "123|45|A|1|a",
        "a| !//\n/\r/|x|/y| /|z",
        "a|\n|/b|.\n/|c",
        "a|  | |1|  \n| | b|\tc",
    };
    check_cases(W_SPLIT_O200K, cases, W_COUNTOF(cases));
}

static void deepseek_splits_in_three_steps(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "it|'s| a|123|4|!x|\xc3\xa9|_ab| !|c",
        "a|  |1|  |\xe4\xb8\xad\xe6\x96\x87\xe3\x81\x82|b",
        "\xe9\xbe\xa5|\xe9\xbe\xa6\xea\xb0\x80",
        "\xcc\x81\x61|!\n\n|x|\n|y|\tz| \xcc\x81",
        "\x01\x02|\x03\x61|\x01|1|\x01|!",
        "\xff|\xfe\x62",
        "a| | b",
        "a| \n| | b",
        "a|)s|)|1|(b",
    };
    check_cases(W_SPLIT_DEEPSEEK, cases, W_COUNTOF(cases));
}

static void falcon_takes_punctuation_and_digits_apart(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "it|'|s| a| |123|4|  |!?$| |(|x|\xe2\x82\xac|1| 12| \xc2\xb2\x31\x32|\xe2\xb8\xae| "
        "\xe2\xb9\x83",
        "\xc2\xb2|123|\xc2\xbd\x35|a| | b",
    };
    check_cases(W_SPLIT_FALCON, cases, W_COUNTOF(cases));
    assert_true(w_char_was_punctuation(0x2e42) && !w_char_was_punctuation(0x2e43));
    assert_true(w_char_was_punctuation(0x166d) && !w_char_was_punctuation('a'));
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
    assert_int_equal(w_char_class(0x200B), W_CHAR_OTHER);  /* zero-width space is no space */
    assert_int_equal(w_char_class(0x180E), W_CHAR_OTHER);  /* and this one no more */
    assert_int_equal(w_char_class(0x001C), W_CHAR_OTHER);
}

static void white_space_is_the_property_of_that_name(void **state)
{
    (void)state;
    size_t count = 0;
    for (u32 c = 0; c < 0x110000; c++) {
        /* PropList.txt */
        bool space = (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
                     (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                     c == 0x205F || c == 0x3000;
        assert_int_equal(w_char_class(c) == W_CHAR_SPACE, space);
        count += space;
    }
    assert_int_equal(count, 25);
}

/* As many words as w_split_words() gives of a text, which are the same on any CPU. */
static size_t first_words(enum w_split rule, const u8 *text, size_t size, size_t *ends, size_t room)
{
    size_t portably[1024], count = w_split_words(rule, text, size, ends, room);
    assert_true(room <= W_COUNTOF(portably));
    assert_int_equal(w_split_words_portably(rule, text, size, portably, room), count);
    assert_memory_equal(ends, portably, count * sizeof *ends);
    return count;
}

/* All words of a text. */
static size_t split(enum w_split rule, const u8 *text, size_t size, size_t *ends)
{
    size_t count = 0, at = 0, n;
    while ((n = first_words(rule, text + at, size - at, ends + count, size)) > 0) {
        for (size_t i = 0; i < n; i++)
            ends[count + i] += at;
        count += n;
        at = ends[count - 1];
    }
    return count;
}

static void rules_split_random_text_as_their_patterns(void **state)
{
    (void)state;
    enum { SIZE = 300 };
    u8 text[SIZE];
    size_t expected[SIZE], ends[2 * SIZE];
    for (u64 seed = 0; seed < 70000; seed++) {
        enum w_split rule = (enum w_split)(seed % RULES);
        size_t size = SIZE - seed % 197;
        nasty_text(text, size, seed / RULES);
        size_t n = split_by_patterns(rule, text, size, expected);
        size_t got = split(rule, text, size, ends);
        if (got != n || memcmp(ends, expected, n * sizeof *ends)) {
            for (size_t i = 0; i < size; i++)
                printf("%02x ", text[i]);
            fail_msg("%s, seed %llu", w_split_name(rule), (unsigned long long)seed);
        }
    }
}

static void texts_can_be_cut_where_w_split_cut_says(void **state)
{
    (void)state;
    enum { SIZE = 150 };
    u8 text[SIZE];
    size_t whole[2 * SIZE], front[2 * SIZE], back[2 * SIZE], cuts = 0;
    for (u64 seed = 0; seed < 40000; seed++) {
        enum w_split rule = (enum w_split)(seed % RULES);
        nasty_text(text, SIZE, seed / RULES);
        size_t seen = SIZE - seed % 130; /* bytes that a reader has so far */
        size_t cut = w_split_cut(rule, text, seen);
        size_t n = split(rule, text, SIZE, whole);
        size_t a = split(rule, text, cut, front);
        size_t b = split(rule, text + cut, SIZE - cut, back);
        assert_true(cut <= seen);
        assert_int_equal(a + b, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(whole[i], i < a ? front[i] : cut + back[i - a]);
        cuts += cut > 0;
    }
    assert_true(cuts > 20000);
}

static void endless_words_end(void **state)
{
    (void)state;
    size_t size = 3 * W_WORD_BYTES_MAX, ends[8];
    u8 *text = malloc(size);
    assert_non_null(text);
    static const u8 fills[] = {'a', ' ', '!', 0xff, '\n'};
    for (enum w_split rule = 0; rule < RULES; rule++)
        for (size_t i = 0; i < W_COUNTOF(fills); i++) {
            memset(text, fills[i], size);
            assert_int_equal(w_split_words(rule, text, size, ends, 8), 3);
            assert_int_equal(ends[0], W_WORD_BYTES_MAX);
            assert_int_equal(w_split_cut(rule, text, 2 * W_WORD_BYTES_MAX), W_WORD_BYTES_MAX);
        }
    free(text);
}

/* White space of several megabytes, with newlines anywhere in it, can be cut somewhere. */
static void endless_white_space_can_be_cut(void **state)
{
    (void)state;
    enum { ROUNDS = 40 };
    size_t size = 2 * W_WORD_BYTES_MAX + 100, whole[8], seen = 2 * W_WORD_BYTES_MAX;
    u8 *text = malloc(size);
    struct w_rng rng = {.seed = 3};
    assert_non_null(text);
    for (unsigned round = 0; round < ROUNDS; round++) {
        enum w_split rule = (enum w_split)(round % RULES);
        memset(text, ' ', size);
        text[w_rng_below(&rng, seen)] = '\n';
        text[W_WORD_BYTES_MAX - w_rng_below(&rng, 8)] = '\n';
        if (round & 4)
            memset(text + seen - 5, 'x', 10);
        size_t cut = w_split_cut(rule, text, seen), i = 0;
        size_t n = w_split_words(rule, text, size, whole, 8);
        while (i < n && whole[i] != cut)
            i++;
        assert_true(cut > 0 && i < n);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(gpt2_splits_as_its_pattern_says),
        cmocka_unit_test(cl100k_splits_as_its_pattern_says),
        cmocka_unit_test(qwen2_takes_numbers_one_by_one),
        cmocka_unit_test(smollm_ends_text_at_numbers),
        cmocka_unit_test(o200k_cuts_words_where_their_case_says),
        cmocka_unit_test(deepseek_splits_in_three_steps),
        cmocka_unit_test(falcon_takes_punctuation_and_digits_apart),
        cmocka_unit_test(classes_follow_unicode_15),
        cmocka_unit_test(white_space_is_the_property_of_that_name),
        cmocka_unit_test(rules_split_random_text_as_their_patterns),
        cmocka_unit_test(texts_can_be_cut_where_w_split_cut_says),
        cmocka_unit_test(endless_words_end),
        cmocka_unit_test(endless_white_space_can_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
