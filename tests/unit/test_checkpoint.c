/* Checkpoints: what is saved is what is read, and a changed byte is always noticed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/checkpoint.h"
#include "sys/input.h"
#include "sys/output.h"

static char path[] = "/tmp/test_checkpoint.XXXXXX";

static const struct w_ckpt_state some_state = {
    .step = 17, .tokens = 17 * 8, .loss = 5.43, .data = {.pos = 1234, .crc = 0xdeadbeef}};

struct fixture {
    struct w_conf conf;
    struct w_team *team;
    struct w_model *model;
    struct w_err err;
};

static int open_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct w_kern *kern = NULL;
    int fd = mkstemp(path);

    assert_true(fd >= 0 && !close(fd));
    const char *text =
        "{\"d_model\":4,\"num_heads\":2,\"num_layers\":1,\"d_ff\":6,\"vocab_size\":5,"
        "\"batch_size\":2,\"max_length\":4,\"learning_rate\":0.001,\"optimizer\":\"adamw\"}";
    assert_int_equal(w_conf_parse(&f->conf, text, strlen(text), "test", &f->err), W_DONE);
    assert_int_equal(w_kern_choose(&kern, NULL, &f->err), W_DONE);
    assert_int_equal(w_team_new(&f->team, 1, &f->err), W_DONE);
    assert_int_equal(
        w_model_new(&f->model, &f->conf, W_PLAN_TRAIN, W_TYPE_F32, kern, f->team, &f->err), W_DONE);
    w_model_init(f->model);
    u64 floats = w_model_tensors(f->model)->floats;
    for (u64 i = 0; i < floats; i++) {
        w_model_state(f->model, 0)[i] = (float)i;
        w_model_state(f->model, 1)[i] = (float)i + 0.5f;
    }
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    w_model_free(f->model);
    w_team_free(f->team);
    free(f);
    return unlink(path);
}

static void save(struct fixture *f, bool weights_only)
{
    struct w_ckpt_write write = {.path = path, .weights_only = weights_only};
    if (w_ckpt_save(f->model, &f->conf, &some_state, &write, &f->err))
        fail_msg("%s", f->err.text);
}

static void same_tensors(const struct w_tensors *tensors, const float *a, const float *b)
{
    for (u32 i = 0; i < tensors->count; i++)
        assert_memory_equal(a + tensors->rows[i].offset, b + tensors->rows[i].offset,
                            tensors->rows[i].count * sizeof *a);
}

static void what_is_saved_is_read(void **state)
{
    struct fixture *f = *state;
    const struct w_tensors *tensors = w_model_tensors(f->model);
    struct w_ckpt *ckpt = NULL;
    float *blocks = calloc(3 * tensors->floats, sizeof *blocks);

    save(f, false);
    if (w_ckpt_open(&ckpt, path, &f->err))
        fail_msg("%s", f->err.text);
    const struct w_ckpt_state *s = w_ckpt_state(ckpt);
    assert_int_equal(s->step, some_state.step);
    assert_int_equal(s->tokens, some_state.tokens);
    assert_memory_equal(&s->loss, &some_state.loss, sizeof s->loss);
    assert_int_equal(s->data.pos, some_state.data.pos);
    assert_int_equal(s->data.crc, some_state.data.crc);
    assert_int_equal(w_ckpt_conf(ckpt)->d_ff, 6);
    assert_true(w_ckpt_has_states(ckpt));
    assert_null(w_ckpt_tok(ckpt));
    float *states[W_OPTIMIZER_STATES] = {blocks + tensors->floats, blocks + 2 * tensors->floats};
    if (w_ckpt_read(ckpt, tensors, blocks, states, NULL, &f->err))
        fail_msg("%s", f->err.text);
    same_tensors(tensors, blocks, w_model_weights(f->model));
    same_tensors(tensors, blocks + tensors->floats, w_model_state(f->model, 0));
    same_tensors(tensors, blocks + 2 * tensors->floats, w_model_state(f->model, 1));
    w_ckpt_close(&ckpt);
    assert_null(ckpt);
    free(blocks);
}

static void weights_alone_have_no_moments(void **state)
{
    struct fixture *f = *state;
    const struct w_tensors *tensors = w_model_tensors(f->model);
    struct w_ckpt *ckpt = NULL;
    float *blocks = calloc(3 * tensors->floats, sizeof *blocks);

    save(f, true);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_false(w_ckpt_has_states(ckpt));
    float *states[W_OPTIMIZER_STATES] = {blocks + tensors->floats, blocks + 2 * tensors->floats};
    assert_int_equal(w_ckpt_read(ckpt, tensors, blocks, states, NULL, &f->err), W_MISMATCH);
    w_ckpt_close(&ckpt);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_int_equal(w_ckpt_read(ckpt, tensors, blocks, NULL, NULL, &f->err), W_DONE);
    same_tensors(tensors, blocks, w_model_weights(f->model));
    w_ckpt_close(&ckpt);
    free(blocks);
}

/* As earlier versions wrote it: without a CRC of the batches so far. */
static void a_place_of_another_kind_is_refused(void **state)
{
    struct fixture *f = *state;
    struct w_header header = {0};
    struct w_output out = {.fd = -1};
    struct w_writer *writer = NULL;
    struct w_ckpt *ckpt = NULL;

    save(f, false);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_int_equal(w_ckpt_check_resume(ckpt, &f->err), W_DONE);
    assert_int_equal(w_header_from_json(&header, w_json_copy(w_ckpt_header(ckpt)->json), &f->err),
                     W_DONE);
    w_ckpt_close(&ckpt);
    w_json_set_null(w_json_get(w_json_get(header.json, "state"), "data"), "crc");
    u8 *zeroes = calloc(1, header.blob_bytes);
    assert_int_equal(w_output_open(&out, path, &f->err), W_DONE);
    assert_int_equal(w_writer_open(&writer, &out, &header, &(struct w_write_options){0}, &f->err),
                     W_DONE);
    assert_int_equal(w_writer_records(writer, zeroes, header.blob_bytes, &f->err), W_DONE);
    assert_int_equal(w_writer_close(&writer, NULL, &f->err), W_DONE);
    assert_int_equal(w_output_commit(&out, &f->err), W_DONE);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_int_equal(w_ckpt_check_resume(ckpt, &f->err), W_CORRUPT);
    assert_non_null(strstr(f->err.text, "earlier versions"));
    w_ckpt_close(&ckpt);
    w_header_free(&header);
    free(zeroes);
}

