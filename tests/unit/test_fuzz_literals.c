/* The fuzzer of Huffman codes over counts that make them short and long, and some thousand changes
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_literals.c"
#include "tests/unit/fuzz_rounds.h"

static void no_bytes_break_the_codes(void **state)
{
    /* Two parts of bytes whose counts double, and four of text. */
    static const u8 doubling[] =
        "\1\310aaab\0c\1d\2e\3f\4g\5h\6i\7j\10k\11l\12m\13n\14o\15p\16q\17";
    static const u8 text[] = "\3\100\200\300.t h e   c a t   a n d   t h e   d o g ";

    (void)state;
    fuzz_rounds(doubling, sizeof doubling - 1, 1500, "\1\3\16\17\377");
    fuzz_rounds(text, sizeof text - 1, 1500, "te \1\2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_break_the_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
