/* Files by name: which are missing, lines that are appended, space that is reserved; JSON files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/fdio.h"
#include "sys/input.h"
#include "sys/json.h"
#include "sys/output.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/wtools-output-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void a_file_is_missing_until_a_line_is_appended(void **state)
{
    (void)state;
    char path[128], below[160], *text = NULL;
    size_t size = 0;
    struct w_err err = {0};

    snprintf(path, sizeof path, "%s/lines", folder);
    snprintf(below, sizeof below, "%s/below", path);
    assert_false(w_is_missing(folder));
    assert_true(w_is_missing(path));
    assert_true(w_is_missing(below));
    assert_int_equal(w_append_line(path, "one\n", 4, &err), W_DONE);
    assert_false(w_is_missing(path));
    assert_true(w_is_missing(below)); /* a file is no folder */
    assert_int_equal(w_append_line(path, "two\n", 4, &err), W_DONE);
    assert_int_equal(w_input_slurp(path, 100, &text, &size, &err), W_DONE);
    assert_int_equal(size, 8);
    assert_string_equal(text, "one\ntwo\n");
    free(text);
    assert_int_equal(w_append_line(below, "three\n", 6, &err), W_IO);
    assert_non_null(strstr(err.text, "below: cannot open"));
    assert_int_equal(w_append_line("/dev/full", "four\n", 5, &err), W_IO);
    assert_non_null(strstr(err.text, "/dev/full: cannot write"));
    assert_int_equal(unlink(path), 0);
}

static void space_reserved_beyond_the_end_is_given_back(void **state)
{
    (void)state;
    char path[128];
    struct w_output out;
    struct w_err err = {0};
    struct stat st;

    snprintf(path, sizeof path, "%s/reserved", folder);
    assert_int_equal(w_output_open(&out, path, &err), W_DONE);
    assert_int_equal(w_output_reserve(&out, 8 << 20, &err), W_DONE);
    assert_int_equal(w_output_write(&out, "abc", 3, &err), W_DONE);
    assert_true(w_is_missing(path)); /* until it is complete */
    assert_int_equal(w_output_commit(&out, &err), W_DONE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_true((u64)st.st_blocks * 512 < 1 << 20);
    assert_int_equal(unlink(path), 0);
}

static void a_json_file_is_text_that_ends_with_a_newline(void **state)
{
    (void)state;
    char path[128], *text = NULL;
    size_t size = 0;
    struct w_err err = {0};
    struct w_json *j = w_json_object();

    snprintf(path, sizeof path, "%s/object", folder);
    w_json_set_u64(j, "a", 1);
    assert_int_equal(w_json_save(j, false, path, &err), W_DONE);
    assert_int_equal(w_input_slurp(path, 100, &text, &size, &err), W_DONE);
    assert_int_equal(size, 8);
    assert_string_equal(text, "{\"a\":1}\n");
    free(text);
    w_json_free(j);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_missing_until_a_line_is_appended),
        cmocka_unit_test(space_reserved_beyond_the_end_is_given_back),
        cmocka_unit_test(a_json_file_is_text_that_ends_with_a_newline),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
