/* Documents: what each format gives, what it refuses, long documents in pieces. */
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

#include "temp_folder.h"
#include "base/rng.h"
#include "text/document.h"
#include "text/nfc.h"

struct text {
    u8 *bytes;
    size_t size, pieces;
};

static bool normalise; /* what is read */

/* The documents of some paths, each followed by a bar. */
static enum w_status read_limited(char *const *paths, size_t count, enum w_format format,
                                  u64 document_bytes_max, u64 text_bytes_max, struct text *all,
                                  struct w_err *err)
{
    struct w_file_list files = {0};
    struct w_documents *d = NULL;
    struct w_text_piece piece;
    *all = (struct text){0};
    enum w_status status = w_file_list_make(&files, paths, count, err);
    struct w_document_options options = {.files = &files,
                                         .format = format,
                                         .field = "text",
                                         .split = W_SPLIT_GPT2,
                                         .nfc = normalise,
                                         .document_bytes_max = document_bytes_max,
                                         .text_bytes_max = text_bytes_max};
    if (!status)
        status = w_documents_open(&d, &options, err);
    while (!status && !(status = w_documents_next(d, &piece, err))) {
        all->bytes = realloc(all->bytes, all->size + piece.size + 2);
        memcpy(all->bytes + all->size, piece.text, piece.size);
        all->size += piece.size;
        if (piece.ends)
            all->bytes[all->size++] = '|';
        all->bytes[all->size] = 0;
        all->pieces++;
    }
    w_documents_close(&d);
    w_file_list_release(&files);
    return status;
}

static enum w_status read_paths(char *const *paths, size_t count, enum w_format format,
                                struct text *all, struct w_err *err)
{
    return read_limited(paths, count, format, 0, 0, all, err);
}

static void expect(enum w_format format, const char *content, size_t size, enum w_status status,
                   const char *documents)
{
    struct text all;
    struct w_err err = {0};
    put("one", content, size);
    enum w_status got = read_paths((char *[]){path_of("one")}, 1, format, &all, &err);
    if (got != status || (documents && strcmp(all.bytes ? (char *)all.bytes : "", documents)))
        fail_msg("format %d, '%s': status %d (%s), documents '%s'", format, content, got, err.text,
                 all.bytes ? (char *)all.bytes : "");
    assert_true(status == W_END || strstr(err.text, "/one"));
    free(all.bytes);
}
#define EXPECT(format, content, status, documents)                                                 \
    expect(format, content, sizeof(content) - 1, status, documents)

static void a_plain_file_is_a_document(void **state)
{
    (void)state;
    EXPECT(W_FORMAT_PLAIN, "a\n\nb\n", W_END, "a\n\nb\n|");
    EXPECT(W_FORMAT_PLAIN, "<doc id=\"1\">", W_END, "<doc id=\"1\">|");
    EXPECT(W_FORMAT_PLAIN, "", W_END, "");
    EXPECT(W_FORMAT_AUTO, "Hello\n", W_END, "Hello\n|");
    EXPECT(W_FORMAT_AUTO, "{ not an object\n", W_END, "{ not an object\n|");
    EXPECT(W_FORMAT_AUTO, "{{about|x}}\nText", W_END, "{{about|x}}\nText|");
    EXPECT(W_FORMAT_AUTO, "{", W_END, "{|");
}

static void a_line_is_a_document(void **state)
{
    (void)state;
    EXPECT(W_FORMAT_LINES, "a b\n\n\nc\r\nd", W_END, "a b|c\r|d|");
    EXPECT(W_FORMAT_LINES, "\n\n", W_END, "");
}

static void wiki_blocks_lose_their_tags_alone(void **state)
{
    (void)state;
    EXPECT(W_FORMAT_AUTO,
           "<doc id=\"1\" title=\"A\">\nA\n\nText </doc> of <b>A</b>\n\n</doc>\n"
           "<doc id=\"2\" title=\"B\">\n</doc>\n\n"
           "<doc id=\"3\" title=\"C\">\r\nC\r\n</doc>\r\n",
           W_END, "A\n\nText </doc> of <b>A</b>|C|");
    EXPECT(W_FORMAT_WIKI, "<doc id=\"1\">\nx\n</doc>y\n</doc>", W_END, "x\n</doc>y|");
    EXPECT(W_FORMAT_WIKI, "<doc id=\"1\">\nx\n", W_TRUNCATED, NULL);
    EXPECT(W_FORMAT_WIKI, "<doc id=\"1\">\nx\n</doc>\nstray\n", W_CORRUPT, NULL);
    EXPECT(W_FORMAT_WIKI, "\n \n", W_END, "");
}

