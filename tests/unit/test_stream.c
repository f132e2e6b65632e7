/* Streams: what is written is what is read, by every way of reading and for any number of
 * threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"
#include "wire/frame.h"
#include "wire/frame_index.h"
#include "wire/prov.h"

static u8 *bytes_of(const struct fixture *f)
{
    u8 *bytes = malloc(f->out.bytes);
    assert_int_equal(pread(f->out.fd, bytes, f->out.bytes, 0), f->out.bytes);
    return bytes;
}

/* Read a member whole, by frames. */
static void assert_records(struct w_reader *r, const void *expected, u64 expected_count)
{
    struct w_err err = {0};
    const struct w_header *h;
    const void *records;
    u64 count, at = 0;
    enum w_status status = w_reader_member(r, &h, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, W_DONE);
    while (!(status = w_reader_records(r, &records, &count, &err))) {
        assert_true(at + count <= expected_count);
        assert_memory_equal(records, (const u8 *)expected + at * h->record_bytes,
                            count * h->record_bytes);
        at += count;
    }
    assert_string_equal(err.text, "");
    assert_int_equal(status, W_END);
    assert_true(at == expected_count);
}

static void every_kind_and_size_comes_back(void **state)
{
    (void)state;
    static const u64 counts[] = {0, 1, 2, 63, 64, 65, 5000, 200001};
    u16 *ids = make_ids(200001 * 20);
    for (enum w_kind kind = W_TOKENS; kind <= W_TENSORS; kind++)
        for (size_t i = 0; i < W_COUNTOF(counts); i++) {
            struct fixture f;
            struct w_reader *r;
            const struct w_header *h;
            u64 count = kind == W_TENSORS && counts[i] == 0 ? 1 : counts[i];
            u64 frame_bytes = i % 2 ? 4096 : 0;
            make_stream(&f, kind, ids, count,
                        (struct w_write_options){.level = i % 3 == 0, .frame_bytes = frame_bytes});
            reader_of(&f, &r);
            assert_records(r, ids, count);
            u64 said = 99;
            assert_true(w_json_u64(w_json_get(w_reader_end(r), "records"), 0, count, &said));
            assert_true(said == count);
            assert_int_equal(w_reader_member(r, &h, &f.err), W_END);
            assert_int_equal(w_reader_member(r, &h, &f.err), W_END);
            w_reader_close(&r);
            fixture_free(&f);
        }
    free(ids);
}

/* The same records, written a few at a time. */
static u8 *written_in_pieces(const u16 *ids, u64 count, u64 piece, struct w_write_options options,
                             u64 *size)
{
    struct fixture f;
    struct w_header h;
    struct w_writer *w;
    fixture_open(&f);
    make_header(&h, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
    for (u64 at = 0; at < count; at += piece)
        assert_int_equal(w_writer_records(w, ids + at, W_MIN(piece, count - at), &f.err), W_DONE);
    assert_true(w_writer_count(w) == count);
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_DONE);
    w_header_free(&h);
    u8 *bytes = bytes_of(&f);
    *size = f.out.bytes;
    fixture_free(&f);
    return bytes;
}

static void bytes_depend_on_neither_threads_nor_calls(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    static const u32 threads[] = {0, 1, 2, 3, 8, 300};
    static const u64 pieces[] = {1, 777, 4096, COUNT};
    u16 *ids = make_ids(COUNT);
    for (int level = 0; level <= 6; level += 3) {
        struct w_write_options options = {.level = level, .frame_bytes = 2000};
        u64 size, again;
        u8 *expected = written_in_pieces(ids, COUNT, COUNT, options, &size);
        for (size_t t = 0; t < W_COUNTOF(threads); t++)
            for (size_t p = 0; p < W_COUNTOF(pieces); p++) {
                options.threads = threads[t];
                u8 *bytes = written_in_pieces(ids, COUNT, pieces[p], options, &again);
                assert_true(again == size);
                assert_memory_equal(bytes, expected, size);
                free(bytes);
            }
        free(expected);
    }
    free(ids);
}

/* ---- pipes ---- */

struct dripping {
    const u8 *bytes;
    size_t size;
    int fd;
};

static void *drip(void *context)
{
    struct dripping *d = context;
    for (size_t i = 0; i < d->size; i++)
        if (write(d->fd, d->bytes + i, 1) != 1)
            break;
    close(d->fd);
    return NULL;
}

