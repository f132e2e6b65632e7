/* Reading of checkpoints.
 *
 * Tensors are found by name, in any order, so that files of other programs can be read. Their
 * shapes are checked against the configuration in the file before memory is allocated for them,
 * every byte by the stream's checksums, and by a count that each tensor came once. */
#include <stdlib.h>
#include <string.h>

#include "net/softmax_sample.h"
#include "store/checkpoint_private.h"
#include "store/weights_change.h"
#include "wire/token_header.h"

struct w_ckpt {
    struct w_input in;
    struct w_reader *reader;
    struct w_header header; /* a copy, which outlives the reading */
    struct w_conf conf;
    struct w_ckpt_state state;
    bool fit_positions; /* may differ in number */
    bool has_state;     /* all of "state" */
    bool has_states;    /* those of the optimizer, for every tensor, and of a sampled softmax */
};

/* A short text of "state", or "". */
static void take_text(const struct w_json *json, const char *key, char *text, size_t size)
{
    const char *value = w_json_string(w_json_get(json, key));

    text[0] = 0;
    if (value && strlen(value) < size)
        memcpy(text, value, strlen(value) + 1);
}

static enum w_status parse_state(struct w_ckpt_state *state, const struct w_json *json,
                                 struct w_err *err)
{
    const struct w_json *data = w_json_get(json, "data");
    const u64 max = W_JSON_INT_MAX;

    enum w_status status = w_json_need_u64(json, "step", 0, max, &state->step, err);
    if (!status)
        status = w_json_need_u64(json, "tokens", 0, max, &state->tokens, err);
    if (!status && !w_json_real(w_json_get(json, "loss"), &state->loss))
        status = w_fail(err, W_CORRUPT, "\"loss\" is not a number");
    if (!w_json_real(w_json_get(json, "val_loss"), &state->val_loss))
        state->val_loss = 0;
    if (!w_json_real(w_json_get(json, "seconds"), &state->seconds))
        state->seconds = 0;
    if (!w_json_real(w_json_get(json, "time"), &state->time_s))
        state->time_s = 0;
    take_text(json, "kernel", state->kernel, sizeof state->kernel);
    take_text(json, "precision", state->precision, sizeof state->precision);
    if (!status)
        status = w_json_need_u64(data, "pos", 0, max, &state->data.pos, err);
    if (!status && !w_json_hex32(w_json_get(data, "crc"), &state->data.crc))
        status =
            w_fail(err, W_CORRUPT,
                   "no \"crc\" of the batches so far, which earlier versions did not write: --init "
                   "starts a new run from its weights");
    return status ? w_fail_at(err, status, "\"state\"") : W_DONE;
}

static enum w_status parse_conf(struct w_ckpt *ckpt, struct w_err *err)
{
    const struct w_json *json = w_json_get(ckpt->header.json, "config");

    if (!w_json_is_object(json))
        return w_fail(err, W_MISMATCH, "%s: has no \"config\": not a model of wtrain",
                      ckpt->in.name);
    char *text = w_json_text(json, err);
    if (!text)
        return W_NOMEM;
    enum w_status status = w_conf_parse(&ckpt->conf, text, strlen(text), ckpt->in.name, err);
    free(text);
    /* The fault is in the input and not in the user's configuration. */
    return status == W_USAGE ? w_fail_at(err, W_CORRUPT, "configuration inside") : status;
}

/* Which block and row an array of the file belongs to; *row is NULL if to none. */
static u32 find_row(const struct w_conf *conf, const struct w_tensors *tensors, const char *name,
                    const struct w_tensor **row)
{
    u32 block = WEIGHTS;

    for (u32 b = STATES; b < BLOCKS && block == WEIGHTS; b++) {
        const char *state = state_name(conf, b);
        const size_t size = state ? strlen(state) : 0;
        if (state && !strncmp(name, state, size) && name[size] == '.') {
            block = b;
            name += size + 1;
        }
    }
    *row = w_tensors_find(tensors, name);
    if (*row && !has_tensor(conf, block, *row))
        *row = NULL;
    return block;
}

