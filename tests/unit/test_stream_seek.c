/* Going to a place: by index, by walking, through pipes; and never to other data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/stream_fixture.h"
#include "sys/deflate.h"
#include "wire/frame.h"

enum { MEMBERS = 8, COUNT = 20000 };
static const struct w_write_options small_frames = {.level = 1, .frame_bytes = 600};

/* Members of different lengths and data. */
static u16 *make_members(struct fixture *f, u64 members)
{
    u16 *ids = make_ids(COUNT + MEMBERS);
    fixture_open(f);
    for (u64 m = 0; m < members; m++)
        add_member(f, W_TOKENS, ids + m, COUNT - 100 * m, small_frames);
    return ids;
}

static void any_place_of_any_member_gives_its_record(void **state)
{
    (void)state;
    struct fixture f;
    u16 *ids = make_members(&f, MEMBERS), out[10];
    u32 x = 7;
    for (u64 member = 0; member < MEMBERS; member++) {
        struct w_reader *r;
        const struct w_header *h;
        u64 count = COUNT - 100 * member;
        reader_of(&f, &r);
        for (u64 m = 0; m <= member; m++)
            assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
        assert_true(w_reader_known_count(r) == count);
        for (int i = 0; i < 1500; i++) {
            x = x * 1664525u + 1013904223u;
            u64 pos = (x >> 8) % (count + 1), n = W_MIN(10u, count - pos), got;
            assert_int_equal(w_reader_seek(r, pos, &f.err), W_DONE);
            assert_int_equal(w_reader_upto(r, out, 10, &got, &f.err), W_DONE);
            assert_true(got == n);
            assert_memory_equal(out, ids + member + pos, n * 2);
        }
        /* On to the next member as if nothing had been. */
        if (member + 1 < MEMBERS) {
            assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
            assert_int_equal(w_reader_exactly(r, out, 10, &f.err), W_DONE);
            assert_memory_equal(out, ids + member + 1, 20);
        } else {
            assert_int_equal(w_reader_seek(r, count + 1, &f.err), W_MISMATCH);
        }
        w_reader_close(&r);
    }
    fixture_free(&f);
    free(ids);
}

static void after_a_seek_the_end_is_still_checked(void **state)
{
    (void)state;
    struct fixture f;
    struct w_reader *r;
    const struct w_header *h;
    const void *records;
    u64 count;
    enum w_status status;
    u16 *ids = make_members(&f, 1);
    reader_of(&f, &r);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    assert_int_equal(w_reader_seek(r, 15000, &f.err), W_DONE);
    while (!(status = w_reader_records(r, &records, &count, &f.err)))
        ;
    assert_int_equal(status, W_END);
    assert_int_equal(w_reader_seek(r, 5, &f.err), W_DONE); /* and back from there */
    assert_int_equal(w_reader_exactly(r, ids + 20, 1, &f.err), W_DONE);
    assert_int_equal(ids[20], ids[5]);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_END);
    w_reader_close(&r);
    fixture_free(&f);
    free(ids);
}

static void a_pipe_goes_forward_only(void **state)
{
    (void)state;
    struct fixture f;
    struct w_reader *r;
    const struct w_header *h;
    u16 *ids = make_members(&f, 2), out[3];
    reader_of(&f, &r);
    f.in.seekable = false;
    f.in.size_bytes = 0;
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    assert_true(w_reader_known_count(r) == 0);
    static const u64 places[] = {0, 1, 299, 300, 301, 5000, 5000, 19997, 20000};
    for (size_t i = 0; i < W_COUNTOF(places); i++) {
        u64 n = W_MIN(3u, COUNT - places[i]), got;
        if (i > 0 && places[i] < places[i - 1] + 3 && places[i] / 300 != places[i - 1] / 300)
            continue; /* that frame has gone by */
        assert_int_equal(w_reader_seek(r, places[i], &f.err), W_DONE);
        assert_int_equal(w_reader_upto(r, out, 3, &got, &f.err), W_DONE);
        assert_true(got == n);
        assert_memory_equal(out, ids + places[i], n * 2);
    }
    assert_int_equal(w_reader_seek(r, 10, &f.err), W_IO);
    w_reader_close(&r);
    fixture_free(&f);
    free(ids);
}

/* Notes between the frames are passed, in files and in pipes. */
static void notes_are_no_records(void **state)
{
    (void)state;
    static const u64 places[] = {0, 1, 299, 300, 301, 600, 999, 1200, 4999};
    struct fixture f;
    struct w_header built;
    struct w_writer *w;
    u16 *ids = make_ids(5000), id;
    fixture_open(&f);
    make_header(&built, W_TOKENS, 0);
    assert_int_equal(w_writer_open(&w, &f.out, &built, &small_frames, &f.err), W_DONE);
    for (u64 at = 0; at < 5000; at += 250) {
        assert_int_equal(w_writer_records(w, ids + at, 250, &f.err), W_DONE);
        assert_int_equal(w_writer_note(w, "{}", &f.err), W_DONE);
    }
    assert_int_equal(w_writer_close(&w, NULL, &f.err), W_DONE);
    for (size_t i = 0; i < 2 * W_COUNTOF(places); i++) {
        struct w_reader *r;
        const struct w_header *h;
        reader_of(&f, &r);
        f.in.seekable = i % 2;
        assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
        assert_int_equal(w_reader_seek(r, places[i / 2], &f.err), W_DONE);
        assert_int_equal(w_reader_exactly(r, &id, 1, &f.err), W_DONE);
        assert_int_equal(id, ids[places[i / 2]]);
        w_reader_close(&r);
    }
    w_header_free(&built);
    fixture_free(&f);
    free(ids);
}

