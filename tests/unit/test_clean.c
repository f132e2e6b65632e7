/* Markup that other extractors left is removed, and the text around it mended; prose stays as it
 * is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/rng.h"
#include "wiki/clean_reader.h"

struct example {
    const char *text, *expected;
};

static void assert_examples(const struct example *examples, size_t count, bool escaped)
{
    for (size_t i = 0; i < count; i++) {
        struct w_clean clean = {.escaped = escaped};
        struct w_buffer out = {0};
        w_clean_text(&clean, w_span_of(examples[i].text), &out);
        assert_false(out.failed);
        w_buffer_byte(&out, 0);
        assert_string_equal(out.at, examples[i].expected);
        w_buffer_free(&out);
        w_clean_release(&clean);
    }
}

static void leftover_markup_is_removed(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"where formula_1 is a number", "where is a number"},
        {"the number formula_12.", "the number."},
        {"for formula_1, formula_2 and x", "for, and x"},
        {"formula_1 is small", "is small"},
        {"(formula_1, formula_2)", ""},
        {"a point (formula_1, formula_2) there", "a point there"},
        {"a (formula_1, later) b", "a (later) b"},
        {"the command codice_3 lists", "the command lists"},
        {"it is formula_5th", "it is th"},
        {"Alberta () is a province", "Alberta is a province"},
        {"Ganga (] ), is", "Ganga, is"},
        {"Zhang ( ; ) said", "Zhang said"},
        {"(, born 1950)", "(, born 1950)"},
        {"a {{cite|b {{c}} d}} e", "a e"},
        {"a {{cite b", "a cite b"},
        {"end of it}} and", "end of it and"},
        {"one<ref name=\"a>b\">source</ref> two", "one two"},
        {"one<ref name=a /> two", "one two"},
        {"one<ref>source", "onesource"},
        {"<span class=\"x\">word</span>s", "words"},
        {"a<br>b", "a\nb"},
        {"a <br />", "a"},
        {"<poem>", ""},
        {"the [[town|old town]] of [[Ulm]]", "the old town of Ulm"},
        {"[[Category:Towns]]", ""},
        {"In 2012[ [update]], it", "In 2012, it"},
        {"10&nbsp;km &ndash; far", "10 km – far"},
    };
    assert_examples(examples, W_COUNTOF(examples), false);
}

static void prose_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Call main() or f(x), not ().",
        "a < b and c > d",
        "my_formula_1 and formula_x and formula_ and formula_1_2",
        "a[b[0]] = [[1, 2], [3, 4]]",
        "{x} and \\frac{a}{b}",
        "the tag &lt;b&gt; makes bold",
        "AT&T &c. &unknown;",
        "<stdio.h> and <http://gnu.org>",
        "Two  spaces , and a (word) stay !",
        "!Kung is a language\nWow! It = that",
        "| ",
        "",
        "\n\n\n",
    };
    for (size_t i = 0; i < W_COUNTOF(texts); i++) {
        bool table = texts[i][0] == '|', function = i == 0;
        struct example same = {texts[i], table ? "" : texts[i]};
        if (function) /* stands alone there */
            same.expected = "Call main() or f(x), not.";
        assert_examples(&same, 1, false);
    }
}

static void lines_of_tables_go_with_one_blank_line(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"a\n\n{| class=x\n|-\n! head\n| cell || more\n|}\n\nb\n", "a\n\nb\n"},
        {"a\n\n |{{\n }}{{\n\nb", "a\n\nb"},
        {"a\n!colspan=\"3\" | x\nb\n", "a\nb\n"},
    };
    assert_examples(examples, W_COUNTOF(examples), false);
}

static void escaped_text_is_recognized(void **state)
{
    (void)state;
    assert_true(w_clean_is_escaped(W_SPAN("<doc id=\"1\">\na &lt; b\n</doc>\n")));
    assert_false(w_clean_is_escaped(W_SPAN("<doc id=\"1\">\na < b &amp; c\n</doc>\n")));
    assert_false(w_clean_is_escaped(W_SPAN("<doc id=\"1\">\nplain\n</doc>\n")));
    assert_false(w_clean_is_escaped(W_SPAN("")));
    assert_false(w_clean_is_escaped(W_SPAN("x <doc &lt;")));
    static const struct example examples[] = {
        {"a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"},
        {"x &amp;nbsp; y", "x   y"},
        {"one&lt;br /&gt;two", "one\ntwo"},
        {"&quot;word&quot; &amp;lt;", "\"word\" &lt;"},
    };
    assert_examples(examples, W_COUNTOF(examples), true);
}

static void removals_are_counted(void **state)
{
    (void)state;
    struct w_clean clean = {0};
    struct w_buffer out = {0};
    w_clean_text(&clean, W_SPAN("formula_1 codice_2 ( ) {{a}} }} <b>x</b> [[y]] &nbsp;\n| z\n"),
                 &out);
    assert_int_equal(clean.counts.placeholders, 2);
    assert_int_equal(clean.counts.parentheses, 1);
    assert_int_equal(clean.counts.templates, 1);
    assert_int_equal(clean.counts.braces, 1);
    assert_int_equal(clean.counts.tags, 2);
    assert_int_equal(clean.counts.links, 1);
    assert_int_equal(clean.counts.entities, 1);
    assert_int_equal(clean.counts.lines, 1);
    w_buffer_free(&out);
    w_clean_release(&clean);
}

