/* Sums over pretended ranks, in one process: those of fp32 in the tree of the ranks, and those of
 * bf16, which lose nothing but what is kept for the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/peer_sum.h"
#include "sys/peers_exchange.h"

#define RANKS 4
#define FLOATS 40003
#define SUMS 8
#define JOBS 3

/* ---- pretended ranks, in place of those of sys/peers.c ---- */

struct w_peers {
    struct w_peers_job jobs[JOBS];
    u32 count;
};

void w_peers_combine(struct w_peers *peers, const struct w_peers_job *job)
{
    assert_true(peers->count < JOBS);
    peers->jobs[peers->count++] = *job;
}

enum w_status w_peers_wait(struct w_peers *peers, struct w_err *err)
{
    (void)err;
    peers->count = 0;
    return W_DONE;
}

/* A stage of the same job of all ranks: first all that is sent, as it is before anything is
 * combined. */
static void pass_stage(struct w_peers *peers, u32 ranks, u32 job, u32 s)
{
    for (u32 sends = 2; sends-- > 0;)
        for (u32 r = 0; r < ranks; r++) {
            const struct w_peers_job *own = &peers[r].jobs[job];
            const struct w_exchange_stage stage = w_exchange_stage(own, s, r, ranks);
            const struct w_peers_job *other = &peers[stage.partner].jobs[job];
            const u64 at = stage.in.begin * own->item_bytes;
            const u64 items = stage.in.end - stage.in.begin;
            u8 *into = (u8 *)(stage.combines ? own->scratch : own->x) + at;
            if (sends)
                memcpy(into, (u8 *)other->x + at, items * own->item_bytes);
            else if (stage.combines)
                own->operation(own->context, (u8 *)own->x + at, into, items);
        }
}

static void pass_all(struct w_peers *peers, u32 ranks)
{
    for (u32 job = 0; job < peers->count; job++)
        for (u32 s = 0; s < w_exchange_stages(&peers->jobs[job], ranks); s++)
            pass_stage(peers, ranks, job, s);
}

/* ---- the ranks' sums ---- */

struct group {
    struct w_engine engine;
    struct w_peers peers[RANKS];
    struct w_peer_sum sums[RANKS];
    float *x[RANKS], *scratch[RANKS];
    u32 ranks;
};

static struct group *start_group(u32 ranks, bool bf16)
{
    struct group *g = calloc(1, sizeof *g);
    struct w_err err;

    g->ranks = ranks;
    assert_int_equal(w_kern_choose(&g->engine.kern, "auto", &err), W_DONE);
    assert_int_equal(w_team_new(&g->engine.team, 2, &err), W_DONE);
    for (u32 r = 0; r < ranks; r++) {
        g->x[r] = calloc(3 * FLOATS, sizeof(float));
        g->scratch[r] = g->x[r] + FLOATS;
        g->sums[r] = (struct w_peer_sum){.engine = &g->engine,
                                         .peers = &g->peers[r],
                                         .bf16 = bf16,
                                         .error = g->x[r] + 2 * FLOATS};
    }
    return g;
}

static void end_group(struct group *g)
{
    for (u32 r = 0; r < g->ranks; r++)
        free(g->x[r]);
    w_team_free(g->engine.team);
    free(g);
}

/* x of all ranks becomes the sum, in three pieces: of few floats, of none that a cache line holds,
 * of all others. */
static void sum_up(struct group *g, bool feedback)
{
    struct w_err err;

    for (u32 r = 0; r < g->ranks; r++) {
        w_peer_sum_begin(&g->sums[r], g->x[r], g->scratch[r], FLOATS, feedback);
        w_peer_sum_send(&g->sums[r], FLOATS - 1000, 1000);
        w_peer_sum_send(&g->sums[r], FLOATS - 1007, 7);
        w_peer_sum_send(&g->sums[r], 0, FLOATS - 1007);
        for (u32 job = 0; job < JOBS; job++)
            assert_int_equal(g->peers[r].jobs[job].item_bytes, g->sums[r].bf16 ? 2 : 4);
    }
    pass_all(g->peers, g->ranks);
    for (u32 r = 0; r < g->ranks; r++) {
        assert_int_equal(w_peer_sum_end(&g->sums[r], &err), W_DONE);
        assert_memory_equal(g->x[r], g->x[0], FLOATS * sizeof(float));
    }
}

