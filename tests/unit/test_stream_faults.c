/* Damaged streams: whatever happens to the bytes, a reader ends with bad input (exit status 3), and
 * the records that it gave before are right. Small streams of each kind are cut at every byte,
 * every byte is changed, and frames are dropped, doubled, exchanged and taken from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"

/* A whole stream in memory, and the bytes of its records. */
struct sample {
    const char *name;
    u8 bytes[8192];
    size_t size;
    size_t boundary; /* where its first of two members ends; else 0 */
    u8 records[8192];
    size_t record_bytes;
};

static struct sample samples[4];
static int scratch; /* a memfd, for the damaged copies */

/* ---- making ---- */

static void small_tokens(struct fixture *f, u64 count)
{
    u16 *ids = make_ids(count);
    struct w_write_options options = {.level = 1, .frame_bytes = 256};
    struct w_writer *w = NULL;
    struct w_header h;
    struct w_json *stats = w_json_object();

    make_header(&h, W_TOKENS, 0);
    for (u64 i = 0; i < count; i++)
        ids[i] = (u16)(i % 3 ? 7 : i);
    w_json_set_u64(stats, "max", 5000);
    assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
    assert_int_equal(w_writer_records(w, ids, count / 2, &f->err), W_DONE);
    assert_int_equal(w_writer_note(w, "{\"t\":\"half\"}", &f->err), W_DONE);
    assert_int_equal(w_writer_records(w, ids + count / 2, count - count / 2, &f->err), W_DONE);
    assert_int_equal(w_writer_close(&w, stats, &f->err), W_DONE);
    w_json_free(stats);
    w_header_free(&h);
    free(ids);
}

static void small_batches(struct fixture *f)
{
    u16 records[10 * 20];
    for (size_t i = 0; i < W_COUNTOF(records); i++)
        records[i] = (u16)(i * 31);
    add_member(f, W_BATCH, records, 10, (struct w_write_options){.level = 1, .frame_bytes = 120});
}

static void small_tensors(struct fixture *f)
{
    struct w_write_options options = {.level = 0, .frame_bytes = 70};
    struct w_writer *w = NULL;
    struct w_header h;
    u64 five = 5, three = 3;
    u8 blob[128 + 6] = {0};

    memcpy(blob, "abcdefghijklmnopqrst", 20);
    memcpy(blob + 64, "xyz", 3);
    memcpy(blob + 128, "uvwxyz", 6);
    assert_int_equal(w_header_begin(&h, W_TENSORS, "test 1", &f->err), W_DONE);
    assert_int_equal(w_header_add(&h, "a", W_TYPE_F32, 1, &five, &f->err), W_DONE);
    assert_int_equal(w_header_add(&h, "b", W_TYPE_U8, 1, &three, &f->err), W_DONE);
    assert_int_equal(w_header_add(&h, "c", W_TYPE_U16, 1, &three, &f->err), W_DONE);
    assert_int_equal(h.blob_bytes, sizeof blob);
    assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
    assert_int_equal(w_writer_records(w, blob, sizeof blob, &f->err), W_DONE);
    assert_int_equal(w_writer_close(&w, NULL, &f->err), W_DONE);
    w_header_free(&h);
}

/* ---- reading ---- */

enum way { BY_FILE, BY_PIPE, BY_SKIPPING, BY_SEEKING };

/* Read a stream to its end, whatever it holds. The record bytes, as far as they came, must be those
 * of `expected`, unless that is NULL. */
static enum w_status read_all(const u8 *bytes, size_t size, enum way way,
                              const struct sample *expected)
{
    struct w_err err = {0};
    struct w_input in = {
        .fd = scratch, .seekable = way == BY_FILE || way == BY_SEEKING, .size_bytes = size};
    struct w_reader *r = NULL;
    const struct w_header *h;
    const void *records;
    u64 count, got = 0;

    assert_int_equal(ftruncate(scratch, 0), 0);
    assert_int_equal(pwrite(scratch, bytes, size, 0), size);
    assert_int_equal(lseek(scratch, 0, SEEK_SET), 0);
    snprintf(in.name, sizeof in.name, "memory");
    enum w_status status = w_reader_open(&r, &in, &err);
    while (!status && !(status = w_reader_member(r, &h, &err))) {
        if (way == BY_SKIPPING)
            continue;
        if (way == BY_SEEKING)
            status = w_reader_seek(r, 1, &err);
        if (!status && way == BY_SEEKING)
            status = w_reader_seek(r, 0, &err);
        while (!status && !(status = w_reader_records(r, &records, &count, &err))) {
            size_t length = count * h->record_bytes;
            if (expected) {
                assert_true(got + length <= expected->record_bytes);
                assert_memory_equal(records, expected->records + got, length);
            }
            got += length;
        }
        if (status == W_END)
            status = W_DONE;
    }
    if (status == W_END && way != BY_SKIPPING && expected && size == expected->size)
        assert_int_equal(got, expected->record_bytes);
    if (status != W_END) {
        assert_true(err.text[0] != 0);
        /* A failure stays. */
        assert_int_equal(w_reader_member(r, &h, &err), status);
    }
    w_reader_close(&r);
    return status;
}

