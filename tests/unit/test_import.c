/* Vocabularies of other programs: each format out and in, and the messages of what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/fuzz/import_sample.h"

static const struct w_import_options as_gpt2 = {.has_split = true, .split = W_SPLIT_GPT2};
static const struct w_import_options nothing_said = {0};

static void bytes_have_the_letters_of_gpt2(void **state)
{
    (void)state;
    char letters[600];
    u8 all[256], back[600];
    size_t size, count;
    for (unsigned i = 0; i < 256; i++)
        all[i] = (u8)i;
    size = w_bytes_to_letters(all, 256, letters);
    assert_true(w_letters_to_bytes(letters, size, back, &count));
    assert_int_equal(count, 256);
    assert_memory_equal(back, all, 256);
    size = w_bytes_to_letters((const u8 *)" a\n\xad\xff", 5, letters);
    assert_int_equal(size, 9);
    assert_memory_equal(letters, "\u0120a\u010a\u0143\u00ff", 9);
    assert_false(w_letters_to_bytes("a b", 3, back, &count));    /* a blank stands for none */
    assert_false(w_letters_to_bytes("\u0144", 2, back, &count)); /* beyond the last */
    assert_false(w_letters_to_bytes("\u00ad", 2, back, &count)); /* moved away */
    assert_false(w_letters_to_bytes("a\xc4", 2, back, &count));  /* cut short */
}

static void every_format_gives_the_same_ids_again(void **state)
{
    (void)state;
    struct w_vocab *v = sample_vocab(), *first = NULL;
    struct w_ids ids = ids_of(v, sample_text, sizeof sample_text);
    assert_int_equal(ids.ids[0], 258); /* "the" */
    free(ids.ids);
    for (enum sample_format format = 0; format < FORMATS; format++) {
        struct w_vocab *again = NULL;
        struct w_draft text = {0};
        struct w_err err = {0};
        assert_int_equal(write_format(v, format, &text, &err), W_DONE);
        if (read_format(&again, format, text.bytes, text.count,
                        format == TIKTOKEN ? &as_gpt2 : &nothing_said, &err))
            fail_msg("format %d: %s", (int)format, err.text);
        assert_true(same_ids(v, again, sample_text, sizeof sample_text));
        free(text.bytes);
        /* The second merge of "the" is never done. Ranks say nothing of specials. */
        assert_int_equal(w_vocab_merge_count(again), w_vocab_merge_count(v) - 1);
        if (first && format != TIKTOKEN)
            assert_string_equal(w_vocab_sha256(first), w_vocab_sha256(again));
        if (first)
            w_vocab_free(again);
        else
            first = again;
    }
    w_vocab_free(first);
    w_vocab_free(v);
}

/* The text of a format with one string replaced by another. */
static void change(struct w_draft *text, const char *from, const char *to)
{
    struct w_draft changed = {0};
    char *at = memmem(text->bytes, text->count, from, strlen(from));
    if (!at)
        fail_msg("no \"%s\"", from);
    size_t before = (size_t)(at - text->bytes), after = before + strlen(from);
    put(&changed, text->bytes, before);
    put(&changed, to, strlen(to));
    put(&changed, text->bytes + after, text->count - after);
    free(text->bytes);
    *text = changed;
}

