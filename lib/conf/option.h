/* option.h - one table of options, from which everything else is made: the parser of the command
 * line, the parser of configuration files, the checks, --help, the manual page and the JSON dump.
 *
 * A row gives the offset of a field of a struct; the row's type determines the field's C type. */
#ifndef W_OPTION_H
#define W_OPTION_H

#include "base/status.h"

/* A type that is added needs a case in w_option_set() and in w_options_to_json(). */
enum w_option_type {
    W_OPT_FLAG,     /* bool; takes no argument */
    W_OPT_COUNT,    /* u64 in [min, max]; 10k, 4MiB */
    W_OPT_REAL,     /* double in [min, max] */
    W_OPT_DURATION, /* double, seconds: 90s, 5m, 1.5h */
    W_OPT_TEXT,     /* const char *, pointing into the source (argv, or the configuration's text) */
    W_OPT_CHOICE,   /* u32: index into choices */
    W_OPT_LIST,     /* struct w_text_list; may be given again */
};

struct w_text_list {
    const char **items; /* room for as many as the command line has words: in no configuration */
    size_t count;
};

struct w_option {
    const char *name; /* long option, or key of a configuration; NULL ends the table */
    char letter;      /* short option, 0 for none */
    enum w_option_type type;
    size_t offset;       /* of the field */
    const char *arg;     /* name of the argument in help: "N", "FILE" */
    const char *dflt;    /* default as text, parsed like an argument; NULL: none */
    double min, max;     /* COUNT and REAL; max 0 means no limit, and min 0 that none is negative */
    const char *choices; /* CHOICE: "auto|fp32|bf16" */
    const char *help;    /* one or two sentences, with units */
    bool required;       /* in a configuration, the key must exist */
    bool optional;       /* TEXT on a command line: --name alone gives "", a value needs --name=X */
    bool aside;          /* decides no record of a stream: how, where to, how fast, what is said */
    bool output;         /* TEXT: a file that is written, and so may not be one that is read */
    bool appends;        /* an output that is not replaced as a whole */
};

/* Set every field that has a default to it; the caller has set the others, usually to zero.
 * W_USAGE: a default does not parse. */
enum w_status w_options_default(const struct w_option *table, void *fields,
                                struct w_err *err) W_MUST_CHECK;

/* Parse one value into its field. W_USAGE: the error says what is wrong with the value, without the
 * name of the option. A text is not copied. */
enum w_status w_option_set(const struct w_option *option, void *fields, const char *text,
                           struct w_err *err) W_MUST_CHECK;

/* The row of a name, or NULL. */
const struct w_option *w_option_find(const struct w_option *table, const char *name);

/* The nearest name in a table to a misspelt one, or NULL. */
const char *w_option_suggest(const struct w_option *table, const char *name);

/* Rows, without the one that ends the table. */
size_t w_options_count(const struct w_option *table);

/* The name of a choice by its index; "" if there is none. */
void w_option_choice_name(const struct w_option *option, u32 index, char name[32]);

/* A JSON object with the effective value of every row (LIST and unset TEXT rows left out). The
 * caller owns it. Reading it back gives the same fields. */
struct w_json;
struct w_json *w_options_to_json(const struct w_option *table, const void *fields);

#endif