static bool same_shape(const struct w_array *array, const struct w_tensor *row)
{
    bool same = array->dtype == W_TYPE_F32 && array->ndim == row->ndim;

    for (u32 i = 0; i < row->ndim && same; i++)
        same = array->shape[i] == row->shape[i];
    return same;
}

static bool is_seen(const struct w_array *array, const struct w_tensors *tensors)
{
    return !strcmp(array->name, SEEN_NAME) && array->dtype == W_TYPE_U32 && array->ndim == 1 &&
           array->shape[0] == w_tensors_find_table(tensors)->shape[0];
}

/* Do the weights have the shapes of the configuration in the file? Checked before memory is
 * allocated by it. */
static enum w_status check_arrays(struct w_ckpt *ckpt, struct w_err *err)
{
    struct w_tensors tensors = {0};
    u32 found[BLOCKS] = {0};
    bool seen = false;

    enum w_status status = w_tensors_make(&tensors, &ckpt->conf, err);
    if (status == W_USAGE) /* as above: the fault is in the input */
        status = w_fail_at(err, W_CORRUPT, "%s: configuration inside", ckpt->in.name);
    for (u32 i = 0; i < ckpt->header.array_count && !status; i++) {
        const struct w_array *array = &ckpt->header.arrays[i];
        const struct w_tensor *row = NULL;
        const u32 block = find_row(&ckpt->conf, &tensors, array->name, &row);
        found[block] += row && same_shape(array, row);
        seen = seen || is_seen(array, &tensors);
    }
    if (!status && found[WEIGHTS] != tensors.count)
        status =
            w_fail(err, W_MISMATCH, "%s: has %u of the %u tensors that its own configuration says",
                   ckpt->in.name, (unsigned)found[WEIGHTS], (unsigned)tensors.count);
    ckpt->has_states = seen || !w_softmax_is_sampled(&ckpt->conf);
    for (u32 b = STATES; b < BLOCKS; b++)
        ckpt->has_states = ckpt->has_states && found[b] == tensors_in(&ckpt->conf, b, &tensors);
    w_tensors_free(&tensors);
    return status;
}

enum w_status w_ckpt_open(struct w_ckpt **out, const char *path, struct w_err *err)
{
    struct w_ckpt *ckpt = calloc(1, sizeof *ckpt);
    const struct w_header *header = NULL;

    *out = ckpt;
    if (!ckpt)
        return w_fail(err, W_NOMEM, "%s: no memory to read it", path);
    ckpt->in.fd = -1;
    enum w_status status = w_input_open(&ckpt->in, path, err);
    if (!status)
        status = w_reader_open(&ckpt->reader, &ckpt->in, err);
    if (!status)
        status = w_reader_member(ckpt->reader, &header, err);
    if (status == W_END)
        status = w_fail(err, W_TRUNCATED, "%s: is empty", ckpt->in.name);
    if (!status)
        status = w_header_from_json(&ckpt->header, w_json_copy(header->json), err);
    if (!status && ckpt->header.kind != W_TENSORS)
        status = w_fail(err, W_MISMATCH, "%s: is a stream of %s, not a model", ckpt->in.name,
                        w_kind_name(ckpt->header.kind));
    if (!status)
        status = parse_conf(ckpt, err);
    if (!status)
        ckpt->has_state = !parse_state(&ckpt->state, w_json_get(ckpt->header.json, "state"), NULL);
    if (!status)
        status = check_arrays(ckpt, err);
    if (status)
        w_ckpt_close(out);
    return status;
}

const struct w_conf *w_ckpt_conf(const struct w_ckpt *ckpt)
{
    return &ckpt->conf;
}

const struct w_ckpt_state *w_ckpt_state(const struct w_ckpt *ckpt)
{
    return &ckpt->state;
}

