/* Batches read ahead: all of them, in order, from any place; the wrong ones refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "data/id_stats.h"
#include "data/loader.h"
#include "sys/clock.h"

#define B 2
#define T 3
#define IDS (B * (T + 1))
#define VOCAB 100

static char path[] = "/tmp/test_loader.XXXXXX";
static struct w_batch_place begins; /* what write_stream() begins with */
static u64 frame_batches = 5;       /* of its frames */

static u32 id_of(u64 batch, u64 i)
{
    return (u32)((batch * 7 + i) % VOCAB);
}

/* A file with members of so many batches. */
static void write_stream(const u64 *members, size_t count, u32 seed, u32 spoilt_id)
{
    struct w_err err = {0};
    FILE *file = fopen(path, "w");
    u64 batch = begins.pos;

    assert_non_null(file);
    struct w_output out = {.fd = fileno(file)};
    for (size_t m = 0; m < count; m++) {
        struct w_header header = {0};
        struct w_writer *writer = NULL;
        assert_int_equal(w_header_begin(&header, W_BATCH, "test 1", &err), W_DONE);
        assert_int_equal(w_header_add(&header, "x", W_TYPE_U16, 2, (u64[]){B, T + 1}, &err),
                         W_DONE);
        w_json_set_u64(header.json, "vocab", VOCAB);
        w_json_set_u64(header.json, "seed", seed + m);
        if (m == 0)
            w_origin_set_start(&header, begins);
        struct w_write_options options = {.level = 1, .frame_bytes = frame_batches * IDS * 2};
        assert_int_equal(w_writer_open(&writer, &out, &header, &options, &err), W_DONE);
        for (u64 k = 0; k < members[m]; k++, batch++) {
            u16 ids[IDS];
            for (u64 i = 0; i < IDS; i++)
                ids[i] = (u16)id_of(batch, i);
            if (batch == spoilt_id)
                ids[IDS - 1] = VOCAB;
            assert_int_equal(w_writer_records(writer, ids, 1, &err), W_DONE);
        }
        assert_int_equal(w_writer_close(&writer, NULL, &err), W_DONE);
        w_header_free(&header);
    }
    fclose(file);
}

static struct w_loader_options plain_options(void)
{
    return (struct w_loader_options){
        .path = path, .batch_size = B, .length = T, .vocab_size = VOCAB};
}

/* Reads to the end, expecting batches [from, to), and records the place after each. */
static void expect_batches(struct w_loader *loader, u64 from, u64 to, struct w_batch_place *places)
{
    struct w_err err = {0};
    struct w_batch_place after;
    struct w_loaded batch;

    for (u64 k = from; k < to; k++) {
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
        for (u64 i = 0; i < IDS; i++)
            assert_int_equal(batch.ids[i], id_of(k, i));
        if (places)
            places[k] = after;
    }
    after.pos = 12345; /* a place comes only with a batch */
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_END);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_END);
    assert_int_equal(after.pos, 12345);
}

static void every_batch_arrives_and_every_place_leads_on(void **state)
{
    (void)state;
    static const u64 members[] = {23, 1, 40};
    struct w_batch_place places[64];
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    write_stream(members, 3, 1, UINT32_MAX);
    struct w_loader_options options = plain_options();
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    expect_batches(loader, 0, 64, places);
    w_loader_close(&loader);
    for (u64 k = 0; k < 64; k++) {
        options.start = &places[k];
        if (w_loader_open(&loader, &options, &err))
            fail_msg("place %d: %s", (int)k, err.text);
        expect_batches(loader, k + 1, 64, NULL);
        w_loader_close(&loader);
    }
}

/* 10 batches, shared out in fours: of the last two nobody gets all, so the step is nobody's. */
static void a_share_has_its_batches_and_the_places_of_whole_steps(void **state)
{
    static const struct {
        struct w_loader_share share;
        u64 batches[6];
        u64 count;
    } cases[] = {
        {{0, 1, 4}, {0, 4}, 2},
        {{1, 2, 4}, {1, 2, 5, 6, 9}, 5},
        {{2, 2, 4}, {2, 3, 6, 7}, 4},
    };
    struct w_batch_place places[10], after;
    struct w_loader *loader = NULL;
    struct w_err err = {0};
    struct w_loaded batch;

    (void)state;
    write_stream((u64[]){3, 7}, 2, 1, UINT32_MAX);
    struct w_loader_options options = plain_options();
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    expect_batches(loader, 0, 10, places);
    w_loader_close(&loader);
    for (size_t c = 0; c < W_COUNTOF(cases); c++) {
        const struct w_loader_share *share = &cases[c].share;
        options.share = *share;
        assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
        for (u64 i = 0; i < cases[c].count; i++) {
            const u64 number = cases[c].batches[i];
            assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
            assert_int_equal(batch.ids[0], id_of(number, 0));
            if (number % 4 == share->first + share->count - 1)
                assert_true(after.pos == places[number / 4 * 4 + 3].pos &&
                            after.crc == places[number / 4 * 4 + 3].crc);
        }
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_END);
        w_loader_close(&loader);
    }
}

