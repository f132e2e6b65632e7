/* JSON Lines: the text of each line, byte by byte as at once; what is lenient and what is refused,
 * with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sys/json_line.h"

static struct w_json_line json;

/* The texts of all lines, each followed by a bar. */
static enum w_status read_all(struct w_buffer *out, const char *bytes, size_t size, size_t step,
                              struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t used;

    w_json_line_init(&json, "text");
    for (size_t at = 0; status == W_DONE || status == W_NO; at += used) {
        used = 0;
        status = at < size ? w_json_line_feed(&json, (const u8 *)bytes + at, W_MIN(step, size - at),
                                              &used, err)
                           : w_json_line_end(&json, err);
        if (!status && json.has_text) {
            w_buffer_put(out, json.text.at, json.text.size);
            w_buffer_byte(out, '|');
        }
    }
    w_json_line_release(&json);
    return status;
}

static void expect(const char *lines, size_t size, enum w_status status, const char *texts,
                   size_t texts_size)
{
    for (size_t step = 1; step <= size + 1; step += step < 3 ? 1 : size) {
        struct w_buffer out = {0};
        struct w_err err = {0};
        enum w_status got = read_all(&out, lines, size, step, &err);
        if (got != status || (status == W_END ? out.size != texts_size ||
                                                    (out.size && memcmp(out.at, texts, out.size))
                                              : !strstr(err.text, texts)))
            fail_msg("'%s', %zu at a time: status %d, error '%s', %zu bytes of text", lines, step,
                     got, err.text, out.size);
        w_buffer_free(&out);
    }
}
#define TEXTS(lines, texts) expect(lines, sizeof(lines) - 1, W_END, texts, sizeof(texts) - 1)
#define REFUSED(lines, message) expect(lines, sizeof(lines) - 1, W_CORRUPT, message, 0)

static void a_line_gives_its_member(void **state)
{
    (void)state;
    TEXTS("{\"id\":1,\"text\":\"a\\n\\u00e9\"}\n\n{\"text\":\"\"}\n{\"text\":\"b\",\"x\":[]}",
          "a\n\xc3\xa9||b|");
    TEXTS(" {\t\"te\\u0078t\" : \"a\" , \"z\":{\"text\":\"no\"}} "
          "\r\n{\"a\":{\"text\":[]},\"text\":\"b\"}\r\n",
          "a|b|");
    TEXTS("{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t|");
    TEXTS("{\"textual\":\"no\",\"tex\":\"no\",\"\":1,\"text\":\"yes\"}", "yes|");
    TEXTS("", "");
    TEXTS("\n \r\n\t\n", "");
}

static void half_a_surrogate_pair_is_a_replacement_character(void **state)
{
    (void)state;
    TEXTS("{\"text\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80|");
    TEXTS("{\"text\":\"a\\ud83d b\"}", "a\xef\xbf\xbd b|");
    TEXTS("{\"text\":\"\\ud83d\"}", "\xef\xbf\xbd|");
    TEXTS("{\"text\":\"\\ude00\\ud83d\"}", "\xef\xbf\xbd\xef\xbf\xbd|");
    TEXTS("{\"text\":\"\\ud83d\\ud83d\\ude00\"}", "\xef\xbf\xbd\xf0\x9f\x98\x80|");
    TEXTS("{\"text\":\"\\ud83d\\n\\ud83d\\u0041\"}", "\xef\xbf\xbd\n\xef\xbf\xbd"
                                                     "A|");
    TEXTS("{\"\\ud83d\":1,\"text\":\"a\"}", "a|");
}

static void an_escaped_zero_is_a_nul(void **state)
{
    (void)state;
    TEXTS("{\"text\":\"a\\u0000b\"}\n{\"text\":\"\\\\u0000\"}", "a\0b|\\u0000|");
}

static void members_that_are_not_read_do_not_matter(void **state)
{
    (void)state;
    TEXTS("{\"a\":NaN,\"b\":[Infinity,-Infinity,{\"c\":NaN}],\"text\":\"x\"}", "x|");
    TEXTS("{\"a\":\"\xff\xfe\",\"a\":\"\\ud83d\",\"text\":\"x\"}", "x|");
    TEXTS("{\"a\":[-0,0.5,1e5,1E+05,-12.25e-3,true,false,null],\"text\":\"x\"}", "x|");
}

