/* wts.h: what is written through it is read through it, and through wire/stream.h; what is wrong is
 * told by status and message, and leaves no file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/wts.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include "temp_folder.h"
#include "wire/stream.h"

/* A record of 7 bytes: u16, f32, u8. */
static const struct wts_array columns[] = {
    {.name = "tok", .type = "u16"},
    {.name = "lp", .type = "f32"},
    {.name = "ctx", .type = "u8", .ndim = 1, .shape = {1}},
};
static const struct wts_member tokens = {
    .kind = "tokens",
    .arrays = columns,
    .array_count = 3,
    .json = "{\"by\":\"test 2\",\"vocab\":300,\"rec\":[],\"x\":{\"rate\":0.1}}",
};
/* A blob of 3 bytes, 61 of padding, and 6 f64. */
static const struct wts_array two_tensors[] = {
    {.name = "a", .type = "u8", .ndim = 1, .shape = {3}},
    {.name = "b.c", .type = "f64", .ndim = 2, .shape = {2, 3}},
};
static const struct wts_member tensors = {
    .kind = "tensors", .arrays = two_tensors, .array_count = 2};
static const double b_c[6] = {1, 2, 3, 4, 5, 6.5};

static void fill(uint8_t *records, size_t size)
{
    for (size_t i = 0; i < size; i++)
        records[i] = (uint8_t)(i * i >> 3);
}

static void write_stream(const char *path, const struct wts_member *member, const void *records,
                         uint64_t count)
{
    struct wts_writer *w;

    assert_int_equal(wts_writer_open(&w, path, member), WTS_OK);
    assert_int_equal(wts_writer_records(w, records, count / 2), WTS_OK);
    assert_true(access(path, F_OK)); /* not before it is whole */
    const size_t half = count / 2 * (member->kind[1] == 'o' ? 7 : 1);
    assert_int_equal(wts_writer_records(w, (const uint8_t *)records + half, count - count / 2),
                     WTS_OK);
    assert_int_equal(wts_writer_finish(&w), WTS_OK);
    assert_null(w);
}

static void write_tensors(const char *path)
{
    uint8_t blob[64 + sizeof b_c] = {7, 8, 9};

    memcpy(blob + 64, b_c, sizeof b_c);
    write_stream(path, &tensors, blob, sizeof blob);
}

/* Read all members; the status at the end. */
static enum wts_status read_all(struct wts_reader *r, uint64_t *bytes)
{
    const struct wts_member *m;
    const void *records;
    enum wts_status status;
    uint64_t count;

    *bytes = 0;
    while (!(status = wts_reader_member(r, &m)))
        while (!(status = wts_reader_records(r, &records, &count)))
            *bytes += count * m->record_bytes;
    return status;
}

static void tokens_come_back(void **state)
{
    enum { COUNT = 500000 };
    static uint8_t records[COUNT * 7], again[COUNT * 7];
    const struct wts_member *m;
    const void *got;
    struct wts_reader *r;
    uint64_t count, at = 0;

    (void)state;
    fill(records, sizeof records);
    write_stream(path_of("tok"), &tokens, records, COUNT);
    assert_int_equal(wts_reader_open(&r, path_of("tok")), WTS_OK);
    assert_int_equal(wts_reader_member(r, &m), WTS_OK);
    assert_string_equal(m->kind, "tokens");
    assert_int_equal(m->array_count, 3);
    assert_int_equal(m->record_bytes, 7);
    assert_int_equal(m->records, COUNT);
    assert_string_equal(m->json, "{\"wts\":1,\"kind\":\"tokens\",\"by\":\"test 2\",\"rec\":["
                                 "{\"name\":\"tok\",\"dtype\":\"u16\",\"shape\":[]},"
                                 "{\"name\":\"lp\",\"dtype\":\"f32\",\"shape\":[]},"
                                 "{\"name\":\"ctx\",\"dtype\":\"u8\",\"shape\":[1]}],"
                                 "\"vocab\":300,\"x\":{\"rate\":0.1}}");
    const struct wts_array *ctx = wts_member_find(m, "ctx");
    assert_ptr_equal(ctx, &m->arrays[2]);
    assert_string_equal(ctx->type, "u8");
    assert_int_equal(ctx->ndim, 1);
    assert_int_equal(ctx->shape[0], 1);
    assert_int_equal(ctx->offset, 6);
    assert_int_equal(ctx->bytes, 1);
    assert_int_equal(wts_member_find(m, "lp")->number_bytes, 4);
    assert_null(wts_member_find(m, "to"));
    while (!wts_reader_records(r, &got, &count)) {
        memcpy(again + at, got, count * 7);
        at += count * 7;
    }
    assert_int_equal(at, sizeof records);
    assert_memory_equal(again, records, sizeof records);
    /* No tensors, and none after the last member. */
    assert_int_equal(wts_reader_tensor(r, ctx, again), WTS_USAGE);
    assert_int_equal(wts_reader_member(r, &m), WTS_END);
    assert_null(m);
    assert_int_equal(wts_reader_tensor(r, columns, again), WTS_USAGE);
    wts_reader_close(&r);
    assert_null(r);
}

