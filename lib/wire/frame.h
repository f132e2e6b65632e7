/* frame.h - one frame of a stream in memory: its 48-byte header and the rules that it must obey.
 *
 * A frame is a header and `stored_len` bytes of payload, everything little-endian:
 *
 *     offset size field
 *          0    8 sync          89 57 54 31 0D 0A 1A 0A, "\x89WT1\r\n^Z\n"; '1' is the version
 *          8    1 type          a letter; upper case: a reader must know it; lower: may skip it
 *          9    1 codec         0 stored, 1 zlib
 *         10    1 filter        0 none, 1 ids, 2 planes (wire/id_filter.h, plane_filter.h)
 *         11    1 flags         0
 *         12    4 seq           number of the frame in its member, from 0
 *         16    8 pos           records of the member before this frame
 *         24    4 count         records in the frame (D), entries (i), else 0
 *         28    4 raw_len       bytes of the payload, inflated and unfiltered
 *         32    4 stored_len    bytes of the payload in the stream
 *         36    4 payload_crc   CRC-32 of the stored bytes
 *         40    4 link          digest of all frames before it in the member
 *         44    4 header_crc    CRC-32 of bytes 0 to 43
 *
 * Nothing here allocates, reads or writes: a length is checked before memory is allocated for
 * it. */
#ifndef W_FRAME_H
#define W_FRAME_H

#include "base/status.h"

enum {
    W_FRAME_BYTES = 48,         /* of a frame header */
    W_FRAME_RAW_MAX = 16 << 20, /* bytes of an inflated payload */
    W_FRAME_LINE_MAX =
        8 << 20, /* bytes of a header line, with its newline: a vocabulary of a million */
    W_FRAME_INDEX_MAX = 1 << 20, /* bytes of an index */
    W_FRAME_NOTE_MAX = 64 << 10, /* bytes of a note or of an abort message, with the newline */
    W_FRAME_END_PAYLOAD = 208,   /* the end frame: of fixed size, to be found from the end */
    W_FRAME_END_BYTES = W_FRAME_BYTES + W_FRAME_END_PAYLOAD,
    W_INDEX_ENTRY_BYTES = 16, /* u64 byte offset from the member's start, u64 pos */
};

enum w_frame_type {
    W_FRAME_HEADER = 'H',
    W_FRAME_DATA = 'D',
    W_FRAME_NOTE = 'm',
    W_FRAME_INDEX = 'i',
    W_FRAME_END = 'E',
    W_FRAME_ABORT = 'X',
};

enum w_codec { W_STORED, W_ZLIB };
/* What was done to the records of a data frame before they were deflated. */
enum w_frame_filter { W_FILTER_NONE, W_FILTER_IDS, W_FILTER_PLANES, W_FILTERS };

struct w_frame {
    u8 type;
    u8 codec;
    u8 filter;
    u32 seq;
    u64 pos;
    u32 count;
    u32 raw_len;
    u32 stored_len;
    u32 payload_crc;
    u32 link;
};

/* May these, the last bytes of a file, be the beginning of a frame? */
bool w_frame_begins(const u8 *bytes, size_t size);

void w_frame_encode(const struct w_frame *frame, u8 bytes[W_FRAME_BYTES]);

/* Decode and check what a header says by itself: sync, checksum, type, codec, reserved bytes, sizes
 * within their limits, a compression ratio that deflate can reach. W_CORRUPT; W_NEWER: another
 * version, or an unknown type, codec or flag; W_LIMIT: a size over its limit. */
enum w_status w_frame_decode(struct w_frame *frame, const u8 bytes[W_FRAME_BYTES],
                             struct w_err *err) W_MUST_CHECK;

/* May this payload go out compressed to stored_len bytes? The reader's rule, for the writer. */
bool w_frame_ratio_ok(u32 raw_len, u32 stored_len);

/* The state between two frames of a member: what the next header must contain. Starts as zeroes. */
struct w_chain {
    u32 seq;
    u32 link;
    u64 pos;
    u64 record_bytes; /* of data frames; set when the header line is known */
};

/* Does this frame come next? Checks seq, link, pos, and count against raw_len. W_CORRUPT: no. */
enum w_status w_chain_check(const struct w_chain *chain, const struct w_frame *frame,
                            struct w_err *err) W_MUST_CHECK;

/* Step over a frame that was checked or written. The link covers bytes 8 to 39 of every header so
 * far, and with the payload checksums in them all payloads. The header's own CRC stays outside: the
 * CRC of data followed by their CRC is a constant. */
void w_chain_step(struct w_chain *chain, const struct w_frame *frame,
                  const u8 bytes[W_FRAME_BYTES]);

#endif
