/* inline_pattern.h - the patterns of inlines.h, read piece by piece: once to check them when a
 * table is made, and again for each template. */
#ifndef W_INLINE_PATTERN_H
#define W_INLINE_PATTERN_H

#include "base/status.h"
#include "wiki/span.h"

enum w_inline_filter {
    W_INLINE_NONE,
    W_INLINE_LINES,
    W_INLINE_MONTH,
    W_INLINE_NUMBER,
    W_INLINE_POWER,
    W_INLINE_DECIMAL,
    W_INLINE_UNIT,
    W_INLINE_SUP,
    W_INLINE_SUB,
    W_INLINE_UPPER,
    W_INLINE_LOWER,
    W_INLINE_CAPITAL,
    W_INLINE_LANGUAGE,
    W_INLINE_COUNTRY,
};

enum w_pattern_kind {
    W_PATTERN_TEXT,     /* text: as it is */
    W_PATTERN_LINE,     /* "\n" */
    W_PATTERN_DIGIT,    /* "\d": a space if a digit precedes it */
    W_PATTERN_ARGUMENT, /* names, with '|' between them; filter */
    W_PATTERN_NEEDED, /* names; if value is not empty, the one argument has to be that; if filter is
                         W_INLINE_MONTH, a month */
    W_PATTERN_ENDING, /* what "*" in the row's name stands for; filter */
    W_PATTERN_ALL,    /* text is between */
    W_PATTERN_GROUP,  /* "\[": up to "\]" only if the arguments between are present */
    W_PATTERN_GROUP_END,
    W_PATTERN_OR, /* the next alternative begins */
    W_PATTERN_END,
    W_PATTERN_WRONG, /* text says what is wrong */
};

struct w_pattern_piece {
    enum w_pattern_kind kind;
    struct w_span text, value;
    enum w_inline_filter filter;
};

/* Rules that are no patterns. */
enum w_template_rule {
    W_RULE_NONE,
    W_RULE_CONVERT,
    W_RULE_COORD,
    W_RULE_COORDINATE,
    W_RULE_CVT,
    W_RULE_MATH,
    W_RULE_TITLE,
    W_RULE_VAL,
};

/* The rule that a row names in place of a pattern, "@convert"; W_RULE_NONE: it is a pattern, or
 * there is no such rule. */
enum w_template_rule w_pattern_rule(struct w_span pattern);

/* Take the first piece off a pattern. */
struct w_pattern_piece w_pattern_next(struct w_span *pattern);

/* Take the first of names with '|' between them off the list; false if there is none. */
bool w_pattern_name(struct w_span *names, struct w_span *name);

/* W_USAGE, with the reason, for a pattern that is wrong. */
enum w_status w_pattern_check(struct w_span pattern, struct w_err *) W_MUST_CHECK;

#endif
