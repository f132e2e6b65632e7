#include "conf/option.h"

#include <stdio.h>
#include <string.h>

#include "base/strnum.h"
#include "sys/json.h"

size_t w_options_count(const struct w_option *table)
{
    size_t n = 0;
    while (table[n].name)
        n++;
    return n;
}

const struct w_option *w_option_find(const struct w_option *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

const char *w_option_suggest(const struct w_option *table, const char *name)
{
    return w_nearest_name(name, &table->name, w_options_count(table), sizeof *table);
}

static void *field_of(const struct w_option *option, void *fields)
{
    return (char *)fields + option->offset;
}

/* The index of text among "a|b|c", or -1. */
static int find_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (int index = 0; choices; index++) {
        const char *bar = strchr(choices, '|');
        size_t n = bar ? (size_t)(bar - choices) : strlen(choices);
        if (n == length && !strncmp(choices, text, n))
            return index;
        choices = bar ? bar + 1 : NULL;
    }
    return -1;
}

void w_option_choice_name(const struct w_option *option, u32 index, char name[32])
{
    const char *p = option->choices;

    for (; p && index > 0; index--) {
        p = strchr(p, '|');
        p = p ? p + 1 : NULL;
    }
    snprintf(name, 32, "%.*s", p ? (int)strcspn(p, "|") : 0, p ? p : "");
}

enum w_status w_option_set(const struct w_option *option, void *fields, const char *text,
                           struct w_err *err)
{
    void *field = field_of(option, fields);
    bool bounded = option->max > 0;

    switch (option->type) {
    case W_OPT_FLAG:
        if (strcmp(text, "true") && strcmp(text, "false"))
            return w_fail(err, W_USAGE, "'%s' is neither true nor false", text);
        *(bool *)field = !strcmp(text, "true");
        return W_DONE;
    case W_OPT_COUNT:
        return w_parse_count(text, (u64)option->min, bounded ? (u64)option->max : W_JSON_INT_MAX,
                             field, err);
    case W_OPT_REAL:
        return w_parse_real(text, option->min, bounded ? option->max : 1e300, field, err);
    case W_OPT_DURATION: return w_parse_duration(text, field, err);
    case W_OPT_TEXT: *(const char **)field = text; return W_DONE;
    case W_OPT_CHOICE: {
        int index = find_choice(option->choices, text);
        if (index < 0)
            return w_fail(err, W_USAGE, "'%s' is none of %s", text, option->choices);
        *(u32 *)field = (u32)index;
        return W_DONE;
    }
    case W_OPT_LIST: {
        struct w_text_list *list = field;
        list->items[list->count++] = text;
        return W_DONE;
    }
    }
    return w_fail(err, W_USAGE, "unknown type of option");
}

enum w_status w_options_default(const struct w_option *table, void *fields, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (; table->name && !status; table++) {
        if (table->dflt)
            status = w_option_set(table, fields, table->dflt, err);
        if (status)
            status = w_fail_at(err, status, "default of %s", table->name);
    }
    return status;
}

struct w_json *w_options_to_json(const struct w_option *table, const void *fields)
{
    struct w_json *object = w_json_object();

    for (; table->name; table++) {
        const void *field = (const char *)fields + table->offset;
        char name[32];
        switch (table->type) {
        case W_OPT_FLAG: w_json_set_bool(object, table->name, *(const bool *)field); break;
        case W_OPT_COUNT: w_json_set_u64(object, table->name, *(const u64 *)field); break;
        case W_OPT_REAL:
        case W_OPT_DURATION: w_json_set_real(object, table->name, *(const double *)field); break;
        case W_OPT_TEXT:
            if (*(const char *const *)field)
                w_json_set_string(object, table->name, *(const char *const *)field);
            break;
        case W_OPT_CHOICE:
            w_option_choice_name(table, *(const u32 *)field, name);
            w_json_set_string(object, table->name, name);
            break;
        case W_OPT_LIST: break;
        }
    }
    return object;
}
