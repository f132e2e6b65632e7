/* One token at a time with a cache gives the logits that the formulas give for the whole text at
 * once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/infer.h"
#include "net/model.h"
#include "net/sampler.h"
#include "tests/unit/gpt2_tensors.h"

#define WIDTH 40 /* no multiple of a vector: the ends of rows are tested too */
#define HEADS 5
#define HIDDEN 72
#define VOCAB 77
#define LENGTH 19
#define SLOTS 7
#define ROWS 13 /* of a pass */

static const struct w_conf conf = {.d_model = WIDTH,
                                   .num_heads = HEADS,
                                   .num_layers = 3,
                                   .d_ff = HIDDEN,
                                   .vocab_size = VOCAB,
                                   .batch_size = 1,
                                   .max_length = LENGTH,
                                   .learning_rate = 1e-3,
                                   .accumulate = 1,
                                   .init_std = 0.02};

/* Weights large enough that every part of the model matters. */
static float *make_weights(const struct w_tensors *tensors)
{
    float *weights = aligned_alloc(64, w_round_up(tensors->floats * sizeof(float), 64));
    struct w_rng rng = {.seed = 4};
    assert_non_null(weights);
    for (u64 i = 0; i < tensors->floats; i++)
        weights[i] = (float)(0.3 * w_rng_normal(&rng));
    return weights;
}

static void make_ids(u32 *ids, u32 count)
{
    struct w_rng rng = {.seed = 5};
    for (u32 i = 0; i < count; i++)
        ids[i] = (u32)w_rng_below(&rng, VOCAB);
}

/* ---- the model in double precision, position by position, nothing shared with infer.c ---- */

struct formulas {
    const struct w_tensors *tensors;
    const float *weights;
    double x[LENGTH][WIDTH], normed[LENGTH][WIDTH], qkv[LENGTH][3 * WIDTH];
    double hidden[LENGTH][HIDDEN], out[LENGTH][WIDTH], logits[LENGTH][VOCAB];
};

static const float *row(const struct formulas *f, u64 number)
{
    return f->weights + f->tensors->rows[number].offset;
}

static void linear(const struct formulas *f, u64 number, const double *in, u64 columns, double *out,
                   u64 rows)
{
    for (u64 r = 0; r < rows; r++) {
        out[r] = (double)row(f, number + 1)[r];
        for (u64 c = 0; c < columns; c++)
            out[r] += (double)row(f, number)[r * columns + c] * in[c];
    }
}

static void layer_norm(const struct formulas *f, u64 number, const double *in, double *out)
{
    double mean = 0, variance = 0;
    for (u32 i = 0; i < WIDTH; i++)
        mean += in[i] / WIDTH;
    for (u32 i = 0; i < WIDTH; i++)
        variance += (in[i] - mean) * (in[i] - mean) / WIDTH;
    for (u32 i = 0; i < WIDTH; i++)
        out[i] = (in[i] - mean) / sqrt(variance + 1e-5) * (double)row(f, number)[i] +
                 (double)row(f, number + 1)[i];
}

static void attention(struct formulas *f, u32 t)
{
    u32 size = WIDTH / HEADS;
    for (u32 head = 0; head < HEADS; head++) {
        double shares[LENGTH], sum = 0;
        for (u32 past = 0; past <= t; past++) {
            double score = 0;
            for (u32 i = head * size; i < (head + 1) * size; i++)
                score += f->qkv[t][i] * f->qkv[past][WIDTH + i];
            sum += shares[past] = exp(score / sqrt(size));
        }
        for (u32 i = head * size; i < (head + 1) * size; i++) {
            f->normed[t][i] = 0;
            for (u32 past = 0; past <= t; past++)
                f->normed[t][i] += shares[past] / sum * f->qkv[past][2 * WIDTH + i];
        }
    }
}

