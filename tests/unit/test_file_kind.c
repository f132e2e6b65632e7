/* What is text and what is not, and what a list of files does with each. */
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

#include "packed.h"
#include "temp_folder.h"
#include "base/rng.h"
#include "sys/text_files.h"

static const char *name_of(const void *bytes, size_t size)
{
    const struct w_file_kind *kind = w_file_kind(bytes, size, true);
    return kind ? kind->name : "text";
}

static void known_kinds_are_named(void **state)
{
    (void)state;
#define KIND(bytes, name)                                                                          \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, name                                                             \
    }
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } cases[] = {
        KIND("%PDF-1.4\n%\xe2\xe3", "PDF"),
        KIND("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG image"),
        KIND("\xff\xd8\xff\xe0\0\x10JFIF", "JPEG image"),
        KIND("GIF89a\1\0", "GIF image"),
        KIND("PAR1\x15\4\x15", "Parquet"),
        KIND("PK\3\4\x14\0", "zip archive (or docx, odt, epub, jar)"),
        KIND("\x7f"
             "ELF\2\1\1\0",
             "ELF program"),
        KIND("\xff\xfeh\0i\0", "UTF-16"),
        KIND("\xfe\xff\0h\0i", "UTF-16"),
        KIND("h\0e\0l\0l\0o\0 \0w\0", "UTF-16"),
        KIND("\0h\0e\0l\0l\0o\0 \0w", "UTF-16"),
        KIND("7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        KIND("SQLite format 3\0\x10", "SQLite database"),
        KIND("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office document"),
        KIND("\x04\x22\x4d\x18\x64\x40", "lz4"),
        KIND("\x1f\x8b\x08\0", "gzip"),
        KIND("\x89WT1\r\n", "stream of wtools"),
        KIND("{\"type\":\"bpe\",\"split\":\"gpt2\",\"size\":259}", "vocabulary of wtok"),
        KIND("{\n  \"type\": \"bpe\",\n  \"split\": \"gpt2\"", "vocabulary of wtok"),
        KIND("\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x10\0\x11\1\x12\1\x13\1\x14\1",
             "data of an unknown kind"),
        KIND("<!DOCTYPE html>\n<p>", "HTML"),
        KIND("\xef\xbb\xbf \n<HTML lang=en>", "HTML"),
        KIND("<mediawiki xmlns=", "MediaWiki dump"),
        /* not these */
        KIND("", "text"),
        KIND("PAR1 is how it begins", "text"),
        KIND("PK is a pen name", "text"),
        KIND("MZ\x90\0\3", "Windows program"),
        KIND("PAR1", "Parquet"),
        KIND("MZ", "text"),
        KIND("MZ is an old label", "text"),
        KIND("GIF89 is older", "text"),
        KIND("ID3 is an algorithm", "text"),
        KIND("a\0b, text with a NUL", "text"),
        KIND("Gr\xfc\xdf Gott, in Latin-1", "text"),
        KIND("\x93\xfa\x96{\x8c\xea in Shift JIS", "text"),
        KIND("\x1b[1mbold\x1b[0m \x1b[1mbold\x1b[0m \x1b[1mbold\x1b[0m \x1b[1mbold\x1b[0m", "text"),
        KIND("page\f\v\b\x1a", "text"),
        KIND("<htmlx", "HTML"),
        KIND("{\"type\":\"bpe\",\"text\":\"a\"}", "text"),
        KIND("{\"text\":\"a\"}", "text"),
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++)
        if (strcmp(name_of(cases[i].bytes, cases[i].size), cases[i].name))
            fail_msg("'%s': %s, not %s", cases[i].bytes, name_of(cases[i].bytes, cases[i].size),
                     cases[i].name);
}

static void a_tar_archive_is_known_by_its_middle(void **state)
{
    (void)state;
    char tar[512] = "name.txt";
    memcpy(tar + 257, "ustar", 5);
    assert_string_equal(name_of(tar, sizeof tar), "tar archive");
}

static void random_bytes_are_no_text(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 1};
    for (unsigned round = 0; round < 200; round++) {
        u8 bytes[600];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (u8)w_rng_below(&rng, 256);
        const struct w_file_kind *kind = w_file_kind(bytes, sizeof bytes, true);
        assert_true(kind && kind->taken != W_TAKEN_ALWAYS);
    }
}

/* ---- lists ---- */

/* The texts of all files, each followed by a bar; what was left out and what has markup. */
static enum w_status read_list(char **paths, size_t count, bool binary, const char *output,
                               struct w_buffer *out, char *left_out, char *markup,
                               struct w_err *err)
{
    struct w_file_list list = {0};
    struct w_text_files files = {.list = &list, .binary = binary, .threads = 2};
    u8 bytes[100];
    size_t got = 0;

