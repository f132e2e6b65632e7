/* Batches: orders are permutations, parts are disjoint and complete, any batch can come first. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/rng.h"
#include "data/batches.h"
#include "data/shuffle.h"
#include "sys/deflate.h"
#include "stream_fixture.h"

#define VOCAB 60000
#define EOT 59999
#define DOCUMENTS 40

/* Document d is d+1 ids long and consists of ids from 1000 d on, so that every id of the corpus is
 * another one; then the end id. */
static u64 write_documents(struct fixture *f, u32 first, u32 count)
{
    struct w_write_options options = {.level = 1, .frame_bytes = 512};
    struct w_header h;
    struct w_writer *w = NULL;
    make_header(&h, W_TOKENS, 0);
    w_json_set_u64(h.json, "vocab", VOCAB);
    w_json_set_u64(h.json, "eot", EOT);
    assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
    w_header_free(&h);
    for (u32 d = first; d < first + count; d++) {
        for (u32 i = 0; i <= d; i++) {
            u8 id[2];
            w_put16(id, (u16)(1000 * d + i));
            assert_int_equal(w_writer_records(w, id, 1, &f->err), W_DONE);
        }
        u8 end[2];
        w_put16(end, EOT);
        assert_int_equal(w_writer_records(w, end, 1, &f->err), W_DONE);
    }
    u64 written = w_writer_count(w);
    assert_int_equal(w_writer_close(&w, NULL, &f->err), W_DONE);
    return written;
}

/* A run of wbatch, all records in memory. */
struct run {
    enum w_status status;
    struct w_err err;
    u16 *ids; /* (records, B, T+1) */
    u64 records, epoch_len, dropped;
    size_t record_ids, record_bytes;
    struct w_pack_counts counts;
    u32 start_crc;
};

static struct run deal_part(struct fixture *f, struct w_parts_options split,
                            struct w_pack_options pack_options, struct w_batches_options options)
{
    struct run run = {.record_ids = (size_t)(options.batch * (pack_options.length + 1))};
    char path[64], *paths[] = {path};
    struct w_corpus *corpus = NULL;
    struct w_parts *parts = NULL;
    struct w_pack *pack = NULL;
    struct w_batches *batches = NULL;

    snprintf(path, sizeof path, "/proc/self/fd/%d", f->out.fd);
    pack_options.shards = pack_options.shards ? pack_options.shards : 1;
    options.epochs = options.epochs ? options.epochs : 1;
    run.status = w_corpus_open(&corpus, paths, 1, &run.err);
    if (!run.status)
        run.status = w_parts_new(&parts, corpus, &split, &run.err);
    if (!run.status)
        run.status = w_pack_new(&pack, corpus, parts, &pack_options, &run.err);
    if (!run.status)
        run.status = w_batches_open(&batches, pack, &options, &run.err);
    while (!run.status) {
        size_t bytes = run.record_bytes = (size_t)options.batch * w_pack_sequence_bytes(pack);
        run.ids = realloc(run.ids, (size_t)(run.records + 1) * bytes);
        assert_non_null(run.ids);
        u8 *record = (u8 *)run.ids + run.records * bytes;
        run.status = w_batches_next(batches, record, &run.err);
        run.records += !run.status;
    }
    if (run.status == W_END) {
        run.status = W_DONE;
        run.epoch_len = w_batches_epoch_len(batches);
        run.dropped = w_batches_dropped(batches);
        run.counts = *w_pack_counts(pack);
        run.start_crc = w_batches_start_crc(batches);
    }
    w_batches_close(&batches);
    w_pack_free(pack);
    w_parts_free(parts);
    w_corpus_close(&corpus);
    return run;
}

static struct run deal(struct fixture *f, struct w_pack_options pack_options,
                       struct w_batches_options options)
{
    return deal_part(f, (struct w_parts_options){0}, pack_options, options);
}

static int by_id(const void *a, const void *b)
{
    return *(const u16 *)a - *(const u16 *)b;
}

/* The first ids of all sequences, sorted: they are all different, so they stand for the
 * sequences. */
static void sort_sequences(struct run *run, u64 length)
{
    u64 n = run->records * run->record_ids / (length + 1);
    for (u64 i = 0; i < n; i++)
        run->ids[i] = run->ids[i * (length + 1)];
    qsort(run->ids, n, sizeof(u16), by_id);
}

static void assert_same(const struct run *a, u64 from, const struct run *b)
{
    assert_int_equal(a->status, W_DONE);
    assert_int_equal(b->status, W_DONE);
    assert_int_equal(a->records - from, b->records);
    assert_memory_equal(a->ids + from * a->record_ids, b->ids,
                        b->records * b->record_ids * sizeof(u16));
}

