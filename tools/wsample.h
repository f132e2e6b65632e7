/* wsample.h - shared by the files of wsample: the settings, and a model with its vocabulary. */
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

/* The file of a model, its vocabulary, and the workers and kernels to run it with. */
struct loaded_model {
    struct w_ckpt *ckpt;
    struct w_conf conf;
    struct w_vocab *vocab;
    struct w_encoder *encoder;
    const struct w_kern *kern;
    struct w_team *team;
};

/* Write samples to standard output: as they come, or as a JSON object each. W_CORRUPT: the model is
 * damaged, or gives NaN; W_IO; W_NOMEM. */
enum w_status wsample_generate(const struct settings *, struct loaded_model *,
                               struct w_err *) W_MUST_CHECK;

/* Print the likelihood of the text of a file under the model. W_MISMATCH: the text is empty;
 * W_CORRUPT: the model is damaged; W_IO; W_NOMEM. Changes model->conf.batch_size. */
enum w_status wsample_score(const struct settings *, struct loaded_model *,
                            struct w_err *) W_MUST_CHECK;

/* Write one line of JSON to standard output. Takes over json. W_IO, W_NOMEM. */
enum w_status wsample_print_json(struct w_json *json, struct w_err *) W_MUST_CHECK;

#endif
