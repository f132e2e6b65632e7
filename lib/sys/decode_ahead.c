/* A ring of pieces (ordered.h) with one worker, each job decoding into the next piece. A single
 * worker does the jobs in order, so that decoder and input need no lock: only that thread touches
 * them. A piece has one size, so that memory does not depend on how far a file expands. */
#include "sys/decode_ahead.h"

#include <stdlib.h>
#include <string.h>

#include "sys/fdio.h"
#include "sys/ordered.h"
#include "sys/stop.h"

#define PIECE_BYTES ((size_t)256 << 10)
#define PACKED_BYTES ((size_t)64 << 10)
#define SLOTS 6
#define STOP_POLL_S 0.05 /* how often a wait looks whether the program is to stop */

struct piece {
    u8 *bytes;
    size_t size;
    u64 consumed;         /* bytes of the file, with this piece */
    enum w_status status; /* W_END or a failure: there are no bytes here, and none later */
};

struct w_decode_ahead {
    const struct w_decoder *decoder;
    struct w_input *in;
    /* used by the decoding thread alone, once it runs */
    void *state;
    u8 *packed;
    struct w_decoder_step step; /* its in: what is left in packed */
    u64 read;                   /* bytes of the file up to the end of packed */
    enum w_status status;       /* why no further piece comes */
    struct w_err err;           /* does not change once a piece has a status */

    struct w_ordered *ordered; /* NULL: the caller decodes */
    bool holds;                /* a piece that was handed out */
    u64 consumed;
    struct w_stop stop;
    struct piece pieces[SLOTS];
};

static enum w_status read_more(struct w_decode_ahead *d, struct w_err *err)
{
    size_t got = 0;

    enum w_status status = w_input_some(d->in, d->packed, PACKED_BYTES, &got, err);
    d->step.in = d->packed;
    d->step.in_size = got;
    d->step.in_ends = !status && got == 0;
    d->read += got;
    return status;
}

/* Make a failure of the decoder name the file and the place. */
static enum w_status locate(const struct w_decode_ahead *d, enum w_status status, struct w_err *err)
{
    if (!status || status == W_END)
        return status;
    return w_fail_at(err, status, "%s: byte %llu", d->in->name,
                     (unsigned long long)(d->read - d->step.in_size));
}

static enum w_status fill_piece(struct w_decode_ahead *d, struct piece *piece, struct w_err *err)
{
    enum w_status status = W_DONE;

    d->step.out = piece->bytes;
    d->step.out_size = PIECE_BYTES;
    while (!status && d->step.out_size > 0) {
        if (d->step.in_size == 0 && !d->step.in_ends)
            status = read_more(d, err);
        if (!status)
            status = locate(d, d->decoder->step(d->state, &d->step, err), err);
    }
    piece->size = PIECE_BYTES - d->step.out_size;
    return status;
}

static void decode(void *context, u32 slot, u32 worker)
{
    struct w_decode_ahead *d = context;
    struct piece *piece = &d->pieces[slot];

    (void)worker;
    piece->size = 0;
    if (!d->status)
        d->status = fill_piece(d, piece, &d->err);
    piece->consumed = d->read - d->step.in_size;
    piece->status = piece->size ? W_DONE : d->status; /* what came before a failure comes first */
}

static enum w_status take_memory(struct w_decode_ahead *d, u32 pieces, struct w_err *err)
{
    bool missing = false;

    d->packed = malloc(PACKED_BYTES);
    for (u32 i = 0; i < pieces; i++) {
        d->pieces[i].bytes = malloc(PIECE_BYTES);
        missing |= !d->pieces[i].bytes;
    }
    return d->packed && !missing
               ? W_DONE
               : w_fail(err, W_NOMEM, "%s: no memory to decompress it", d->in->name);
}

static enum w_status start_thread(struct w_decode_ahead *d, struct w_err *err)
{
    enum w_status status = w_stop_open(&d->stop, err);

    if (!status) {
        d->in->stop_fd = d->stop.fd;
        status = w_ordered_new(&d->ordered, 2, SLOTS, decode, d, err);
    }
    for (u32 i = 0; i < SLOTS && !status; i++)
        w_ordered_submit(d->ordered);
    return status;
}

enum w_status w_decode_ahead_open(struct w_decode_ahead **ahead, const struct w_decoder *decoder,
                                  struct w_input *in, const u8 *first, size_t first_size,
                                  u32 threads, struct w_err *err)
{
    struct w_decode_ahead *d = *ahead = calloc(1, sizeof *d);

    if (!d)
        return w_fail(err, W_NOMEM, "%s: no memory to decompress it", in->name);
    d->decoder = decoder;
    d->in = in;
    d->stop = (struct w_stop)W_STOP_NONE;
    enum w_status status = take_memory(d, threads > 1 ? SLOTS : 1, err);
    if (!status) {
        if (first_size > 0)
            memcpy(d->packed, first, first_size);
        d->step.in = d->packed;
        d->step.in_size = d->read = first_size;
        status = decoder->open(&d->state, threads - 1, err);
    }
    if (!status && threads > 1)
        status = start_thread(d, err);
    if (status)
        w_decode_ahead_close(ahead);
    return status;
}

void w_decode_ahead_close(struct w_decode_ahead **ahead)
{
    struct w_decode_ahead *d = *ahead;

    *ahead = NULL;
    if (!d)
        return;
    w_stop_ask(&d->stop); /* a read that waits returns */
    w_ordered_free(d->ordered);
    w_stop_close(&d->stop);
    d->in->stop_fd = 0;
    d->decoder->close(d->state);
    for (u32 i = 0; i < SLOTS; i++)
        free(d->pieces[i].bytes);
    free(d->packed);
    free(d);
}

/* Wait for the next piece. */
static enum w_status take(struct w_decode_ahead *d, const struct piece **piece, struct w_err *err)
{
    u32 slot = 0;
    bool got = false;

    if (!d->ordered) {
        decode(d, slot, 0);
        *piece = &d->pieces[slot];
        return W_DONE;
    }
    if (d->holds) {
        w_ordered_return(d->ordered);
        w_ordered_submit(d->ordered);
        d->holds = false;
    }
    while (!got && !w_stop_is_asked()) /* a signal does not end this wait, so it is short */
        got = w_ordered_poll(d->ordered, STOP_POLL_S, &slot);
    if (!got)
        return w_fail(err, W_SIGNAL, "%s: stopped by a signal", d->in->name);
    *piece = &d->pieces[slot];
    return W_DONE;
}

enum w_status w_decode_ahead_next(struct w_decode_ahead *d, const u8 **bytes, size_t *size,
                                  struct w_err *err)
{
    const struct piece *piece = NULL;

    enum w_status status = take(d, &piece, err);
    if (status)
        return status;
    d->consumed = piece->consumed;
    if (piece->status) { /* the slot is kept, so that the next call returns the same */
        if (err && piece->status != W_END)
            *err = d->err;
        return piece->status;
    }
    d->holds = true;
    *bytes = piece->bytes;
    *size = piece->size;
    return W_DONE;
}

u64 w_decode_ahead_consumed(const struct w_decode_ahead *d)
{
    return d->consumed;
}