/* A text may come in parts by whole lines; and whatever it is, it ends. */
static void parts_give_the_same_as_the_whole(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "formula_1", "(", ")",    " ",      ", ", "{{",   "}}",   "[[a|", "]]", "<",
        "ref>",      "/", "<br>", "&nbsp;", "\n", "\n\n", "word", "|",    "!",  "&lt;"};
    struct w_rng rng = {.seed = 11};
    for (unsigned round = 0; round < 3000; round++) {
        struct w_buffer text = {0}, whole = {0}, parts = {0};
        struct w_clean a = {.escaped = round % 2}, b = a;
        for (u64 n = w_rng_below(&rng, 30); n > 0; n--)
            w_buffer_span(&text, w_span_of(pieces[w_rng_below(&rng, W_COUNTOF(pieces))]));
        w_clean_text(&a, (struct w_span){text.at, text.size}, &whole);
        for (size_t at = 0; at < text.size;) {
            const u8 *newline = memchr(text.at + at, '\n', text.size - at);
            size_t end = newline ? (size_t)(newline - text.at) + 1 : text.size;
            w_clean_text(&b, (struct w_span){text.at + at, end - at}, &parts);
            at = end;
        }
        assert_int_equal(whole.size, parts.size);
        if (whole.size)
            assert_memory_equal(whole.at, parts.at, whole.size);
        w_buffer_free(&text);
        w_buffer_free(&whole);
        w_buffer_free(&parts);
        w_clean_release(&a);
        w_clean_release(&b);
    }
}

/* Append the output of the reader for a file. */
static enum w_status read_file(struct w_clean_reader *c, const void *bytes, size_t size,
                               struct w_buffer *out, struct w_err *err)
{
    struct w_input in = {.fd = memfd_create("text", 0), .owned = true, .name = "text"};
    struct w_unpack *unpack = NULL;
    struct w_span text;

    assert_true(in.fd >= 0);
    assert_int_equal(write(in.fd, bytes, size), size);
    assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
    assert_int_equal(w_unpack_open(&unpack, &in, 1, err), W_DONE);
    enum w_status status = w_clean_reader_begin(c, unpack, in.name, err);
    while (!status && !(status = w_clean_reader_next(c, &text, err)))
        w_buffer_span(out, text);
    w_unpack_close(&unpack);
    w_input_close(&in);
    return status;
}

static struct w_clean_reader *new_reader(void)
{
    struct w_clean_reader_options options = {.field = "text"};
    struct w_clean_reader *c = NULL;
    struct w_err err = {0};

    assert_int_equal(w_clean_reader_new(&c, &options, &err), W_DONE);
    return c;
}

static void a_long_file_comes_as_if_it_were_whole(void **state)
{
    (void)state;
    struct w_clean_reader *c = new_reader();
    struct w_clean whole = {0};
    struct w_buffer file = {0}, expected = {0}, out = {0};
    struct w_rng rng = {.seed = 5};
    struct w_err err = {0};

    while (file.size < (size_t)10 << 20) { /* lines of all lengths, across the windows */
        for (u64 words = w_rng_below(&rng, 2000); words > 0; words--)
            w_buffer_text(&file, w_rng_below(&rng, 9) ? "word " : "{{x}} ");
        w_buffer_byte(&file, '\n');
    }
    w_buffer_text(&file, "end");
    w_clean_text(&whole, (struct w_span){file.at, file.size}, &expected);
    assert_int_equal(read_file(c, file.at, file.size, &out, &err), W_END);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.at, expected.at, out.size);
    assert_int_equal(w_clean_reader_counts(c).read_bytes, file.size);
    assert_int_equal(w_clean_reader_counts(c).removed.templates, whole.counts.templates);
    w_clean_release(&whole);
    w_clean_reader_free(c);
    w_buffer_free(&file), w_buffer_free(&expected), w_buffer_free(&out);
}

static void files_of_all_forms_go_through_one_reader(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
        enum w_status status;
    } cases[] = {
        {"a {{b}} c", "a c", W_END},
        {"<doc id=\"1\">\nT\n\n<b>x</b>\n</doc>\n", "\n<doc id=\"1\">\nT\n\nx\n</doc>\n", W_END},
        {"{\"n\":1,\"text\":\"{{b}}\"}\n{\"text\":\"a {{b}} c\"}", "{\"text\":\"a c\"}", W_END},
        {"", "", W_END},
        {"{\"n\":1}\n", "", W_CORRUPT},
        {"{\"text\":\"cut", "", W_CORRUPT},
        {"<doc id=\"1\">\nT\n\n", "", W_TRUNCATED},
        {"after\n", "\nafter\n", W_END},
    };
    struct w_clean_reader *c = new_reader();

    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct w_buffer out = {0};
        struct w_err err = {0};
        assert_int_equal(read_file(c, cases[i].file, strlen(cases[i].file), &out, &err),
                         cases[i].status);
        assert_int_equal(out.size, strlen(cases[i].text));
        assert_memory_equal(out.at ? out.at : (u8 *)"", cases[i].text, out.size);
        w_buffer_free(&out);
    }
    assert_int_equal(w_clean_reader_counts(c).documents, 2);
    assert_int_equal(w_clean_reader_counts(c).empty, 1);
    w_clean_reader_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leftover_markup_is_removed),
        cmocka_unit_test(prose_stays),
        cmocka_unit_test(lines_of_tables_go_with_one_blank_line),
        cmocka_unit_test(escaped_text_is_recognized),
        cmocka_unit_test(removals_are_counted),
        cmocka_unit_test(parts_give_the_same_as_the_whole),
        cmocka_unit_test(a_long_file_comes_as_if_it_were_whole),
        cmocka_unit_test(files_of_all_forms_go_through_one_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
