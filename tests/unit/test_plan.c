/* The plan is exactly the memory that is allocated; parameters are counted as the formulas say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/model.h"
#include "net/optim.h"
#include "tests/unit/gpt2_tensors.h"

static struct w_conf conf_of(u64 d, u64 heads, u64 layers, u64 d_ff, u64 vocab, u64 batch,
                             u64 length)
{
    return (struct w_conf){.d_model = d,
                           .num_heads = heads,
                           .num_layers = layers,
                           .d_ff = d_ff,
                           .vocab_size = vocab,
                           .batch_size = batch,
                           .max_length = length,
                           .init_std = 0.02};
}

/* The four configurations that the project compares. */
static const struct golden {
    u64 d, heads, layers, d_ff, batch, length, parameters;
} golden[] = {
    {512, 8, 6, 2048, 64, 256, 27238400},
    {384, 8, 4, 1536, 32, 128, 13291776},
    {320, 8, 5, 1280, 40, 96, 11316160},
    {256, 4, 3, 1024, 32, 128, 6498560},
};

static void parameters_are_counted(void **state)
{
    (void)state;
    for (u32 i = 0; i < W_COUNTOF(golden); i++) {
        const struct golden *g = &golden[i];
        struct w_conf conf =
            conf_of(g->d, g->heads, g->layers, g->d_ff, 16000, g->batch, g->length);
        struct w_tensors tensors;
        assert_int_equal(w_tensors_make(&tensors, &conf, NULL), W_DONE);
        assert_int_equal(tensors.parameters, g->parameters);
        assert_int_equal(tensors.count, 4 + 12 * g->layers);
        assert_string_equal(tensors.rows[2 + W_ATTN_WEIGHT].name, "h.0.attn.c_attn.weight");
        assert_int_equal(tensors.rows[2 + W_ATTN_WEIGHT].shape[0], 3 * g->d);
        assert_string_equal(tensors.rows[tensors.count - 1].name, "ln_f.bias");
        for (u32 t = 0; t < tensors.count; t++)
            assert_int_equal(tensors.rows[t].offset % 16, 0);
        w_tensors_free(&tensors);
    }
}

static void check_plan(const struct w_conf *conf, enum w_plan_mode mode, enum w_type type,
                       u32 threads)
{
    const struct w_kern *kern;
    struct w_plan plan;
    struct w_team *team;
    struct w_model *model;
    struct w_err err;
    u64 end = 0;

    assert_int_equal(w_kern_choose(&kern, NULL, NULL), W_DONE);
    assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
    if (w_plan_make(&plan, conf, mode, type, threads, &err) ||
        w_model_new(&model, conf, mode, type, kern, team, &err))
        fail_msg("%s", err.text);
    assert_int_equal(w_model_bytes(model), plan.bytes);
    for (u32 i = 0; i < plan.count; i++) { /* one after the other, each at a cache line */
        assert_int_equal(plan.rows[i].offset, end);
        assert_int_equal(plan.rows[i].offset % 64, 0);
        assert_ptr_equal(w_plan_find(&plan, plan.rows[i].name), &plan.rows[i]);
        end += plan.rows[i].bytes;
    }
    assert_int_equal(end, plan.bytes);
    w_model_free(model);
    w_team_free(team);
}

static void planned_bytes_are_allocated_bytes(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 2};
    for (u32 i = 0; i < 50; i++) {
        u64 heads = 1 + w_rng_below(&rng, 4);
        struct w_conf conf =
            conf_of(heads * (1 + w_rng_below(&rng, 40)), heads, 1 + w_rng_below(&rng, 4),
                    1 + w_rng_below(&rng, 300), 2 + w_rng_below(&rng, 2000),
                    1 + w_rng_below(&rng, 6), 1 + w_rng_below(&rng, 90));
        check_plan(&conf, i % 4 ? W_PLAN_TRAIN : W_PLAN_EVAL, W_TYPE_F32, 1 + i % 3);
        check_plan(&conf, i % 4 ? W_PLAN_TRAIN : W_PLAN_EVAL, W_TYPE_BF16, 1 + i % 3);
    }
}

static u64 bytes_of(const struct w_plan *plan, const char *name)
{
    const struct w_plan_row *row = w_plan_find(plan, name);
    if (!row)
        fail_msg("the plan has no %s", name);
    return row->bytes;
}

/* Memory of a step of the four configurations, so that no change goes unnoticed: weights, gradients
 * and moments; for each token and layer 10 d + 4 floats of activations, or in bf16 2 d + 4 floats
 * and 8 d numbers in bf16, and the weights once more, packed for each direction. */
