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

static enum w_status open_loader(const struct run *run, struct w_loader **loader, struct w_err *err)
{
    return w_loader_open(loader,
                         &(struct w_loader_options){.path = run->set->val,
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

enum w_status eval_open(struct run *run, struct w_err *err)
{
    struct w_loader *loader = NULL;
    enum w_path_kind kind = w_path_kind(run->set->val);

    if (!strcmp(run->set->val, "-") || (kind != W_PATH_FILE && kind != W_PATH_NONE))
        return w_fail(err, W_USAGE,
                      "--val %s: needs a regular file, because each evaluation reads it again",
                      run->set->val);
    enum w_status status = open_loader(run, &loader, err);
    if (status)
        return status;
    status = w_tok_same(run->tok, w_header_tok(w_loader_header(loader)), err);
    if (status)
        status = w_fail_at(err, status, "--val %s", run->set->val);
    w_loader_close(&loader);
    run->validation.step = W_JSON_INT_MAX;
    return status ? status : measure_ids(run, err);
}

bool eval_is_due(const struct run *run)
{
    return run->set->val && run->set->val_every && run->state.step % run->set->val_every == 0;
}

static u64 target_bytes(const struct run *run, const u32 *ids)
{
    u64 sum = 0, t = run->conf.max_length;

    for (u64 b = 0; b < run->conf.batch_size; b++)
        for (u64 i = 1; i <= t; i++)
            sum += run->validation.id_bytes[ids[b * (t + 1) + i]];
    return sum;
}

enum w_status eval_run(struct run *run, struct w_err *err)
{
    struct w_loader *loader = NULL;
    struct w_stream_place after;
    struct w_score score = {0};
    double started_s = w_now_s(), nats = 0; /* nats: the sum of the means of batches */
    u64 batches = 0, batch_tokens = run->conf.batch_size * run->conf.max_length;
    struct w_loaded batch;

    enum w_status status = open_loader(run, &loader, err);
    while (!status && (status = w_loader_next(loader, &batch, &after, err)) == W_DONE) {
        nats += w_model_loss(run->model, &(struct w_batch){.ids = batch.ids}, NULL);
        score.bytes += run->validation.id_bytes ? target_bytes(run, batch.ids) : 0;
        batches++;
        run_heed_save_signal(run);
        if (w_signal_stop)
            status = w_fail(err, W_SIGNAL, "stopped by a signal while evaluating");
    }
    w_loader_close(&loader);
    if (status != W_END)
        return status;
    if (batches == 0)
        return w_fail(err, W_MISMATCH, "--val %s: has no batches", run->set->val);
    score.nats = nats * (double)batch_tokens;
    score.tokens = batches * batch_tokens;
    run->validation.loss = nats / (double)batches;
    run->validation.bits_per_byte = w_score_bits_per_byte(&score);
    run->validation.step = run->state.step;
    if (!isfinite(run->validation.loss))
        w_warn("step %llu: the validation loss is not a finite number",
               (unsigned long long)run->state.step);
    log_eval(run, batches, &score, w_now_s() - started_s);
    return W_DONE;
}

void eval_close(struct run *run)
{
    free(run->validation.id_bytes);
}
