/* Numbers in wikitext: measures, and what stands above the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wiki/wikitext.h"

static struct w_wikitext *renderer;

static struct w_span render(const char *source)
{
    struct w_err err = {0};
    struct w_span text;

    assert_int_equal(w_wikitext_render(renderer, W_SPAN("T"), w_span_of(source), &text, &err), 0);
    return text;
}

static void check(const char *source, const char *want)
{
    struct w_span text = render(source);

    if (!w_span_is(text, w_span_of(want)))
        fail_msg("%s gives: %.*s", source, (int)text.size, (const char *)text.at);
}

static void units_have_a_plural(void **state)
{
    (void)state;
    static const char regular[] = "m km cm mm um nm mi yd nmi fathom furlong hand ly AU pc m2 km2 "
                                  "cm2 ha acre sqmi mi2 sqm sqkm "
                                  "m3 km3 cm3 cc cumi L l ml mL usgal USgal impgal oilbbl g kg mg "
                                  "t lb lbs oz ST LT ozt kn W kW "
                                  "MW J kJ kWh cal kcal kPa atm bar";
    check("{{convert|2|ft}} {{convert|2|in}} {{convert|2|hp}}", "2 feet 2 inches 2 horsepower");
    check("{{convert|2|st}} {{convert|2|sqft}}", "2 stone 2 square feet");
    check("{{convert|2|km/h}} {{convert|2|oilbbl/d}}", "2 kilometres per hour 2 barrels per day");
    for (const char *code = regular; *code; code += strspn(code, " ")) {
        char source[64];
        int size = (int)strcspn(code, " ");
        snprintf(source, sizeof source, "{{convert|1|%.*s}}|{{convert|2|%.*s}}", size, code, size,
                 code);
        struct w_span text = render(source); /* "1 hectare|2 hectares" */
        const char *one = (const char *)text.at + 2, *bar = memchr(text.at, '|', text.size);
        size_t name = (size_t)(bar - one);
        if (text.size != 2 * name + 6 || memcmp(bar + 3, one, name) || bar[name + 3] != 's')
            fail_msg("%s gives: %.*s", source, (int)text.size, (const char *)text.at);
        code += size;
    }
}

/* A tag that was not closed takes much text along, which is no exponent. */
static void what_is_long_gets_no_sign(void **state)
{
    (void)state;
    for (size_t size = 79; size <= 82; size++) {
        char source[200], want[200], inside[100];
        memset(inside, 'a', size);
        memcpy(inside, "1.", 2);
        inside[size] = 0;
        snprintf(source, sizeof source, "2<sup>%s</sup>", inside);
        snprintf(want, sizeof want, size <= 80 ? "2^(%s)" : "2%s", inside);
        check(source, want);
    }
}

static int make_renderer(void **state)
{
    struct w_wikitext_options options = {0};
    struct w_err err = {0};

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
        cmocka_unit_test(units_have_a_plural),
        cmocka_unit_test(what_is_long_gets_no_sign),
    };
    return cmocka_run_group_tests(tests, make_renderer, free_renderer);
}
