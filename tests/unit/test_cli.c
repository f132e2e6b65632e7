/* Which command of a program is chosen, which words are left for it; the line of progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/cli.h"

static const struct w_program program = {
    .name = "prog", .summary = "does things", .operands = "COMMAND"};
static const struct w_program show = {
    .name = "prog show", .summary = "shows", .operands = "[FILE ...]"};
static const struct w_program check = {
    .name = "prog check", .summary = "checks", .operands = "[FILE ...]"};
static const struct w_command commands[] = {{"show", &show}, {"check", &check}, {0}};

/* Find the command of "prog FIRST more"; *left: the words that it gets, its name included. */
static int find(const char *first, const struct w_command **found, int *left)
{
    char *words[] = {(char *)"prog", (char *)first, (char *)"more", NULL}, **argv = words;

    *left = first ? 3 : 1;
    return w_cli_command(&program, commands, left, &argv, found);
}

static void a_name_finds_its_command(void **state)
{
    (void)state;
    const struct w_command *defaults[] = {NULL, &commands[0]};
    for (size_t i = 0; i < W_COUNTOF(defaults); i++) {
        const struct w_command *found = defaults[i];
        int left;
        assert_int_equal(find("check", &found, &left), 0);
        assert_ptr_equal(found, &commands[1]);
        assert_int_equal(left, 2);
    }
}

static void without_a_default_a_name_is_needed(void **state)
{
    (void)state;
    static const char *const words[] = {NULL, "", "-q", "file", "shwo"};
    for (size_t i = 0; i < W_COUNTOF(words); i++) {
        const struct w_command *found = NULL;
        int left;
        assert_int_equal(find(words[i], &found, &left), 2 + 1);
    }
}

static void a_default_gets_all_words_that_name_no_command(void **state)
{
    (void)state;
    static const char *const words[] = {NULL, "-", "--", "--check", "-q", "some.file", ""};
    for (size_t i = 0; i < W_COUNTOF(words); i++) {
        const struct w_command *found = &commands[0];
        int left;
        assert_int_equal(find(words[i], &found, &left), 0);
        assert_ptr_equal(found, &commands[0]);
        assert_int_equal(left, words[i] ? 3 : 1);
    }
}

static void a_command_comes_before_its_options(void **state)
{
    (void)state;
    const struct w_command *found = &commands[0];
    char *words[] = {(char *)"prog", (char *)"-q", (char *)"check", NULL}, **argv = words;
    int left = 3;
    assert_int_equal(w_cli_command(&program, commands, &left, &argv, &found), 2 + 1);
}

static void a_misspelt_command_is_no_operand_unless_it_is_a_file(void **state)
{
    (void)state;
    const struct w_command *found = &commands[0];
    int left;
    assert_int_equal(find("chekc", &found, &left), 2 + 1);
    char folder[] = "/tmp/test_cli.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("chekc", 0700), 0);
    found = &commands[0];
    int stop = find("chekc", &found, &left);
    assert_int_equal(rmdir("chekc"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(stop, 0);
    assert_ptr_equal(found, &commands[0]);
}

static void a_progress_line_fits_and_keeps_its_eta(void **state)
{
    (void)state;
    const struct {
        const char *line;
        size_t columns;
        const char *fits;
    } cases[] = {
        {"step 5, loss 1.5, 9 tok/s, ETA 5m", 80, "step 5, loss 1.5, 9 tok/s, ETA 5m"},
        {"step 5, loss 1.5, 9 tok/s, ETA 5m", 33, "step 5, loss 1.5, 9 tok/s, ETA 5m"},
        {"step 5, loss 1.5, 9 tok/s, ETA 5m", 32, "step 5, loss 1.5, ETA 5m"},
        {"step 5, loss 1.5, 9 tok/s, ETA 5m", 15, "step 5, ETA 5m"},
        {"step 5, loss 1.5, 9 tok/s, ETA 5m", 13, "step 5, ETA 5"},
        {"counted 10 %, 5 MB/s", 15, "counted 10 %"},
        {"counted 10 %", 5, "count"},
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        char line[80];
        strcpy(line, cases[i].line);
        w_progress_fit(line, cases[i].columns);
        assert_string_equal(line, cases[i].fits);
    }
}

static void one_thing_has_no_plural(void **state)
{
    (void)state;
    char text[W_COUNTED];

    assert_string_equal(w_counted(text, 0, "document"), "0 documents");
    assert_string_equal(w_counted(text, 1, "document"), "1 document");
    assert_string_equal(w_counted(text, 1, "batch"), "1 batch");
    assert_string_equal(w_counted(text, UINT64_MAX, "batch"), "18446744073709551615 batches");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_finds_its_command),
        cmocka_unit_test(without_a_default_a_name_is_needed),
        cmocka_unit_test(a_default_gets_all_words_that_name_no_command),
        cmocka_unit_test(a_command_comes_before_its_options),
        cmocka_unit_test(a_misspelt_command_is_no_operand_unless_it_is_a_file),
        cmocka_unit_test(a_progress_line_fits_and_keeps_its_eta),
        cmocka_unit_test(one_thing_has_no_plural),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