/* With Muon each state is that of a part of the tensors, in a block as long as these. A model of
 * AdamW does not take them. */
static void states_are_those_of_each_tensors_rule(void **state)
{
    struct fixture *f = *state;
    const struct w_kern *kern = NULL;
    struct w_model *adamw = f->model, *other = NULL;
    struct w_ckpt *ckpt = NULL;
    struct w_rule_state kept;

    f->conf.optimizer = W_OPTIMIZER_MUON;
    assert_int_equal(w_kern_choose(&kern, NULL, &f->err), W_DONE);
    assert_int_equal(
        w_model_new(&f->model, &f->conf, W_PLAN_TRAIN, W_TYPE_F32, kern, f->team, &f->err), W_DONE);
    assert_int_equal(
        w_model_new(&other, &f->conf, W_PLAN_TRAIN, W_TYPE_F32, kern, f->team, &f->err), W_DONE);
    w_model_init(f->model);
    const struct w_tensors *tensors = w_model_tensors(f->model);
    for (u32 i = 0; (kept = w_optimizer_state(tensors->optimizer, i)).name; i++)
        for (u64 j = 0; j < tensors->rules[kept.rule].floats; j++)
            w_model_state(f->model, i)[j] = (float)(1000 * i + j);
    save(f, false);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_true(w_ckpt_has_states(ckpt));
    float *states[W_OPTIMIZER_STATES] = {w_model_state(other, 0), w_model_state(other, 1),
                                         w_model_state(other, 2)};
    if (w_ckpt_read(ckpt, w_model_tensors(other), w_model_weights(other), states, NULL, &f->err))
        fail_msg("%s", f->err.text);
    w_ckpt_close(&ckpt);
    same_tensors(tensors, w_model_weights(other), w_model_weights(f->model));
    for (u32 i = 0; (kept = w_optimizer_state(tensors->optimizer, i)).name; i++)
        for (u32 t = 0; t < tensors->count; t++)
            if (tensors->rows[t].rule == kept.rule)
                assert_memory_equal(w_model_state(other, i) + tensors->rows[t].state,
                                    w_model_state(f->model, i) + tensors->rows[t].state,
                                    tensors->rows[t].count * sizeof(float));
    float *two[W_OPTIMIZER_STATES] = {w_model_state(adamw, 0), w_model_state(adamw, 1)};
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_int_equal(
        w_ckpt_read(ckpt, w_model_tensors(adamw), w_model_weights(adamw), two, NULL, &f->err),
        W_MISMATCH);
    w_ckpt_close(&ckpt);
    w_model_free(other);
    w_model_free(adamw); /* f->model is freed with the fixture */
}

