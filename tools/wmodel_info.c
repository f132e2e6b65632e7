/* wmodel info - what is in a model. */
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "net/arch.h"
#include "tools/wmodel.h"
#include "wire/token_header.h"

struct settings {
    bool json, config, tensors;
};

static const struct w_option options[] = {
    {"json", 0, W_OPT_FLAG, AT(json), .help = "Print a JSON object."},
    {"config", 0, W_OPT_FLAG, AT(config),
     .help = "Print the configuration alone, as wtrain, wbatch and wcachefit take it with -c."},
    {"tensors", 0, W_OPT_FLAG, AT(tensors),
     .help = "List the tensors too: shape, mean, standard deviation, smallest and largest weight."},
    {0},
};

static const char *const examples[] = {
    "Shape, training and vocabulary of a model",
    "wmodel info wiki.wts",
    "Its configuration, to train it further on other text",
    "wmodel info --config gpt2.wts >gpt2.json",
    "Weights that grew beyond 10",
    "wmodel info --json --tensors wiki.wts | jq -c '.tensors[] | select(.max > 10)'",
    NULL,
};

/* Of the weights of a tensor. */
struct facts {
    double mean, std, min, max;
};

static struct facts facts_of(const float *x, u64 count)
{
    struct facts f = {.min = (double)x[0], .max = (double)x[0]};
    double sum = 0, squares = 0;

    for (u64 i = 0; i < count; i++) {
        const double value = (double)x[i];
        sum += value;
        squares += value * value;
        f.min = fmin(f.min, value);
        f.max = fmax(f.max, value);
    }
    f.mean = sum / (double)count;
    f.std = sqrt(fmax(0, squares / (double)count - f.mean * f.mean));
    return f;
}

static struct w_json *tensors_json(const struct w_weights *w)
{
    struct w_json *list = w_json_array();

    for (u32 i = 0; i < w->tensors.count; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        const struct facts f = facts_of(w->values + row->offset, row->count);
        struct w_json *t = w_json_object(), *shape = w_json_array();
        for (u32 d = 0; d < row->ndim; d++)
            w_json_add_u64(shape, row->shape[d]);
        w_json_set_string(t, "name", row->name);
        w_json_set(t, "shape", shape);
        w_json_set_real(t, "mean", f.mean);
        w_json_set_real(t, "std", f.std);
        w_json_set_real(t, "min", f.min);
        w_json_set_real(t, "max", f.max);
        w_json_add(list, t);
    }
    return list;
}

static void print_tensors(const struct w_weights *w)
{
    printf("%-28s %16s %10s %10s %10s %10s\n", "tensor", "shape", "mean", "std", "min", "max");
    for (u32 i = 0; i < w->tensors.count; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        const struct facts f = facts_of(w->values + row->offset, row->count);
        char shape[48];
        snprintf(shape, sizeof shape, row->ndim > 1 ? "%llu x %llu" : "%llu",
                 (unsigned long long)row->shape[0], (unsigned long long)row->shape[1]);
        printf("%-28s %16s %10.3g %10.3g %10.3g %10.3g\n", row->name, shape, f.mean, f.std, f.min,
               f.max);
    }
}

static struct w_json *vocab_json(const struct w_weights *w, const struct w_vocab *vocab)
{
    struct w_json *json = w_json_object();
    const char *sha256 = w_tok_sha256(w->tok);
    char end[64];
    u32 size;

    const u8 *bytes = w_vocab_bytes(vocab, w_vocab_eot_id(vocab), &size);
    snprintf(end, sizeof end, "%.*s", (int)size, (const char *)bytes);
    w_json_set_u64(json, "ids", w_vocab_size(vocab));
    w_json_set_u64(json, "merges", w_vocab_merge_count(vocab));
    w_json_set_string(json, "split", w_split_name(w_vocab_split(vocab)));
    w_json_set_string(json, "end", end);
    w_json_set_u64(json, "eot", w_vocab_eot_id(vocab));
    w_json_set_string(json, "sha256", sha256 ? sha256 : w_vocab_sha256(vocab));
    return json;
}

