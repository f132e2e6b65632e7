/* Files of counts that their checksums call right, and whose arrays contradict each other: refused,
 * each for its own reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count/count_file.h"
#include "count/count_learn.h"
#include "count/counts.h"

enum { TOKENS = 3000, VOCAB = 50, ORDER = 4 };

static void learn(struct w_count_image *image)
{
    static u32 ids[TOKENS];
    struct w_err err;

    for (u32 i = 0; i < TOKENS; i++)
        ids[i] = i < 600 ? 7 : i * i % 31 % 11 * (i % 4);
    assert_int_equal(w_count_learn(image, ids, TOKENS,
                                   &(struct w_count_learn_options){
                                       .order = ORDER, .vocab = VOCAB, .eot = 3, .threads = 1},
                                   &err),
                     W_DONE);
    assert_true(image->part[4][W_GRAM_COUNT_LARGE].size > 0);
}

static u16 *words(struct w_count_image *image, u32 order, u32 array)
{
    return (u16 *)(void *)image->part[order][array].at;
}

/* The index of the first context of an order that has two followers or more, and where they
 * begin. */
static u32 two_followers(struct w_count_image *image, u32 order, u32 *gram)
{
    const struct w_buffer *grams = &image->part[order][W_CONTEXT_GRAMS];
    u32 i = 0;

    for (*gram = 0; grams->at[i] < 2; i++)
        *gram += grams->at[i];
    assert_true(i < grams->size);
    return i;
}

static void follower_beyond(struct w_count_image *image)
{
    /* the last one: it still rises */
    words(image, 3, W_GRAM_WORD)[image->part[3][W_GRAM_COUNT].size - 1] = VOCAB;
}
static void followers_equal(struct w_count_image *image)
{
    u32 gram;
    two_followers(image, 3, &gram);
    words(image, 3, W_GRAM_WORD)[gram + 1] = words(image, 3, W_GRAM_WORD)[gram];
}
static void followers_more(struct w_count_image *image)
{
    image->part[3][W_CONTEXT_GRAMS].at[0]++;
}
static void followers_fewer(struct w_count_image *image)
{
    image->part[3][W_CONTEXT_GRAMS].at[0]--;
}
static void followers_missing(struct w_count_image *image)
{
    image->part[3][W_GRAM_WORD].size -= 2;
}
static void count_0(struct w_count_image *image)
{
    image->part[4][W_GRAM_COUNT].at[1] = 0;
}
static void context_beyond(struct w_count_image *image)
{
    words(image, 3, W_CONTEXT_WORD)[image->part[3][W_CONTEXT_GRAMS].size - 1] = 0xffff;
}
static void context_missing(struct w_count_image *image)
{
    image->part[3][W_CONTEXT_WORD].size -= 2;
}
static void pair_contexts(struct w_count_image *image)
{
    w_count_put(&image->part[2][W_CONTEXT_GRAMS], &image->part[2][W_CONTEXT_GRAMS_LARGE], 0);
    w_count_put(&image->part[2][W_CONTEXT_CHILDREN], &image->part[2][W_CONTEXT_CHILDREN_LARGE], 0);
}
static void children_more(struct w_count_image *image)
{
    image->part[2][W_CONTEXT_CHILDREN].at[0]++;
}
static void children_fewer(struct w_count_image *image)
{
    image->part[3][W_CONTEXT_CHILDREN].at[0]--;
}
static void children_of_the_last(struct w_count_image *image)
{
    w_count_put(&image->part[4][W_CONTEXT_CHILDREN], &image->part[4][W_CONTEXT_CHILDREN_LARGE], 0);
}
static void large_missing(struct w_count_image *image)
{
    image->part[4][W_GRAM_COUNT_LARGE].size -= 4;
}
static void large_more(struct w_count_image *image)
{
    w_buffer_put(&image->part[3][W_GRAM_COUNT_LARGE], &(u32){300}, 4);
}
static void large_small(struct w_count_image *image)
{
    memcpy(image->part[4][W_GRAM_COUNT_LARGE].at, &(u32){254}, 4);
}
static void large_followers_missing(struct w_count_image *image)
{
    image->part[3][W_CONTEXT_GRAMS].at[0] = W_COUNT_LARGE;
}
static void large_followers_more(struct w_count_image *image)
{
    w_buffer_put(&image->part[3][W_CONTEXT_GRAMS_LARGE], &(u32){300}, 4);
}
static void pruned_missing(struct w_count_image *image)
{
    image->pruned = true;
}
static void pruned_without_saying(struct w_count_image *image)
{
    w_count_put(&image->part[3][W_CONTEXT_PRUNED], &image->part[3][W_CONTEXT_PRUNED_LARGE], 1);
}
static void unigrams_0(struct w_count_image *image)
{
    memset(image->unigrams, 0, VOCAB * sizeof *image->unigrams);
}
static void unigrams_huge(struct w_count_image *image)
{
    image->unigrams[0] = image->unigrams[1] = 0x60000000;
}
static void total_huge(struct w_count_image *image)
{
    memcpy(image->part[4][W_GRAM_COUNT_LARGE].at, &(u32){0x80000000}, 4);
}

