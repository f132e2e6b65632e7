/* The format of a vocabulary file, by its first bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "text/vocab_import.h"

static void formats_are_recognized_by_their_first_bytes(void **state)
{
    static const struct {
        enum w_vocab_format format;
        const char *head;
    } rows[] = {
        {W_VOCAB_HF, "{\"version\":\"1.0\",\"truncation\":null}"},
        {W_VOCAB_HF, "\n\t { \"version\" : \"1.0\""},
        {W_VOCAB_HF, "{\"type\":\"byte-bpe\""},
        {W_VOCAB_HF, "{\"added_tokens\":[0]}"},
        {W_VOCAB_HF, "{"},
        {W_VOCAB_HF, "{\"cut inside a"},
        {W_VOCAB_HF, "{\"cut after\":"},
        {W_VOCAB_GPT2, "{\"!\":0,\"\\\"\":1}"},
        {W_VOCAB_GPT2, "{\"\\\"\":0}"},
        {W_VOCAB_GPT2, "{\"\\\\\":0}"},
        {W_VOCAB_GPT2, "{ \"a\"\r\n : \t 17"},
        {W_VOCAB_TIKTOKEN, "IQ== 0\nIg== 1\n"},
        {W_VOCAB_TIKTOKEN, "#version: 0.2\n\304\240 t\n"},
        {W_VOCAB_TIKTOKEN, " \n"},
        {W_VOCAB_TIKTOKEN, ""},
        {W_VOCAB_TIKTOKEN, "GGU"},
        {W_VOCAB_GGUF, "GGUF"},
        {W_VOCAB_GGUF, "GGUF\3"},
    };

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (w_vocab_format_of(rows[i].head, strlen(rows[i].head)) != rows[i].format)
            fail_msg("row %zu: %s", i, rows[i].head);
}

static void the_number_of_files_belongs_to_the_format(void **state)
{
    char *paths[] = {"/dev/null", "/dev/null"};
    const struct w_import_options options = {0};
    struct w_vocab *vocab = NULL;
    struct w_err err;

    (void)state;
    assert_int_equal(w_vocab_import(&vocab, W_VOCAB_GPT2, paths, 1, &options, &err), W_USAGE);
    assert_int_equal(w_vocab_import(&vocab, W_VOCAB_HF, paths, 2, &options, &err), W_USAGE);
    assert_int_equal(w_vocab_import(&vocab, W_VOCAB_AUTO, paths, 1, &options, &err), W_USAGE);
    assert_non_null(strstr(err.text, "cannot be looked at first"));
    assert_int_equal(w_vocab_import(&vocab, W_VOCAB_AUTO, paths, 2, &options, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, "/dev/null: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_recognized_by_their_first_bytes),
        cmocka_unit_test(the_number_of_files_belongs_to_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
