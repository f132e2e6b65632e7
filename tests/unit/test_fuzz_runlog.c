/* The fuzzer of training logs over a small log and some thousand changes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_runlog.c"
#include "fuzz_rounds.h"

static const char seed[] =
    "{\"t\":\"header\",\"name\":\"n\",\"time\":1700000000,\"threads\":2,\"plan_bytes\":1000,"
    "\"precision\":\"bf16\",\"kernel\":\"avx2\",\"host\":{\"cpu\":\"c\"},\"config\":{\"d_model\":"
    "16,"
    "\"num_heads\":2,\"num_layers\":1,\"d_ff\":32,\"vocab_size\":300,\"batch_size\":4,"
    "\"max_length\":16,\"learning_rate\":0.01}}\n"
    "{\"t\":\"step\",\"step\":1,\"loss\":5.5,\"tok_s\":1000}\n"
    "{\"t\":\"step\",\"step\":2,\"loss\":5.25,\"tok_s\":400,\"peak_bytes\":5000}\n"
    "{\"t\":\"step\",\"step\":3,\"loss\":5,\"tok_s\":410}\n"
    "{\"t\":\"step\",\"step\":4,\"loss\":5,\"tok_s\":1010}\n";

static void no_bytes_give_rates_that_cannot_be(void **state)
{
    (void)state;
    fuzz_rounds(seed, sizeof seed - 1, 5000, "{}[]\":,\n\\0123456789.-+eE tsh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_give_rates_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
