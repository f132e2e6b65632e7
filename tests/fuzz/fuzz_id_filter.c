/* fuzz_id_filter.c - any bytes as filtered ids, and any ids through the filter and back. The first
 * byte says which, and how wide ids are; the next two, how many are expected. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/deflate.h"
#include "sys/literals.h"
#include "wire/id_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 16 };

static u8 filtered[MOST * 8], deflated[MOST * 8], inflated[MOST * 8], again[MOST * 4];

/* Ids that are right have to come back, by way of a zlib stream too. */
static void there_and_back(struct w_id_filter *f, struct w_inflater *inflater, const u8 *ids,
                           u32 width, u32 count)
{
    struct w_err err;
    u32 sizes[2] = {0};
    size_t got = 0;
    const size_t made = w_id_filter_apply(f, ids, count, filtered, sizes);

    if (!made)
        return;
    const size_t packed = w_literals_deflate(filtered, sizes, 2, deflated);
    if (made > (size_t)count * width || sizes[0] + sizes[1] != made ||
        packed > w_literals_bound(made, 2) ||
        w_inflate_upto(inflater, deflated, packed, inflated, made, &got, &err) || got != made ||
        memcmp(inflated, filtered, made) != 0 ||
        w_id_filter_undo(f, inflated, made, again, count, &err) ||
        memcmp(again, ids, (size_t)count * width) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct w_id_filter *filters[2];
    static struct w_inflater *inflater;
    static u8 ids[MOST * 4];
    struct w_err err = {0};

    if (!inflater &&
        (w_inflater_new(&inflater, &err) || w_id_filter_new(&filters[0], 2, MOST, &err) ||
         w_id_filter_new(&filters[1], 4, MOST, &err)))
        abort();
    if (size < 4)
        return 0;
    const u32 width = data[0] & 1 ? 4 : 2, said = data[1] | (u32)data[2] << 8;
    const bool undo = data[0] & 2;
    struct w_id_filter *f = filters[data[0] & 1];
    data += 3, size -= 3;
    if (undo) {
        /* On the heap with nothing but the slack after it, so that a sanitizer sees a step too
         * far. */
        u8 *in = calloc(1, size + W_ID_FILTER_SLACK);
        if (!in)
            return 0;
        memcpy(in, data, size);
        const enum w_status status = w_id_filter_undo(f, in, size, ids, said + 1, &err);
        if (status && (status != W_CORRUPT || !err.text[0]))
            abort();
        if (!status)
            there_and_back(f, inflater, ids, width, said + 1);
        free(in);
    } else if (size >= width) {
        there_and_back(f, inflater, data, width, (u32)(W_MIN(size, (size_t)MOST) / width));
    }
    return 0;
}
