/* The writer of a stream when the output fails in the middle of a frame, and when the compressor
 * fails on one frame, on any thread. */
#include <dlfcn.h>
#include <libdeflate.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"

enum { IDS = 20000, IDS_A_FRAME = 1000 };

static atomic_int compressions_left; /* that succeed; -1: all */

/* Replaces the function of the shared library: a symbol of the program comes first. */
size_t libdeflate_zlib_compress(struct libdeflate_compressor *z, const void *in, size_t in_size,
                                void *out, size_t room)
{
    size_t (*real)(struct libdeflate_compressor *, const void *, size_t, void *, size_t);
    void *symbol = dlsym(RTLD_NEXT, "libdeflate_zlib_compress");
    int left = atomic_load(&compressions_left);

    while (left > 0 && !atomic_compare_exchange_weak(&compressions_left, &left, left - 1))
        ;
    if (left == 0)
        return 0;
    if (!symbol)
        abort();
    memcpy(&real, &symbol, sizeof real);
    return real(z, in, in_size, out, room);
}

static u64 size_of(const struct fixture *f)
{
    struct stat st;
    assert_int_equal(fstat(f->out.fd, &st), 0);
    return (u64)st.st_size;
}

static struct w_writer *open_writer(struct fixture *f, u32 threads, int level)
{
    struct w_write_options options = {
        .threads = threads, .level = level, .frame_bytes = IDS_A_FRAME * sizeof(u16)};
    struct w_writer *w = NULL;
    struct w_header h;

    fixture_open(f);
    make_header(&h, W_TENSORS, IDS * sizeof(u16)); /* ids alone would not need the compressor */
    assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
    w_header_free(&h);
    return w;
}

/* Read what was written; how it ends. */
static enum w_status read_back(struct fixture *f)
{
    struct w_reader *r = NULL;
    const struct w_header *h;
    const void *records;
    u64 count;
    enum w_status status;

    f->out.bytes = size_of(f);
    reader_of(f, &r);
    while (!(status = w_reader_member(r, &h, &f->err))) {
        while (!(status = w_reader_records(r, &records, &count, &f->err)))
            ;
        if (status != W_END)
            break;
    }
    w_reader_close(&r);
    return status;
}

/* Limit the size of files; returns the previous limit. */
static rlim_t limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

/* The disk is full in the middle of a frame, and has room again when the writer is aborted or
 * closed: a frame after half of another one could not be read. */
static void nothing_follows_a_write_that_failed(void **state)
{
    (void)state;
    u16 *ids = make_ids(IDS);
    for (int test = 0; test < 4; test++) {
        const bool whole = test & 1, closes = test & 2;
        struct fixture f;
        struct w_writer *w = open_writer(&f, 1, 0);
        enum w_status status = W_DONE;
        u64 limit = size_of(&f) + (whole ? IDS_A_FRAME * sizeof(u16) + 48 : 1000);

        signal(SIGXFSZ, SIG_IGN);
        rlim_t before = limit_files(limit);
        for (u64 i = 0; i < IDS && !status; i += 100)
            status = w_writer_records(w, ids + i, 100 * sizeof *ids, &f.err);
        limit_files(before);
        assert_int_equal(status, W_IO);
        assert_int_equal(size_of(&f), limit);
        assert_int_equal(w_writer_flush(w, &f.err), W_IO); /* it stays so */
        if (closes)
            assert_int_equal(w_writer_close(&w, NULL, &f.err), W_IO);
        else
            w_writer_abort(&w, "test", &f.err);
        assert_null(w);
        assert_int_equal(size_of(&f), limit);
        assert_int_equal(read_back(&f), W_TRUNCATED);
        fixture_free(&f);
    }
    free(ids);
}

/* Frame n cannot be compressed: a later call of the writer reports it, and the stream ends with an
 * abort frame or without an end. */
static void a_frame_that_cannot_be_compressed_fails_the_stream(void **state)
{
    (void)state;
    u16 *ids = make_ids(IDS);
    for (u32 threads = 1; threads <= 4; threads++)
        for (int n = 0; n < IDS / IDS_A_FRAME; n++)
            for (int flushes = 0; flushes < 2; flushes++) {
                struct fixture f;
                struct w_writer *w = open_writer(&f, threads, 1);
                enum w_status status = W_DONE;
                atomic_store(&compressions_left, n);
                for (u64 i = 0; i < IDS && !status; i += 100)
                    status = w_writer_records(w, ids + i, 100 * sizeof *ids, &f.err);
                if (!status && flushes)
                    status = w_writer_flush(w, &f.err);
                if (status) {
                    assert_int_equal(w_writer_flush(w, &f.err), status); /* it stays so */
                    w_writer_abort(&w, "test", &f.err);
                    assert_int_equal(read_back(&f), W_ABORTED);
                } else {
                    assert_false(flushes);
                    status = w_writer_close(&w, NULL, &f.err);
                    assert_int_equal(read_back(&f), W_TRUNCATED);
                }
                assert_int_equal(status, W_NOMEM);
                fixture_free(&f);
            }
    atomic_store(&compressions_left, -1);
    free(ids);
}

int main(void)
{
    atomic_store(&compressions_left, -1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_follows_a_write_that_failed),
        cmocka_unit_test(a_frame_that_cannot_be_compressed_fails_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
