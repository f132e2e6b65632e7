/* The sampled softmax: its ids, what they say of all, gradients, rows that a step does not use. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "gradient_checks.h"
#include "net/softmax_sample.h"

/* Vocabularies that no word of bits, tile or segment divides; sets of less than half of it and of
 * more, smaller than asked for by the targets, and of all. */
static const struct {
    struct shape shape;
    u64 sample;
} cases[] = {
    {{10, 2, 2, 13, 331, 3, 7}, 40},
    {{24, 1, 1, 40, 131, 2, 33}, 100},
    {{32, 2, 1, 64, 640, 9, 33}, 1},
    {{16, 2, 1, 24, 130, 1, 5}, 129},
};

static struct w_conf conf_at(u32 i)
{
    struct w_conf conf = conf_of(&cases[i].shape);
    conf.softmax_sample = cases[i].sample;
    return conf;
}

/* ---- sets of ids ---- */

static void sets_list_what_was_added(void **state)
{
    (void)state;
    for (u64 limit = 1; limit < 140; limit++) {
        u64 bits[W_ID_SET_WORDS(140)] = {0}, none[W_ID_SET_WORDS(140)] = {0};
        struct w_id_set set = {bits, limit}, other = {none, limit};
        u32 ids[140];

        for (u64 id = 0; id < limit; id += 3)
            w_id_set_add(&set, id);
        assert_int_equal(w_id_set_list(&set, ids), (limit + 2) / 3);
        for (u32 i = 0; i < (limit + 2) / 3; i++)
            assert_int_equal(ids[i], 3 * i);
        if (limit > 1)
            w_id_set_add(&other, 1);
        w_id_set_neither(&other, &set);
        assert_int_equal(w_id_set_list(&other, ids), limit - (limit + 2) / 3 - (limit > 1));
        for (u64 id = 0; id < limit; id++)
            assert_true(w_id_set_has(&other, id) == (id % 3 != 0 && id != 1));
        w_id_set_clear(&set);
        assert_int_equal(w_id_set_list(&set, ids), 0);
    }
}

/* ---- the set of a batch ---- */

/* What earlier steps saw: some ids never, some often. */
static void fill_seen(u32 *seen, const struct w_conf *conf)
{
    for (u64 id = 0; id < conf->vocab_size; id++)
        seen[id] = id % 3 ? (u32)(20000 / (id + 1)) : 0;
}

static struct w_softmax_sample new_set(const struct w_conf *conf)
{
    u32 *seen = malloc(conf->vocab_size * sizeof *seen);
    fill_seen(seen, conf);
    const u64 words = W_ID_SET_WORDS(conf->vocab_size), room = conf->vocab_size;
    return (struct w_softmax_sample){
        .targets = {malloc(words * sizeof(u64)), conf->vocab_size},
        .drawn = {malloc(words * sizeof(u64)), conf->vocab_size},
        .ids = malloc(room * sizeof(u32)),
        .columns = malloc(room * sizeof(u32)),
        .correction = malloc(room * sizeof(float)),
        .seen = seen,
    };
}

static void free_set(struct w_softmax_sample *set)
{
    free(set->targets.bits), free(set->drawn.bits);
    free(set->ids), free(set->columns), free(set->correction);
    free((void *)(uintptr_t)set->seen);
}

static u32 *random_ids(const struct w_conf *conf)
{
    const u64 count = conf->batch_size * (conf->max_length + 1);
    struct w_rng rng = {.seed = 5};
    u32 *ids = malloc(count * sizeof *ids);

    for (u64 i = 0; i < count; i++)
        ids[i] = (u32)w_rng_below(&rng, conf->vocab_size);
    return ids;
}

static bool is_target(const struct w_conf *conf, const u32 *ids, u64 id)
{
    for (u64 i = 0; i < conf->batch_size * (conf->max_length + 1); i++)
        if (i % (conf->max_length + 1) > 0 && ids[i] == id)
            return true;
    return false;
}

