#include "wire/packer.h"

#include <stdlib.h>

#include "sys/deflate.h"
#include "sys/ordered.h"

struct w_packer {
    u32 slots, raw_capacity;
    struct w_parcel *parcels; /* by slot */
    u32 threads;
    struct w_deflater **deflaters; /* by thread; NULL: stores */
    struct w_ordered *ordered;
};

static enum w_status compress(struct w_packer *p, struct w_deflater *deflater,
                              struct w_parcel *parcel, struct w_err *err)
{
    size_t size = 0;

    parcel->codec = W_STORED;
    parcel->bytes = parcel->raw_block;
    parcel->stored_len = parcel->raw_len;
    if (deflater) {
        if (!parcel->packed_block)
            parcel->packed_block = malloc(W_FRAME_BYTES + w_deflate_bound(p->raw_capacity));
        if (!parcel->packed_block)
            return w_fail(err, W_NOMEM, "no memory for a compressed frame");
        enum w_status status = w_deflate(deflater, parcel->raw, parcel->raw_len,
                                         parcel->packed_block + W_FRAME_BYTES, &size, err);
        if (status)
            return status;
        /* What does not shrink is stored: cheaper to read, and the reader's limits hold. */
        if (size < parcel->raw_len && w_frame_ratio_ok(parcel->raw_len, (u32)size)) {
            parcel->codec = W_ZLIB;
            parcel->bytes = parcel->packed_block;
            parcel->stored_len = (u32)size;
        }
    }
    parcel->payload_crc = w_crc32(0, parcel->bytes + W_FRAME_BYTES, parcel->stored_len);
    return W_DONE;
}

static void pack(void *context, u32 slot, u32 worker)
{
    struct w_packer *p = context;
    struct w_parcel *parcel = &p->parcels[slot];

    parcel->status = compress(p, p->deflaters ? p->deflaters[worker] : NULL, parcel, &parcel->err);
}

/* A compressor for each thread; those that cannot be had are done without, but for the caller's. */
static enum w_status make_deflaters(struct w_packer *p, u32 threads, int level, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_err ignored;

    p->deflaters = calloc(threads, sizeof *p->deflaters);
    if (!p->deflaters)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    while (p->threads < threads && !status) {
        status = w_deflater_new(&p->deflaters[p->threads], level, p->threads ? &ignored : err);
        p->threads += !status;
    }
    return p->threads ? W_DONE : status;
}

enum w_status w_packer_new(struct w_packer **out, u32 threads, int level, u32 raw_capacity,
                           struct w_err *err)
{
    struct w_packer *p = calloc(1, sizeof *p);
    enum w_status status = W_DONE;

    *out = NULL;
    if (!p)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    p->raw_capacity = raw_capacity;
    if (level > 0)
        status = make_deflaters(p, W_MAX(threads, 1), level, err);
    else
        p->threads = 1; /* storing is but a checksum: handing it over would cost more */
    p->slots = w_ordered_slots(p->threads);
    p->parcels = calloc(p->slots, sizeof *p->parcels);
    if (!status && !p->parcels)
        status = w_fail(err, W_NOMEM, "no memory for a stream writer");
    /* Threads that cannot be had are done without as well. */
    if (!status && w_ordered_new(&p->ordered, p->threads, p->slots, pack, p, err))
        status = w_ordered_new(&p->ordered, 1, p->slots, pack, p, err);
    if (status)
        w_packer_free(p);
    else
        *out = p;
    return status;
}

void w_packer_free(struct w_packer *p)
{
    if (!p)
        return;
    w_ordered_free(p->ordered); /* first: its threads use the others */
    for (u32 i = 0; p->parcels && i < p->slots; i++) {
        free(p->parcels[i].raw_block);
        free(p->parcels[i].packed_block);
    }
    for (u32 i = 0; p->deflaters && i < p->threads; i++)
        w_deflater_free(p->deflaters[i]);
    free(p->deflaters);
    free(p->parcels);
    free(p);
}

enum w_status w_packer_next(struct w_packer *p, struct w_parcel **out, struct w_err *err)
{
    u32 slot;

    *out = NULL;
    if (!w_ordered_next(p->ordered, &slot))
        return W_DONE;
    struct w_parcel *parcel = &p->parcels[slot];
    if (!parcel->raw_block) {
        parcel->raw_block = malloc(W_FRAME_BYTES + (size_t)p->raw_capacity);
        if (!parcel->raw_block)
            return w_fail(err, W_NOMEM, "no memory for a frame of %u bytes", p->raw_capacity);
        parcel->raw = parcel->raw_block + W_FRAME_BYTES;
    }
    *out = parcel;
    return W_DONE;
}

void w_packer_submit(struct w_packer *p)
{
    w_ordered_submit(p->ordered);
}

enum w_status w_packer_take(struct w_packer *p, bool wait, struct w_parcel **out, struct w_err *err)
{
    u32 slot;

    *out = NULL;
    if (!(wait ? w_ordered_take(p->ordered, &slot) : w_ordered_poll(p->ordered, 0, &slot)))
        return W_DONE;
    struct w_parcel *parcel = &p->parcels[slot];
    if (parcel->status) {
        if (err)
            *err = parcel->err;
        return parcel->status;
    }
    *out = parcel;
    return W_DONE;
}

void w_packer_return(struct w_packer *p)
{
    w_ordered_return(p->ordered);
}
