/* Ids in headers: read as they were written, and missing where they were not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/token_header.h"

static struct w_header header_of(enum w_kind kind, enum w_type dtype, u32 ndim)
{
    static const u64 shape[] = {3, 5};
    struct w_header header = {0};
    struct w_err err;

    if (w_header_begin(&header, kind, "test 1", &err) ||
        w_header_add(&header, "x", dtype, ndim, shape, &err))
        fail_msg("%s", err.text);
    return header;
}

static void expect_ids(enum w_kind kind, enum w_type dtype, u32 ndim, u32 id_bytes, u64 ids)
{
    struct w_header header = header_of(kind, dtype, ndim);
    struct w_token_header said;

    w_token_header_read(&said, &header);
    assert_int_equal(said.id_bytes, id_bytes);
    assert_int_equal(said.ids, ids);
    w_header_free(&header);
}

static void ids_are_where_they_can_be(void **state)
{
    (void)state;
    expect_ids(W_TOKENS, W_TYPE_U16, 0, 2, 1);
    expect_ids(W_TOKENS, W_TYPE_U32, 0, 4, 1);
    expect_ids(W_BATCH, W_TYPE_U16, 2, 2, 15);
    expect_ids(W_BATCH, W_TYPE_U32, 2, 4, 15);
    expect_ids(W_BATCH, W_TYPE_F32, 2, 0, 0);
    expect_ids(W_BATCH, W_TYPE_I32, 2, 0, 0);
    expect_ids(W_TENSORS, W_TYPE_U16, 2, 0, 0);
}

static void columns_are_where_their_names_say(void **state)
{
    struct w_header token = header_of(W_TOKENS, W_TYPE_U16, 0);
    struct w_header batch = {0};
    struct w_token_header said;
    struct w_err err;

    (void)state;
    assert_int_equal(w_header_add(&token, "y", W_TYPE_U64, 0, NULL, &err), W_DONE);
    w_token_header_read(&said, &token);
    assert_int_equal(said.features, 0);
    assert_int_equal(said.ids, 1);
    assert_int_equal(said.record_bytes, 10);
    assert_int_equal(w_header_add(&token, "lp", W_TYPE_F32, 0, NULL, &err), W_DONE);
    assert_int_equal(w_header_add(&token, "ctx", W_TYPE_U8, 1, (u64[]){8}, &err), W_DONE);
    w_token_header_read(&said, &token);
    assert_int_equal(said.features, 8);
    assert_int_equal(said.ids_at, 0);
    assert_int_equal(said.lp_at, 10);
    assert_int_equal(said.ctx_at, 14);
    assert_int_equal(said.record_bytes, 22);
    w_header_free(&token);

    assert_int_equal(w_header_begin(&batch, W_BATCH, "test 1", &err), W_DONE);
    assert_int_equal(w_header_add(&batch, "lp", W_TYPE_F32, 2, (u64[]){3, 5}, &err), W_DONE);
    assert_int_equal(w_header_add(&batch, "w", W_TYPE_U16, 1, (u64[]){7}, &err), W_DONE);
    assert_int_equal(w_header_add(&batch, "x", W_TYPE_U16, 2, (u64[]){3, 5}, &err), W_DONE);
    assert_int_equal(w_header_add(&batch, "ctx", W_TYPE_U8, 3, (u64[]){3, 5, 2}, &err), W_DONE);
    w_token_header_read(&said, &batch);
    assert_int_equal(said.features, 2);
    assert_int_equal(said.ids, 15);
    assert_int_equal(said.lp_at, 0);
    assert_int_equal(said.ids_at, 74);
    assert_int_equal(said.ctx_at, 104);
    w_header_free(&batch);
}

/* What a reader makes of a header with these columns. */
static enum w_status status_of(const char *columns, struct w_err *err)
{
    struct w_header header = {0};
    struct w_json *json = NULL;
    char text[512];

    snprintf(text, sizeof text, "{\"wts\":1,%s}", columns);
    assert_int_equal(w_json_parse(&json, text, strlen(text), err), W_DONE);
    enum w_status status = w_header_from_json(&header, json, err);
    w_header_free(&header);
    return status;
}

