/* Exchanges between the ranks of a pretended engine, which are in one process: in every order of
 * their turns the result is the sum in the binary tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sys/peers_exchange.h"

#define RANKS 8

/* Messages of a pair, by turns of two: the next may be announced before the last is looked at. */
static struct letter {
    const u8 *from;
    u8 *to;
    u64 count, room;
    bool sent, awaited, seen_by_sender, seen_by_receiver;
} letters[RANKS][RANKS][2];
static u64 sends[RANKS][RANKS], receives[RANKS][RANKS];
static u32 turn; /* the rank whose functions are being called */
static u64 bytes_sent[RANKS];

/* A request is a letter, and the side that looks at it. */
static u64 handle_of(u32 from, u32 to, u64 number, u64 receiver)
{
    return ((from * RANKS + to) * 2 + number % 2) * 2 + receiver;
}

static struct letter *letter_of(u64 handle)
{
    const u64 index = handle / 2;
    return &letters[index / 2 / RANKS][index / 2 % RANKS][index % 2];
}

static void deliver(struct letter *l)
{
    if (!l->sent || !l->awaited)
        return;
    assert_int_equal(l->count, l->room);
    memcpy(l->to, l->from, l->count);
}

static int send_letter(u32 to, u32 tag, const void *bytes, u64 count, struct w_peers_request *r)
{
    (void)tag;
    r->handle = handle_of(turn, to, sends[turn][to]++, 0);
    struct letter *l = letter_of(r->handle);
    assert_false(l->sent);
    l->from = bytes;
    l->count = count;
    l->sent = true;
    bytes_sent[turn] += count;
    deliver(l);
    return 0;
}

static int await_letter(u32 from, u32 tag, void *bytes, u64 count, struct w_peers_request *r)
{
    (void)tag;
    r->handle = handle_of(from, turn, receives[from][turn]++, 1);
    struct letter *l = letter_of(r->handle);
    assert_false(l->awaited);
    l->to = bytes;
    l->room = count;
    l->awaited = true;
    deliver(l);
    return 0;
}

static int test_letter(struct w_peers_request *r, bool *done, u64 *got)
{
    struct letter *l = letter_of(r->handle);

    (void)got;
    *done = l->sent && l->awaited;
    if (*done && r->handle % 2)
        l->seen_by_receiver = true;
    else if (*done)
        l->seen_by_sender = true;
    if (l->seen_by_receiver && l->seen_by_sender)
        *l = (struct letter){0};
    return 0;
}

static const struct w_peers_engine engine = {
    .send = send_letter, .receive = await_letter, .test = test_letter};

static void add(const void *context, void *x, const void *other, u64 items)
{
    float *to = x;
    const float *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] += from[i];
}

/* Values of such sizes that each order of their sum has other bits. */
static float value_of(u32 rank, u64 i)
{
    struct w_rng rng = {.seed = rank, .stream = i};
    return (float)(w_rng_normal(&rng) * (double)(1u << w_rng_below(&rng, 20)));
}

static float tree_sum(u64 i, u32 first, u32 ranks)
{
    return ranks == 1 ? value_of(first, i)
                      : tree_sum(i, first, ranks / 2) + tree_sum(i, first + ranks / 2, ranks / 2);
}

static float x[RANKS][40000], scratch[RANKS][40000];

static void draw(u32 size, u64 items)
{
    for (u32 r = 0; r < size; r++)
        for (u64 i = 0; i < items; i++)
            x[r][i] = value_of(r, i);
}

/* One exchange of x, whose ranks take their turns in an order that the seed says. */
static void exchange(u32 size, u64 items, enum w_peers_way way, u32 owner, u64 seed)
{
    struct w_exchange exchanges[RANKS];
    struct w_rng rng = {.seed = seed};
    bool done[RANKS] = {0};
    u32 left = size;

    memset(bytes_sent, 0, sizeof bytes_sent);
    for (u32 r = 0; r < size; r++)
        exchanges[r] = (struct w_exchange){.job = {.x = x[r],
                                                   .scratch = scratch[r],
                                                   .items = items,
                                                   .item_bytes = sizeof(float),
                                                   .operation = add,
                                                   .way = way,
                                                   .owner = owner}};
    while (left > 0) {
        turn = (u32)w_rng_below(&rng, size);
        if (done[turn])
            continue;
        assert_int_equal(w_exchange_advance(&exchanges[turn], &engine, turn, size, &done[turn]), 0);
        left -= done[turn];
    }
}

static void check_sum(u32 size, u64 items, u64 seed)
{
    draw(size, items);
    exchange(size, items, W_PEERS_ALL, 0, seed);
    for (u64 i = 0; i < items; i++) {
        const float want = tree_sum(i, 0, size);
        for (u32 r = 0; r < size; r++)
            assert_memory_equal(&x[r][i], &want, sizeof want);
    }
    /* many bytes: 2 (1 - 1/ranks) of them go out, and not log2(ranks) */
    for (u32 r = 0; r < size && size > 1 && items > 16384; r++)
        assert_true((double)bytes_sent[r] <
                    2.01 * (1 - 1 / (double)size) * (double)(items * sizeof(float)));
}

static void sums_are_those_of_the_tree(void **state)
{
    static const u64 counts[] = {1, 5, 16, 1000, 16384, 16385, 40000};

    (void)state;
    for (u32 size = 1; size <= RANKS; size *= 2)
        for (size_t i = 0; i < W_COUNTOF(counts); i++)
            check_sum(size, counts[i], i);
}

/* The sum comes to be at its owner, and goes from there to all; each half sends x once for each
 * rank but one. */
static void an_owner_gets_the_same_sum_and_gives_it_to_all(void **state)
{
    static const u64 counts[] = {1, 1000, 40000};

    (void)state;
    for (u32 size = 1; size <= RANKS; size *= 2)
        for (size_t c = 0; c < W_COUNTOF(counts); c++)
            for (u32 owner = 0; owner < size; owner++) {
                const u64 items = counts[c];
                draw(size, items);
                for (enum w_peers_way way = W_PEERS_TO; way <= W_PEERS_FROM; way++) {
                    u64 sent = 0;
                    exchange(size, items, way, owner, c + owner);
                    for (u32 r = 0; r < size; r++)
                        sent += bytes_sent[r];
                    assert_int_equal(sent, (size - 1) * items * sizeof(float));
                    for (u32 r = 0; r < size; r++)
                        for (u64 i = 0; i < items && (r == owner || way == W_PEERS_FROM); i++) {
                            const float want = tree_sum(i, 0, size);
                            assert_memory_equal(&x[r][i], &want, sizeof want);
                        }
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_tree),
        cmocka_unit_test(an_owner_gets_the_same_sum_and_gives_it_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