/* The header of a reader makes a writer that writes the same bytes. */
static void a_member_can_be_copied(void **state)
{
    uint8_t records[700], copy[2][4096];
    const struct wts_member *m;
    const void *got;
    struct wts_reader *r;
    struct wts_writer *w;
    uint64_t count;
    size_t size[2];

    (void)state;
    fill(records, sizeof records);
    write_stream(path_of("from"), &tokens, records, 100);
    assert_int_equal(wts_reader_open(&r, path_of("from")), WTS_OK);
    assert_int_equal(wts_reader_member(r, &m), WTS_OK);
    assert_int_equal(wts_writer_open(&w, path_of("to"), m), WTS_OK);
    assert_int_equal(wts_reader_records(r, &got, &count), WTS_OK);
    assert_int_equal(wts_writer_records(w, got, count), WTS_OK);
    assert_int_equal(wts_writer_finish(&w), WTS_OK);
    wts_reader_close(&r);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path_of(i ? "from" : "to"), "rb");
        assert_non_null(f);
        size[i] = fread(copy[i], 1, sizeof copy[i], f);
        fclose(f);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(copy[0], copy[1], size[0]);
}

static void tensors_are_read_by_name(void **state)
{
    const struct wts_member *m;
    struct wts_reader *r;
    double numbers[6];
    uint8_t a[3];

    (void)state;
    write_tensors(path_of("model"));
    assert_int_equal(wts_reader_open(&r, path_of("model")), WTS_OK);
    assert_int_equal(wts_reader_member(r, &m), WTS_OK);
    assert_int_equal(m->records, 64 + sizeof b_c);
    const struct wts_array *b = wts_member_find(m, "b.c");
    assert_int_equal(b->offset, 64);
    for (int turn = 0; turn < 2; turn++) { /* the last first, and again after it */
        memset(numbers, 0, sizeof numbers);
        assert_int_equal(wts_reader_tensor(r, b, numbers), WTS_OK);
        assert_memory_equal(numbers, b_c, sizeof b_c);
        assert_int_equal(wts_reader_tensor(r, wts_member_find(m, "a"), a), WTS_OK);
        assert_int_equal(a[2], 9);
    }
    assert_int_equal(wts_reader_member(r, &m), WTS_END);
    wts_reader_close(&r);
}

