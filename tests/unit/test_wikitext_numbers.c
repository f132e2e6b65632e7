/* Measures, superscripts and subscripts: every row of the table of units against the rules of English
 * plurals and their exceptions, and the limits on the length of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wiki/measure.c"

static struct w_wikitext *renderer;

static void gives(const char *wikitext, const char *want)
{
    struct w_err err = {0};
    struct w_span text;
    assert_int_equal(w_wikitext_render(renderer, W_SPAN("Title"), w_span_of(wikitext), &text, &err),
                     W_DONE);
    if (!w_span_is(text, w_span_of(want)))
        fail_msg("%s\n    gives: %.*s\n    wants: %s", wikitext, (int)text.size,
                 (const char *)text.at, want);
}

/* The plural of a unit: its head noun, before " per ", takes an s. */
static void plural_of(char *many, size_t size, const char *one)
{
    static const char *const others[][2] = {
        {"inch", "inches"},
        {"square foot", "square feet"},
        {"cubic foot", "cubic feet"},
        {"cubic inch", "cubic inches"},
        {"foot per second", "feet per second"},
    };
    static const char *const same[] = {
        "stone",
        "horsepower",
        "brake horsepower",
        "°C",
        "°F",
        "K",
        "million tonnes",
        "million barrels",
        "billion barrels",
        "million barrels per day",
    };
    const char *per = strstr(one, " per ");
    int head = per ? (int)(per - one) : (int)strlen(one);

    for (size_t i = 0; i < W_COUNTOF(others); i++)
        if (!strcmp(one, others[i][0])) {
            snprintf(many, size, "%s", others[i][1]);
            return;
        }
    for (size_t i = 0; i < W_COUNTOF(same); i++)
        if (!strcmp(one, same[i])) {
            snprintf(many, size, "%s", one);
            return;
        }
    snprintf(many, size, "%.*s%s%s", head, one, one[head - 1] == 's' ? "" : "s", per ? per : "");
}

static void every_unit_is_written_for_one_and_for_several(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(units); i++) {
        const struct unit *u = &units[i];
        char wikitext[128], want[128], many[96];
        plural_of(many, sizeof many, u->one);
        if (!strcmp(u->code, "ft"))
            strcpy(many, "feet");
        if (!strcmp(u->code, "foot")) /* asked for by that name, it stays so */
            strcpy(many, "foot");
        assert_string_equal(u->many, many);
        snprintf(wikitext, sizeof wikitext, "{{convert|1|%s}}", u->code);
        snprintf(want, sizeof want, "1 %s", u->one);
        gives(wikitext, want);
        snprintf(wikitext, sizeof wikitext, "{{convert|1200|%s}}", u->code);
        snprintf(want, sizeof want, "1,200 %s", many);
        gives(wikitext, want);
        snprintf(wikitext, sizeof wikitext, "{{convert|2|%s|abbr=on}}", u->code);
        snprintf(want, sizeof want, "2 %s", u->symbol);
        gives(wikitext, want);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(u->code, units[k].code);
    }
}

static void every_word_between_two_numbers_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(ranges); i++) {
        char wikitext[64], want[64];
        snprintf(wikitext, sizeof wikitext, "{{convert|2|%s|3|kg}}", ranges[i].word);
        snprintf(want, sizeof want, "2%s3 kilograms", ranges[i].written);
        gives(wikitext, want);
    }
}

/* A superscript or subscript of `size` bytes that begins as a number. */
static void check_script(const char *base, const char *tag, size_t size, const char *sign)
{
    char wikitext[300], want[300], number[200];

    assert_true(size < sizeof number);
    memset(number, '5', size);
    number[1] = '.';
    number[size] = 0;
    snprintf(wikitext, sizeof wikitext, "%s<%s>%s</%s>", base, tag, number, tag);
    snprintf(want, sizeof want, "%s%s%s", base, sign, number);
    gives(wikitext, want);
}

static void only_what_is_short_gets_a_sign(void **state)
{
    (void)state;
    check_script("2", "sup", 80, "^");
    check_script("2", "sup", 81, "");
    check_script("2", "sub", 80, "_");
    check_script("2", "sub", 81, "");
}

/* A base may end with hexadecimal digits, of which the last 40 are examined. */
static void only_the_end_of_a_number_is_examined(void **state)
{
    (void)state;
    char base[64] = "x 7";
    memset(base + 3, 'E', 39);
    check_script(base, "sub", 3, "_");
    memset(base + 3, 'E', 40);
    check_script(base, "sub", 3, "");
}

static int make_renderer(void **state)
{
    struct w_err err = {0};
    struct w_wikitext_options options = {0};

    (void)state;
    return w_wikitext_new(&renderer, &options, &err) ? -1 : 0;
}

static int free_renderer(void **state)
{
    (void)state;
    w_wikitext_free(renderer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_written_for_one_and_for_several),
        cmocka_unit_test(every_word_between_two_numbers_is_written),
        cmocka_unit_test(only_what_is_short_gets_a_sign),
        cmocka_unit_test(only_the_end_of_a_number_is_examined),
    };
    return cmocka_run_group_tests(tests, make_renderer, free_renderer);
}
