/* gzip: members in a row, which may be followed by zeros (tapes were filled with them). The only
 * user of zlib.h: libdeflate, which deflate.c uses for frames, wants a member in memory as a
 * whole. */
#include <stdlib.h>
#include <zlib.h>

#include "sys/decoder.h"

#define GZIP_ONLY (16 + MAX_WBITS) /* zlib's way to ask for gzip and not zlib */

struct gunzip {
    z_stream z;
    bool inside; /* of a member */
    bool filled; /* zeros were seen after a member: nothing else may follow */
};

static bool begins(const u8 *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == Z_DEFLATED;
}

static void gunzip_close(void *state)
{
    struct gunzip *g = state;

    if (g)
        (void)inflateEnd(&g->z);
    free(g);
}

static enum w_status gunzip_open(void **state, u32 threads, struct w_err *err)
{
    struct gunzip *g = *state = calloc(1, sizeof *g);

    (void)threads;
    if (g && inflateInit2(&g->z, GZIP_ONLY) == Z_OK)
        return W_DONE;
    free(g);
    *state = NULL;
    return w_fail(err, W_NOMEM, "no memory to decompress gzip");
}

/* After a member: another one, zeros, or the end. W_NO: nothing is known before there is more
 * input. */
static enum w_status enter_member(struct gunzip *g, struct w_decoder_step *s, struct w_err *err)
{
    while (s->in_size > 0 && *s->in == 0) {
        g->filled = true;
        s->in++, s->in_size--;
    }
    if (s->in_size == 0)
        return s->in_ends ? W_END : W_NO;
    if (g->filled || *s->in != 0x1f)
        return w_fail(err, W_CORRUPT, "what follows a gzip member is not gzip");
    g->inside = true;
    return inflateReset(&g->z) == Z_OK ? W_DONE : w_fail(err, W_CORRUPT, "broken gzip");
}

static enum w_status inflate_some(struct gunzip *g, struct w_decoder_step *s, struct w_err *err)
{
    g->z.next_in = (Bytef *)(uintptr_t)s->in; /* zlib only reads it */
    g->z.avail_in = (uInt)W_MIN(s->in_size, (size_t)1 << 30);
    g->z.next_out = s->out;
    g->z.avail_out = (uInt)W_MIN(s->out_size, (size_t)1 << 30);
    int result = inflate(&g->z, Z_NO_FLUSH);
    s->in_size -= (size_t)(g->z.next_in - s->in);
    s->in = g->z.next_in;
    s->out_size -= (size_t)(g->z.next_out - s->out);
    s->out = g->z.next_out;
    switch (result) {
    case Z_STREAM_END: g->inside = false; return W_DONE;
    case Z_OK: return W_DONE;
    case Z_BUF_ERROR: /* no progress: it wants input */
        return s->in_ends && s->in_size == 0
                   ? w_fail(err, W_TRUNCATED, "ends inside of a gzip member")
                   : W_NO;
    case Z_MEM_ERROR: return w_fail(err, W_NOMEM, "no memory to decompress gzip");
    default: return w_fail(err, W_CORRUPT, "broken gzip: %s", g->z.msg ? g->z.msg : "damaged");
    }
}

static enum w_status gunzip_step(void *state, struct w_decoder_step *s, struct w_err *err)
{
    struct gunzip *g = state;
    enum w_status status = W_DONE;

    while (!status && s->out_size > 0) {
        if (!g->inside)
            status = enter_member(g, s, err);
        if (!status)
            status = inflate_some(g, s, err);
    }
    return status == W_NO ? W_DONE : status;
}

const struct w_decoder w_gunzip = {"gzip", begins, gunzip_open, gunzip_step, gunzip_close};