static void assert_bad_input(enum w_status status, const char *what, const char *name, size_t at)
{
    if (status == W_END || w_exit_code(status) != 3)
        fail_msg("%s of %s at %zu: status %s", what, name, at,
                 status == W_END ? "success" : w_status_name(status));
}

static int make_samples(void **state)
{
    static const char *const names[] = {"tokens", "batch", "tensors", "two members"};
    (void)state;
    scratch = memfd_create("scratch", 0);
    for (size_t i = 0; i < W_COUNTOF(samples); i++) {
        struct sample *s = &samples[i];
        struct fixture f;
        struct w_reader *r;
        const struct w_header *h;
        const void *records;
        u64 count;
        fixture_open(&f);
        s->name = names[i];
        if (i == 0 || i == 3)
            small_tokens(&f, 300);
        if (i == 3)
            s->boundary = f.out.bytes;
        if (i == 1)
            small_batches(&f);
        if (i >= 2)
            small_tensors(&f);
        s->size = f.out.bytes;
        assert_true(s->size < sizeof s->bytes);
        assert_int_equal(pread(f.out.fd, s->bytes, s->size, 0), s->size);
        reader_of(&f, &r);
        while (!w_reader_member(r, &h, &f.err))
            while (!w_reader_records(r, &records, &count, &f.err)) {
                memcpy(s->records + s->record_bytes, records, count * h->record_bytes);
                s->record_bytes += count * h->record_bytes;
            }
        w_reader_close(&r);
        fixture_free(&f);
        for (enum way way = BY_FILE; way <= BY_SEEKING; way++)
            assert_int_equal(read_all(s->bytes, s->size, way, s), W_END);
    }
    return 0;
}

/* ---- the faults ---- */

static void every_cut_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(samples); i++)
        for (enum way way = BY_FILE; way <= BY_SEEKING; way++)
            for (size_t cut = 0; cut < samples[i].size; cut++) {
                enum w_status status = read_all(samples[i].bytes, cut, way, &samples[i]);
                if (cut > 0 && cut == samples[i].boundary)
                    assert_int_equal(status, W_END);
                else
                    assert_bad_input(status, "cut", samples[i].name, cut);
            }
}

static void every_changed_byte_is_an_error(void **state)
{
    (void)state;
    u8 copy[sizeof samples[0].bytes];
    for (size_t i = 0; i < W_COUNTOF(samples); i++)
        for (size_t at = 0; at < samples[i].size; at++)
            for (int change = 0; change < 4; change++) {
                u8 old = samples[i].bytes[at];
                const u8 changed[] = {0, 0xff, (u8)(old + 1), (u8)(old ^ 0x80)};
                if (changed[change] == old)
                    continue;
                memcpy(copy, samples[i].bytes, samples[i].size);
                copy[at] = changed[change];
                enum way way = (enum way)((at + (size_t)change) % 3);
                assert_bad_input(read_all(copy, samples[i].size, way, &samples[i]), "change",
                                 samples[i].name, at);
            }
}

static void every_flipped_bit_is_an_error(void **state)
{
    (void)state;
    const struct sample *s = &samples[2];
    u8 copy[sizeof s->bytes];
    memcpy(copy, s->bytes, s->size);
    for (size_t bit = 0; bit < s->size * 8; bit++) {
        copy[bit / 8] ^= (u8)(1u << bit % 8);
        assert_bad_input(read_all(copy, s->size, BY_FILE, s), "flipped bit", s->name, bit);
        copy[bit / 8] ^= (u8)(1u << bit % 8);
    }
}

static void holes_and_moved_blocks_are_errors(void **state)
{
    (void)state;
    const struct sample *s = &samples[3];
    u8 copy[sizeof s->bytes];
    for (size_t length = 2; length <= 512; length *= 2)
        for (size_t at = 0; at + 2 * length <= s->size; at += length / 2) {
            memcpy(copy, s->bytes, s->size);
            memset(copy + at, 0, length);
            if (memcmp(copy, s->bytes, s->size))
                assert_bad_input(read_all(copy, s->size, BY_PIPE, s), "hole", s->name, at);
            memcpy(copy + at, s->bytes + at + length, length);
            memcpy(copy + at + length, s->bytes + at, length);
            if (memcmp(copy, s->bytes, s->size))
                assert_bad_input(read_all(copy, s->size, BY_PIPE, s), "moved block", s->name, at);
        }
}

