/* Reading ahead on one thread: a ring of jobs (sys/ordered.h) with one worker, each job reading the
 * next batch into its slot. A single worker does the jobs in order, so that the reader needs no
 * lock: only that thread touches it. Each slot carries the place after its batch, so that a
 * checkpoint can name the place of the trainer although the reader is further ahead. A signal or
 * w_loader_close() ends a read that waits for a pipe (sys/stop.h). */
#include "data/loader.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/deflate.h"
#include "sys/ordered.h"
#include "sys/stop.h"
#include "wire/token_header.h"

#define SLOTS 8 /* batches in memory, with the trainer's: more than a frame of small ones */
#define STOP_POLL_S 0.05 /* how often a wait looks at the stop flag */
#define COLUMN "x"       /* the ids of a batch, as wstream(5) names them */

struct slot {
    u32 *ids;
    float *lp; /* NULL, as ctx, without columns of counts */
    u8 *ctx;
    struct w_batch_place after;
    u32 *targets;         /* NULL without padding */
    enum w_status status; /* W_END or a failure: there is no batch here, and none later */
};

/* Each job of the one worker reads a batch into its slot. The trainer holds the slot that it took
 * until it asks for the next one; all others are always submitted. */
struct w_loader {
    struct w_loader_options options;
    struct w_input in;
    struct w_reader *reader;
    struct w_header header; /* of the first member, a copy */
    u64 known_batches, features;
    struct w_batch_place start;
    bool padded;
    double wait_s;

    /* used only by the reading thread, once it runs */
    struct w_batch_place place; /* of the next batch */
    u64 shared;                 /* batches read of those that are shared out together */
    struct w_token_header said;
    u8 *record;           /* one batch as it is in the stream */
    enum w_status status; /* why no further batch comes: W_END or a failure; else W_DONE */
    struct w_err err;     /* does not change once a slot has a status */

    struct w_ordered *ordered;
    bool holds; /* a slot that was taken */
    struct w_stop stop;
    struct slot slots[SLOTS];
};

static u64 batch_ids(const struct w_loader *loader)
{
    return loader->options.batch_size * (loader->options.length + 1);
}

/* ---- members ---- */

/* Does the header describe batches of the shape and vocabulary asked for? */
static enum w_status check_header(struct w_loader *loader, const struct w_header *header,
                                  struct w_err *err)
{
    const struct w_loader_options *o = &loader->options;
    const struct w_array *x = w_header_find(header, COLUMN);
    struct w_token_header said;

    w_token_header_read(&said, header);
    if (header->kind != W_BATCH)
        return w_fail(err, W_MISMATCH, "%s: is a stream of %s, not of batches: wbatch makes them",
                      loader->in.name, w_kind_name(header->kind));
    if (!x || x->ndim != 2 || !said.id_bytes)
        return w_fail(err, W_MISMATCH,
                      "%s: batches of an unknown layout: a column \"" COLUMN
                      "\" (B, T+1) of u16 or u32 is needed",
                      loader->in.name);
    if (x->shape[0] != o->batch_size || x->shape[1] != o->length + 1)
        return w_fail(
            err, W_MISMATCH,
            "%s: batches of %llu x %llu ids, but the configuration has batch_size %llu and "
            "max_length %llu, which needs %llu x %llu: give wbatch the same configuration",
            loader->in.name, (unsigned long long)x->shape[0], (unsigned long long)x->shape[1],
            (unsigned long long)o->batch_size, (unsigned long long)o->length,
            (unsigned long long)o->batch_size, (unsigned long long)(o->length + 1));
    if (said.vocab != W_NOT_SAID && said.vocab > o->vocab_size)
        return w_fail(err, W_MISMATCH,
                      "%s: ids of a vocabulary of %llu, but the configuration has vocab_size %llu",
                      loader->in.name, (unsigned long long)said.vocab,
                      (unsigned long long)o->vocab_size);
    if (loader->header.json &&
        (said.features != loader->features || (said.sequences > 0) != loader->padded ||
         said.record_bytes != loader->header.record_bytes))
        return w_fail(err, W_MISMATCH,
                      "%s: batches with other columns than the first of the stream",
                      loader->in.name);
    loader->said = said;
    return W_DONE;
}

