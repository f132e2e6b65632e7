/* A folder of checkpoints as crashes, lost bytes and other files leave it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/checkpoint.h"
#include "store/checkpoint_folder.h"
#include "sys/folder.h"

static char folder_path[] = "/tmp/test_checkpoint_folder.XXXXXX";
static char told[4096]; /* every line, "w " or "d " before it */

static void tell(bool warning, const char *text)
{
    size_t used = strlen(told);

    snprintf(told + used, sizeof told - used, "%s%s\n", warning ? "w " : "d ", text);
}

static const struct w_ckpt_folder folder = {.path = folder_path, .tell = tell};

static struct {
    struct w_conf conf;
    struct w_team *team;
    struct w_model *model;
} one;

static int open_model(void **state)
{
    static const char text[] =
        "{\"d_model\":4,\"num_heads\":2,\"num_layers\":1,\"d_ff\":6,\"vocab_size\":5,"
        "\"batch_size\":2,\"max_length\":4,\"learning_rate\":0.001}";
    const struct w_kern *kern = NULL;
    struct w_err err;

    (void)state;
    if (w_conf_parse(&one.conf, text, strlen(text), "test", &err) ||
        w_kern_choose(&kern, NULL, &err) || w_team_new(&one.team, 1, &err) ||
        w_model_new(&one.model, &one.conf, W_PLAN_TRAIN, W_TYPE_F32, kern, one.team, &err))
        return 1;
    w_model_init(one.model);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    w_model_free(one.model);
    w_team_free(one.team);
    return 0;
}

/* Each test has a folder of its own. */
static int make_folder(void **state)
{
    (void)state;
    strcpy(strrchr(folder_path, '.'), ".XXXXXX");
    told[0] = 0;
    return mkdtemp(folder_path) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder_path);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char paths[2][256]; /* in turn: two may be asked for in one call */
    static u32 turn;
    char *path = paths[turn++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s", folder_path, name);
    return path;
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void save(u64 step)
{
    struct w_ckpt_state at = {.step = step};
    char path[W_CKPT_PATH];
    struct w_err err;

    w_ckpt_folder_path(&folder, step, path);
    struct w_ckpt_write write = {.path = path};
    if (w_ckpt_save(one.model, &one.conf, &at, &write, &err))
        fail_msg("%s", err.text);
}

/* A file of this name with other bytes. */
static void put(const char *name, const char *bytes)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    assert_int_equal(fclose(file), 0);
}

/* What a crash of the machine may leave: the name, and not all of the bytes. */
static void lose_the_end(const char *name)
{
    struct stat st;

    assert_int_equal(stat(path_of(name), &st), 0);
    assert_int_equal(truncate(path_of(name), st.st_size - 1), 0);
}

static void no_folder_and_an_empty_one_have_no_checkpoint(void **state)
{
    const struct w_ckpt_folder nowhere = {.path = "/nonexistent/folder"};
    char path[W_CKPT_PATH];
    struct w_err err;
    u64 step;

    (void)state;
    assert_int_equal(w_ckpt_folder_newest(&nowhere, path, &err), W_END);
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_END);
    assert_int_equal(w_ckpt_folder_last(&folder, &step, &err), W_END);
    assert_int_equal(w_ckpt_folder_later(&folder, 0, path, &err), W_END);
    assert_int_equal(w_ckpt_folder_prune(&folder, 9, 1, &err), W_DONE);
    assert_string_equal(told, "");
}

static void what_is_no_folder_is_an_error(void **state)
{
    const struct w_ckpt_folder file = {.path = "/dev/null"};
    char path[W_CKPT_PATH];
    struct w_err err;
    u64 step;

    (void)state;
    assert_int_equal(w_ckpt_folder_newest(&file, path, &err), W_IO);
    assert_int_equal(w_ckpt_folder_last(&file, &step, &err), W_IO);
    assert_int_equal(w_ckpt_folder_later(&file, 0, path, &err), W_IO);
    assert_int_equal(w_ckpt_folder_prune(&file, 9, 1, &err), W_IO);
}

static void the_newest_whole_one_is_taken_and_those_refused_are_told(void **state)
{
    char path[W_CKPT_PATH];
    struct w_err err;
    u64 step = 0;

    (void)state;
    save(9);
    save(10);
    save(200);
    put("step-00000300.wts", "");
    lose_the_end("step-00000200.wts");
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_DONE);
    assert_string_equal(path, path_of("step-00000010.wts"));
    const char *first = strstr(told, "w refused "), *second = strstr(first + 1, "w refused ");
    assert_true(strstr(first, "step-00000300.wts") < second);
    assert_non_null(strstr(second, "step-00000200.wts"));
    assert_null(strstr(second + 1, "w refused "));
    /* The last one by name is there all the same: a new run must not begin beside it. */
    assert_int_equal(w_ckpt_folder_last(&folder, &step, &err), W_DONE);
    assert_int_equal(step, 300);
}

static void a_folder_of_torn_ones_is_corrupt_and_not_empty(void **state)
{
    char path[W_CKPT_PATH];
    struct w_err err;

    (void)state;
    save(1);
    save(2);
    lose_the_end("step-00000001.wts");
    lose_the_end("step-00000002.wts");
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, "none of its 2 checkpoints is whole"));
}