/* CRC-32 of the first batches. */
static u32 crc_of(const struct run *run, u64 batches)
{
    return w_crc32(0, run->ids, batches * run->record_ids * sizeof(u16));
}

static void an_order_is_a_permutation(void **state)
{
    (void)state;
    static u32 order[5000];
    static bool met[5000];
    for (u32 n = 1; n <= 5000; n = n < 200 ? n + 1 : n * 3) {
        memset(met, 0, sizeof met);
        w_shuffle(order, n, 7, n % 5);
        for (u32 i = 0; i < n; i++) {
            assert_true(order[i] < n && !met[order[i]]);
            met[order[i]] = true;
        }
    }
}

static void all_orders_are_equally_likely(void **state)
{
    (void)state;
    u32 order[4], hits[4 * 4 * 4] = {0}, n = 24000;
    for (u32 epoch = 0; epoch < n; epoch++) {
        w_shuffle(order, 4, 1, epoch);
        hits[order[0] * 16 + order[1] * 4 + order[2]]++;
    }
    u32 kinds = 0;
    for (u32 i = 0; i < 64; i++)
        if (hits[i]) {
            kinds++;
            assert_in_range(hits[i], 1000 - 160, 1000 + 160); /* five standard deviations */
        }
    assert_int_equal(kinds, 24);
}

static void a_larger_split_holds_the_smaller(void **state)
{
    (void)state;
    u32 small = 0, n = 100000;
    for (u64 d = 0; d < n; d++) {
        bool in_small = w_is_validation(3, d, 0.01);
        small += in_small;
        assert_true(!in_small || w_is_validation(3, d, 0.02));
    }
    assert_in_range(small, 1000 - 160, 1000 + 160);
    assert_false(w_is_validation(3, 1, 0));
    assert_true(w_is_validation(3, 1, 1));
}

/* Which documents' ends and which ids are in a part, from its ids in their order. */
static void documents_of(const struct run *run, bool *met)
{
    for (u64 i = 0; i < run->records; i++) {
        u16 id = run->ids[i * run->record_ids];
        if (id != EOT)
            met[id] = true;
    }
}

static void documents_for_validation_are_left_out(void **state)
{
    (void)state;
    static bool met[VOCAB];
    struct fixture f;
    fixture_open(&f);
    u64 tokens = write_documents(&f, 0, DOCUMENTS);
    struct run run =
        deal_part(&f, (struct w_parts_options){.val_fraction = 0.3},
                  (struct w_pack_options){.length = 1}, (struct w_batches_options){.batch = 1});
    assert_int_equal(run.counts.tokens[0] + run.counts.tokens[1], tokens);
    assert_int_equal(run.counts.documents[0] + run.counts.documents[1], DOCUMENTS);
    assert_true(run.counts.documents[1] > 3 && run.counts.documents[1] < 25);
    documents_of(&run, met);
    for (u32 d = 0; d < DOCUMENTS; d++)
        for (u32 i = 0; i <= d; i++)
            assert_int_equal(met[1000 * d + i], !w_is_validation(0, d, 0.3));
    free(run.ids);
    fixture_free(&f);
}

static void sequences_overlap_by_the_last_target(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    u64 tokens = write_documents(&f, 0, DOCUMENTS);
    struct run run =
        deal(&f, (struct w_pack_options){.length = 7}, (struct w_batches_options){.batch = 1});
    assert_int_equal(run.records, (tokens - 1) / 7);
    assert_int_equal(run.ids[0], 0);
    for (u64 k = 1; k < run.records; k++)
        assert_int_equal(run.ids[k * 8], run.ids[k * 8 - 1]);
    free(run.ids);
    fixture_free(&f);
}

static void each_epoch_has_every_sequence_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    write_documents(&f, 0, DOCUMENTS);
    struct w_pack_options pack = {.length = 2};
    struct w_batches_options o = {.batch = 1, .seed = 5, .shuffle = true, .epochs = 2};
    struct run two = deal(&f, pack, o);
    assert_int_equal(two.records, 2 * two.epoch_len);
    assert_memory_not_equal(two.ids, two.ids + two.epoch_len * 3, two.epoch_len * 3 * sizeof(u16));
    sort_sequences(&two, 2);
    /* End ids may begin several sequences; all others are met exactly twice. */
    for (u64 i = 0; i + 1 < two.records && two.ids[i] != EOT; i += 2) {
        assert_int_equal(two.ids[i], two.ids[i + 1]);
        assert_true(i == 0 || two.ids[i] != two.ids[i - 1]);
    }
    o.batch = 7;
    struct run sevens = deal(&f, pack, o);
    assert_int_equal(sevens.dropped, 2 * (two.epoch_len - 7 * sevens.epoch_len));
    free(two.ids);
    free(sevens.ids);
    fixture_free(&f);
}

