/* Learning merges: examples worked out by hand, and a trainer that counts from scratch at each
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "text/bpe_train.h"

static void learn(const struct w_word_count *counts, u32 merges, u64 min_count, enum w_tie tie,
                  struct w_merge **found, u32 *count)
{
    struct w_train_options options = {.merges = merges, .min_count = min_count, .tie = tie};
    assert_int_equal(w_bpe_train(counts, &options, found, count, NULL), W_DONE);
}

static void add(struct w_word_count *counts, const char *word, u64 times)
{
    assert_int_equal(w_word_count_add(counts, (const u8 *)word, strlen(word), times, NULL), W_DONE);
}

static void the_classic_example_gives_its_merges(void **state)
{
    (void)state;
    /* es 9, est 9, lo 7, low 7, ew 6 (before ne, w+est), n+ew 6, new+est 6, d+est 3, i+dest 3,
     * w+idest 3, er 2, low+er 2; then nothing occurs twice. */
    static const struct w_merge expected[] = {
        {'e', 's'}, {256, 't'}, {'l', 'o'}, {258, 'w'}, {'e', 'w'}, {'n', 260},
        {261, 257}, {'d', 257}, {'i', 263}, {'w', 264}, {'e', 'r'}, {259, 266},
    };
    struct w_word_count counts = {0};
    struct w_merge *merges;
    u32 n;
    add(&counts, "widest", 3), add(&counts, "low", 5), add(&counts, "newest", 6);
    add(&counts, "lower", 1), add(&counts, "lower", 1);
    assert_int_equal(counts.count, 4);
    assert_int_equal(counts.total, 16);
    learn(&counts, 100, 2, W_TIE_ID_MIN, &merges, &n);
    assert_int_equal(n, W_COUNTOF(expected));
    assert_memory_equal(merges, expected, sizeof expected);
    free(merges);
    learn(&counts, 3, 2, W_TIE_ID_MIN, &merges, &n);
    assert_int_equal(n, 3);
    free(merges);
    /* the other rule begins with st, since its bytes are greater than those of es */
    learn(&counts, 2, 2, W_TIE_BYTES_MAX, &merges, &n);
    assert_memory_equal(merges, ((struct w_merge[]){{'s', 't'}, {'e', 256}}), 2 * sizeof *merges);
    free(merges);
    w_word_count_release(&counts);
}

static void counts_beyond_32_bits_keep_their_order(void **state)
{
    (void)state;
    struct w_word_count counts = {0};
    struct w_merge *merges;
    u32 n;
    add(&counts, "ab", 5000000000ull), add(&counts, "cd", 4294967301ull), add(&counts, "ef", 6);
    learn(&counts, 2, 1, W_TIE_ID_MIN, &merges, &n);
    assert_memory_equal(merges, ((struct w_merge[]){{'a', 'b'}, {'c', 'd'}}), 2 * sizeof *merges);
    free(merges);
    w_word_count_release(&counts);
}