/* What published files have and the sample has not. */
static void published_tokenizer_json_is_read(void **state)
{
    (void)state;
#define GPT4(slash, number)                                                                        \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^" slash "r" slash "n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" number       \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[" slash "r" slash "n]*|\\\\s*[" slash "r" slash                  \
    "n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define SPLIT(regex, how)                                                                          \
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","             \
    "\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":" how "},{\"type\":\"ByteLevel\","         \
    "\"add_prefix_space\":false,\"use_regex\":false}]},\"x\":"
    static const struct {
        const char *from, *to, *text;
        u32 ids[8], count; /* of the text */
    } cases[] = {
        /* merges by rank, whatever their halves need: "th" first or last, "the" is the same */
        {"\"t h\",\"h e\",\"th e\"", "\"th e\",\"h e\",\"t h\"", "the thx", {258, 220, 256, 87}, 4},
        {"\"normalizer\":null",
         "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[]}",
         "the",
         {258},
         1},
        /* what a pattern that matches everything does not match is nothing */
        {"\"pre_tokenizer\":",
         SPLIT(GPT4("\\\\", "\\\\p{N}{1,3}"), "\"Removed\",\"invert\":true"),
         "1212 12",
         {260, 16, 17, 220, 260},
         5},
        /* newlines themselves in the pattern */
        {"\"pre_tokenizer\":", SPLIT(GPT4("\\", "\\\\p{N}"), "\"Isolated\""), "12", {16, 17}, 2},
        /* an added token of the bytes of "the", and one of other letters for a blank */
        {"\"added_tokens\":[",
         "\"added_tokens\":[{\"id\":280,\"content\":\"  \"},",
         "the",
         {258},
         1},
    };
    struct w_vocab *v = sample_vocab();
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct w_vocab *again = NULL;
        struct w_draft text = {0};
        struct w_err err = {0};
        assert_int_equal(write_format(v, HF, &text, &err), W_DONE);
        change(&text, cases[i].from, cases[i].to);
        if (read_format(&again, HF, text.bytes, text.count, &nothing_said, &err))
            fail_msg("case %zu: %s", i, err.text);
        struct w_ids ids = ids_of(again, cases[i].text, strlen(cases[i].text));
        if (ids.count != cases[i].count || memcmp(ids.ids, cases[i].ids, ids.count * sizeof(u32)))
            fail_msg("case %zu: %zu ids, %u", i, ids.count, ids.ids[0]);
        free(ids.ids);
        w_vocab_free(again);
        free(text.bytes);
    }
    w_vocab_free(v);
}

struct refusal {
    const char *from, *to; /* what is changed in a good file */
    enum w_status status;
    const char *words; /* of the message */
};

static void check_refusals(enum sample_format format, const struct refusal *cases, size_t count)
{
    struct w_vocab *v = sample_vocab(), *again = NULL;
    for (size_t i = 0; i < count; i++) {
        struct w_draft text = {0};
        struct w_err err = {0};
        assert_int_equal(write_format(v, format, &text, &err), W_DONE);
        change(&text, cases[i].from, cases[i].to);
        enum w_status status = read_format(&again, format, text.bytes, text.count,
                                           format == TIKTOKEN ? &as_gpt2 : &nothing_said, &err);
        if (status != cases[i].status || (status && !strstr(err.text, cases[i].words)))
            fail_msg("%s: %s: %s", cases[i].to, w_status_name(status), err.text);
        w_vocab_free(again);
        free(text.bytes);
    }
    w_vocab_free(v);
}

