/* Validation: all of its text, once, in any batches; and a corpus that is split inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "data/pack.h"
#include "data/shuffle.h"
#include "stream_fixture.h"

#define VOCAB 60000
#define EOT 59999
#define FEATURES 3
#define MOST 2000

/* A corpus: what it holds, and the same as a stream. */
struct text {
    struct fixture f;
    u16 ids[MOST];
    u64 count;
};

/* Token i of the corpus has the lp and ctx that say which one it is. */
static void put_record(u8 *record, u16 id, u64 i)
{
    const float lp = -(float)(i + 1) / 65536;

    w_put16(record, id);
    memcpy(record + 2, &lp, sizeof lp);
    for (u32 k = 0; k < FEATURES; k++)
        record[6 + k] = (u8)(i * (k + 1));
}

/* Documents of 1, 2, 3... ids and the end id; the last one without it if it is `open`. */
static void write_text(struct text *text, u32 documents, bool open, bool columns)
{
    struct w_write_options options = {.frame_bytes = 300};
    struct w_err *err = &text->f.err;
    struct w_writer *writer = NULL;
    struct w_header header = {0};

    fixture_open(&text->f);
    text->count = 0;
    assert_int_equal(w_header_begin(&header, W_TOKENS, "test 1", err), W_DONE);
    assert_int_equal(w_header_add(&header, "tok", W_TYPE_U16, 0, NULL, err), W_DONE);
    if (columns) {
        assert_int_equal(w_header_add(&header, "lp", W_TYPE_F32, 0, NULL, err), W_DONE);
        assert_int_equal(w_header_add(&header, "ctx", W_TYPE_U8, 1, (u64[]){FEATURES}, err),
                         W_DONE);
    }
    w_token_header_write(&header, VOCAB, EOT);
    assert_int_equal(w_writer_open(&writer, &text->f.out, &header, &options, err), W_DONE);
    w_header_free(&header);
    for (u32 d = 0; d < documents; d++)
        for (u32 i = 0; i <= d + 1 - (open && d == documents - 1); i++, text->count++) {
            u8 record[6 + FEATURES];
            assert_true(text->count < MOST);
            text->ids[text->count] = i <= d ? (u16)(1000 * d + i) : EOT;
            put_record(record, text->ids[text->count], text->count);
            assert_int_equal(w_writer_records(writer, record, 1, err), W_DONE);
        }
    assert_int_equal(w_writer_close(&writer, NULL, err), W_DONE);
}

/* The stream of validation of a text, in memory. */
static enum w_status make_stream_of(struct text *text, double fraction,
                                    const struct w_validation_options *o, struct fixture *to,
                                    bool *inside)
{
    const struct w_parts_options split = {.val_fraction = fraction};
    struct w_pack_options how = {.length = o->length, .shards = 1};
    char path[64], *paths[] = {path};
    struct w_corpus *corpus = NULL;
    struct w_parts *parts = NULL;
    struct w_pack *pack = NULL;
    struct w_writer *writer = NULL;
    struct w_header header = {0};
    const struct w_write_options options = {.level = 1};
    struct w_err *err = &to->err;

    fixture_open(to);
    snprintf(path, sizeof path, "/proc/self/fd/%d", text->f.out.fd);
    assert_int_equal(w_corpus_open(&corpus, paths, 1, err), W_DONE);
    const struct w_corpus_facts *facts = w_corpus_facts(corpus);
    assert_int_equal(w_parts_new(&parts, corpus, &split, err), W_DONE);
    assert_int_equal(w_header_begin(&header, W_BATCH, "test 1", err), W_DONE);
    assert_int_equal(w_validation_header(&header, facts, o, err), W_DONE);
    assert_int_equal(w_writer_open(&writer, &to->out, &header, &options, err), W_DONE);
    assert_int_equal(w_validation_new(&how.validation, facts, o, writer, err), W_DONE);
    assert_int_equal(w_pack_new(&pack, corpus, parts, &how, err), W_DONE);
    enum w_status status = W_DONE;
    while (!status)
        status = w_pack_next(pack, NULL, err);
    if (status == W_END)
        status = w_validation_end(how.validation, err);
    if (!status)
        status = w_writer_close(&writer, NULL, err);
    *inside = w_parts_are_inside(parts);
    w_writer_abort(&writer, "test", err);
    w_header_free(&header);
    w_pack_free(pack);
    w_validation_free(how.validation);
    w_parts_free(parts);
    w_corpus_close(&corpus);
    return status;
}

/* The tokens of a text that belong to validation, by its number in the text. */
static u64 numbers_for_validation(const struct text *text, double fraction, bool inside,
                                  u64 *numbers)
{
    const u64 tail = W_MAX((u64)((double)text->count * fraction), 1);
    u64 document = 0, n = 0;

    for (u64 i = 0; i < text->count; i++) {
        if (inside ? i >= text->count - tail : w_is_validation(0, document, fraction))
            numbers[n++] = i;
        document += text->ids[i] == EOT;
    }
    return n;
}

/* Go through a stream: sequence k of the validation has the targets kT to kT + T of its text, the
 * id before them, and padding after them. */
