/* What decides the records of a batch stream, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wire/origin.h"

#define BASE                                                                                       \
    "\"vocab\":300,\"eot\":256,\"tok\":{\"sha256\":\"ab12\",\"n\":1},\"data_crc\":\"00c0ffee\""

/* The origin of a header with these keys. */
static struct w_json *origin_of(const char *keys)
{
    struct w_header header = {0};
    struct w_json *json = NULL;
    struct w_err err = {0};
    char text[512];

    snprintf(text, sizeof text,
             "{\"wts\":1,\"kind\":\"batch\",\"rec\":[{\"name\":\"x\",\"dtype\":\"u16\","
             "\"shape\":[2,3]}],%s}",
             keys);
    assert_int_equal(w_json_parse(&json, text, strlen(text), &err), W_DONE);
    assert_int_equal(w_header_from_json(&header, json, &err), W_DONE);
    struct w_json *origin = w_origin_make(&header);
    w_header_free(&header);
    return origin;
}

static void only_what_decides_records_counts(void **state)
{
    (void)state;
    static const char all[] = BASE ",\"shuffle\":true,\"seed\":1,\"argv\":\"a\",\"by\":\"1\"";
    static const struct {
        const char *now, *before, *differs;
    } cases[] = {
        {all, all, NULL},
        {BASE ",\"shuffle\":true,\"seed\":1,\"argv\":\"b\",\"by\":\"2\",\"epochs\":3,\"start\":4",
         all, NULL},
        {BASE ",\"shuffle\":true,\"seed\":2", all, "seed 2, not 1"},
        {BASE ",\"shuffle\":false,\"seed\":2", all, "shuffle false, not true"},
        {BASE ",\"shuffle\":false,\"seed\":2", BASE ",\"shuffle\":false,\"seed\":1", NULL},
        {BASE ",\"shuffle\":true,\"seed\":1,\"shard\":[0,2]", all, "shard [0,2], not none"},
        {BASE ",\"shuffle\":true,\"seed\":1,\"split\":{\"part\":\"all\"}", all, NULL},
        {all, BASE ",\"shuffle\":true,\"seed\":1,\"split\":{\"part\":\"val\"}",
         "split none, not {\"part\":\"val\"}"},
        {"\"vocab\":300,\"tok\":{\"sha256\":\"cd34\"}", all, "vocabulary \"cd34\", not \"ab12\""},
        {"\"vocab\":301", all, "size of the vocabulary 301, not 300"},
        {"\"eot\":0", all, "end of documents 0, not 256"},
        {"\"data_crc\":\"00c0ffef\"", all, "text \"00c0ffef\", not \"00c0ffee\""},
        {"\"vocab\":300", all, NULL}, /* says nothing of the rest */
        {"\"vocab\":300", "\"eot\":1", NULL},
    };

    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct w_json *now = origin_of(cases[i].now), *before = origin_of(cases[i].before);
        struct w_err err = {0};
        assert_int_equal(w_origin_same(now, before, &err), cases[i].differs ? W_MISMATCH : W_DONE);
        assert_string_equal(err.text, cases[i].differs ? cases[i].differs : "");
        w_json_free(now);
        w_json_free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_decides_records_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
