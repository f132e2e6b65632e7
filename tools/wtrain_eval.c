/* The validation loss: nats per token, and, where the vocabulary is known, bits per byte of text.
 *
 * Bits per byte do not depend on the vocabulary, so that models with different ones can be
 * compared: the sum of the losses of all targets, in bits, over the bytes of text of all targets. A
 * special token has no text: its loss counts, its name does not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "text/vocab.h"
#include "tools/wtrain.h"

static enum w_status open_loader(const struct run *run, const char *path, struct w_loader **loader,
                                 struct w_err *err)
{
    return w_loader_open(loader,
                         &(struct w_loader_options){.path = path,
                                                    .batch_size = run->conf.batch_size,
                                                    .length = run->conf.max_length,
                                                    .vocab_size = run->conf.vocab_size,
                                                    .stop = &w_signal_stop},
                         err);
}

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
        if (!w_vocab_is_special(vocab, id) && !w_vocab_bytes(vocab, id, &bytes[id]))
            bytes[id] = 0;
    w_vocab_free(vocab);
    return bytes ? W_DONE : w_fail(err, W_NOMEM, "no memory for the vocabulary");
}

static enum w_status check_file(struct run *run, const char *path, struct w_err *err)
{
    struct w_loader *loader = NULL;
    enum w_path_kind kind = w_path_kind(path);

    if (!strcmp(path, "-") || (kind != W_PATH_FILE && kind != W_PATH_NONE))
        return w_fail(err, W_USAGE,
                      "--val %s: needs a regular file, because each evaluation reads it again",
                      path);
    enum w_status status = open_loader(run, path, &loader, err);
    if (status)
        return status;
    const u64 features = w_loader_features(loader);
    status = w_tok_same(run->tok, w_header_tok(w_loader_header(loader)), err);
    if (!status && features && run->conf.counts && features != run->conf.counts)
        status = w_fail(err, W_MISMATCH, "has %llu features of counts, but the gate weighs %llu",
                        (unsigned long long)features, (unsigned long long)run->conf.counts);
    if (status)
        status = w_fail_at(err, status, "--val %s", path);
    w_loader_close(&loader);
    return status;
}

enum w_status eval_open(struct run *run, struct w_err *err)
{
    const struct w_text_list *val = &run->set->val;
    enum w_status status = W_DONE;

    for (size_t i = 0; i < val->count && !status; i++)
        status = check_file(run, val->items[i], err);
    run->validation.step = W_JSON_INT_MAX;
    run->validation.of_val = calloc(val->count, sizeof *run->validation.of_val);
    if (!status && !run->validation.of_val)
        status = w_fail(err, W_NOMEM, "no memory for the results of validation");
    return status ? status : measure_ids(run, err);
}

bool eval_is_due(const struct run *run)
{
    return run->set->val.count && run->set->val_every && run->state.step % run->set->val_every == 0;
}

static u64 target_bytes(const struct run *run, const u32 *ids)
{
    u64 sum = 0, t = run->conf.max_length;

    for (u64 b = 0; b < run->conf.batch_size; b++)
        for (u64 i = 1; i <= t; i++)
            sum += run->validation.id_bytes[ids[b * (t + 1) + i]];
    return sum;
}

/* Add up the mean losses of all batches; W_END at the end. */
static enum w_status add_batches(struct run *run, struct w_loader *loader, struct evaluation *e,
                                 struct w_err *err)
{
    struct w_batch_place after;
    struct w_loaded loaded;
    struct w_losses losses;
    enum w_status status;

    while ((status = w_loader_next(loader, &loaded, &after, err)) == W_DONE) {
        const struct w_batch batch = {.ids = loaded.ids, .lp = loaded.lp, .ctx = loaded.ctx};
        w_model_loss(run->model, &batch, NULL);
        w_model_losses(run->model, &losses);
        e->loss.network += losses.network;
        e->loss.counts += losses.counts;
        e->loss.mixed += losses.mixed;
        e->bytes += run->validation.id_bytes ? target_bytes(run, loaded.ids) : 0;
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

    enum w_status status = open_loader(run, e->path, &loader, err);
    if (!status)
        status = add_batches(run, loader, e, err);
    w_loader_close(&loader);
    if (status != W_END)
        return status;
    if (e->batches == 0)
        return w_fail(err, W_MISMATCH, "--val %s: has no batches", e->path);
    e->loss.network /= (double)e->batches;
    e->loss.counts /= (double)e->batches;
    e->loss.mixed /= (double)e->batches;
    e->tokens = e->batches * run->conf.batch_size * run->conf.max_length;
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
        status = evaluate(run, e, err);
        if (!status)
            log_eval(run, e);
    }
    if (!status)
        run->validation.step = run->state.step;
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
}
