#include "data/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "wire/token_header.h"

#define SLOTS 8          /* batches read ahead: more than a frame of small ones */
#define STOP_POLL_S 0.05 /* how often a wait looks at the stop flag */
#define COLUMN "x"       /* the ids of a batch, as wstream(5) names them */

struct slot {
    u32 *ids;
    struct w_stream_place after;
};

/* Slots [taken, filled) hold batches, counted from the beginning; slot number n % SLOTS. The reader
 * fills ahead of the trainer, which holds slot taken - 1 until it asks for the next one. */
struct w_feed {
    struct w_feed_options options;
    struct w_input in;
    struct w_reader *reader;
    struct w_header header; /* of the first member, a copy */
    u64 known_batches;
    struct w_stream_place start;
    double wait_s;

    /* the reading side alone, once the thread runs */
    u64 member;
    u32 id_bytes;
    u8 *record; /* one batch as it is in the stream */

    pthread_t thread;
    bool running;
    int stop_pipe[2]; /* its closing end wakes a read that blocks */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    u64 taken, filled;
    bool closing;
    enum w_status status; /* why no further batch comes: W_END or a failure; W_DONE while reading */
    struct w_err err;

    struct slot slots[SLOTS];
};

static u64 batch_ids(const struct w_feed *feed)
{
    return feed->options.batch_size * (feed->options.length + 1);
}

/* ---- members ---- */

/* Does the header describe the batches that we were opened for? */
static enum w_status check_header(struct w_feed *feed, const struct w_header *header,
                                  struct w_err *err)
{
    const struct w_feed_options *o = &feed->options;
    const struct w_array *x = w_header_find(header, COLUMN);
    struct w_token_header said;

    w_token_header_read(&said, header);
    if (header->kind != W_BATCH)
        return w_fail(err, W_MISMATCH, "%s: is a stream of %s, not of batches: wbatch makes them",
                      feed->in.name, w_kind_name(header->kind));
    if (!x || x->ndim != 2 || !said.id_bytes || header->array_count != 1)
        return w_fail(err, W_MISMATCH,
                      "%s: batches of an unknown layout: one column \"" COLUMN
                      "\" (B, T+1) of u16 or u32 is needed",
                      feed->in.name);
    if (x->shape[0] != o->batch_size || x->shape[1] != o->length + 1)
        return w_fail(
            err, W_MISMATCH,
            "%s: batches of %llu x %llu ids, but the configuration has batch_size %llu and "
            "max_length %llu, which needs %llu x %llu: give wbatch the same configuration",
            feed->in.name, (unsigned long long)x->shape[0], (unsigned long long)x->shape[1],
            (unsigned long long)o->batch_size, (unsigned long long)o->length,
            (unsigned long long)o->batch_size, (unsigned long long)(o->length + 1));
    if (said.vocab != W_NOT_SAID && said.vocab > o->vocab_size)
        return w_fail(err, W_MISMATCH,
                      "%s: ids of a vocabulary of %llu, but the configuration has vocab_size %llu",
                      feed->in.name, (unsigned long long)said.vocab,
                      (unsigned long long)o->vocab_size);
    feed->id_bytes = said.id_bytes;
    return W_DONE;
}

static enum w_status next_member(struct w_feed *feed, const struct w_header **header,
                                 struct w_err *err)
{
    enum w_status status = w_reader_member(feed->reader, header, err);
    return status ? status : check_header(feed, *header, err);
}

static struct w_stream_place present_place(const struct w_feed *feed)
{
    return (struct w_stream_place){.member = feed->member,
                                   .place = w_reader_place(feed->reader),
                                   .header_crc = w_reader_header_crc(feed->reader)};
}

/* Go to the place where an earlier run stopped, and make sure that it is the same data. */
static enum w_status go_to_start(struct w_feed *feed, struct w_err *err)
{
    const struct w_stream_place *start = feed->options.start;
    const struct w_header *header = NULL;
    enum w_status status = W_DONE;

