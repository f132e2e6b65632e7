/* A parser by recursive descent, with a function for each level of precedence: comparison, sum,
 * product, power, primary. It computes the value while it parses, because a formula is evaluated
 * only once for a configuration. Both branches of an if() are computed. One pass over the text;
 * nesting is limited. */
#include "fit/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

struct parser {
    const char *text, *at;
    const struct w_expr_names *names;
    struct w_err *err;
    enum w_status status; /* the first failure; values do not matter after it */
    unsigned depth;
};

static double comparison(struct parser *p);

static double fail(struct parser *p, const char *why)
{
    if (!p->status)
        p->status = w_fail(p->err, W_USAGE, "%s at '%.40s' in '%.200s'", why, p->at, p->text);
    return NAN;
}

static void skip_blanks(struct parser *p)
{
    p->at += strspn(p->at, " ");
}

static bool take(struct parser *p, const char *token)
{
    skip_blanks(p);
    if (strncmp(p->at, token, strlen(token)))
        return false;
    p->at += strlen(token);
    return true;
}

/* A name: letters, digits, dots and underscores; the first is a letter. */
static size_t name_length(const char *text)
{
    size_t n = 0;
    if (isalpha((unsigned char)text[0]))
        while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '.')
            n++;
    return n;
}

enum function { MIN, MAX, FLOOR, CEIL, SQRT, IF };
static const struct {
    const char *name;
    unsigned arguments;
} functions[] = {
    [MIN] = {"min", 2},   [MAX] = {"max", 2},   [FLOOR] = {"floor", 1},
    [CEIL] = {"ceil", 1}, [SQRT] = {"sqrt", 1}, [IF] = {"if", 3},
};

static double call(struct parser *p, size_t function)
{
    double a[3] = {0};

    for (unsigned i = 0; i < functions[function].arguments; i++) {
        if (i > 0 && !take(p, ","))
            return fail(p, "',' expected");
        a[i] = comparison(p);
    }
    if (!take(p, ")"))
        return fail(p, "')' expected");
    bool unknown = isnan(a[0]) || isnan(a[1]);
    switch ((enum function)function) {
    case MIN: return unknown ? NAN : W_MIN(a[0], a[1]);
    case MAX: return unknown ? NAN : W_MAX(a[0], a[1]);
    case FLOOR: return floor(a[0]);
    case CEIL: return ceil(a[0]);
    case SQRT: return sqrt(a[0]);
    case IF: return isnan(a[0]) ? NAN : a[0] != 0 ? a[1] : a[2];
    }
    return NAN;
}

static double primary(struct parser *p)
{
    double value = NAN;

    skip_blanks(p);
    size_t n = name_length(p->at);
    if (take(p, "(")) {
        value = comparison(p);
        return take(p, ")") ? value : fail(p, "')' expected");
    }
    if (n > 0 && p->at[n] == '(') {
        for (size_t f = 0; f < W_COUNTOF(functions); f++)
            if (strlen(functions[f].name) == n && !strncmp(p->at, functions[f].name, n)) {
                p->at += n + 1;
                return call(p, f);
            }
        return fail(p, "unknown function");
    }
    if (n > 0) {
        if (!p->names->value(p->names->context, p->at, n, &value))
            return fail(p, "unknown name");
        p->at += n;
        return value;
    }
    /* strtod() would also accept hexadecimal numbers. */
    if (!isdigit((unsigned char)*p->at) || (*p->at == '0' && (p->at[1] | 0x20) == 'x'))
        return fail(p, "a number or name expected");
    char *end;
    value = strtod(p->at, &end);
    p->at = end;
    return value;
}

static double power(struct parser *p)
{
    double base = primary(p);
    return take(p, "^") ? pow(base, primary(p)) : base;
}

static double product(struct parser *p)
{
    double value = power(p);
    for (;;) {
        if (take(p, "*"))
            value *= power(p);
        else if (take(p, "/"))
            value /= power(p);
        else
            return value;
    }
}

static double sum(struct parser *p)
{
    double value = product(p);
    for (;;) {
        if (take(p, "+"))
            value += product(p);
        else if (take(p, "-"))
            value -= product(p);
        else
            return value;
    }
}

static double comparison(struct parser *p)
{
    if (++p->depth > DEPTH_MAX)
        return fail(p, "nested too deeply");
    double left = sum(p), right = NAN, value = left;

    if (take(p, "<="))
        right = sum(p), value = left <= right;
    else if (take(p, ">="))
        right = sum(p), value = left >= right;
    else if (take(p, "<"))
        right = sum(p), value = left < right;
    else if (take(p, ">"))
        right = sum(p), value = left > right;
    else
        right = left;
    p->depth--;
    return isnan(left) || isnan(right) ? NAN : value;
}

enum w_status w_expr_eval(const char *text, const struct w_expr_names *names, double *value,
                          struct w_err *err)
{
    struct parser p = {.text = text, .at = text, .names = names, .err = err};

    *value = comparison(&p);
    skip_blanks(&p);
    if (!p.status && *p.at)
        fail(&p, "the end expected");
    return p.status;
}

void w_expr_substitute(const char *text, const struct w_expr_names *names, char *out, size_t size)
{
    size_t used = 0;

    out[0] = 0;
    while (*text && used + 1 < size) {
        size_t n = name_length(text);
        double value;
        int wrote;
        if (isdigit((unsigned char)*text)) { /* copied: the e of 1e6 is no name */
            n = strspn(text, "0123456789.eE");
            wrote = snprintf(out + used, size - used, "%.*s", (int)n, text);
        } else if (n > 0 && text[n] != '(' && names->value(names->context, text, n, &value)) {
            const char *format = value == floor(value) && fabs(value) < 0x1p53 ? "%.0f" : "%.6g";
            wrote = isnan(value) ? snprintf(out + used, size - used, "?")
                                 : snprintf(out + used, size - used, format, value);
        } else {
            n = n > 0 ? n : 1;
            wrote = snprintf(out + used, size - used, "%.*s", (int)n, text);
        }
        text += n;
        used = W_MIN(used + (size_t)W_MAX(wrote, 0), size - 1);
    }
}
