/* The fuzzer of machines from files over a small one and some thousand changes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_machine.c"
#include "fuzz_rounds.h"

static const char seed[] =
    "{\"name\":\"n\",\"arch\":\"a\",\"logical_cpus\":4,\"physical_cores\":2,\"usable_cores\":2,"
    "\"usable_why\":\"w\",\"l1d\":{\"bytes\":32768,\"ways\":8,\"line_bytes\":64,\"shared_by\":2,"
    "\"instances\":2,\"source\":\"sysfs\",\"latency_s\":1e-9},\"l2\":{\"bytes\":1048576},"
    "\"l3\":{\"bytes\":8388608,\"bytes_per_s\":{\"value\":1e10,\"source\":\"measured\"}},"
    "\"memory_bytes\":8000000000,\"available_bytes\":7000000000,\"memory_source\":\"user\","
    "\"virtualised\":false,\"avx2_fma\":true,\"amx_bf16\":true,\"flops_per_s\":1e11,"
    "\"bf16_flops_per_s\":{\"value\":2e12,\"source\":\"datasheet\"},"
    "\"memory_bytes_per_s\":2e10,\"memory_latency_s\":1e-7,\"source\":\"user\"}";

static void no_bytes_give_a_machine_that_cannot_be(void **state)
{
    (void)state;
    fuzz_rounds(seed, sizeof seed - 1, 5000, "{}[]\":,\n\\0123456789.-+eE nt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_give_a_machine_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