static void json_lines_give_their_member(void **state)
{
    (void)state;
    EXPECT(W_FORMAT_AUTO,
           "{\"id\":1,\"text\":\"a\\n\\u00e9\"}\n\n{\"text\":\"\"}\n{\"text\":\"b\",\"x\":[]}",
           W_END, "a\n\xc3\xa9|b|");
    EXPECT(W_FORMAT_AUTO, "{\"text\":\"a\"} \t\r\n{\"text\":\"b\"}", W_END, "a|b|");
    EXPECT(W_FORMAT_AUTO, "{\t\"text\":\"a\"}", W_END, "a|");
    EXPECT(W_FORMAT_AUTO, "{ }\n", W_CORRUPT, NULL);
    EXPECT(W_FORMAT_JSONL, "{\"text\":\"a\"}\n{\"body\":\"b\"}\n", W_CORRUPT, "a|");
    EXPECT(W_FORMAT_JSONL, "{\"text\":\"a\"", W_CORRUPT, NULL);
    EXPECT(W_FORMAT_JSONL, "{\"text\":\"a\\ud83d\"}\n", W_END, "a\xef\xbf\xbd|");
    EXPECT(W_FORMAT_JSONL, "{\"m\":NaN,\"text\":\"a\"}\n", W_END, "a|");
    EXPECT(W_FORMAT_JSONL, "{\"text\":\"a\\\\u0000b\"}\n", W_END, "a\\u0000b|");
}

static void a_byte_order_mark_hides_no_format(void **state)
{
    (void)state;
    EXPECT(W_FORMAT_AUTO, "\xef\xbb\xbf{\"text\":\"a\"}\n", W_END, "a|");
    EXPECT(W_FORMAT_AUTO, "\xef\xbb\xbf<doc id=\"1\">\nx\n</doc>\n", W_END, "x|");
    EXPECT(W_FORMAT_JSONL, "\xef\xbb\xbf{\"text\":\"a\"}\n", W_END, "a|");
    EXPECT(W_FORMAT_LINES,
           "\xef\xbb\xbf"
           "a\nb\n",
           W_END, "a|b|");
    EXPECT(W_FORMAT_AUTO,
           "\xef\xbb\xbf"
           "a\n",
           W_END,
           "\xef\xbb\xbf"
           "a\n|");
    EXPECT(W_FORMAT_AUTO, "\xef\xbb\xbf", W_END, "\xef\xbb\xbf|");
    EXPECT(W_FORMAT_JSONL, "\xef\xbb\xbf", W_END, "");
}

static void members_that_are_not_read_need_no_window(void **state)
{
    (void)state;
    size_t size = 9u << 20; /* more than two windows */
    u8 *file = malloc(size);
    struct text all;
    struct w_err err = {0};

    for (unsigned where = 0; where < 2; where++) { /* before and after the text */
        static const char *const heads[] = {"{\"m\":\"", "{\"text\":\"a\",\"m\":\""};
        static const char *const tails[] = {"\",\"text\":\"a\"}\n{\"text\":\"b\"}",
                                            "\"}\n{\"text\":\"b\"}"};
        memset(file, 'x', size);
        memcpy(file, heads[where], strlen(heads[where]));
        memcpy(file + size - strlen(tails[where]), tails[where], strlen(tails[where]));
        put("one", file, size);
        assert_int_equal(read_paths((char *[]){path_of("one")}, 1, W_FORMAT_AUTO, &all, &err),
                         W_END);
        assert_string_equal(all.bytes, "a|b|");
        free(all.bytes);
    }
    free(file);
}

static void a_first_line_of_json_may_be_long(void **state)
{
    (void)state;
    static const char head[] = "{\"text\":\"";
    size_t size = 5u << 20;
    u8 *file = malloc(size);
    struct text all;
    struct w_err err = {0};

    memset(file, 'a', size);
    memcpy(file, head, sizeof head - 1);
    memcpy(file + size - 3, "\"}\n", 3);
    put("one", file, size);
    assert_int_equal(read_paths((char *[]){path_of("one")}, 1, W_FORMAT_AUTO, &all, &err), W_END);
    assert_int_equal(all.size, size - (sizeof head - 1) - 3 + 1);
    assert_int_equal(all.bytes[0], 'a');
    free(all.bytes);
    free(file);
}