static void a_single_file_knows_its_length(void **state)
{
    (void)state;
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    write_stream((u64[]){17}, 1, 1, UINT32_MAX);
    struct w_loader_options options = plain_options();
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_int_equal(w_loader_known_batches(loader), 17);
    w_loader_close(&loader); /* before the end */
    assert_null(loader);
}

/* Of the stream in the file. The caller frees it. */
static struct w_json *origin_of_file(void)
{
    struct w_loader_options options = plain_options();
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    struct w_json *origin = w_origin_make(w_loader_header(loader));
    w_loader_close(&loader);
    return origin;
}

/* A stream of 17 batches was read, and their places noted; to be resumed after 12 of them. *origin
 * is the caller's. */
static struct w_loader_options resume_after_12(struct w_batch_place places[17],
                                               struct w_json **origin)
{
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    write_stream((u64[]){17}, 1, 1, UINT32_MAX);
    struct w_loader_options options = plain_options();
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    expect_batches(loader, 0, 17, places);
    w_loader_close(&loader);
    *origin = origin_of_file();
    options.origin = *origin;
    options.start = &places[12];
    return options;
}

static void other_data_are_refused(void **state)
{
    (void)state;
    struct w_batch_place places[17];
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    struct w_json *origin;
    struct w_loader_options options = resume_after_12(places, &origin);
    write_stream((u64[]){17}, 1, 2, UINT32_MAX); /* another seed */
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "(seed 2, not 1)"));
    write_stream((u64[]){17}, 1, 1, 3); /* another batch before the place */
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "other data"));
    write_stream((u64[]){9}, 1, 1, UINT32_MAX); /* too short */
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    assert_null(loader);
    w_json_free(origin);
}

/* The place is one among batches, whatever frames and members they come in, and wherever the stream
 * begins before it. */
static void the_same_data_in_another_form_are_taken(void **state)
{
    (void)state;
    struct w_batch_place places[17];
    struct w_loader *loader = NULL;
    struct w_err err = {0};

    struct w_json *origin;
    struct w_loader_options options = resume_after_12(places, &origin);
    frame_batches = 3;
    write_stream((u64[]){4, 11, 2}, 3, 1, UINT32_MAX);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    expect_batches(loader, 13, 17, NULL);
    w_loader_close(&loader);
    for (u64 k = 0; k < 17; k++) {
        begins = places[k];
        write_stream((u64[]){17 - begins.pos}, 1, 1, UINT32_MAX);
        enum w_status status = w_loader_open(&loader, &options, &err);
        assert_int_equal(status, k <= 12 ? W_DONE : W_MISMATCH);
        if (k <= 12)
            expect_batches(loader, 13, 17, NULL);
        else
            assert_non_null(strstr(err.text, "wbatch --start 13"));
        w_loader_close(&loader);
    }
    begins = (struct w_batch_place){places[12].pos, places[12].crc ^ 1};
    write_stream((u64[]){17 - begins.pos}, 1, 1, UINT32_MAX);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "differ before batch 13"));
    begins = (struct w_batch_place){0};
    frame_batches = 5;
    w_json_free(origin);
}

static void other_shapes_and_ids_are_refused(void **state)
{
    (void)state;
    struct w_loader *loader = NULL;
    struct w_err err = {0};
    struct w_batch_place after;
    struct w_loaded batch;

    write_stream((u64[]){17}, 1, 1, 2);
    struct w_loader_options options = plain_options();
    options.batch_size = B + 1;
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    options = plain_options();
    options.vocab_size = VOCAB - 1;
    assert_int_equal(w_loader_open(&loader, &options, &err), W_MISMATCH);
    options = plain_options();
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, "id 100"));
    w_loader_close(&loader);
}