/* Numbers of very different size; what they add up to goes to exact. */
static void draw(struct group *g, u64 turn, double *exact)
{
    memset(exact, 0, FLOATS * sizeof *exact);
    for (u32 r = 0; r < g->ranks; r++) {
        struct w_rng rng = {.seed = turn, .stream = r};
        for (u64 i = 0; i < FLOATS; i++) {
            g->x[r][i] = (float)(w_rng_normal(&rng) * pow(10, (double)(i % 7) - 5));
            exact[i] += (double)g->x[r][i];
        }
    }
}

static void sums_in_fp32_are_made_in_the_tree(void **state)
{
    double *exact = malloc(FLOATS * sizeof *exact);

    (void)state;
    for (u32 ranks = 1; ranks <= RANKS; ranks *= 2) {
        struct group *g = start_group(ranks, false);
        draw(g, 1, exact);
        float *want = malloc(FLOATS * sizeof *want);
        for (u64 i = 0; i < FLOATS; i++)
            want[i] = ranks == 1   ? g->x[0][i]
                      : ranks == 2 ? g->x[0][i] + g->x[1][i]
                                   : (g->x[0][i] + g->x[1][i]) + (g->x[2][i] + g->x[3][i]);
        sum_up(g, true);
        assert_memory_equal(g->x[0], want, FLOATS * sizeof *want);
        free(want);
        end_group(g);
    }
    free(exact);
}

/* Each single sum has the precision of bf16; all of them with what is kept that of fp32. */
static void sums_in_bf16_lose_nothing_in_the_end(void **state)
{
    double *exact = malloc(FLOATS * sizeof *exact), *all = malloc(FLOATS * sizeof *all);

    (void)state;
    for (u32 ranks = 2; ranks <= RANKS; ranks *= 2) {
        struct group *g = start_group(ranks, true);
        u64 rounded = 0;
        memset(all, 0, FLOATS * sizeof *all);
        for (u64 turn = 0; turn < SUMS; turn++) {
            draw(g, turn, exact);
            sum_up(g, true);
            for (u64 i = 0; i < FLOATS; i++) {
                const double size = pow(10, (double)(i % 7) - 5),
                             off = (double)g->x[0][i] - exact[i];
                if (!(fabs(off) < 0.15 * size))
                    fail_msg("sum %d of number %d is off by %g of %g", (int)turn, (int)i, off,
                             size);
                rounded += fabs(off) > 1e-4 * size;
                all[i] += off;
            }
        }
        assert_true(rounded > SUMS * FLOATS / 2);
        for (u64 i = 0; i < FLOATS; i++) {
            const double size = pow(10, (double)(i % 7) - 5);
            for (u32 r = 0; r < ranks; r++)
                all[i] += (double)g->sums[r].error[i];
            if (!(fabs(all[i]) < 1e-5 * size))
                fail_msg("%g of %g was lost of number %d", all[i], size, (int)i);
        }
        end_group(g);
    }
    free(exact);
    free(all);
}

static void without_feedback_nothing_is_kept(void **state)
{
    double *exact = malloc(FLOATS * sizeof *exact);
    struct group *g = start_group(2, true);

    (void)state;
    draw(g, 1, exact);
    sum_up(g, false);
    for (u64 i = 0; i < FLOATS; i++) {
        assert_true(fabs((double)g->x[0][i] - exact[i]) < 0.05 * pow(10, (double)(i % 7) - 5));
        assert_true(g->sums[0].error[i] == 0 && g->sums[1].error[i] == 0);
    }
    end_group(g);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_in_fp32_are_made_in_the_tree),
        cmocka_unit_test(sums_in_bf16_lose_nothing_in_the_end),
        cmocka_unit_test(without_feedback_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
