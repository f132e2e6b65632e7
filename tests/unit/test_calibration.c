/* Probes, memory curves, and the file of a calibration. */
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

static void samples_that_differ_are_noisy(void **state)
{
    (void)state;
    double calm[] = {1.02, 1, 1.01, 1.03}, wild[] = {1, 3, 1.1, 2};
    assert_false(w_probe_of(calm, 4).noisy);
    struct w_probe p = w_probe_of(wild, 4);
    assert_true(p.noisy && p.seconds > 1 && p.seconds < 1.1); /* disturbances only add */
    assert_true(isnan(w_quantile(calm, 0, 0.5)));
    assert_true(w_quantile(calm, 4, 1) == 1.03 && w_quantile(calm, 4, 0) == 1);
}

/* ---- curves ---- */

/* Latencies of a machine with 32 KiB, 512 KiB and 8 MiB. */
static void set_curve(struct w_curve *c)
{
    *c = (struct w_curve){.kind = W_CURVE_LATENCY, .threads = 1};
    for (u64 bytes = 4096; bytes <= (64 << 20); bytes *= 2) {
        c->points[c->count].bytes = bytes;
        c->points[c->count++].value = bytes <= (32 << 10)    ? 1e-9
                                      : bytes <= (512 << 10) ? 4e-9
                                      : bytes <= (8 << 20)   ? 20e-9
                                                             : 100e-9;
    }
}

static void two_states_are_told_from_noise(void **state)
{
    (void)state;
    static const double one[] = {80, 93, 96, 97, 98, 99, 100, 101, 102, 103},
                        two[] = {48, 50, 52, 97, 98, 99, 100, 101, 102, 103},
                        outliers[] = {50, 51, 97, 98, 99, 100, 101, 102, 103, 104};
    struct w_states s = w_states_of(one, 10);
    assert_true(s.half == 0 && s.border == 0 && s.full == 98.5);
    s = w_states_of(two, 10);
    assert_true(s.half == 50 && s.full == 100 && s.border > 52 && s.border < 97);
    s = w_states_of(outliers, 10);
    assert_true(s.half == 0 && s.full == 99.5);
    assert_true(w_states_of(two, 5).half == 0); /* too few to tell */
    assert_true(w_states_of(two, 1).full == 48);
}

static void a_knee_is_where_a_plateau_ends(void **state)
{
    (void)state;
    struct w_curve c;
    set_curve(&c);
    double l1 = w_curve_knee(&c, 4096, 80 << 10), l2 = w_curve_knee(&c, 80 << 10, 1280 << 10);
    double l3 = w_curve_knee(&c, 1280 << 10, 64 << 20);
    assert_true(l1 > (32 << 10) && l1 < (64 << 10));
    assert_true(l2 > (512 << 10) && l2 < (1024 << 10));
    assert_true(l3 > (8 << 20) && l3 < (16 << 20));
    assert_true(isinf(w_curve_knee(&c, 64 << 10, 256 << 10))); /* one plateau */
    assert_true(w_curve_at(&c, 1) == 1e-9 && w_curve_at(&c, 1e12) == 100e-9);
    c.count = 0;
    assert_true(isnan(w_curve_at(&c, 4096)));
}

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

