/* wsample.h - what the parts of wsample share: the settings, and a model with its vocabulary. */
#ifndef W_WSAMPLE_H
#define W_WSAMPLE_H

#include "conf/conf.h"
#include "kern/kern.h"
#include "net/sampler.h"
#include "store/checkpoint.h"
#include "sys/fdio.h"
#include "sys/team.h"
#include "text/bpe_encode.h"
#include "tools/cli.h"

struct settings {
    const char *model, *prompt, *prompt_file, *score;
    struct w_text_list stops;
    u64 count, samples, threads;
    struct w_sampler_options sampler;
    bool no_echo, ignore_end, json;
};

/* A model that was read from a file; the vocabulary came with it. */
struct loaded_model {
    struct w_ckpt *ckpt;
    struct w_conf conf;
    struct w_vocab *vocab;
    struct w_encoder *encoder;
    const struct w_kern *kern;
    struct w_team *team;
};

/* Write samples to standard output: as they come, or a JSON object each. */
enum w_status wsample_generate(const struct settings *, struct loaded_model *,
                               struct w_err *) W_MUST_CHECK;

/* Measure how well the model foretells the text of a file; print it. */
enum w_status wsample_score(const struct settings *, struct loaded_model *,
                            struct w_err *) W_MUST_CHECK;

/* Write one line of JSON to standard output. Takes over json. */
enum w_status wsample_print_json(struct w_json *json, struct w_err *) W_MUST_CHECK;

#endif