static void sets_have_all_targets_and_others(void **state)
{
    (void)state;
    for (u32 c = 0; c < W_COUNTOF(cases); c++) {
        const struct w_conf conf = conf_at(c);
        struct w_softmax_sample set = new_set(&conf);
        u32 *ids = random_ids(&conf);
        u64 targets = 0;

        w_softmax_sample_draw(&set, &conf, &(struct w_batch){.ids = ids, .number = c});
        for (u64 id = 0; id < conf.vocab_size; id++)
            targets += is_target(&conf, ids, id);
        assert_int_equal(set.target_count, targets);
        const u64 least = W_MAX(conf.softmax_sample, targets + targets / 8);
        assert_true(set.count >= W_MIN(least, conf.vocab_size) && set.count <= conf.vocab_size);
        assert_true(set.count % 32 == 0 || set.count == conf.vocab_size);
        assert_true(set.count < least + 32);
        const double others = (double)(conf.vocab_size - targets);
        const double not_drawn = 1 - (double)(set.count - targets) / others;
        double total = 0;
        for (u64 id = 0; id < conf.vocab_size; id++)
            total += set.seen[id] + 1;
        for (u64 i = 0; i < set.count; i++) {
            const bool target = i < targets;
            assert_true(set.ids[i] < conf.vocab_size && set.columns[set.ids[i]] == i);
            assert_true(is_target(&conf, ids, set.ids[i]) == target);
            assert_true(i == 0 || i == targets || set.ids[i - 1] < set.ids[i]);
            /* missed by each of the other tokens of the batch, and then by the draw */
            double missed = not_drawn;
            for (u64 j = 1; j < conf.batch_size * conf.max_length; j++)
                missed *= 1 - (set.seen[set.ids[i]] + 1) / total;
            assert_true(fabs((double)set.correction[i] + log(1 - missed)) < 1e-6);
        }
        free(ids);
        free_set(&set);
    }
}

static void draws_depend_on_seed_and_number_alone(void **state)
{
    (void)state;
    struct w_conf conf = conf_at(0);
    struct w_softmax_sample one = new_set(&conf), two = new_set(&conf);
    u32 *ids = random_ids(&conf);
    struct w_batch batch = {.ids = ids, .number = 7};

    for (u32 turn = 0; turn < 4; turn++) {
        conf.seed = 11, batch.number = 7;
        w_softmax_sample_draw(&one, &conf, &batch);
        conf.seed += turn == 1, batch.number += turn == 2;
        if (turn == 3) /* what was drawn before does not count */
            w_softmax_sample_draw(&two, &conf, &(struct w_batch){.ids = ids, .number = 123});
        w_softmax_sample_draw(&two, &conf, &batch);
        assert_int_equal(one.count, two.count);
        const bool same = !memcmp(one.ids, two.ids, one.count * sizeof *one.ids);
        assert_true(same == (turn == 0 || turn == 3));
    }
    free(ids);
    free_set(&one), free_set(&two);
}

/* Given the batch, each id that is no target is drawn as often as the others. */
static void others_are_drawn_alike(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    for (u32 c = 0; c < 2; c++) { /* less than half of the others, and more */
        const struct w_conf conf = conf_at(c);
        struct w_softmax_sample set = new_set(&conf);
        u32 *ids = random_ids(&conf), *times = calloc(conf.vocab_size, sizeof *times);

        for (u64 draw = 0; draw < DRAWS; draw++) {
            w_softmax_sample_draw(&set, &conf, &(struct w_batch){.ids = ids, .number = draw});
            for (u64 i = set.target_count; i < set.count; i++)
                times[set.ids[i]]++;
        }
        const double p =
            (double)(set.count - set.target_count) / (double)(conf.vocab_size - set.target_count);
        for (u64 id = 0; id < conf.vocab_size; id++) {
            const double expected = is_target(&conf, ids, id) ? 0 : p * DRAWS;
            assert_true(fabs(times[id] - expected) <= 5 * sqrt(expected * (1 - p)));
        }
        free(times), free(ids);
        free_set(&set);
    }
}

/* Ids by Zipf's law, which `seen` knows. */
struct zipf {
    double *until; /* (V): sums of probabilities */
    u64 count;
};

