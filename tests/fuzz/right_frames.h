/* right_frames.h - a changed stream with checksums that are right again, so that the change gets
 * past the frames to what reads their contents. */
#ifndef W_RIGHT_FRAMES_H
#define W_RIGHT_FRAMES_H

#include "sys/deflate.h"
#include "wire/frame.h"

/* Make numbers, links and checksums of the frames right, as far as the bytes are frames. */
static inline void make_frames_right(u8 *data, size_t size)
{
    u32 seq = 0, link = 0;

    for (size_t at = 0; size - at >= W_FRAME_BYTES;) {
        u8 *h = data + at;
        u64 stored = W_MIN((u64)w_get32(h + 32), (u64)(size - at - W_FRAME_BYTES));
        w_put32(h + 32, (u32)stored);
        w_put32(h + 12, seq++);
        w_put32(h + 36, w_crc32(0, h + W_FRAME_BYTES, stored));
        w_put32(h + 40, link);
        w_put32(h + 44, w_crc32(0, h, 44));
        link = w_crc32(link, h + 8, 32);
        if (h[8] == W_FRAME_END)
            seq = link = 0;
        at += W_FRAME_BYTES + (size_t)stored;
    }
}

#endif
