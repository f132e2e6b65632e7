/* NFC: rows of Unicode's test, utf8proc's own way for a whole text, and cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utf8proc.h>

#include "base/rng.h"
#include "base/utf8.h"
#include "text/nfc.h"

static void check(const char *text, size_t size, const char *expected, size_t expected_size)
{
    struct w_buffer out = {0};

    assert_int_equal(w_nfc_append(&out, (const u8 *)text, size, NULL), W_DONE);
    if (out.size != expected_size || memcmp(out.at, expected, expected_size) != 0)
        fail_msg("'%s' became '%.*s', not '%s'", text, (int)out.size, (const char *)out.at,
                 expected);
    w_buffer_free(&out);
}
#define CHECK(text, expected) check(text, sizeof(text) - 1, expected, sizeof(expected) - 1)

/* Columns 1 and 2 of NormalizationTest.txt of Unicode 15, and texts of its kinds. */
static void characters_become_those_of_unicode(void **state)
{
    (void)state;
    CHECK("", "");
    CHECK("plain\r\n", "plain\r\n");
    CHECK("e\u0301", "\u00e9");
    CHECK("xe\u0301y", "x\u00e9y");
    CHECK("\u212b", "\u00c5");                    /* Angstrom sign */
    CHECK("\u1e9b\u0323", "\u1e9b\u0323");        /* stays in two */
    CHECK("\u1e0a\u0323", "\u1e0c\u0307");        /* the mark below comes first */
    CHECK("\u0958", "\u0915\u093c");              /* excluded from composition */
    CHECK("\ufb1d", "\u05d9\u05b4");              /* likewise */
    CHECK("\u0344", "\u0308\u0301");              /* likewise, two marks */
    CHECK("\u1100\u1161\u11a8", "\uac01");        /* Hangul */
    CHECK("\uac00\u11a8", "\uac01");              /* a syllable that is not full */
    CHECK("\uac01\u11a8", "\uac01\u11a8");        /* and one that is */
    CHECK("\uf900\u037e\u2000", "\u8c48;\u2002"); /* single ones */
    CHECK("\U0002f800\U0001d15e", "\u4e3d\U0001d157\U0001d165");
    CHECK("a\u0315\u0300\u05ae\u0300b", "\u00e0\u05ae\u0300\u0315b");
    CHECK("\u0b47\u0300\u0b3e", "\u0b47\u0300\u0b3e"); /* a mark between bars composing */
    CHECK("\u0301x", "\u0301x");                       /* a mark at the beginning */
    CHECK("\n\u0301", "\n\u0301");
    CHECK("=\u0338<\u0338", "\u2260\u226e");
    CHECK("\u043fри\u0306вет \u4e2d\u0301", "\u043fр\u0439вет \u4e2d\u0301");
}

/* The text between bytes that are no UTF-8 is normalised, and nothing goes across. */
static void other_bytes_stay(void **state)
{
    (void)state;
    CHECK("e\xff\xcc\x81", "e\xff\xcc\x81");
    CHECK("\xff\x65\xcc\x81\xc0\x80", "\xff\xc3\xa9\xc0\x80");
    CHECK("\xe4\xb8\xcc\x81\xcc", "\xe4\xb8\xcc\x81\xcc");
    CHECK("\xed\xa0\x80\xcc\x81\x80", "\xed\xa0\x80\xcc\x81\x80"); /* half a surrogate pair */
    CHECK("\x80\xbf\xcc\x81", "\x80\xbf\xcc\x81");
}

