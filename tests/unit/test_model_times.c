/* The seconds of a step's phases: every phase has some, their sum is not more than the step, and
 * what a layer takes is charged to its own phases. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model_fixture.h"
#include "net/model_private.h"
#include "sys/clock.h"

static void every_phase_of_a_step_is_timed(void **state)
{
    (void)state;
    static const struct shape shape = {128, 2, 2, 512, 500, 4, 64};
    struct w_conf conf = conf_of(&shape);
    const struct w_kern *kern;
    conf.optimizer = W_OPTIMIZER_MUON;
    conf.counts = 3;
    struct w_err err;
    double gradient_s[W_PHASES], sum = 0;
    u32 updated = 0;

    assert_int_equal(w_kern_choose(&kern, NULL, &err), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    w_model_gradient(run.model, &run.batch, 1);
    w_model_seconds_reset(run.model);
    double begin = w_now_s();
    w_model_gradient(run.model, &run.batch, 1);
    const double *seconds = w_model_seconds(run.model);
    memcpy(gradient_s, seconds, sizeof gradient_s);
    w_model_update(run.model, 1, 1e-3);
    double whole = w_now_s() - begin;
    for (u32 i = 0; i < W_PHASES; i++) {
        assert_true(seconds[i] > 0);
        sum += seconds[i];
        updated += seconds[i] != gradient_s[i]; /* two phases are of the update */
        for (u32 k = 0; k < i; k++) {
            assert_string_not_equal(w_phases[i].key, w_phases[k].key);
            assert_string_not_equal(w_phases[i].title, w_phases[k].title);
        }
    }
    assert_int_equal(updated, 2);
    assert_true(sum <= whole);
    w_model_seconds_reset(run.model);
    for (u32 i = 0; i < W_PHASES; i++)
        assert_true(seconds[i] == 0);
    finish(&run);
}

/* A kind of layer that takes NAP_S more in each direction, and counts its calls by their phase. */
#define NAP_S 0.005
struct slow_kind {
    struct w_layer_kind kind; /* first: a layer leads to it */
    const struct w_layer_kind *usual;
};
static u32 naps[W_PHASES];

static void nap(enum w_phase phase)
{
    naps[phase]++;
    w_sleep_s(NAP_S);
}

static void slow_forward(const struct w_layer_at *at)
{
    const struct slow_kind *slow = (const struct slow_kind *)at->layer->kind;

    nap(slow->kind.forward_phase);
    slow->usual->forward(at);
}

static void slow_backward(const struct w_layer_at *at)
{
    const struct slow_kind *slow = (const struct slow_kind *)at->layer->kind;

    nap(slow->kind.backward_phase);
    slow->usual->backward(at);
}

/* Sleeps have a least time, so that this does not depend on the machine's speed. The model is so
 * small that a phase without its sleeps would have far less. */
static void time_is_charged_to_the_phase_that_took_it(void **state)
{
    (void)state;
    static const struct shape shape = {16, 2, 1, 32, 64, 1, 8};
    struct w_conf conf = conf_of(&shape);
    const struct w_kern *kern;
    struct w_err err;

    conf.counts = 3;
    assert_int_equal(w_kern_choose(&kern, NULL, &err), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    const struct w_arch *arch = &run.model->arch;
    struct slow_kind *slow = calloc(arch->count, sizeof *slow);
    assert_non_null(slow);
    for (u32 i = 0; i < arch->count; i++) {
        slow[i] = (struct slow_kind){*arch->layers[i].kind, arch->layers[i].kind};
        slow[i].kind.forward = slow_forward;
        slow[i].kind.backward = slow_backward;
        arch->layers[i].kind = &slow[i].kind;
    }
    w_model_seconds_reset(run.model);
    memset(naps, 0, sizeof naps);
    w_model_gradient(run.model, &run.batch, 1);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        assert_true((naps[phase] > 0) == !w_phases[phase].of_update);
        assert_true(w_model_seconds(run.model)[phase] >= naps[phase] * NAP_S);
    }
    /* forward and backward through three norms, and forward once more where the output is not kept,
     * of the last one also for the gate */
    assert_int_equal(naps[W_PHASE_NORM], 3 + 3 + 2 + 1);
    for (u32 i = 0; i < arch->count; i++)
        arch->layers[i].kind = slow[i].usual;
    free(slow);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_of_a_step_is_timed),
        cmocka_unit_test(time_is_charged_to_the_phase_that_took_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
