/* A pattern is stored only as text: w_pattern_next() is a scanner that takes one piece off the
 * front. w_pattern_check() runs it once when the table is made, so that the patterns of a table
 * have no wrong pieces. An alternative may name an argument once only, which keeps the time for a
 * page linear: arguments may hold templates. */
#include "wiki/inline_pattern.h"

#include <string.h>

#define NAMES_MAX 16 /* in an alternative */

static struct w_span take(struct w_span *from, size_t size)
{
    struct w_span taken = {from->at, W_MIN(size, from->size)};

    *from = w_span_from(*from, taken.size);
    return taken;
}

static size_t find(struct w_span s, char c)
{
    const u8 *found = s.size ? memchr(s.at, c, s.size) : NULL;

    return found ? (size_t)(found - s.at) : s.size;
}

static bool find_filter(struct w_span name, enum w_inline_filter *filter)
{
    static const char *const names[] = {
        [W_INLINE_LINES] = "lines",     [W_INLINE_MONTH] = "month",
        [W_INLINE_NUMBER] = "number",   [W_INLINE_POWER] = "power",
        [W_INLINE_DECIMAL] = "decimal", [W_INLINE_UNIT] = "unit",
        [W_INLINE_SUP] = "sup",         [W_INLINE_SUB] = "sub",
        [W_INLINE_UPPER] = "upper",     [W_INLINE_LOWER] = "lower",
        [W_INLINE_CAPITAL] = "capital", [W_INLINE_LANGUAGE] = "language",
        [W_INLINE_COUNTRY] = "country"};

    for (size_t i = 1; i < W_COUNTOF(names); i++) {
        if (w_span_is(name, w_span_of(names[i]))) {
            *filter = (enum w_inline_filter)i;
            return true;
        }
    }
    return false;
}

static struct w_pattern_piece wrong(const char *why)
{
    return (struct w_pattern_piece){.kind = W_PATTERN_WRONG, .text = w_span_of(why)};
}

/* The piece for the text between braces, which has no brace in it. */
static struct w_pattern_piece place(struct w_span inside)
{
    struct w_pattern_piece piece = {.kind = W_PATTERN_ARGUMENT};
    size_t colon = find(inside, ':');

    if (inside.size && *inside.at == '*') {
        take(&inside, 1);
        piece.kind = W_PATTERN_ALL;
        piece.text = inside;
        while (inside.size) {
            enum w_pattern_kind kind = w_pattern_next(&inside).kind;
            if (kind != W_PATTERN_TEXT && kind != W_PATTERN_LINE)
                return wrong("after '*' only text and line ends may follow");
        }
        return piece;
    }
    piece.text = take(&inside, colon);
    if (inside.size) {
        take(&inside, 1);
        if (inside.size && inside.at[inside.size - 1] == '?') {
            piece.kind = W_PATTERN_NEEDED;
            inside.size--;
        }
        if (!find_filter(inside, &piece.filter))
            return wrong(
                "after ':' is none of lines, month, number, power, decimal, unit, sup, sub, upper, "
                "lower, capital, language, country");
        if (piece.kind == W_PATTERN_NEEDED && piece.filter != W_INLINE_MONTH)
            return wrong("only month may have '?' after it");
    }
    if (piece.text.size && piece.text.at[piece.text.size - 1] == '?') {
        piece.kind = W_PATTERN_NEEDED;
        piece.text.size--;
        size_t equals = find(piece.text, '=');
        if (equals < piece.text.size) {
            piece.value = w_span_from(piece.text, equals + 1);
            piece.text.size = equals;
        }
    } else if (w_span_is(piece.text, W_SPAN("#"))) {
        piece.kind = W_PATTERN_ENDING;
    }
    return piece.text.size ? piece : wrong("braces without the name of an argument");
}

struct w_pattern_piece w_pattern_next(struct w_span *pattern)
{
    struct w_pattern_piece piece = {.kind = W_PATTERN_TEXT};
    size_t size = 0;

