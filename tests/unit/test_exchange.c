/* Types of weights, and models of other programs: what goes out comes back, and what is damaged or
 * something else is refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/fdio.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/sample_model.h"

static char folder[] = "/tmp/test_exchange.XXXXXX";
static char path[64];

/* ---- types ---- */

/* Every f16 comes back, and between two of them a float goes to the nearer one, or to the even
 * one. */
static void f16_is_rounded_to_the_nearest(void **state)
{
    (void)state;
    for (u32 h = 0; h < 0x7c00; h++) {
        const double x = (double)w_f16_to_float((u16)h);
        const double next = h + 1 < 0x7c00 ? (double)w_f16_to_float((u16)(h + 1)) : 65536;
        const double middle = (x + next) / 2;
        assert_int_equal(w_f16_of((float)x), h);
        assert_int_equal(w_f16_of(-(float)x), h | 0x8000);
        assert_int_equal(w_f16_of((float)middle), h + (h & 1));
        assert_int_equal(w_f16_of(nextafterf((float)middle, 0)), h);
        assert_int_equal(w_f16_of(nextafterf((float)middle, INFINITY)), h + 1);
    }
    assert_true(w_f16_to_float(0x3c00) == 1.0f && w_f16_to_float(0xc000) == -2.0f);
    assert_true(w_f16_to_float(1) == 0x1p-24f && w_f16_to_float(0x7bff) == 65504.0f);
    assert_int_equal(w_f16_of(1e30f), 0x7c00);
    assert_true(isinf(w_f16_to_float(0x7c00)) && isnan(w_f16_to_float(w_f16_of(NAN))));
}

/* The scale is rounded by 2^-11 at most, a number then by half a scale. Twice gives the same
 * bytes. */
static void q8_0_is_near_and_stable(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 1};
    float x[64], y[64];
    u8 bytes[68], again[68];

    for (int round = 0; round < 3000; round++) {
        /* from scales that f16 rounds to 0 up to the largest */
        const double size = pow(10, -9 + 15.9 * (round / 3000.0));
        for (int i = 0; i < 64; i++)
            x[i] = (float)(size * (2 * w_rng_unit(&rng) - 1));
        assert_true(w_weights_pack(W_WEIGHT_Q8_0, x, 64, bytes));
        w_weights_unpack(W_WEIGHT_Q8_0, bytes, 64, y);
        for (int i = 0; i < 64; i++) {
            const double scale = (double)w_f16_to_float(w_get16(bytes + i / 32 * 34));
            const double rounded = 127 * 0x1p-25 + size * 0x1p-11; /* of the scale, 127 times */
            assert_true(fabs((double)x[i] - (double)y[i]) <= scale / 2 + rounded);
        }
        assert_true(w_weights_pack(W_WEIGHT_Q8_0, y, 64, again));
        assert_memory_equal(bytes, again, sizeof bytes);
    }
}

static void what_would_become_infinite_does_not_fit(void **state)
{
    (void)state;
    float x[32] = {[7] = 65519, [8] = -65519};
    u8 bytes[128];

    assert_true(w_weights_pack(W_WEIGHT_F16, x, 32, bytes));
    x[7] = -65520;
    assert_false(w_weights_pack(W_WEIGHT_F16, x, 32, bytes));
    assert_true(w_weights_pack(W_WEIGHT_Q8_0, x, 32, bytes));
    x[7] = 65520.0f * 127;
    assert_false(w_weights_pack(W_WEIGHT_Q8_0, x, 32, bytes));
    assert_true(w_weights_pack(W_WEIGHT_BF16, x, 32, bytes));
    x[7] = 3.4e38f;
    assert_false(w_weights_pack(W_WEIGHT_BF16, x, 32, bytes));
    assert_true(w_weights_pack(W_WEIGHT_F32, x, 32, bytes));
}

/* ---- there and back ---- */

static void save(const struct w_weights *w, const struct w_exchange_format *format,
                 enum w_weight_type type, const char *to)
{
    struct w_err err;

