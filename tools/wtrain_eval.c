/* The validation loss: nats per token, and, where the vocabulary is known, bits per byte of text.
 *
 * It is the mean over all targets that are text, whatever batches they came in: padding counts
 * nothing.
 *
 * Bits per byte do not depend on the vocabulary, so that models with different ones can be
 * compared: the sum of the losses of all targets, in bits, over the bytes of text of all targets. A
 * special token has no text: its loss counts, its name does not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "text/vocab.h"
#include "tools/wtrain.h"

/* The bytes of text of each id. */
static enum w_status measure_ids(struct run *run, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    if (!run->tok || w_vocab_from_json(&vocab, run->tok, err)) {
        w_detail("no vocabulary in the batches: validation without bits per byte");
        return W_DONE;
    }
    u32 *bytes = run->validation.id_bytes = calloc(run->conf.vocab_size, sizeof *bytes);
    for (u32 id = 0; bytes && id < run->conf.vocab_size; id++)
        (void)w_vocab_text(vocab, id, &bytes[id]);
    w_vocab_free(vocab);
    return bytes ? W_DONE : w_fail(err, W_NOMEM, "no memory for the vocabulary");
}

/* Is the file not there yet, and to come from the wbatch that makes the batches for training? */
static bool is_to_come(const struct run *run, const char *path)
{
    const struct w_json *header = run->loader ? w_loader_header(run->loader)->json : NULL;
    bool later = false;

    return w_json_bool(w_json_get(header, "val_later"), &later) && later &&
           !run->validation.all_read && w_is_missing(path);
}

/* Open a file of --val, and check that it fits the run. */
static enum w_status open_file(const struct run *run, const char *path, struct w_loader **loader,
                               struct w_err *err)
{
    const struct w_loader_options options = {.path = path,
                                             .batch_size = run->conf.batch_size,
                                             .length = run->conf.max_length,
                                             .vocab_size = run->conf.vocab_size,
                                             .stop = &w_signal_stop};
    enum w_path_kind kind = w_path_kind(path);

    *loader = NULL;
    if (!strcmp(path, "-") || (kind != W_PATH_FILE && kind != W_PATH_NONE))
        return w_fail(err, W_USAGE,
                      "--val %s: needs a regular file, because each evaluation reads it again",
                      path);
    enum w_status status = w_loader_open(loader, &options, err);
    if (status)
        return status;
    const u64 features = w_loader_features(*loader);
    status = w_tok_same(run->tok, w_header_tok(w_loader_header(*loader)), err);
    if (!status && features && run->conf.counts && features != run->conf.counts)
        status = w_fail(err, W_MISMATCH, "has %llu features of counts, but the gate weighs %llu",
                        (unsigned long long)features, (unsigned long long)run->conf.counts);
    return status ? w_fail_at(err, status, "--val %s", path) : W_DONE;
}

static enum w_status check_file(const struct run *run, const char *path, struct w_err *err)
{
    struct w_loader *loader = NULL;
    enum w_status status = open_file(run, path, &loader, err);

    w_loader_close(&loader);
    return status;
}

enum w_status eval_open(struct run *run, struct w_err *err)
{
    const struct w_text_list *val = &run->set->val;
    enum w_status status = W_DONE;

    for (size_t i = 0; i < val->count && !status; i++) {
        if (!is_to_come(run, val->items[i]))
            status = check_file(run, val->items[i], err);
        else
            w_say("--val %s: not there yet: evaluated once wbatch --val-output has completed it",
                  val->items[i]);
    }
    run->validation.step = W_JSON_INT_MAX;
    run->validation.of_val = calloc(val->count, sizeof *run->validation.of_val);
    run->validation.nll =
        calloc(run->conf.batch_size * run->conf.max_length, sizeof *run->validation.nll);
    if (!status && (!run->validation.of_val || !run->validation.nll))
        status = w_fail(err, W_NOMEM, "no memory for the results of validation");
    return status ? status : measure_ids(run, err);
}

bool eval_is_due(const struct run *run)
{
    return run->set->val.count && run_passed(run, run->set->val_every);
}