    if (!pattern->size) {
        piece.kind = W_PATTERN_END;
        return piece;
    }
    switch (*pattern->at) {
    case '\\':
        take(pattern, 1);
        if (!pattern->size)
            return wrong("'\\' at the end");
        piece.text = take(pattern, 1);
        if (*piece.text.at == 'n')
            piece.kind = W_PATTERN_LINE;
        else if (*piece.text.at == 'd')
            piece.kind = W_PATTERN_DIGIT;
        else if (*piece.text.at == 's')
            piece.text = W_SPAN(" ");
        else if (*piece.text.at == '[')
            piece.kind = W_PATTERN_GROUP;
        else if (*piece.text.at == ']')
            piece.kind = W_PATTERN_GROUP_END;
        return piece;
    case '{':
        take(pattern, 1);
        size = find(*pattern, '}');
        if (size == pattern->size)
            return wrong("'{' without '}'");
        piece = place(take(pattern, size));
        take(pattern, 1);
        return piece;
    case '}': return wrong("'}' without '{'");
    case '|':
        if (pattern->size > 1 && pattern->at[1] == '|') {
            take(pattern, 2);
            *pattern = w_span_trim(*pattern);
            piece.kind = W_PATTERN_OR;
            return piece;
        }
        size = 1;
        break;
    default: break;
    }
    while (size < pattern->size && !memchr("\\{}|", pattern->at[size], 4))
        size++;
    piece.text = take(pattern, size);
    /* Spaces before "||" belong to neither alternative. */
    if (pattern->size > 1 && memcmp(pattern->at, "||", 2) == 0)
        while (piece.text.size && w_is_blank(piece.text.at[piece.text.size - 1]))
            piece.text.size--;
    return piece;
}

bool w_pattern_name(struct w_span *names, struct w_span *name)
{
    if (!names->size)
        return false;
    *name = take(names, find(*names, '|'));
    take(names, 1);
    return true;
}

enum w_template_rule w_pattern_rule(struct w_span pattern)
{
    static const char *const names[] = {
        [W_RULE_CONVERT] = "@convert",
        [W_RULE_COORD] = "@coord",
        [W_RULE_COORDINATE] = "@coordinate",
        [W_RULE_CVT] = "@cvt",
        [W_RULE_MATH] = "@math",
        [W_RULE_TITLE] = "@title",
        [W_RULE_VAL] = "@val",
    };

    for (size_t i = 1; pattern.size && *pattern.at == '@' && i < W_COUNTOF(names); i++)
        if (w_span_is(pattern, w_span_of(names[i])))
            return (enum w_template_rule)i;
    return W_RULE_NONE;
}

/* The arguments that an alternative has named so far. */
struct named {
    struct w_span names[NAMES_MAX];
    size_t count;
};

static enum w_status check_names(struct named *named, struct w_span names, struct w_err *err)
{
    struct w_span name;

    while (w_pattern_name(&names, &name)) {
        bool twice = named->count && (*name.at == '*' || *named->names[0].at == '*');
        for (size_t i = 0; i < named->count; i++)
            twice |= w_span_is(named->names[i], name);
        if (twice || named->count == NAMES_MAX)
            return w_fail(err, W_USAGE, "an alternative may name an argument once, and %d at most",
                          NAMES_MAX);
        named->names[named->count++] = name;
    }
    return W_DONE;
}

static enum w_status check_pieces(struct w_span pattern, struct w_err *err)
{
    struct named named = {.count = 0};
    bool in_group = false;
    enum w_status status = W_DONE;

    while (!status) {
        struct w_pattern_piece piece = w_pattern_next(&pattern);
        bool end = piece.kind == W_PATTERN_END || piece.kind == W_PATTERN_OR;
        if (piece.kind == W_PATTERN_WRONG)
            return w_fail(err, W_USAGE, "%.*s", (int)piece.text.size, (const char *)piece.text.at);
        if ((piece.kind == W_PATTERN_GROUP && in_group) || (end && in_group) ||
            (piece.kind == W_PATTERN_GROUP_END && !in_group))
            return w_fail(err, W_USAGE, "\"\\[\" and \"\\]\" do not pair");
        if (piece.kind == W_PATTERN_END)
            return W_DONE;
        if (piece.kind == W_PATTERN_OR)
            named.count = 0;
        else if (piece.kind == W_PATTERN_GROUP || piece.kind == W_PATTERN_GROUP_END)
            in_group = piece.kind == W_PATTERN_GROUP;
        else if (piece.kind == W_PATTERN_ALL)
            status = check_names(&named, W_SPAN("*"), err);
        else if (piece.kind == W_PATTERN_ARGUMENT)
            status = check_names(&named, piece.text, err);
    }
    return status;
}

enum w_status w_pattern_check(struct w_span pattern, struct w_err *err)
{
    if (w_pattern_rule(pattern))
        return W_DONE;
    if (pattern.size && *pattern.at == '@')
        return w_fail(
            err, W_USAGE,
            "there is no rule %.*s; there are @convert, @coord, @coordinate, @cvt, @math, "
            "@title and @val",
            (int)W_MIN(pattern.size, 40u), (const char *)pattern.at);
    for (size_t i = 0; i < pattern.size; i++)
        if (pattern.at[i] < ' ')
            return w_fail(err, W_USAGE, "a control character in a pattern");
    return check_pieces(pattern, err);
}