const struct w_json *w_ckpt_tok(const struct w_ckpt *ckpt)
{
    return w_header_tok(&ckpt->header);
}

const struct w_json *w_ckpt_origin(const struct w_ckpt *ckpt)
{
    const struct w_json *state = w_json_get(ckpt->header.json, "state");
    return w_json_get(w_json_get(state, "data"), "origin");
}

const struct w_header *w_ckpt_header(const struct w_ckpt *ckpt)
{
    return &ckpt->header;
}

bool w_ckpt_has_state(const struct w_ckpt *ckpt)
{
    return ckpt->has_state;
}

bool w_ckpt_has_states(const struct w_ckpt *ckpt)
{
    return ckpt->has_states;
}

enum w_status w_ckpt_check_resume(const struct w_ckpt *ckpt, struct w_err *err)
{
    const struct w_json *json = w_json_get(ckpt->header.json, "state");
    struct w_ckpt_state state = {0};

    if (!ckpt->has_states)
        return w_fail(
            err, W_MISMATCH,
            "%s: holds only the weights (--weights-only), so it cannot be resumed: --init "
            "starts a new run from it",
            ckpt->in.name);
    if (!json)
        return w_fail(
            err, W_MISMATCH,
            "%s: does not say where its run stopped (\"state\"), so it cannot be resumed: "
            "--init starts a new run from it",
            ckpt->in.name);
    enum w_status status = parse_state(&state, json, err);
    return status ? w_fail_at(err, status, "%s", ckpt->in.name) : W_DONE;
}

void w_ckpt_fit_positions(struct w_ckpt *ckpt)
{
    ckpt->fit_positions = true;
}

/* Read and drop padding, or tensors that are not needed. */
static enum w_status skip_bytes(struct w_ckpt *ckpt, u64 bytes, struct w_err *err)
{
    u8 chunk[4096];
    enum w_status status = W_DONE;

    while (bytes > 0 && !status) {
        u64 n = W_MIN(bytes, sizeof chunk);
        status = w_reader_exactly(ckpt->reader, chunk, n, err);
        bytes -= n;
    }
    return status;
}

/* The end frame, without which the file is not whole, and nothing after it. */
static enum w_status read_end(struct w_ckpt *ckpt, struct w_err *err)
{
    const struct w_header *next = NULL;
    const void *records = NULL;
    u64 count = 0;

    enum w_status status = w_reader_records(ckpt->reader, &records, &count, err);
    if (!status)
        return w_fail(err, W_CORRUPT, "%s: more bytes than its tensors have", ckpt->in.name);
    if (status == W_END)
        status = w_reader_member(ckpt->reader, &next, err);
    if (!status)
        return w_fail(err, W_CORRUPT, "%s: more than one stream in it", ckpt->in.name);
    return status == W_END ? W_DONE : status;
}

/* Is it a table of another number of positions, and may it be? */
static bool fits_positions(const struct w_ckpt *ckpt, const struct w_array *array,
                           const struct w_tensor *row)
{
    return ckpt->fit_positions && !strcmp(array->name, "wpe.weight") &&
           array->dtype == W_TYPE_F32 && array->ndim == 2 && array->shape[1] == row->shape[1];
}

static enum w_status read_positions(struct w_ckpt *ckpt, const struct w_array *array,
                                    const struct w_tensor *row, float *to, struct w_err *err)
{
    const u64 rows = W_MIN(array->shape[0], row->shape[0]);
    const u64 bytes = rows * row->shape[1] * sizeof *to;

    enum w_status status = w_reader_exactly(ckpt->reader, to, bytes, err);
    if (!status)
        w_repeat_rows(to, rows, row->shape[0], row->shape[1]);
    return status ? status : skip_bytes(ckpt, array->bytes - bytes, err);
}