    if (w_exchange_write(w, format, type, to, NULL, &err))
        fail_msg("%s", err.text);
}

static void load(struct w_weights *w, const char *from)
{
    struct w_err err;

    if (w_exchange_read(w, from, true, NULL, &err))
        fail_msg("%s", err.text);
}

/* Two files of the same bytes? */
static bool same_files(const char *one, const char *two)
{
    size_t size, size2;
    u8 *a = bytes_of_file(one, &size), *b = bytes_of_file(two, &size2);
    const bool same = size == size2 && !memcmp(a, b, size);

    free(a);
    free(b);
    return same;
}

/* Of a folder, the file with weights. */
static const char *data_of(const struct w_exchange_format *format, const char *name, char text[128])
{
    static const char *const files[] = {"", "/model.safetensors", "/h.0.mlp.c_fc.weight.npy"};

    snprintf(text, 128, "%s%s", name, files[format - w_exchange_formats]);
    return text;
}

/* Rounded by each type, norms, biases and positions of GGUF not; then the same bytes. */
static void there_and_back(const struct w_exchange_format *format, enum w_weight_type type)
{
    static const double errors[W_WEIGHT_TYPES] = {0, 0x1p-11, 0x1p-8, 1.0 / 127};
    struct w_weights w = {0}, back = {0};
    char again[80], one[128], two[128];

    snprintf(again, sizeof again, "%s.again", path);
    sample_weights(&w, 32);
    save(&w, format, type, path);
    load(&back, path);
    assert_true(type != W_WEIGHT_F32 || same_weights(&w, &back));
    assert_int_equal(back.conf.num_heads, 2);
    assert_int_equal(back.conf.max_length, 3);
    for (u32 i = 0; i < w.tensors.count; i++) {
        const struct w_tensor *row = &w.tensors.rows[i];
        const bool exact =
            !format->is_folder && (row->ndim == 1 || !strcmp(row->name, "wpe.weight"));
        for (u64 j = row->offset; j < row->offset + row->count; j++)
            assert_true(fabsf(w.values[j] - back.values[j]) <= (exact ? 0 : 4 * errors[type]));
    }
    char *tok = w_json_text(w.tok, NULL), *tok2 = w_json_text(back.tok, NULL);
    assert_string_equal(tok, tok2);
    save(&back, format, type, again);
    assert_true(same_files(data_of(format, path, one), data_of(format, again, two)));
    free(tok);
    free(tok2);
    w_weights_release(&w);
    w_weights_release(&back);
    remove_sample(path);
    remove_sample(again);
}

static void what_goes_out_comes_back(void **state)
{
    (void)state;
    struct w_weights w = {0};
    struct w_err err;

    sample_weights(&w, 32);
    for (const struct w_exchange_format *f = w_exchange_formats; f->name; f++)
        for (enum w_weight_type type = 0; type < W_WEIGHT_TYPES; type++) {
            if (f->types >> type & 1)
                there_and_back(f, type);
            else
                assert_int_equal(w_exchange_write(&w, f, type, path, NULL, &err), W_USAGE);
        }
    w_weights_release(&w);
}

/* A folder that exists is left alone. */
static void a_folder_is_not_replaced(void **state)
{
    (void)state;
    struct w_weights w = {0};
    struct w_err err;

    sample_weights(&w, 2);
    save(&w, &w_exchange_formats[2], W_WEIGHT_F32, path);
    assert_int_equal(w_exchange_write(&w, &w_exchange_formats[1], W_WEIGHT_F32, path, NULL, &err),
                     W_USAGE);
    assert_non_null(strstr(err.text, "exists"));
    w_weights_release(&w);
    load(&w, path);
    w_weights_release(&w);
    remove_sample(path);
}

static void a_model_without_vocabulary_has_none_after(void **state)
{
    (void)state;
    struct w_weights w = {0}, back = {0};

    sample_weights(&w, 2);
    w_json_free(w.tok);
    w.tok = NULL;
    save(&w, &w_exchange_formats[0], W_WEIGHT_F32, path);
    load(&back, path);
    assert_null(back.tok);
    assert_true(same_weights(&w, &back));
    w_weights_release(&w);
    w_weights_release(&back);
}

