/* config.json and the vocabulary of a folder of transformers.
 *
 * What a configuration leaves out has the default of transformers' GPT2Config. Where it says that
 * the model computes something that models here do not, it is refused; what only matters to
 * training (dropout) or to generation is not looked at. */
#include "exchange/hf_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fdio.h"
#include "sys/input.h"
#include "sys/output.h"
#include "text/vocab_formats.h"
#include "text/vocab_import.h"

#define CONFIG_BYTES_MAX (1u << 20)
#define SIZE_MAX_SAID (1u << 30) /* far above the limits of lib/conf, which say what is wrong */

const char *w_hf_path(char path[W_HF_PATH], const char *folder, const char *name)
{
    snprintf(path, W_HF_PATH, "%s/%s", folder, name);
    return path;
}

bool w_hf_has(const char *folder, const char *name)
{
    char path[W_HF_PATH];

    return w_path_kind(folder) == W_PATH_FOLDER &&
           w_path_kind(w_hf_path(path, folder, name)) == W_PATH_FILE;
}

/* ---- config.json ---- */

/* A whole number; `unsaid` where it is left out or null, and 0: it must be there. */
static enum w_status read_size(const struct w_json *json, const char *key, u64 unsaid, u64 *value,
                               struct w_err *err)
{
    const struct w_json *said = w_json_get(json, key);

    if (unsaid && (!said || w_json_is_null(said))) {
        *value = unsaid;
        return W_DONE;
    }
    return w_json_need_u64(json, key, 1, SIZE_MAX_SAID, value, err);
}

/* Keys that change what is computed, and the only value that is computed here. */
static const struct {
    const char *key;
    bool wanted;
} switches[] = {
    {"scale_attn_weights", true},
    {"scale_attn_by_inverse_layer_idx", false},
    {"add_cross_attention", false},
};

/* One formula under three names. */
static const char *const activations[] = {"gelu_new", "gelu_pytorch_tanh", "gelu_fast"};

static enum w_status check_activation(const struct w_json *json, struct w_err *err)
{
    const struct w_json *said = w_json_get(json, "activation_function");
    const char *name = said ? w_json_string(said) : activations[0];
    char text[40];

    for (size_t i = 0; name && i < W_COUNTOF(activations); i++)
        if (!strcmp(name, activations[i]))
            return W_DONE;
    snprintf(text, sizeof text, "%s", name ? name : "no string");
    w_make_printable(text);
    return w_fail(err, W_MISMATCH,
                  "its activation is \"%s\"%s; here it is gelu_new, the approximation with tanh",
                  text, name && !strcmp(name, "gelu") ? ", exact GELU" : "");
}

static enum w_status check_computation(const struct w_json *json, struct w_err *err)
{
    const char *type = w_json_string(w_json_get(json, "model_type"));
    char text[40];

    if (!type || strcmp(type, "gpt2")) {
        snprintf(text, sizeof text, "%s", type ? type : "not said");
        w_make_printable(text);
        return w_fail(err, W_MISMATCH, "its model_type is \"%s\"; models of the type gpt2 come in",
                      text);
    }
    if (w_json_get(json, "quantization_config"))
        return w_fail(err, W_MISMATCH, "its weights are quantized: convert them to floats first");
    for (size_t i = 0; i < W_COUNTOF(switches); i++) {
        const struct w_json *said = w_json_get(json, switches[i].key);
        bool value = false;
        if (said && (!w_json_bool(said, &value) || value != switches[i].wanted))
            return w_fail(err, W_MISMATCH, "%s is not %s, as it is here", switches[i].key,
                          switches[i].wanted ? "true" : "false");
    }
    return check_activation(json, err);
}

enum w_status w_hf_parse_config(struct w_conf *conf, const char *text, size_t size,
                                struct w_err *err)
{
    struct w_gpt2_shape shape = {.epsilon = W_LAYER_NORM_EPSILON};
    struct w_json *json = NULL;