#define COLUMN(name, type, shape)                                                                  \
    "{\"name\":\"" name "\",\"dtype\":\"" type "\",\"shape\":[" shape "]}"
#define TOKEN "\"kind\":\"tokens\",\"rec\":[" COLUMN("tok", "u16", "")
#define BATCH "\"kind\":\"batch\",\"rec\":["

static void columns_that_do_not_go_with_the_ids_are_damage(void **state)
{
    static const char *const good[] = {
        TOKEN "]",
        TOKEN "," COLUMN("lq", "f64", "4") "," COLUMN("ctx2", "u8", "") "]",
        TOKEN "," COLUMN("ctx", "u8", "64") "," COLUMN("lp", "f32", "") "]",
        BATCH COLUMN("lp", "f32", "2,3") "," COLUMN("x", "u16", "2,3") "," COLUMN("ctx", "u8",
                                                                                  "2,3,1") "]",
        BATCH COLUMN("targets", "u32", "2") "," COLUMN("x", "u16", "2,3") "]",
        TOKEN "," COLUMN("targets", "u8", "") "]",
    };
    static const char *const bad[] = {
        TOKEN "," COLUMN("lp", "f32", "") "]",
        TOKEN "," COLUMN("ctx", "u8", "8") "]",
        TOKEN "," COLUMN("lp", "f64", "") "," COLUMN("ctx", "u8", "8") "]",
        TOKEN "," COLUMN("lp", "f32", "1") "," COLUMN("ctx", "u8", "8") "]",
        TOKEN "," COLUMN("lp", "f32", "") "," COLUMN("ctx", "u8", "65") "]",
        TOKEN "," COLUMN("lp", "f32", "") "," COLUMN("ctx", "u8", "") "]",
        TOKEN "," COLUMN("lp", "f32", "") "," COLUMN("ctx", "u8", "4,2") "]",
        TOKEN "," COLUMN("lp", "f32", "") "," COLUMN("ctx", "u16", "8") "]",
        BATCH COLUMN("lp", "f32", "2,3") "," COLUMN("y", "u16", "2,3") "," COLUMN("ctx", "u8",
                                                                                  "2,3,1") "]",
        BATCH COLUMN("lp", "f32", "2,3") "," COLUMN("x", "u16", "2,4") "," COLUMN("ctx", "u8",
                                                                                  "2,3,1") "]",
        BATCH COLUMN("lp", "f32", "2,3") "," COLUMN("x", "u16", "2,3") "," COLUMN("ctx", "u8",
                                                                                  "3,2,1") "]",
        BATCH COLUMN("targets", "u32", "3") "," COLUMN("x", "u16", "2,3") "]",
        BATCH COLUMN("targets", "u64", "2") "," COLUMN("x", "u16", "2,3") "]",
        BATCH COLUMN("targets", "u32", "2,1") "," COLUMN("x", "u16", "2,3") "]",
        BATCH COLUMN("targets", "u32", "2") "," COLUMN("y", "u16", "2,3") "]",
    };
    struct w_err err;

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(good); i++)
        if (status_of(good[i], &err))
            fail_msg("%s: %s", good[i], err.text);
    for (size_t i = 0; i < W_COUNTOF(bad); i++)
        if (status_of(bad[i], &err) != W_CORRUPT)
            fail_msg("%s: not refused", bad[i]);
}