/* Add the losses of the text of sequence b of a batch that has just been through the model. */
static void add_sequence(const struct run *run, const struct w_loaded *batch, u64 b,
                         struct evaluation *e)
{
    const u64 length = run->conf.max_length, first = b * (length + 1) + 1, row = b * length;
    const u64 targets = batch->targets ? batch->targets[b] : length;
    const float *nll = run->validation.nll + row, *mixed = w_model_mixed(run->model);
    const u32 *id_bytes = run->validation.id_bytes;

    for (u64 i = 0; i < targets; i++) {
        e->loss.network += (double)nll[i];
        e->loss.counts -= batch->lp ? (double)batch->lp[first + i] : 0;
        e->loss.mixed += mixed ? (double)mixed[row + i] : 0;
        e->bytes += id_bytes ? id_bytes[batch->ids[first + i]] : 0;
    }
    e->tokens += targets;
}

/* Add up the losses of all batches; W_END at the end. */
static enum w_status add_batches(struct run *run, struct w_loader *loader, struct evaluation *e,
                                 struct w_err *err)
{
    struct w_batch_place after;
    struct w_loaded loaded;
    enum w_status status;

    while ((status = w_loader_next(loader, &loaded, &after, err)) == W_DONE) {
        const struct w_batch batch = {.ids = loaded.ids, .lp = loaded.lp, .ctx = loaded.ctx};
        w_model_loss(run->model, &batch, run->validation.nll);
        for (u64 b = 0; b < run->conf.batch_size; b++)
            add_sequence(run, &loaded, b, e);
        e->batches++;
        run_heed_save_signal(run);
        if (w_signal_stop)
            return w_fail(err, W_SIGNAL, "stopped by a signal while evaluating");
    }
    return status;
}

static enum w_status evaluate(struct run *run, struct evaluation *e, struct w_err *err)
{
    struct w_loader *loader = NULL;
    double started_s = w_now_s();

    enum w_status status = open_file(run, e->path, &loader, err);
    if (!status)
        status = add_batches(run, loader, e, err);
    w_loader_close(&loader);
    if (status != W_END)
        return status;
    if (e->tokens == 0)
        return w_fail(err, W_MISMATCH, "--val %s: has no text", e->path);
    e->loss.network /= (double)e->tokens;
    e->loss.counts /= (double)e->tokens;
    e->loss.mixed /= (double)e->tokens;
    e->seconds = w_now_s() - started_s;
    if (!isfinite(e->loss.network))
        w_warn("step %llu: the validation loss is not a finite number",
               (unsigned long long)run->state.step);
    return W_DONE;
}

enum w_status eval_run(struct run *run, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < run->set->val.count && !status; i++) {
        struct evaluation *e = &run->validation.of_val[i];
        *e = (struct evaluation){.path = run->set->val.items[i]};
        if (is_to_come(run, e->path))
            continue;
        status = evaluate(run, e, err);
        if (!status)
            log_eval(run, e);
    }
    if (!status) {
        run->validation.step = run->state.step;
        save_if_best(run);
    }
    return status;
}

/* Read what is left of the batches, and train on none of it. */
static enum w_status read_rest(struct run *run, struct w_err *err)
{
    struct w_batch_place after;
    struct w_loaded batch;
    enum w_status status;

    do
        status = w_loader_next(run->loader, &batch, &after, err);
    while (!status);
    run->validation.all_read = status == W_END;
    return status == W_END ? W_DONE : status;
}

enum w_status eval_last(struct run *run, struct w_err *err)
{
    const struct w_text_list *val = &run->set->val;
    const char *late = NULL;
    enum w_status status = W_DONE;

    for (size_t i = 0; i < val->count; i++)
        late = is_to_come(run, val->items[i]) ? val->items[i] : late;
    if (late) {
        w_say("reading the rest of the batches, so that wbatch completes %s", late);
        status = read_rest(run, err);
    }
    if (!status && val->count && (late || run->validation.step != run->state.step))
        status = eval_run(run, err);
    return status;
}

double eval_bits_per_byte(const struct evaluation *e, double loss)
{
    const struct w_score score = {
        .nats = loss * (double)e->tokens, .tokens = e->tokens, .bytes = e->bytes};

    return w_score_bits_per_byte(&score);
}

void eval_close(struct run *run)
{
    free(run->validation.id_bytes);
    free(run->validation.of_val);
    free(run->validation.nll);
}
