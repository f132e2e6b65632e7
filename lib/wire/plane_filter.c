/* An item is an element of a column; of bytes it is as many as the last dimension has, since those
 * of the same place are alike: all first bytes of ctx, for example. */
#include "wire/plane_filter.h"

bool w_planes_suit(const struct w_header *h)
{
    return !w_kind_is_blob(h->kind) && h->array_count > 1;
}

static u32 item_bytes(const struct w_array *column)
{
    const u64 last = column->ndim ? column->shape[column->ndim - 1] : 1;

    if (column->dtype == W_TYPE_U8)
        return last <= W_FEATURES_MAX ? (u32)last : 1;
    return (u32)w_type_bytes(column->dtype);
}

u32 w_planes_split(const struct w_header *h, const u8 *records, u32 count, u8 *out,
                   u32 sizes[W_PLANES_MAX])
{
    u32 planes = 0;

    for (u32 c = 0; c < h->array_count; c++) {
        const u32 bytes = item_bytes(&h->arrays[c]);
        const u64 items = h->arrays[c].bytes / bytes;
        for (u32 k = 0; k < bytes; k++) {
            const u8 *from = records + h->arrays[c].offset + k;
            for (u32 r = 0; r < count; r++, from += h->record_bytes)
                for (u64 i = 0; i < items; i++)
                    *out++ = from[i * bytes];
            sizes[planes++] = (u32)(count * items);
        }
    }
    return planes;
}

void w_planes_join(const struct w_header *h, const u8 *in, u32 count, u8 *records)
{
    for (u32 c = 0; c < h->array_count; c++) {
        const u32 bytes = item_bytes(&h->arrays[c]);
        const u64 items = h->arrays[c].bytes / bytes;
        for (u32 k = 0; k < bytes; k++) {
            u8 *to = records + h->arrays[c].offset + k;
            for (u32 r = 0; r < count; r++, to += h->record_bytes)
                for (u64 i = 0; i < items; i++)
                    to[i * bytes] = *in++;
        }
    }
}
