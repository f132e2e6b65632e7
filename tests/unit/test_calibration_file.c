/* The file of a made-up calibration: it is read back, damaged files are refused, and doubts are
 * raised at the right thresholds. Needs no clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "calibration_fixture.h"

static struct w_calibration calibration;
static struct w_err err;

static int make(void **state)
{
    (void)state;
    make_calibration(&calibration);
    return 0;
}

static void a_calibration_survives_its_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/wtools-calibration-XXXXXX", path[128];
    static struct w_calibration back;
    assert_non_null(mkdtemp(folder));
    struct w_machine machine = {.name = "fixture"};
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
    assert_int_equal(load_changed("calibration/5", "calibration/6"), W_NEWER);
    assert_int_equal(load_changed("\"schema\"", "\"skema\""), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2", "\"threads\":0"), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2", "\"threads\":4294967295"), W_CORRUPT);
    assert_int_equal(load_changed("\"threads\":2,\"samples\"", "\"threads\":65537,\"samples\""),
                     W_CORRUPT);
    assert_int_equal(load_changed("\"points\":[[4096", "\"points\":[[9999999"), W_CORRUPT);
    assert_int_equal(load_changed("\"d_model\":128", "\"d_model\":127"), W_CORRUPT);
    assert_int_equal(load_changed("\"decode_s\":[[", "\"decode_s\":[[-"), W_CORRUPT);
    assert_int_equal(load_changed("\"spread\":", "\"spread\":1e300,\"was\":"), W_CORRUPT);
    assert_int_equal(load_changed("\"disk_bytes_s\":", "\"disk_bytes_s\":1e300,\"was\":"),
                     W_CORRUPT);
    assert_int_equal(load_changed("{", ""), W_CORRUPT);
}

static void doubts_are_reported(void **state)
{
    (void)state;
    struct w_calibration c = calibration;
    struct w_machine machine = {.name = "fixture", .logical_cpus = 2}, other = machine;
    char text[W_DOUBT_TEXT];
    c.noisy = 0;
    assert_false(w_calibration_doubt(&c, &machine, c.time + 3600, text));
    assert_true(w_calibration_doubt(&c, &machine, c.time + 40 * 86400, text));
    assert_non_null(strstr(text, "40 days old"));
    assert_false(w_calibration_doubt(&c, &machine, c.time + 30 * 86400, text));
    assert_true(w_calibration_doubt(&c, &machine, c.time + 30 * 86400 + 1, text));
    snprintf(other.name, sizeof other.name, "another");
    assert_true(w_calibration_doubt(&c, &other, c.time, text));
    assert_non_null(strstr(text, "another machine"));
    other = machine;
    other.logical_cpus++;
    assert_true(w_calibration_doubt(&c, &other, c.time, text));
    c.noisy = c.measurements / 4;
    assert_false(w_calibration_doubt(&c, &machine, c.time, text));
    c.noisy++; /* more than a quarter */
    assert_true(w_calibration_doubt(&c, &machine, c.time, text));
    assert_non_null(strstr(text, "busy"));
    snprintf(c.version, sizeof c.version, "0.0.1");
    assert_true(w_calibration_doubt(&c, &machine, c.time, text));
    assert_non_null(strstr(text, "version 0.0.1"));
}

static void a_noisy_one_does_not_replace_a_better_one(void **state)
{
    (void)state;
    struct w_calibration old = calibration, new = calibration;
    struct w_machine machine = {.name = "fixture", .logical_cpus = 2};
    old.noisy = new.noisy = 0;
    assert_true(w_calibration_replaces(&new, &old, &machine));
    new.noisy = new.measurements;
    assert_false(w_calibration_replaces(&new, &old, &machine));
    old.noisy = old.measurements; /* no better */
    assert_true(w_calibration_replaces(&new, &old, &machine));
    old.noisy = 0;
    new.time = old.time + 40 * 86400; /* the old one is too old */
    assert_true(w_calibration_replaces(&new, &old, &machine));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calibration_survives_its_file),
        cmocka_unit_test(damaged_calibrations_are_refused),
        cmocka_unit_test(doubts_are_reported),
        cmocka_unit_test(a_noisy_one_does_not_replace_a_better_one),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
