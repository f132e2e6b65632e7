/* Batches from sequences that are all held in memory, or that pass through a window.
 *
 * Held: batch k is the sequences order[k B .. k B + B) of its epoch. Memory: the sequences and 4
 * bytes each.
 *
 * Passing: every draw gives one of the sequences in the window, each with the same probability, and
 * the next one of the source takes its slot; at the end the window empties. A sequence leaves a
 * window of W slots after W draws on average, so the order is local: what is far more than W
 * sequences apart in the source hardly ever changes places. Draw n depends
 * only on (seed, n) and on the number held, so that a start needs no saved state. */
#include "data/batches.h"

#include <stdlib.h>
#include <string.h>

#include "data/shuffle.h"
#include "sys/deflate.h"

struct w_batches {
    struct w_pack *pack;
    struct w_batches_options options;
    size_t sequence_bytes;
    u8 *held; /* sequences in memory */
    u64 count, room;
    bool passing; /* the source is larger than the window and passes through it */
    u64 next;     /* number of the next batch */
    u32 start_crc;
    u64 dropped;
    /* everything is held: */
    u64 epoch_len;
    u32 *order;      /* of the sequences in the present epoch */
    u64 order_epoch; /* plus one; 0: no order yet */
    /* passing: */
    u64 draws;
    bool source_ended;
};

/* Put a sequence into its row of a batch. */
static void put_row(const struct w_batches *b, u8 *record, u64 row, const u8 *sequence)
{
    const struct w_columns *columns = w_pack_columns(b->pack);

    w_columns_put(columns, record, b->options.batch, row, sequence,
                  b->sequence_bytes / columns->token_bytes);
}

static u8 *sequence_at(const struct w_batches *b, u64 index)
{
    return b->held + index * b->sequence_bytes;
}

static enum w_status grow(struct w_batches *b, u64 most, struct w_err *err)
{
    u64 room = W_MIN(b->room ? b->room * 2 : 256, most), bytes;

    if (room == b->room)
        return w_fail(err, W_LIMIT, "more than %llu sequences: use --shard or --window",
                      (unsigned long long)most);
    u8 *bigger = w_mul_ok(room, b->sequence_bytes, &bytes) ? realloc(b->held, bytes) : NULL;
    if (!bigger)
        return w_fail(err, W_NOMEM, "no memory to hold %llu sequences: use --window or --shard",
                      (unsigned long long)room);
    b->held = bigger;
    b->room = room;
    return W_DONE;
}

/* Read until the source ends, or gives one sequence more than the window holds: then it passes. */
static enum w_status fill(struct w_batches *b, struct w_err *err)
{
    u64 window = b->options.window, most = window ? window + 1 : UINT32_MAX;
    enum w_status status = W_DONE;

    while (!status && !(window && b->count == most)) {
        if (b->count == b->room)
            status = grow(b, most, err);
        if (!status)
            status = w_pack_next(b->pack, sequence_at(b, b->count), err);
        if (!status)
            b->count++;
    }
    b->passing = !status;
    return status == W_END ? W_DONE : status;
}

static enum w_status not_one_batch(const struct w_batches *b, u64 sequences, struct w_err *err)
{
    const struct w_pack_counts *counts = w_pack_counts(b->pack);
    const u64 kept = counts->tokens[1], tokens = counts->tokens[0] + kept;

    return w_fail(err, W_MISMATCH,
                  "not one batch: %llu tokens in %llu documents, of which %llu tokens are for "
                  "validation, make %llu whole sequences for this shard, and a batch needs %llu",
                  (unsigned long long)tokens,
                  (unsigned long long)(counts->documents[0] + counts->documents[1]),
                  (unsigned long long)kept, (unsigned long long)sequences,
                  (unsigned long long)b->options.batch);
}

/* Everything is held: how long an epoch is. */
static enum w_status start_held(struct w_batches *b, struct w_err *err)
{
    b->epoch_len = b->count / b->options.batch;
    if (b->epoch_len == 0)
        return not_one_batch(b, b->count, err);
    b->order = malloc(b->count * sizeof *b->order);
    return b->order ? W_DONE : w_fail(err, W_NOMEM, "no memory for the order of an epoch");
}

static enum w_status next_held(struct w_batches *b, u8 *record)
{
    const struct w_batches_options *o = &b->options;
    u64 epoch = b->next / b->epoch_len, place = b->next % b->epoch_len * o->batch;