static void shards_are_disjoint_and_complete(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    write_documents(&f, 0, DOCUMENTS);
    struct w_batches_options o = {.batch = 1, .shuffle = true};
    struct run all = deal(&f, (struct w_pack_options){.length = 3}, o);
    u64 count = 0;
    u16 *joined = malloc(all.records * sizeof *joined);
    assert_non_null(joined);
    for (u64 shard = 0; shard < 3; shard++) {
        struct run part =
            deal(&f, (struct w_pack_options){.length = 3, .shard = shard, .shards = 3}, o);
        assert_true(count + part.records <= all.records);
        for (u64 i = 0; i < part.records; i++)
            joined[count++] = part.ids[4 * i];
        free(part.ids);
    }
    assert_int_equal(count, all.records);
    sort_sequences(&all, 3);
    qsort(joined, count, sizeof *joined, by_id);
    assert_memory_equal(joined, all.ids, count * sizeof *joined);
    free(joined);
    free(all.ids);
    fixture_free(&f);
}

static void any_batch_can_come_first(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    write_documents(&f, 0, DOCUMENTS);
    struct w_pack_options pack = {.length = 4};
    struct w_batches_options variants[] = {
        {.batch = 3, .seed = 9, .shuffle = true, .epochs = 3},
        {.batch = 3, .seed = 9, .shuffle = true, .window = 20},
        {.batch = 3, .window = 20},
    };
    for (size_t v = 0; v < W_COUNTOF(variants); v++) {
        struct run whole = deal(&f, pack, variants[v]);
        for (u64 k = 0; k <= whole.records; k += k < 5 ? 1 : 11) {
            variants[v].start = k;
            struct run tail = deal(&f, pack, variants[v]);
            assert_same(&whole, k, &tail);
            assert_int_equal(tail.start_crc, crc_of(&whole, k));
            free(tail.ids);
        }
        variants[v].start = whole.records + 1;
        struct run beyond = deal(&f, pack, variants[v]);
        assert_int_equal(beyond.status, W_USAGE);
        free(whole.ids);
    }
    fixture_free(&f);
}

static void a_window_passes_every_sequence_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    write_documents(&f, 0, DOCUMENTS);
    struct w_pack_options pack = {.length = 4};
    struct w_batches_options o = {.batch = 1};
    struct run plain = deal(&f, pack, o);
    u64 n = plain.records;
    o.shuffle = true;
    struct run held = deal(&f, pack, o);
    for (u64 window = 1; window <= n + 1; window = window < 4 ? window + 1 : window * 2) {
        o.window = window;
        struct run run = deal(&f, pack, o);
        assert_int_equal(run.records, n);
        assert_memory_not_equal(run.ids, plain.ids, n * 5 * sizeof(u16));
        sort_sequences(&run, 4);
        struct run copy = plain;
        copy.ids = malloc(n * 5 * sizeof(u16));
        assert_non_null(copy.ids);
        memcpy(copy.ids, plain.ids, n * 5 * sizeof(u16));
        sort_sequences(&copy, 4);
        assert_memory_equal(run.ids, copy.ids, n * sizeof(u16));
        free(copy.ids);
        free(run.ids);
    }
    /* What fits is shuffled as a file is. */
    o.window = n;
    struct run fits = deal(&f, pack, o);
    assert_same(&held, 0, &fits);
    assert_int_equal(fits.epoch_len, n);
    /* Without shuffling a window keeps the order. */
    o.window = 7, o.shuffle = false;
    struct run ring = deal(&f, pack, o);
    assert_same(&plain, 0, &ring);
    assert_int_equal(ring.epoch_len, 0);
    free(plain.ids);
    free(held.ids);
    free(fits.ids);
    free(ring.ids);
    fixture_free(&f);
}

static void members_are_one_corpus(void **state)
{
    (void)state;
    struct fixture one, two;
    fixture_open(&one);
    fixture_open(&two);
    write_documents(&one, 0, DOCUMENTS);
    write_documents(&two, 0, 10);
    write_documents(&two, 10, DOCUMENTS - 10);
    struct w_parts_options split = {.val_fraction = 0.2};
    struct w_pack_options pack = {.length = 4};
    struct w_batches_options o = {.batch = 3, .shuffle = true, .seed = 2};
    struct run a = deal_part(&one, split, pack, o), b = deal_part(&two, split, pack, o);
    assert_same(&a, 0, &b);
    free(a.ids);
    free(b.ids);
    fixture_free(&one);
    fixture_free(&two);
}

