/* The fuzzer of residuals over a few lines and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_residuals.c"
#include "fuzz_rounds.h"

static const char seed[] =
    "{\"time\":1,\"name\":\"a\",\"began\":7,\"kernel\":\"ref\",\"ratio\":0.5}\n"
    "{\"time\":2,\"name\":\"b\",\"began\":8,\"kernel\":\"ref\",\"ratio\":1.25}\n"
    "{\"time\":3,\"name\":\"a\",\"began\":7,\"kernel\":\"ref\",\"ratio\":1.5}\n"
    "{\"time\":4,\"name\":\"c\",\"kernel\":\"avx2\",\"ratio\":3}\n"
    "{\"time\":5,\"name\":\"d\",\"kernel\":\"ref\",\"ratio\":0.75}\n";

static void no_bytes_give_a_factor_that_cannot_be(void **state)
{
    (void)state;
    fuzz_rounds(seed, sizeof seed - 1, 5000, "{}[]\":,\n\\0123456789.-+eE ref");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_give_a_factor_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
