/* grow.h - arrays that grow.
 *
 *     struct pair *pairs = NULL;
 *     size_t count = 0, room = 0;
 *     status = w_grow(&pairs, &room, count + 1, sizeof *pairs, "pairs", err);
 *     if (!status)
 *         pairs[count++] = pair;
 *     free(pairs);
 */
#ifndef W_GROW_H
#define W_GROW_H

#include "base/status.h"

/* The part of w_grow() that allocates. */
enum w_status w_grow_now(void *array, size_t *room, size_t need, size_t item_bytes,
                         const char *what, struct w_err *err) W_MUST_CHECK;

/* Make sure that an array has room for `need` items of item_bytes each. `array` is the address of
 * the pointer to it, `room` is how many items fit; it at least doubles, so that adding n items
 * costs O(n). W_NOMEM ("no memory for 200 pairs") leaves both as they were. */
W_MUST_CHECK static inline enum w_status w_grow(void *array, size_t *room, size_t need,
                                                size_t item_bytes, const char *what,
                                                struct w_err *err)
{
    return need <= *room ? W_DONE : w_grow_now(array, room, need, item_bytes, what, err);
}

#endif