/* What token i of the corpus has in its columns: lp tells which token it is. */
static float lp_of(u64 i)
{
    return -(float)(i + 1) / 65536;
}

static u8 ctx_of(u64 i, u32 k)
{
    return (u8)(i * (k + 1));
}

#define FEATURES 3

/* The documents once more, with columns, in members of `each` documents; `extra`: with a column
 * between them that readers do not know. Token `spoilt` has that lp. Fills ids. */
static u64 write_columns(struct fixture *f, u32 each, bool extra, u64 spoilt, float lp, u16 *ids)
{
    struct w_header h;
    struct w_writer *w = NULL;
    u64 at = 0;

    for (u32 d = 0; d < DOCUMENTS; d++) {
        if (d % each == 0) {
            assert_int_equal(w_header_begin(&h, W_TOKENS, "test 1", &f->err), W_DONE);
            assert_int_equal(w_header_add(&h, "tok", W_TYPE_U16, 0, NULL, &f->err), W_DONE);
            assert_int_equal(w_header_add(&h, "lp", W_TYPE_F32, 0, NULL, &f->err), W_DONE);
            if (extra)
                assert_int_equal(w_header_add(&h, "more", W_TYPE_U64, 1, (u64[]){2}, &f->err), 0);
            assert_int_equal(w_header_add(&h, "ctx", W_TYPE_U8, 1, (u64[]){FEATURES}, &f->err), 0);
            w_token_header_write(&h, VOCAB, EOT);
            struct w_write_options options = {.frame_bytes = 500};
            assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
            w_header_free(&h);
        }
        for (u32 i = 0; i <= d + 1; i++, at++) {
            u8 record[2 + 4 + 16 + FEATURES] = {0}, *end = record + 6 + (extra ? 16 : 0);
            float value = at == spoilt ? lp : lp_of(at);
            ids[at] = (u16)(i <= d ? 1000 * d + i : EOT);
            w_put16(record, ids[at]);
            memcpy(record + 2, &value, sizeof value);
            for (u32 k = 0; k < FEATURES; k++)
                end[k] = ctx_of(at, k);
            assert_int_equal(w_writer_records(w, record, 1, &f->err), W_DONE);
        }
        if (d % each == each - 1 || d == DOCUMENTS - 1)
            assert_int_equal(w_writer_close(&w, NULL, &f->err), W_DONE);
    }
    return at;
}

/* Every id of every batch has beside it what its token had; counts the tokens met in met[]. */
static void expect_columns(const struct run *run, u64 rows, u64 room, const u16 *ids, u32 *met)
{
    const u64 n = rows * room;

    assert_int_equal(run->status, W_DONE);
    assert_true(run->records > 0);
    assert_int_equal(run->record_bytes, n * (4 + 2 + FEATURES));
    for (u64 r = 0; r < run->records; r++) {
        const u8 *lp = (const u8 *)run->ids + r * run->record_bytes, *x = lp + 4 * n;
        const u8 *ctx = x + 2 * n;
        for (u64 i = 0; i < n; i++) {
            const u64 token = (u64)(-w_lp_at(lp, i) * 65536) - 1;
            assert_int_equal(w_id_at(x, 2, i), ids[token]);
            for (u32 k = 0; k < FEATURES; k++)
                assert_int_equal(ctx[i * FEATURES + k], ctx_of(token, k));
            met[token]++;
        }
    }
}

