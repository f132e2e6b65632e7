/* Probes, memory curves and a calibration that are measured: tests that need the clock of this
 * machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/calibration.h"
#include "sys/clock.h"
#include "sys/fdio.h"

static struct w_err err;

/* ---- probes ---- */

static void sleep_times(void *context, u64 times)
{
    (void)context;
    w_sleep_s(0.0005 * (double)times);
}

static void sleep_anyway(void *context, u64 times)
{
    (void)context;
    (void)times;
    w_sleep_s(0.002);
}

static void a_probe_measures_once_and_doubts_what_does_not_double(void **state)
{
    (void)state;
    struct w_probe honest = w_probe_run(sleep_times, NULL, 0.1);
    assert_true(honest.seconds > 0.0005 && honest.seconds < 0.01);
    struct w_probe constant = w_probe_run(sleep_anyway, NULL, 0.01);
    assert_true(constant.noisy && constant.doubling < 1.5);
}

/* ---- curves ---- */

static void a_measured_curve_never_gets_faster_with_the_set(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team = NULL;
    struct w_curve c;
    assert_int_equal(w_kern_choose(&kern, NULL, &err), W_DONE);
    assert_int_equal(w_team_new(&team, 2, &err), W_DONE);
    for (enum w_curve_kind kind = W_CURVE_LATENCY; kind <= W_CURVE_BANDWIDTH; kind++) {
        assert_int_equal(w_curve_measure(&c, kind, kern, team, 1 << 20, 0.05, &err), W_DONE);
        assert_int_equal(c.count, 17); /* 4, 6, 8, 12 KiB ... 1 MiB */
        for (u32 i = 0; i < c.count; i++) {
            double before = c.points[i ? i - 1 : 0].value, value = c.points[i].value;
            assert_true(value > 0);
            assert_true(kind == W_CURVE_LATENCY ? value >= before : value <= before);
        }
    }
    w_team_free(team);
}

/* ---- calibrations ---- */

static struct w_calibration calibration;
static struct w_machine machine;
static double progress_part = -1; /* the latest, and how often it came */
static u32 progress_calls;

/* The part that is done never falls, and something is left to do whenever it is said. Generation
 * comes last: it must not take the time of shapes. */
static void see_progress(void *context, const char *what, double part)
{
    static bool generates;
    (void)context;
    assert_false(generates && strstr(what, "kernels"));
    generates |= !strcmp(what, "generation");
    assert_true(part >= progress_part && part < 1);
    assert_true(strlen(what) > 0);
    progress_part = part;
    progress_calls++;
}

static int calibrate(void **state)
{
    (void)state;
    struct w_calibrating how = {.threads = 2,
                                .seconds = 0.2,
                                .host = "here",
                                .time = 1700000000,
                                .scratch = NULL,
                                .progress = see_progress};
    w_machine_read(&machine, "");
    if (w_kern_choose(&how.kern[W_TYPE_F32], NULL, &err) ||
        w_kern_choose(&how.kern[W_TYPE_BF16], NULL, &err))
        return -1;
    return w_calibration_run(&calibration, &machine, &how, &err) ? -1 : 0;
}

static void a_calibration_measures_every_part(void **state)
{
    (void)state;
    const struct w_calibration *c = &calibration;
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++) {
        assert_true(c->peak[type].one > 1e8 && c->peak[type].all > 1e8);
        assert_true(w_calibration_knows(c, type));
    }
    /* three curves, generation by five models, and shapes: those that it had no time for are done,
     * too */
    assert_true(progress_part > 0.75 && progress_calls > 8);
    /* two shapes each: with all threads in both precisions, and with one thread */
    assert_int_equal(c->probe_count, 6);
    assert_int_equal(c->probes[2].type, W_TYPE_BF16);
    assert_int_equal(c->probes[0].threads, 2);
    assert_int_equal(c->probes[4].threads, 1);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        const struct w_phase_cost *cost = &c->probes[0].phases[phase];
        assert_true(cost->token_s + cost->call_s > 0 && cost->call_s >= 0);
    }
    /* the two span widths */
    assert_true(c->probes[1].shape.d_model >= 2 * c->probes[0].shape.d_model);
    assert_true(c->decode_count >= 2 && c->decodes[1].bytes > c->decodes[0].bytes);
    struct w_machine m = machine;
    w_calibration_apply(c, &m);
    assert_true(m.flops_per_s.value == c->peak[W_TYPE_F32].all && m.memory_bytes_per_s.value > 0);
    assert_true(m.bf16_flops_per_s.value == c->peak[W_TYPE_BF16].all);
    assert_int_equal(m.flops_per_s.source, W_FROM_MEASUREMENT);
    assert_true(m.l1d.bytes == 0 || m.l1d.latency_s.value > 0);
    assert_true(m.memory_latency_s.value >= m.l1d.latency_s.value);
}

static void a_calibration_survives_its_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/wtools-calibration-XXXXXX", path[128];
    static struct w_calibration back;
    assert_non_null(mkdtemp(folder));
    w_calibration_path(path, sizeof path, folder, &machine);
    assert_int_equal(w_calibration_load(&back, path, &err), W_NO);
    assert_int_equal(w_calibration_save(&calibration, path, &err), W_DONE);
    assert_int_equal(w_calibration_load(&back, path, &err), W_DONE);
    struct w_json *a = w_calibration_json(&calibration), *b = w_calibration_json(&back);
    char *text_a = w_json_text(a, &err), *text_b = w_json_text(b, &err);
    assert_string_equal(text_a, text_b);
    free(text_a);
    free(text_b);
    w_json_free(a);
    w_json_free(b);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_measures_once_and_doubts_what_does_not_double),
        cmocka_unit_test(a_measured_curve_never_gets_faster_with_the_set),
        cmocka_unit_test(a_calibration_measures_every_part),
        cmocka_unit_test(a_calibration_survives_its_file),
    };
    return cmocka_run_group_tests(tests, calibrate, NULL);
}
