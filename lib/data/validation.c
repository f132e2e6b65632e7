#include "data/validation.h"

#include <stdlib.h>
#include <string.h>

struct w_validation {
    struct w_validation_options options;
    struct w_corpus_facts facts;
    struct w_writer *writer;
    u8 *pad; /* a token: the end id, and zeros in other columns */
    /* the sequence that is being filled */
    u8 *sequence;
    u64 room, filled; /* tokens; room is T + 1 */
    u64 sequences;    /* cut so far, for all shards */
    /* the batch that is being filled */
    u8 *batch; /* targets u32 [B], then the columns */
    u64 rows;
};

enum w_status w_validation_header(struct w_header *header, const struct w_corpus_facts *facts,
                                  const struct w_validation_options *o, struct w_err *err)
{
    struct w_json *must = w_json_array();

    w_json_add_string(must, "padded");
    w_json_set(header->json, "must", must);
    w_json_set_bool(header->json, "padded", true);
    enum w_status status =
        w_header_add(header, "targets", W_TYPE_U32, 1, (const u64[]){o->batch}, err);
    return status ? status : w_columns_add(&facts->columns, header, o->batch, o->length + 1, err);
}

enum w_status w_validation_new(struct w_validation **validation, const struct w_corpus_facts *facts,
                               const struct w_validation_options *options, struct w_writer *writer,
                               struct w_err *err)
{
    struct w_validation *v = *validation = calloc(1, sizeof *v);
    const u64 room = options->length + 1, bytes = facts->columns.token_bytes;
    u64 row, all;

    if (v && w_mul_ok(room, bytes, &row) && w_mul_ok(options->batch, row + 4, &all)) {
        v->options = *options;
        v->facts = *facts;
        v->writer = writer;
        v->room = room;
        v->pad = calloc(1, facts->record_bytes);
        v->sequence = malloc(row);
        v->batch = malloc(all);
    }
    if (!v || !v->pad || !v->sequence || !v->batch) {
        w_validation_free(v);
        *validation = NULL;
        return w_fail(err, W_NOMEM, "no memory for batches of validation");
    }
    if (facts->id_bytes == 2)
        w_put16(v->pad + facts->id_at, (u16)facts->eot);
    else
        w_put32(v->pad + facts->id_at, facts->eot);
    w_columns_gather(&facts->columns, v->sequence, room, 0, v->pad, facts->record_bytes, 1);
    v->filled = 1;
    return W_DONE;
}

void w_validation_free(struct w_validation *v)
{
    if (v) {
        free(v->pad);
        free(v->sequence);
        free(v->batch);
    }
    free(v);
}

/* Put the sequence into the batch, with so many targets of text, and write the batch if it is
 * full. */
static enum w_status put_row(struct w_validation *v, u64 targets, struct w_err *err)
{
    const u64 rows = v->options.batch;
    enum w_status status = W_DONE;

    w_put32(v->batch + 4 * v->rows, (u32)targets);
    w_columns_put(&v->facts.columns, v->batch + 4 * rows, rows, v->rows, v->sequence, v->room);
    if (++v->rows < rows)
        return W_DONE;
    v->rows = 0;
    if (!v->options.most || w_writer_count(v->writer) < v->options.most)
        status = w_writer_records(v->writer, v->batch, 1, err);
    return status;
}

/* The sequence has all the text that it will get. */
static enum w_status end_sequence(struct w_validation *v, struct w_err *err)
{
    const bool ours = v->sequences++ % v->options.shards == v->options.shard;
    enum w_status status = ours ? put_row(v, v->filled - 1, err) : W_DONE;

    /* The last target is the first input of the next sequence. */
    w_columns_carry(&v->facts.columns, v->sequence, v->room);
    v->filled = 1;
    return status;
}

enum w_status w_validation_add(struct w_validation *v, const u8 *records, u64 count,
                               struct w_err *err)
{
    const u64 bytes = v->facts.record_bytes;
    enum w_status status = W_DONE;

    for (u64 n; count && !status; records += n * bytes, count -= n) {
        n = W_MIN(count, v->room - v->filled);
        w_columns_gather(&v->facts.columns, v->sequence, v->room, v->filled, records, bytes, n);
        v->filled += n;
        if (v->filled == v->room)
            status = end_sequence(v, err);
    }
    return status;
}

static void pad(struct w_validation *v, u64 from)
{
    for (u64 i = from; i < v->room; i++)
        w_columns_gather(&v->facts.columns, v->sequence, v->room, i, v->pad, v->facts.record_bytes,
                         1);
}

enum w_status w_validation_end(struct w_validation *v, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (v->filled > 1) {
        pad(v, v->filled);
        status = end_sequence(v, err);
    }
    pad(v, 0);
    while (v->rows && !status)
        status = put_row(v, 0, err);
    if (!status && w_writer_count(v->writer) == 0)
        status = w_fail(err, W_MISMATCH,
                        "nothing for validation: no document was chosen for it: a larger "
                        "--val-fraction chooses more, another --split-seed others");
    return status;
}
