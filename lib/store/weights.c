#include "store/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/prov.h"

enum w_status w_weights_init(struct w_weights *w, const struct w_conf *conf, struct w_err *err)
{
    memset(w, 0, sizeof *w);
    w->conf = *conf;
    enum w_status status = w_tensors_make(&w->tensors, conf, err);
    if (status)
        return status;
    w->values = calloc(w->tensors.floats, sizeof *w->values);
    return w->values ? W_DONE
                     : w_fail(err, W_NOMEM, "no memory for %llu weights",
                              (unsigned long long)w->tensors.parameters);
}

enum w_status w_weights_load(struct w_weights *w, const char *path, struct w_err *err)
{
    struct w_ckpt *ckpt = NULL;

    memset(w, 0, sizeof *w);
    enum w_status status = w_ckpt_open(&ckpt, path, err);
    if (!status)
        status = w_weights_init(w, w_ckpt_conf(ckpt), err);
    if (!status)
        status = w_ckpt_read(ckpt, &w->tensors, w->values, NULL, NULL, err);
    if (!status)
        status = w_header_from_json(&w->header, w_json_copy(w_ckpt_header(ckpt)->json), err);
    if (!status && w_ckpt_tok(ckpt) && !(w->tok = w_json_copy(w_ckpt_tok(ckpt))))
        status = w_fail(err, W_NOMEM, "%s: no memory for its vocabulary", path);
    w->has_states = !status && w_ckpt_has_states(ckpt);
    if (!status && w_ckpt_has_state(ckpt)) {
        w->has_state = true;
        w->state = *w_ckpt_state(ckpt);
    }
    w_ckpt_close(&ckpt);
    return status;
}

enum w_status w_weights_reshape(struct w_weights *w, const struct w_conf *conf,
                                const struct w_weights *from, struct w_err *err)
{
    enum w_status status = w_weights_init(w, conf, err);

    for (u32 i = 0; i < w->tensors.count && !status; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        const struct w_tensor *old = w_tensors_find(&from->tensors, row->name);
        if (old && old->ndim == row->ndim && !memcmp(old->shape, row->shape, sizeof row->shape))
            memcpy(w->values + row->offset, from->values + old->offset, row->count * sizeof(float));
    }
    return status;
}

enum w_status w_weights_save(const struct w_weights *w, const char *path, const char *by,
                             bool source, struct w_err *err)
{
    struct w_json *src = source && w->header.json ? w_prov_src(&w->header) : NULL;
    const struct w_ckpt_write write = {.path = path, .by = by, .tok = w->tok, .src = src};

    enum w_status status = w_ckpt_save_weights(&w->tensors, w->values, &w->conf,
                                               w->has_state ? &w->state : NULL, &write, err);
    w_json_free(src);
    return status;
}

void w_weights_release(struct w_weights *w)
{
    w_tensors_free(&w->tensors);
    w_json_free(w->tok);
    w_header_free(&w->header);
    free(w->values);
    memset(w, 0, sizeof *w);
}

enum w_status w_weights_check_vocab(const struct w_weights *w, const struct w_vocab *vocab,
                                    struct w_err *err)
{
    if (w_vocab_size(vocab) <= w->conf.vocab_size)
        return W_DONE;
    return w_fail(err, W_MISMATCH, "the vocabulary has %u ids, the model only %llu",
                  w_vocab_size(vocab), (unsigned long long)w->conf.vocab_size);
}

enum w_status w_weights_vocab(const struct w_weights *w, struct w_vocab **vocab, struct w_err *err)
{
    *vocab = NULL;
    return w_json_get(w->tok, "merges") ? w_vocab_from_json(vocab, w->tok, err) : W_DONE;
}

enum w_status w_weights_set_vocab(struct w_weights *w, const struct w_vocab *vocab,
                                  struct w_err *err)
{
    enum w_status status = w_weights_check_vocab(w, vocab, err);

    if (status)
        return status;
    w_json_free(w->tok);
    w->tok = w_vocab_json(vocab);
    return w->tok ? W_DONE : w_fail(err, W_NOMEM, "no memory for the vocabulary");
}

bool w_all_finite(const float *x, u64 count)
{
    bool finite = true;

    for (u64 i = 0; i < count; i++)
        finite &= isfinite(x[i]) != 0;
    return finite;
}

const struct w_tensor *w_weights_find_bad(const struct w_weights *w)
{
    for (u32 i = 0; i < w->tensors.count; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        if (!w_all_finite(w->values + row->offset, row->count))
            return row;
    }
    return NULL;
}