static void unsupported_tokenizer_json_is_refused(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"\"version\"", "\"v\"", W_DONE, NULL},
        {"\"BPE\"", "\"Unigram\"", W_MISMATCH, "Unigram"},
        {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", W_DONE, NULL},
        {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}", W_MISMATCH, "NFKC"},
        {"\"normalizer\":null", "\"normalizer\":{\"type\":\"NFD\"}", W_MISMATCH, "NFD"},
        {"\"normalizer\":null",
         "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},"
         "{\"type\":\"Lowercase\"}]}",
         W_MISMATCH, "Lowercase"},
        {"\"normalizer\":null", "\"normalizer\":{}", W_MISMATCH, "it changes"},
        {"\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Metaspace\"",
         W_MISMATCH, "Metaspace"},
        {"\"pre_tokenizer\":", "\"pre_tokenizer\":null,\"x\":", W_MISMATCH, "there is none"},
        {"\"add_prefix_space\":false", "\"add_prefix_space\":true", W_MISMATCH, "blank"},
        {"\"pre_tokenizer\":",
         "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
         "\"pattern\":{\"Regex\":\"[a-z]+\"},\"behavior\":\"Isolated\",\"invert\":false},"
         "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]},\"x\":",
         W_MISMATCH, "[a-z]+"},
        {"\"pre_tokenizer\":",
         "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
         "\"pattern\":{\"String\":\"'(?:[sdmt]|ll|ve|re)\"},\"behavior\":\"Isolated\"},"
         "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]},\"x\":",
         W_MISMATCH, "Regex"},
        {"\"dropout\":null", "\"dropout\":0.1", W_MISMATCH, "dropout"},
        {"\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", W_MISMATCH,
         "end_of_word_suffix"},
        {"\"the\":258", "\"the\":-1", W_CORRUPT, "\"the\""},
        {"\"the\":258", "\"the\":257", W_CORRUPT, "two tokens have the id 257"},
        {"\"the\":258", "\"thx\":258", W_CORRUPT, "no normal token"},
        {"\"the\":258", "\"the\":16777216", W_CORRUPT, "\"the\""},
        {"\"the\":258", "\"the\":258,\"th\\u2581\":300", W_DONE, NULL},
        {"\"A\":32", "\"AA\":32", W_MISMATCH, "0x41"},
        {"\"t h\"", "\"th\"", W_CORRUPT, "merge 0"},
        {"\"t h\"", "[\"t\",\"h\"]", W_DONE, NULL},
        {"\"t h\"", "[\"t\",\"h\",\"e\"]", W_CORRUPT, "merge 0"},
        {"\"t h\"", "\"t h\",\"t h\"", W_CORRUPT, "listed twice"},
        {"\"t h\",\"h e\",\"th e\"", "\"th e\",\"h e\"", W_DONE, NULL}, /* nothing makes "th" */
        {"\"pre_tokenizer\":",
         "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},"
         "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}]},\"x\":",
         W_MISMATCH, "Digits in runs"},
        {"\"pre_tokenizer\":",
         "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
         "\"pattern\":{\"Regex\":\"\\\\p{N}\"},\"behavior\":\"Removed\",\"invert\":false},"
         "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}]},\"x\":",
         W_MISMATCH, "isolate"},
        {"\"content\":\"<|endoftext|>\"", "\"content\":\"the\"", W_CORRUPT, "270 and 258"},
        {"\"content\":\"<|endoftext|>\"", "\"contend\":\"\"", W_CORRUPT, "added_tokens"},
        {"\"merges\":", "\"merges\":3,\"x\":", W_CORRUPT, "merges"},
        {"]}}", "]}", W_CORRUPT, "syntax"},
        {"\"model\":", "\"m\":", W_CORRUPT, "model"},
    };
    check_refusals(HF, cases, W_COUNTOF(cases));
}

static void nfc_is_kept_or_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *normalizer;
        bool none, nfc;
    } cases[] = {
        {"\"normalizer\":null", false, false},
        {"\"normalizer\":{\"type\":\"NFC\"}", false, true},
        {"\"normalizer\":{\"type\":\"NFC\"}", true, false},
        {"\"normalizer\":{\"type\":\"Lowercase\"}", true, false},
        {"\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}", false,
         true},
    };
    struct w_vocab *v = sample_vocab();
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        const struct w_import_options options = {.no_normalizer = cases[i].none};
        struct w_vocab *again = NULL, *third = NULL;
        struct w_draft text = {0};
        assert_int_equal(write_format(v, HF, &text, NULL), W_DONE);
        change(&text, "\"normalizer\":null", cases[i].normalizer);
        assert_int_equal(read_format(&again, HF, text.bytes, text.count, &options, NULL), W_DONE);
        assert_int_equal(w_vocab_nfc(again), cases[i].nfc);
        text.count = 0;
        assert_int_equal(write_format(again, HF, &text, NULL), W_DONE);
        assert_int_equal(read_format(&third, HF, text.bytes, text.count, &nothing_said, NULL),
                         W_DONE);
        assert_string_equal(w_vocab_sha256(again), w_vocab_sha256(third));
        w_vocab_free(again);
        w_vocab_free(third);
        free(text.bytes);
    }
    w_vocab_free(v);
}

static void broken_merges_and_ids_are_refused(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"#version: 0.2\n", "", W_DONE, NULL},
        {"\nt h\n", "\r\n\r\nt h\r\n", W_DONE, NULL},
        {"\nt h\n", "\nt\n", W_CORRUPT, "line 2"},
        {"\nt h\n", "\nt h e\n", W_CORRUPT, "line 2"},
        {"\nt h\n", "\nt h\nt x\n", W_CORRUPT, "line 3"},
        {"\"the\":258", "\"the\":\"258\"", W_CORRUPT, "\"the\""},
        {"<|endoftext|>", "<|end|>", W_USAGE, "--end"},
    };
    check_refusals(GPT2, cases, W_COUNTOF(cases));
}

