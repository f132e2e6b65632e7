/* Numbers from text, random numbers, arenas, status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/rng.h"
#include "base/strnum.h"
#include "base/utf8.h"

static void counts_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        u64 value;
    } rows[] = {
        {"0", true, 0},
        {"512", true, 512},
        {"10k", true, 10000},
        {"1.5M", true, 1500000},
        {"4KiB", true, 4096},
        {"6GiB", true, 6ull << 30},
        {"10.08M", true, 10080000},
        {"", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x10", false, 0},
        {"1e3", false, 0},
        {"1.5", false, 0},
        {"0.3k", true, 300},
        {"100.8k", true, 100800},
        {"1000000.4", false, 0},
        {"0.0000000001k", false, 0},
        {"k", false, 0},
        {"1kk", false, 0},
        {"99999999999999999999", false, 0},
        {"9007199254740992", false, 0},
    };
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        u64 value = 0;
        struct w_err err = {0};
        enum w_status status = w_parse_count(rows[i].text, 0, W_JSON_INT_MAX, &value, &err);
        if ((status == W_DONE) != rows[i].ok || value != rows[i].value)
            fail_msg("'%s' gave %d, %llu (%s)", rows[i].text, (int)status,
                     (unsigned long long)value, err.text);
    }
}

static void durations_have_units(void **state)
{
    (void)state;
    double seconds = 0;
    assert_int_equal(w_parse_duration("5m", &seconds, NULL), W_DONE);
    assert_true(seconds == 300);
    assert_int_equal(w_parse_duration("1.5h", &seconds, NULL), W_DONE);
    assert_true(seconds == 5400);
    assert_int_equal(w_parse_duration("5x", &seconds, NULL), W_USAGE);
    assert_int_equal(w_parse_duration("-5", &seconds, NULL), W_USAGE);
    assert_int_equal(w_parse_duration("", &seconds, NULL), W_USAGE);
}

static void a_part_may_be_a_percentage(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "%", "10%%", "ten", "-1%", "1e7", "%1"};
    double part;

    assert_int_equal(w_parse_part("12.5%", 0, 1e6, &part, NULL), W_DONE);
    assert_true(part == 0.125);
    assert_int_equal(w_parse_part("0.125", 0, 1e6, &part, NULL), W_DONE);
    assert_true(part == 0.125);
    for (size_t i = 0; i < W_COUNTOF(bad); i++)
        assert_int_equal(w_parse_part(bad[i], 0, 1e6, &part, NULL), W_USAGE);
    assert_true(part == 0.125);
}

static void a_short_key_is_its_bytes(void **state)
{
    (void)state;
    u8 bytes[40];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)(200 + i);
    for (size_t size = 0; size <= W_SHORT_BYTES; size++)
        for (size_t readable = size; readable <= 2 * W_SHORT_BYTES; readable++) {
            u64 key[2], expected[2] = {0};
            for (size_t i = 0; i < size; i++)
                expected[i / 8] |= (u64)bytes[i] << 8 * (i % 8);
            /* on the heap and of this size, so that a sanitizer sees a byte too many */
            u8 *copy = malloc(readable ? readable : 1);
            assert_non_null(copy);
            memcpy(copy, bytes, readable);
            w_short_key(key, copy, size, readable);
            free(copy);
            assert_memory_equal(key, expected, sizeof key);
        }
}

static void misspelt_names_find_their_neighbour(void **state)
{
    (void)state;
    static const char *const names[] = {"num_layers", "num_heads", "d_model", "batch_size"};
    assert_string_equal(w_nearest_name("n_layers", names, 4, sizeof *names), "num_layers");
    assert_string_equal(w_nearest_name("bacth_size", names, 4, sizeof *names), "batch_size");
    assert_null(w_nearest_name("zzz", names, 4, sizeof *names));
    /* Of equally near names the first; a third of the letters and one more may be wrong. */
    static const char *const alike[] = {"abcd", "abce"};
    assert_string_equal(w_nearest_name("abcx", alike, 2, sizeof *alike), "abcd");
    assert_string_equal(w_nearest_name("abxy", alike, 2, sizeof *alike), "abcd");
    assert_null(w_nearest_name("axyz", alike, 2, sizeof *alike));
}

/* Known answers of Philox4x32-10 published with the generator (Random123, kat_vectors). */
static void philox_gives_the_published_numbers(void **state)
{
    (void)state;
    u32 out[4];
    w_philox(0, 0, 0, out);
    assert_int_equal(out[0], 0x6627e8d5);
    assert_int_equal(out[1], 0xe169c58d);
    assert_int_equal(out[2], 0xbc57ac4c);
    assert_int_equal(out[3], 0x9b00dbd8);
    w_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX, out);
    assert_int_equal(out[0], 0x408f276d);
    assert_int_equal(out[1], 0x41c83b0e);
    assert_int_equal(out[2], 0xa20bc7c6);
    assert_int_equal(out[3], 0x6d5451fd);
    /* counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 */
    w_philox(0x299f31d0a4093822ull, 0x0370734413198a2eull, 0x85a308d3243f6a88ull, out);
    assert_int_equal(out[0], 0xd16cfe09);
    assert_int_equal(out[1], 0x94fdcceb);
    assert_int_equal(out[2], 0x5001e420);
    assert_int_equal(out[3], 0x24126ea1);
}