static struct w_json *model_json(const struct w_weights *w, const char *format,
                                 const struct w_vocab *vocab, bool tensors)
{
    struct w_json *json = w_json_object();

    w_json_set_string(json, "format", format);
    w_json_set(json, "config", w_conf_json(&w->conf));
    w_json_set_u64(json, "parameters", w->tensors.parameters);
    if (vocab)
        w_json_set(json, "vocabulary", vocab_json(w, vocab));
    else
        w_json_set_null(json, "vocabulary");
    if (w->has_state) {
        struct w_json *state = w_json_object();
        w_json_set_u64(state, "step", w->state.step);
        w_json_set_u64(state, "tokens", w->state.tokens);
        w_json_set_real(state, "loss", w->state.loss);
        w_json_set(json, "state", state);
    } else {
        w_json_set_null(json, "state");
    }
    w_json_set_bool(json, "optimizer_states", w->has_states);
    if (tensors)
        w_json_set(json, "tensors", tensors_json(w));
    return json;
}

static void print(const struct w_weights *w, const char *format, const struct w_vocab *vocab)
{
    const struct w_conf *c = &w->conf;
    u32 size;

    printf("%s: GPT-2 with %llu layers of width %llu, %llu heads, MLP of %llu, %llu positions\n",
           format, (unsigned long long)c->num_layers, (unsigned long long)c->d_model,
           (unsigned long long)c->num_heads, (unsigned long long)c->d_ff,
           (unsigned long long)c->max_length);
    printf("parameters: %.4g million, of which %.4g million in the table of %llu ids\n",
           (double)w->tensors.parameters / 1e6, (double)w->tensors.table / 1e6,
           (unsigned long long)c->vocab_size);
    if (c->counts)
        printf("gate: mixes %llu features of counts in\n", (unsigned long long)c->counts);
    if (vocab) {
        const u8 *end = w_vocab_bytes(vocab, w_vocab_eot_id(vocab), &size);
        char shown[128];
        snprintf(shown, sizeof shown, "%.*s", (int)size, (const char *)end);
        w_utf8_hide_controls(shown);
        printf("vocabulary: %u ids, %u merges, split as %s; documents end with %s (%u); %.12s\n",
               w_vocab_size(vocab), w_vocab_merge_count(vocab), w_split_name(w_vocab_split(vocab)),
               shown, w_vocab_eot_id(vocab), w_vocab_sha256(vocab));
    } else {
        printf("vocabulary: none\n");
    }
    if (w->has_state)
        printf("trained: %llu steps, %llu tokens, loss %.4f; %s the optimizer's state\n",
               (unsigned long long)w->state.step, (unsigned long long)w->state.tokens,
               w->state.loss, w->has_states ? "with" : "without");
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    const struct w_exchange_format *format = NULL;
    struct w_weights w = {0};
    struct w_vocab *vocab = NULL;

    enum w_status status = wmodel_one(argc, err);
    if (!status)
        status = wmodel_load(&w, argv[0], &format, err);
    if (!status)
        status = w_weights_vocab(&w, &vocab, err);
    const char *name = format ? format->name : "wts";
    if (!status && set->config) {
        status = w_cli_print_json(w_conf_json(&w.conf), true, err);
    } else if (!status && set->json) {
        status = w_cli_print_json(model_json(&w, name, vocab, set->tensors), false, err);
    } else if (!status) {
        print(&w, name, vocab);
        if (set->tensors)
            print_tensors(&w);
    }
    w_vocab_free(vocab);
    w_weights_release(&w);
    return status;
}

const struct w_program wmodel_info_program = {
    "wmodel info",
    "describe a model",
    "MODEL",
    "Prints the shape of a model, its vocabulary and its training. The model may be of another "
    "program, as with import.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
