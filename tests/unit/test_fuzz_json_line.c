/* The fuzzer of JSON Lines over some lines and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_json_line.c"
#include "fuzz_rounds.h"

static const char *const seeds[] = {
    "\001{\"id\":1,\"text\":\"a \\u00e9\\n b\"}\n\n{\"text\":\"\",\"x\":[{}]}\n{\"text\":\"c\"}\n",
    "\005 { \"te\\u0078t\" : \"\xc3\xa9\\\"\\\\\" , \"n\" : [ -0.5e+3 , true , null , {\"text\":1} "
    "] } \r\n",
    "\013{\"m\":[NaN,-Infinity,Infinity],\"text\":\"\\ud83d\\ude00 \\ud83d\\u0041 \\udc00\"}",
};

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(seeds); i++)
        fuzz_rounds(seeds[i], 1 + strlen(seeds[i] + 1), 8000,
                    "{}[]\":,\n\r\\ud0aeE+-.NIntx0 \x80\xff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