static const struct {
    void (*damage)(struct w_count_image *);
    enum w_status status;
    const char *says;
} cases[] = {
    {follower_beyond, W_CORRUPT, "order 3: followers that do not rise"},
    {followers_equal, W_CORRUPT, "order 3: followers that do not rise"},
    {followers_more, W_CORRUPT, "order 3: more followers"},
    {followers_fewer, W_CORRUPT, "order 3: fewer followers"},
    {followers_missing, W_CORRUPT, "order 3: not a token for each count"},
    {count_0, W_CORRUPT, "order 4: a count of 0"},
    {context_beyond, W_CORRUPT, "order 3: contexts that do not rise"},
    {context_missing, W_CORRUPT, "order 3: not a token for each context"},
    {pair_contexts, W_CORRUPT, "order 2: not a token for each context"},
    {children_more, W_CORRUPT, "order 2: more followers or children"},
    {children_fewer, W_CORRUPT, "order 3: fewer followers or children"},
    {children_of_the_last, W_CORRUPT, "order 4: not a number of children"},
    {large_missing, W_CORRUPT, "order 4: large counts are missing"},
    {large_more, W_CORRUPT, "order 3: more large counts"},
    {large_small, W_CORRUPT, "order 4: large counts are missing"},
    {large_followers_missing, W_CORRUPT, "order 3: large numbers are missing"},
    {large_followers_more, W_CORRUPT, "order 3: fewer followers"},
    {pruned_missing, W_CORRUPT, "order 2: not a pruned sum"},
    {pruned_without_saying, W_CORRUPT, "order 3: not a pruned sum"},
    {unigrams_0, W_CORRUPT, "order 1: all are 0"},
    {unigrams_huge, W_CORRUPT, "order 1: 2^31 or more"},
    {total_huge, W_LIMIT, "order 4: 2^31 or more"},
};

static void arrays_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    struct w_count_image image;
    struct w_counts *counts;

    for (u32 i = 0; i < W_COUNTOF(cases); i++) {
        struct w_err err = {0};
        learn(&image);
        cases[i].damage(&image);
        if (w_counts_open(&counts, &image, &err) != cases[i].status ||
            !strstr(err.text, cases[i].says))
            fail_msg("case %u: %s, not %s", i, err.text, cases[i].says);
        assert_null(counts);
    }
}

static void a_file_that_is_refused_is_named(void **state)
{
    (void)state;
    struct w_output out = {.fd = memfd_create("counts", 0), .name = "memory"};
    struct w_count_image image;
    struct w_counts *counts;
    struct w_header header;
    struct w_err err = {0};
    char path[64];

    learn(&image);
    unigrams_huge(&image);
    assert_int_equal(
        w_count_image_write(&image, &out, &(struct w_count_write){.by = "test 1"}, &err), W_DONE);
    w_count_image_release(&image);
    snprintf(path, sizeof path, "/proc/self/fd/%d", out.fd);
    assert_int_equal(w_counts_load(&counts, &header, path, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "order 1: 2^31 or more"));
    assert_null(counts);
    w_header_free(&header);
    close(out.fd);
}

/* ---- headers ---- */

