/* The fuzzer of dumps over a small dump, plain and in bzip2, and some thousand changes of them, so
 * that every run of the tests goes a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <bzlib.h>
#include <cmocka.h>

#include "mutate.h"
#include "tests/fuzz/fuzz_dump.c"

static const char seed[] =
    "<mediawiki version=\"0.11\" xml:lang=\"en\"><siteinfo><base>http://t.example/wiki/Main</base>"
    "<namespaces><namespace key=\"-2\">Media</namespace><namespace key=\"6\">Bild</namespace>"
    "</namespaces></siteinfo>\n<page><title>A &amp; \xc3\xa9</title><ns>0</ns><id>12</id>"
    "<revision><id>3</id><model>wikitext</model><text bytes=\"99\">'''A''' is {{convert|1|km}} "
    "[[B|b]]&lt;ref&gt;x&lt;/ref&gt;.\n\n== See ==\n* one &amp;amp;\n</text></revision></page>"
    "<page><title>B</title><ns>-1</ns><id>13</id><redirect title='A'/><revision><text/></revision>"
    "</page></mediawiki>";

static void change_and_read(const u8 *from, size_t size, unsigned rounds)
{
    static const u8 odd[] = "<>/&;\"'=!-[]{}|\n \xff\x80";
    static u8 copy[4096];
    struct w_rng rng = {.seed = 2026};
    assert_true(size < sizeof copy / 2);
    LLVMFuzzerTestOneInput(from, size);
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(copy, from, size);
        LLVMFuzzerTestOneInput(copy, mutate(copy, size, sizeof copy, odd, sizeof odd, &rng));
    }
}

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    change_and_read((const u8 *)seed, sizeof seed - 1, 5000);
}

static void no_bytes_crash_the_unpacker(void **state)
{
    (void)state;
    char packed[2000];
    unsigned size = sizeof packed;
    assert_int_equal(
        BZ2_bzBuffToBuffCompress(packed, &size, (char *)seed, sizeof seed - 1, 1, 0, 0), BZ_OK);
    change_and_read((const u8 *)packed, size, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
        cmocka_unit_test(no_bytes_crash_the_unpacker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