/* A descriptor is read from where it stands and stays open. Back in a pipe there is no way. */
static void descriptors_are_read_from(void **state)
{
    const struct wts_member *m;
    const void *records;
    struct wts_reader *r;
    char bytes[4096] = "before";
    double numbers[6];
    uint64_t got;
    int ends[2];
    uint8_t a[3];

    (void)state;
    write_tensors(path_of("model"));
    int fd = open(path_of("model"), O_RDWR);
    ssize_t size = read(fd, bytes + 6, sizeof bytes - 6);
    assert_true(size > 0);
    assert_int_equal(pwrite(fd, bytes, (size_t)size + 6, 0), size + 6);
    assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
    assert_int_equal(wts_reader_open_fd(&r, fd, "second"), WTS_OK);
    assert_int_equal(read_all(r, &got), WTS_END);
    assert_int_equal(got, 64 + sizeof b_c);
    wts_reader_close(&r);
    assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
    assert_int_equal(wts_reader_open_fd(&r, fd, "second"), WTS_OK);
    assert_int_equal(wts_reader_member(r, &m), WTS_OK);
    assert_int_equal(wts_reader_tensor(r, wts_member_find(m, "b.c"), numbers), WTS_OK);
    assert_int_equal(wts_reader_records(r, &records, &got), WTS_END);
    assert_int_equal(wts_reader_tensor(r, wts_member_find(m, "a"), a), WTS_OK); /* back */
    assert_int_equal(a[2], 9);
    wts_reader_close(&r);
    assert_int_equal(close(fd), 0);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes + 6, (size_t)size), size);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(wts_reader_open_fd(&r, ends[0], "a\npipe"), WTS_OK);
    assert_int_equal(wts_reader_member(r, &m), WTS_OK);
    const struct wts_array *first = wts_member_find(m, "a");
    assert_int_equal(wts_reader_tensor(r, first, a), WTS_OK);
    assert_int_equal(wts_reader_tensor(r, wts_member_find(m, "b.c"), numbers), WTS_OK);
    assert_memory_equal(numbers, b_c, sizeof b_c);
    assert_int_equal(wts_reader_member(r, &m), WTS_END);
    assert_int_equal(wts_reader_tensor(r, first, a), WTS_USAGE);
    wts_reader_close(&r);
    close(ends[0]);

    assert_int_equal(wts_reader_open_fd(&r, ends[0], "a\npipe"), WTS_SYSTEM);
    assert_null(r);
    assert_non_null(strstr(wts_error(), "a?pipe"));
}

/* Each cut and each damaged byte of a stream: WTS_DATA, and again when asked again. */
static void what_is_not_whole_is_refused(void **state)
{
    uint8_t bytes[4096], records[70];
    struct wts_reader *r;
    uint64_t got;

    (void)state;
    fill(records, sizeof records);
    write_stream(path_of("whole"), &tokens, records, 10);
    FILE *f = fopen(path_of("whole"), "rb");
    assert_non_null(f);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t i = 0; i < 2 * size; i++) {
        const size_t at = i / 2;
        bytes[at] ^= (uint8_t)(i % 2);
        put("damaged", bytes, i % 2 ? size : at);
        bytes[at] ^= (uint8_t)(i % 2);
        assert_int_equal(wts_reader_open(&r, path_of("damaged")), WTS_OK);
        assert_int_equal(read_all(r, &got), WTS_DATA);
        assert_non_null(strstr(wts_error(), path_of("damaged")));
        assert_int_equal(read_all(r, &got), WTS_DATA);
        assert_int_equal(got, 0);
        wts_reader_close(&r);
    }
}