static void folders_are_read_in_the_order_of_bytes(void **state)
{
    (void)state;
    struct text all;
    struct w_err err = {0};
    char sub[128];
    assert_int_equal(mkdir(path_of("tree"), 0700), 0);
    assert_int_equal(mkdir(path_of("tree/b"), 0700), 0);
    put("tree/b/z", "3", 1), put("tree/c", "4", 1), put("tree/a", "2", 1);
    put("tree/B", "1", 1), put("tree/.hidden", "5", 1);
    assert_int_equal(symlink("..", path_of("tree/loop")), 0);
    snprintf(sub, sizeof sub, "%s", path_of("tree"));
    assert_int_equal(read_paths((char *[]){sub}, 1, W_FORMAT_AUTO, &all, &err), W_END);
    assert_string_equal(all.bytes, "1|2|3|4|");
    free(all.bytes);
    assert_int_equal(mkdir(path_of("empty"), 0700), 0);
    assert_int_equal(read_paths((char *[]){path_of("empty")}, 1, W_FORMAT_AUTO, &all, &err), W_IO);
    assert_int_equal(read_paths((char *[]){path_of("absent")}, 1, W_FORMAT_AUTO, &all, &err), W_IO);
    assert_non_null(strstr(err.text, "absent"));
}

/* Words of a text, one after another; pieces may not change them. */
static size_t words_of(const u8 *text, size_t size, size_t *ends, size_t room)
{
    size_t count = 0, at = 0;
    while (at < size) {
        size_t n = w_split_words(W_SPLIT_GPT2, text + at, size - at, ends + count, room - count);
        for (size_t i = 0; i < n; i++)
            ends[count + i] += at;
        count += n;
        at = ends[count - 1];
    }
    return count;
}

static void limits_cut_at_the_ends_of_words(void **state)
{
    (void)state;
    static const struct {
        u64 document_bytes_max, text_bytes_max;
        const char *documents;
    } cases[] = {
        {0, 0, "one two three|four|five six|"},
        {9, 0, "one two|four|five six|"},
        {8, 0, "one two|four|five six|"},
        {7, 0, "one|four|five|"},
        {0, 22, "one two three|four|five|"},
        {0, 17, "one two three|four|"},
        {0, 16, "one two three||"},
        {8, 16, "one two|four|five|"},
        {0, 1000, "one two three|four|five six|"},
    };
    put("one", "one two three\nfour\nfive six\n", 28);
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct text all;
        assert_int_equal(read_limited((char *[]){path_of("one")}, 1, W_FORMAT_LINES,
                                      cases[i].document_bytes_max, cases[i].text_bytes_max, &all,
                                      NULL),
                         W_END);
        assert_string_equal(all.bytes, cases[i].documents);
        free(all.bytes);
    }
    /* a document that comes in pieces */
    enum { SIZE = 20 << 20 };
    char *text = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        text[i] = i % 10 == 9 ? ' ' : 'x';
    put("one", text, SIZE);
    free(text);
    for (u64 limit = 15; limit <= 15 << 20; limit += 5 << 20) {
        struct text by_document, by_text;
        char *path = path_of("one");
        assert_int_equal(read_limited(&path, 1, W_FORMAT_PLAIN, limit, 0, &by_document, NULL),
                         W_END);
        assert_int_equal(read_limited(&path, 1, W_FORMAT_PLAIN, 0, limit, &by_text, NULL), W_END);
        assert_true(by_text.size <= limit + 1 && by_text.size + 10 > limit);
        assert_int_equal(by_document.size, by_text.size);
        free(by_document.bytes);
        free(by_text.bytes);
    }
}

/* `text` is what the pieces of the file make together. */
static void check_pieces(const u8 *text, size_t size, enum w_format format, bool nfc, char *path)
{
    struct w_file_list files = {0};
    struct w_documents *d = NULL;
    struct w_text_piece piece;
    size_t *whole = malloc(size * sizeof *whole), *part = malloc(size * sizeof *part);
    size_t words = words_of(text, size, whole, size), at = 0, word = 0, pieces = 0;
    bool ended = false;
    assert_int_equal(w_file_list_make(&files, &path, 1, NULL), W_DONE);
    struct w_document_options options = {
        .files = &files, .format = format, .field = "text", .nfc = nfc};
    assert_int_equal(w_documents_open(&d, &options, NULL), W_DONE);
    while (w_documents_next(d, &piece, NULL) == W_DONE) {
        assert_false(ended);
        assert_true(piece.size <= (nfc ? 8u : 4u) << 20);
        assert_true(at + piece.size <= size);
        assert_memory_equal(piece.text, text + at, piece.size);
        size_t n = words_of(piece.text, piece.size, part, size);
        for (size_t i = 0; i < n; i++)
            if (at + part[i] != whole[word++])
                fail_msg("word %zu was cut", word - 1);
        at += piece.size;
        ended = piece.ends;
        pieces++;
    }
    assert_true(ended);
    assert_int_equal(at, size);
    assert_int_equal(word, words);
    assert_true(pieces > 1);
    w_documents_close(&d);
    w_file_list_release(&files);
    free(whole);
    free(part);
}

