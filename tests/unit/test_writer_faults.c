/* What a writer of streams does when the device or the memory fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"
#include "wire/frame.h"

/* After a frame that may be cut short nobody could read an abort frame, or anything else. */
static void nothing_follows_a_write_that_failed(void **state)
{
    (void)state;
    u16 *ids = make_ids(1000);
    struct w_write_options options = {.threads = 1, .frame_bytes = 400};
    int full = open("/dev/full", O_WRONLY);
    for (int closes = 0; closes < 2; closes++) {
        struct fixture f;
        struct w_header h;
        struct w_writer *w;
        fixture_open(&f);
        make_header(&h, W_TOKENS, 0);
        assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
        int fd = f.out.fd;
        f.out.fd = full;
        assert_int_equal(w_writer_records(w, ids, 1000, &f.err), W_IO);
        f.out.fd = fd; /* there is room again */
        const off_t size = lseek(fd, 0, SEEK_END);
        if (closes)
            assert_int_equal(w_writer_close(&w, NULL, &f.err), W_IO);
        else
            w_writer_abort(&w, "wtest", &f.err);
        assert_int_equal(lseek(fd, 0, SEEK_END), size);
        w_header_free(&h);
        fixture_free(&f);
    }
    close(full);
    free(ids);
}

/* A frame is handed over, and there is no memory to compress it in. */
static void a_frame_that_cannot_be_compressed_is_an_error(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    print_message("NOT TESTED HERE: a sanitizer needs all the memory that it wants\n");
    skip();
#endif
    struct fixture f;
    struct w_header h;
    struct w_writer *w;
    struct rlimit before, now;
    u64 pages = 0;
    u16 *ids = make_ids(W_FRAME_RAW_MAX / 2);
    struct w_write_options options = {.threads = 1, .level = 1, .frame_bytes = W_FRAME_RAW_MAX};
    fixture_open(&f);
    make_header(&h, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
    assert_int_equal(w_writer_records(w, ids, W_FRAME_RAW_MAX / 2, &f.err), W_DONE);
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(statm, "%" SCNu64, &pages), 1);
    fclose(statm);
    getrlimit(RLIMIT_AS, &before);
    now = before;
    now.rlim_cur = pages * (u64)sysconf(_SC_PAGESIZE) + W_FRAME_RAW_MAX / 2;
    setrlimit(RLIMIT_AS, &now);
    enum w_status status = w_writer_flush(w, &f.err);
    setrlimit(RLIMIT_AS, &before);
    assert_int_equal(status, W_NOMEM);
    assert_string_equal(f.err.text, "no memory for a compressed frame");
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_NOMEM);
    w_header_free(&h);
    fixture_free(&f);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_follows_a_write_that_failed),
        cmocka_unit_test(a_frame_that_cannot_be_compressed_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
