/* xz: streams in a row with padding between them. A stream whose blocks say their sizes, as `xz
 * -T0` and pixz write it, is decoded on threads by liblzma. The only user of lzma.h. */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "sys/decoder.h"

#define FLAGS (LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK)
#define THREAD_BYTES ((u64)64 << 20) /* a block of `xz -T0 -6` with its output and dictionary */
#define LEAST_BYTES ((u64)8 << 20)   /* beside the dictionary */
#define THREADED 50040002u           /* the first liblzma that decodes on threads */

static bool begins(const u8 *bytes, size_t size)
{
    return size >= 6 && !memcmp(bytes,
                                "\xfd"
                                "7zXZ",
                                6); /* with the NUL */
}

static void unxz_close(void *state)
{
    lzma_stream *z = state;

    if (z)
        lzma_end(z);
    free(z);
}

static lzma_ret start(lzma_stream *z, u32 threads)
{
    const u64 limit = W_DECODER_WINDOW_BYTES + LEAST_BYTES;

#if LZMA_VERSION >= THREADED
    if (threads > 1) {
        const lzma_mt how = {.flags = FLAGS,
                             .threads = threads,
                             .memlimit_threading = W_MAX(limit, THREAD_BYTES * threads),
                             .memlimit_stop = limit};
        return lzma_stream_decoder_mt(z, &how);
    }
#endif
    (void)threads;
    return lzma_stream_decoder(z, limit, FLAGS);
}

static enum w_status unxz_open(void **state, u32 threads, struct w_err *err)
{
    lzma_stream *z = malloc(sizeof *z);

    *state = z;
    if (z)
        *z = (lzma_stream)LZMA_STREAM_INIT;
    if (z && start(z, threads) == LZMA_OK)
        return W_DONE;
    unxz_close(z);
    *state = NULL;
    return w_fail(err, W_NOMEM, "no memory to decompress xz");
}

static enum w_status explain(lzma_ret result, struct w_err *err)
{
    switch (result) {
    case LZMA_MEM_ERROR: return w_fail(err, W_NOMEM, "no memory to decompress xz");
    case LZMA_MEMLIMIT_ERROR:
        return w_fail(
            err, W_LIMIT,
            "this xz needs a dictionary of more than %llu MiB: decompress it before (xz -dc)",
            (unsigned long long)(W_DECODER_WINDOW_BYTES >> 20));
    case LZMA_FORMAT_ERROR: return w_fail(err, W_CORRUPT, "what follows an xz stream is not xz");
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK:
        return w_fail(err, W_NEWER, "xz of a kind that needs a newer liblzma");
    case LZMA_BUF_ERROR: return w_fail(err, W_TRUNCATED, "ends inside of an xz stream");
    default: return w_fail(err, W_CORRUPT, "broken xz");
    }
}

static enum w_status unxz_step(void *state, struct w_decoder_step *s, struct w_err *err)
{
    lzma_stream *z = state;
    lzma_ret result = LZMA_OK;

    z->next_in = s->in;
    z->avail_in = s->in_size;
    z->next_out = s->out;
    z->avail_out = s->out_size;
    while (result == LZMA_OK && z->avail_out > 0 && (z->avail_in > 0 || s->in_ends))
        result = lzma_code(z, s->in_ends ? LZMA_FINISH : LZMA_RUN);
    s->in = z->next_in;
    s->in_size = z->avail_in;
    s->out = z->next_out;
    s->out_size = z->avail_out;
    if (result == LZMA_OK || (result == LZMA_BUF_ERROR && !s->in_ends)) /* it wants input */
        return W_DONE;
    return result == LZMA_STREAM_END ? W_END : explain(result, err);
}

const struct w_decoder w_unxz = {"xz", begins, unxz_open, unxz_step, unxz_close};