static void normal_numbers_have_their_moments(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 7};
    double sum = 0, squares = 0;
    int n = 100000;
    for (int i = 0; i < n; i++) {
        double x = w_rng_normal(&rng);
        sum += x, squares += x * x;
    }
    assert_true(sum / n < 0.02 && sum / n > -0.02);
    assert_true(squares / n < 1.02 && squares / n > 0.98);
}

static void measured_arena_equals_used_arena(void **state)
{
    (void)state;
    static _Alignas(64) u8 block[640];
    struct w_arena measure = {0}, real = {.base = block, .size = sizeof block};
    assert_null(w_arena_push(&measure, 3, 100));
    assert_ptr_equal(w_arena_push(&real, 3, 100), block);
    assert_int_equal(measure.used, 320);
    assert_int_equal(real.used, 320);
    assert_null(w_arena_push(&real, 1, 321));
    assert_true(real.overflow);
    assert_null(w_arena_push(&measure, UINT64_MAX, 2));
    assert_true(measure.overflow);
}

static void arrays_double_or_stay_as_they_are(void **state)
{
    (void)state;
    struct w_err err;
    u32 *items = NULL;
    size_t room = 0;
    for (u32 i = 0; i < 1000; i++) {
        const size_t before = room;
        assert_int_equal(w_grow(&items, &room, i + 1u, sizeof *items, "items", &err), W_DONE);
        assert_true(room == before || (i == before && room >= 2 * before));
        items[i] = i;
    }
    for (u32 i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    const u32 *old = items;
    const size_t old_room = room, too_many = SIZE_MAX / sizeof *items + 2; /* bytes overflow */
    assert_int_equal(w_grow(&items, &room, too_many, sizeof *items, "items", &err), W_NOMEM);
    assert_ptr_equal(items, old);
    assert_int_equal(room, old_room);
    assert_non_null(strstr(err.text, " items"));
    free(items);
}

static void a_text_is_its_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        u32 lines;
        size_t lengths[3];
    } rows[] = {
        {"", 0, {0}},     {"\n", 1, {0}},       {"ab", 1, {2}},
        {"ab\n", 1, {2}}, {"ab\nc", 2, {2, 1}}, {"\n\nabc\n", 3, {0, 0, 3}},
    };
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        const char *at = rows[i].text, *end = at + strlen(at), *line, *expected = at;
        size_t length;
        u32 count = 0;
        for (; w_line_next(&at, end, &line, &length); count++) {
            assert_true(count < rows[i].lines);
            assert_ptr_equal(line, expected);
            assert_int_equal(length, rows[i].lengths[count]);
            expected = line + length + 1;
        }
        assert_int_equal(count, rows[i].lines);
    }
}

/* Every character comes back; without its last byte it is cut; with another one it is neither. */
static void characters_are_whole_cut_or_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5", "\xc3(",    "\xe2\x82("};
    u8 bytes[4];
    u32 code;
    for (u32 c = 0; c < 0x110000; c++) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        size_t n = w_utf8_put(bytes, c);
        assert_int_equal(w_utf8_decode(bytes, n, &code), n);
        assert_int_equal(code, c);
        assert_false(w_utf8_is_cut(bytes, n));
        for (size_t left = 1; left < n; left++) {
            assert_int_equal(w_utf8_decode(bytes, left, &code), 0);
            assert_true(w_utf8_is_cut(bytes, left));
        }
    }
    for (size_t i = 0; i < W_COUNTOF(wrong); i++) {
        const u8 *p = (const u8 *)wrong[i];
        assert_int_equal(w_utf8_decode(p, strlen(wrong[i]), &code), 0);
        assert_false(w_utf8_is_cut(p, strlen(wrong[i])));
    }
}

static void controls_are_hidden_from_terminals(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"plain", "plain"},
        {"\033[31mred\x7f\n\t", "?[31mred???"},
        {"\xc2\x9b"
         "31m",
         "?31m"}, /* CSI as one character of C1 */
        {"\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80", "\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff\xc3.b\x9b", "a??.b?"},
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i][0]);
        w_utf8_hide_controls(text);
        assert_string_equal(text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_strict),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(a_part_may_be_a_percentage),
        cmocka_unit_test(a_short_key_is_its_bytes),
        cmocka_unit_test(misspelt_names_find_their_neighbour),
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(normal_numbers_have_their_moments),
        cmocka_unit_test(measured_arena_equals_used_arena),
        cmocka_unit_test(arrays_double_or_stay_as_they_are),
        cmocka_unit_test(a_text_is_its_lines),
        cmocka_unit_test(characters_are_whole_cut_or_wrong),
        cmocka_unit_test(controls_are_hidden_from_terminals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
