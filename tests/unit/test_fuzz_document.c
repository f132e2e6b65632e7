/* The fuzzer of files of texts over one of each format and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_document.c"
#include "fuzz_rounds.h"

static const char *const seeds[] = {
    "\000{\"text\":\"a b c\"}\n{\"text\":\"d\"}\n",
    "\201plain text, taken as it is, with \x1f\x8b\x08 and \xc3\xa9 and\n\nlines\n",
    "\001plain text, with \xc3\xa9 and\n\nlines\n",
    "\002one line\n\nanother one\r\nthe last",
    "\003<doc id=\"1\" title=\"t\">\nt\n\na b &lt; c\n</doc>\n<doc id=\"2\">\nu\n</doc>\n",
    "\004\xef\xbb\xbf{\"m\":[NaN,-Infinity,{\"a\":[[1e5]]}],\"text\":"
    "\"\\ud83d\\u0000\\ud83d\\ude00\"}\n",
    "\004{\"id\":1,\"text\":\"a \\u00e9\\n b\"}\n\n{\"text\":\"\",\"x\":[{}]}\n{\"text\":\"c\"}\n",
};

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(seeds); i++)
        fuzz_rounds(seeds[i], 1 + strlen(seeds[i] + 1), 2500,
                    "{}[]\":,\n\r\\<>/doctextu&; \x80\xff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
