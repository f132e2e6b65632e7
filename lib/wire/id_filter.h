/* id_filter.h - the ids of a frame, rewritten as bytes that deflate well: filter 1 of wstream(5).
 *
 * What follows an id is often what followed it before. So the filter keeps, for each id, the four
 * ids that followed it last, and says of each id of the frame which of these it is; else which of
 * the frame's most frequent ids; else its upper bits, and its lower ones elsewhere, since those are
 * as good as random. One byte an id remains to be given Huffman codes: text in 16,000 ids takes
 * 0.61 of its two bytes an id, at 900 MB/s, where libdeflate alone takes 0.67 at 85 MB/s. */
#ifndef W_ID_FILTER_H
#define W_ID_FILTER_H

#include "base/status.h"

struct w_id_filter; /* scratch memory, for one thread */

/* id_bytes: 2 or 4. count: the most ids of a frame to be applied to; 0: it is only undone.
 * W_NOMEM. */
enum w_status w_id_filter_new(struct w_id_filter **, u32 id_bytes, u32 count,
                              struct w_err *) W_MUST_CHECK;
void w_id_filter_free(struct w_id_filter *); /* accepts NULL */
/* For tests: do without instructions that not every CPU has. The bytes stay the same. */
void w_id_filter_portable(struct w_id_filter *);

/* Most bytes that w_id_filter_apply() writes for count ids. */
size_t w_id_filter_bound(u32 id_bytes, u32 count);
/* Rewrite count ids (little-endian, at least one) into out, of at least w_id_filter_bound() bytes.
 * Returns the size, and the sizes of two parts, for w_literals_deflate(): codes, and the lower
 * bits. 0 if an id is too large for the scratch memory, or the result would be larger than the
 * ids. */
size_t w_id_filter_apply(struct w_id_filter *, const u8 *ids, u32 count, u8 *out, u32 sizes[2]);
/* The ids again: exactly count of them, from exactly `size` bytes, after which W_ID_FILTER_SLACK
 * more can be read. W_CORRUPT: the bytes are not what the filter writes. */
enum w_status w_id_filter_undo(struct w_id_filter *, const u8 *in, size_t size, u8 *ids, u32 count,
                               struct w_err *) W_MUST_CHECK;

#define W_ID_FILTER_SLACK 8

#endif