    enum w_status status = w_json_parse(&json, text, size, err);
    if (!status && !w_json_is_object(json))
        status = w_fail(err, W_CORRUPT, "is no JSON object");
    if (!status)
        status = check_computation(json, err);
    if (!status)
        status = read_size(json, "n_embd", 0, &shape.width, err);
    if (!status)
        status = read_size(json, "n_head", 0, &shape.heads, err);
    if (!status)
        status = read_size(json, "n_layer", 0, &shape.layers, err);
    if (!status)
        status = read_size(json, "n_inner", 4 * shape.width, &shape.hidden, err);
    if (!status)
        status = read_size(json, "vocab_size", 0, &shape.vocab, err);
    if (!status)
        status = read_size(json, w_json_get(json, "n_positions") ? "n_positions" : "n_ctx", 0,
                           &shape.positions, err);
    if (!status && w_json_get(json, "layer_norm_epsilon") &&
        !w_json_real(w_json_get(json, "layer_norm_epsilon"), &shape.epsilon))
        status = w_fail(err, W_CORRUPT, "\"layer_norm_epsilon\" is no number");
    if (!status)
        status = w_gpt2_conf(conf, &shape, err);
    w_json_free(json);
    return status ? w_fail_at(err, status, "config.json") : W_DONE;
}

enum w_status w_hf_read_config(struct w_conf *conf, const char *folder, struct w_err *err)
{
    char path[W_HF_PATH], *text = NULL;
    size_t size = 0;

    if (!w_hf_has(folder, "config.json"))
        return w_fail(err, W_MISMATCH,
                      "there is no config.json beside the weights, which says the "
                      "number of heads");
    enum w_status status =
        w_input_slurp(w_hf_path(path, folder, "config.json"), CONFIG_BYTES_MAX, &text, &size, err);
    if (!status)
        status = w_hf_parse_config(conf, text, size, err);
    free(text);
    return status;
}

static struct w_json *config_json(const struct w_weights *w, const struct w_vocab *vocab,
                                  enum w_weight_type type)
{
    static const char *const torch[W_WEIGHT_TYPES] = {"float32", "float16", "bfloat16", "float32"};
    static const char *const dropouts[] = {"resid_pdrop", "embd_pdrop", "attn_pdrop"};
    static const char *const ends[] = {"bos_token_id", "eos_token_id"};
    const struct w_conf *c = &w->conf;
    struct w_json *json = w_json_object(), *names = w_json_array();

    w_json_add_string(names, "GPT2LMHeadModel");
    w_json_set(json, "architectures", names);
    w_json_set_string(json, "model_type", "gpt2");
    w_json_set_u64(json, "vocab_size", c->vocab_size);
    w_json_set_u64(json, "n_positions", c->max_length);
    w_json_set_u64(json, "n_ctx", c->max_length); /* that converters ask for */
    w_json_set_u64(json, "n_embd", c->d_model);
    w_json_set_u64(json, "n_layer", c->num_layers);
    w_json_set_u64(json, "n_head", c->num_heads);
    w_json_set_u64(json, "n_inner", c->d_ff);
    w_json_set_string(json, "activation_function", activations[0]);
    w_json_set_real(json, "layer_norm_epsilon", W_LAYER_NORM_EPSILON);
    for (size_t i = 0; i < W_COUNTOF(dropouts); i++)
        w_json_set_u64(json, dropouts[i], 0);
    w_json_set_bool(json, "scale_attn_weights", true);
    w_json_set_bool(json, "tie_word_embeddings", true);
    for (size_t i = 0; i < W_COUNTOF(ends); i++)
        if (vocab)
            w_json_set_u64(json, ends[i], w_vocab_eot_id(vocab));
        else
            w_json_set_null(json, ends[i]);
    w_json_set_string(json, "torch_dtype", torch[type]);
    return json;
}

/* ---- the vocabulary ---- */

enum w_status w_hf_read_vocab(struct w_weights *w, const char *folder, w_exchange_tell *tell,
                              struct w_err *err)
{
    const struct w_import_options options = {0};
    char first[W_HF_PATH], second[W_HF_PATH];
    char *paths[] = {first, second};
    struct w_vocab *vocab = NULL;
    enum w_status status;