    enum w_status status = w_file_list_make(&list, paths, count, err);
    if (!status)
        status = w_file_list_mark_output(&list, output, err);
    while (!status && !(status = w_text_files_next(&files, err))) {
        do {
            status = w_unpack_read(files.unpack, bytes, sizeof bytes, &got, err);
            w_buffer_put(out, bytes, got);
        } while (!status && got == sizeof bytes);
        w_buffer_byte(out, '|');
    }
    w_buffer_byte(out, 0);
    w_kind_counts_list(&files.left_out, left_out, 400);
    w_kind_counts_list(&files.doubtful, markup, 400);
    w_text_files_release(&files);
    w_file_list_release(&list);
    return status;
}

static void make_tree(void)
{
    struct w_buffer gz = {0}, pdf = {0};
    char tar[512] = "name";
    memcpy(tar + 257, "ustar", 5);
    pack_gzip(&gz, "unpacked", 8);
    put("a.gz", gz.at, gz.size);
    put("b.pdf", "%PDF-1.4", 8);
    put("c.pdf", "%PDF-1.5", 8);
    pack_gzip(&pdf, tar, sizeof tar);
    put("d.tar.gz", pdf.at, pdf.size);
    put("e.html", "<html>", 6);
    put("f.txt", "plain", 5);
    put("out", "output", 6);
    w_buffer_free(&gz);
    w_buffer_free(&pdf);
}

static void in_a_folder_what_is_no_text_is_left_out(void **state)
{
    (void)state;
    struct w_buffer out = {0};
    struct w_err err = {0};
    char left_out[400], markup[400], expected[400];
    make_tree();
    assert_int_equal(
        read_list((char *[]){folder}, 1, false, path_of("out"), &out, left_out, markup, &err),
        W_END);
    assert_string_equal(out.at, "unpacked|<html>|plain|");
    snprintf(expected, sizeof expected,
             "PDF (%s/b.pdf and 1 more), tar archive (%s/d.tar.gz), the output (%s/out)", folder,
             folder, folder);
    assert_string_equal(left_out, expected);
    snprintf(expected, sizeof expected, "HTML (%s/e.html)", folder);
    assert_string_equal(markup, expected);
    w_buffer_free(&out);
}

static void what_is_named_and_no_text_is_refused(void **state)
{
    (void)state;
    struct w_buffer out = {0};
    struct w_err err = {0};
    char left_out[400], markup[400];
    make_tree();
    assert_int_equal(read_list((char *[]){path_of("f.txt"), path_of("b.pdf")}, 2, false, NULL, &out,
                               left_out, markup, &err),
                     W_MISMATCH);
    assert_non_null(strstr(err.text, "/b.pdf: PDF, not text: pdftotext"));
    assert_int_equal(
        read_list((char *[]){path_of("d.tar.gz")}, 1, false, NULL, &out, left_out, markup, &err),
        W_MISMATCH);
    assert_non_null(strstr(err.text, "/d.tar.gz: gzip of tar archive, not text"));
    assert_int_equal(read_list((char *[]){path_of("out")}, 1, false, path_of("out"), &out, left_out,
                               markup, &err),
                     W_USAGE);
    w_buffer_free(&out);
}

static void a_folder_without_text_is_refused(void **state)
{
    (void)state;
    struct w_buffer out = {0};
    struct w_err err = {0};
    char left_out[400], markup[400];
    make_tree();
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    put("sub/x.pdf", "%PDF-1.4", 8);
    assert_int_equal(
        read_list((char *[]){path_of("sub")}, 1, false, NULL, &out, left_out, markup, &err),
        W_MISMATCH);
    assert_non_null(strstr(err.text, "none of the files is text: PDF ("));
    w_buffer_free(&out);
}

static void binary_takes_every_file_as_it_is(void **state)
{
    (void)state;
    struct w_buffer out = {0}, gz = {0};
    struct w_err err = {0};
    char left_out[400], markup[400];
    make_tree();
    pack_gzip(&gz, "unpacked", 8);
    assert_int_equal(read_list((char *[]){path_of("a.gz"), path_of("b.pdf")}, 2, true, NULL, &out,
                               left_out, markup, &err),
                     W_END);
    assert_int_equal(out.size, gz.size + 1 + 8 + 2);
    assert_memory_equal(out.at, gz.at, gz.size);
    w_buffer_free(&out);
    w_buffer_free(&gz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_kinds_are_named),
        cmocka_unit_test(a_tar_archive_is_known_by_its_middle),
        cmocka_unit_test(random_bytes_are_no_text),
        cmocka_unit_test_setup_teardown(in_a_folder_what_is_no_text_is_left_out, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_named_and_no_text_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_without_text_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(binary_takes_every_file_as_it_is, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
