/* One option of each type: what its text sets, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conf/option.h"

struct fields {
    bool flag;
    u64 count;
    double real, duration;
    const char *text;
    u32 choice;
    struct w_text_list list;
};

#define ROW(field, of_type, ...)                                                                   \
    {                                                                                              \
        .name = #field, .type = of_type, .offset = offsetof(struct fields, field), __VA_ARGS__     \
    }
static const struct w_option table[] = {
    ROW(flag, W_OPT_FLAG, ),
    ROW(count, W_OPT_COUNT, .min = 2, .max = 9, .dflt = "3"),
    ROW(real, W_OPT_REAL, .min = -1, .max = 1),
    ROW(duration, W_OPT_DURATION, .dflt = "2m"),
    ROW(text, W_OPT_TEXT, ),
    ROW(choice, W_OPT_CHOICE, .choices = "one|two|three"),
    ROW(list, W_OPT_LIST, ),
    {0},
};

static struct fields fields;

static enum w_status set(const char *name, const char *text)
{
    struct w_err err = {0};
    const struct w_option *option = w_option_find(table, name);
    assert_non_null(option);
    enum w_status status = w_option_set(option, &fields, text, &err);
    assert_int_equal(status != W_DONE, err.text[0] != 0);
    return status;
}

static void texts_become_values(void **state)
{
    (void)state;
    struct w_err err = {0};
    const char *items[3] = {0};

    assert_int_equal(w_options_default(table, &fields, &err), W_DONE);
    assert_true(!fields.flag && fields.count == 3 && fields.real == 0 && fields.duration == 120);
    assert_true(!fields.text && fields.choice == 0 && fields.list.count == 0);
    fields.list.items = items;
    assert_int_equal(set("flag", "true"), W_DONE);
    assert_int_equal(set("count", "9"), W_DONE);
    assert_int_equal(set("real", "-0.5"), W_DONE);
    assert_int_equal(set("duration", "3s"), W_DONE);
    assert_int_equal(set("text", "x"), W_DONE);
    assert_int_equal(set("choice", "three"), W_DONE);
    assert_true(fields.flag && fields.count == 9 && fields.real == -0.5 && fields.duration == 3);
    assert_string_equal(fields.text, "x");
    assert_int_equal(fields.choice, 2);
    assert_int_equal(set("flag", "false"), W_DONE);
    assert_false(fields.flag);
    /* a list keeps all of its values, in order */
    assert_int_equal(set("list", "a"), W_DONE);
    assert_int_equal(set("list", "b"), W_DONE);
    assert_int_equal(set("list", "a"), W_DONE);
    assert_int_equal(fields.list.count, 3);
    assert_string_equal(items[0], "a");
    assert_string_equal(items[1], "b");
    assert_string_equal(items[2], "a");
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"flag", "yes"},    {"count", "1"},       {"count", "10"},  {"count", "x"},
        {"real", "1.01"},   {"real", "-2"},       {"real", "wide"}, {"duration", "s"},
        {"choice", "four"}, {"choice", "tw"},     {"choice", ""},   {"flag", ""},
        {"count", ""},      {"choice", "one|two"}};
    for (size_t i = 0; i < W_COUNTOF(wrong); i++)
        if (set(wrong[i][0], wrong[i][1]) != W_USAGE)
            fail_msg("--%s %s", wrong[i][0], wrong[i][1]);
    assert_null(w_option_find(table, "flags"));
    assert_null(w_option_find(table, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_values),
        cmocka_unit_test(wrong_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