static enum w_status next_member(struct w_loader *loader, const struct w_header **header,
                                 struct w_err *err)
{
    enum w_status status = w_reader_member(loader->reader, header, err);
    return status ? status : check_header(loader, *header, err);
}

/* ---- the reading thread ---- */

/* The next record, of this member or of the one after it. */
static enum w_status next_record(struct w_loader *loader, struct w_err *err)
{
    const struct w_header *header = NULL;
    u64 got = 0;

    enum w_status status = w_reader_upto(loader->reader, loader->record, 1, &got, err);
    while (!status && got == 0) {
        status = next_member(loader, &header, err);
        if (!status)
            status = w_reader_upto(loader->reader, loader->record, 1, &got, err);
    }
    if (!status) {
        loader->place.crc = w_crc32(loader->place.crc, loader->record, loader->header.record_bytes);
        loader->place.pos++;
    }
    return status;
}

/* Read on to the place where an earlier run stopped. W_MISMATCH, with the reason: other batches
 * lead there. */
static enum w_status read_to_start(struct w_loader *loader, struct w_err *err)
{
    const struct w_batch_place *start = loader->options.start;
    struct w_json *origin = w_origin_make(&loader->header);

    enum w_status status = w_origin_same(origin, loader->options.origin, err);
    w_json_free(origin);
    if (!status && loader->place.pos > start->pos)
        return w_fail(err, W_MISMATCH,
                      "they begin with batch %llu, and it continues with batch %llu: wbatch "
                      "--start %llu",
                      (unsigned long long)loader->place.pos, (unsigned long long)start->pos,
                      (unsigned long long)start->pos);
    while (!status && loader->place.pos < start->pos)
        status = next_record(loader, err);
    if (status == W_END)
        return w_fail(err, W_MISMATCH, "they are %llu batches, and it has had %llu",
                      (unsigned long long)loader->place.pos, (unsigned long long)start->pos);
    if (!status && loader->place.crc != start->crc)
        return w_fail(err, W_MISMATCH, "they differ before batch %llu",
                      (unsigned long long)start->pos);
    return status;
}

static enum w_status go_to_start(struct w_loader *loader, struct w_err *err)
{
    enum w_status status = read_to_start(loader, err);

    if (status == W_MISMATCH) {
        const struct w_err why = *err;
        w_fail(err, status,
               "%s: other data than the checkpoint was trained on (%.500s): resume with the same "
               "batches",
               loader->in.name, why.text);
    }
    return status;
}

/* Take the ids of the record at hand, widened to 32 bits and checked. */
static enum w_status take_ids(struct w_loader *loader, u32 *ids, struct w_err *err)
{
    const u8 *x = loader->record + loader->said.ids_at;
    u64 count = batch_ids(loader), limit = loader->options.vocab_size, largest = 0;

    for (u64 i = 0; i < count; i++) {
        u32 id = w_id_at(x, loader->said.id_bytes, i);
        largest = W_MAX(largest, id);
        ids[i] = id;
    }
    if (largest >= limit)
        return w_fail(err, W_CORRUPT,
                      "%s: batch %llu has the id %llu, but the configuration has vocab_size %llu",
                      loader->in.name, (unsigned long long)loader->place.pos - 1,
                      (unsigned long long)largest, (unsigned long long)limit);
    return W_DONE;
}

/* Take the columns of the counts, if there are any. */
static enum w_status take_counts(struct w_loader *loader, struct slot *slot, struct w_err *err)
{
    const struct w_token_header *said = &loader->said;
    const u64 count = said->features ? batch_ids(loader) : 0;