static void a_pipe_that_drips_gives_the_same(void **state)
{
    (void)state;
    struct fixture f;
    struct w_reader *r;
    pthread_t thread;
    int ends[2];
    u16 *ids = make_ids(3000);
    make_stream(&f, W_TOKENS, ids, 3000, (struct w_write_options){.level = 1, .frame_bytes = 500});
    u8 *bytes = bytes_of(&f);
    assert_int_equal(pipe(ends), 0);
    struct dripping d = {bytes, f.out.bytes, ends[1]};
    assert_int_equal(pthread_create(&thread, NULL, drip, &d), 0);
    struct w_input in = {.fd = ends[0], .name = "pipe"};
    assert_int_equal(w_reader_open(&r, &in, &f.err), W_DONE);
    assert_records(r, ids, 3000);
    assert_true(w_reader_known_count(r) == 0);
    w_reader_close(&r);
    pthread_join(thread, NULL);
    close(ends[0]);
    free(bytes);
    free(ids);
    fixture_free(&f);
}

static void what_is_flushed_can_be_read_at_once(void **state)
{
    (void)state;
    for (u32 threads = 1; threads <= 3; threads++) {
        int ends[2];
        struct w_err err = {0};
        struct w_header h;
        struct w_writer *w;
        struct w_reader *r;
        const struct w_header *seen;
        const void *records;
        u64 count;
        u16 ids[100] = {1, 2, 3};
        assert_int_equal(pipe(ends), 0);
        struct w_output out = {.fd = ends[1], .name = "pipe"};
        struct w_input in = {.fd = ends[0], .name = "pipe"};
        make_header(&h, W_TOKENS, 0);
        struct w_write_options options = {.threads = threads, .level = 1};
        assert_int_equal(w_writer_open(&w, &out, &h, &options, &err), W_DONE);
        assert_int_equal(w_reader_open(&r, &in, &err), W_DONE);
        assert_int_equal(w_reader_member(r, &seen, &err), W_DONE);
        for (u64 n = 1; n <= 100; n += 33) {
            assert_int_equal(w_writer_records(w, ids, n, &err), W_DONE);
            assert_int_equal(w_writer_flush(w, &err), W_DONE);
            assert_int_equal(w_writer_flush(w, &err), W_DONE);
            assert_int_equal(w_reader_records(r, &records, &count, &err), W_DONE);
            assert_true(count == n);
        }
        assert_int_equal(w_writer_close(&w, NULL, &err), W_DONE);
        assert_int_equal(w_reader_records(r, &records, &count, &err), W_END);
        w_reader_close(&r);
        w_header_free(&h);
        close(ends[0]);
        close(ends[1]);
    }
}

/* ---- parts of a member ---- */

static void records_can_be_read_in_any_numbers(void **state)
{
    (void)state;
    struct fixture f;
    struct w_reader *r;
    const struct w_header *h;
    u16 *ids = make_ids(10000), *out = malloc(20000 + 2);
    u64 at = 0, got = 1;
    make_stream(&f, W_TOKENS, ids, 10000, (struct w_write_options){.level = 1, .frame_bytes = 700});
    reader_of(&f, &r);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    for (u64 n = 1; got > 0; n = n * 3 % 1009) {
        assert_int_equal(w_reader_upto(r, out + at, n, &got, &f.err), W_DONE);
        at += got;
    }
    assert_true(at == 10000);
    assert_memory_equal(out, ids, 20000);
    w_reader_close(&r);
    reader_of(&f, &r);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    assert_int_equal(w_reader_exactly(r, out, 9999, &f.err), W_DONE);
    assert_memory_equal(out, ids, 19998);
    assert_int_equal(w_reader_exactly(r, out, 2, &f.err), W_CORRUPT);
    w_reader_close(&r);
    fixture_free(&f);
    free(ids);
    free(out);
}

static void note_seen(void *context, const struct w_json *line)
{
    u64 *seen = context, n = 0;
    assert_true(w_json_u64(w_json_get(line, "n"), *seen, *seen, &n));
    ++*seen;
}

