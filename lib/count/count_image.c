#include "count/count_image.h"

#include <stdlib.h>

void w_count_image_release(struct w_count_image *image)
{
    free(image->unigrams);
    for (u32 n = 0; n <= W_COUNT_ORDER_MAX; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++)
            w_buffer_free(&image->part[n][a]);
    memset(image, 0, sizeof *image);
}

u64 w_count_image_bytes(const struct w_count_image *image)
{
    u64 bytes = 4ull * image->vocab;

    for (u32 n = 2; n <= image->order; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++)
            bytes += image->part[n][a].size;
    return bytes;
}
