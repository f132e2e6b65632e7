/* weights.h - a model in memory without a run: configuration, weights and vocabulary, to be
 * changed, or written in another format (exchange/exchange.h).
 *
 *     struct w_weights w = {0};
 *     w_weights_load(&w, "wiki.wts", &err);
 *     w.values[w_tensors_find(&w.tensors, "wte.weight")->offset] = 1;
 *     w_weights_save(&w, "other.wts", "me 1", true, &err);
 *     w_weights_release(&w); */
#ifndef W_WEIGHTS_H
#define W_WEIGHTS_H

#include "store/checkpoint.h"
#include "text/vocab.h"

struct w_weights {
    struct w_conf conf;
    struct w_tensors tensors; /* of conf */
    float *values;            /* a block laid out as in tensors; owned */
    struct w_json *tok;       /* the vocabulary, owned; NULL: none */
    bool has_states;          /* the file that was loaded has those of the optimizer, too */
    bool has_state;
    struct w_ckpt_state state; /* of the run that they come from */
    struct w_header header;    /* of the file that was loaded, for provenance; or zeros */
};

/* All weights 0. The configuration is copied. W_USAGE: no such model; W_NOMEM. */
enum w_status w_weights_init(struct w_weights *, const struct w_conf *,
                             struct w_err *) W_MUST_CHECK;
/* Fails as w_ckpt_open() and w_ckpt_read(). To be released also after a failure, as after all
 * others here. */
enum w_status w_weights_load(struct w_weights *, const char *path, struct w_err *) W_MUST_CHECK;
/* Another configuration for the same weights: those tensors whose shapes are the same in both are
 * copied, the others are 0. Vocabulary, state and header stay with `from`. Fails as
 * w_weights_init(). */
enum w_status w_weights_reshape(struct w_weights *, const struct w_conf *,
                                const struct w_weights *from, struct w_err *) W_MUST_CHECK;
/* by: the program and version; source: say from which header they came. Fails as w_ckpt_save(). */
enum w_status w_weights_save(const struct w_weights *, const char *path, const char *by,
                             bool source, struct w_err *) W_MUST_CHECK;
void w_weights_release(struct w_weights *); /* harmless on zeros; leaves zeros */

/* The vocabulary of weights, the caller's; NULL: they have none. As w_vocab_from_json(). */
enum w_status w_weights_vocab(const struct w_weights *, struct w_vocab **vocab,
                              struct w_err *) W_MUST_CHECK;
/* Give them another, which stays the caller's. W_MISMATCH: it has more ids than the model;
 * W_NOMEM. */
enum w_status w_weights_set_vocab(struct w_weights *, const struct w_vocab *,
                                  struct w_err *) W_MUST_CHECK;
/* W_MISMATCH: a vocabulary has more ids than the model. */
enum w_status w_weights_check_vocab(const struct w_weights *, const struct w_vocab *,
                                    struct w_err *) W_MUST_CHECK;

/* Are numbers all finite? */
bool w_all_finite(const float *x, u64 count);
/* The first tensor with a number that is not; NULL: none. */
const struct w_tensor *w_weights_find_bad(const struct w_weights *);

#endif