/* A file of batches with columns of counts, and one more between them. */
static void write_counts(u64 batches, u64 spoilt, float spoilt_lp, u64 features)
{
    struct w_err err = {0};
    struct w_header header = {0};
    struct w_writer *writer = NULL;
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    struct w_output out = {.fd = fileno(file)};
    const u64 shape[] = {B, T + 1, features};
    assert_int_equal(w_header_begin(&header, W_BATCH, "test 1", &err), W_DONE);
    assert_int_equal(w_header_add(&header, "lp", W_TYPE_F32, 2, shape, &err), W_DONE);
    assert_int_equal(w_header_add(&header, "x", W_TYPE_U16, 2, shape, &err), W_DONE);
    assert_int_equal(w_header_add(&header, "weight", W_TYPE_U16, 0, NULL, &err), W_DONE);
    assert_int_equal(w_header_add(&header, "ctx", W_TYPE_U8, 3, shape, &err), W_DONE);
    assert_int_equal(w_writer_open(&writer, &out, &header, &(struct w_write_options){0}, &err), 0);
    for (u64 k = 0; k < batches; k++) {
        u8 record[IDS * (4 + 2 + 9) + 2] = {0};
        for (u64 i = 0; i < IDS; i++) {
            const float lp = k == spoilt && i == 5 ? spoilt_lp : -(float)(k * IDS + i);
            memcpy(record + 4 * i, &lp, sizeof lp);
            w_put16(record + 4 * IDS + 2 * i, (u16)id_of(k, i));
        }
        for (u64 i = 0; i < IDS * features; i++)
            record[6 * IDS + 2 + i] = (u8)(k + i);
        assert_int_equal(w_writer_records(writer, record, 1, &err), W_DONE);
    }
    assert_int_equal(w_writer_close(&writer, NULL, &err), W_DONE);
    w_header_free(&header);
    fclose(file);
}

static void columns_of_counts_arrive(void **state)
{
    (void)state;
    struct w_loader *loader = NULL;
    struct w_err err = {0};
    struct w_batch_place after;
    struct w_loaded batch;
    struct w_loader_options options = plain_options();

    write_stream((u64[]){3}, 1, 1, UINT32_MAX);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_int_equal(w_loader_features(loader), 0);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    assert_true(!batch.lp && !batch.ctx);
    w_loader_close(&loader);

    assert_int_equal(truncate(path, 0), 0);
    write_counts(20, UINT64_MAX, 0, 3);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_int_equal(w_loader_features(loader), 3);
    for (u64 k = 0; k < 20; k++) {
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
        for (u64 i = 0; i < IDS; i++) {
            assert_int_equal(batch.ids[i], id_of(k, i));
            assert_true(batch.lp[i] == -(float)(k * IDS + i));
        }
        for (u64 i = 0; i < IDS * 3; i++)
            assert_int_equal(batch.ctx[i], (u8)(k + i));
    }
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_END);
    w_loader_close(&loader);
}

static void damaged_columns_are_refused(void **state)
{
    (void)state;
    static const float spoilt[] = {0.5f, NAN, -INFINITY};
    struct w_loader *loader = NULL;
    struct w_err err = {0};
    struct w_batch_place after;
    struct w_loaded batch;
    struct w_loader_options options = plain_options();

    for (size_t i = 0; i < W_COUNTOF(spoilt); i++) {
        assert_int_equal(truncate(path, 0), 0);
        write_counts(3, 1, spoilt[i], 2);
        assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_CORRUPT);
        assert_non_null(strstr(err.text, "batch 1, id 5 of 8: lp"));
        w_loader_close(&loader);
    }
    /* members with other columns */
    assert_int_equal(truncate(path, 0), 0);
    write_counts(1, UINT64_MAX, 0, 2);
    write_counts(1, UINT64_MAX, 0, 4);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_MISMATCH);
    assert_non_null(strstr(err.text, "other columns"));
    w_loader_close(&loader);
}

/* Cut inside the last frames, after some batches came: never the end, always an error. */
/* Three batches with the column targets: T and k of batch k; more than T in the last one if it is
 * spoilt. */
static void write_padded(bool spoilt)
{
    struct w_err err = {0};
    struct w_header header = {0};
    struct w_writer *writer = NULL;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    struct w_output out = {.fd = fileno(file)};
    assert_int_equal(w_header_begin(&header, W_BATCH, "test 1", &err), W_DONE);
    assert_int_equal(w_header_add(&header, "targets", W_TYPE_U32, 1, (u64[]){B}, &err), W_DONE);
    assert_int_equal(w_header_add(&header, "x", W_TYPE_U16, 2, (u64[]){B, T + 1}, &err), W_DONE);
    w_token_header_write(&header, VOCAB, 0);
    assert_int_equal(w_writer_open(&writer, &out, &header, &(struct w_write_options){0}, &err), 0);
    for (u64 k = 0; k < 3; k++) {
        u8 record[4 * B + 2 * IDS] = {0};
        w_put32(record, T);
        w_put32(record + 4, (u32)k + (spoilt && k == 2 ? T : 0));
        for (u64 i = 0; i < IDS; i++)
            w_put16(record + 4 * B + 2 * i, (u16)id_of(k, i));
        assert_int_equal(w_writer_records(writer, record, 1, &err), W_DONE);
    }
    assert_int_equal(w_writer_close(&writer, NULL, &err), W_DONE);
    w_header_free(&header);
    fclose(file);
}

