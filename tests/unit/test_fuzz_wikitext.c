/* The fuzzer of wikitext over some thousand pages made of pieces of markup, and over each piece
 * again and again, so that every run of the tests goes a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "tests/fuzz/fuzz_wikitext.c"

static struct w_rng rng = {.seed = 2026};

/* What libFuzzer would do: here, remove some bytes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    size_t at = size ? (size_t)w_rng_below(&rng, size) : 0;
    size_t count = 1 + (size_t)w_rng_below(&rng, 4);

    (void)room;
    count = W_MIN(count, size - at);
    memmove(data + at, data + at + count, size - at - count);
    return size - count;
}

static void pages_of_pieces_give_valid_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t page[2048];
        size_t size = 1;
        page[0] = (uint8_t)i;
        for (u64 steps = 1 + w_rng_below(&rng, 120); steps > 0; steps--)
            size = LLVMFuzzerCustomMutator(page, size, sizeof page,
                                           (unsigned)w_rng_u64(&rng) | (steps % 8 ? 1 : 0));
        LLVMFuzzerTestOneInput(page, size);
    }
}

/* A quarter of a MiB of a piece, and of two: minutes, if it were not linear. */
static void time_is_linear(void **state)
{
    enum { BYTES = 1 << 18 };
    static uint8_t page[BYTES];

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(pieces); i++) {
        const char *other = pieces[w_rng_below(&rng, W_COUNTOF(pieces))];
        size_t first = strlen(pieces[i]), both = first + strlen(other);
        for (size_t at = 0; at < BYTES; at++) {
            size_t within = at % both;
            page[at] = (uint8_t)(within < first ? pieces[i][within] : other[within - first]);
        }
        render(0, page, BYTES / both * both);
        for (size_t at = 0; at < BYTES; at++)
            page[at] = (uint8_t)pieces[i][at % first];
        render(32, page, BYTES / first * first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_pieces_give_valid_text),
        cmocka_unit_test(time_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