    for (; feed->member < start->member && !status; feed->member++)
        status = next_member(feed, &header, err);
    bool same = status == W_DONE && w_reader_header_crc(feed->reader) == start->header_crc;
    if (same)
        status = w_reader_seek(feed->reader, start->place.pos, &start->place.link, err);
    if (status == W_END || status == W_MISMATCH || (!status && !same))
        status = w_fail(err, W_MISMATCH,
                        "%s: other data than the checkpoint was trained on (they differ before "
                        "batch %llu): resume with the same batches",
                        feed->in.name, (unsigned long long)start->place.pos);
    return status;
}

/* ---- the reading thread ---- */

/* One batch into a slot, wider ids where the stream has narrow ones, all of them checked. */
static enum w_status read_batch(struct w_feed *feed, struct slot *slot, struct w_err *err)
{
    const struct w_header *header = NULL;
    u64 got = 0, count = batch_ids(feed), limit = feed->options.vocab_size, largest = 0;

    enum w_status status = w_reader_upto(feed->reader, feed->record, 1, &got, err);
    while (!status && got == 0) {
        status = next_member(feed, &header, err);
        feed->member++;
        if (!status)
            status = w_reader_upto(feed->reader, feed->record, 1, &got, err);
    }
    if (status)
        return status;
    for (u64 i = 0; i < count; i++) {
        u32 id = w_id_at(feed->record, feed->id_bytes, i);
        largest = W_MAX(largest, id);
        slot->ids[i] = id;
    }
    slot->after = present_place(feed);
    if (largest >= limit)
        return w_fail(err, W_CORRUPT,
                      "%s: batch %llu has the id %llu, but the configuration has vocab_size %llu",
                      feed->in.name, (unsigned long long)slot->after.place.pos - 1,
                      (unsigned long long)largest, (unsigned long long)limit);
    return W_DONE;
}

