/* Writing of checkpoints.
 *
 * The tensors are written block by block, the weights and then each state of the optimizer, for the
 * tensors that have it, in the order of w_tensors, which is their order in memory: a save
 * makes no copy. */
#include "store/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/softmax_sample.h"
#include "store/checkpoint_private.h"
#include "wire/token_header.h"

static const char by[] = "wtrain " W_VERSION_TEXT;

/* A tensor's name in a block: "wte.weight", "adam.m.wte.weight". */
static void block_name(char *name, size_t size, const struct w_conf *conf, u32 block,
                       const char *tensor)
{
    if (block == WEIGHTS)
        snprintf(name, size, "%s", tensor);
    else
        snprintf(name, size, "%s.%s", state_name(conf, block), tensor);
}

static struct w_json *state_json(const struct w_ckpt_state *state, u64 seed,
                                 const struct w_json *origin)
{
    struct w_json *json = w_json_object(), *data = w_json_object();

    w_json_set_u64(json, "step", state->step);
    w_json_set_u64(json, "tokens", state->tokens);
    w_json_set_real(json, "loss", state->loss);
    if (state->val_loss > 0)
        w_json_set_real(json, "val_loss", state->val_loss);
    w_json_set_u64(json, "seed", seed);
    if (state->seconds > 0)
        w_json_set_real(json, "seconds", state->seconds);
    if (state->time_s > 0)
        w_json_set_real(json, "time", state->time_s);
    if (state->kernel[0])
        w_json_set_string(json, "kernel", state->kernel);
    if (state->precision[0])
        w_json_set_string(json, "precision", state->precision);
    w_json_set_u64(data, "pos", state->data.pos);
    w_json_set_hex32(data, "crc", state->data.crc);
    if (origin)
        w_json_set(data, "origin", w_json_copy(origin));
    w_json_set(json, "data", data);
    return json;
}

/* Does the file hold the state of a sampled softmax? */
static bool holds_seen(const struct w_conf *conf, const struct w_ckpt_write *write)
{
    return !write->weights_only && w_softmax_is_sampled(conf);
}

static enum w_status build_header(struct w_header *header, const struct w_tensors *tensors,
                                  const struct w_conf *conf, const struct w_ckpt_state *state,
                                  const struct w_ckpt_write *write, struct w_err *err)
{
    const u32 blocks = write->weights_only ? STATES : BLOCKS;
    enum w_status status = w_header_begin(header, W_TENSORS, write->by ? write->by : by, err);

    for (u32 b = 0; b < blocks && !status; b++)
        for (u32 i = 0; i < tensors->count && !status; i++) {
            const struct w_tensor *row = &tensors->rows[i];
            char name[sizeof row->name + 16];
            if (!has_tensor(conf, b, row))
                continue;
            block_name(name, sizeof name, conf, b, row->name);
            status = w_header_add(header, name, W_TYPE_F32, row->ndim, row->shape, err);
        }
    if (!status && holds_seen(conf, write))
        status = w_header_add(header, SEEN_NAME, W_TYPE_U32, 1, &conf->vocab_size, err);
    if (status)
        return status;
    w_json_set(header->json, "config", w_conf_json(conf));
    if (write->tok)
        w_header_set_tok(header, w_json_copy(write->tok));
    if (state)
        w_json_set(header->json, "state", state_json(state, conf->seed, write->origin));
    if (write->src)
        w_json_set(header->json, "src", w_json_copy(write->src));
    return W_DONE;
}

enum w_status w_ckpt_check(const struct w_tensors *tensors, const struct w_conf *conf,
                           const struct w_ckpt_write *write, u64 *bytes, struct w_err *err)
{
    const struct w_ckpt_state longest = {.step = W_JSON_INT_MAX,
                                         .tokens = W_JSON_INT_MAX,
                                         .loss = 1.0 / 3,
                                         .val_loss = 1.0 / 3,
                                         .data = {.pos = W_JSON_INT_MAX},
                                         .seconds = 1.0 / 3,
                                         .time_s = 1.0 / 3,
                                         .kernel = "123456789012345",
                                         .precision = "1234567"};
    struct w_header header = {0}, as_read = {0};
    char *line = NULL;
    size_t size = 0;

    enum w_status status = build_header(&header, tensors, conf, &longest, write, err);
    if (!status)
        status = w_header_line(&header, &line, &size, &as_read, err);
    *bytes = header.blob_bytes + size;
    free(line);
    w_header_free(&as_read);
    w_header_free(&header);
    return status;
}

/* What is written: the blocks, by their number, and the state of a sampled softmax. */
struct source {
    const struct w_conf *conf;
    const struct w_tensors *tensors;
    const float *blocks[BLOCKS];
    const u32 *seen;
};

/* The tensors of a block, in the order of the header. */
static enum w_status write_block(struct w_writer *writer, const struct source *source, u32 b,
                                 struct w_err *err)
{
    const struct w_tensors *tensors = source->tensors;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < tensors->count && !status; i++) {
        const struct w_tensor *row = &tensors->rows[i];
        if (has_tensor(source->conf, b, row))
            status = w_writer_tensor(writer, source->blocks[b] + place_in(b, row),
                                     row->count * sizeof *source->blocks[b], err);
    }
    return status;
}

static enum w_status save(const struct source *source, const struct w_ckpt_state *state,
                          const struct w_ckpt_write *write, struct w_err *err)
{
    const u32 blocks = write->weights_only ? STATES : BLOCKS;
    struct w_header header = {0};
    struct w_output out = {.fd = -1};
    struct w_writer *writer = NULL;

    enum w_status status = build_header(&header, source->tensors, source->conf, state, write, err);
    if (!status)
        status = w_output_open(&out, write->path, err);
    /* A full disk is noticed before gigabytes are written to it. */
    if (!status)
        status = w_output_reserve(&out, header.blob_bytes, err);
    if (!status)
        status = w_writer_open(&writer, &out, &header, &(struct w_write_options){0}, err);
    for (u32 b = 0; b < blocks && !status; b++)
        status = write_block(writer, source, b, err);
    if (!status && holds_seen(source->conf, write))
        status = w_writer_tensor(writer, source->seen,
                                 source->conf->vocab_size * sizeof *source->seen, err);
    if (!status)
        status = w_writer_close(&writer, NULL, err);
    if (!status)
        status = w_output_commit(&out, err);
    if (status) {
        w_writer_abort(&writer, write->by ? write->by : by, err);
        w_output_abort(&out);
    }
    w_header_free(&header);
    return status;
}

enum w_status w_ckpt_save(struct w_model *model, const struct w_conf *conf,
                          const struct w_ckpt_state *state, const struct w_ckpt_write *write,
                          struct w_err *err)
{
    struct source source = {.conf = conf,
                            .tensors = w_model_tensors(model),
                            .blocks = {w_model_weights(model)},
                            .seen = w_model_seen(model)};

    for (u32 b = STATES; b < BLOCKS; b++)
        source.blocks[b] = w_model_state(model, b - STATES);
    return save(&source, state, write, err);
}

enum w_status w_ckpt_save_weights(const struct w_tensors *tensors, const float *weights,
                                  const struct w_conf *conf, const struct w_ckpt_state *state,
                                  const struct w_ckpt_write *write, struct w_err *err)
{
    const struct source source = {.conf = conf, .tensors = tensors, .blocks = {weights}};
    struct w_ckpt_write only = *write;

    only.weights_only = true;
    return save(&source, state, &only, err);
}