static void long_documents_come_in_pieces_that_cut_no_word(void **state)
{
    (void)state;
    static const char *const fills[] = {"The quick brown fox's   jumps\n\nover 12 dogs. ",
                                        "a",
                                        " ",
                                        "\xe4\xb8\xad\xe6\x96\x87\xe3\x80\x82",
                                        "\xff\xc3",
                                        "\n"};
    static const char head[] = "<doc id=\"1\">\n", tail[] = "\n</doc>\n";
    size_t size = (5u << 20) + 123;
    u8 *file = malloc(size + sizeof head + sizeof tail), *text = file + sizeof head - 1;
    memcpy(file, head, sizeof head - 1);
    for (size_t k = 0; k < W_COUNTOF(fills); k++) {
        for (size_t i = 0; i < size; i++)
            text[i] = (u8)fills[k][i % strlen(fills[k])];
        put("long", text, size);
        check_pieces(text, size, W_FORMAT_PLAIN, false, path_of("long"));
        if (fills[k][0] == '\n')
            continue;
        text[size - 1] = 'x';
        memcpy(text + size, tail, sizeof tail - 1);
        put("long", file, size + sizeof head + sizeof tail - 2);
        check_pieces(text, size, W_FORMAT_WIKI, false, path_of("long"));
    }
    for (size_t i = 0; i < size; i++)
        text[i] = (u8) "one line without end "[i % 21];
    put("long", text, size);
    check_pieces(text, size, W_FORMAT_LINES, false, path_of("long"));
    free(file);
}

static void normalised_pieces_cut_no_word_either(void **state)
{
    (void)state;
    static const char *const fills[] = {
        "cafe\u0301 au lait,\r\n", "e\u0301", "\u304b\u3099\u4e2d",        "\u0301",
        "\u0e01\u0e33\u0e48",      "\u0958",  "\u1100\u1161\u11a8 \u1161", "e\xff\u0301\xc3"};
    size_t size = (5u << 20) + 123;
    u8 *text = malloc(size);

    for (size_t k = 0; k < W_COUNTOF(fills); k++) {
        struct w_buffer normal = {0};
        for (size_t i = 0; i < size; i++)
            text[i] = (u8)fills[k][i % strlen(fills[k])];
        put("long", text, size);
        assert_int_equal(w_nfc_append(&normal, text, size, NULL), W_DONE);
        check_pieces(normal.at, normal.size, W_FORMAT_PLAIN, true, path_of("long"));
        if (!strchr(fills[k], '\n'))
            check_pieces(normal.at, normal.size, W_FORMAT_LINES, true, path_of("long"));
        w_buffer_free(&normal);
    }
    free(text);
}

/* A mark that begins a document has nothing before it, and limits count normalised bytes. */
static void documents_are_normalised_each_for_itself(void **state)
{
    (void)state;
    static const struct {
        enum w_format format;
        u64 document_bytes_max;
        const char *text, *documents;
    } cases[] = {
        {W_FORMAT_LINES, 0, "e\n\u0301e\u0301\r\n", "e|\u0301\u00e9\r|"},
        {W_FORMAT_JSONL, 0, "{\"text\":\"e\\u0301\"}\n{\"text\":\"\\u0301\"}", "\u00e9|\u0301|"},
        {W_FORMAT_WIKI, 0, "<doc id=\"1\">\ne\u0301\n</doc>\n", "\u00e9|"},
        {W_FORMAT_PLAIN, 0, "e\r\n\u0301", "e\r\n\u0301|"},
        {W_FORMAT_LINES, 5, "ae\u0301b ab\n", "a\u00e9b|"},
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        struct text all;
        char *path = path_of("one");
        put("one", cases[i].text, strlen(cases[i].text));
        normalise = true;
        assert_int_equal(
            read_limited(&path, 1, cases[i].format, cases[i].document_bytes_max, 0, &all, NULL),
            W_END);
        normalise = false;
        assert_string_equal(all.bytes, cases[i].documents);
        free(all.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file_is_a_document),
        cmocka_unit_test(a_line_is_a_document),
        cmocka_unit_test(wiki_blocks_lose_their_tags_alone),
        cmocka_unit_test(json_lines_give_their_member),
        cmocka_unit_test(a_byte_order_mark_hides_no_format),
        cmocka_unit_test(members_that_are_not_read_need_no_window),
        cmocka_unit_test(a_first_line_of_json_may_be_long),
        cmocka_unit_test(folders_are_read_in_the_order_of_bytes),
        cmocka_unit_test(limits_cut_at_the_ends_of_words),
        cmocka_unit_test(long_documents_come_in_pieces_that_cut_no_word),
        cmocka_unit_test(normalised_pieces_cut_no_word_either),
        cmocka_unit_test(documents_are_normalised_each_for_itself),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
