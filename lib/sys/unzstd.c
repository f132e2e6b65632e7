/* zstd: frames in a row, and frames to skip, as pzstd and the seekable format have them. One thread
 * decodes more than ten can encode to tokens, so the frames are not shared out. The only user of
 * zstd.h. */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/base.h"
#include "sys/decoder.h"

struct unzstd {
    ZSTD_DStream *z;
    bool inside; /* of a frame */
    bool any;    /* a frame was whole */
};

static bool begins(const u8 *bytes, size_t size)
{
    u32 magic = size >= 4 ? w_get32(bytes) : 0;
    return magic == ZSTD_MAGICNUMBER || (magic & ~15u) == ZSTD_MAGIC_SKIPPABLE_START;
}

static void unzstd_close(void *state)
{
    struct unzstd *u = state;

    if (u)
        ZSTD_freeDStream(u->z);
    free(u);
}

static enum w_status unzstd_open(void **state, u32 threads, struct w_err *err)
{
    struct unzstd *u = *state = calloc(1, sizeof *u);

    (void)threads;
    if (u)
        u->z = ZSTD_createDStream();
    if (u && u->z &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(u->z, ZSTD_d_windowLogMax, W_DECODER_WINDOW_LOG)))
        return W_DONE;
    unzstd_close(u);
    *state = NULL;
    return w_fail(err, W_NOMEM, "no memory to decompress zstd");
}

static enum w_status explain(const struct unzstd *u, size_t result, struct w_err *err)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation: return w_fail(err, W_NOMEM, "no memory to decompress zstd");
    case ZSTD_error_frameParameter_windowTooLarge:
        return w_fail(err, W_LIMIT,
                      "this zstd needs a window of more than %llu MiB: decompress it before (zstd "
                      "-dc --long=31)",
                      (unsigned long long)(W_DECODER_WINDOW_BYTES >> 20));
    case ZSTD_error_dictionary_wrong:
        return w_fail(err, W_CORRUPT,
                      "this zstd needs a dictionary: decompress it before (zstd -dc -D FILE)");
    case ZSTD_error_prefix_unknown:
        if (u->any)
            return w_fail(err, W_CORRUPT, "what follows a zstd frame is not zstd");
        break;
    default: break;
    }
    return w_fail(err, W_CORRUPT, "broken zstd: %s", ZSTD_getErrorName(result));
}

static enum w_status unzstd_step(void *state, struct w_decoder_step *s, struct w_err *err)
{
    struct unzstd *u = state;

    while (s->out_size > 0) {
        ZSTD_inBuffer in = {s->in, s->in_size, 0};
        ZSTD_outBuffer out = {s->out, s->out_size, 0};
        if (s->in_size == 0 && (!s->in_ends || !u->inside))
            return s->in_ends ? W_END : W_DONE;
        size_t result = ZSTD_decompressStream(u->z, &out, &in);
        s->in += in.pos;
        s->in_size -= in.pos;
        s->out += out.pos;
        s->out_size -= out.pos;
        if (ZSTD_isError(result))
            return explain(u, result, err);
        u->inside = result != 0;
        u->any |= !u->inside;
        if (u->inside && s->in_ends && s->in_size == 0 && in.pos == 0 && out.pos == 0)
            return w_fail(err, W_TRUNCATED, "ends inside of a zstd frame");
    }
    return W_DONE;
}

const struct w_decoder w_unzstd = {"zstd", begins, unzstd_open, unzstd_step, unzstd_close};