/* ---- damage ---- */

/* A change: `bytes` of `size` at an offset after the first place of `key`; or the file ends
 * there. */
struct damage {
    const char *key;
    int after;
    const char *bytes;
    size_t size;
    enum w_status status;
    const char *says;
};
#define BYTES(text) text, sizeof text - 1
#define ALL_ONES BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")

/* Where names and values of the sample's file are: a key is its length in 8 bytes and itself, then
 * the type in 4; a tensor its name, dimensions in 4, sizes in 8 each, type in 4, offset in 8. */
static const struct damage gguf_damages[] = {
    {"GGUF", 0, BYTES("\1"), W_NEWER, "version 1"},
    {"GGUF", 0, BYTES("\4"), W_NEWER, "version 4"},
    {"GGUF", 4, ALL_ONES, W_LIMIT, "name"},
    {"GGUF", 4, BYTES("\0\0\0\0\0\0\0\0"), W_MISMATCH, "no tensors"},
    {"GGUF", 12, ALL_ONES, W_LIMIT, "key"},
    {"general.architecture", 12, BYTES("gptj"), W_MISMATCH, "gptj"},
    {"general.architecture", 12, BYTES("\33[2J"), W_MISMATCH, "\"?[2J\""},
    {"gpt2.context_length", 4, BYTES("\377\377\377\377"), W_MISMATCH, "max_length"},
    {"gpt2.attention.head_count", 4, BYTES("\0\0\0\0"), W_MISMATCH, "num_heads"},
    {"gpt2.attention.head_count", 4, BYTES("\5"), W_MISMATCH, "num_heads"},
    {"gpt2.attention.head_count", 0, BYTES("\11"), W_CORRUPT, "no whole number"},
    {"gpt2.block_count", 4, BYTES("\377\377\377\377"), W_MISMATCH, "num_layers"},
    {"gpt2.block_count", 4, BYTES("\2"), W_MISMATCH, "no tensor for h.1.ln_1.weight"},
    {"gpt2.embedding_length", 4, BYTES("\4"), W_MISMATCH, "dimensions"},
    {"gpt2.attention.layer_norm_epsilon", 4, BYTES("\0\0\0\0"), W_MISMATCH, "epsilon"},
    {"gpt2.attention.layer_norm_epsilon", 4, BYTES("\0\0\300\177"), W_MISMATCH, "epsilon"},
    {"general.file_type", 0, BYTES("\15"), W_CORRUPT, "type 13"},
    {"tokenizer.ggml.tokens", 8, ALL_ONES, W_TRUNCATED, "ends"},
    {"tokenizer.ggml.token_type", 8, ALL_ONES, W_TRUNCATED, "array"},
    {"token_embd.weight", 0, BYTES("\5"), W_CORRUPT, "5 dimensions"},
    {"token_embd.weight", 0, BYTES("\377\377\377\377"), W_CORRUPT, "4294967295 dimensions"},
    {"token_embd.weight", 4, ALL_ONES, W_CORRUPT, "counted"},
    {"token_embd.weight", 4, BYTES("\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\1"), W_CORRUPT, "counted"},
    {"token_embd.weight", 12, BYTES("\0\0\0\1"), W_CORRUPT, "outside"},
    {"token_embd.weight", 20, BYTES("\2"), W_MISMATCH, "type number 2"},
    {"token_embd.weight", 20, BYTES("\10"), W_CORRUPT, "blocks"},
    {"position_embd.weight", 24, BYTES("\0\0\0\0\0\0\0\0"), W_CORRUPT, "overlap"},
    {"position_embd.weight", 24, BYTES("\10"), W_CORRUPT, "multiple of 32"},
    {"position_embd.weight", 24, ALL_ONES, W_CORRUPT, "multiple of 32"},
    {"position_embd.weight", 24, BYTES("\340\377\377\377\377\377\377\377"), W_CORRUPT,
     "position_embd"},
    {"output_norm.bias", -1, BYTES("d"), W_MISMATCH, "no tensor for ln_f.bias"},
    {"output_norm.bias", -1, BYTES("\33"), W_MISMATCH, "no tensor for ln_f.bias"},
};