static int calibrate(void **state)
{
    (void)state;
    struct w_calibrating how = {
        .threads = 2, .seconds = 0.2, .host = "here", .time = 1700000000, .scratch = NULL};
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
    for (u32 type = 0; type < W_TYPES; type++) {
        assert_true(c->peak[type].one > 1e8 && c->peak[type].all > 1e8);
        assert_true(w_calibration_knows(c, type));
    }
    /* two shapes: with all threads in both precisions, and with one */
    assert_int_equal(c->probe_count, 6);
    assert_int_equal(c->probes[2].type, W_TYPE_BF16);
    assert_int_equal(c->probes[0].threads, 2);
    assert_int_equal(c->probes[4].threads, 1);
    for (u32 part = 0; part < W_STEP_PARTS; part++) {
        const struct w_part_cost *cost = &c->probes[0].parts[part];
        assert_true(cost->token_s + cost->call_s > 0 && cost->call_s >= 0);
    }
    assert_true(c->decode_count == 2 && c->decodes[1].bytes > c->decodes[0].bytes);
    struct w_machine m = machine;
    w_calibration_apply(c, &m);
    assert_true(m.flops_per_s.value == c->peak[W_TYPE_F32].all && m.memory_bytes_per_s.value > 0);
    assert_true(m.bf16_flops_per_s.value == c->peak[W_TYPE_BF16].all);
    assert_int_equal(m.flops_per_s.source, W_FROM_MEASUREMENT);
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

/* The file of the calibration with `from` replaced by `to`, read again. */
static enum w_status load_changed(const char *from, const char *to)
{
    char path[] = "/tmp/wtools-damaged-XXXXXX";
    static struct w_calibration back;
    struct w_json *j = w_calibration_json(&calibration);
    char *text = w_json_text(j, &err), *place = strstr(text, from);
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(place);
    fprintf(f, "%.*s%s%s", (int)(place - text), text, to, place + strlen(from));
    fclose(f);
    free(text);
    w_json_free(j);
    enum w_status status = w_calibration_load(&back, path, &err);
    unlink(path);
    return status;
}

static void damaged_calibrations_are_refused(void **state)
{
    (void)state;
    assert_int_equal(load_changed("here", "there"), W_DONE);
    assert_int_equal(load_changed("calibration/3", "calibration/4"), W_NEWER);
    assert_int_equal(load_changed("\"schema\"", "\"skema\""), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2", "\"threads\":0"), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2", "\"threads\":4294967295"), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2,\"samples\"", "\"threads\":65537,\"samples\""),
                     W_CORRUPT);
    assert_int_equal(load_changed("\"points\":[[4096", "\"points\":[[9999999"), W_CORRUPT);
    assert_int_equal(load_changed("\"d_model\":64", "\"d_model\":63"), W_CORRUPT);
    assert_int_equal(load_changed("\"decode_s\":[[", "\"decode_s\":[[-"), W_CORRUPT);
    assert_int_equal(load_changed("\"spread\":", "\"spread\":1e300,\"was\":"), W_CORRUPT);
    assert_int_equal(load_changed("\"disk_bytes_s\":", "\"disk_bytes_s\":1e300,\"was\":"),
                     W_CORRUPT);
    assert_int_equal(load_changed("{", ""), W_CORRUPT);
}

static void doubts_are_told(void **state)
{
    (void)state;
    struct w_calibration c = calibration;
    struct w_machine other = machine;
    char text[W_DOUBT_TEXT];
    c.noisy = 0;
    assert_false(w_calibration_doubt(&c, &machine, c.time + 3600, text));
    assert_true(w_calibration_doubt(&c, &machine, c.time + 40 * 86400, text));
    assert_non_null(strstr(text, "40 days old"));
    snprintf(other.name, sizeof other.name, "another");
    assert_true(w_calibration_doubt(&c, &other, c.time, text));
    assert_non_null(strstr(text, "another machine"));
    c.noisy = c.measurements;
    assert_true(w_calibration_doubt(&c, &machine, c.time, text));
    assert_non_null(strstr(text, "busy"));
    snprintf(c.version, sizeof c.version, "0.0.1");
    assert_true(w_calibration_doubt(&c, &machine, c.time, text));
    assert_non_null(strstr(text, "version 0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_measures_once_and_doubts_what_does_not_double),
        cmocka_unit_test(samples_that_differ_are_noisy),
        cmocka_unit_test(two_states_are_told_from_noise),
        cmocka_unit_test(a_knee_is_where_a_plateau_ends),
        cmocka_unit_test(a_measured_curve_never_gets_faster_with_the_set),
        cmocka_unit_test(a_calibration_measures_every_part),
        cmocka_unit_test(a_calibration_survives_its_file),
        cmocka_unit_test(damaged_calibrations_are_refused),
        cmocka_unit_test(doubts_are_told),
    };
    return cmocka_run_group_tests(tests, calibrate, NULL);
}