static void a_later_step_is_found_if_it_is_whole(void **state)
{
    char path[W_CKPT_PATH];
    struct w_err err;

    (void)state;
    save(10);
    save(20);
    save(30);
    lose_the_end("step-00000030.wts");
    assert_int_equal(w_ckpt_folder_later(&folder, 10, path, &err), W_DONE);
    assert_string_equal(path, path_of("step-00000020.wts"));
    assert_int_equal(w_ckpt_folder_later(&folder, 20, path, &err), W_END);
    assert_int_equal(w_ckpt_folder_later(&folder, 30, path, &err), W_END);
    assert_string_equal(told, "");
}

/* Steps beyond the present one are torn ones that the run will write again: not counted, not
 * deleted. */
static void the_newest_few_are_kept(void **state)
{
    struct w_err err;

    (void)state;
    for (u64 step = 1; step <= 5; step++)
        save(step);
    put("step-00000009.wts", "torn");
    assert_int_equal(w_ckpt_folder_prune(&folder, 5, 2, &err), W_DONE);
    assert_false(is_there("step-00000001.wts"));
    assert_false(is_there("step-00000003.wts"));
    assert_true(is_there("step-00000004.wts"));
    assert_true(is_there("step-00000005.wts"));
    assert_true(is_there("step-00000009.wts"));
    assert_int_equal(w_ckpt_folder_prune(&folder, UINT64_MAX, 0, &err), W_DONE);
    assert_false(is_there("step-00000005.wts"));
    assert_false(is_there("step-00000009.wts"));
    assert_string_equal(told, "");
}

static void what_cannot_be_deleted_is_told(void **state)
{
    struct w_err err;

    (void)state;
    assert_int_equal(mkdir(path_of("step-00000001.wts"), 0777), 0);
    save(2);
    assert_int_equal(w_ckpt_folder_prune(&folder, 2, 1, &err), W_DONE);
    assert_non_null(strstr(told, "w /tmp/"));
    assert_non_null(strstr(told, "step-00000001.wts: cannot delete it: "));
    assert_true(is_there("step-00000002.wts"));
}

static void other_names_are_left_alone(void **state)
{
    static const char *const others[] = {
        "step-12.wts",           "step-00000012.wts.bak", "step-00000012", "xstep-00000012.wts",
        "step-000000000012.wts", "step--0000012.wts",     "notes",         ".step-notes.tmp",
    };
    char path[W_CKPT_PATH];
    struct w_err err;
    u64 step = 0;

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(others); i++)
        put(others[i], "mine");
    save(3);
    assert_int_equal(w_ckpt_folder_last(&folder, &step, &err), W_DONE);
    assert_int_equal(step, 3);
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_DONE);
    assert_int_equal(w_ckpt_folder_prune(&folder, UINT64_MAX, 0, &err), W_DONE);
    assert_false(is_there("step-00000003.wts"));
    for (size_t i = 0; i < W_COUNTOF(others); i++)
        if (!is_there(others[i]))
            fail_msg("%s is gone", others[i]);
    assert_string_equal(told, "");
}

/* Even if its bytes are whole, it was not renamed: the process may have failed after the write.
 * That of a process of this boot is deleted if it has ended; that of another machine, or of an
 * earlier boot, a day after the last write to it. */
static void a_temporary_file_is_never_taken(void **state)
{
    char path[W_CKPT_PATH], dead[64], living[64], foreign[64], space[W_PID_SPACE];
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 90000}, {.tv_sec = time(NULL) - 90000}};
    struct w_err err;
    pid_t gone = fork();

    (void)state;
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    w_pid_space(space);
    assert_int_equal(strlen(space), 16);
    assert_string_not_equal(space, "0000000000000000");
    snprintf(dead, sizeof dead, ".step-00000008.wts.%d.%s.1.tmp", (int)gone, space);
    snprintf(living, sizeof living, ".step-00000009.wts.%d.%s.1.tmp", (int)getpid(), space);
    space[0] = space[0] == '0' ? '1' : '0';
    snprintf(foreign, sizeof foreign, ".step-00000010.wts.%d.%s.1.tmp", (int)gone, space);
    save(7);
    save(8);
    assert_int_equal(rename(path_of("step-00000008.wts"), path_of(dead)), 0);
    put(living, "half");
    put(foreign, "half");
    assert_int_equal(utimensat(AT_FDCWD, path_of(living), old, 0), 0);
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_DONE);
    assert_string_equal(path, path_of("step-00000007.wts"));
    assert_false(is_there(dead));
    assert_true(is_there(living));
    assert_true(is_there(foreign));
    assert_non_null(strstr(told, "d /tmp/"));
    assert_non_null(strstr(told, "removed what a killed process left"));
    assert_int_equal(utimensat(AT_FDCWD, path_of(foreign), old, 0), 0);
    assert_int_equal(w_ckpt_folder_newest(&folder, path, &err), W_DONE);
    assert_false(is_there(foreign));
    assert_true(is_there(living));
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(no_folder_and_an_empty_one_have_no_checkpoint),
        IN_A_FOLDER(what_is_no_folder_is_an_error),
        IN_A_FOLDER(the_newest_whole_one_is_taken_and_those_refused_are_told),
        IN_A_FOLDER(a_folder_of_torn_ones_is_corrupt_and_not_empty),
        IN_A_FOLDER(a_later_step_is_found_if_it_is_whole),
        IN_A_FOLDER(the_newest_few_are_kept),
        IN_A_FOLDER(what_cannot_be_deleted_is_told),
        IN_A_FOLDER(other_names_are_left_alone),
        IN_A_FOLDER(a_temporary_file_is_never_taken),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
