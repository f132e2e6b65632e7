/* fuzz_literals.c - what zlib inflates from the Huffman codes of sys/literals.h are the same bytes.
 * The first byte says how many parts there are, the next ones where each ends. The others are
 * pairs: a byte, and the power of two that says how many of it, so that short inputs reach the
 * longest codes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sys/literals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 17, PARTS = 4 }; /* of a part of MOST bytes some are counted */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static u8 in[MOST], again[MOST];
    u32 sizes[PARTS], filled = 0, begin = 0;

    if (size < 1 + PARTS)
        return 0;
    const u32 parts = 1 + data[0] % PARTS;
    for (size_t i = 1 + PARTS; i + 2 <= size; i += 2) {
        const u32 count = W_MIN(1u << data[i + 1] % 17, MOST - filled);
        memset(in + filled, data[i], count);
        filled += count;
    }
    for (u32 k = 0; k < parts; k++) {
        const u32 end = k + 1 < parts ? (u32)((u64)filled * data[1 + k] / 256) : filled;
        sizes[k] = end > begin ? end - begin : 0;
        begin += sizes[k];
    }
    /* On the heap, so that a sanitizer sees a step too far. */
    const size_t bound = w_literals_bound(filled, parts);
    u8 *out = malloc(bound);
    if (!out)
        return 0;
    const size_t deflated = w_literals_deflate(in, sizes, parts, out);
    uLongf got = MOST;
    uLong used = deflated;
    if (deflated > bound || uncompress2(again, &got, out, &used) != Z_OK || used != deflated ||
        got != filled || memcmp(again, in, filled) != 0)
        abort();
    free(out);
    return 0;
}
