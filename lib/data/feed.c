#include "data/feed.h"

#include <stdlib.h>

#include "sys/clock.h"
#include "sys/ordered.h"
#include "sys/stop.h"
#include "wire/token_header.h"

#define SLOTS 8 /* batches read ahead, with the trainer's: more than a frame of small ones */
#define STOP_POLL_S 0.05 /* how often a wait looks at the stop flag */
#define COLUMN "x"       /* the ids of a batch, as wstream(5) names them */

struct slot {
    u32 *ids;
    struct w_stream_place after;
    enum w_status status; /* W_END or a failure: there is no batch here, and none later */
};

/* Each job of the one worker reads a batch into its slot. The trainer holds the slot that it took until
 * it asks for the next one; all others are always submitted. */
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
    u8 *record;           /* one batch as it is in the stream */
    enum w_status status; /* why no further batch comes: W_END or a failure; W_DONE while reading */
    struct w_err err;     /* does not change once a slot has a status */

    struct w_ordered *ordered;
    bool holds; /* a slot that was taken */
    struct w_stop stop;
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

static void read_ahead(void *context, u32 slot, u32 worker)
{
    struct w_feed *feed = context;

    (void)worker;
    if (!feed->status)
        feed->status = read_batch(feed, &feed->slots[slot], &feed->err);
    feed->slots[slot].status = feed->status;
}

/* ---- the trainer's side ---- */

static bool stop_asked(const struct w_feed *feed)
{
    return feed->options.stop && *feed->options.stop;
}

enum w_status w_feed_next(struct w_feed *feed, const u32 **ids, struct w_stream_place *after,
                          struct w_err *err)
{
    double started_s = w_now_s();
    bool stops, got;
    u32 slot = 0;

    if (feed->holds) {
        w_ordered_return(feed->ordered);
        w_ordered_submit(feed->ordered);
        feed->holds = false;
    }
    do { /* a signal ends no wait, so each is short */
        stops = stop_asked(feed);
        got = w_ordered_poll(feed->ordered, stops ? 0 : STOP_POLL_S, &slot);
    } while (!got && !stops);
    feed->wait_s += w_now_s() - started_s;
    if (!got)
        return w_fail(err, W_SIGNAL, "%s: stopped by a signal while waiting", feed->in.name);
    const struct slot *taken = &feed->slots[slot];
    if (taken->status) { /* it stays for the next call to see */
        if (err)
            *err = feed->err;
        return taken->status;
    }
    *ids = taken->ids;
    *after = taken->after;
    feed->holds = true;
    return W_DONE;
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

static enum w_status open_stream(struct w_feed *feed, struct w_err *err)
{
    const struct w_header *header = NULL;

    enum w_status status = w_input_open(&feed->in, feed->options.path, err);
    if (!status)
        status = w_stop_open(&feed->stop, err);
    if (status)
        return status;
    feed->in.stop_fd = feed->stop.fd;
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
    feed->in.fd = -1;
    feed->stop = (struct w_stop)W_STOP_NONE;
    feed->record = malloc(batch_ids(feed) * sizeof(u32));
    for (u32 i = 0; i < SLOTS; i++) {
        feed->slots[i].ids = malloc(batch_ids(feed) * sizeof(u32));
        if (!feed->slots[i].ids || !feed->record)
            status = w_fail(err, W_NOMEM, "no memory for %u batches read ahead", SLOTS);
    }
    if (!status)
        status = open_stream(feed, err);
    if (!status) /* the trainer and one that reads, in the order of the slots */
        status = w_ordered_new(&feed->ordered, 2, SLOTS, read_ahead, feed, err);
    for (u32 i = 0; i < SLOTS && !status; i++)
        w_ordered_submit(feed->ordered);
    if (status)
        w_feed_close(out);
    return status;
}

void w_feed_close(struct w_feed **out)
{
    struct w_feed *feed = *out;

    if (!feed)
        return;
    w_stop_ask(&feed->stop); /* a read that blocks returns */
    w_ordered_free(feed->ordered);
    w_stop_close(&feed->stop);
    w_header_free(&feed->header);
    w_reader_close(&feed->reader);
    w_input_close(&feed->in);
    for (u32 i = 0; i < SLOTS; i++)
        free(feed->slots[i].ids);
    free(feed->record);
    free(feed);
    *out = NULL;
}
