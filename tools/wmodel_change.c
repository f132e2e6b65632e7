/* wmodel average, strip, positions, ids - a model from models. */
#include "base/strnum.h"
#include "store/weights_change.h"
#include "tools/wmodel.h"

struct settings {
    const char *output;
};

static const struct w_option options[] = {
    WMODEL_OUTPUT_OPTION,
    {0},
};

/* ---- average ---- */

static const char *const average_examples[] = {
    "The last three checkpoints of a run",
    "wmodel average -o mean.wts wiki.wts.ckpt/step-*.wts",
    NULL,
};

static enum w_status average(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_weights_mean mean = {0};
    struct w_weights w = {0};

    enum w_status status = wmodel_need_output(set->output, err);
    if (!status && argc < 2)
        status = w_fail(err, W_USAGE, "name two models, or more");
    for (int i = 0; i < argc && !status; i++) {
        w_weights_release(&w);
        status = wmodel_load(&w, argv[i], NULL, err);
        if (status)
            break;
        status = w_weights_mean_add(&mean, &w, err);
        if (status)
            status = w_fail_at(err, status, "%s", argv[i]);
    }
    if (!status) {
        w_weights_mean_take(&mean, &w);
        w.has_state = false; /* of no run */
        status = wmodel_save(&w, set->output, err);
    }
    w_weights_mean_release(&mean);
    w_weights_release(&w);
    return status;
}

const struct w_program wmodel_average_program = {
    "wmodel average",
    "the mean of models",
    "MODEL MODEL ...",
    "Writes a model whose weights are the means of those of models of one shape and vocabulary, "
    "such as the last checkpoints of one run.",
    options,
    average_examples,
    sizeof(struct settings),
    average,
};

/* ---- strip ---- */

static const char *const strip_examples[] = {
    "A third of the size, to be given away",
    "wmodel strip -o small.wts wiki.wts",
    NULL,
};

static enum w_status strip(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_weights w = {0};

    enum w_status status = wmodel_need_output(set->output, err);
    if (!status)
        status = wmodel_one(argc, err);
    if (!status)
        status = wmodel_load(&w, argv[0], NULL, err);
    if (!status)
        status = wmodel_save(&w, set->output, err);
    w_weights_release(&w);
    return status;
}

const struct w_program wmodel_strip_program = {
    "wmodel strip",
    "leave out the state of the optimizer",
    "MODEL",
    "Writes the weights, the configuration and the vocabulary: all that wsample and wtrain --init "
    "need, but wtrain --resume needs more.",
    options,
    strip_examples,
    sizeof(struct settings),
    strip,
};

/* ---- sizes ---- */

/* N MODEL, by a function that changes the weights. */
static enum w_status resize(const struct settings *set, int argc, char **argv,
                            enum w_status (*change)(struct w_weights *, u64, struct w_err *),
                            struct w_err *err)
{
    struct w_weights w = {0};
    u64 count = 0;

    enum w_status status = wmodel_need_output(set->output, err);
    if (!status && argc != 2)
        status = w_fail(err, W_USAGE, "give a number and one model");
    if (!status)
        status = w_parse_count(argv[0], 1, 1u << 28, &count, err);
    if (!status)
        status = wmodel_load(&w, argv[1], NULL, err);
    if (!status)
        status = change(&w, count, err);
    if (!status)
        status = wmodel_save(&w, set->output, err);
    w_weights_release(&w);
    return status;
}

static const char *const positions_examples[] = {
    "As many as llama.cpp makes of them",
    "wmodel positions 256 -o wiki256.wts wiki.wts",
    NULL,
};

static enum w_status positions(struct settings *set, int argc, char **argv, struct w_err *err)
{
    return resize(set, argc, argv, w_weights_set_positions, err);
}

const struct w_program wmodel_positions_program = {
    "wmodel positions",
    "cut or extend the positions of a model",
    "N MODEL",
    "Writes the model with N positions. With fewer it says the same of texts that fit; with more, "
    "the new ones repeat the old from the first on, and the model has to be trained on longer "
    "texts before it knows any.",
    options,
    positions_examples,
    sizeof(struct settings),
    positions,
};

static const char *const ids_examples[] = {
    "A table of as many rows as another program wants",
    "wmodel ids 50304 -o padded.wts gpt2.wts",
    NULL,
};

static enum w_status ids(struct settings *set, int argc, char **argv, struct w_err *err)
{
    return resize(set, argc, argv, w_weights_set_ids, err);
}

const struct w_program wmodel_ids_program = {
    "wmodel ids",
    "pad or cut the table of ids of a model",
    "N MODEL",
    "Writes the model with N rows in its table of ids, at least those of its vocabulary. New rows "
    "are the mean of the others.",
    options,
    ids_examples,
    sizeof(struct settings),
    ids,
};
