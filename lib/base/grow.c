#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

enum w_status w_grow_now(void *array, size_t *room, size_t need, size_t item_bytes,
                         const char *what, struct w_err *err)
{
    size_t items = W_MAX(need, *room > SIZE_MAX / 2 ? SIZE_MAX : 2 * *room), bytes;
    void *old, *bigger = NULL;

    memcpy(&old, array, sizeof old); /* a void ** to another pointer type would be undefined */
    if (!__builtin_mul_overflow(items, item_bytes, &bytes))
        bigger = realloc(old, bytes);
    if (!bigger)
        return w_fail(err, W_NOMEM, "no memory for %zu %s", items, what);
    memcpy(array, &bigger, sizeof bigger);
    *room = items;
    return W_DONE;
}