static void compute(struct formulas *f, const u32 *ids, u32 count)
{
    for (u32 t = 0; t < count; t++)
        for (u32 i = 0; i < WIDTH; i++)
            f->x[t][i] = (double)row(f, 0)[ids[t] * WIDTH + i] + (double)row(f, 1)[t * WIDTH + i];
    for (u64 layer = 0; layer < conf.num_layers; layer++) {
        u64 first = 2 + layer * W_LAYER_TENSORS;
        for (u32 t = 0; t < count; t++) {
            layer_norm(f, first + W_LN_1_WEIGHT, f->x[t], f->normed[t]);
            linear(f, first + W_ATTN_WEIGHT, f->normed[t], WIDTH, f->qkv[t], 3 * WIDTH);
        }
        for (u32 t = 0; t < count; t++) {
            attention(f, t);
            linear(f, first + W_ATTN_PROJ_WEIGHT, f->normed[t], WIDTH, f->out[t], WIDTH);
            for (u32 i = 0; i < WIDTH; i++)
                f->x[t][i] += f->out[t][i];
            layer_norm(f, first + W_LN_2_WEIGHT, f->x[t], f->normed[t]);
            linear(f, first + W_FC_WEIGHT, f->normed[t], WIDTH, f->hidden[t], HIDDEN);
            for (u32 i = 0; i < HIDDEN; i++) {
                double h = f->hidden[t][i];
                f->hidden[t][i] = 0.5 * h * (1 + tanh(sqrt(2 / M_PI) * (h + 0.044715 * h * h * h)));
            }
            linear(f, first + W_FC_PROJ_WEIGHT, f->hidden[t], HIDDEN, f->out[t], WIDTH);
            for (u32 i = 0; i < WIDTH; i++)
                f->x[t][i] += f->out[t][i];
        }
    }
    for (u32 t = 0; t < count; t++) {
        layer_norm(f, 2 + conf.num_layers * W_LAYER_TENSORS, f->x[t], f->normed[t]);
        for (u32 v = 0; v < VOCAB; v++) {
            f->logits[t][v] = 0;
            for (u32 i = 0; i < WIDTH; i++)
                f->logits[t][v] += (double)row(f, 0)[v * WIDTH + i] * f->normed[t][i];
        }
    }
}

/* A model of tiny size with weights, threads and formulas; freed together. */
struct setup {
    struct w_tensors tensors;
    float *weights;
    const struct w_kern *kern;
    struct w_team *team;
    struct w_infer *infer;
    struct w_err err;
    u32 ids[LENGTH + 1];
};

static void open_setup(struct setup *s, u32 threads)
{
    const struct w_plan_decode how = {W_TYPE_F32, SLOTS, ROWS, SLOTS};

    memset(s, 0, sizeof *s);
    assert_int_equal(w_tensors_make(&s->tensors, &conf, &s->err), W_DONE);
    s->weights = make_weights(&s->tensors);
    make_ids(s->ids, LENGTH + 1);
    assert_int_equal(w_kern_choose(&s->kern, NULL, &s->err), W_DONE);
    assert_int_equal(w_team_new(&s->team, threads, &s->err), W_DONE);
    assert_int_equal(w_infer_new(&s->infer, &conf, s->weights, &how, s->kern, s->team, &s->err),
                     W_DONE);
}

static void close_setup(struct setup *s)
{
    w_infer_free(s->infer);
    w_team_free(s->team);
    w_tensors_free(&s->tensors);
    free(s->weights);
}

static void logits_are_those_of_the_formulas(void **state)
{
    (void)state;
    struct setup s;
    open_setup(&s, 2);
    struct formulas *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->tensors = &s.tensors;
    f->weights = s.weights;
    compute(f, s.ids, LENGTH);
    /* Twice: the second text must find nothing of the first one in the cache. */
    for (int round = 0; round < 2; round++) {
        w_infer_start(s.infer, 0);
        for (u32 t = 0; t < LENGTH; t++) {
            const float *logits = w_infer_next(s.infer, s.ids[t]);
            assert_int_equal(w_infer_length(s.infer, 0), t + 1);
            for (u32 v = 0; v < VOCAB; v++) {
                double scale = fabs(f->logits[t][v]) + 1;
                if (fabs((double)logits[v] - f->logits[t][v]) > 1e-4 * scale)
                    fail_msg("position %u, id %u: %g, not %g", t, v, (double)logits[v],
                             f->logits[t][v]);
            }
        }
    }
    free(f);
    close_setup(&s);
}