static void expect_text(struct fixture *f, const struct text *text, const u64 *numbers, u64 count,
                        const struct w_validation_options *o, bool columns)
{
    struct w_reader *reader = NULL;
    const struct w_header *header = NULL;
    struct w_token_header said;
    const u64 room = o->length + 1, all = (count + o->length - 1) / o->length;
    u64 k = o->shard, got = 1;

    f->in = (struct w_input){.fd = f->out.fd};
    assert_int_equal(lseek(f->in.fd, 0, SEEK_SET), 0);
    assert_int_equal(w_reader_open(&reader, &f->in, &f->err), W_DONE);
    assert_int_equal(w_reader_member(reader, &header, &f->err), W_DONE);
    w_token_header_read(&said, header);
    assert_int_equal(said.sequences, o->batch);
    u8 *record = malloc(header->record_bytes);
    assert_non_null(record);
    while (!w_reader_upto(reader, record, 1, &got, &f->err) && got) {
        assert_int_equal(w_targets_check(&said, record, 0, &f->err), W_DONE);
        for (u64 b = 0; b < o->batch; b++, k += o->shards) {
            const u64 first = k * o->length;
            const u64 targets = k < all ? W_MIN(count - first, o->length) : 0;
            assert_int_equal(w_targets_at(&said, record, b), targets);
            for (u64 t = 0; t < room; t++) {
                const u64 at = b * room + t,
                          from = first + t; /* the target before which it stands */
                const bool real = from > 0 && t <= targets && k < all;
                const u64 number = real ? numbers[from - 1] : 0;
                assert_int_equal(w_id_at(record + said.ids_at, 2, at),
                                 real ? text->ids[number] : EOT);
                if (columns)
                    assert_true(w_lp_at(record + said.lp_at, at) ==
                                (real ? -(float)(number + 1) / 65536 : 0));
                for (u64 c = 0; columns && c < FEATURES; c++)
                    assert_int_equal(record[said.ctx_at + at * FEATURES + c],
                                     real ? (u8)(number * (c + 1)) : 0);
            }
        }
        /* The first batch without text is never written. */
        assert_true(k - o->batch * o->shards < all);
    }
    assert_true(k >= all);
    free(record);
    w_reader_close(&reader);
}

static void expect_validation(u32 documents, bool open, double fraction, bool inside)
{
    static const struct w_validation_options shapes[] = {
        {.batch = 1, .length = 1, .shards = 1},
        {.batch = 3, .length = 7, .shards = 1},
        {.batch = 8, .length = 16, .shards = 1},
        {.batch = 2, .length = 5, .shard = 1, .shards = 3},
        {.batch = 4, .length = 500, .shards = 1},
    };
    static struct text text;
    static u64 numbers[MOST];

    for (size_t i = 0; i < 2 * W_COUNTOF(shapes); i++) {
        const bool columns = i % 2;
        const struct w_validation_options *o = &shapes[i / 2];
        struct fixture stream;
        bool is_inside;
        write_text(&text, documents, open, columns);
        enum w_status status = make_stream_of(&text, fraction, o, &stream, &is_inside);
        const u64 count = numbers_for_validation(&text, fraction, inside, numbers);
        if (status == W_MISMATCH && o->shards > 1 && count <= o->length * o->shard)
            assert_non_null(strstr(stream.err.text, "nothing for validation"));
        else if (status)
            fail_msg("%s", stream.err.text);
        assert_int_equal(is_inside, inside);
        if (!status)
            expect_text(&stream, &text, numbers, count, o, columns);
        fixture_free(&stream);
        fixture_free(&text.f);
    }
}

static void every_token_for_validation_is_a_target_once(void **state)
{
    (void)state;
    expect_validation(40, false, 0.3, false);
    expect_validation(40, true, 0.3, false);
    expect_validation(40, false, 1, false);
    expect_validation(1, false, 1, false);
}

static void a_corpus_without_documents_for_a_part_is_split_inside(void **state)
{
    (void)state;
    expect_validation(1, false, 0.01, true);  /* 2 tokens: one for each */
    expect_validation(3, true, 0.0001, true); /* no document was chosen for validation */
    expect_validation(5, false, 0.99, true);  /* all of them were */
}

/* Batches at most. */
static void a_limit_ends_the_stream_early(void **state)
{
    (void)state;
    static struct text text;
    const struct w_validation_options o = {.batch = 2, .length = 3, .shards = 1, .most = 4};
    struct fixture stream;
    struct w_reader *reader = NULL;
    const struct w_header *header;
    const void *records;
    u64 count, all = 0;
    bool inside;

    write_text(&text, 40, false, false);
    assert_int_equal(make_stream_of(&text, 1, &o, &stream, &inside), W_DONE);
    stream.in = (struct w_input){.fd = stream.out.fd};
    assert_int_equal(lseek(stream.in.fd, 0, SEEK_SET), 0);
    assert_int_equal(w_reader_open(&reader, &stream.in, &stream.err), W_DONE);
    assert_int_equal(w_reader_member(reader, &header, &stream.err), W_DONE);
    while (!w_reader_records(reader, &records, &count, &stream.err))
        all += count;
    assert_int_equal(all, 4);
    w_reader_close(&reader);
    fixture_free(&stream);
    fixture_free(&text.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_for_validation_is_a_target_once),
        cmocka_unit_test(a_corpus_without_documents_for_a_part_is_split_inside),
        cmocka_unit_test(a_limit_ends_the_stream_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