static void notes_pass_by_and_cut_no_frame(void **state)
{
    (void)state;
    struct fixture f;
    struct w_header h;
    struct w_writer *w;
    struct w_reader *r;
    u16 *ids = make_ids(5000);
    u64 seen = 0, plain = 0;
    char line[64];
    struct w_write_options options = {.threads = 3, .level = 1, .frame_bytes = 512};
    fixture_open(&f);
    make_header(&h, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
    for (u64 i = 0; i < 50; i++) {
        assert_int_equal(w_writer_records(w, ids + i * 100, 100, &f.err), W_DONE);
        snprintf(line, sizeof line, "{\"n\":%llu}", (unsigned long long)i);
        assert_int_equal(w_writer_note(w, line, &f.err), W_DONE);
    }
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_DONE);
    reader_of(&f, &r);
    w_reader_on_note(r, note_seen, &seen);
    assert_records(r, ids, 5000);
    assert_int_equal(seen, 50);
    u64 frames = 0;
    assert_true(w_json_u64(w_json_get(w_reader_end(r), "frames"), 0, 1000, &frames));
    w_reader_close(&r);
    free(written_in_pieces(ids, 5000, 5000, options, &plain));
    assert_int_equal(frames, 1 + (5000 + 255) / 256 + 50 + 1 + 1);
    /* What a reader would refuse, and its writer does. */
    static const char *const bad[] = {"{\"n\":", "{\"a\":1,\n\"b\":2}", ""};
    for (size_t i = 0; i < W_COUNTOF(bad); i++) {
        assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
        assert_int_equal(w_writer_note(w, bad[i], &f.err), W_CORRUPT);
        assert_int_equal(w_writer_close(&w, NULL, &f.err), W_CORRUPT);
    }
    w_header_free(&h);
    fixture_free(&f);
    free(ids);
}

/* ---- ends ---- */

static void an_abort_is_reported_after_the_records_before_it(void **state)
{
    (void)state;
    for (u32 threads = 1; threads <= 2; threads++) {
        struct fixture f;
        struct w_header h;
        struct w_writer *w;
        struct w_reader *r;
        const struct w_header *seen;
        const void *records;
        u64 count, got = 0;
        u16 *ids = make_ids(5000);
        struct w_write_options options = {.threads = threads, .level = 1, .frame_bytes = 512};
        struct w_err why = {.status = W_IO, .text = "disk \x1b[2J on \xff fire"};
        enum w_status status;
        fixture_open(&f);
        make_header(&h, W_TOKENS, 0);
        assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
        assert_int_equal(w_writer_records(w, ids, 5000, &f.err), W_DONE);
        w_writer_abort(&w, "wtest", &why);
        assert_null(w);
        w_writer_abort(&w, "wtest", &why);
        reader_of(&f, &r);
        assert_int_equal(w_reader_member(r, &seen, &f.err), W_DONE);
        while (!(status = w_reader_records(r, &records, &count, &f.err))) {
            assert_memory_equal(records, ids + got, count * 2);
            got += count;
        }
        assert_int_equal(status, W_ABORTED);
        assert_string_equal(f.err.text, "memory: aborted by wtest: disk ?[2J on ? fire");
        assert_int_equal(w_reader_member(r, &seen, &f.err), W_ABORTED);
        w_reader_close(&r);
        w_header_free(&h);
        fixture_free(&f);
        free(ids);
    }
}

/* Every size of what is written before the device is full; with and without threads in flight. */
static void a_full_device_ends_everything(void **state)
{
    (void)state;
    u16 *ids = make_ids(100000);
    for (u32 threads = 1; threads <= 4; threads++) {
        struct w_err err = {0};
        struct w_output out = {.fd = open("/dev/null", O_WRONLY), .name = "device"};
        struct w_header h;
        struct w_writer *w;
        struct w_write_options options = {.threads = threads, .level = 1, .frame_bytes = 1000};
        enum w_status status = W_DONE;
        make_header(&h, W_TOKENS, 0);
        assert_int_equal(w_writer_open(&w, &out, &h, &options, &err), W_DONE);
        close(out.fd);
        out.fd = open("/dev/full", O_WRONLY);
        for (int i = 0; i < 10; i++) {
            enum w_status next = w_writer_records(w, ids, 10000, &err);
            assert_true(!status || next == status);
            status = next;
        }
        assert_int_equal(status, W_IO);
        assert_non_null(strstr(err.text, "device: cannot write"));
        assert_int_equal(w_writer_note(w, "{}", &err), W_IO);
        assert_int_equal(w_writer_flush(w, &err), W_IO);
        if (threads % 2)
            assert_int_equal(w_writer_close(&w, NULL, &err), W_IO);
        else
            w_writer_abort(&w, "wtest", &err);
        assert_null(w);
        close(out.fd);
        w_header_free(&h);
    }
    free(ids);
}

