#include "wiki/inlines.h"

#include <stdlib.h>

struct w_inline_table {
    size_t count;
};

enum w_status w_inline_table_new(struct w_inline_table **table, struct w_err *err)
{
    *table = calloc(1, sizeof **table);
    return *table ? W_DONE : w_fail(err, W_NOMEM, "no memory for the table of templates");
}

void w_inline_table_free(struct w_inline_table *table)
{
    free(table);
}

enum w_status w_inline_table_add(struct w_inline_table *table, struct w_span text,
                                 struct w_err *err)
{
    (void)text, (void)err;
    table->count++;
    return W_DONE;
}