static void counts_never_overflow(void **state)
{
    (void)state;
    struct w_word_count counts = {0};
    struct w_merge *merges;
    struct w_err err = {0};
    u32 n;
    /* the greatest that fits: 2^64 - 16 bytes of text */
    add(&counts, "abababab", (1ull << 61) - 2);
    learn(&counts, 3, 1, W_TIE_ID_MIN, &merges, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(merges, ((struct w_merge[]){{'a', 'b'}, {256, 256}}), 2 * sizeof *merges);
    free(merges);
    add(&counts, "cd", 8); /* 2^64 bytes */
    struct w_train_options options = {.merges = 1, .min_count = 1};
    assert_int_equal(w_bpe_train(&counts, &options, &merges, &n, &err), W_LIMIT);
    assert_int_equal(w_word_count_add(&counts, (const u8 *)"e", 1, UINT64_MAX, &err), W_LIMIT);
    assert_int_equal(counts.count, 2);
    assert_int_equal(counts.total, (1ull << 61) + 6);
    w_word_count_release(&counts);
}

/* Stops after `enough` merges; checks that each is reported. */
struct listener {
    u32 seen, enough;
};

static bool listen(void *context, u32 merges_done)
{
    struct listener *l = context;
    assert_int_equal(merges_done, ++l->seen);
    return l->seen < l->enough;
}

static void training_can_be_stopped_after_any_merge(void **state)
{
    (void)state;
    struct w_word_count counts = {0};
    add(&counts, "widest", 3), add(&counts, "low", 5), add(&counts, "newest", 6);
    add(&counts, "lower", 2); /* 12 merges */
    for (u32 enough = 1; enough <= 13; enough++) {
        struct listener l = {.enough = enough};
        struct w_train_options options = {
            .merges = 100, .min_count = 2, .progress = listen, .context = &l};
        struct w_merge *merges = NULL;
        u32 n;
        enum w_status status = w_bpe_train(&counts, &options, &merges, &n, NULL);
        assert_int_equal(status, enough <= 12 ? W_SIGNAL : W_DONE);
        assert_int_equal(l.seen, W_MIN(enough, 12u));
        free(merges);
    }
    w_word_count_release(&counts);
}

/* ---- against counting everything from scratch ---- */

struct plain {
    u32 ids[64][32];
    u32 sizes[64];
    u8 bytes[300][64]; /* of tokens; length first */
    u32 tokens;
};

static int order_of(const u8 *a, const u8 *b)
{
    int order = memcmp(a + 1, b + 1, W_MIN(a[0], b[0]));
    return order ? order : (int)a[0] - (int)b[0];
}

static u64 count_of(const struct plain *p, const struct w_word_count *counts, u32 l, u32 r)
{
    u64 count = 0;
    for (u32 w = 0; w < counts->count; w++)
        for (u32 i = 0; i + 1 < p->sizes[w]; i++)
            if (p->ids[w][i] == l && p->ids[w][i + 1] == r)
                count += counts->words[w].count;
    return count;
}

/* Make a token of a pair. No other has the same bytes, though nothing here ensures that. */
static void join(struct plain *p, u32 l, u32 r)
{
    u8 *joined = p->bytes[p->tokens];
    joined[0] = (u8)(p->bytes[l][0] + p->bytes[r][0]);
    memcpy(joined + 1, p->bytes[l] + 1, p->bytes[l][0]);
    memcpy(joined + 1 + p->bytes[l][0], p->bytes[r] + 1, p->bytes[r][0]);
    for (u32 t = 0; t < p->tokens; t++)
        assert_true(memcmp(p->bytes[t], joined, joined[0] + 1u));
    p->tokens++;
}

/* Encode all words from scratch: each merge in its turn, from left to right. */
static void encode_plainly(struct plain *p, const struct w_word_count *counts,
                           const struct w_merge *merges, u32 count)
{
    for (u32 w = 0; w < counts->count; w++) {
        u32 *ids = p->ids[w], size = counts->words[w].size;
        for (u32 i = 0; i < size; i++)
            ids[i] = w_word_bytes(counts, &counts->words[w])[i];
        for (u32 m = 0; m < count; m++) {
            u32 out = 0;
            for (u32 i = 0; i < size; out++)
                if (i + 1 < size && ids[i] == merges[m].left && ids[i + 1] == merges[m].right)
                    ids[out] = 256 + m, i += 2;
                else
                    ids[out] = ids[i++];
            size = out;
        }
        p->sizes[w] = size;
    }
}

/* The best pair of all, or false. */
static bool best_pair(const struct plain *p, const struct w_word_count *counts, enum w_tie tie,
                      struct w_merge *best)
{
    u64 best_count = 0;
    for (u32 w = 0; w < counts->count; w++)
        for (u32 i = 0; i + 1 < p->sizes[w]; i++) {
            u32 l = p->ids[w][i], r = p->ids[w][i + 1];
            u64 count = count_of(p, counts, l, r);
            if (count < best_count)
                continue;
            int order = order_of(p->bytes[l], p->bytes[best->left]);
            if (!order)
                order = order_of(p->bytes[r], p->bytes[best->right]);
            bool wins = tie == W_TIE_BYTES_MAX
                            ? order > 0
                            : l < best->left || (l == best->left && r < best->right);
            if (count > best_count || wins)
                best_count = count, *best = (struct w_merge){l, r};
        }
    return best_count > 0;
}

static void merges_are_those_of_recounting(void **state)
{
    (void)state;
    enum { MERGES = 40 };
    static struct plain p;
    for (u64 seed = 0; seed < 60; seed++) {
        struct w_rng rng = {.seed = seed};
        struct w_word_count counts = {0};
        struct w_merge *merges, best = {0};
        enum w_tie tie = seed % 2 ? W_TIE_BYTES_MAX : W_TIE_ID_MIN;
        u32 n, i;
        p = (struct plain){.tokens = 256};
        for (u32 b = 0; b < 256; b++)
            p.bytes[b][0] = 1, p.bytes[b][1] = (u8)b;
        for (u32 w = 0; w < 20; w++) {
            u8 word[16];
            size_t size = 1 + w_rng_below(&rng, sizeof word);
            for (size_t k = 0; k < size; k++)
                word[k] = (u8)(0xff - w_rng_below(&rng, 1 + seed % 4));
            assert_int_equal(w_word_count_add(&counts, word, size, 1 + w_rng_below(&rng, 3), NULL),
                             W_DONE);
        }
        learn(&counts, MERGES, 1, tie, &merges, &n);
        encode_plainly(&p, &counts, merges, 0);
        for (i = 0; i < MERGES && best_pair(&p, &counts, tie, &best); i++) {
            assert_true(i < n);
            assert_memory_equal(&merges[i], &best, sizeof best);
            join(&p, best.left, best.right);
            encode_plainly(&p, &counts, merges, i + 1);
        }
        assert_int_equal(i, n);
        free(merges);
        w_word_count_release(&counts);
    }
}

/* ---- counting ---- */

static void tables_add_up(void **state)
{
    (void)state;
    const char *text = "the cat and the dog and the cat";
    struct w_word_count a = {0}, b = {0};
    assert_int_equal(w_word_count_text(&a, W_SPLIT_GPT2, (const u8 *)text, strlen(text), NULL),
                     W_DONE);
    assert_int_equal(a.total, 8);
    assert_int_equal(a.count, 5); /* "the", " the", " cat", " and", " dog" */
    for (u32 i = 0; i < 10000; i++) {
        char word[16];
        int size = snprintf(word, sizeof word, "w%u", i);
        assert_int_equal(w_word_count_add(&b, (const u8 *)word, (size_t)size, 1, NULL), W_DONE);
    }
    assert_int_equal(w_word_count_merge(&b, &a, NULL), W_DONE);
    assert_int_equal(w_word_count_merge(&b, &a, NULL), W_DONE);
    assert_int_equal(b.count, 10005);
    assert_int_equal(b.total, 10016);
    assert_int_equal(b.words[10002].count, 4); /* " and" */
    w_word_count_release(&a);
    w_word_count_release(&b);
}

/* Words around the 16 bytes of a key, with zeroes in them and after them, at the end of memory. */
static void words_of_all_lengths_are_distinguished(void **state)
{
    (void)state;
    enum { LONGEST = 40 };
    struct w_word_count counts = {0}, batch = {0};
    u8 zeroes[LONGEST] = {0};
    for (u32 round = 1; round <= 2; round++) {
        for (size_t size = 1; size <= LONGEST; size++) {
            u8 *exact = malloc(size); /* so that a sanitizer sees a byte too many */
            memset(exact, 'x', size);
            assert_int_equal(w_word_count_add(&batch, zeroes, size, 1, NULL), W_DONE);
            assert_int_equal(w_word_count_add(&batch, exact, size, 2, NULL), W_DONE);
            free(exact);
        }
        assert_int_equal(batch.count, 2 * LONGEST);
        assert_int_equal(w_word_count_merge(&counts, &batch, NULL), W_DONE);
        assert_int_equal(counts.count, 2 * LONGEST);
        assert_int_equal(counts.total, round * 3 * LONGEST);
        w_word_count_clear(&batch);
        assert_int_equal(batch.count + batch.total, 0);
    }
    for (u32 i = 0; i < counts.count; i++) {
        const struct w_word *w = &counts.words[i];
        assert_int_equal(w->size, i / 2 + 1);
        assert_int_equal(w->count, i % 2 ? 4 : 2);
        assert_int_equal(w_word_bytes(&counts, w)[w->size - 1], i % 2 ? 'x' : 0);
    }
    w_word_count_release(&batch);
    w_word_count_release(&counts);
}

static void the_rarest_words_are_pruned(void **state)
{
    (void)state;
    static const char *const words[] = {"once",   "a word with many letters, once",   "twice",
                                        "thrice", "a word with many letters, thrice", "often"};
    static const u64 times[] = {1, 1, 2, 3, 3, 9};
    struct w_word_count counts = {0};
    struct w_pruned pruned = {0};
    for (u32 i = 0; i < W_COUNTOF(words); i++)
        add(&counts, words[i], times[i]);
    assert_int_equal(w_word_count_prune(&counts, 6, &pruned, NULL), W_DONE);
    assert_int_equal(counts.count, 6);
    assert_int_equal(pruned.times, 0);
    /* four may stay: both that occur once have to go; then one may: equal counts go together */
    assert_int_equal(w_word_count_prune(&counts, 4, &pruned, NULL), W_DONE);
    assert_int_equal(counts.count, 4);
    assert_memory_equal(w_word_bytes(&counts, &counts.words[2]), words[4], strlen(words[4]));
    add(&counts, words[4], 1), add(&counts, words[0], 1);
    assert_int_equal(counts.count, 5);
    assert_int_equal(counts.words[2].count, 4);
    assert_int_equal(w_word_count_prune(&counts, 2, &pruned, NULL), W_DONE);
    assert_int_equal(counts.count, 2);
    assert_int_equal(counts.total, 21); /* of all words that have been */
    assert_memory_equal(&pruned, (&(struct w_pruned){2, 5, 8, 4}), sizeof pruned);
    add(&counts, "often", 1);
    assert_int_equal(counts.words[1].count, 10);
    assert_int_equal(w_word_count_prune(&counts, 0, &pruned, NULL), W_DONE);
    assert_int_equal(counts.count, 0);
    w_word_count_release(&counts);
}

static void an_endless_word_takes_no_quadratic_time(void **state)
{
    (void)state;
    enum { SIZE = 1000000 };
    struct w_word_count counts = {0};
    struct w_merge *merges;
    struct w_rng rng = {.seed = 1};
    u32 n;
    u8 *text = malloc(SIZE);
    memset(text, 'a', SIZE);
    assert_int_equal(w_word_count_text(&counts, W_SPLIT_GPT2, text, SIZE, NULL), W_DONE);
    assert_int_equal(counts.count, 2); /* whole cuts, and the rest */
    for (u32 i = 0; i < SIZE; i++)
        text[i] = (u8)('a' + w_rng_below(&rng, 26));
    assert_int_equal(w_word_count_text(&counts, W_SPLIT_GPT2, text, SIZE, NULL), W_DONE);
    learn(&counts, 2000, 2, W_TIE_ID_MIN, &merges, &n);
    assert_int_equal(n, 2000);
    free(merges);
    free(text);
    w_word_count_release(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_classic_example_gives_its_merges),
        cmocka_unit_test(counts_beyond_32_bits_keep_their_order),
        cmocka_unit_test(counts_never_overflow),
        cmocka_unit_test(training_can_be_stopped_after_any_merge),
        cmocka_unit_test(merges_are_those_of_recounting),
        cmocka_unit_test(tables_add_up),
        cmocka_unit_test(words_of_all_lengths_are_distinguished),
        cmocka_unit_test(the_rarest_words_are_pruned),
        cmocka_unit_test(an_endless_word_takes_no_quadratic_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