static void *read_ahead(void *context)
{
    struct w_feed *feed = context;
    enum w_status status = W_DONE;
    struct w_err err = {0};

    pthread_mutex_lock(&feed->lock);
    while (!status && !feed->closing) {
        /* One slot less than there are: the trainer still reads the one that it took last. */
        if (feed->filled - feed->taken == SLOTS - 1) {
            pthread_cond_wait(&feed->changed, &feed->lock);
            continue;
        }
        struct slot *slot = &feed->slots[feed->filled % SLOTS];
        pthread_mutex_unlock(&feed->lock);
        status = read_batch(feed, slot, &err);
        pthread_mutex_lock(&feed->lock);
        feed->filled += !status;
        feed->status = status;
        feed->err = err;
        pthread_cond_broadcast(&feed->changed);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

/* ---- the trainer's side ---- */

static bool stop_asked(const struct w_feed *feed)
{
    return feed->options.stop && *feed->options.stop;
}

/* Wait, under the lock, for a change or for a moment: a signal wakes no condition. */
static void wait_a_moment(struct w_feed *feed)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(STOP_POLL_S * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&feed->changed, &feed->lock, &until);
}

enum w_status w_feed_next(struct w_feed *feed, const u32 **ids, struct w_stream_place *after,
                          struct w_err *err)
{
    double started_s = w_now_s();
    enum w_status status = W_DONE;

    pthread_mutex_lock(&feed->lock);
    while (feed->filled == feed->taken && !feed->status && !stop_asked(feed))
        wait_a_moment(feed);
    if (feed->filled > feed->taken) {
        const struct slot *slot = &feed->slots[feed->taken++ % SLOTS];
        *ids = slot->ids;
        *after = slot->after;
        pthread_cond_broadcast(&feed->changed);
    } else if (feed->status) {
        status = feed->status;
        if (err)
            *err = feed->err;
    } else {
        status = w_fail(err, W_SIGNAL, "%s: stopped by a signal while waiting", feed->in.name);
    }
    pthread_mutex_unlock(&feed->lock);
    feed->wait_s += w_now_s() - started_s;
    return status;
}

double w_feed_wait_s(const struct w_feed *feed)
{
    return feed->wait_s;
}

const struct w_header *w_feed_header(const struct w_feed *feed)
{
    return &feed->header;
}

u64 w_feed_known_batches(const struct w_feed *feed)
{
    return feed->known_batches;
}

struct w_stream_place w_feed_start(const struct w_feed *feed)
{
    return feed->start;
}

/* ---- life ---- */

static enum w_status start_thread(struct w_feed *feed, struct w_err *err)
{
    pthread_condattr_t attributes;
    sigset_t all, before;

    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    /* Signals are for the program's own thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    errno = pthread_create(&feed->thread, NULL, read_ahead, feed);
    feed->running = errno == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return feed->running ? W_DONE : w_fail_errno(err, "cannot start the reading thread");
}

static enum w_status open_stream(struct w_feed *feed, struct w_err *err)
{
    const struct w_header *header = NULL;

    enum w_status status = w_input_open(&feed->in, feed->options.path, err);
    if (!status && pipe(feed->stop_pipe))
        status = w_fail_errno(err, "%s: cannot make a pipe", feed->in.name);
    if (status)
        return status;
    feed->in.stop_fd = feed->stop_pipe[0];
    status = w_reader_open(&feed->reader, &feed->in, err);
    if (!status)
        status = next_member(feed, &header, err);
    if (status == W_END)
        return w_fail(err, W_TRUNCATED, "%s: is empty: did the program before it in the pipe fail?",
                      feed->in.name);
    if (!status)
        status = w_header_from_json(&feed->header, w_json_copy(header->json), err);
    if (!status)
        feed->known_batches = w_reader_known_total(feed->reader);
    if (!status && feed->options.start)
        status = go_to_start(feed, err);
    if (!status)
        feed->start = present_place(feed);
    return status;
}

enum w_status w_feed_open(struct w_feed **out, const struct w_feed_options *options,
                          struct w_err *err)
{
    struct w_feed *feed = calloc(1, sizeof *feed);
    enum w_status status = W_DONE;

    *out = feed;
    if (!feed)
        return w_fail(err, W_NOMEM, "no memory to read batches");
    feed->options = *options;
    feed->in.fd = feed->stop_pipe[0] = feed->stop_pipe[1] = -1;
    feed->record = malloc(batch_ids(feed) * sizeof(u32));
    for (u32 i = 0; i < SLOTS; i++) {
        feed->slots[i].ids = malloc(batch_ids(feed) * sizeof(u32));
        if (!feed->slots[i].ids || !feed->record)
            status = w_fail(err, W_NOMEM, "no memory for %u batches read ahead", SLOTS);
    }
    if (!status)
        status = open_stream(feed, err);
    if (!status)
        status = start_thread(feed, err);
    if (status)
        w_feed_close(out);
    return status;
}

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

void w_feed_close(struct w_feed **out)
{
    struct w_feed *feed = *out;

    if (!feed)
        return;
    if (feed->running) {
        pthread_mutex_lock(&feed->lock);
        feed->closing = true;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
        close_end(feed->stop_pipe[1]); /* the other end now reads as ended */
        feed->stop_pipe[1] = -1;
        pthread_join(feed->thread, NULL);
        pthread_cond_destroy(&feed->changed);
        pthread_mutex_destroy(&feed->lock);
    }
    close_end(feed->stop_pipe[0]);
    close_end(feed->stop_pipe[1]);
    w_header_free(&feed->header);
    w_reader_close(&feed->reader);
    w_input_close(&feed->in);
    for (u32 i = 0; i < SLOTS; i++)
        free(feed->slots[i].ids);
    free(feed->record);
    free(feed);
    *out = NULL;
}