static void columns_go_with_their_ids(void **state)
{
    (void)state;
    static const struct {
        struct w_pack_options pack;
        struct w_batches_options batches;
        double val_fraction;
        u32 each;
        bool extra;
    } cases[] = {
        {{.length = 7}, {.batch = 3}, 0, DOCUMENTS, false},
        {{.length = 7}, {.batch = 3, .shuffle = true, .seed = 4, .epochs = 3}, 0, 7, true},
        {{.length = 4}, {.batch = 5, .shuffle = true, .window = 20}, 0, 9, false},
        {{.length = 4}, {.batch = 1, .window = 20, .start = 3}, 0, 9, true},
        {{.length = 5}, {.batch = 2, .shuffle = true}, 0.3, 6, false},
        {{.length = 3, .shard = 1, .shards = 3}, {.batch = 2, .shuffle = true}, 0, 40, false},
        {{.length = 1}, {.batch = 1}, 0, 40, true},
    };
    static u16 ids[4096];

    for (size_t c = 0; c < W_COUNTOF(cases); c++) {
        struct fixture plain, f;
        u32 met[4096] = {0};
        fixture_open(&plain);
        fixture_open(&f);
        write_documents(&plain, 0, DOCUMENTS);
        u64 tokens = write_columns(&f, cases[c].each, cases[c].extra, UINT64_MAX, 0, ids);
        const struct w_parts_options split = {.val_fraction = cases[c].val_fraction};
        struct run without = deal_part(&plain, split, cases[c].pack, cases[c].batches);
        struct run run = deal_part(&f, split, cases[c].pack, cases[c].batches);
        expect_columns(&run, cases[c].batches.batch, cases[c].pack.length + 1, ids, met);
        /* The ids are those of a stream without columns. */
        assert_int_equal(run.records, without.records);
        for (u64 r = 0; r < run.records; r++)
            assert_memory_equal((u8 *)run.ids + r * run.record_bytes + 4 * run.record_ids,
                                without.ids + r * run.record_ids, 2 * run.record_ids);
        if (c == 0)
            for (u64 i = 0; i < run.records * 21; i++)
                assert_int_equal(met[i], i > 0 && i % 7 == 0 ? 2 : 1);
        assert_true(tokens < W_COUNTOF(ids));
        free(run.ids);
        free(without.ids);
        fixture_free(&f);
        fixture_free(&plain);
    }
}

static void columns_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const float spoilt[] = {1e-30f, NAN, INFINITY, -INFINITY};
    static u16 ids[4096];
    const struct w_pack_options pack = {.length = 4};
    const struct w_batches_options batches = {.batch = 2};

    for (size_t i = 0; i <= W_COUNTOF(spoilt); i++) {
        struct fixture f;
        fixture_open(&f);
        write_columns(&f, 10, false, i < W_COUNTOF(spoilt) ? 123 : UINT64_MAX,
                      i < W_COUNTOF(spoilt) ? spoilt[i] : 0, ids);
        if (i == W_COUNTOF(spoilt)) /* a member without columns after those with */
            write_documents(&f, 0, 1);
        struct run run = deal(&f, pack, batches);
        if (i < W_COUNTOF(spoilt)) {
            assert_int_equal(run.status, W_CORRUPT);
            assert_non_null(strstr(run.err.text, "member 2, record 58: lp"));
        } else {
            assert_int_equal(run.status, W_MISMATCH);
            assert_non_null(strstr(run.err.text, "other columns"));
        }
        free(run.ids);
        fixture_free(&f);
    }
}

static void what_cannot_work_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    write_documents(&f, 0, DOCUMENTS);
    struct w_pack_options pack = {.length = 4};
    struct run run =
        deal(&f, pack, (struct w_batches_options){.batch = 2, .epochs = 2, .window = 50});
    assert_int_equal(run.status, W_USAGE);
    free(run.ids);
    run = deal(&f, pack, (struct w_batches_options){.batch = 5000});
    assert_int_equal(run.status, W_MISMATCH);
    free(run.ids);
    run = deal(&f, pack, (struct w_batches_options){.batch = 5000, .window = 50});
    assert_int_equal(run.status, W_MISMATCH);
    free(run.ids);
    /* A second member with an id beyond its vocabulary, or with no tokens. */
    write_documents(&f, 60, 1);
    run = deal(&f, pack, (struct w_batches_options){.batch = 2});
    assert_int_equal(run.status, W_CORRUPT);
    free(run.ids);
    fixture_free(&f);
    struct w_write_options options = {0};
    make_stream(&f, W_BATCH, "twenty u16 numbers, as the fixture's", 0, options);
    run = deal(&f, pack, (struct w_batches_options){.batch = 2});
    assert_int_equal(run.status, W_MISMATCH);
    free(run.ids);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_a_permutation),
        cmocka_unit_test(all_orders_are_equally_likely),
        cmocka_unit_test(a_larger_split_holds_the_smaller),
        cmocka_unit_test(documents_for_validation_are_left_out),
        cmocka_unit_test(sequences_overlap_by_the_last_target),
        cmocka_unit_test(each_epoch_has_every_sequence_once),
        cmocka_unit_test(shards_are_disjoint_and_complete),
        cmocka_unit_test(any_batch_can_come_first),
        cmocka_unit_test(a_window_passes_every_sequence_once),
        cmocka_unit_test(members_are_one_corpus),
        cmocka_unit_test(columns_go_with_their_ids),
        cmocka_unit_test(columns_that_do_not_fit_are_refused),
        cmocka_unit_test(what_cannot_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
