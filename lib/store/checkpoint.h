/* checkpoint.h - a checkpoint: a tensor stream with everything needed to resume a run or to
 * generate text. Header keys beside the tensors: "config" (wconf), "tok" (the
 * vocabulary, with its merges, or null), "state" {step, tokens, loss, seed, "data": place in the
 * batch stream}, "src" (the header of the batch stream). A model that is not to be resumed needs
 * the tensors and "config" alone, so that other programs can write one.
 *
 * Tensors: the parameters by their names, f32, then, unless left out, each state of the optimizer
 * with its name in front, for the tensors whose rule keeps it: "adam.m.NAME", "adam.v.NAME",
 * "muon.m.NAME" (net/optim.h), and with local steps that of the outer step, "outer.m.NAME", for all
 * (net/outer.h). And with a sampled softmax "softmax.seen", u32 (V): how often each id
 * was a target (net/seen_targets.h).
 *
 * The bytes are a function of the configuration and of the data alone: no times, no command line,
 * no number of threads. So a run that was killed and resumed ends with the same file as one that
 * was not, and cmp(1) can say so. */
#ifndef W_CHECKPOINT_H
#define W_CHECKPOINT_H

#include "net/model.h"
#include "net/optim.h"
#include "wire/origin.h"

/* The state of the run in a checkpoint. */
struct w_ckpt_state {
    u64 step;                  /* optimizer steps done */
    u64 tokens;                /* trained on */
    double loss;               /* of the last step */
    double val_loss;           /* of the validation for which the model is kept; else 0 */
    struct w_batch_place data; /* of the next batch */
    double seconds;            /* of training so far: only where a time limits the run, else 0 */
    /* What else decides the weights: the time that a falling schedule follows, 0 for none; and the
     * names of kernels and compute type, "" where they are not known. */
    double time_s;
    char kernel[16], precision[8];
};

/* How to write a checkpoint. tok: the vocabulary, src: "src" (w_prov_src()), origin: of the batches
 * (wire/origin.h); NULL leaves each out. by: the program and its version; NULL: wtrain's. */
struct w_ckpt_write {
    const char *path, *by;
    const struct w_json *tok, *src, *origin;
    bool weights_only;
};
/* Write a whole file: under a temporary name, synced, then renamed. W_IO (a full disk is noticed
 * before the first byte), W_NOMEM, or what w_ckpt_check() gives; after a failure there is no file,
 * or still the old one. */
enum w_status w_ckpt_save(struct w_model *, const struct w_conf *, const struct w_ckpt_state *,
                          const struct w_ckpt_write *, struct w_err *) W_MUST_CHECK;

/* The same for weights without a run: a block laid out as in w_tensors. state: what to say of the
 * run that they come from; NULL: nothing. */
enum w_status w_ckpt_save_weights(const struct w_tensors *, const float *weights,
                                  const struct w_conf *, const struct w_ckpt_state *state,
                                  const struct w_ckpt_write *, struct w_err *) W_MUST_CHECK;

/* Will the header that w_ckpt_save() writes be readable, and how large will the file be? Readers
 * limit the size of its line and the number of its values, which many layers and a large vocabulary
 * together can exceed: this is to be known before the first step. W_LIMIT or W_CORRUPT, as a reader
 * would return; W_NOMEM. */
enum w_status w_ckpt_check(const struct w_tensors *, const struct w_conf *,
                           const struct w_ckpt_write *, u64 *bytes, struct w_err *) W_MUST_CHECK;

/* Open and read the header: configuration, state and vocabulary, so that memory can be planned; the
 * weights have the shapes that the configuration gives them. Whether "state" is whole matters only
 * to w_ckpt_check_resume(). W_MISMATCH: a stream, but no model, or not of its own configuration;
 * W_CORRUPT, W_TRUNCATED, W_NEWER, W_LIMIT: as reading any stream; W_IO, W_NOMEM. *out is NULL
 * after a failure. */
struct w_ckpt;
enum w_status w_ckpt_open(struct w_ckpt **out, const char *path, struct w_err *) W_MUST_CHECK;
const struct w_conf *w_ckpt_conf(const struct w_ckpt *);
/* Zeros for what the file does not say. */
const struct w_ckpt_state *w_ckpt_state(const struct w_ckpt *);
const struct w_header *w_ckpt_header(const struct w_ckpt *);
const struct w_json *w_ckpt_tok(const struct w_ckpt *);    /* or NULL */
const struct w_json *w_ckpt_origin(const struct w_ckpt *); /* of its batches, or NULL */
bool w_ckpt_has_state(const struct w_ckpt *);              /* a whole "state" */
bool w_ckpt_has_states(const struct w_ckpt *);             /* of the optimizer */
/* Has it what a run needs to go on: the states of the optimizer, and "state" with the place in the
 * batch stream? W_MISMATCH: no, with the reason; W_CORRUPT: a part of "state" is missing or
 * wrong. */
enum w_status w_ckpt_check_resume(const struct w_ckpt *, struct w_err *) W_MUST_CHECK;
/* Let w_ckpt_read() take a table of positions of another length than the tensors have: fewer are
 * the first ones, more repeat them (weights_change.h). */
void w_ckpt_fit_positions(struct w_ckpt *);
/* Read the tensors, each checked, and the end frame; weights that are not finite are W_CORRUPT.
 * weights, and unless NULL the states that the file's configuration has, are blocks laid out as in
 * w_tensors; a state that is NULL is left out. seen, unless NULL: (V), for "softmax.seen"; it stays
 * as it is where the file has none of that shape. Without states a gate may be missing: its weights
 * stay as they are. W_MISMATCH: a tensor is missing or of another shape; else as reading any
 * stream. Once only, after the opening. */
enum w_status w_ckpt_read(struct w_ckpt *, const struct w_tensors *, float *weights,
                          float *const states[W_OPTIMIZER_STATES], u32 *seen,
                          struct w_err *) W_MUST_CHECK;
void w_ckpt_close(struct w_ckpt **); /* accepts NULL */

/* Read a whole file and verify every byte, without keeping it. Statuses as w_ckpt_open(). */
enum w_status w_ckpt_verify(const char *path, struct w_err *) W_MUST_CHECK;

#endif
