/* reader_private.h - the reader of streams, as its two files see it: stream_reader.c reads frame
 * after frame, stream_seek.c moves in regular files. */
#ifndef W_READER_PRIVATE_H
#define W_READER_PRIVATE_H

#include "sys/deflate.h"
#include "wire/frame_index.h"
#include "wire/id_filter.h"
#include "wire/stream.h"

/* Where the reader is in the file. */
enum w_reader_state {
    W_BETWEEN, /* before the first member, or right after an end frame */
    W_INSIDE,  /* after the header frame of a member */
    W_INDEXED, /* after its index frame: no data may follow */
    W_ENDED,   /* after its end frame, which has been reported to the caller */
};

struct w_reader {
    struct w_input *in;
    enum w_reader_state state;
    u32 member;       /* number of the present one, from 1 */
    u64 member_start; /* byte offset of its header frame */
    u64 offset;       /* of the next byte to be read */
    struct w_chain chain;
    u64 index_offset; /* of the index frame, from the member's start; 0: not seen */

    struct w_header header;
    struct w_chain after_header; /* the chain where the data begin */
    u64 data_start;
    u64 boundary; /* the record after the last data frame that was passed */
    struct w_json *end;

    /* The present frame. */
    struct w_frame frame;
    u64 frame_offset; /* in the file */
    u32 frame_number; /* in the member, for messages */
    const u8 *raw;    /* its payload, inflated and unfiltered */
    u32 used;         /* its records handed out so far; == frame.count: none left */
    u32 gap;          /* tensors: the next array whose padding is to be checked */

    u8 *stored, *inflated, *unfiltered;
    size_t stored_room, inflated_room, unfiltered_room;
    struct w_inflater *inflater;
    struct w_id_filter *id_filter; /* made for the first frame that needs it */
    u32 id_bytes;                  /* of the ids that it is made for */

    struct w_frame_index index; /* of the present member; count 0: none */
    bool index_loaded;          /* or known to be absent */

    void (*note)(void *context, const struct w_json *line);
    void *note_context;
    void (*on_frame)(void *context, u64 offset, const struct w_frame *frame);
    void *frame_context;

    enum w_status failed; /* the first failure; every later call returns it */
    struct w_err failure;
};

/* Put file, member, frame and byte offset before a message. */
enum w_status w_reader_fail_at(struct w_reader *, enum w_status, struct w_err *);
/* Keep a failure for all later calls. */
enum w_status w_reader_fail(struct w_reader *, enum w_status, struct w_err *);

/* Read the next data frame of the member into reader->frame, taking notes, index and unknown
 * ancillary frames on the way. W_END at the end frame, which has been checked; else as any
 * reading (wire/stream.h).
 *
 * A frame that ends at or before record `wanted` is skipped: its payload is checked but not
 * inflated, and not even read if `leap` is set (in a regular file, during a seek). */
enum w_status w_reader_next_data(struct w_reader *, u64 wanted, bool leap,
                                 struct w_err *err) W_MUST_CHECK;

/* Parse an end frame's payload: W_CORRUPT, W_LIMIT or W_NOMEM, as w_json_parse(), unless it is an
 * object and a newline. Its totals are not checked. The caller owns *end. */
enum w_status w_end_parse(struct w_json **end, const u8 *payload, struct w_err *err) W_MUST_CHECK;

#endif