/* Frames of a sample: offsets[i] to offsets[i + 1]. */
static size_t frames_of(const struct sample *s, size_t offsets[64])
{
    size_t count = 0, at = 0;
    while (at < s->size) {
        offsets[count++] = at;
        at += 48 + w_get32(s->bytes + at + 32);
    }
    offsets[count] = at;
    assert_true(at == s->size && count < 64);
    return count;
}

static size_t put(u8 *to, size_t at, const struct sample *s, const size_t *offsets, size_t frame)
{
    memcpy(to + at, s->bytes + offsets[frame], offsets[frame + 1] - offsets[frame]);
    return at + offsets[frame + 1] - offsets[frame];
}

static void missing_doubled_and_exchanged_frames_are_errors(void **state)
{
    (void)state;
    u8 copy[2 * sizeof samples[0].bytes];
    for (size_t i = 0; i < 3; i++) {
        const struct sample *s = &samples[i];
        size_t offsets[64], count = frames_of(s, offsets), size;
        assert_true(count >= 5);
        for (size_t a = 0; a < count; a++) {
            size = 0;
            for (size_t k = 0; k < count; k++)
                if (k != a)
                    size = put(copy, size, s, offsets, k);
            assert_bad_input(read_all(copy, size, BY_PIPE, s), "frame dropped", s->name, a);
            size = 0;
            for (size_t k = 0; k < count; k++) {
                size = put(copy, size, s, offsets, k);
                if (k == a)
                    size = put(copy, size, s, offsets, k);
            }
            assert_bad_input(read_all(copy, size, BY_PIPE, s), "frame doubled", s->name, a);
            for (size_t b = a + 1; b < count; b++) {
                size = 0;
                for (size_t k = 0; k < count; k++)
                    size = put(copy, size, s, offsets, k == a ? b : k == b ? a : k);
                assert_bad_input(read_all(copy, size, BY_PIPE, s), "frames exchanged", s->name, a);
            }
        }
    }
}

/* The same header, other data: what a splice, a wrong resume or two writers on a pipe give. */
static void frames_of_another_stream_are_errors(void **state)
{
    (void)state;
    const struct sample *s = &samples[1];
    static struct sample other;
    struct fixture f;
    u16 records[10 * 20];
    size_t a[64], b[64];
    u8 copy[2 * sizeof s->bytes];

    for (size_t i = 0; i < W_COUNTOF(records); i++)
        records[i] = (u16)(i * 31 + (i == 3));
    fixture_open(&f);
    add_member(&f, W_BATCH, records, 10, (struct w_write_options){.level = 1, .frame_bytes = 120});
    other.size = f.out.bytes;
    assert_int_equal(pread(f.out.fd, other.bytes, other.size, 0), other.size);
    fixture_free(&f);
    size_t count = frames_of(s, a);
    assert_int_equal(frames_of(&other, b), count);
    for (size_t from = 1; from < count; from++)
        for (size_t to = from; to < count; to++) {
            size_t size = 0;
            for (size_t k = 0; k < count; k++)
                size =
                    k >= from && k <= to ? put(copy, size, &other, b, k) : put(copy, size, s, a, k);
            /* All frames after the header: that is the other stream itself. */
            if (from == 1 && to == count - 1)
                assert_int_equal(read_all(copy, size, BY_PIPE, NULL), W_END);
            else
                assert_bad_input(read_all(copy, size, BY_PIPE, NULL), "splice", s->name, from);
        }
    for (size_t k = 1; k < count; k++) {
        size_t size = 0;
        for (size_t j = 0; j < count; j++) {
            size = put(copy, size, s, a, j);
            if (j == k)
                size = put(copy, size, &other, b, k);
        }
        assert_bad_input(read_all(copy, size, BY_PIPE, NULL), "two writers", s->name, k);
    }
}

static void what_follows_the_end_is_a_member_or_an_error(void **state)
{
    (void)state;
    u8 copy[2 * sizeof samples[0].bytes];
    const struct sample *s = &samples[0];
    memcpy(copy, s->bytes, s->size);
    memset(copy + s->size, 0, 64);
    for (size_t extra = 1; extra <= 64; extra++)
        assert_bad_input(read_all(copy, s->size + extra, BY_FILE, NULL), "zeroes after", s->name,
                         extra);
    memcpy(copy + s->size, s->bytes + 48, 300);
    assert_bad_input(read_all(copy, s->size + 300, BY_FILE, NULL), "rubbish after", s->name, 0);
    memcpy(copy + s->size, s->bytes, s->size);
    assert_int_equal(read_all(copy, 2 * s->size, BY_FILE, NULL), W_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_changed_byte_is_an_error),
        cmocka_unit_test(every_flipped_bit_is_an_error),
        cmocka_unit_test(holes_and_moved_blocks_are_errors),
        cmocka_unit_test(missing_doubled_and_exchanged_frames_are_errors),
        cmocka_unit_test(frames_of_another_stream_are_errors),
        cmocka_unit_test(what_follows_the_end_is_a_member_or_an_error),
    };
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
