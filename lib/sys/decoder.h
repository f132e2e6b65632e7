/* decoder.h - what a compressed format that is decoded from its first byte to its last has to
 * offer: one constant for each, in a file of its own, which is the only user of that library's
 * header. */
#ifndef W_DECODER_H
#define W_DECODER_H

#include "base/status.h"

/* Most memory for a dictionary or window, beside a few MB. zstd(1) has the same limit. */
#define W_DECODER_WINDOW_LOG 27
#define W_DECODER_WINDOW_BYTES ((u64)1 << W_DECODER_WINDOW_LOG)

/* Bytes to decode and room for decoded ones. A step uses some of both: it moves the pointers on and
 * makes the sizes smaller. */
struct w_decoder_step {
    const u8 *in;
    size_t in_size;
    bool in_ends; /* no bytes follow these */
    u8 *out;
    size_t out_size;
};

struct w_decoder {
    const char *name;
    /* Does a file begin so? */
    bool (*begins)(const u8 *bytes, size_t size);
    /* threads: how many may be used beside the caller; 0: none. W_NOMEM. */
    enum w_status (*open)(void **state, u32 threads, struct w_err *);
    /* Decode until there is no input or no room left. W_END: all input was used, and it is whole.
     * W_CORRUPT, W_TRUNCATED (in_ends, but it is not whole), W_LIMIT, W_NEWER, W_NOMEM: a message
     * without the place. */
    enum w_status (*step)(void *state, struct w_decoder_step *, struct w_err *);
    void (*close)(void *state); /* accepts NULL */
};

extern const struct w_decoder w_gunzip, w_unxz, w_unzstd;

#endif