static void losses_are_those_of_training(void **state)
{
    (void)state;
    struct setup s;
    struct w_model *model = NULL;
    float nll[LENGTH];
    double sum = 0;
    open_setup(&s, 1);
    assert_int_equal(w_model_new(&model, &conf, W_PLAN_EVAL, W_TYPE_F32, s.kern, s.team, &s.err),
                     W_DONE);
    memcpy(w_model_weights(model), s.weights, s.tensors.floats * sizeof(float));
    double mean = w_model_loss(model, &(struct w_batch){.ids = s.ids}, nll);
    for (u32 t = 0; t < LENGTH; t++) {
        const float *logits = w_infer_next(s.infer, s.ids[t]);
        double loss = -w_log_probability(s.kern, logits, VOCAB, s.ids[t + 1]);
        assert_true(fabs(loss - (double)nll[t]) < 1e-3 * (1 + loss));
        sum += loss;
    }
    assert_true(fabs(sum / LENGTH - mean) < 1e-4 * (1 + mean));
    w_model_free(model);
    close_setup(&s);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct setup one, three;
    open_setup(&one, 1);
    open_setup(&three, 3);
    for (u32 t = 0; t < LENGTH; t++) {
        const float *a = w_infer_next(one.infer, one.ids[t]);
        const float *b = w_infer_next(three.infer, one.ids[t]);
        assert_memory_equal(a, b, VOCAB * sizeof(float));
    }
    close_setup(&one);
    close_setup(&three);
}

/* Texts of random lengths in random slots, of each several given tokens in a pass and then one that
 * was drawn: each logit has the bits that its text alone has, one token at a time. */
static void neighbours_do_not_change_a_bit(enum w_type type, u32 threads)
{
    enum { TEXTS = 40 };
    const struct w_plan_decode many = {type, SLOTS, ROWS, SLOTS}, single = {type, 1, 1, 1};
    const enum w_precision precision = type == W_TYPE_F32 ? W_PRECISION_FP32 : W_PRECISION_BF16;
    struct w_rng rng = {.seed = 9};
    struct w_infer *all, *one;
    const struct w_kern *kern;
    float given[SLOTS][VOCAB];
    enum w_type chosen;
    struct setup s;

    open_setup(&s, threads);
    assert_int_equal(w_kern_choose_precision(&kern, &chosen, NULL, precision, NULL), W_DONE);
    assert_int_equal(w_infer_new(&all, &conf, s.weights, &many, kern, s.team, &s.err), W_DONE);
    assert_int_equal(w_infer_new(&one, &conf, s.weights, &single, kern, s.team, &s.err), W_DONE);
    for (u32 round = 0; round < TEXTS; round++) {
        const u32 count = 1 + (u32)w_rng_below(&rng, SLOTS); /* texts of this pass */
        u32 ids[SLOTS][LENGTH], lengths[SLOTS];
        for (u32 slot = 0; slot < count; slot++) {
            lengths[slot] = 1 + (u32)w_rng_below(&rng, LENGTH - 1);
            w_infer_start(all, slot);
            for (u32 t = 0; t <= lengths[slot]; t++)
                ids[slot][t] = (u32)w_rng_below(&rng, VOCAB);
            for (u32 t = 0; t + 1 < lengths[slot]; t++)
                w_infer_append(all, slot, ids[slot][t]);
        }
        if (round % 2 || w_infer_room(all) < count)
            w_infer_run(all);
        for (u32 slot = 0; slot < count; slot++)
            w_infer_want(all, slot, ids[slot][lengths[slot] - 1]);
        memcpy(given, w_infer_run(all), count * sizeof *given);
        for (u32 slot = 0; slot < count; slot++)
            w_infer_want(all, slot, ids[slot][lengths[slot]]);
        const float *drawn = w_infer_run_drawn(all);
        for (u32 slot = 0; slot < count; slot++) {
            const float *want = NULL;
            w_infer_start(one, 0);
            for (u32 t = 0; t < lengths[slot]; t++) {
                w_infer_want(one, 0, ids[slot][t]);
                want = w_infer_run(one);
            }
            assert_memory_equal(given[slot], want, sizeof *given);
            want = w_infer_next(one, ids[slot][lengths[slot]]);
            assert_memory_equal(drawn + slot * VOCAB, want, sizeof *given);
        }
    }
    w_infer_free(all);
    w_infer_free(one);
    close_setup(&s);
}

