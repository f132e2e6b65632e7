/* Any bytes as a formula: refused with the place of the error, or computed; then the formula in
 * parentheses, and the one with values in place of the names, give the same value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/expr.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

/* The first letter of a name gives its value, a whole number; u is unknown. Names that begin with a
 * capital do not exist. */
static bool value_of(const void *context, const char *name, size_t length, double *value)
{
    (void)context, (void)length;
    *value = name[0] == 'u' ? NAN : name[0] - 'a';
    return name[0] >= 'a';
}

static const struct w_expr_names names = {value_of, NULL};

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Substitution into buffers of many sizes, up to a sufficient one. */
static void substitute(const char *text, size_t length, double value)
{
    size_t enough = 2 * length + 2; /* a name of one letter becomes two digits */
    double again;

    for (size_t size = 1; size < enough; size += 1 + size / 4) {
        char *exact = malloc(size);
        if (!exact)
            abort();
        w_expr_substitute(text, &names, exact, size);
        if (!memchr(exact, 0, size))
            abort();
        free(exact);
    }
    char *whole = malloc(enough);
    if (!whole)
        abort();
    w_expr_substitute(text, &names, whole, enough);
    if (!strchr(whole, '?') && /* stands for an unknown value */
        (w_expr_eval(whole, &names, &again, NULL) || !is_same(again, value)))
        abort();
    free(whole);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    char *text = malloc(size + 3);
    struct w_err err = {0};
    double value, again;

    if (!text)
        abort();
    text[0] = '(';
    memcpy(text + 1, bytes, size);
    text[size + 1] = 0;
    size_t length = strlen(text + 1);
    enum w_status status = w_expr_eval(text + 1, &names, &value, &err);
    if (status && !err.text[0])
        abort();
    if (!status) {
        substitute(text + 1, length, value);
        memcpy(text + length + 1, ")", 2);
        /* The parentheses may nest it too deeply. */
        status = w_expr_eval(text, &names, &again, &err);
        if (status ? !strstr(err.text, "deeply") : !is_same(again, value))
            abort();
    }
    free(text);
    return 0;
}