static void write_bytes(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Every byte changed, and every length shorter: status 3. */
static void all_damage_is_noticed(void **state)
{
    struct fixture *f = *state;
    char *bytes = NULL;
    size_t size = 0;

    save(f, false);
    assert_int_equal(w_ckpt_verify(path, &f->err), W_DONE);
    assert_int_equal(w_input_slurp(path, 1 << 20, &bytes, &size, &f->err), W_DONE);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(bytes[i] ^ 0x10);
        write_bytes(bytes, size);
        if (w_exit_code(w_ckpt_verify(path, &f->err)) != 3)
            fail_msg("byte %zu changed and nobody noticed", i);
        bytes[i] = (char)(bytes[i] ^ 0x10);
    }
    for (size_t i = 0; i < size; i += 13) {
        write_bytes(bytes, i);
        if (w_exit_code(w_ckpt_verify(path, &f->err)) != 3)
            fail_msg("cut at byte %zu and nobody noticed", i);
    }
    free(bytes);
}

static void another_shape_is_refused(void **state)
{
    struct fixture *f = *state;
    struct w_tensors tensors = {0};
    struct w_conf conf = f->conf;
    struct w_ckpt *ckpt = NULL;

    save(f, false);
    conf.d_ff = 8;
    assert_int_equal(w_tensors_make(&tensors, &conf, &f->err), W_DONE);
    float *block = calloc(tensors.floats, sizeof *block);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_int_equal(w_ckpt_read(ckpt, &tensors, block, NULL, NULL, &f->err), W_MISMATCH);
    assert_non_null(strstr(f->err.text, "c_fc"));
    w_ckpt_close(&ckpt);
    free(block);
    w_tensors_free(&tensors);
}

/* A wrong configuration is found before memory is allocated by it. */
static void a_configuration_of_other_tensors_is_refused(void **state)
{
    struct fixture *f = *state;
    struct w_conf conf = f->conf;
    struct w_ckpt_write write = {.path = path};
    struct w_ckpt *ckpt = NULL;

    conf.d_ff = 1 << 20;
    assert_int_equal(w_ckpt_save(f->model, &conf, &some_state, &write, &f->err), W_DONE);
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_MISMATCH);
    assert_null(ckpt);
    assert_non_null(strstr(f->err.text, "of the 16 tensors"));
}

static void weights_that_are_no_numbers_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct w_tensors *tensors = w_model_tensors(f->model);
    float *weight = w_model_weights(f->model) + tensors->rows[3].offset, before = *weight;
    float *block = calloc(tensors->floats, sizeof *block);
    struct w_ckpt *ckpt = NULL;

    for (u32 i = 0; i < 2; i++) {
        *weight = i ? NAN : INFINITY;
        save(f, true);
        assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
        assert_int_equal(w_ckpt_read(ckpt, tensors, block, NULL, NULL, &f->err), W_CORRUPT);
        assert_non_null(strstr(f->err.text, tensors->rows[3].name));
        w_ckpt_close(&ckpt);
    }
    *weight = before;
    free(block);
}

