/* inline_pattern.h - the patterns of inlines.h, read piece by piece: once to check them when a
 * table is made, and again for each template. */
#ifndef W_INLINE_PATTERN_H
#define W_INLINE_PATTERN_H

#include "base/status.h"
#include "wiki/span.h"

enum w_filter {
    W_FILTER_NONE,
    W_FILTER_MONTH,
    W_FILTER_NUMBER,
    W_FILTER_SUP,
    W_FILTER_SUB,
    W_FILTER_UPPER,
    W_FILTER_LOWER,
    W_FILTER_CAPITAL
};

enum w_pattern_kind {
    W_PATTERN_TEXT,     /* text: as it is */
    W_PATTERN_LINE,     /* "\n" */
    W_PATTERN_DIGIT,    /* "\d": a space if a digit precedes it */
    W_PATTERN_ARGUMENT, /* names, with '|' between them; filter */
    W_PATTERN_NEEDED,   /* names */
    W_PATTERN_ALL,      /* text is between */
    W_PATTERN_OR,       /* the next alternative begins */
    W_PATTERN_END,
    W_PATTERN_WRONG, /* text says what is wrong */
};

struct w_pattern_piece {
    enum w_pattern_kind kind;
    struct w_span text;
    enum w_filter filter;
};

/* Take the first piece off a pattern. */
struct w_pattern_piece w_pattern_next(struct w_span *pattern);

/* Take the first of names with '|' between them off the list; false if there is none. */
bool w_pattern_name(struct w_span *names, struct w_span *name);

/* W_USAGE, with the reason, for a pattern that is wrong. */
enum w_status w_pattern_check(struct w_span pattern, struct w_err *) W_MUST_CHECK;

#endif