static void no_sequence_has_more_targets_than_places(void **state)
{
    struct w_header header = {0};
    struct w_token_header said;
    struct w_err err;
    u8 record[8 + 2 * 3 * 2] = {2, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(w_header_begin(&header, W_BATCH, "test 1", &err), W_DONE);
    assert_int_equal(w_header_add(&header, "targets", W_TYPE_U32, 1, (u64[]){2}, &err), W_DONE);
    assert_int_equal(w_header_add(&header, "x", W_TYPE_U16, 2, (u64[]){2, 3}, &err), W_DONE);
    w_token_header_read(&said, &header);
    assert_int_equal(said.sequences, 2);
    assert_int_equal(said.ids_at, 8);
    assert_int_equal(w_targets_at(&said, record, 0), 2);
    assert_int_equal(w_targets_check(&said, record, 0, &err), W_DONE);
    record[4] = 3;
    assert_int_equal(w_targets_check(&said, record, 0, &err), W_CORRUPT);
    record[4] = 0, record[7] = 1;
    assert_int_equal(w_targets_check(&said, record, 0, &err), W_CORRUPT);
    w_header_free(&header);
}

static void a_log_probability_is_a_number_up_to_0(void **state)
{
    (void)state;
    assert_true(w_lp_ok(0) && w_lp_ok(-0.f) && w_lp_ok(-1e38f));
    assert_false(w_lp_ok(1e-40f) || w_lp_ok(NAN) || w_lp_ok(-INFINITY) || w_lp_ok(INFINITY));
}

static void what_is_written_is_read(void **state)
{
    struct w_header header = header_of(W_TOKENS, W_TYPE_U16, 0);
    struct w_token_header said;
    struct w_json *tok = w_json_object();

    (void)state;
    w_token_header_read(&said, &header);
    assert_true(said.vocab == W_NOT_SAID && said.eot == W_NOT_SAID);
    assert_null(w_header_tok(&header));
    w_token_header_write(&header, 300, 299);
    w_json_set_string(tok, "sha256", "abc");
    w_header_set_tok(&header, tok);
    w_token_header_read(&said, &header);
    assert_int_equal(said.vocab, 300);
    assert_int_equal(said.eot, 299);
    assert_string_equal(w_tok_sha256(w_header_tok(&header)), "abc");
    w_header_free(&header);
}

static void what_is_no_number_or_object_is_not_said(void **state)
{
    struct w_header header = header_of(W_TOKENS, W_TYPE_U16, 0);
    struct w_token_header said;

    (void)state;
    w_json_set_string(header.json, "vocab", "300");
    w_json_set_real(header.json, "eot", 0.5);
    w_json_set_null(header.json, "tok");
    w_token_header_read(&said, &header);
    assert_true(said.vocab == W_NOT_SAID && said.eot == W_NOT_SAID);
    assert_null(w_header_tok(&header));
    assert_null(w_tok_sha256(NULL));
    w_header_free(&header);
}

static void vocabularies_that_are_known_have_to_be_the_same(void **state)
{
    struct w_json *a = w_json_object(), *b = w_json_object(), *unknown = w_json_object();
    struct w_err err;

    (void)state;
    w_json_set_string(a, "sha256", "aaaaaaaaaaaaaaaa");
    w_json_set_string(b, "sha256", "aaaaaaaaaaaaaaab");
    assert_int_equal(w_tok_same(a, a, &err), W_DONE);
    assert_int_equal(w_tok_same(a, unknown, &err), W_DONE);
    assert_int_equal(w_tok_same(NULL, b, &err), W_DONE);
    assert_int_equal(w_tok_same(a, b, &err), W_MISMATCH);
    w_json_free(a);
    w_json_free(b);
    w_json_free(unknown);
}

static void ids_are_little_endian(void **state)
{
    static const u8 bytes[] = {1, 2, 3, 4, 5, 6, 7, 0x88};

    (void)state;
    assert_int_equal(w_id_at(bytes, 2, 3), 0x8807);
    assert_int_equal(w_id_at(bytes, 4, 1), 0x88070605u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_where_they_can_be),
        cmocka_unit_test(columns_are_where_their_names_say),
        cmocka_unit_test(columns_that_do_not_go_with_the_ids_are_damage),
        cmocka_unit_test(no_sequence_has_more_targets_than_places),
        cmocka_unit_test(a_log_probability_is_a_number_up_to_0),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_no_number_or_object_is_not_said),
        cmocka_unit_test(vocabularies_that_are_known_have_to_be_the_same),
        cmocka_unit_test(ids_are_little_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