/* Of a sampled softmax. A run that takes its softmax over all ids skips it. */
static void what_was_seen_is_kept(void **state)
{
    struct fixture *f = *state;
    struct w_conf conf = f->conf;
    struct w_model *model = NULL;
    struct w_ckpt *ckpt = NULL;
    static const u32 some[5] = {7, 0, (1u << 24) + 1, UINT32_MAX, 3};

    conf.softmax_sample = 2;
    assert_int_equal(w_model_new(&model, &conf, W_PLAN_TRAIN, W_TYPE_F32,
                                 w_model_engine(f->model)->kern, f->team, &f->err),
                     W_DONE);
    const struct w_tensors *tensors = w_model_tensors(model);
    float *blocks = calloc(3 * tensors->floats, sizeof *blocks);
    float *states[W_OPTIMIZER_STATES] = {blocks + tensors->floats, blocks + 2 * tensors->floats};
    memcpy(w_model_seen(model), some, sizeof some);
    for (u32 turn = 0; turn < 3; turn++) { /* whole; without whom to give it; only weights */
        struct w_ckpt_write write = {.path = path, .weights_only = turn == 2};
        u32 seen[5] = {1, 2, 3, 4, 5};
        u32 was[5] = {1, 2, 3, 4, 5};
        assert_int_equal(w_ckpt_save(model, &conf, &some_state, &write, &f->err), W_DONE);
        assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
        assert_true(w_ckpt_has_states(ckpt) == (turn < 2));
        if (w_ckpt_read(ckpt, tensors, blocks, turn < 2 ? states : NULL, turn == 1 ? NULL : seen,
                        &f->err))
            fail_msg("%s", f->err.text);
        assert_memory_equal(seen, turn ? was : some, sizeof seen);
        same_tensors(tensors, blocks, w_model_weights(model));
        w_ckpt_close(&ckpt);
        assert_int_equal(w_ckpt_verify(path, &f->err), W_DONE);
    }
    /* nothing is there of a run that did not sample before */
    struct w_ckpt_write write = {.path = path};
    assert_int_equal(w_ckpt_save(f->model, &f->conf, &some_state, &write, &f->err), W_DONE);
    u32 seen[5] = {1, 2, 3, 4, 5};
    assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
    assert_true(w_ckpt_has_states(ckpt));
    assert_int_equal(w_ckpt_read(ckpt, tensors, blocks, states, seen, &f->err), W_DONE);
    assert_int_equal(seen[4], 5);
    w_ckpt_close(&ckpt);
    free(blocks);
    w_model_free(model);
}

/* The momentum of the outer step, of all tensors. A run without rounds skips it, and one that
 * begins with them later does not miss it. */
static void momentum_of_rounds_is_kept(void **state)
{
    struct fixture *f = *state;
    struct w_conf conf = f->conf;
    struct w_ckpt_write write = {.path = path};
    struct w_model *model = NULL;
    struct w_ckpt *ckpt = NULL;

    conf.local_steps = 30;
    assert_int_equal(w_model_new(&model, &conf, W_PLAN_TRAIN, W_TYPE_F32,
                                 w_model_engine(f->model)->kern, f->team, &f->err),
                     W_DONE);
    const struct w_tensors *tensors = w_model_tensors(model);
    float *blocks = calloc(4 * tensors->floats, sizeof *blocks);
    float *states[W_OPTIMIZER_STATES] = {blocks + tensors->floats, blocks + 2 * tensors->floats};
    states[W_OUTER_STATE] = blocks + 3 * tensors->floats;
    for (u64 i = 0; i < tensors->floats; i++)
        w_model_state(model, W_OUTER_STATE)[i] = (float)i + 0.25f;
    for (u32 turn = 0; turn < 3; turn++) { /* whole; without whom to give it; without rounds */
        const bool rounds = turn < 2;
        if (turn == 1)
            states[W_OUTER_STATE] = NULL;
        assert_int_equal(w_ckpt_save(rounds ? model : f->model, rounds ? &conf : &f->conf,
                                     &some_state, &write, &f->err),
                         W_DONE);
        assert_int_equal(w_ckpt_open(&ckpt, path, &f->err), W_DONE);
        assert_true(w_ckpt_has_states(ckpt));
        assert_true((w_header_find(w_ckpt_header(ckpt), "outer.m.wte.weight") != NULL) == rounds);
        if (w_ckpt_read(ckpt, tensors, blocks, states, NULL, &f->err))
            fail_msg("%s", f->err.text);
        same_tensors(tensors, blocks + 3 * tensors->floats, w_model_state(model, W_OUTER_STATE));
        states[W_OUTER_STATE] = blocks + 3 * tensors->floats;
        w_ckpt_close(&ckpt);
    }
    free(blocks);
    w_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_read),
        cmocka_unit_test(weights_alone_have_no_moments),
        cmocka_unit_test(a_place_of_another_kind_is_refused),
        cmocka_unit_test(all_damage_is_noticed),
        cmocka_unit_test(another_shape_is_refused),
        cmocka_unit_test(a_configuration_of_other_tensors_is_refused),
        cmocka_unit_test(weights_that_are_no_numbers_are_refused),
        cmocka_unit_test(states_are_those_of_each_tensors_rule),
        cmocka_unit_test(momentum_of_rounds_is_kept),
        cmocka_unit_test(what_was_seen_is_kept),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
