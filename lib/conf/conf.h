/* conf.h - the configuration: one JSON object that describes a model and its training.
 *
 * The keys are the rows of the table in conf.c; wconf(5) is generated from them. Keys that are not
 * in the table are errors with a suggestion. Values that cannot work are refused here, with the
 * reason, before any work: heads that do not divide the width, more tokens than a batch can have.
 * The memory of a model is computed by the plan (net/plan.h), which refuses sizes that overflow. */
#ifndef W_CONF_H
#define W_CONF_H

#include "conf/option.h"
#include "sys/json.h"

struct w_conf {
    /* the model (GPT-2 family) and the batch; these eight keys are required */
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
    double cooldown;     /* part of the run over which the schedule falls */
    double min_lr_ratio; /* learning rate at the end of it / learning_rate */
    double weight_decay; /* on matrices */
    double beta1, beta2, epsilon;
    u32 optimizer;                            /* enum w_optimizer_name */
    double muon_learning_rate, muon_momentum; /* of hidden matrices, where Muon is chosen */
    double clip_norm;                         /* of the whole gradient; 0: no clipping */
    u64 accumulate;                           /* batches per optimizer step */
    u64 max_ranks;                            /* that can share them out with the same result */
    u32 peer_sums;   /* enum w_peer_sums: of sums over ranks (net/peer_sum.h) */
    u64 local_steps; /* of a round (net/outer.h); 0: no rounds */
    double outer_learning_rate, outer_momentum; /* of the outer step, at the end of a round */
    double init_std;                            /* of the initial matrices */
    u64 softmax_sample; /* ids in the softmax of a step of training; 0: all */
    u64 lazy_rows; /* 1: with softmax_sample, rows of the embedding that a step does not use stay */
    u64 seed;
    u64 counts;    /* features of counts that the gate of a mixture weighs; 0: no gate */
    char name[64]; /* the file's name without folder and .json, in printable ASCII; not a key */
};

enum w_peer_sums { W_PEER_SUMS_FP32, W_PEER_SUMS_BF16 };
enum w_optimizer_name { W_OPTIMIZER_ADAMW, W_OPTIMIZER_MUON };
enum w_schedule {
    W_SCHEDULE_CONSTANT,
    W_SCHEDULE_COSINE,
    W_SCHEDULE_LINEAR,
    W_SCHEDULE_SQRT,
};

extern const struct w_option w_conf_table[];

/* Read a file; "-": standard input. Errors name file, line and key. W_USAGE: no configuration, or
 * one that is refused; W_IO, W_NOMEM. */
enum w_status w_conf_load(struct w_conf *, const char *path, struct w_err *) W_MUST_CHECK;
/* The same from JSON text of `size` bytes; `name` is for messages and for conf->name. */
enum w_status w_conf_parse(struct w_conf *, const char *text, size_t size, const char *name,
                           struct w_err *) W_MUST_CHECK;
/* Change one key: "batch_size=16". W_USAGE: unknown key, or a value that it does not take. */
enum w_status w_conf_set(struct w_conf *, const char *assignment, struct w_err *) W_MUST_CHECK;
/* Check what depends on several keys: divisibility and limits. Load and parse call this; call it
 * again after w_conf_set(). W_USAGE, with all problems in one line. */
enum w_status w_conf_check(const struct w_conf *, struct w_err *) W_MUST_CHECK;
/* The configuration with all keys, defaults too; the caller owns it. */
struct w_json *w_conf_json(const struct w_conf *);

#endif