    if (w_hf_has(folder, "tokenizer.json")) {
        w_hf_path(first, folder, "tokenizer.json");
        status = w_vocab_import(&vocab, W_VOCAB_HF, paths, 1, &options, err);
    } else if (w_hf_has(folder, "vocab.json") && w_hf_has(folder, "merges.txt")) {
        w_hf_path(first, folder, "vocab.json");
        w_hf_path(second, folder, "merges.txt");
        status = w_vocab_import(&vocab, W_VOCAB_GPT2, paths, 2, &options, err);
    } else {
        w_exchange_say(tell, true,
                       "the folder has no tokenizer.json, nor vocab.json and merges.txt: the model "
                       "has no vocabulary");
        return W_DONE;
    }
    if (!status)
        status = w_weights_set_vocab(w, vocab, err);
    w_vocab_free(vocab);
    return status;
}

/* The name of the token that ends documents, as a string that the caller frees; NULL without
 * memory. */
static char *end_name(const struct w_vocab *vocab)
{
    u32 size;
    const u8 *bytes = w_vocab_bytes(vocab, w_vocab_eot_id(vocab), &size);

    return strndup((const char *)bytes, size);
}

static struct w_json *tokenizer_config_json(const struct w_weights *w, const char *end)
{
    static const char *const names[] = {"bos_token", "eos_token", "unk_token"};
    struct w_json *json = w_json_object();

    w_json_set_string(json, "tokenizer_class", "PreTrainedTokenizerFast");
    w_json_set_u64(json, "model_max_length", w->conf.max_length);
    for (size_t i = 0; i < W_COUNTOF(names); i++)
        w_json_set_string(json, names[i], end);
    w_json_set_bool(json, "add_prefix_space", false);
    w_json_set_bool(json, "clean_up_tokenization_spaces", false);
    return json;
}

static struct w_json *generation_config_json(const struct w_vocab *vocab)
{
    struct w_json *json = w_json_object();

    w_json_set_u64(json, "bos_token_id", w_vocab_eot_id(vocab));
    w_json_set_u64(json, "eos_token_id", w_vocab_eot_id(vocab));
    return json;
}

/* Write JSON, which is freed, as a file. */
static enum w_status write_json(struct w_folder_output *out, const char *name, struct w_json *json,
                                struct w_err *err)
{
    enum w_status status = json ? w_json_save(json, true, w_folder_output_file(out, name), err)
                                : w_fail(err, W_NOMEM, "no memory for %s", name);
    w_json_free(json);
    return status;
}

static enum w_status write_vocab(struct w_folder_output *out, const struct w_weights *w,
                                 const struct w_vocab *vocab, struct w_err *err)
{
    struct w_draft text = {0};
    char *end = end_name(vocab);

    enum w_status status = end ? W_DONE : w_fail(err, W_NOMEM, "no memory for the vocabulary");
    if (!status)
        status = w_vocab_write_hf(vocab, &text, err);
    if (!status)
        status = w_output_whole(w_folder_output_file(out, "tokenizer.json"), text.bytes, text.count,
                                err);
    if (!status)
        status = write_json(out, "tokenizer_config.json", tokenizer_config_json(w, end), err);
    if (!status)
        status = write_json(out, "generation_config.json", generation_config_json(vocab), err);
    free(text.bytes);
    free(end);
    return status;
}

enum w_status w_hf_write(struct w_folder_output *out, const struct w_weights *w,
                         enum w_weight_type type, w_exchange_tell *tell, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    enum w_status status = w_exchange_vocab(w, &vocab, err);
    if (!status)
        status = write_json(out, "config.json", config_json(w, vocab, type), err);
    if (!status && vocab)
        status = write_vocab(out, w, vocab, err);
    else if (!status)
        w_exchange_say(tell, true, "the model has no vocabulary, and so the folder has none");
    w_vocab_free(vocab);
    return status;
}
