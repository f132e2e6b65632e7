/* What wbatch writes: the batches for training, those for validation, and the header of each, which
 * says what its records are of. */
#include "tools/wbatch.h"

#include "data/parts.h"
#include "wire/origin.h"
#include "wire/prov.h"
#include "wire/token_header.h"

#define BY "wbatch " W_VERSION_TEXT

/* ---- headers ---- */

/* After the columns and what decides their order: which documents they are of, the vocabulary, and
 * the source. */
static enum w_status fill_header(struct w_header *header, const struct settings *set,
                                 const struct w_corpus_facts *facts, enum split part,
                                 struct w_err *err)
{
    static const char *const names[] = {"train", "val", "all"};
    const struct w_parts_options split = {.val_fraction = set->val_fraction,
                                          .split_seed = set->split_seed};
    const struct w_json *tok = w_header_tok(facts->header);

    if (set->val_fraction > 0)
        w_parts_say(header, &split, names[part]);
    if (set->shards > 1) {
        struct w_json *shard = w_json_array();
        w_json_add_u64(shard, set->shard);
        w_json_add_u64(shard, set->shards);
        w_json_set(header->json, "shard", shard);
    }
    if (tok)
        w_header_set_tok(header, w_json_copy(tok));
    return set->writing.no_provenance ? W_DONE
                                      : w_prov_add(header, w_cli_provenance(), facts->header, err);
}

/* Of batches for training. batches: NULL if opening them failed. */
static enum w_status make_header(struct w_header *header, const struct settings *set,
                                 const struct w_corpus_facts *facts,
                                 const struct w_batches *batches, struct w_err *err)
{
    const u64 epoch_len = batches ? w_batches_epoch_len(batches) : 0;
    const struct w_batch_place start = {.pos = set->start,
                                        .crc = batches ? w_batches_start_crc(batches) : 0};
    u32 data_crc = 0;

    enum w_status status = w_header_begin(header, W_BATCH, BY, err);
    if (!status)
        status = w_columns_add(&facts->columns, header, set->batch, set->length + 1, err);
    if (status)
        return status;
    w_token_header_write(header, facts->vocab, facts->eot);
    w_json_set_u64(header->json, "seed", set->seed);
    w_json_set_bool(header->json, "shuffle", !set->no_shuffle);
    w_json_set_u64(header->json, "epochs", set->epochs);
    w_origin_set_start(header, start);
    if (batches && w_batches_data_crc(batches, &data_crc))
        w_json_set_hex32(header->json, "data_crc", data_crc);
    if (epoch_len)
        w_json_set_u64(header->json, "epoch_len", epoch_len);
    else if (set->val_output) /* the tokens have not all been read yet */
        w_json_set_bool(header->json, "val_later", true);
    return fill_header(header, set, facts, (enum split)set->split, err);
}

/* ---- streams ---- */

static enum w_status open_stream(struct stream *stream, const char *path,
                                 const struct w_header *header, const struct settings *set,
                                 struct w_err *err)
{
    const struct w_write_options how = w_cli_write_options(&set->writing, set->threads);
    enum w_status status = w_output_open(&stream->out, path, err);

    return status ? status : w_writer_open(&stream->writer, &stream->out, header, &how, err);
}

enum w_status open_training_stream(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    struct w_header header = {0};

    enum w_status status =
        make_header(&header, set, w_corpus_facts(job->corpus), job->batches, err);
    if (!status)
        status = open_stream(&job->training_stream, set->writing.output, &header, set, err);
    w_header_free(&header);
    return status;
}

enum w_status open_validation_stream(struct job *job, const struct w_validation_options *how,
                                     struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_corpus_facts *facts = w_corpus_facts(job->corpus);
    const char *path = set->split == SPLIT_VAL ? set->writing.output : set->val_output;
    struct w_header header = {0};

    enum w_status status = w_header_begin(&header, W_BATCH, BY, err);
    if (!status)
        status = w_validation_header(&header, facts, how, err);
    if (!status) {
        w_token_header_write(&header, facts->vocab, facts->eot);
        status = fill_header(&header, set, facts, SPLIT_VAL, err);
    }
    if (!status)
        status = open_stream(&job->validation_stream, path, &header, set, err);
    w_header_free(&header);
    return status;
}

enum w_status close_stream(struct stream *stream, u64 documents, u64 dropped, struct w_err *err)
{
    struct w_json *stats = w_json_object();

    if (!stats)
        return w_fail(err, W_NOMEM, "no memory for the end frame");
    w_json_set_u64(stats, "docs", documents);
    w_json_set_u64(stats, "dropped", dropped);
    enum w_status status = w_writer_close(&stream->writer, stats, err);
    w_json_free(stats);
    return status ? status : w_output_commit(&stream->out, err);
}

void abort_stream(struct stream *stream, const struct w_err *why)
{
    w_writer_abort(&stream->writer, "wbatch", why);
    w_output_abort(&stream->out);
}