static enum w_status read_back(const struct w_output *out, struct w_err *err)
{
    struct w_count_image image;
    struct w_header header;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", out->fd);
    enum w_status status = w_count_image_read(&image, &header, path, err);
    if (status)
        assert_non_null(strstr(err->text, path));
    w_count_image_release(&image);
    w_header_free(&header);
    close(out->fd);
    return status;
}

/* Counts of VOCAB ids whose arrays are zeroes of so many numbers. */
struct forged_array {
    const char *name;
    enum w_type type;
    u64 count;
};

static enum w_status read_forged(const char *key, u64 value, const struct forged_array *arrays,
                                 u32 count, struct w_err *err)
{
    struct w_output out = {.fd = memfd_create("counts", 0), .name = "memory"};
    const char *const keys[] = {"order", "vocab", "eot", "counted"};
    const u64 values[] = {3, VOCAB, 5, 1000};
    static const u8 zeroes[1 << 16];
    struct w_header header;
    struct w_writer *writer = NULL;

    assert_int_equal(w_header_begin(&header, W_COUNTS, "test 1", err), W_DONE);
    for (u32 i = 0; i < count; i++) {
        const u64 shape[] = {arrays[i].count, 4};
        assert_int_equal(w_header_add(&header, arrays[i].name, arrays[i].type,
                                      strcmp(arrays[i].name, "spectrum") ? 1 : 2, shape, err),
                         W_DONE);
    }
    for (u32 i = 0; i < W_COUNTOF(keys); i++)
        w_json_set_u64(header.json, keys[i], strcmp(keys[i], key) ? values[i] : value);
    if (strcmp(key, "pruned"))
        w_json_set_bool(header.json, "pruned", false);
    if (!strcmp(key, "document"))
        w_json_set_u64(header.json, "document", value);
    assert_int_equal(w_writer_open(&writer, &out, &header, &(struct w_write_options){0}, err),
                     W_DONE);
    assert_int_equal(w_writer_records(writer, zeroes, header.blob_bytes, err), W_DONE);
    assert_int_equal(w_writer_close(&writer, NULL, err), W_DONE);
    w_header_free(&header);
    return read_back(&out, err);
}

static void headers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct forged_array right[] = {{"spectrum", W_TYPE_U64, 3},
                                         {"1.count", W_TYPE_U32, VOCAB},
                                         {"2.gram.word", W_TYPE_U16, 7}};
    const struct {
        const char *key;
        u64 value;
    } keys[] = {{"order", 1},    {"order", 7},         {"vocab", 0},          {"vocab", 1 << 25},
                {"eot", VOCAB},  {"counted", 0},       {"counted", 1u << 31}, {"pruned", 0},
                {"document", 1}, {"vocab", VOCAB + 1}, {"order", 4}};
    const struct forged_array wrong[] = {
        {"2.gram.word", W_TYPE_U32, 7}, {"2.gram.count", W_TYPE_U16, 7},
        {"spectrum", W_TYPE_U64, 2},    {"1.count", W_TYPE_U16, VOCAB},
        {"4.gram.word", W_TYPE_U16, 7}, {"2.other", W_TYPE_U8, 7}};
    struct w_err err = {0};

    assert_int_equal(read_forged("", 0, right, 3, &err), W_DONE);
    for (u32 i = 0; i < W_COUNTOF(keys); i++)
        if (read_forged(keys[i].key, keys[i].value, right, 3, &err) != W_CORRUPT)
            fail_msg("%s %u was not refused", keys[i].key, (u32)keys[i].value);
    for (u32 i = 0; i < W_COUNTOF(wrong); i++) {
        struct forged_array arrays[4];
        u32 count = 0;
        for (u32 k = 0; k < 3; k++)
            if (strcmp(right[k].name, wrong[i].name))
                arrays[count++] = right[k];
        arrays[count++] = wrong[i];
        enum w_status status = read_forged("", 0, arrays, count, &err);
        if (status != (i < 4 ? W_CORRUPT : W_NEWER))
            fail_msg("array %s: %s", wrong[i].name, err.text);
    }
    assert_int_equal(read_forged("", 0, right, 1, &err), W_CORRUPT); /* no counts of order 1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_file_that_is_refused_is_named),
        cmocka_unit_test(headers_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
