/* Names of special tokens in text: found only when asked for, and never lost between two pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "text/nfc.h"
#include "text/special.h"

static struct w_vocab *sample_vocab(void)
{
    static const char *const names[] = {"<end>", "<end>+", "<a b>", "[x]"};
    struct w_vocab *v = NULL;
    struct w_merge merges[] = {{'a', 'b'}, {'e', 'n'}, {257, 'd'}, {' ', 'b'}};
    assert_int_equal(w_vocab_new(&v, W_SPLIT_GPT2, merges, 4, names, 4, NULL), W_DONE);
    return v; /* <end> is 260 */
}

static void check(const char *names, const char *text, const u32 *expected, size_t count)
{
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    struct w_specials *s = NULL;
    struct w_ids ids = {0};
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    if (names)
        assert_int_equal(w_specials_new(&s, v, names, NULL), W_DONE);
    assert_int_equal(w_specials_encode(s, e, (const u8 *)text, strlen(text), &ids, NULL), W_DONE);
    assert_int_equal(ids.count, count);
    assert_memory_equal(ids.ids, expected, count * sizeof *expected);
    free(ids.ids);
    w_specials_free(s);
    w_encoder_free(e);
    w_vocab_free(v);
}

#define IDS(...) (u32[]){__VA_ARGS__}, W_COUNTOF(((u32[]){__VA_ARGS__}))

static void names_are_tokens_only_when_asked_for(void **state)
{
    (void)state;
    check(NULL, "ab<end>", IDS(256, '<', 258, '>'));
    check("", "ab<end>", IDS(256, 260));
    check("all", "<end><end>ab", IDS(260, 260, 256));
    check("all", "<end>+<end>", IDS(261, 260)); /* the longest */
    check("<end>", "<end>+", IDS(260, '+'));
    check("[x],<end>", "[x]<a b>", IDS(263, '<', 'a', 259, '>'));
    check("all", "<en<end>d>", IDS('<', 257, 260, 'd', '>'));
    check("all", "<end", IDS('<', 258));
    check("all", "a<end>b", IDS('a', 260, 'b')); /* no merge goes across */
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    struct w_vocab *v = sample_vocab();
    struct w_specials *s = NULL;
    struct w_err err = {0};
    assert_int_equal(w_specials_new(&s, v, "<end>,<fin>", &err), W_USAGE);
    assert_non_null(strstr(err.text, "<fin>"));
    assert_int_equal(w_specials_new(&s, v, "ab", &err), W_USAGE); /* a normal token */
    assert_int_equal(w_specials_new(&s, v, "<end>,", &err), W_USAGE);
    assert_null(s);
    w_vocab_free(v);
}

/* Cut a text of pieces of names wherever it may be cut, and encode the parts: the ids of the
 * whole. */
static void cuts_split_no_name(void **state)
{
    (void)state;
    static const char *const parts[] = {"<end>", "<end", "<", "+", "<a",
                                        " b>",   "[x",   "]", " ", "ab"};
    struct w_vocab *v = sample_vocab();
    struct w_encoder *e = NULL;
    struct w_specials *s = NULL;
    struct w_ids whole = {0}, pieces = {0};
    struct w_rng rng = {.seed = 3};
    unsigned cuts = 0;
    assert_int_equal(w_encoder_new(&e, v, NULL), W_DONE);
    assert_int_equal(w_specials_new(&s, v, "", NULL), W_DONE);
    for (unsigned round = 0; round < 3000; round++) {
        char text[256] = "";
        for (unsigned i = 0; i < 20; i++)
            strcat(text, parts[w_rng_below(&rng, W_COUNTOF(parts))]);
        const u8 *bytes = (const u8 *)text;
        size_t size = strlen(text), seen = (size_t)w_rng_below(&rng, size + 1);
        size_t cut = w_specials_cut(s, W_SPLIT_GPT2, bytes, seen);
        assert_true(cut <= seen);
        cuts += cut > 0;
        whole.count = pieces.count = 0;
        assert_int_equal(w_specials_encode(s, e, bytes, size, &whole, NULL), W_DONE);
        assert_int_equal(w_specials_encode(s, e, bytes, cut, &pieces, NULL), W_DONE);
        assert_int_equal(w_specials_encode(s, e, bytes + cut, size - cut, &pieces, NULL), W_DONE);
        assert_int_equal(whole.count, pieces.count);
        assert_memory_equal(whole.ids, pieces.ids, whole.count * sizeof *whole.ids);
    }
    assert_true(cuts > 1000);
    free(whole.ids);
    free(pieces.ids);
    w_specials_free(s);
    w_encoder_free(e);
    w_vocab_free(v);
}

/* Nothing composes with a name, and what is between names is normalised, in whatever pieces. */
static void names_are_not_normalised(void **state)
{
    (void)state;
    static const char *const parts[] = {"<end>", "<end", ">",      "<", "e\u0301",
                                        "<a",    " b>",  "\u0338", " ", "\u0323"};
    struct w_vocab *v = sample_vocab();
    struct w_specials *s = NULL;
    struct w_buffer whole = {0}, pieces = {0};
    struct w_rng rng = {.seed = 4};
    unsigned cuts = 0;
    assert_int_equal(w_specials_new(&s, v, "", NULL), W_DONE);
    const char *text = "<end>\u0338e\u0301";
    assert_int_equal(w_specials_normalize(s, &whole, (const u8 *)text, strlen(text), NULL), W_DONE);
    assert_int_equal(w_specials_normalize(NULL, &whole, (const u8 *)text, strlen(text), NULL),
                     W_DONE);
    w_buffer_byte(&whole, 0);
    assert_string_equal(whole.at, "<end>\u0338\u00e9<end\u226f\u00e9");
    for (unsigned round = 0; round < 3000; round++) {
        char mixed[256] = "";
        for (unsigned i = 0; i < 20; i++)
            strcat(mixed, parts[w_rng_below(&rng, W_COUNTOF(parts))]);
        const u8 *bytes = (const u8 *)mixed;
        size_t size = strlen(mixed), seen = (size_t)w_rng_below(&rng, size + 1);
        size_t cut = w_specials_nfc_cut(s, bytes, seen);
        cuts += cut > 0;
        whole.size = pieces.size = 0;
        assert_int_equal(w_specials_normalize(s, &whole, bytes, size, NULL), W_DONE);
        assert_int_equal(w_specials_normalize(s, &pieces, bytes, cut, NULL), W_DONE);
        assert_int_equal(w_specials_normalize(s, &pieces, bytes + cut, size - cut, NULL), W_DONE);
        assert_int_equal(whole.size, pieces.size);
        assert_memory_equal(whole.at, pieces.at, whole.size);
    }
    assert_true(cuts > 1000);
    w_buffer_free(&whole);
    w_buffer_free(&pieces);
    w_specials_free(s);
    w_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_tokens_only_when_asked_for),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(cuts_split_no_name),
        cmocka_unit_test(names_are_not_normalised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