/* However a writer ends, with work in flight or without, its threads end too. */
static void threads_are_always_joined(void **state)
{
    (void)state;
    u16 *ids = make_ids(4000);
    struct w_header h;
    struct w_err err = {0};
    int null = open("/dev/null", O_WRONLY), full = open("/dev/full", O_WRONLY);
    make_header(&h, W_TOKENS, 0);
    for (u32 i = 0; i < 400; i++) {
        struct w_output out = {.fd = null, .name = "device"};
        struct w_writer *w;
        struct w_write_options options = {.threads = 1 + i % 5, .level = 1, .frame_bytes = 400};
        assert_int_equal(w_writer_open(&w, &out, &h, &options, &err), W_DONE);
        out.fd = i % 3 == 0 ? full : null;
        enum w_status status = w_writer_records(w, ids, 1 + i * 7919 % 4000, &err);
        assert_true(status == W_DONE || status == W_IO);
        if (i % 2)
            w_writer_abort(&w, "wtest", &err);
        else
            assert_int_equal(w_writer_close(&w, NULL, &err), i % 3 ? W_DONE : W_IO);
    }
    w_header_free(&h);
    close(null);
    close(full);
    free(ids);
}

static void a_consumer_that_left_is_no_failure(void **state)
{
    (void)state;
    int ends[2];
    struct w_err err = {0};
    struct w_header h;
    struct w_writer *w;
    u16 *ids = make_ids(100000);
    struct w_write_options options = {.threads = 3, .level = 1, .frame_bytes = 1000};
    enum w_status status = W_DONE;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    struct w_output out = {.fd = ends[1], .name = "pipe"};
    make_header(&h, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &out, &h, &options, &err), W_DONE);
    close(ends[0]);
    for (int i = 0; i < 10; i++)
        status = w_writer_records(w, ids, 10000, &err);
    assert_int_equal(status, W_PIPE);
    assert_int_equal(w_exit_code(status), 0);
    w_writer_abort(&w, "wtest", &err);
    close(ends[1]);
    w_header_free(&h);
    free(ids);
}

static void a_writer_refuses_what_no_reader_takes(void **state)
{
    (void)state;
    struct fixture f;
    struct w_header h;
    struct w_writer *w;
    struct w_write_options options = {.level = 1};
    u8 blob[300] = {0};
    fixture_open(&f);
    make_header(&h, W_TENSORS, 200);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
    assert_int_equal(w_writer_records(w, blob, 199, &f.err), W_DONE);
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_CORRUPT);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
    assert_int_equal(w_writer_records(w, blob, 201, &f.err), W_LIMIT);
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_LIMIT);
    struct w_json *deep = w_json_object();
    for (int i = 0; i < 16; i++) {
        struct w_json *outer = w_json_object();
        w_json_set(outer, "o", deep);
        deep = outer;
    }
    w_json_set(h.json, "state", deep);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_LIMIT);
    assert_null(w);
    char *bulk = calloc(1, W_FRAME_LINE_MAX + 1);
    memset(bulk, 'x', W_FRAME_LINE_MAX);
    w_json_set_string(h.json, "state", bulk);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_LIMIT);
    free(bulk);
    w_header_free(&h);
    fixture_free(&f);
}

static void statistics_that_do_not_fit_are_left_out(void **state)
{
    (void)state;
    struct fixture f;
    struct w_header h;
    struct w_writer *w;
    struct w_reader *r;
    struct w_json *stats = w_json_object();
    u16 ids[3] = {1, 2, 3};
    char key[16];
    for (u64 i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "s%llu", (unsigned long long)i);
        w_json_set_u64(stats, key, i * 1000000);
    }
    fixture_open(&f);
    make_header(&h, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &f.out, &h, &(struct w_write_options){0}, &f.err), W_DONE);
    assert_int_equal(w_writer_records(w, ids, 3, &f.err), W_DONE);
    assert_int_equal(w_writer_close(&w, stats, &f.err), W_DONE);
    reader_of(&f, &r);
    assert_records(r, ids, 3);
    assert_non_null(w_json_get(w_reader_end(r), "s3"));
    assert_null(w_json_get(w_reader_end(r), "s39"));
    w_reader_close(&r);
    w_json_free(stats);
    w_header_free(&h);
    fixture_free(&f);
}

