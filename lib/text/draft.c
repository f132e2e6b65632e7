#include "text/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/utf8.h"

enum w_status w_draft_append(struct w_draft *draft, const void *bytes, size_t size,
                             struct w_err *err)
{
    enum w_status status =
        w_grow(&draft->bytes, &draft->room, draft->count + size, 1, "bytes of text", err);

    if (status)
        return status;
    if (size)
        memcpy(draft->bytes + draft->count, bytes, size);
    draft->count += size;
    return W_DONE;
}

bool w_draft_stop(struct w_draft *draft, size_t from, const char *const *stops, size_t stop_count)
{
    size_t cut = SIZE_MAX;

    for (size_t i = 0; i < stop_count; i++) {
        size_t size = strlen(stops[i]), begin = from >= size ? from - size + 1 : 0;
        const char *found = NULL;
        if (begin < draft->count)
            found = memmem(draft->bytes + begin, draft->count - begin, stops[i], size);
        if (found)
            cut = W_MIN(cut, (size_t)(found - draft->bytes));
    }
    if (cut == SIZE_MAX)
        return false;
    draft->count = cut;
    return true;
}

size_t w_draft_settled(const struct w_draft *draft, const char *const *stops, size_t stop_count)
{
    size_t settled = draft->count;

    /* Hold back the longest end of the text that is the beginning of a stop text. */
    for (size_t i = 0; i < stop_count; i++) {
        size_t n = W_MIN(strlen(stops[i]) - 1, draft->count);
        while (n && memcmp(draft->bytes + draft->count - n, stops[i], n) != 0)
            n--;
        settled = W_MIN(settled, draft->count - n);
    }
    /* A character has at most 4 bytes: look for an unfinished one's first byte among the last 3. */
    for (size_t back = 1; back <= 3 && back <= settled; back++)
        if (w_utf8_is_cut((const u8 *)draft->bytes + settled - back, back))
            return settled - back;
    return settled;
}
