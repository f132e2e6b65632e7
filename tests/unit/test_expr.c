/* Arithmetic in text: the expressions of figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fit/expr.h"

static struct w_err err;

static bool letter_value(const void *context, const char *name, size_t length, double *value)
{
    (void)context;
    *value =
        name[0] == 'x' ? (double)NAN : name[0] - 'a' + 1; /* a is 1, b is 2, ...; x is not known */
    return length == 1;
}

static const struct w_expr_names letters = {letter_value, NULL};

static double eval(const char *text)
{
    double value = 0;
    if (w_expr_eval(text, &letters, &value, &err))
        fail_msg("%s", err.text);
    return value;
}

static void arithmetic_has_the_usual_rules(void **state)
{
    (void)state;
    assert_true(eval("1 + 2*3") == 7);
    assert_true(eval("(1 + 2)*3") == 9);
    assert_true(eval("10 - 3 - 2") == 5);
    assert_true(eval("2*c^2") == 18);
    assert_true(eval("8/2/2") == 2);
    assert_true(eval("ceil(7/2) + floor(7/2) + min(a, b) + max(a, b) + sqrt(d)") == 12);
    assert_true(eval("if(a < b, c, d)") == 3 && eval("if(a >= b, c, d)") == 4);
    assert_true(eval("9007199254740991 - 1") == 9007199254740990.0);
}

static void what_needs_an_unknown_is_unknown(void **state)
{
    (void)state;
    assert_true(isnan(eval("x + 1")) && isnan(eval("x <= 1")) && isnan(eval("if(x > 1, 2, 3)")));
    assert_true(isnan(eval("max(x, 1)")) && isnan(eval("min(1, x)")));
    assert_true(eval("if(a, 2, x)") == 2);
}

static void bad_text_is_refused_with_its_place(void **state)
{
    (void)state;
    const char *const bad[] = {"",  "1 +",    "(1",     "foo", "1 2",
                               "$", "min(1)", "bar(1)", "a b", "if(1, 2)"};
    double value;
    for (size_t i = 0; i < W_COUNTOF(bad); i++)
        assert_int_equal(w_expr_eval(bad[i], &letters, &value, &err), W_USAGE);
    char deep[400];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_int_equal(w_expr_eval(deep, &letters, &value, &err), W_USAGE);
}

static void numbers_take_the_places_of_names(void **state)
{
    (void)state;
    char text[64];
    w_expr_substitute("4*b + ceil(c/x)", &letters, text, sizeof text);
    assert_string_equal(text, "4*2 + ceil(3/?)");
    w_expr_substitute("aaaa + b", &letters, text, 6);
    assert_string_equal(text, "aaaa ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_has_the_usual_rules),
        cmocka_unit_test(what_needs_an_unknown_is_unknown),
        cmocka_unit_test(bad_text_is_refused_with_its_place),
        cmocka_unit_test(numbers_take_the_places_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
