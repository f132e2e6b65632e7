#include "wire/packer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "sys/deflate.h"

enum { SUBMITTED, BEGUN, READY };
enum { WORKERS_MAX = 255 };

struct w_packer {
    u32 slots, raw_capacity;
    int level;
    struct w_parcel *parcels;    /* a ring of `slots` */
    struct w_deflater *deflater; /* the caller's */
    pthread_t workers[WORKERS_MAX];
    u32 worker_count;

    /* Numbers of parcels, counted from the first; under the mutex. taken <= begun <= submitted. */
    pthread_mutex_t mutex;
    pthread_cond_t work; /* submitted moved, or stop */
    pthread_cond_t ready;
    u64 taken, begun, submitted;
    bool stop;
};

static struct w_parcel *slot(struct w_packer *p, u64 number)
{
    return &p->parcels[number % p->slots];
}

/* ---- packing one ---- */

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

/* Pack the oldest parcel that nobody has begun. Called with the mutex held; gives it up meanwhile. */
static void pack_next(struct w_packer *p, struct w_deflater *deflater)
{
    struct w_parcel *parcel = slot(p, p->begun++);

    parcel->state = BEGUN;
    pthread_mutex_unlock(&p->mutex);
    enum w_status status = compress(p, deflater, parcel, &parcel->err);
    pthread_mutex_lock(&p->mutex);
    parcel->status = status;
    parcel->state = READY;
    pthread_cond_signal(&p->ready);
}

static void *worker(void *context)
{
    struct w_packer *p = context;
    struct w_deflater *deflater = NULL;
    struct w_err err;

    /* A worker without memory for its compressor ends: the caller packs what nobody begins. */
    if (p->level > 0 && w_deflater_new(&deflater, p->level, &err))
        return NULL;
    pthread_mutex_lock(&p->mutex);
    while (!p->stop) {
        if (p->begun < p->submitted)
            pack_next(p, deflater);
        else
            pthread_cond_wait(&p->work, &p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
    w_deflater_free(deflater);
    return NULL;
}

/* ---- the ring ---- */

enum w_status w_packer_new(struct w_packer **out, u32 threads, int level, u32 raw_capacity,
                           struct w_err *err)
{
    struct w_packer *p = calloc(1, sizeof *p);
    /* Storing is but a checksum: handing it over would cost more. */
    u32 workers = threads > 1 && level > 0 ? W_MIN(threads - 1, (u32)WORKERS_MAX) : 0;
    enum w_status status = W_DONE;
    sigset_t all, old;

    *out = NULL;
    if (!p)
        return w_fail(err, W_NOMEM, "no memory for a stream writer");
    p->level = level;
    p->raw_capacity = raw_capacity;
    p->slots = workers ? 2 * (workers + 1) + 2 : 1;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->ready, NULL);
    p->parcels = calloc(p->slots, sizeof *p->parcels);
    if (!p->parcels)
        status = w_fail(err, W_NOMEM, "no memory for a stream writer");
    if (!status && level > 0)
        status = w_deflater_new(&p->deflater, level, err);
    /* Signals are for the program's own thread. A thread that cannot be had is done without. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (!status && p->worker_count < workers &&
           !pthread_create(&p->workers[p->worker_count], NULL, worker, p))
        p->worker_count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
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
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->mutex);
    for (u32 i = 0; i < p->worker_count; i++)
        pthread_join(p->workers[i], NULL);
    for (u32 i = 0; p->parcels && i < p->slots; i++) {
        free(p->parcels[i].raw_block);
        free(p->parcels[i].packed_block);
    }
    w_deflater_free(p->deflater);
    pthread_cond_destroy(&p->ready);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    free(p->parcels);
    free(p);
}

enum w_status w_packer_next(struct w_packer *p, struct w_parcel **out, struct w_err *err)
{
    /* Only the caller moves `taken` and `submitted`: it may read them without the mutex. */
    struct w_parcel *parcel = slot(p, p->submitted);

    *out = NULL;
    if (p->submitted - p->taken == p->slots)
        return W_DONE;
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
    pthread_mutex_lock(&p->mutex);
    slot(p, p->submitted)->state = SUBMITTED;
    p->submitted++;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->mutex);
}

enum w_status w_packer_take(struct w_packer *p, bool wait, struct w_parcel **out, struct w_err *err)
{
    struct w_parcel *parcel = slot(p, p->taken);

    *out = NULL;
    if (p->taken == p->submitted)
        return W_DONE;
    pthread_mutex_lock(&p->mutex);
    while (wait && parcel->state != READY) {
        if (p->begun < p->submitted)
            pack_next(p, p->deflater);
        else
            pthread_cond_wait(&p->ready, &p->mutex);
    }
    bool ready = parcel->state == READY;
    pthread_mutex_unlock(&p->mutex);
    if (!ready)
        return W_DONE;
    if (parcel->status) {
        if (err)
            *err = parcel->err;
        return parcel->status;
    }
    *out = parcel;
    return W_DONE;
}

void w_packer_release(struct w_packer *p)
{
    pthread_mutex_lock(&p->mutex);
    p->taken++;
    pthread_mutex_unlock(&p->mutex);
}
