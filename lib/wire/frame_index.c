#include "wire/frame_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static enum w_status reserve(struct w_frame_index *x, u32 need, struct w_err *err)
{
    return w_grow(&x->entries, &x->room, need, sizeof *x->entries, "frames in an index", err);
}

/* Double the stride: keep the entries that it would have kept from the start. */
static void thin_out(struct w_frame_index *x)
{
    for (u32 i = 0; 2 * i < x->count; i++)
        x->entries[i] = x->entries[2 * i];
    x->count = (x->count + 1) / 2;
    x->stride *= 2;
}

enum w_status w_frame_index_add(struct w_frame_index *x, u64 offset, u64 pos, struct w_err *err)
{
    if (x->stride == 0)
        x->stride = 1;
    if (x->count == W_INDEX_ENTRIES_MAX)
        thin_out(x);
    if (x->frames++ % x->stride != 0)
        return W_DONE;
    enum w_status status = reserve(x, x->count + 1, err);
    if (!status)
        x->entries[x->count++] = (struct w_index_entry){offset, pos};
    return status;
}

void w_frame_index_encode(const struct w_frame_index *x, u8 *bytes)
{
    for (u32 i = 0; i < x->count; i++, bytes += W_INDEX_ENTRY_BYTES) {
        w_put64(bytes, x->entries[i].offset);
        w_put64(bytes + 8, x->entries[i].pos);
    }
}

enum w_status w_frame_index_decode(struct w_frame_index *x, const u8 *bytes, u32 count,
                                   struct w_index_entry end, struct w_err *err)
{
    x->count = 0;
    enum w_status status = reserve(x, count, err);
    for (u32 i = 0; i < count && !status; i++, bytes += W_INDEX_ENTRY_BYTES) {
        struct w_index_entry e = {w_get64(bytes), w_get64(bytes + 8)};
        const struct w_index_entry *last = i ? &x->entries[i - 1] : NULL;
        if (e.offset >= end.offset || e.pos >= end.pos || e.offset < W_FRAME_BYTES ||
            (last && (e.offset <= last->offset || e.pos <= last->pos)))
            status = w_fail(err, W_CORRUPT, "index entry %u is out of order or out of bounds", i);
        x->entries[i] = e;
    }
    if (!status)
        x->count = count;
    return status;
}

const struct w_index_entry *w_frame_index_find(const struct w_frame_index *x, u64 pos)
{
    u32 low = 0, high = x->count; /* entries before low are < pos, from high on they are not */

    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (x->entries[middle].pos < pos)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &x->entries[low - 1] : NULL;
}

void w_frame_index_free(struct w_frame_index *x)
{
    free(x->entries);
    memset(x, 0, sizeof *x);
}
