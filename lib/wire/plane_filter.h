/* plane_filter.h - the columns of a frame's records, byte by byte: filter 2 of wstream(5).
 *
 * The first bytes of all items of a column, then all second ones, and so on: planes. Of a float
 * some planes are as good as random and others nearly constant, so that each gets Huffman codes of
 * its own, or none: 480,000 tokens with columns of counts become 0.589 times as large, and 0.592
 * times by libdeflate alone, which searches for matches. */
#ifndef W_PLANE_FILTER_H
#define W_PLANE_FILTER_H

#include "wire/stream.h"

enum { W_PLANES_MAX = 16 * 64 }; /* columns times bytes of an item */

/* Is it for records of this header? */
bool w_planes_suit(const struct w_header *);
/* The planes of `count` records, as many bytes as those; sizes: of each plane. Returns how many. */
u32 w_planes_split(const struct w_header *, const u8 *records, u32 count, u8 *out,
                   u32 sizes[W_PLANES_MAX]);
/* The records again. */
void w_planes_join(const struct w_header *, const u8 *in, u32 count, u8 *records);

#endif