/* ---- index and provenance ---- */

static void the_index_stays_bounded(void **state)
{
    (void)state;
    struct w_frame_index x = {0}, y = {0};
    for (u64 i = 0; i < 300000; i++) {
        assert_int_equal(w_frame_index_add(&x, 100 + i * 10, i * 7, NULL), W_DONE);
        assert_true(x.count <= W_INDEX_ENTRIES_MAX);
    }
    assert_true(x.count > W_INDEX_ENTRIES_MAX / 2);
    assert_int_equal(x.stride, 8);
    for (u32 i = 0; i < x.count; i++)
        assert_true(x.entries[i].pos == i * 8ull * 7 && x.entries[i].offset == 100 + i * 80ull);
    assert_null(w_frame_index_find(&x, 0));
    assert_true(w_frame_index_find(&x, 1)->pos == 0);
    assert_true(w_frame_index_find(&x, 56)->pos == 0);
    assert_true(w_frame_index_find(&x, 57)->pos == 56);
    assert_true(w_frame_index_find(&x, UINT64_MAX)->pos == (x.count - 1) * 56ull);
    u8 *bytes = malloc((size_t)x.count * W_INDEX_ENTRY_BYTES);
    struct w_index_entry end = {4000000, 3000000}, near = {2000, 3000000};
    w_frame_index_encode(&x, bytes);
    assert_int_equal(w_frame_index_decode(&y, bytes, x.count, end, NULL), W_DONE);
    assert_memory_equal(x.entries, y.entries, x.count * sizeof *x.entries);
    assert_int_equal(w_frame_index_decode(&y, bytes, x.count, near, NULL), W_CORRUPT);
    assert_int_equal(y.count, 0);
    w_put64(bytes + 16, 100); /* the second entry where the first one is */
    assert_int_equal(w_frame_index_decode(&y, bytes, x.count, end, NULL), W_CORRUPT);
    free(bytes);
    w_frame_index_free(&x);
    w_frame_index_free(&y);
}

static void provenance_nests_without_bulk_and_without_end(void **state)
{
    (void)state;
    struct w_header h = {0}, up = {0};
    struct w_err err = {0};
    for (int generation = 0; generation < 40; generation++) {
        make_header(&h, W_TOKENS, 0);
        struct w_json *tok = w_json_object();
        char *merges = calloc(1, 5000);
        memset(merges, '7', 4999);
        w_json_set_string(tok, "merges", merges);
        w_json_set_string(tok, "sha256", "abc");
        w_json_set(h.json, "tok", tok);
        free(merges);
        assert_int_equal(w_prov_add(&h, "wtest", generation ? &up : NULL, &err), W_DONE);
        w_header_free(&up);
        up = h;
    }
    char *text = w_json_text(h.json, &err);
    assert_true(strlen(text) < 5000 + 2000);
    struct w_json *parsed = NULL;
    assert_int_equal(w_json_parse(&parsed, text, strlen(text), &err), W_DONE);
    const struct w_json *src = w_json_get(w_json_get(parsed, "src"), "src");
    assert_string_equal(w_json_string(w_json_get(src, "argv")), "wtest");
    assert_string_equal(w_json_string(w_json_get(w_json_get(src, "tok"), "sha256")), "abc");
    assert_null(w_json_get(w_json_get(src, "tok"), "merges"));
    w_json_free(parsed);
    free(text);
    w_header_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_and_size_comes_back),
        cmocka_unit_test(bytes_depend_on_neither_threads_nor_calls),
        cmocka_unit_test(a_pipe_that_drips_gives_the_same),
        cmocka_unit_test(what_is_flushed_can_be_read_at_once),
        cmocka_unit_test(records_can_be_read_in_any_numbers),
        cmocka_unit_test(notes_pass_by_and_cut_no_frame),
        cmocka_unit_test(an_abort_is_reported_after_the_records_before_it),
        cmocka_unit_test(a_full_device_ends_everything),
        cmocka_unit_test(threads_are_always_joined),
        cmocka_unit_test(a_consumer_that_left_is_no_failure),
        cmocka_unit_test(a_writer_refuses_what_no_reader_takes),
        cmocka_unit_test(statistics_that_do_not_fit_are_left_out),
        cmocka_unit_test(the_index_stays_bounded),
        cmocka_unit_test(provenance_nests_without_bulk_and_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