/* Read one into its place in a block. W_MISMATCH: it is another tensor. */
static enum w_status read_tensor(struct w_ckpt *ckpt, const struct w_array *array,
                                 const struct w_tensor *row, float *to, struct w_err *err)
{
    if (same_shape(array, row))
        return w_reader_exactly(ckpt->reader, to, array->bytes, err);
    if (fits_positions(ckpt, array, row))
        return read_positions(ckpt, array, row, to, err);
    return w_fail(err, W_MISMATCH,
                  "%s: tensor %s has another type or shape than the configuration gives it%s",
                  ckpt->in.name, array->name,
                  strcmp(array->name, "wpe.weight") ? "" : " (--fit-positions would make it fit)");
}

/* The tensors of a gate where the file is of a network without one. */
static u32 new_tensors(const struct w_ckpt *ckpt, const struct w_tensors *tensors)
{
    u32 count = 0;

    for (u32 i = 0; ckpt->conf.counts == 0 && i < tensors->count; i++)
        count += !strncmp(tensors->rows[i].name, "gate.", 5);
    return count;
}

enum w_status w_ckpt_read(struct w_ckpt *ckpt, const struct w_tensors *tensors, float *weights,
                          float *const states[W_OPTIMIZER_STATES], u32 *seen, struct w_err *err)
{
    const struct w_conf *conf = &ckpt->conf;
    float *blocks[BLOCKS] = {weights};
    u32 found[BLOCKS] = {0};
    u64 at = 0;
    enum w_status status = W_DONE;
    const u32 optional = states ? 0 : new_tensors(ckpt, tensors);

    for (u32 b = STATES; states && b < BLOCKS; b++)
        blocks[b] = states[b - STATES];
    for (u32 i = 0; i < ckpt->header.array_count && !status; i++) {
        const struct w_array *array = &ckpt->header.arrays[i];
        const struct w_tensor *row = NULL;
        const u32 block = find_row(conf, tensors, array->name, &row);

        status = skip_bytes(ckpt, array->offset - at, err);
        at = array->offset + array->bytes;
        if (status)
            break;
        if (seen && is_seen(array, tensors)) {
            status = w_reader_exactly(ckpt->reader, seen, array->bytes, err);
        } else if (!row || !blocks[block]) {
            status = skip_bytes(ckpt, array->bytes, err);
        } else {
            status = read_tensor(ckpt, array, row, blocks[block] + place_in(block, row), err);
            if (!status && block == WEIGHTS && !w_all_finite(weights + row->offset, row->count))
                status = w_fail(err, W_CORRUPT,
                                "%s: tensor %s has numbers that are not finite: its training "
                                "diverged",
                                ckpt->in.name, array->name);
            found[block]++;
        }
    }
    for (u32 b = 0; b < BLOCKS && !status; b++) {
        const u32 count = tensors_in(conf, b, tensors) - (b == WEIGHTS ? optional : 0);
        if (blocks[b] && found[b] != count)
            status = w_fail(err, W_MISMATCH, "%s: has %u of the %u tensors %s%s*", ckpt->in.name,
                            (unsigned)found[b], (unsigned)count,
                            b == WEIGHTS ? "" : state_name(conf, b), b == WEIGHTS ? "" : ".");
    }
    return status ? status : read_end(ckpt, err);
}

void w_ckpt_close(struct w_ckpt **ckpt)
{
    if (!*ckpt)
        return;
    w_header_free(&(*ckpt)->header);
    w_reader_close(&(*ckpt)->reader);
    w_input_close(&(*ckpt)->in);
    free(*ckpt);
    *ckpt = NULL;
}

enum w_status w_ckpt_verify(const char *path, struct w_err *err)
{
    struct w_ckpt *ckpt = NULL;

    enum w_status status = w_ckpt_open(&ckpt, path, err);
    if (!status)
        status = skip_bytes(ckpt, ckpt->header.blob_bytes, err);
    if (!status)
        status = read_end(ckpt, err);
    w_ckpt_close(&ckpt);
    return status;
}