static void broken_ranks_are_refused(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"dGhl 258\n", "dGhl 258\r\n\n", W_DONE, NULL}, /* the */
        {"dGhl 258\n", "dGhl  258\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "dGhl\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "dGh 258\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "dG=l 258\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "==== 258\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "dGhl 99999999999\n", W_CORRUPT, "line 259"},
        {"dGhl 258\n", "dGhl 9999999\n", W_LIMIT, "too many ids unused"},
        {"dGhl 258\n", "dGhl 257\n", W_CORRUPT, "rank 257"},
        {"dGhl 258\n", "dGhl 400\n", W_DONE, NULL},
        {"QQ== 32\n", "", W_MISMATCH, "0x41"}, /* A */
    };
    check_refusals(TIKTOKEN, cases, W_COUNTOF(cases));
    struct w_vocab *v = NULL;
    struct w_err err = {0};
    assert_int_equal(read_format(&v, TIKTOKEN, "IQ== 0\n", 7, &as_gpt2, &err), W_MISMATCH);
}

static void lengths_in_gguf_are_not_trusted(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GGUF\3", "GGUF\2", W_DONE, NULL},
        {"GGUF\3", "GGUF\1", W_NEWER, "version 1"},
        {"GGUF\3", "GGML\3", W_CORRUPT, "no GGUF"},
    };
    check_refusals(GGUF, cases, W_COUNTOF(cases));
    struct w_vocab *v = sample_vocab(), *again = NULL;
    struct w_draft text = {0};
    struct w_err err = {0};
    write_gguf(v, &text);
    /* a file that ends anywhere */
    for (size_t size = 0; size < text.count; size += size < 200 ? 1 : 37) {
        enum w_status status = read_format(&again, GGUF, text.bytes, size, &nothing_said, &err);
        assert_int_equal(status, W_TRUNCATED);
    }
    /* a length of 2^63 wherever there may be one */
    for (size_t at = 8; at + 8 <= text.count; at++) {
        char *copy = malloc(text.count);
        memcpy(copy, text.bytes, text.count);
        w_put64((u8 *)copy + at, 1ull << 63);
        if (!read_format(&again, GGUF, copy, text.count, &nothing_said, &err))
            w_vocab_free(again);
        free(copy);
    }
    char *pre = memmem(text.bytes, text.count, "gpt-2", 5);
    memcpy(pre, "mpt-7", 5);
    assert_int_equal(read_format(&again, GGUF, text.bytes, text.count, &nothing_said, &err),
                     W_MISMATCH);
    assert_non_null(strstr(err.text, "mpt-7"));
    assert_int_equal(read_format(&again, GGUF, text.bytes, text.count, &as_gpt2, &err), W_DONE);
    assert_true(same_ids(v, again, sample_text, sizeof sample_text));
    w_vocab_free(again);
    free(text.bytes);
    w_vocab_free(v);
}

/* A vocabulary of these merges after the bytes. */
static struct w_vocab *vocab_of(const struct w_merge *merges, u32 count)
{
    static const char *const end = "<|endoftext|>";
    struct w_vocab *v = NULL;
    assert_int_equal(w_vocab_new(&v, W_SPLIT_GPT2, merges, count, &end, 1, NULL), W_DONE);
    return v;
}

static void ranks_are_refused_where_they_would_give_other_ids(void **state)
{
    (void)state;
    struct w_draft text = {0};
    struct w_err err = {0};
    /* abc is made of ab and c here, but "bc" is joined first: no text ever gives it, while tiktoken
     * gives it for the word "abc" */
    struct w_vocab *v = vocab_of((struct w_merge[]){{'b', 'c'}, {'a', 'b'}, {257, 'c'}}, 3);
    assert_int_equal(w_vocab_write_tiktoken(v, &text, &err), W_MISMATCH);
    w_vocab_free(v);
    text.count = 0;
    /* abcd is made of ab and cd, but bc is joined first, and then there are three parts */
    v = vocab_of((struct w_merge[]){{'b', 'c'}, {'a', 'b'}, {'c', 'd'}, {257, 258}}, 4);
    assert_int_equal(w_vocab_write_tiktoken(v, &text, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "for a word"));
    w_vocab_free(v);
    text.count = 0;
    /* abc is made first, and the ids say otherwise */
    u32 made[] = {258, 256, 257};
    struct w_token end = {259, 5, (const u8 *)"<end>"};
    struct w_vocab_parts parts = {
        .merges = (struct w_merge[]){{'a', 'b'}, {258, 'c'}, {'c', 'd'}},
        .merge_count = 3,
        .made_ids = made,
        .made_count = 3,
        .specials = &end,
        .special_count = 1,
    };
    assert_int_equal(w_vocab_make(&v, &parts, &err), W_DONE);
    assert_int_equal(w_vocab_write_tiktoken(v, &text, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "tokenizer.json"));
    w_vocab_free(v);
    free(text.bytes);
}

