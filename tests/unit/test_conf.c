/* Configurations: what is accepted, what is refused and what the refusal says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"

#define EIGHT                                                                                      \
    "\"d_model\":64,\"num_heads\":4,\"num_layers\":2,\n\"d_ff\":256,\"vocab_size\":300,"           \
    "\"batch_size\":2,\"max_length\":8,\"learning_rate\":1e-3"

static struct w_conf conf;
static struct w_err err;

static enum w_status parse(const char *text)
{
    err = (struct w_err){0};
    return w_conf_parse(&conf, text, strlen(text), "some/where/tiny.json", &err);
}

static void defaults_and_values_are_set(void **state)
{
    (void)state;
    assert_int_equal(parse("{" EIGHT ",\"schedule\":\"cosine\"}"), W_DONE);
    assert_int_equal(conf.d_model, 64);
    assert_int_equal(conf.max_length, 8);
    assert_true(conf.learning_rate == 1e-3);
    assert_int_equal(conf.schedule, W_SCHEDULE_COSINE);
    assert_true(conf.beta1 == 0.9 && conf.beta2 == 0.95 && conf.epsilon == 1e-8);
    assert_true(conf.weight_decay == 0.1 && conf.clip_norm == 1 && conf.init_std == 0.02);
    assert_true(conf.optimizer == W_OPTIMIZER_MUON && conf.softmax_sample == 2048);
    assert_true(conf.min_lr_ratio == 0.1 && conf.accumulate == 1 && conf.warmup_steps == 0);
    assert_string_equal(conf.name, "tiny");
}

static void refused(const char *text, const char *because)
{
    assert_int_equal(parse(text), W_USAGE);
    if (!strstr(err.text, because))
        fail_msg("'%s' does not say '%s'", err.text, because);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    refused("{" EIGHT ",\n\"num_head\":4}", "tiny.json:3: unknown key \"num_head\"");
    refused("{" EIGHT ",\n\"num_head\":4}", "did you mean \"num_heads\"?");
    refused("{" EIGHT ",\n\"accumulate\":0}", ":3: \"accumulate\" must be a whole number from 1");
    refused("{" EIGHT ",\"accumulate\":1.5}", "\"accumulate\" must be a whole number");
    refused("{" EIGHT ",\"accumulate\":\"2\"}", "\"accumulate\" must be a whole number");
    refused("{" EIGHT ",\"seed\":-1}", "\"seed\" must be a whole number from 0");
    refused("{" EIGHT ",\"epsilon\":true}", "\"epsilon\" must be a number");
    refused("{" EIGHT ",\"schedule\":\"steep\"}", "must be one of constant|cosine|linear|sqrt");
    refused("{" EIGHT ",\"seed\":1,\"seed\":2}", "\"seed\" occurs twice");
    refused("{" EIGHT, "tiny.json: JSON: syntax error");
    refused("[]", "one JSON object");
    refused("", "tiny.json");
}

static void every_problem_is_reported(void **state)
{
    (void)state;
    refused("{\"d_modle\":64}", "did you mean \"d_model\"?");
    refused("{\"d_modle\":64}", "\"d_model\" is missing");
    refused("{\"d_modle\":64}", "\"learning_rate\" is missing");
}

/* The configuration above with one assignment. */
static void set_refused(const char *assignment, const char *because)
{
    assert_int_equal(parse("{" EIGHT "}"), W_DONE);
    enum w_status status = w_conf_set(&conf, assignment, &err);
    if (!status)
        status = w_conf_check(&conf, &err);
    assert_int_equal(status, W_USAGE);
    if (!strstr(err.text, because))
        fail_msg("'%s' does not say '%s'", err.text, because);
}

static void what_cannot_work_is_refused(void **state)
{
    (void)state;
    set_refused("num_heads=5", "num_heads 5 does not divide d_model 64");
    set_refused("warmup_steps=-1", "warmup_steps");
    set_refused("beta2=1", "beta2 must be below 1");
    set_refused("beta1=0.99999999", "beta1 must be below 1"); /* the float is 1 */
    set_refused("d_model=99999999", "d_model");
    set_refused("num_hads=4", "did you mean num_heads?");
    set_refused("num_heads", "is not KEY=VALUE");
    assert_int_equal(parse("{" EIGHT "}"), W_DONE);
    assert_int_equal(w_conf_set(&conf, "batch_size=1Mi", &err), W_DONE);
    assert_int_equal(w_conf_check(&conf, &err), W_DONE);
    assert_int_equal(w_conf_set(&conf, "max_length=4Ki", &err), W_DONE);
    assert_int_equal(w_conf_check(&conf, &err), W_USAGE);
    assert_non_null(strstr(err.text, "tokens: more than"));
}

static void what_is_dumped_reads_back(void **state)
{
    (void)state;
    assert_int_equal(parse("{" EIGHT ",\"schedule\":\"cosine\",\"steps\":7,\"seed\":5}"), W_DONE);
    struct w_conf first = conf;
    struct w_json *j = w_conf_json(&conf);
    char *text = w_json_text(j, NULL);
    assert_int_equal(parse(text), W_DONE);
    assert_memory_equal(&first, &conf, sizeof conf);
    free(text);
    w_json_free(j);
}

static void messages_are_one_line(void **state)
{
    (void)state;
    refused("{" EIGHT ",\"a\\n\\u001b[2J\":4}", "unknown key \"a??[2J\"");
}

/* Each byte of a configuration, changed in every bit: read or refused, never anything else. */
static void changed_bytes_are_read_or_refused(void **state)
{
    (void)state;
    char text[] = "{" EIGHT ",\"schedule\":\"cosine\"}";
    for (size_t i = 0; i + 1 < sizeof text; i++)
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            enum w_status status = w_conf_parse(&conf, text, sizeof text - 1, "x", &err);
            assert_true(status == W_DONE || status == W_USAGE);
            assert_true(status == W_DONE || err.text[0]);
            text[i] ^= (char)(1 << bit);
        }
}

static void missing_file_is_an_io_error(void **state)
{
    (void)state;
    assert_int_equal(w_conf_load(&conf, "/nonexistent/x.json", &err), W_IO);
    assert_non_null(strstr(err.text, "/nonexistent/x.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_values_are_set),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(every_problem_is_reported),
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(what_is_dumped_reads_back),
        cmocka_unit_test(messages_are_one_line),
        cmocka_unit_test(changed_bytes_are_read_or_refused),
        cmocka_unit_test(missing_file_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
