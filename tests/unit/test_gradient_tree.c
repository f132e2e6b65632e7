/* The sum of a step's gradients beside the same sum made by hand, from gradients of single
 * batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model_fixture.h"
#include "net/gradient_tree.h"

#define BATCHES 24

static struct w_conf conf_with(u64 accumulate)
{
    struct w_conf conf = conf_of(&shapes[0]);
    conf.accumulate = accumulate;
    conf.max_ranks = 8;
    return conf;
}

/* The ids of batch i of a step: those of the fixture, turned. */
static void turn(struct run *run, u64 i)
{
    const u64 count = run->conf.batch_size * (run->conf.max_length + 1);

    for (u64 j = 0; j < count; j++)
        run->ids[j] = (u32)((j * 7 + i * 13 + j * i) % run->conf.vocab_size);
}

/* Gradients of batches [first, first + count), which add to one block. */
static float *part_of(u64 accumulate, u64 first, u64 count, const struct w_kern *kern)
{
    const struct w_conf conf = conf_with(1);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    const u64 floats = w_model_tensors(run.model)->floats;
    float *sum = malloc(floats * sizeof *sum);

    for (u64 i = first; i < first + count; i++) {
        turn(&run, i);
        w_model_gradient(run.model, &run.batch, 1 / (double)accumulate);
    }
    memcpy(sum, w_model_gradients(run.model), floats * sizeof *sum);
    finish(&run);
    return sum;
}

static float *tree_by_hand(u64 accumulate, u32 parts, u64 floats, const struct w_kern *kern)
{
    float *sums[8];

    for (u64 i = 0; i < parts; i++)
        sums[i] = part_of(accumulate, i * (accumulate / parts), accumulate / parts, kern);
    for (u32 apart = 1; apart < parts; apart *= 2)
        for (u32 i = 0; i < parts; i += 2 * apart) {
            for (u64 j = 0; j < floats; j++)
                sums[i][j] += sums[i + apart][j];
            free(sums[i + apart]);
        }
    return sums[0];
}

static void parts_are_a_power_of_two_that_divides_the_batches(void **state)
{
    static const struct {
        u64 accumulate;
        u32 parts;
    } cases[] = {{1, 1}, {2, 2}, {3, 1}, {4, 4}, {6, 2}, {8, 8}, {12, 4}, {16, 8}, {64, 8}};

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        const struct w_conf conf = conf_with(cases[i].accumulate);
        assert_int_equal(w_gradient_parts(&conf), cases[i].parts);
    }
    struct w_conf conf = conf_with(64);
    for (u64 most = 1; most <= 128; most *= 2) {
        conf.max_ranks = most;
        assert_int_equal(w_gradient_parts(&conf), W_MIN(most, 64));
        conf.max_ranks = most + 1; /* no power of two, but for 2 */
        assert_int_equal(w_gradient_parts(&conf), W_MIN(most == 1 ? 2 : most, 64));
    }
}

static void batches_are_summed_in_a_binary_tree(void **state)
{
    static const u64 counts[] = {2, 3, 4, 6, 8, BATCHES};
    const struct w_kern *kern = NULL;
    struct w_err err;

    (void)state;
    assert_int_equal(w_kern_choose(&kern, "auto", &err), W_DONE);
    for (size_t c = 0; c < W_COUNTOF(counts); c++) {
        const struct w_conf conf = conf_with(counts[c]);
        for (u32 threads = 1; threads <= 2; threads++) {
            struct run run = start(&conf, W_PLAN_TRAIN, threads, W_TYPE_F32, kern);
            const u64 floats = w_model_tensors(run.model)->floats;
            float *want = tree_by_hand(counts[c], w_gradient_parts(&conf), floats, kern);
            for (u64 i = 0; i < counts[c]; i++) {
                turn(&run, i);
                w_model_gradient(run.model, &run.batch, 1 / (double)counts[c]);
            }
            assert_memory_equal(w_model_gradients(run.model), want, floats * sizeof *want);
            /* the next step finds zeros */
            w_model_update(run.model, 1, 1e-3);
            for (u64 j = 0; j < floats; j++)
                assert_true(w_model_gradients(run.model)[j] == 0);
            free(want);
            finish(&run);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_a_power_of_two_that_divides_the_batches),
        cmocka_unit_test(batches_are_summed_in_a_binary_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
