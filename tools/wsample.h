/* wsample.h - shared by the files of wsample: the settings, and a model with its vocabulary. */
#ifndef W_WSAMPLE_H
#define W_WSAMPLE_H

#include "conf/conf.h"
#include "kern/kern.h"
#include "net/infer.h"
#include "net/sampler.h"
#include "store/checkpoint.h"
#include "sys/fdio.h"
#include "sys/team.h"
#include "text/bpe_encode.h"
#include "tools/cli.h"

struct settings {
    const char *model, *prompt, *prompt_file, *prompts, *score, *counts;
    struct w_text_list stops;
    u64 count, samples, batch, threads;
    u32 type;   /* enum type_choice */
    u32 format; /* enum score_format */
    const char *field;
    struct w_sampler_options sampler;
    bool no_echo, ignore_end, json, count_on, interactive, documents;
    const char *seed; /* a number, or "random" */
};

/* Of --type, in the order of its option. */
enum type_choice { TYPE_AUTO, TYPE_F32, TYPE_BF16, TYPE_Q8 };
#define TYPE_NAMES "auto|f32|bf16|q8"

/* Of --format: how the file of --score holds documents. */
enum score_format {
    SCORE_PLAIN,
    SCORE_AUTO,
    SCORE_LINES,
    SCORE_WIKI,
    SCORE_JSONL,
    SCORE_TOKENS,
};
#define SCORE_FORMATS "plain|auto|lines|wiki|jsonl|tokens"

/* The file of a model, its vocabulary, and the workers and kernels to run it with. */
struct loaded_model {
    struct w_ckpt *ckpt;
    struct w_conf conf;
    struct w_vocab *vocab;
    struct w_encoder *encoder;
    const struct w_kern *kern;
    enum w_type type; /* of the weights in products */
    struct w_tensors tensors;
    float *weights; /* those that generation reads as they are in the file; the others are packed */
    struct w_team *team;
    struct counts *counts; /* of --counts, or NULL */
};

/* Read the weights and make what generates with them, which the caller frees before the model.
 * W_CORRUPT: the model is damaged; W_IO; W_NOMEM. */
enum w_status wsample_infer_new(struct w_infer **, struct loaded_model *,
                                const struct w_plan_decode *, struct w_err *) W_MUST_CHECK;

/* ---- wsample_counts.c ---- */
/* Read the counts of --counts, to be closed whatever it returns. W_MISMATCH: the model has no gate
 * for them, or another vocabulary; else as reading counts. */
enum w_status wsample_counts_open(struct counts **, const struct settings *,
                                  const struct loaded_model *, struct w_err *) W_MUST_CHECK;
void wsample_counts_close(struct counts *); /* accepts NULL */
/* Texts that are made at a time: each has a slot. W_NOMEM. */
enum w_status wsample_counts_slots(struct counts *, u32 slots, struct w_err *) W_MUST_CHECK;
/* Forget the text that was counted for a slot. */
void wsample_counts_restart(struct counts *, u32 slot);
/* Logits of the network for the token after a text become those of the mixture; they belong to the
 * counts, until the next call. With --count-on the text is counted first, as far as it is new.
 * W_NOMEM; W_LIMIT. */
struct counts_row {
    const struct w_infer *infer;
    u64 row; /* of its logits */
    const struct w_ids *text;
};
enum w_status wsample_counts_mix(struct counts *, const struct loaded_model *, u32 slot,
                                 const struct counts_row *, const float **logits,
                                 struct w_err *) W_MUST_CHECK;
/* What the counts say of each id of a text: lp (count) and ctx (count, features). Statuses as
 * above. */
enum w_status wsample_counts_score(struct counts *, struct w_team *, const struct w_ids *text,
                                   float *lp, u8 *ctx, struct w_err *) W_MUST_CHECK;

/* Write samples to standard output: as they come, or as a JSON object each. W_CORRUPT: the model or
 * a line of prompts is damaged, or the model gives NaN; W_MISMATCH: there is no prompt; W_LIMIT:
 * they are too large; W_PIPE: the reader has gone; W_IO; W_NOMEM. */
enum w_status wsample_generate(const struct settings *, struct loaded_model *,
                               struct w_err *) W_MUST_CHECK;
/* The same for each line of standard input, with the model kept. W_LIMIT: a line is too long. */
enum w_status wsample_talk(const struct settings *, struct loaded_model *,
                           struct w_err *) W_MUST_CHECK;

/* Print the likelihood of the documents of a file under the model. W_MISMATCH: there is no text, or
 * it is a token stream of another vocabulary; W_CORRUPT: the model is damaged; else as reading
 * documents. */
enum w_status wsample_score(const struct settings *, struct loaded_model *,
                            struct w_err *) W_MUST_CHECK;

/* Write one line of JSON to standard output. Takes over json. W_IO, W_NOMEM. */
enum w_status wsample_print_json(struct w_json *json, struct w_err *) W_MUST_CHECK;

#endif