/* ---- damage ---- */

/* Whatever happens to index and end, a seek gives the right record or an error. */
static void a_damaged_index_gives_no_wrong_data(void **state)
{
    (void)state;
    struct fixture f;
    u16 *ids = make_members(&f, 1), out[4];
    u64 index = 0, right = 0, wrong = 0;
    struct w_reader *r;
    const struct w_header *h;
    reader_of(&f, &r);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
    assert_int_equal(w_reader_member(r, &h, &f.err), W_END);
    w_reader_close(&r);
    u8 end[208], byte, changed;
    assert_int_equal(pread(f.out.fd, end, 208, (off_t)f.out.bytes - 208), 208);
    assert_int_equal(sscanf(strstr((char *)end, "\"index\":"), "\"index\":%lu", &index), 1);
    for (u64 at = index; at < f.out.bytes; at++) {
        assert_int_equal(pread(f.out.fd, &byte, 1, (off_t)at), 1);
        changed = (u8)(byte ^ (1u << at % 8));
        assert_int_equal(pwrite(f.out.fd, &changed, 1, (off_t)at), 1);
        u64 pos = at * 7919 % COUNT;
        reader_of(&f, &r);
        assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
        if (!w_reader_seek(r, pos, &f.err) &&
            !w_reader_exactly(r, out, W_MIN(4u, COUNT - pos), &f.err)) {
            assert_memory_equal(out, ids + pos, W_MIN(4u, COUNT - pos) * 2);
            right++;
        } else {
            assert_int_equal(w_exit_code(f.err.status), 3);
            wrong++;
        }
        /* Reading to the end reports the damage. */
        enum w_status status;
        while (!(status = w_reader_member(r, &h, &f.err)))
            ;
        assert_int_not_equal(status, W_END);
        assert_int_equal(w_exit_code(status), 3);
        w_reader_close(&r);
        assert_int_equal(pwrite(f.out.fd, &byte, 1, (off_t)at), 1);
    }
    assert_true(right >
                10 * wrong); /* the walk found the record, where it lies before the damage */
    fixture_free(&f);
    free(ids);
}

/* An index with right checksums whose entries point to other frames, or to none. */
static void a_wrong_index_gives_no_wrong_data(void **state)
{
    (void)state;
    for (u64 lie = 1; lie <= 4; lie++) {
        struct fixture f;
        u16 *ids = make_members(&f, 1), out[4];
        u64 index = 0;
        u8 end[208], frame[48], entries[16 * 128];
        struct w_frame head;
        struct w_reader *r;
        const struct w_header *h;
        assert_int_equal(pread(f.out.fd, end, 208, (off_t)f.out.bytes - 208), 208);
        assert_int_equal(sscanf(strstr((char *)end, "\"index\":"), "\"index\":%lu", &index), 1);
        assert_int_equal(pread(f.out.fd, frame, 48, (off_t)index), 48);
        assert_int_equal(w_frame_decode(&head, frame, NULL), W_DONE);
        assert_true(head.raw_len <= sizeof entries && head.count > 10);
        assert_int_equal(pread(f.out.fd, entries, head.raw_len, (off_t)index + 48), head.raw_len);
        for (u32 i = 0; i < head.count; i++) {
            u8 *e = entries + i * 16;
            if (lie <= 2) /* positions moved: 1 record, or a frame */
                w_put64(e + 8, w_get64(e + 8) + (lie == 1 ? 1 : 300));
            else if (lie == 3)
                w_put64(e, w_get64(e) + 1);
            else /* the offset of the next frame */
                w_put64(e, i + 1 < head.count ? w_get64(e + 16) : w_get64(e) + 48);
        }
        head.payload_crc = w_crc32(0, entries, head.raw_len);
        w_frame_encode(&head, frame);
        assert_int_equal(pwrite(f.out.fd, frame, 48, (off_t)index), 48);
        assert_int_equal(pwrite(f.out.fd, entries, head.raw_len, (off_t)index + 48), head.raw_len);
        for (u64 pos = 0; pos < COUNT - 4; pos += 97) {
            reader_of(&f, &r);
            assert_int_equal(w_reader_member(r, &h, &f.err), W_DONE);
            assert_int_equal(w_reader_seek(r, pos, &f.err), W_DONE);
            assert_int_equal(w_reader_exactly(r, out, 4, &f.err), W_DONE);
            assert_memory_equal(out, ids + pos, 8);
            w_reader_close(&r);
        }
        fixture_free(&f);
        free(ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_place_of_any_member_gives_its_record),
        cmocka_unit_test(after_a_seek_the_end_is_still_checked),
        cmocka_unit_test(a_pipe_goes_forward_only),
        cmocka_unit_test(notes_are_no_records),
        cmocka_unit_test(a_damaged_index_gives_no_wrong_data),
        cmocka_unit_test(a_wrong_index_gives_no_wrong_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
