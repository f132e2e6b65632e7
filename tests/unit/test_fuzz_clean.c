/* The fuzzer of cleaning over a small text and some thousand changes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_clean.c"
#include "fuzz_rounds.h"

static const char seed[] =
    "!a (formula_12, codice_3) b {{c|{{d}} }} e\n| row\n{| table\n! head =\n"
    "one<ref name=\"a>b\">x</ref> <br>two <br /> [[town|old town]]s [[Category:T]]\n\n"
    "{{gone}}\n\n&lt;b&gt; 10&nbsp;km &ndash; [ [update]] \xc3\xa9 \xe4\xb8\xad <span>y</span>\n"
    "(, ;) f() ( [])\nlast";

static void no_bytes_are_cleaned_to_more(void **state)
{
    (void)state;
    fuzz_rounds(seed, sizeof seed - 1, 6000, "{}[]<>/&;|!=()_,. \n\"ab1\x80\xff");
    /* A text of which nothing is left, to a buffer to which nothing was written. */
    static const char nothing[] = "!{{all of it is gone}}";
    fuzz_rounds(nothing, sizeof nothing - 1, 1000, "{}<>|! \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_are_cleaned_to_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