static void wrong_headers_are_refused(void **state)
{
    static const struct wts_array wrong_type = {.name = "tok", .type = "u12"};
    static const struct wts_array wrong_name = {.name = "t k", .type = "u16"};
    static const struct wts_array too_many_dimensions = {.name = "a", .type = "u8", .ndim = 9};
    static const struct {
        struct wts_member member;
        const char *says;
    } cases[] = {
        {{"token", columns, 3, 0, 0, NULL}, "token is no kind of stream"},
        {{"tokens", NULL, 0, 0, 0, NULL}, "no list of arrays"},
        {{"tokens", columns + 1, 1, 0, 0, NULL}, "u16 or u32"},
        {{"tokens", &wrong_type, 1, 0, 0, NULL}, "u12 is no type"},
        {{"tokens", &wrong_name, 1, 0, 0, NULL}, "letters, digits"},
        {{"tensors", &too_many_dimensions, 1, 0, 0, NULL}, "9 dimensions"},
        {{"tokens", columns, 1, 0, 0, "[]"}, "no JSON object"},
        {{"tokens", columns, 1, 0, 0, "{"}, "JSON"},
        {{"tokens", columns, 1, 0, 0, "{\"must\":[\"x\"]}"}, "must"},
    };
    struct wts_writer *w;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(wts_writer_open(&w, path_of("wrong"), &cases[i].member), WTS_USAGE);
        assert_null(w);
        if (!strstr(wts_error(), cases[i].says) || !strstr(wts_error(), path_of("wrong")))
            fail_msg("case %zu: %s", i, wts_error());
    }
    assert_int_equal(rmdir(folder), 0); /* nothing is left in it, under any name */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void half_a_blob_is_no_stream(void **state)
{
    uint8_t blob[64 + sizeof b_c + 1] = {0};
    struct wts_writer *w;

    (void)state;
    assert_int_equal(wts_writer_open(&w, path_of("blob"), &tensors), WTS_OK);
    assert_int_equal(wts_writer_records(w, blob, sizeof blob - 2), WTS_OK);
    assert_int_equal(wts_writer_finish(&w), WTS_USAGE);
    assert_null(w);
    assert_int_equal(wts_writer_open(&w, path_of("blob"), &tensors), WTS_OK);
    assert_int_equal(wts_writer_records(w, blob, sizeof blob), WTS_USAGE);
    assert_int_equal(wts_writer_records(w, blob, 1), WTS_USAGE);
    assert_int_equal(wts_writer_finish(&w), WTS_USAGE);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
}

/* A stream that is given up leaves no file; in a pipe its reader is told why. */
static void who_reads_is_told_why(void **state)
{
    struct wts_writer *w = NULL;
    struct wts_reader *r;
    uint64_t got;

    (void)state;
    wts_writer_abort(&w, "nothing was open");
    assert_int_equal(wts_writer_open(&w, path_of("given up"), &tokens), WTS_OK);
    wts_writer_abort(&w, NULL);
    assert_null(w);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);

    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    int fd = open(path_of("pipe"), O_RDONLY | O_NONBLOCK);
    assert_int_equal(wts_writer_open(&w, path_of("pipe"), &tokens), WTS_OK);
    wts_writer_abort(&w, "the sun\nwent down");
    assert_int_equal(wts_reader_open_fd(&r, fd, "pipe"), WTS_OK);
    assert_int_equal(read_all(r, &got), WTS_DATA);
    assert_string_equal(wts_error(), "pipe: aborted by test 2: the sun?went down");
    wts_reader_close(&r);

    /* And who writes to nobody. */
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(wts_writer_open(&w, path_of("pipe"), &tokens), WTS_OK);
    close(fd);
    assert_int_equal(wts_writer_finish(&w), WTS_CLOSED);
    assert_null(w);
}

static void *fail_elsewhere(void *path)
{
    struct wts_reader *r;

    if (*wts_error() || wts_reader_open(&r, path) != WTS_SYSTEM || !strstr(wts_error(), "no/such"))
        return path;
    return NULL;
}

static void messages_belong_to_threads(void **state)
{
    struct wts_reader *r;
    pthread_t thread;
    void *wrong;

    (void)state;
    assert_int_equal(wts_reader_open(&r, path_of("missing")), WTS_SYSTEM);
    assert_null(r);
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, path_of("no/such")), 0);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    assert_non_null(strstr(wts_error(), "missing: cannot open"));
    assert_string_equal(wts_version(), W_VERSION_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tokens_come_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_member_can_be_copied, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(tensors_are_read_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(descriptors_are_read_from, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_not_whole_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(wrong_headers_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(half_a_blob_is_no_stream, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(who_reads_is_told_why, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(messages_belong_to_threads, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