    for (u64 i = 0; i < count; i++) {
        slot->lp[i] = w_lp_at(loader->record + said->lp_at, i);
        if (!w_lp_ok(slot->lp[i]))
            return w_fail(err, W_CORRUPT,
                          "%s: batch %llu, id %llu of %llu: lp %g is no log-probability",
                          loader->in.name, (unsigned long long)loader->place.pos - 1,
                          (unsigned long long)i, (unsigned long long)count, (double)slot->lp[i]);
    }
    if (count)
        memcpy(slot->ctx, loader->record + said->ctx_at, count * said->features);
    return W_DONE;
}

/* Take how many targets are text, where there is padding. */
static enum w_status take_targets(struct w_loader *loader, struct slot *slot, struct w_err *err)
{
    const struct w_token_header *said = &loader->said;
    const u64 number = loader->place.pos - 1;

    if (w_targets_check(said, loader->record, number, err))
        return w_fail_at(err, W_CORRUPT, "%s", loader->in.name);
    for (u64 b = 0; b < said->sequences; b++)
        slot->targets[b] = (u32)w_targets_at(said, loader->record, b);
    return W_DONE;
}

/* Leave the batches of others, which are read for the place after them. */
static enum w_status pass_over(struct w_loader *loader, u64 until, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (; loader->shared < until && !status; loader->shared++)
        status = next_record(loader, err);
    return status;
}

static enum w_status read_batch(struct w_loader *loader, struct slot *slot, struct w_err *err)
{
    const struct w_loader_share *share = &loader->options.share;
    enum w_status status = pass_over(loader, share->first, err);

    if (!status)
        status = next_record(loader, err);
    if (!status)
        status = take_ids(loader, slot->ids, err);
    if (!status)
        status = take_counts(loader, slot, err);
    if (!status)
        status = take_targets(loader, slot, err);
    if (!status && ++loader->shared == share->first + share->count)
        status = pass_over(loader, share->of, err);
    if (loader->shared >= share->of)
        loader->shared = 0;
    slot->after = loader->place;
    return status;
}

static void read_ahead(void *context, u32 slot, u32 worker)
{
    struct w_loader *loader = context;

    (void)worker;
    if (!loader->status)
        loader->status = read_batch(loader, &loader->slots[slot], &loader->err);
    loader->slots[slot].status = loader->status;
}

/* ---- the trainer's side ---- */

static bool stop_asked(const struct w_loader *loader)
{
    return loader->options.stop && *loader->options.stop;
}

enum w_status w_loader_next(struct w_loader *loader, struct w_loaded *batch,
                            struct w_batch_place *after, struct w_err *err)
{
    double started_s = w_now_s();
    bool stops, got;
    u32 slot = 0;

    if (loader->holds) {
        w_ordered_return(loader->ordered);
        w_ordered_submit(loader->ordered);
        loader->holds = false;
    }
    do { /* a signal does not end this wait, so it is short */
        stops = stop_asked(loader);
        got = w_ordered_poll(loader->ordered, stops ? 0 : STOP_POLL_S, &slot);
    } while (!got && !stops);
    loader->wait_s += w_now_s() - started_s;
    if (!got)
        return w_fail(err, W_SIGNAL, "%s: stopped by a signal while waiting", loader->in.name);
    const struct slot *taken = &loader->slots[slot];
    if (taken->status) { /* the slot is kept, so that the next call returns the same */
        if (err)
            *err = loader->err;
        return taken->status;
    }
    *batch = (struct w_loaded){
        .ids = taken->ids, .lp = taken->lp, .ctx = taken->ctx, .targets = taken->targets};
    *after = taken->after;
    loader->holds = true;
    return W_DONE;
}

double w_loader_wait_s(const struct w_loader *loader)
{
    return loader->wait_s;
}

const struct w_header *w_loader_header(const struct w_loader *loader)
{
    return &loader->header;
}

u64 w_loader_features(const struct w_loader *loader)
{
    return loader->features;
}