    if (o->epochs && epoch >= o->epochs)
        return W_END;
    if (b->order_epoch != epoch + 1) {
        if (o->shuffle)
            w_shuffle(b->order, (u32)b->count, o->seed, epoch);
        else
            for (u32 i = 0; i < b->count; i++)
                b->order[i] = i;
        b->order_epoch = epoch + 1;
    }
    for (u64 row = 0; row < o->batch; row++)
        put_row(b, record, row, sequence_at(b, b->order[place + row]));
    b->next++;
    if (b->next % b->epoch_len == 0)
        b->dropped += b->count - b->epoch_len * o->batch;
    return W_DONE;
}

/* Take one sequence out of the window, copy it to a row of `record`, and refill its slot. */
static enum w_status draw(struct w_batches *b, u8 *record, u64 row, struct w_err *err)
{
    if (b->count == 0)
        return W_END;
    /* Without shuffling the window is a queue, kept as a ring. */
    u64 slot = b->options.shuffle ? w_shuffle_slot(b->count, b->options.seed, b->draws)
                                  : b->draws % b->room;
    enum w_status status = W_END;
    put_row(b, record, row, sequence_at(b, slot));
    if (!b->source_ended)
        status = w_pack_next(b->pack, sequence_at(b, slot), err);
    if (status && status != W_END)
        return status;
    if (status == W_END) {
        b->source_ended = true;
        b->count--;
        if (b->options.shuffle && slot != b->count)
            memcpy(sequence_at(b, slot), sequence_at(b, b->count), b->sequence_bytes);
    }
    b->draws++;
    return W_DONE;
}

/* The next batch of a passing source. */
static enum w_status next_passing(struct w_batches *b, u8 *record, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 row = 0; row < b->options.batch && !status; row++) {
        status = draw(b, record, row, err);
        if (status == W_END) {
            b->dropped = row;
            if (b->next == 0)
                status = not_one_batch(b, row, err);
        }
    }
    b->next += !status;
    return status;
}

static enum w_status start_passing(struct w_batches *b, struct w_err *err)
{
    if (b->options.epochs != 1)
        return w_fail(err, W_USAGE,
                      "only one epoch can be made of more than the window of %llu sequences: write "
                      "the tokens to a file first (wtok encode -o FILE), or raise --window",
                      (unsigned long long)b->options.window);
    return W_DONE;
}

/* Make the batches before the start. */
static enum w_status skip_to_start(struct w_batches *b, struct w_err *err)
{
    const u64 start = b->options.start, bytes = b->options.batch * b->sequence_bytes;
    u8 *record = start ? malloc(bytes) : NULL;
    enum w_status status =
        start && !record ? w_fail(err, W_NOMEM, "no memory for a batch") : W_DONE;

    while (!status && b->next < start) {
        status = w_batches_next(b, record, err);
        if (!status)
            b->start_crc = w_crc32(b->start_crc, record, bytes);
    }
    free(record);
    if (status == W_END)
        status = w_fail(err, W_USAGE, "--start %llu: there are only %llu batches",
                        (unsigned long long)start, (unsigned long long)b->next);
    return status;
}

enum w_status w_batches_open(struct w_batches **batches, struct w_pack *pack,
                             const struct w_batches_options *options, struct w_err *err)
{
    struct w_batches *b = *batches = calloc(1, sizeof *b);

    if (!b)
        return w_fail(err, W_NOMEM, "no memory for batches");
    b->pack = pack;
    b->options = *options;
    b->sequence_bytes = w_pack_sequence_bytes(pack);
    enum w_status status = fill(b, err);
    if (!status)
        status = b->passing ? start_passing(b, err) : start_held(b, err);
    if (!status)
        status = skip_to_start(b, err);
    if (status)
        w_batches_close(batches);
    return status;
}

void w_batches_close(struct w_batches **batches)
{
    struct w_batches *b = *batches;

    if (b) {
        free(b->held);
        free(b->order);
    }
    free(b);
    *batches = NULL;
}

u32 w_batches_start_crc(const struct w_batches *b)
{
    return b->start_crc;
}

bool w_batches_data_crc(const struct w_batches *b, u32 *crc)
{
    *crc = b->passing ? 0 : w_crc32(0, b->held, b->count * b->sequence_bytes);
    return !b->passing;
}

u64 w_batches_epoch_len(const struct w_batches *b)
{
    return b->epoch_len;
}

enum w_status w_batches_next(struct w_batches *b, u8 *record, struct w_err *err)
{
    return b->passing ? next_passing(b, record, err) : next_held(b, record);
}

u64 w_batches_dropped(const struct w_batches *b)
{
    return b->dropped;
}