static void check_lean(const struct golden *g, enum w_type type)
{
    struct w_conf conf = conf_of(g->d, g->heads, g->layers, g->d_ff, 16000, g->batch, g->length);
    const u64 tokens = g->batch * g->length, element = type == W_TYPE_BF16 ? 2 : 4;
    struct w_plan plan;

    assert_int_equal(w_plan_make(&plan, &conf, W_PLAN_TRAIN, type, 2, NULL), W_DONE);
    u64 kept = bytes_of(&plan, "residual") + bytes_of(&plan, "norm.stats") +
               bytes_of(&plan, "attn.qkv") + bytes_of(&plan, "attn.out") +
               bytes_of(&plan, "mlp.hidden_in");
    u64 stream = g->layers * (2 * g->d + 4) + g->d + 2;
    assert_int_equal(kept, tokens * (4 * stream + element * g->layers * 8 * g->d));
    assert_true(bytes_of(&plan, "weights") < 4 * g->parameters + 64 * 80);
    u64 packed = type == W_TYPE_BF16 ? 2 * 2 * g->parameters : 4 * 2 * 16000 * g->d;
    /* All else: six (M, d) or (M, d_ff) buffers, the head's chunk, scratch. */
    u64 rest = plan.bytes - kept - 4 * bytes_of(&plan, "weights");
    u64 chunk = type == W_TYPE_BF16 ? 2 * 1024 : 4 * 768;
    assert_true(rest < packed + tokens * g->d * (type == W_TYPE_BF16 ? 4 * 2 + 2 * 10 : 4 * 12) +
                           chunk * 16000 + (10 << 20));
}

static void plans_of_the_four_configurations_are_lean(void **state)
{
    (void)state;
    for (u32 i = 0; i < W_COUNTOF(golden); i++) {
        check_lean(&golden[i], W_TYPE_F32);
        check_lean(&golden[i], W_TYPE_BF16);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(1u << 20, 1, 4096, 1u << 22, 1u << 28, 1u << 24, 1u << 20);
    struct w_plan plan;
    struct w_err err = {0};
    assert_int_equal(w_plan_make(&plan, &conf, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_USAGE);
    assert_non_null(strstr(err.text, "than can be counted"));
    /* activations alone */
    conf = conf_of(65536, 65536, 4096, 4, 2, 2047, 1u << 20);
    assert_int_equal(w_plan_make(&plan, &conf, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_USAGE);
    conf = conf_of(UINT64_MAX / 2, 1, 2, 2, 2, 2, 2);
    assert_int_equal(w_plan_make(&plan, &conf, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_USAGE);
}

static void keys_of_the_optimizer_are_keys_of_the_configuration(void **state)
{
    (void)state;
    const struct w_optimizer *optimizer = w_optimizer_of(&(struct w_conf){0});
    for (u32 i = 0; i < W_OPTIMIZER_KEYS && optimizer->keys[i]; i++)
        assert_non_null(w_option_find(w_conf_table, optimizer->keys[i]));
}

static void initial_weights_come_from_the_seed(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(32, 4, 2, 64, 500, 2, 8);
    const struct w_kern *kern;
    struct w_team *team;
    struct w_model *model;
    double sum = 0, squares = 0;

    assert_int_equal(w_kern_choose(&kern, NULL, NULL), W_DONE);
    assert_int_equal(w_team_new(&team, 1, NULL), W_DONE);
    assert_int_equal(w_model_new(&model, &conf, W_PLAN_EVAL, W_TYPE_F32, kern, team, NULL), W_DONE);
    w_model_init(model);
    const float *w = w_model_weights(model);
    float first = w[0];
    for (u64 i = 0; i < 16000; i++) {
        sum += (double)w[i];
        squares += (double)w[i] * (double)w[i];
    }
    assert_true(sum / 16000 < 5e-4 && sum / 16000 > -5e-4);
    assert_true(squares / 16000 > 0.97 * 4e-4 && squares / 16000 < 1.03 * 4e-4);
    const struct w_tensor *rows = w_model_tensors(model)->rows;
    assert_true(w[rows[2 + W_LN_1_WEIGHT].offset + 31] == 1);
    assert_true(w[rows[2 + W_FC_BIAS].offset + 63] == 0);
    w_model_free(model);
    conf.seed = 1;
    assert_int_equal(w_model_new(&model, &conf, W_PLAN_EVAL, W_TYPE_F32, kern, team, NULL), W_DONE);
    w_model_init(model);
    assert_true(w_model_weights(model)[0] != first);
    w_model_free(model);
    w_team_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(planned_bytes_are_allocated_bytes),
        cmocka_unit_test(plans_of_the_four_configurations_are_lean),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(keys_of_the_optimizer_are_keys_of_the_configuration),
        cmocka_unit_test(initial_weights_come_from_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
