/* Streams: what is written is what is read, by every way of reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"

static void tokens_come_back(void **state)
{
    (void)state;
    struct fixture f;
    u16 *ids = make_ids(300000);
    make_stream(&f, W_TOKENS, ids, 300000, (struct w_write_options){.threads = 1, .level = 1});
    struct w_reader *r = NULL;
    const struct w_header *h;
    const void *records;
    u64 count, at = 0;
    enum w_status status;
    reader_of(&f, &r);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    assert_int_equal(h->kind, W_TOKENS);
    assert_int_equal(h->record_bytes, 2);
    assert_true(w_reader_known_count(r) == 300000);
    while (!(status = w_reader_records(r, &records, &count, &f.err))) {
        assert_memory_equal(records, ids + at, count * 2);
        at += count;
    }
    assert_string_equal(f.err.text, "");
    assert_int_equal(status, W_END);
    assert_int_equal(at, 300000);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_END);
    w_reader_close(&r);
    fixture_free(&f);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