static u8 *find(u8 *bytes, size_t size, const char *key)
{
    u8 *at = memmem(bytes, size, key, strlen(key));

    assert_non_null(at);
    return at + strlen(key);
}

/* Do as each damage says, to the bytes of a file, and read it as `put` makes a model of them. */
static void check_damages(const struct damage *damages, size_t count, const u8 *bytes, size_t size,
                          const char *(*put)(const u8 *bytes, size_t size))
{
    u8 *copy = malloc(size);
    unsigned wrong = 0;

    for (size_t i = 0; i < count; i++) {
        const struct damage *d = &damages[i];
        struct w_weights w = {0};
        struct w_err err = {0};
        memcpy(copy, bytes, size);
        memcpy(find(copy, size, d->key) + d->after, d->bytes, d->size);
        const enum w_status status = w_exchange_read(&w, put(copy, size), true, NULL, &err);
        if (status != d->status || !strstr(err.text, d->says)) {
            print_error("damage %zu (%s%+d): %s: %s\n", i, d->key, d->after, w_status_name(status),
                        err.text);
            wrong++;
        }
        w_weights_release(&w);
    }
    free(copy);
    assert_int_equal(wrong, 0);
}

static const char *put_alone(const u8 *bytes, size_t size)
{
    static char name[80];

    snprintf(name, sizeof name, "%s.copy", path);
    put_file(folder, "model.gguf.copy", bytes, size);
    return name;
}

static void damaged_gguf_is_refused(void **state)
{
    (void)state;
    struct w_weights w = {0};
    size_t size;

    sample_weights(&w, 2);
    save(&w, &w_exchange_formats[0], W_WEIGHT_F32, path);
    w_weights_release(&w);
    u8 *bytes = bytes_of_file(path, &size);
    check_damages(gguf_damages, W_COUNTOF(gguf_damages), bytes, size, put_alone);
    free(bytes);
    unlink(path);
    unlink(put_alone((const u8 *)"", 0));
}

static const struct damage safetensors_damages[] = {
    {"{\"__metadata__\"", -22, ALL_ONES, W_TRUNCATED, "before its tensors"},
    {"{\"__metadata__\"", -23, BYTES(""), W_DONE, ""},
    {"{\"__metadata__\"", -15, BYTES("["), W_CORRUPT, ""},
    {"wte.weight\":{\"dtype\":", 1, BYTES("F8_"), W_MISMATCH, "of the type F8_"},
    {"wte.weight\":{\"dtype\":", 1, BYTES("I32"), W_MISMATCH, "of the type I32"},
    {"wte.weight\":{\"dtype\":", 1, BYTES("F16"), W_CORRUPT, "its shape says 1040"},
    {"wte.weight\":{\"dtype\":\"F32\",\"shape\":[", 0, BYTES("9999"), W_CORRUPT, ""},
    {"wte.weight\":{\"dtype\":\"F32\",\"shape\":[", 0, BYTES("130,4"), W_MISMATCH, "130 x 4"},
    {"wte.weight\":{\"dtype\":\"F32\",\"shape\":[", 0, BYTES("-60"), W_CORRUPT, "shape"},
    {"wte.weight\":{\"dtype\":\"F32\",\"shape\":[", 0, BYTES("9e9"), W_CORRUPT, "its shape"},
    {"data_offsets\":[0,2", -2, BYTES("9"), W_CORRUPT, "data_offsets"},
    {"data_offsets\":[", 0, BYTES("1,2081"), W_CORRUPT, "overlap"},
    {"wpe.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[", 0, BYTES("2084,2108]"),
     W_CORRUPT, "overlap"},
    {"transformer.ln_f.bias", -1, BYTES("z"), W_MISMATCH, "no tensor for ln_f.bias"},
    {"transformer.ln_f.bias", -8, BYTES("\\u001b[m"), W_MISMATCH, "l?[m"},
    {"transformer.ln_f.bias\":{\"dtype\":\"F32\",\"shape\":[", 0, BYTES("2,9]"), W_CORRUPT, ""},
};

