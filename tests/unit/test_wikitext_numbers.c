/* Measures, superscripts and subscripts: every row of the table of units against the rules of
 * English plurals and their exceptions, and the limits on the length of numbers. */
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

/* After the unit come the one to convert to and a precision, which are no further measure. */
static void a_conversion_has_a_precision(void **state)
{
    (void)state;
    gives("{{convert|181|sqmi|km2|0}}", "181 square miles");
    gives("{{convert|2381741|km2|sqmi|0}}", "2,381,741 square kilometres");
    gives("{{convert|100|yd2|m2|0}}", "100 yd2");
    gives("{{convert|50|lb/ft3|kg/m3|0}}", "50 lb/ft3");
    gives("{{convert|5|mph|km/h m/s2|1}}", "5 miles per hour");
    gives("{{convert|1|-|2|sqmi|km2|0}}", "1–2 square miles");
    gives("{{convert|1|sqmi|km2|0|adj=on}}", "1-square mile");
    gives("{{convert|6|ft|2|in|m|2}}", "6 feet 2 inches");
    gives("{{convert|5|lb|4|oz|kg|2}}", "5 pounds 4 ounces");
    gives("{{convert|6|ft|{{frac|5|1|2}}|in}}", "6 feet 5 1/2 inches");
    gives("{{convert|100|mi|km|0}} {{cvt|5|km|mi}}", "100 miles 5 km");
    gives("{{cvt|5|km|abbr=off}} {{convert|5|km|abbr=off}}", "5 kilometres 5 kilometres");
}

static void values_have_what_is_uncertain_of_them(void **state)
{
    (void)state;
    gives("{{val|879.6|0.8|u=s}}", "879.6±0.8 s");
    gives("{{val|1.234|(5)|u=h}}", "1.234(5) h");
    gives("{{val|1.5|0.3|e=6|ul=km}} {{val|1.234|(5)|e=-3}}", "(1.5±0.3)×10⁶ km 1.234(5)×10⁻³");
    gives("{{val|12|3|4}} {{val|12|+3|-4|u=m}} {{val|1|.2|.3|e=4}}",
          "12+3−4 12+3−4 m (1+.2−.3)×10⁴");
    gives("{{val|12|+3|-4}} {{val|13||4}} {{val|14||+5}}", "12+3−4 13 14");
    gives("{{val|7|,|8}} {{val|10|x|20|u=cm}} {{val|5|to|6}} {{val|1|–|2|u=m}}",
          "7, 8 10 × 20 cm 5 to 6 1–2 m");
    gives("{{val|5|s=%}} {{val|5|p=~}} {{val|5|u=%}} {{val|30|u=deg}} {{val|5|end=+}}",
          "5% ~5 5% 30° 5+");
    gives("{{val|1.5e6|u=J}} {{val|1234567}} {{val|e=5}} {{val|e=5|u=m}} {{val|u=kg}}x",
          "1.5×10⁶ J 1,234,567 10⁵ 10⁵ m kgx");
    gives("{{val|9.8|u=m/s2}} {{val|4|ul=m2}} {{val|5|u=km|up=s}} {{val|3|u=s-1}} "
          "{{val|2|u=m<sup>2</sup>}}",
          "9.8 m/s² 4 m² 5 km/s 3 s⁻¹ 2 m²");
    gives("a {{val}}b {{val||5}}c", "a b c");
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
        cmocka_unit_test(a_conversion_has_a_precision),
        cmocka_unit_test(values_have_what_is_uncertain_of_them),
        cmocka_unit_test(only_what_is_short_gets_a_sign),
        cmocka_unit_test(only_the_end_of_a_number_is_examined),
    };
    return cmocka_run_group_tests(tests, make_renderer, free_renderer);
}