static u32 zipf_draw(const struct zipf *z, struct w_rng *rng)
{
    const double x = w_rng_unit(rng) * z->until[z->count - 1];
    u64 low = 0, high = z->count - 1;

    while (low < high) {
        const u64 middle = (low + high) / 2;
        if (z->until[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return (u32)low;
}

/* Over batches of tokens from a known distribution the estimate of the sum of exponentials of each
 * token is on average the full sum: of all ids, and apart of frequent, middling and rare ones. */
static void sums_of_exponentials_are_right_on_average(void **state)
{
    (void)state;
    enum { DRAWS = 20000, CLASSES = 3 };
    static const struct shape shape = {8, 1, 1, 8, 1000, 8, 16};
    struct w_conf conf = conf_of(&shape);
    conf.softmax_sample = 150;
    const u64 vocab = conf.vocab_size, tokens = conf.batch_size * conf.max_length;
    struct w_softmax_sample set = new_set(&conf);
    struct zipf zipf = {malloc(vocab * sizeof(double)), vocab};
    double *e = malloc(vocab * sizeof *e), want[CLASSES] = {0}, mean[CLASSES] = {0};
    u32 *ids = malloc(conf.batch_size * (conf.max_length + 1) * sizeof *ids);
    u32 *seen = malloc(vocab * sizeof *seen);
    struct w_rng rng = {.seed = 21};

    for (u64 id = 0; id < vocab; id++) {
        zipf.until[id] = 1 / (double)(id + 1) + (id ? zipf.until[id - 1] : 0);
        seen[id] = (u32)(4e9 / (double)(id + 1));
        e[id] = exp(w_rng_normal(&rng));
        want[id < 10 ? 0 : id < 100 ? 1 : 2] += e[id];
    }
    memcpy((void *)(uintptr_t)set.seen, seen, vocab * sizeof *seen);
    for (u64 draw = 0; draw < DRAWS; draw++) {
        for (u64 i = 0; i < conf.batch_size * (conf.max_length + 1); i++)
            ids[i] = zipf_draw(&zipf, &rng);
        w_softmax_sample_draw(&set, &conf, &(struct w_batch){.ids = ids, .number = draw});
        for (u64 i = 0; i < set.count; i++) {
            const u32 id = set.ids[i];
            const double all = e[id] * exp((double)set.correction[i]);
            u64 own = 0;
            for (u64 j = 0; i < set.target_count && j < tokens; j++)
                own += ids[j + j / conf.max_length + 1] == id;
            mean[id < 10    ? 0
                 : id < 100 ? 1
                            : 2] += (all + (double)own / (double)tokens * (e[id] - all)) / DRAWS;
        }
    }
    /* what is left: the part that is drawn varies a little with the number of targets */
    for (u32 i = 0; i < CLASSES; i++)
        if (!(fabs(mean[i] / want[i] - 1) < 0.003))
            fail_msg("class %u: %.4f times the full sum", (unsigned)i, mean[i] / want[i]);
    free(e), free(zipf.until), free(ids), free(seen);
    free_set(&set);
}

/* ---- the model ---- */

static void gradients_are_the_slopes_of_the_sampled_loss(void **state)
{
    (void)state;
    const struct w_kern *kern;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    for (u32 c = 0; c < W_COUNTOF(cases); c++) {
        const struct w_conf conf = conf_at(c);
        struct w_softmax_sample set = new_set(&conf);
        struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
        struct reference r = reference_of(&run);
        double *correction = malloc(conf.vocab_size * sizeof *correction);
        struct w_rng rng = {.seed = 3};

        fill_seen(w_model_seen(run.model), &conf);
        run.batch.number = 5;
        w_softmax_sample_draw(&set, &conf, &run.batch);
        for (u64 i = 0; i < set.count; i++)
            correction[i] = (double)set.correction[i];
        r.ids = set.ids, r.count = set.count, r.correction = correction;
        double loss = w_model_gradient(run.model, &run.batch, 1), want = ref_loss(&r, run.ids);
        if (fabs(loss - want) > rounding(&conf) * want)
            fail_msg("loss %.9g, but %.9g in double precision", loss, want);
        for (u32 i = 0; i < r.tensors->count; i++) {
            double worst = worst_gradient(&run, &r, i, i == 0 ? 60 : 6, &rng);
            if (!(worst <= 1))
                fail_msg("case %u: the gradient of %s is off %.3g times what rounding allows",
                         (unsigned)c, r.tensors->rows[i].name, worst);
        }
        free(correction), free(r.w);
        free_set(&set);
        finish(&run);
    }
}

static const struct w_kern *next_usable(u32 *index, enum w_type type)
{
    const struct w_kern *kern;
    const char *why;

    while ((kern = w_kern_all()[(*index)++]))
        if (w_kern_usable(kern, &why) && !(kern->product && type == W_TYPE_BF16) &&
            kern->ukernel[type].run)
            return kern;
    return NULL;
}

/* In bf16 as near to fp32 as the rounding of operands allows: of the norm of all gradients. */
static void bf16_is_near_fp32(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (u32 c = 0; c < W_COUNTOF(cases); c++)
        for (u32 k = 0; (kern = next_usable(&k, W_TYPE_BF16));) {
            const struct w_conf conf = conf_at(c);
            struct run half = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
            struct run full = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
            fill_seen(w_model_seen(half.model), &conf);
            fill_seen(w_model_seen(full.model), &conf);
            const struct w_tensor *t = w_tensors_find_table(w_model_tensors(full.model));
            double want = w_model_gradient(full.model, &full.batch, 1), off = 0, squares = 0;
            double loss = w_model_gradient(half.model, &half.batch, 1);
            assert_true(fabs(loss - want) < roundings(&conf) * want);
            for (u64 i = t->offset; i < t->offset + t->count; i++) {
                double a = (double)w_model_gradients(half.model)[i];
                double b = (double)w_model_gradients(full.model)[i];
                squares += b * b;
                off += (a - b) * (a - b);
            }
            assert_true(sqrt(off) < roundings(&conf) * sqrt(squares));
            finish(&half);
            finish(&full);
        }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (enum w_type type = 0; type < W_COMPUTE_TYPES; type++)
        for (u32 k = 0; (kern = next_usable(&k, type));)
            for (u32 c = 0; c < W_COUNTOF(cases); c++) {
                struct w_conf conf = conf_at(c);
                conf.lazy_rows = c % 2;
                check_bits_of_conf(&conf, kern, type);
            }
}

/* A set of all ids is the full softmax up to the order of sums; asked for, it is that itself. */
static void a_set_of_all_ids_is_the_full_softmax(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_conf conf = conf_at(3), full_conf = conf, all_conf = conf;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    full_conf.softmax_sample = 0;
    all_conf.softmax_sample = conf.vocab_size;
    struct run sampled = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    struct run full = start(&full_conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    struct run all = start(&all_conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    const u64 floats = w_model_tensors(full.model)->floats;

    assert_int_equal(w_softmax_sample_size(&conf, 1), conf.vocab_size);
    for (u64 step = 1; step <= 2; step++) {
        double want = w_model_gradient(full.model, &full.batch, 1);
        double loss = w_model_gradient(sampled.model, &sampled.batch, 1);
        assert_true(fabs(loss - want) < 1e-5);
        assert_true(w_model_gradient(all.model, &all.batch, 1) == want);
        for (u64 i = 0; i < floats; i++) {
            float a = w_model_gradients(full.model)[i], b = w_model_gradients(sampled.model)[i];
            assert_true(fabsf(a - b) <= 1e-4f * fabsf(a) + 1e-6f);
        }
        w_model_update(full.model, step, 1e-3);
        w_model_update(sampled.model, step, 1e-3);
        w_model_update(all.model, step, 1e-3);
    }
    assert_memory_equal(w_model_weights(all.model), w_model_weights(full.model),
                        floats * sizeof(float));
    finish(&sampled);
    finish(&full);
    finish(&all);
}

/* Equal; nearly so with products of another library, which rounds by their shapes. */
static bool same(const struct w_kern *kern, double a, double b)
{
    return a == b || (kern->product && fabs(a - b) < 1e-8 * fabs(b));
}

/* Evaluation takes all ids, also between steps, when panels of a set were in place of the table's;
 * where logits over all ids have room for fewer tokens than those of a set, too. */
static void check_evaluation(const struct w_conf *conf, const struct w_kern *kern, enum w_type type)
{
    struct w_conf full = *conf;
    full.softmax_sample = 0;
    struct run run = start(conf, W_PLAN_TRAIN, 2, type, kern);
    struct run eval = start(&full, W_PLAN_EVAL, 1, type, kern);
    const u64 bytes = w_model_tensors(run.model)->floats * sizeof(float);

    assert_true(same(kern, w_model_loss(run.model, &run.batch, NULL),
                     w_model_loss(eval.model, &eval.batch, NULL)));
    for (u64 step = 0; step < 3; step++) {
        double before = w_model_loss(eval.model, &eval.batch, NULL);
        run.batch.number = step;
        double loss = w_model_gradient(run.model, &run.batch, 1);
        assert_true(same(kern, w_model_loss(run.model, &run.batch, NULL), before));
        assert_true(w_model_gradient(run.model, &run.batch, 0) == loss);
        w_model_update(run.model, step + 1, 1e-2);
        memcpy(w_model_weights(eval.model), w_model_weights(run.model), bytes);
        assert_true(w_model_loss(eval.model, &eval.batch, NULL) != before);
        assert_true(same(kern, w_model_loss(run.model, &run.batch, NULL),
                         w_model_loss(eval.model, &eval.batch, NULL)));
    }
    finish(&run);
    finish(&eval);
}

static void evaluation_takes_all_ids(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (enum w_type type = 0; type < W_COMPUTE_TYPES; type++)
        for (u32 k = 0; (kern = next_usable(&k, type));)
            for (u32 c = 0; c < W_COUNTOF(cases); c++) {
                struct w_conf conf = conf_at(c);
                for (conf.lazy_rows = 0; conf.lazy_rows < 2; conf.lazy_rows++)
                    check_evaluation(&conf, kern, type);
            }
}

/* ---- lazy rows ---- */

/* Two batches make a step: rows that neither uses keep every bit, the others are updated as with
 * the same gradients by the formula; and the norm is that of all gradients. */
static void rows_that_a_step_does_not_use_stay(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_conf conf = conf_at(0);
    conf.lazy_rows = 1;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    const struct w_tensors *tensors = w_model_tensors(run.model);
    const u64 floats = tensors->floats, d = conf.d_model;
    float *old[3], *now[3] = {w_model_weights(run.model), w_model_state(run.model, 0),
                              w_model_state(run.model, 1)};
    struct w_softmax_sample set = new_set(&conf);
    u64 stayed = 0, changed = 0;

    for (u32 i = 0; i < 3; i++)
        old[i] = malloc(floats * sizeof(float));
    for (u64 step = 1; step <= 3; step++) {
        bool *used = calloc(conf.vocab_size, sizeof *used);
        double squares = 0;
        for (u64 i = 0; i < 2; i++) {
            run.batch.number = 2 * step + i;
            w_softmax_sample_draw(&set, &conf, &run.batch);
            for (u64 j = 0; j < set.count; j++)
                used[set.ids[j]] = true;
            for (u64 j = 0; j < conf.batch_size * (conf.max_length + 1); j++)
                used[run.ids[j]] |= (j + 1) % (conf.max_length + 1) != 0;
            w_model_gradient(run.model, &run.batch, 0.5);
        }
        const float *g = w_model_gradients(run.model);
        for (u64 i = 0; i < floats; i++)
            squares += (double)g[i] * (double)g[i];
        for (u32 i = 0; i < 3; i++)
            memcpy(old[i], now[i], floats * sizeof(float));
        double norm = w_model_update(run.model, step, 1e-3);
        assert_true(fabs(norm - sqrt(squares)) <= 1e-12 * norm);
        for (u64 i = 0; i < floats; i++)
            assert_true(g[i] == 0);
        for (u64 id = 0; id < conf.vocab_size; id++)
            for (u32 i = 0; i < 3; i++) {
                const bool same = !memcmp(old[i] + id * d, now[i] + id * d, d * sizeof(float));
                assert_true(same == !used[id]);
                stayed += same, changed += !same;
            }
        free(used);
    }
    assert_true(stayed > 100 && changed > 100);
    for (u32 i = 0; i < 3; i++)
        free(old[i]);
    free_set(&set);
    finish(&run);
}

/* Without lazy rows a step is that of the full softmax with the same gradients, in every bit. */
static void all_rows_are_updated_else(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_conf conf = conf_at(0), full_conf = conf;
    full_conf.softmax_sample = 0;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    for (enum w_type type = 0; type < W_COMPUTE_TYPES; type++) {
        struct run run = start(&conf, W_PLAN_TRAIN, 2, type, kern);
        struct run full = start(&full_conf, W_PLAN_TRAIN, 2, type, kern);
        const u64 bytes = w_model_tensors(run.model)->floats * sizeof(float);

        for (u64 step = 1; step <= 3; step++) {
            run.batch.number = step;
            w_model_gradient(run.model, &run.batch, 1);
            memcpy(w_model_gradients(full.model), w_model_gradients(run.model), bytes);
            const double norm = w_model_update(run.model, step, 1e-3);
            assert_true(w_model_update(full.model, step, 1e-3) == norm);
            assert_memory_equal(w_model_weights(run.model), w_model_weights(full.model), bytes);
            for (u32 i = 0; i < 2; i++)
                assert_memory_equal(w_model_state(run.model, i), w_model_state(full.model, i),
                                    bytes);
            for (u64 i = 0; i < bytes / sizeof(float); i++)
                assert_true(w_model_gradients(run.model)[i] == 0);
        }
        finish(&run);
        finish(&full);
    }
}

/* ---- what was seen ---- */

/* A step counts when it is done: all batches of it draw by the steps before. */
static void seen_targets_are_those_of_whole_steps(void **state)
{
    (void)state;
    const struct w_kern *kern;
    const struct w_conf conf = conf_at(0);
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    u32 *want = calloc(conf.vocab_size, sizeof *want), *seen = w_model_seen(run.model);
    const u64 bytes = conf.vocab_size * sizeof *want;

    for (u64 step = 1; step <= 3; step++) {
        for (u64 i = 0; i < 2; i++) {
            w_model_gradient(run.model, &run.batch, 0.5);
            w_model_loss(run.model, &run.batch, NULL);
            assert_memory_equal(seen, want, bytes);
        }
        w_model_update(run.model, step, 1e-3);
        for (u64 i = 0; i < conf.batch_size * (conf.max_length + 1); i++)
            want[run.ids[i]] += i % (conf.max_length + 1) ? 2 : 0;
        assert_memory_equal(seen, want, bytes);
    }
    /* nothing counts beyond the end of its type */
    seen[run.ids[1]] = UINT32_MAX - 1;
    w_model_gradient(run.model, &run.batch, 1);
    w_model_gradient(run.model, &run.batch, 1);
    w_model_update(run.model, 4, 1e-3);
    assert_true(seen[run.ids[1]] == UINT32_MAX);
    struct w_conf full = conf;
    full.softmax_sample = 0;
    struct run other = start(&full, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    assert_null(w_model_seen(other.model));
    free(want);
    finish(&run);
    finish(&other);
}

static void training_learns_a_batch_by_heart(void **state)
{
    (void)state;
    const struct w_kern *kern;
    static const struct shape small = {32, 4, 2, 64, 400, 4, 12};
    struct w_conf conf = conf_of(&small);
    conf.softmax_sample = 64;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);

    for (u64 step = 1; step <= 200; step++) {
        run.batch.number = step - 1;
        w_model_gradient(run.model, &run.batch, 1);
        w_model_update(run.model, step, 1e-2);
    }
    assert_true(w_model_loss(run.model, &run.batch, NULL) < 0.3); /* over all 400 ids: from 6 */
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_list_what_was_added),
        cmocka_unit_test(sets_have_all_targets_and_others),
        cmocka_unit_test(draws_depend_on_seed_and_number_alone),
        cmocka_unit_test(others_are_drawn_alike),
        cmocka_unit_test(sums_of_exponentials_are_right_on_average),
        cmocka_unit_test(gradients_are_the_slopes_of_the_sampled_loss),
        cmocka_unit_test(bf16_is_near_fp32),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(a_set_of_all_ids_is_the_full_softmax),
        cmocka_unit_test(evaluation_takes_all_ids),
        cmocka_unit_test(rows_that_a_step_does_not_use_stay),
        cmocka_unit_test(all_rows_are_updated_else),
        cmocka_unit_test(seen_targets_are_those_of_whole_steps),
        cmocka_unit_test(training_learns_a_batch_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