static const struct damage config_damages[] = {
    {"\"gelu_new", -3, BYTES("sil"), W_MISMATCH, "gelu_sil"},
    {"\"gelu_new", -4, BYTES("\"   "), W_CORRUPT, ""},
    {"\"gelu", 0, BYTES("\",   "), W_CORRUPT, ""},
    {"\"gpt2", -1, BYTES("3"), W_MISMATCH, "gpt3"},
    {"\"n_head\":", 1, BYTES("3"), W_MISMATCH, "num_heads"},
    {"\"n_head\":", 1, BYTES("0"), W_CORRUPT, "n_head"},
    {"\"n_layer\":", 1, BYTES("2"), W_MISMATCH, "h.1.ln_1.weight"},
    {"\"n_embd\":", 1, BYTES("4"), W_MISMATCH, "dimensions"},
    {"\"n_inner\":", 1, BYTES("5"), W_MISMATCH, "c_fc"},
    {"\"layer_norm_epsilon\":", 1, BYTES("2"), W_MISMATCH, "epsilon"},
    {"\"scale_attn_weights\":", 1, BYTES("null"), W_MISMATCH, "scale_attn_weights"},
    {"\"vocab_size\":", 1, BYTES("25"), W_MISMATCH, "wte"},
    {"\"n_embd\"", -2, BYTES("x"), W_CORRUPT, "n_embd"},
};

static const char *replaced; /* in the folder that is `path` */
static const char *put_inside(const u8 *bytes, size_t size)
{
    put_file(path, replaced, bytes, size);
    return path;
}

/* A folder of a format, one of its files damaged in turn in each way. */
static void check_folder(const struct w_exchange_format *format, const char *file,
                         const struct damage *damages, size_t count)
{
    struct w_weights w = {0};
    char name[128];
    size_t size;

    sample_weights(&w, 2);
    save(&w, format, W_WEIGHT_F32, path);
    w_weights_release(&w);
    snprintf(name, sizeof name, "%s/%s", path, file);
    u8 *bytes = bytes_of_file(name, &size);
    replaced = file;
    check_damages(damages, count, bytes, size, put_inside);
    free(bytes);
    remove_sample(path);
}

static void damaged_safetensors_are_refused(void **state)
{
    (void)state;
    check_folder(&w_exchange_formats[1], "model.safetensors", safetensors_damages,
                 W_COUNTOF(safetensors_damages));
    check_folder(&w_exchange_formats[1], "config.json", config_damages, W_COUNTOF(config_damages));
}

static const struct damage npy_damages[] = {
    {"NUMPY", -1, BYTES("X"), W_CORRUPT, "no .npy"},
    {"NUMPY", 0, BYTES("\4"), W_NEWER, "version 4"},
    {"NUMPY", 2, BYTES("\377\377"), W_LIMIT, "65535"},
    {"NUMPY", 2, BYTES("\3"), W_CORRUPT, "numpy does not write"},
    {"'<f4", -1, BYTES("8"), W_MISMATCH, "type <f8"},
    {"'<f4", -3, BYTES(">f4"), W_MISMATCH, "type >f4"},
    {"'<f4", -1, BYTES("2"), W_CORRUPT, "its shape says 1040"},
    {"'shape': (", 0, BYTES("999"), W_CORRUPT, "its shape"},
    {"'shape': (", 0, BYTES("130, 4"), W_MISMATCH, "130 x 4"},
    {"'shape': (", 0, BYTES("-60"), W_CORRUPT, "numpy does not write"},
    {"'shape': (260, 2), }", 0, BYTES("1"), W_CORRUPT, "numpy does not write"},
    {"'shape': (260, 2), }", 0, BYTES("\0"), W_CORRUPT, "numpy does not write"},
    {"'descr", -5, BYTES("shape"), W_CORRUPT, "numpy does not write"},
};