static void neighbours_do_not_change_a_bit_in_fp32(void **state)
{
    (void)state;
    neighbours_do_not_change_a_bit(W_TYPE_F32, 1);
    neighbours_do_not_change_a_bit(W_TYPE_F32, 3);
}

static void neighbours_do_not_change_a_bit_in_bf16(void **state)
{
    (void)state;
    neighbours_do_not_change_a_bit(W_TYPE_BF16, 1);
    neighbours_do_not_change_a_bit(W_TYPE_BF16, 3);
}

static void neighbours_do_not_change_a_bit_in_q8(void **state)
{
    (void)state;
    neighbours_do_not_change_a_bit(W_TYPE_Q8, 1);
    neighbours_do_not_change_a_bit(W_TYPE_Q8, 3);
}

/* Weights and activations lose a little in 16 bits and in 8, but no more than that. */
static void other_types_are_near_fp32(void **state)
{
    static const struct {
        enum w_type type;
        double most; /* mean difference, relative to the spread of the logits */
    } rows[] = {{W_TYPE_BF16, 0.03}, {W_TYPE_Q8, 0.05}};

    (void)state;
    for (u32 r = 0; r < W_COUNTOF(rows); r++) {
        const struct w_plan_decode how = {rows[r].type, 1, 4, 1};
        struct w_infer *infer;
        double off = 0, spread = 0;
        struct setup s;
        open_setup(&s, 1);
        assert_int_equal(w_infer_new(&infer, &conf, s.weights, &how, s.kern, s.team, &s.err),
                         W_DONE);
        for (u32 t = 0; t < LENGTH; t++) {
            const float *want = w_infer_next(s.infer, s.ids[t]);
            const float *got = w_infer_next(infer, s.ids[t]);
            for (u32 v = 0; v < VOCAB; v++) {
                off += fabs((double)(got[v] - want[v]));
                spread += fabs((double)want[v]);
            }
        }
        if (!(off < rows[r].most * spread && off > 0))
            fail_msg("%s: off by %g of %g", w_type_name(rows[r].type), off, spread);
        w_infer_free(infer);
        close_setup(&s);
    }
}

/* A slot that begins as a copy goes on as the original does, and the copy is one. */
static void a_copied_slot_goes_on_alone(void **state)
{
    (void)state;
    struct setup s;
    float first[VOCAB];

    open_setup(&s, 2);
    for (u32 t = 0; t < LENGTH - 1; t++)
        w_infer_append(s.infer, 3, s.ids[t]);
    w_infer_run(s.infer);
    w_infer_copy(s.infer, 5, 3, LENGTH - 3);
    assert_int_equal(w_infer_length(s.infer, 5), LENGTH - 3);
    w_infer_want(s.infer, 5, s.ids[LENGTH - 3]);
    memcpy(first, w_infer_run(s.infer), sizeof first);
    w_infer_start(s.infer, 3);
    for (u32 t = 0; t < LENGTH - 3; t++)
        w_infer_append(s.infer, 3, s.ids[t]);
    w_infer_want(s.infer, 3, s.ids[LENGTH - 3]);
    assert_memory_equal(w_infer_run(s.infer), first, sizeof first);
    close_setup(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_the_formulas),
        cmocka_unit_test(losses_are_those_of_training),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(neighbours_do_not_change_a_bit_in_fp32),
        cmocka_unit_test(neighbours_do_not_change_a_bit_in_bf16),
        cmocka_unit_test(neighbours_do_not_change_a_bit_in_q8),
        cmocka_unit_test(other_types_are_near_fp32),
        cmocka_unit_test(a_copied_slot_goes_on_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
