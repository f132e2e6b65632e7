/* literals.h - a zlib stream (RFC 1950) without matches: bytes get Huffman codes by how often they
 * occur, and what is as good as random is stored. For frames whose repetitions have been taken out
 * before (wire/id_filter.h) or that have few (wire/plane_filter.h): there a search for matches
 * finds little for its time. */
#ifndef W_LITERALS_H
#define W_LITERALS_H

#include "base/base.h"

/* Most bytes that w_literals_deflate() writes for so many in so many parts. */
size_t w_literals_bound(size_t size, u32 parts);

/* Deflate parts of a buffer, at least one, which follow each other, into out, of at least
 * w_literals_bound() bytes. Each part has codes of its own, and is stored where these would save
 * nothing. Returns the size of the zlib stream, which depends on the bytes and parts alone. */
size_t w_literals_deflate(const u8 *in, const u32 *sizes, u32 parts, u8 *out);

#endif