static void deep_and_long_members_are_skipped(void **state)
{
    (void)state;
    struct w_buffer line = {0}, out = {0};
    struct w_err err = {0};
    w_buffer_text(&line, "{\"deep\":");
    for (unsigned i = 0; i < 60000; i++)
        w_buffer_text(&line, i % 2 ? "[" : "{\"a\":");
    for (unsigned i = 60000; i-- > 0;)
        w_buffer_text(&line, i % 2 ? "]" : "}");
    w_buffer_text(&line, ",\"long\":[0");
    for (unsigned i = 0; i < 300000; i++)
        w_buffer_text(&line, ",12");
    w_buffer_text(&line, "],\"text\":\"x\"}\n");
    assert_int_equal(read_all(&out, (char *)line.at, line.size, 1000, &err), W_END);
    assert_int_equal(out.size, 2);
    w_buffer_free(&out);
    w_buffer_free(&line);
    w_buffer_text(&line, "{\"deep\":");
    for (unsigned i = 0; i < W_JSON_LINE_LEVELS; i++)
        w_buffer_text(&line, "[");
    assert_int_equal(read_all(&out, (char *)line.at, line.size, line.size, &err), W_LIMIT);
    w_buffer_free(&out);
    w_buffer_free(&line);
}

static void broken_lines_are_refused_with_their_place(void **state)
{
    (void)state;
    REFUSED("{\"text\":\"a\"}\n{\"body\":\"b\"}\n",
            "line 2, column 13: JSON: \"text\" is no member");
    REFUSED("{\"text\":\"a\"}\n\n{\"text\":1}\n",
            "line 3, column 9: JSON: \"text\" must be a string");
    REFUSED("{\"text\":null}", "line 1, column 9: JSON: \"text\" must be a string");
    REFUSED("{\"text\":\"a\",\"text\":\"b\"}", "line 1, column 18: JSON: \"text\" occurs twice");
    REFUSED("{\"text\":\"\xc3\xa9\" x}", "line 1, column 13: JSON: here , or }");
    REFUSED("{\"text\":\"a\xff\"}",
            "line 1, column 9: JSON: the text that begins here is not UTF-8");
    REFUSED("{\"text\":\"a\xed\xa0\x80\"}", "not UTF-8");
    REFUSED("{\"text\":\"a\"", "line 1, column 12: JSON: the line ends inside of the object");
    REFUSED("{\"text\":\"a\n\"}", "line 1, column 11: JSON: the line ends inside of a string");
    REFUSED("{\"text\":\n\"a\"}", "line 1, column 9: JSON: the line ends inside of the object");
    REFUSED("{\"text\":\"\\x\"}", "line 1, column 11: JSON: no escape");
    REFUSED("{\"text\":\"\\u00g0\"}", "column 14: JSON: \\u has four");
    REFUSED("{\"text\":\"a\"}{\"text\":\"b\"}", "column 13: JSON: here the line has to end");
    REFUSED("[\"text\"]", "column 1: JSON: a line has to be an object");
    REFUSED("{\"a\":[1,],\"text\":\"\"}", "column 9: JSON: here a value");
    REFUSED("{\"a\":[1}", "column 8: JSON: here , or ]");
    REFUSED("{\"text\":\"\",}", "column 12: JSON: here a key");
    REFUSED("{\"a\":01}", "column 7: JSON: here , or }");
    REFUSED("{\"a\":1.}", "column 8: JSON: a digit is missing");
    REFUSED("{\"a\":-}", "column 7: JSON: a digit is missing");
    REFUSED("{\"a\":tru}", "column 9: JSON: no value");
    REFUSED("{\"a\" 1}", "column 6: JSON: here : has to be");
    REFUSED("{ }\n", "\"text\" is no member");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_gives_its_member),
        cmocka_unit_test(half_a_surrogate_pair_is_a_replacement_character),
        cmocka_unit_test(an_escaped_zero_is_a_nul),
        cmocka_unit_test(members_that_are_not_read_do_not_matter),
        cmocka_unit_test(deep_and_long_members_are_skipped),
        cmocka_unit_test(broken_lines_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
