/* frame_index.h - which data frame starts where in a member: the payload of its index frame.
 *
 * Bounded memory for a stream of any length: of the data frames every stride-th is kept, and the
 * stride doubles whenever the list is full. A reader uses the index as a hint only. */
#ifndef W_FRAME_INDEX_H
#define W_FRAME_INDEX_H

#include "wire/frame.h"

enum { W_INDEX_ENTRIES_MAX = 65536 };

struct w_index_entry {
    u64 offset; /* bytes from the member's start to the frame */
    u64 pos;    /* records before it */
};

struct w_frame_index {
    struct w_index_entry *entries;
    u32 count;
    size_t room;
    u64 frames; /* seen so far */
    u64 stride; /* every stride-th is kept */
};

/* Add a data frame; starts from zeroes. W_NOMEM. */
enum w_status w_frame_index_add(struct w_frame_index *, u64 offset, u64 pos,
                                struct w_err *err) W_MUST_CHECK;
/* Write the entries as bytes: count * W_INDEX_ENTRY_BYTES. */
void w_frame_index_encode(const struct w_frame_index *, u8 *bytes);
/* Read and check: W_CORRUPT unless offsets and positions rise strictly and lie before `end`;
 * W_NOMEM. */
enum w_status w_frame_index_decode(struct w_frame_index *, const u8 *bytes, u32 count,
                                   struct w_index_entry end, struct w_err *err) W_MUST_CHECK;
/* The last entry whose pos is less than `pos`, or NULL. */
const struct w_index_entry *w_frame_index_find(const struct w_frame_index *, u64 pos);
void w_frame_index_free(struct w_frame_index *);

#endif