/* In ranks, "aab" is a token whose bytes are joined to "aa" and "b", and these are no pair of a
 * rank: it comes only from a whole word, as its program does it. */
static void tokens_that_ranks_do_not_reach_come_from_whole_words(void **state)
{
    (void)state;
    struct w_vocab *v = vocab_of((struct w_merge[]){{'a', 'a'}, {'b', 'c'}}, 2), *ranked = NULL;
    struct w_draft text = {0};
    struct w_err err = {0};
    assert_int_equal(w_vocab_write_tiktoken(v, &text, &err), W_DONE);
    put(&text, "YWFiYw== 300\nYWFiZA== 301\n", 26); /* aabc, aabd */
    struct w_import_options options = as_gpt2;
    options.end = "</s>";
    assert_int_equal(w_vocab_read_tiktoken(&ranked, text.bytes, text.count, "", &options, &err),
                     W_DONE);
    assert_true(w_vocab_whole_words(ranked));
    assert_int_equal(w_vocab_kind(ranked, 300), W_TOKEN_MADE);
    assert_int_equal(w_vocab_kind(ranked, 301), W_TOKEN_ADDED);
    assert_int_equal(w_vocab_eot_id(ranked), 302);
    struct w_ids ids = ids_of(ranked, "aabd aabdd", 10);
    assert_int_equal(ids.count, 6);
    assert_int_equal(ids.ids[0], 301);
    assert_int_equal(ids.ids[2], 256);
    free(ids.ids);
    /* back to ranks, and to tokenizer.json, but not to merges.txt */
    struct w_draft out = {0}, merges = {0};
    assert_int_equal(w_vocab_write_tiktoken(ranked, &out, &err), W_DONE);
    assert_int_equal(out.count, text.count);
    assert_int_equal(w_vocab_write_gpt2(ranked, &out, &merges, &err), W_MISMATCH);
    free(out.bytes);
    free(merges.bytes);
    free(text.bytes);
    w_vocab_free(ranked);
    w_vocab_free(v);
}

static void published_ranks_are_known_by_name(void **state)
{
    (void)state;
    struct w_vocab *v = vocab_of(NULL, 0), *ranked = NULL;
    struct w_draft text = {0};
    struct w_err err = {0};
    assert_int_equal(w_vocab_write_tiktoken(v, &text, &err), W_DONE);
    assert_int_equal(w_vocab_read_tiktoken(&ranked, text.bytes, text.count, "r50k_base.tiktoken",
                                           &nothing_said, &err),
                     W_DONE);
    assert_int_equal(w_vocab_eot_id(ranked), 50256);
    w_vocab_free(ranked);
    assert_int_equal(w_vocab_read_tiktoken(&ranked, text.bytes, text.count, "r50k_base_2.tiktoken",
                                           &nothing_said, &err),
                     W_USAGE);
    assert_non_null(strstr(err.text, "--split"));
    free(text.bytes);
    w_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_the_letters_of_gpt2),
        cmocka_unit_test(every_format_gives_the_same_ids_again),
        cmocka_unit_test(published_tokenizer_json_is_read),
        cmocka_unit_test(unsupported_tokenizer_json_is_refused),
        cmocka_unit_test(nfc_is_kept_or_left_out),
        cmocka_unit_test(broken_merges_and_ids_are_refused),
        cmocka_unit_test(broken_ranks_are_refused),
        cmocka_unit_test(lengths_in_gguf_are_not_trusted),
        cmocka_unit_test(ranks_are_refused_where_they_would_give_other_ids),
        cmocka_unit_test(tokens_that_ranks_do_not_reach_come_from_whole_words),
        cmocka_unit_test(published_ranks_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