/* What wcat verify makes of the file. */
static enum w_status look_at_ids(struct w_err *err)
{
    struct w_id_stats stats = {0};
    struct w_input in = {.fd = -1};
    struct w_reader *reader = NULL;
    const struct w_header *header;
    const void *records;
    u64 count;

    assert_int_equal(w_input_open(&in, path, err), W_DONE);
    assert_int_equal(w_reader_open(&reader, &in, err), W_DONE);
    assert_int_equal(w_reader_member(reader, &header, err), W_DONE);
    assert_int_equal(w_reader_records(reader, &records, &count, err), W_DONE);
    enum w_status status = w_id_stats_begin(&stats, header, err);
    if (!status)
        status = w_id_stats_look(&stats, header, records, count, 0, err);
    w_id_stats_free(&stats);
    w_reader_close(&reader);
    w_input_close(&in);
    return status;
}

static void padding_arrives_with_its_batch(void **state)
{
    struct w_loader_options options = plain_options();
    struct w_loader *loader = NULL;
    struct w_batch_place after;
    struct w_loaded batch;
    struct w_err err = {0};

    (void)state;
    for (u32 spoilt = 0; spoilt < 2; spoilt++) {
        write_padded(spoilt);
        assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
        assert_true(w_loader_is_padded(loader));
        for (u64 k = 0; k < 3 - spoilt; k++) {
            assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
            assert_int_equal(batch.targets[0], T);
            assert_int_equal(batch.targets[1], k);
            assert_int_equal(batch.ids[IDS - 1], id_of(k, IDS - 1));
        }
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), spoilt ? W_CORRUPT : W_END);
        assert_int_equal(look_at_ids(&err), spoilt ? W_CORRUPT : W_DONE);
        w_loader_close(&loader);
    }
    write_stream((u64[]){17}, 1, 1, UINT32_MAX);
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    assert_false(w_loader_is_padded(loader));
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    assert_null(batch.targets);
    w_loader_close(&loader);
}

static void a_cut_file_is_an_error_after_its_batches(void **state)
{
    (void)state;
    struct w_err err = {0};

    write_stream((u64[]){17}, 1, 1, UINT32_MAX);
    struct w_loader_options options = plain_options();
    for (off_t cut = 1; cut < 400; cut += 7) {
        struct w_loader *loader = NULL;
        struct w_batch_place after;
        struct w_loaded batch;
        enum w_status status;
        write_stream((u64[]){17}, 1, 1, UINT32_MAX);
        FILE *file = fopen(path, "r+");
        fseek(file, 0, SEEK_END);
        assert_int_equal(ftruncate(fileno(file), ftell(file) - cut), 0);
        fclose(file);
        status = w_loader_open(&loader, &options, &err);
        while (!status)
            status = w_loader_next(loader, &batch, &after, &err);
        assert_int_equal(w_exit_code(status), 3);
        w_loader_close(&loader);
    }
}

/* A pipe without further data: a signal ends the trainer's wait, and closing does not wait for the
 * writer. */
static void a_silent_pipe_can_be_left(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop;
    struct w_loader *loader = NULL;
    struct w_batch_place after;
    struct w_loaded batch;
    struct w_err err = {0};
    char pipe_path[32], bytes[8192];
    int ends[2];

    write_stream((u64[]){17}, 1, 1, UINT32_MAX);
    FILE *file = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, size - 256), (ssize_t)(size - 256)); /* no end frame */
    snprintf(pipe_path, sizeof pipe_path, "/dev/fd/%d", ends[0]);
    struct w_loader_options options = plain_options();
    options.path = pipe_path;
    options.stop = &stop;
    assert_int_equal(w_loader_open(&loader, &options, &err), W_DONE);
    for (int k = 0; k < 17; k++)
        assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_DONE);
    stop = 1;
    double started_s = w_now_s();
    assert_int_equal(w_loader_next(loader, &batch, &after, &err), W_SIGNAL);
    w_loader_close(&loader);
    assert_true(w_now_s() - started_s < 5);
    close(ends[0]);
    close(ends[1]);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_batch_arrives_and_every_place_leads_on),
        cmocka_unit_test(a_share_has_its_batches_and_the_places_of_whole_steps),
        cmocka_unit_test(a_single_file_knows_its_length),
        cmocka_unit_test(other_data_are_refused),
        cmocka_unit_test(the_same_data_in_another_form_are_taken),
        cmocka_unit_test(other_shapes_and_ids_are_refused),
        cmocka_unit_test(columns_of_counts_arrive),
        cmocka_unit_test(damaged_columns_are_refused),
        cmocka_unit_test(padding_arrives_with_its_batch),
        cmocka_unit_test(a_cut_file_is_an_error_after_its_batches),
        cmocka_unit_test(a_silent_pipe_can_be_left),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
