/* conf.h - the configuration: one JSON object that says which model to train and how.
 *
 * Rows of the table in conf.c are the keys; wconf(5) is made from them. Keys that are not in the
 * table are errors with a suggestion. Values that cannot work are refused here, with the reason,
 * before any work: heads that do not divide the width, more tokens than a batch can have. How much memory
 * a model takes, and whether that can be counted, is asked of the plan (net/plan.h). */
#ifndef W_CONF_H
#define W_CONF_H

#include "conf/option.h"
#include "sys/json.h"

struct w_conf {
    /* the model (GPT-2 family); these eight keys are the ones that every configuration has */
    u64 d_model;   /* width of the residual stream */
    u64 num_heads; /* attention heads; head_dim = d_model / num_heads */
    u64 num_layers;
    u64 d_ff;       /* width of the hidden layer of the MLP */
    u64 vocab_size; /* rows of the embedding; at least the ids of the vocabulary */
    u64 batch_size; /* B: sequences in a batch */
    u64 max_length; /* T: tokens in a sequence */
    double learning_rate;
    /* training; all have defaults */
    u64 steps;           /* optimizer steps of a whole run, for the schedule; 0: not known */
    u64 warmup_steps;    /* of linear warm-up */
    u32 schedule;        /* enum w_schedule */
    double min_lr_ratio; /* of the cosine's end to learning_rate */
    double weight_decay; /* on matrices */
    double beta1, beta2, epsilon;
    double clip_norm; /* of the whole gradient; 0: no clipping */
    u64 accumulate;   /* batches per optimizer step */
    double init_std;  /* of the initial matrices */
    u64 seed;
    char name[64]; /* the file's name without folder and .json, in printable ASCII; not a key */
};

enum w_schedule { W_SCHEDULE_CONSTANT, W_SCHEDULE_COSINE };

extern const struct w_option w_conf_table[];

/* Read a file. Errors name file, line and key. */
enum w_status w_conf_load(struct w_conf *, const char *path, struct w_err *) W_MUST_CHECK;
/* From JSON text; `name` for messages. */
enum w_status w_conf_parse(struct w_conf *, const char *text, size_t size, const char *name,
                           struct w_err *) W_MUST_CHECK;
/* Change one key: "batch_size=16". */
enum w_status w_conf_set(struct w_conf *, const char *assignment, struct w_err *) W_MUST_CHECK;
/* What no single key can show: divisibility and limits. Called by load and parse; call it
 * again after w_conf_set. */
enum w_status w_conf_check(const struct w_conf *, struct w_err *) W_MUST_CHECK;
/* The effective configuration, with all keys; the caller owns it. */
struct w_json *w_conf_json(const struct w_conf *);

#endif
