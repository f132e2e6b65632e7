/* Strict reading and exact writing of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sys/json.h"

static enum w_status parse(const char *text)
{
    struct w_json *j = NULL;
    struct w_err err = {0};
    enum w_status status = w_json_parse(&j, text, strlen(text), &err);
    assert_true((j != NULL) == (status == W_DONE));
    assert_true(status == W_DONE || err.text[0]);
    w_json_free(j);
    return status;
}

static void bad_text_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"a\":1}"), W_DONE);
    assert_int_equal(parse("{\"a\":1,\"a\":2}"), W_CORRUPT);
    assert_int_equal(parse("{\"o\":{\"a\":1,\"b\":2,\"a\":2}}"), W_CORRUPT);
    assert_int_equal(parse("{\"a\":1} x"), W_CORRUPT);
    assert_int_equal(parse("{\"a\":"), W_CORRUPT);
    assert_int_equal(parse(""), W_CORRUPT);
    assert_int_equal(parse("\"\xff\""), W_CORRUPT);
    assert_int_equal(parse("\"\xed\xa0\x80\""), W_CORRUPT);
    assert_int_equal(parse("\"a\\u0000b\""), W_CORRUPT);
    assert_int_equal(parse("\"a\\\\u0000b\""), W_DONE);
    assert_int_equal(parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), W_DONE);
    assert_int_equal(parse("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), W_LIMIT);
    struct w_json *j;
    assert_int_equal(w_json_parse(&j, "1\0002", 3, NULL), W_CORRUPT);
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    struct w_json *j = NULL;
    const char *text = "{\"a\":9007199254740991,\"b\":1.5,\"c\":-1,\"d\":9007199254740992}";
    u64 v = 0;
    assert_int_equal(w_json_parse(&j, text, strlen(text), NULL), W_DONE);
    assert_true(w_json_u64(w_json_get(j, "a"), 0, W_JSON_INT_MAX, &v));
    assert_true(v == W_JSON_INT_MAX);
    assert_false(w_json_u64(w_json_get(j, "b"), 0, W_JSON_INT_MAX, &v));
    assert_false(w_json_u64(w_json_get(j, "c"), 0, W_JSON_INT_MAX, &v));
    assert_false(w_json_u64(w_json_get(j, "d"), 0, W_JSON_INT_MAX, &v));
    assert_null(w_json_get(j, "A"));
    w_json_free(j);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    struct w_json *j = w_json_object();
    w_json_set_u64(j, "big", W_JSON_INT_MAX);
    w_json_set_u64(j, "round", 1200000000000000ull);
    w_json_set_real(j, "nan", 0.0 / 0.0);
    w_json_set_real(j, "third", 1.0 / 3.0);
    w_json_set_real(j, "odd", 0.010000000000000002); /* 15 digits are one of its last places off */
    w_json_set_string(j, "s", "a\"b\n");
    char *text = w_json_text(j, NULL);
    assert_string_equal(
        text, "{\"big\":9007199254740991,\"round\":1200000000000000,\"nan\":\"NaN\","
              "\"third\":0.33333333333333331,\"odd\":0.010000000000000002,\"s\":\"a\\\"b\\n\"}");
    free(text);
    w_json_free(j);
}

static void lines_of_keys_are_found(void **state)
{
    (void)state;
    const char *text = "{\n  \"x\": \"d_model\",\n  \"d_model\" : 3\n}";
    assert_int_equal(w_json_line_of(text, "d_model"), 3);
    assert_int_equal(w_json_line_of(text, "nope"), 0);
    assert_int_equal(w_json_line_of(text, ""), 0);
    assert_int_equal(w_json_line_of("{\n\"\": 1}", ""), 2);
}

static void lines_hold_no_control_characters(void **state)
{
    (void)state;
    struct w_json *j = w_json_object(), *back;
    char *text;
    size_t size;
    w_json_set_string(j, "k", "a\x7f\xc2\x80\xc2\x9f\xc2\xa0\x1b");
    assert_int_equal(w_json_line(j, &text, &size, NULL), W_DONE);
    assert_memory_equal(text, "{\"k\":\"a\\u007f\\u0080\\u009f\xc2\xa0\\u001b\"}\n", size);
    assert_int_equal(w_json_parse(&back, text, size, NULL), W_DONE);
    assert_string_equal(w_json_string(w_json_get(back, "k")), w_json_string(w_json_get(j, "k")));
    free(text);
    /* hashes are of the text as it always was */
    text = w_json_text(j, NULL);
    assert_string_equal(text, "{\"k\":\"a\x7f\xc2\x80\xc2\x9f\xc2\xa0\\u001b\"}");
    free(text);
    w_json_free(back);
    w_json_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_hold_no_control_characters),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(lines_of_keys_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