static void damaged_npy_is_refused(void **state)
{
    (void)state;
    check_folder(&w_exchange_formats[2], "wte.weight.npy", npy_damages, W_COUNTOF(npy_damages));
}

/* What numpy.save(a.T) writes: the same shape, columns first. */
static void npy_by_columns_is_turned(void **state)
{
    (void)state;
    struct w_weights w = {0}, turned = {0};
    char name[128];
    size_t size;

    sample_weights(&w, 2);
    save(&w, &w_exchange_formats[2], W_WEIGHT_F32, path);
    snprintf(name, sizeof name, "%s/wte.weight.npy", path);
    u8 *bytes = bytes_of_file(name, &size);
    memcpy(find(bytes, size, "False") - 5, "True ", 5);
    put_file(path, "wte.weight.npy", bytes, size);
    load(&turned, path);
    const u64 at = w_tensors_find(&w.tensors, "wte.weight")->offset;
    for (u64 i = 0; i < 260; i++)
        for (u64 j = 0; j < 2; j++)
            assert_true(turned.values[at + 2 * i + j] == w.values[at + 260 * j + i]);
    free(bytes);
    w_weights_release(&w);
    w_weights_release(&turned);
    remove_sample(path);
}

/* Wherever it is cut; and a weight that is no number. */
static void a_cut_gguf_is_refused(void **state)
{
    (void)state;
    struct w_weights w = {0};
    struct w_err err = {0};
    struct memory_file file;
    size_t size;

    sample_weights(&w, 2);
    save(&w, &w_exchange_formats[0], W_WEIGHT_F32, path);
    w_weights_release(&w);
    u8 *bytes = bytes_of_file(path, &size);
    for (size_t cut = 0; cut + 32 < size; cut += 1 + cut % 29) {
        memory_file_open(&file, bytes, cut);
        const enum w_status status = w_exchange_read(&w, file.path, true, NULL, &err);
        if (w_exit_code(status) != 3 || !err.text[0])
            fail_msg("cut at %zu: %s", cut, w_status_name(status));
        w_weights_release(&w);
        memory_file_close(&file);
    }
    memcpy(bytes + size - 32, "\0\0\300\177", 4);
    memory_file_open(&file, bytes, size);
    assert_int_equal(w_exchange_read(&w, file.path, true, NULL, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, "output_norm.bias has numbers that are not finite"));
    w_weights_release(&w);
    memory_file_close(&file);
    free(bytes);
}

/* Another head is a refusal, the table of ids as head is not. */
static void weights_that_no_file_can_hold_are_refused(void **state)
{
    (void)state;
    struct w_weights w = {0};
    struct w_err err = {0};

    sample_weights(&w, 2);
    w.values[w_tensors_find(&w.tensors, "wte.weight")->offset] = 70000;
    assert_int_equal(w_exchange_write(&w, &w_exchange_formats[0], W_WEIGHT_F16, path, NULL, &err),
                     W_MISMATCH);
    assert_non_null(strstr(err.text, "wte.weight"));
    w.values[w_tensors_find(&w.tensors, "wpe.weight")->offset] = NAN;
    assert_int_equal(w_exchange_write(&w, &w_exchange_formats[0], W_WEIGHT_F32, path, NULL, &err),
                     W_CORRUPT);
    w_weights_release(&w);
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.gguf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f16_is_rounded_to_the_nearest),
        cmocka_unit_test(q8_0_is_near_and_stable),
        cmocka_unit_test(what_would_become_infinite_does_not_fit),
        cmocka_unit_test(what_goes_out_comes_back),
        cmocka_unit_test(a_folder_is_not_replaced),
        cmocka_unit_test(a_model_without_vocabulary_has_none_after),
        cmocka_unit_test(damaged_gguf_is_refused),
        cmocka_unit_test(damaged_safetensors_are_refused),
        cmocka_unit_test(damaged_npy_is_refused),
        cmocka_unit_test(npy_by_columns_is_turned),
        cmocka_unit_test(a_cut_gguf_is_refused),
        cmocka_unit_test(weights_that_no_file_can_hold_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