/* NFC of the whole text in one call. NUL ends no text. */
static void check_whole(const u8 *text, size_t size, const struct w_buffer *ours)
{
    u8 *theirs = NULL;
    utf8proc_ssize_t count =
        utf8proc_map(text, (utf8proc_ssize_t)size, &theirs, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

    assert_int_equal(ours->size, count);
    assert_memory_equal(ours->at, theirs, ours->size);
    free(theirs);
}

/* A cut before a character that composes with, or moves before, one before it would change it. */
static void no_cut_is_before_what_changes_text(void **state)
{
    (void)state;
    for (i32 code = 0; code < 0x110000; code++) {
        i32 parts[4];
        utf8proc_ssize_t count = utf8proc_decompose_char(code, parts, 4, UTF8PROC_DECOMPOSE, NULL);
        for (utf8proc_ssize_t i = 0; i < count; i++) {
            u8 text[8] = "x";
            size_t size = 1 + w_utf8_put(text + 1, (u32)parts[i]);
            if (i > 0 || utf8proc_get_property(parts[i])->combining_class > 0)
                assert_int_equal(w_nfc_cut(text, size), 0);
        }
    }
    assert_int_equal(w_nfc_cut((const u8 *)"xy", 2), 1);
    assert_int_equal(w_nfc_cut((const u8 *)"x\u4e2d\u0301", 6), 1);
}

/* Each character alone, after a letter, after a letter and a mark, and before both. */
static void every_character_becomes_that_of_utf8proc(void **state)
{
    (void)state;
    struct w_buffer text = {0}, ours = {0};

    for (u32 code = 0; code < 0x110000; code++) {
        const u32 codes[] = {code, 'e', code, 'a', 0x323, code, 0x1100, code, 0x301, 0x9c7, code};
        if (code >= 0xd800 && code < 0xe000)
            continue;
        text.size = ours.size = 0;
        for (size_t i = 0; i < W_COUNTOF(codes); i++)
            w_buffer_code(&text, codes[i]);
        assert_int_equal(w_nfc_append(&ours, text.at, text.size, NULL), W_DONE);
        check_whole(text.at, text.size, &ours);
    }
    w_buffer_free(&text);
    w_buffer_free(&ours);
}

/* Append pieces of a text that are cut where it may be, when `step` bytes more are known. */
static size_t append_pieces(struct w_buffer *out, const u8 *text, size_t size, size_t step)
{
    size_t at = 0, pieces = 0;

    for (size_t known = W_MIN(step, size); known < size; known = W_MIN(known + step, size)) {
        size_t cut = w_nfc_cut(text + at, known - at);
        assert_true(cut < known - at || cut == 0);
        assert_int_equal(w_nfc_append(out, text + at, cut, NULL), W_DONE);
        pieces += cut > 0;
        at += cut;
    }
    assert_int_equal(w_nfc_append(out, text + at, size - at, NULL), W_DONE);
    return pieces;
}

/* Random texts of what composes, is reordered, or is neither; whatever is known at a cut. */
static void pieces_give_the_whole(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "e",      "a",      "\r\n",   " ",      "\u0301", "\u0323", "\u0338", "=",
        "\u0439", "\u4e2d", "\u1100", "\u1161", "\u11a8", "\uac00", "\u3099", "\u304b",
        "\u0958", "\u0b47", "\u0b3e", "\u0e01", "\u0344", "\u1e9b", "\u212b", "0123456789abcdef"};
    struct w_buffer text = {0}, whole = {0}, pieces = {0};
    struct w_rng rng = {.seed = 7};
    size_t cuts = 0;

    for (unsigned round = 0; round < 20000; round++) {
        text.size = whole.size = pieces.size = 0;
        for (unsigned i = 0; i < 12; i++)
            w_buffer_text(&text, parts[w_rng_below(&rng, W_COUNTOF(parts))]);
        assert_int_equal(w_nfc_append(&whole, text.at, text.size, NULL), W_DONE);
        check_whole(text.at, text.size, &whole);
        cuts += append_pieces(&pieces, text.at, text.size, 1 + w_rng_below(&rng, 12));
        assert_int_equal(pieces.size, whole.size);
        assert_memory_equal(pieces.at, whole.at, whole.size);
    }
    assert_true(cuts > 20000);
    w_buffer_free(&text);
    w_buffer_free(&whole);
    w_buffer_free(&pieces);
}

/* Two kinds of marks in the wrong order: neighbours would be swapped 10^10 times. */
static void many_marks_take_no_time(void **state)
{
    (void)state;
    enum { MARKS = 100000 };
    struct w_buffer text = {0}, out = {0};

    w_buffer_text(&text, "a");
    for (unsigned i = 0; i < MARKS; i++)
        w_buffer_code(&text, 0x302); /* above */
    for (unsigned i = 0; i < MARKS; i++)
        w_buffer_code(&text, 0x323); /* below: comes first */
    assert_int_equal(w_nfc_cut(text.at, text.size), 0);
    assert_int_equal(w_nfc_append(&out, text.at, text.size, NULL), W_DONE);
    assert_memory_equal(out.at, "\u1ead\u0323\u0323", 7);
    assert_int_equal(out.size, 3 + 2 * (2 * MARKS - 2));
    assert_memory_equal(out.at + out.size - 4, "\u0302\u0302", 4);
    w_buffer_free(&text);
    w_buffer_free(&out);
}

/* Runs end after W_NFC_RUN_BYTES, and there a text may be cut. */
static void runs_without_an_end_are_cut(void **state)
{
    (void)state;
    struct w_buffer text = {0}, whole = {0}, pieces = {0};

    while (text.size < 5 * W_NFC_RUN_BYTES)
        w_buffer_text(&text, "\u0e01\u0e33\u0e38\u0e48\u0e01");
    assert_int_equal(w_nfc_cut(text.at, 2 * W_NFC_RUN_BYTES), W_NFC_RUN_BYTES / 3 * 3 + 3);
    assert_int_equal(w_nfc_append(&whole, text.at, text.size, NULL), W_DONE);
    assert_int_equal(append_pieces(&pieces, text.at, text.size, W_NFC_RUN_BYTES), 4);
    assert_int_equal(pieces.size, whole.size);
    assert_memory_equal(pieces.at, whole.at, whole.size);
    memset(text.at, 0xbf, text.size); /* no UTF-8 at all */
    assert_true(w_nfc_cut(text.at, 2 * W_NFC_RUN_BYTES) > 0);
    /* a mark that would come first, if it did not begin a text of its own */
    text.size = whole.size = 0;
    while (text.size < W_NFC_RUN_BYTES)
        w_buffer_code(&text, 0x302);
    w_buffer_code(&text, 0x323);
    assert_int_equal(w_nfc_append(&whole, text.at, text.size, NULL), W_DONE);
    assert_int_equal(whole.size, text.size);
    assert_memory_equal(whole.at, text.at, text.size);
    w_buffer_free(&text);
    w_buffer_free(&whole);
    w_buffer_free(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_become_those_of_unicode),
        cmocka_unit_test(other_bytes_stay),
        cmocka_unit_test(no_cut_is_before_what_changes_text),
        cmocka_unit_test(every_character_becomes_that_of_utf8proc),
        cmocka_unit_test(pieces_give_the_whole),
        cmocka_unit_test(many_marks_take_no_time),
        cmocka_unit_test(runs_without_an_end_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