bool w_loader_is_padded(const struct w_loader *loader)
{
    return loader->padded;
}

u64 w_loader_known_batches(const struct w_loader *loader)
{
    return loader->known_batches;
}

struct w_batch_place w_loader_start(const struct w_loader *loader)
{
    return loader->start;
}

/* ---- life ---- */

/* Room for batches as the first header describes them. */
static enum w_status take_memory(struct w_loader *loader, struct w_err *err)
{
    const u64 ids = batch_ids(loader);
    bool missing;

    loader->features = loader->said.features;
    loader->padded = loader->said.sequences > 0;
    loader->record = malloc(loader->header.record_bytes);
    missing = !loader->record;
    for (struct slot *slot = loader->slots; slot < loader->slots + SLOTS; slot++) {
        slot->ids = malloc(ids * sizeof *slot->ids);
        slot->lp = loader->features ? malloc(ids * sizeof *slot->lp) : NULL;
        slot->ctx = loader->features ? malloc(ids * loader->features) : NULL;
        slot->targets = loader->padded ? malloc(loader->options.batch_size * sizeof(u32)) : NULL;
        missing |= !slot->ids || (loader->features && (!slot->lp || !slot->ctx)) ||
                   (loader->padded && !slot->targets);
    }
    return missing ? w_fail(err, W_NOMEM, "no memory for %u batches read ahead", SLOTS) : W_DONE;
}

static enum w_status open_stream(struct w_loader *loader, struct w_err *err)
{
    const struct w_header *header = NULL;

    enum w_status status = w_input_open(&loader->in, loader->options.path, err);
    if (!status)
        status = w_stop_open(&loader->stop, err);
    if (status)
        return status;
    loader->in.stop_fd = loader->stop.fd;
    status = w_reader_open(&loader->reader, &loader->in, err);
    if (!status)
        status = next_member(loader, &header, err);
    if (status == W_END)
        return w_fail(err, W_TRUNCATED, "%s: is empty: did the program before it in the pipe fail?",
                      loader->in.name);
    if (!status)
        status = w_header_from_json(&loader->header, w_json_copy(header->json), err);
    if (!status)
        status = take_memory(loader, err);
    if (!status)
        loader->known_batches = w_reader_known_total(loader->reader);
    if (!status)
        loader->place = w_origin_start(&loader->header);
    if (!status && loader->options.start)
        status = go_to_start(loader, err);
    loader->start = loader->place;
    return status;
}

enum w_status w_loader_open(struct w_loader **out, const struct w_loader_options *options,
                            struct w_err *err)
{
    struct w_loader *loader = calloc(1, sizeof *loader);
    enum w_status status;

    *out = loader;
    if (!loader)
        return w_fail(err, W_NOMEM, "no memory to read batches");
    loader->options = *options;
    loader->in.fd = -1;
    loader->stop = (struct w_stop)W_STOP_NONE;
    status = open_stream(loader, err);
    if (!status) /* the trainer and one worker, which reads */
        status = w_ordered_new(&loader->ordered, 2, SLOTS, read_ahead, loader, err);
    for (u32 i = 0; i < SLOTS && !status; i++)
        w_ordered_submit(loader->ordered);
    if (status)
        w_loader_close(out);
    return status;
}

void w_loader_close(struct w_loader **out)
{
    struct w_loader *loader = *out;

    if (!loader)
        return;
    w_stop_ask(&loader->stop); /* a read that blocks returns */
    w_ordered_free(loader->ordered);
    w_stop_close(&loader->stop);
    w_header_free(&loader->header);
    w_reader_close(&loader->reader);
    w_input_close(&loader->in);
    for (const struct slot *slot = loader->slots; slot < loader->slots + SLOTS; slot++)
        free(slot->ids), free(slot->lp), free(slot->ctx), free(slot->targets);
    free(loader->record);
    free(loader);
    *out = NULL;
}
