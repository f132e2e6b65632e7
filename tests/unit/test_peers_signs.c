/* Signs of life and news of failures, by a pretended engine: what is sent is noted, what is to
 * arrive is laid into a box, and time is what the caller says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sys/peers_signs.h"

#define RANKS 4

static u32 sent[RANKS]; /* messages to each rank */
static struct w_sign last, box;
static bool is_full;  /* the box */
static u32 deaf;      /* the rank that takes no message */
static u8 *receiving; /* where the next message goes */

static int send_sign(u32 to, u32 tag, const void *bytes, u64 count, struct w_peers_request *request)
{
    assert_int_equal(tag, W_SIGNS_TAG);
    assert_int_equal(count, sizeof last);
    memcpy(&last, bytes, sizeof last);
    sent[to]++;
    request->handle = to;
    return 0;
}

static int await_sign(u32 from, u32 tag, void *bytes, u64 count, struct w_peers_request *request)
{
    assert_int_equal(from, W_PEERS_ANY);
    assert_int_equal(tag, W_SIGNS_TAG);
    assert_int_equal(count, sizeof box);
    receiving = bytes;
    request->handle = W_PEERS_ANY;
    return 0;
}

static int test_sign(struct w_peers_request *request, bool *done, u64 *got)
{
    (void)got;
    *done = request->handle == W_PEERS_ANY ? is_full : request->handle != deaf;
    if (request->handle == W_PEERS_ANY && is_full) {
        memcpy(receiving, &box, sizeof box);
        is_full = false;
    }
    return 0;
}

static const struct w_peers_engine engine = {
    .send = send_sign, .receive = await_sign, .test = test_sign};

/* Rank 1 of 4; returns its time. */
static double open_rank_1(struct w_signs *s)
{
    memset(sent, 0, sizeof sent);
    is_full = false;
    deaf = RANKS;
    assert_int_equal(w_signs_open(s, &engine, 1, RANKS), 0);
    return s->heard_s;
}

static void arrive(struct w_signs *s, double now_s, u32 from, enum w_status status)
{
    struct w_sign news;

    box = (struct w_sign){.rank = from, .about = 3, .status = status};
    is_full = true;
    assert_int_equal(w_signs_listen(s, now_s, &news), 0);
    assert_int_equal(news.status, status);
    if (status)
        assert_int_equal(news.about, 3);
}

static void test_the_next_rank_gets_a_sign_a_second(void **state)
{
    struct w_signs s;
    const double began_s = open_rank_1(&s);

    (void)state;
    for (int i = 1; i <= 100; i++)
        assert_int_equal(w_signs_give(&s, began_s + 0.1 * i + 0.01, true), 0);
    assert_in_range(sent[2], 9, 10);
    assert_int_equal(sent[0] + sent[1] + sent[3], 0);
    assert_int_equal(last.status, W_DONE);
    /* none while the last has not arrived, or no more are wanted */
    deaf = 2;
    assert_int_equal(w_signs_give(&s, began_s + 20, true), 0);
    const u32 before = sent[2];
    assert_int_equal(w_signs_give(&s, began_s + 30, true), 0);
    assert_true(s.sends);
    deaf = RANKS;
    assert_int_equal(w_signs_give(&s, began_s + 40, false), 0);
    assert_int_equal(sent[2], before);
    assert_false(s.sends);
}

static void test_only_silence_of_the_rank_before_counts(void **state)
{
    struct w_signs s;
    double now_s = open_rank_1(&s);

    (void)state;
    for (int i = 0; i < 50; i++) {
        now_s += 0.5;
        arrive(&s, now_s, 0, W_DONE);
        assert_false(w_signs_silent(&s, now_s, 3));
    }
    for (int i = 0; i < 5; i++) {
        now_s += 0.5;
        arrive(&s, now_s, 2, W_DONE);
        assert_false(w_signs_silent(&s, now_s, 3));
    }
    now_s += 0.6;
    assert_true(w_signs_silent(&s, now_s, 3));
    assert_false(w_signs_silent(&s, now_s, 0));
    /* a pause of this process itself is none of the other */
    s.heard_s = now_s;
    now_s += 100;
    assert_false(w_signs_silent(&s, now_s, 3));
}

static void test_all_are_told_but_the_rank_that_is_lost(void **state)
{
    struct w_signs s;
    const struct w_sign news = {.rank = 1, .about = 3, .status = W_IO, .text = "lost"};

    (void)state;
    arrive(&s, open_rank_1(&s), 2, W_IO);
    deaf = 0;
    w_signs_tell(&s, &news);
    w_signs_tell(&s, &news);
    assert_int_equal(sent[0], 1);
    assert_int_equal(sent[2], 0);
    deaf = RANKS;
    w_signs_tell(&s, &news);
    w_signs_tell(&s, &news);
    assert_int_equal(sent[0], 1);
    assert_int_equal(sent[2], 1);
    assert_int_equal(sent[1] + sent[3], 0);
    assert_int_equal(last.status, W_IO);
    assert_string_equal(last.text, "lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_rank_gets_a_sign_a_second),
        cmocka_unit_test(test_only_silence_of_the_rank_before_counts),
        cmocka_unit_test(test_all_are_told_but_the_rank_that_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
