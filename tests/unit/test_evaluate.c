/* Figures of configurations: expected values, formulas, requirements, targets, logs. */
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

#include "base/rng.h"
#include "fit/evaluate.h"
#include "tools/wcachefit/hints.h"
#include "fit/require.h"
#include "fit/runlog.h"
#include "bench/target.h"
#include "net/model.h"
#include "tests/unit/calibration_fixture.h"

static struct w_err err;

/* ---- figures ---- */

static struct w_machine seed_host(void)
{
    struct w_machine m;
    assert_int_equal(w_target_find(&m, "seed-host", &err), W_DONE);
    return m;
}

static void make(struct w_fit *fit, const struct w_conf *conf, u64 threads)
{
    struct w_machine m = seed_host();
    struct w_fit_ask ask = {.threads = threads,
                            .tokens = 10080000,
                            .tokens_per_file = 100800,
                            .tok_s = 500,
                            .tok_s_source = "test",
                            .bytes_per_token = 4,
                            .loss = 5};
    if (w_fit_make(fit, conf, &m, &ask, &err))
        fail_msg("%s", err.text);
}

enum { CONFIGS = 4 };
static struct w_fit fits[CONFIGS];

static int make_fits(void **state)
{
    static const char *const paths[CONFIGS] = {
        "configs/wiki_gpu_optimized.json", "configs/wiki_cache_optimized.json",
        "configs/wiki_performance_tuned.json", "configs/autoregressive_fast.json"};
    (void)state;
    for (int i = 0; i < CONFIGS; i++) {
        struct w_conf conf;
        if (w_conf_load(&conf, paths[i], &err))
            return -1;
        conf.optimizer = W_OPTIMIZER_ADAMW;
        conf.softmax_sample = 0;
        make(&fits[i], &conf, 4);
    }
    return 0;
}

/* Exact figures of the four configurations, from the formulas by hand. */
static const struct {
    const char *key;
    double values[CONFIGS];
} exact[] = {
    {"params", {27238400, 13291776, 11316160, 6498560}},
    {"params.untied", {35430400, 19435776, 16436160, 10594560}},
    {"params.nobias", {27204096, 13274496, 11298240, 6489856}},
    {"params.matmul", {18874368, 7077888, 6144000, 2359296}},
    {"params.layer", {3152384, 1774464, 1232960, 789760}},
    {"params.attention", {1048576, 589824, 409600, 262144}},
    {"params.mlp", {2097152, 1179648, 819200, 524288}},
    {"sequence.bytes", {524288, 196608, 122880, 131072}},
    {"ff.bytes", {2097152, 786432, 491520, 524288}},
    {"embedding.bytes", {32768000, 24576000, 20480000, 16384000}},
    {"rows", {16384, 4096, 3840, 4096}},
    {"batch.bytes", {33554432, 6291456, 4915200, 4194304}},
    {"logits.bytes", {1048576000, 262144000, 245760000, 262144000}},
    {"memory.state", {435814400, 212668416, 181058560, 103976960}},
    {"plain.batch", {51, 175, 233, 247}},
    {"both.batch", {25, 87, 116, 123}},
    {"lean.batch", {131, 539, 698, 1084}},
    {"attention.bytes", {524288, 163840, 98304, 196608}},
    {"steps", {615, 2460, 2625, 2460}},
};

/* The same as printed, in the unit of the last column. */
static const struct {
    const char *key;
    double values[CONFIGS], tolerance, unit;
} rounded[] = {
    {"memory.weights", {103.9, 50.7, 43.2, 24.8}, 0.051, 1 << 20},
    {"memory.state", {415.6, 202.8, 172.7, 99.2}, 0.051, 1 << 20},
    {"plain.bytes", {7057.7, 1072.3, 1012.8, 772.2}, 0.051, 1 << 20},
    {"plain.both", {14115, 2144.6, 2025.7, 1544.5}, 0.51, 1 << 20},
    {"lean.bytes", {2756.7, 348.8, 338.4, 176.4}, 0.051, 1 << 20},
    {"batch.l3", {400, 75, 58.6, 50}, 0.051, 0.01},
    {"flops.layer", {6.816, 3.736, 2.580, 1.704}, 0.00051, 1e6},
    {"flops.forward", {57.28, 27.23, 23.14, 13.30}, 0.0051, 1e6},
    {"flops.causal", {55.71, 26.84, 22.84, 13.11}, 0.0051, 1e6},
    {"flops.train", {171.84, 81.69, 69.43, 39.91}, 0.0051, 1e6},
    {"flops.head_share", {28.6, 45.1, 44.2, 61.6}, 0.051, 0.01},
    {"intensity.qkv", {188, 134, 113, 92}, 0.6, 1},
    {"intensity.projection", {126, 92, 77, 62}, 0.6, 1},
    {"intensity.mlp", {200, 143, 120, 98}, 0.6, 1},
    {"intensity.head", {241, 172, 145, 119}, 0.6, 1},
    {"tokens_per_param", {0.37, 0.76, 0.89, 1.55}, 0.0051, 1},
    {"gemm.balance", {44.8, 44.8, 44.8, 44.8}, 0.01, 1},
    {"gemm.space", {125, 125, 125, 125}, 0.6, 1024},
};

static void golden_figures_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(exact); i++)
        for (int k = 0; k < CONFIGS; k++)
            if (w_fit_value(&fits[k], exact[i].key) != exact[i].values[k])
                fail_msg("%s of %s is %.17g, not %.17g", exact[i].key, fits[k].conf.name,
                         w_fit_value(&fits[k], exact[i].key), exact[i].values[k]);
    for (size_t i = 0; i < W_COUNTOF(rounded); i++)
        for (int k = 0; k < CONFIGS; k++) {
            double value = w_fit_value(&fits[k], rounded[i].key) / rounded[i].unit;
            if (!(fabs(value - rounded[i].values[k]) <= rounded[i].tolerance))
                fail_msg("%s of %s is %g, not %g", rounded[i].key, fits[k].conf.name, value,
                         rounded[i].values[k]);
        }
}

/* Verdicts by name, and what two threads on a core do to them. */
static void verdicts_follow_the_share_of_a_thread(void **state)
{
    (void)state;
    const bool head[CONFIGS] = {false, true, true, true};
    for (int k = 0; k < CONFIGS; k++) {
        assert_true(w_fit_value(&fits[k], "l2.share") == 0.75 * 512 * 1024);
        assert_int_equal(w_fit_value(&fits[k], "l2.attention") <= 1, head[k]);
        assert_int_equal(w_fit_value(&fits[k], "l2.sequence") <= 1, head[k]);
        assert_true(w_fit_value(&fits[k], "l2.sequence_mlp") > 1);
        assert_true(w_fit_value(&fits[k], "l2.attention_rows") <= 1);
    }
    struct w_fit two;
    make(&two, &fits[3].conf, 8);
    assert_true(w_fit_value(&two, "l2.share") == 0.75 * 256 * 1024);
    assert_true(w_fit_value(&two, "l3.share") == 0.75 * 1024 * 1024);
    assert_true(w_fit_value(&two, "l2.attention") == 1);
    assert_true(w_fit_value(&two, "l2.mlp") == 1);
}

/* Blocks are those of the kernels that a machine would run in a precision; each fits its caches. */
static void blocks_are_those_of_the_machines_kernels(void **state)
{
    (void)state;
    struct w_machine amx, dot, avx512, avx2, plain;
    assert_int_equal(w_target_find(&amx, "xeon-8480", &err), W_DONE);
    dot = amx;
    dot.amx_bf16 = false;
    avx512 = dot;
    avx512.avx512_bf16 = false;
    avx2 = avx512;
    avx2.avx512 = false;
    plain = avx2;
    plain.avx2_fma = false;
    const struct {
        const struct w_machine *machine;
        enum w_type type;
        const char *kernels;
    } rows[] = {{&amx, W_TYPE_BF16, "amx"},        {&amx, W_TYPE_F32, "avx512"},
                {&dot, W_TYPE_BF16, "avx512bf16"}, {&dot, W_TYPE_F32, "avx512"},
                {&avx512, W_TYPE_BF16, "avx512"},  {&avx2, W_TYPE_BF16, "avx2"},
                {&avx2, W_TYPE_F32, "avx2"},       {&plain, W_TYPE_BF16, "portable"},
                {&plain, W_TYPE_F32, "portable"}};
    struct w_fit fit;
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        struct w_fit_ask ask = {.threads = 1, .type = rows[i].type};
        assert_int_equal(w_fit_make(&fit, &fits[0].conf, rows[i].machine, &ask, &err), W_DONE);
#if defined __x86_64__
        assert_string_equal(fit.sources[w_figure_find("tile.rows")], rows[i].kernels);
#endif
        assert_true(w_fit_value(&fit, "l1.panel") <= 1 && w_fit_value(&fit, "l2.block") <= 1);
    }
}

static double peak_of(const struct w_machine *m, enum w_type type)
{
    struct w_fit_ask ask = {.threads = 1, .type = type};
    struct w_fit fit;
    assert_int_equal(w_fit_make(&fit, &fits[0].conf, m, &ask, &err), W_DONE);
    return w_fit_value(&fit, "peak");
}

static void a_peak_is_that_of_the_precision(void **state)
{
    (void)state;
    struct w_machine m = seed_host();
    double fp32 = m.flops_per_s.value;
    assert_true(peak_of(&m, W_TYPE_F32) == fp32);
    assert_true(peak_of(&m, W_TYPE_BF16) == fp32); /* no instructions for it: no faster */
    m.avx512_bf16 = true;
    assert_true(isnan(peak_of(&m, W_TYPE_BF16)));
    m.bf16_flops_per_s = (struct w_rate){2 * fp32, W_FROM_USER};
    assert_true(peak_of(&m, W_TYPE_BF16) == 2 * fp32 && peak_of(&m, W_TYPE_F32) == fp32);
}

/* With everything given, everything is known: each formula has names, and only those of rows
 * above. */
static void every_formula_can_be_computed(void **state)
{
    (void)state;
    static struct w_calibration calibration;
    struct w_machine m = seed_host();
    struct w_fit_ask ask = {.threads = 1,
                            .tokens = 1,
                            .tokens_per_file = 1,
                            .budget_s = 1,
                            .tok_s = 1,
                            .tok_s_source = "test",
                            .bytes_per_token = 1,
                            .loss = 1,
                            .ranks = 2,
                            .network = {1e9, 1e-4},
                            .calibration = &calibration};
    struct w_fit fit;
    struct w_conf conf = fits[0].conf;
    make_calibration(&calibration);
    m.l3.bytes_per_s = (struct w_rate){1e11, W_FROM_USER};
    ask.text_tokens = 1;
    conf.counts = 8;
    assert_int_equal(w_fit_make(&fit, &conf, &m, &ask, &err), W_DONE);
    for (int row = 0; w_figures[row].key; row++) {
        if (isnan(fit.values[row]))
            fail_msg("%s is not known", w_figures[row].key);
        assert_non_null(fit.sources[row]);
        assert_int_equal(w_figure_find(w_figures[row].key), row);
    }
}

/* Two ranks of a small model, with a network over which exchanging takes so many times as long as
 * computing. */
static double choice_with(u32 optimizer, double exchange_part)
{
    static struct w_calibration calibration;
    struct w_machine m = seed_host();
    struct w_conf conf = fits[3].conf;
    struct w_fit fit;
    struct w_fit_ask ask = {
        .threads = 1, .calibration = &calibration, .ranks = 2, .network = {1e15, 1e-9}};

    make_calibration(&calibration);
    conf.optimizer = optimizer;
    conf.batch_size = 1;
    conf.accumulate = 2;
    assert_int_equal(w_fit_make(&fit, &conf, &m, &ask, &err), W_DONE);
    ask.network.bytes_s =
        w_fit_value(&fit, "ranks.bytes") / (exchange_part * w_fit_value(&fit, "ranks.seconds"));
    assert_int_equal(w_fit_make(&fit, &conf, &m, &ask, &err), W_DONE);
    return w_fit_value(&fit, "ranks.choice");
}

static void a_slow_network_wants_other_steps(void **state)
{
    (void)state;
    assert_true(choice_with(W_OPTIMIZER_MUON, 0.05) == 0);
    /* by the law of Muon larger steps waste little, by that of AdamW they do */
    assert_true(choice_with(W_OPTIMIZER_MUON, 0.5) == 1);
    assert_true(choice_with(W_OPTIMIZER_ADAMW, 2) == 2);
}

static void parameters_are_those_of_the_tensors(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 7};
    for (int i = 0; i < 200; i++) {
        struct w_conf conf = fits[0].conf;
        struct w_tensors tensors;
        struct w_fit fit;
        u64 sum = 0;
        conf.num_heads = 1 + w_rng_below(&rng, 8);
        conf.d_model = conf.num_heads * (1 + w_rng_below(&rng, 40));
        conf.num_layers = 1 + w_rng_below(&rng, 6);
        conf.d_ff = 1 + w_rng_below(&rng, 500);
        conf.vocab_size = 2 + w_rng_below(&rng, 5000);
        conf.batch_size = 1 + w_rng_below(&rng, 9);
        conf.max_length = 1 + w_rng_below(&rng, 300);
        make(&fit, &conf, 1 + w_rng_below(&rng, 4));
        assert_int_equal(w_tensors_make(&tensors, &conf, &err), W_DONE);
        for (u32 t = 0; t < tensors.count; t++)
            sum += tensors.rows[t].count;
        assert_true(sum == tensors.parameters);
        assert_true(w_fit_value(&fit, "params") == (double)sum);
        w_tensors_free(&tensors);
        u64 bytes = 0;
        for (u32 b = 0; b < fit.plan.count; b++)
            bytes += fit.plan.rows[b].bytes;
        assert_true(bytes == fit.plan.bytes);
        assert_true(w_fit_value(&fit, "memory.plan") == (double)bytes);
    }
}

static void the_largest_batch_fits_and_the_next_does_not(void **state)
{
    (void)state;
    for (int k = 0; k < CONFIGS; k++) {
        struct w_conf conf = fits[k].conf;
        struct w_fit fit;
        conf.batch_size = (u64)w_fit_value(&fits[k], "memory.batch");
        make(&fit, &conf, 4);
        assert_true(w_fit_value(&fit, "memory.share") <= W_MEMORY_USABLE);
        conf.batch_size++;
        make(&fit, &conf, 4);
        assert_true(w_fit_value(&fit, "memory.share") > W_MEMORY_USABLE);
    }
}

/* wtrain counts its GFLOP/s by the same arithmetic. */
static void the_trainer_counts_the_same_flops(void **state)
{
    (void)state;
    for (int k = 0; k < CONFIGS; k++)
        assert_true(w_fit_value(&fits[k], "flops.train_causal") ==
                    w_arch_flops_per_token(&fits[k].conf));
}

static void rates_give_times(void **state)
{
    (void)state;
    assert_true(w_fit_value(&fits[0], "time") == 20160);
    assert_true(w_fit_value(&fits[0], "hours") == 5.6);
    assert_true(w_fit_value(&fits[0], "time.megabyte") == 500);
    assert_true(fabs(w_fit_value(&fits[0], "bits.byte") - 5 / log(2) / 4) < 1e-12);
    struct w_machine m = {.physical_cores = 1};
    struct w_fit_ask ask = {.threads = 1};
    struct w_fit fit;
    assert_int_equal(w_fit_make(&fit, &fits[0].conf, &m, &ask, &err), W_DONE);
    assert_true(isnan(w_fit_value(&fit, "time")) && isnan(w_fit_value(&fit, "l2.attention")));
    assert_true(isnan(w_fit_value(&fit, "memory.batch")));
    m.memory_bytes = 1 << 20; /* in which not even one sequence fits */
    assert_int_equal(w_fit_make(&fit, &fits[0].conf, &m, &ask, &err), W_DONE);
    assert_true(w_fit_value(&fit, "memory.batch") == 0);
    assert_true(w_fit_value(&fit, "params") == 27238400);
}

static void figures_are_text_for_people(void **state)
{
    (void)state;
    const struct {
        enum w_unit unit;
        double value;
        const char *text;
    } rows[] = {
        {W_UNIT_COUNT, 27238400, "27,238,400"},
        {W_UNIT_COUNT, 999, "999"},
        {W_UNIT_BYTES, 524288, "512 KiB"},
        {W_UNIT_BYTES, 1023, "1023 B"},
        {W_UNIT_BYTES, 1536, "1.50 KiB"},
        {W_UNIT_FLOP, 57.28e6, "57.3 MFLOP"},
        {W_UNIT_FLOP, 999999, "1.00 MFLOP"},
        {W_UNIT_FILL, 1.3333, "133 %"},
        {W_UNIT_SECONDS, 20160, "5.6 h"},
        {W_UNIT_SECONDS, 99.4, "99.4 s"},
        {W_UNIT_SECONDS, 0.9996, "1 s"},
        {W_UNIT_SECONDS, 0.25, "250 ms"},
        {W_UNIT_SECONDS, 0.9996e-6, "1 us"},
        {W_UNIT_SECONDS, 1.393e-9, "1.39 ns"},
        {W_UNIT_SECONDS, 2e-15, "0.002 ps"},
        {W_UNIT_SECONDS, 0, "0 s"},
        {W_UNIT_BYTES, NAN, "-"},
        {W_UNIT_PART, 0.286, "28.6 %"},
    };
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        char text[W_FIGURE_TEXT];
        w_figure_text(text, rows[i].unit, rows[i].value);
        assert_string_equal(text, rows[i].text);
    }
    char text[W_FIGURE_TEXT];
    assert_string_equal(w_fit_text(text, &fits[0], "params"), "27,238,400");
}

/* ---- requirements, targets, logs, hints ---- */

static enum w_status require(const char *text)
{
    err = (struct w_err){0};
    return w_require_check(&fits[0], text, NULL, NULL, &err);
}

static void requirements_hold_or_name_themselves(void **state)
{
    (void)state;
    assert_int_equal(require("ram<=80%,params<=30M,hours<=6,tok/s>=500,l3.gemm<1"), W_DONE);
    assert_int_equal(require("params=27238400"), W_DONE);
    assert_int_equal(require("memory<=4GiB"), W_DONE);
    assert_int_equal(require("attn@L2"), W_NO);
    assert_non_null(strstr(err.text, "wiki_gpu_optimized: requirement attn@L2 does not hold"));
    assert_int_equal(require("ram<=80%,l2.attention<=100%,params<1"), W_NO);
    assert_non_null(strstr(err.text, "l2.attention<=100% does not hold: l2.attention is 133 %"));
    assert_int_equal(require("decode.tok_s>1k"), W_NO);
}

static void requirements_with_mistakes_are_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",        "ram",       "ram<=",        "<=3",      "ram<=x",      "prams<=3",
        "attn@L4", "foo@L2",    "instances@L1", "bytes@L2", "measured@L3", "ram<=80%,",
        "ram=<3",  "ram<==80%", "ram<=80%%",    "attn@",    "ram<>3",      "params<1,x<2"};
    for (size_t i = 0; i < W_COUNTOF(bad); i++)
        if (require(bad[i]) != W_USAGE)
            fail_msg("'%s' was accepted", bad[i]);
    assert_int_equal(require("prams<=3"), W_USAGE);
    assert_non_null(strstr(err.text, "did you mean params?"));
}

static void targets_are_found_by_name_and_file(void **state)
{
    (void)state;
    struct w_machine m;
    for (const struct w_target *t = w_targets; t->name; t++) {
        struct w_machine back;
        struct w_json *j = w_machine_json(&t->machine), *read;
        char *text = w_json_text(j, &err);
        assert_int_equal(w_json_parse(&read, text, strlen(text), &err), W_DONE);
        assert_int_equal(w_machine_from_json(&back, read, &err), W_DONE);
        assert_memory_equal(&t->machine.l2, &back.l2, sizeof back.l2);
        assert_true(t->machine.memory_bytes == back.memory_bytes);
        free(text);
        w_json_free(read);
        w_json_free(j);
    }
    assert_int_equal(w_target_find(&m, "sed-host", &err), W_USAGE);
    assert_non_null(strstr(err.text, "did you mean seed-host?"));
    assert_int_equal(w_target_find(&m, "/nonexistent/m.json", &err), W_IO);
    assert_int_equal(w_target_find(&m, "configs/demo.json", &err), W_USAGE);
}

static void the_median_of_a_log_is_its_rate(void **state)
{
    (void)state;
    char path[] = "/tmp/wtools-log-XXXXXX";
    int fd = mkstemp(path);
    const char *text = "{\"t\":\"step\",\"step\":1,\"loss\":9.5,\"tok_s\":7}\n"
                       "{\"t\":\"header\",\"name\":\"a run\",\"threads\":3,\"kernel\":\"ref\","
                       "\"plan_bytes\":4096,\"config\":{\"d_model\":8,\"num_heads\":2,"
                       "\"num_layers\":1,\"d_ff\":16,\"vocab_size\":300,\"batch_size\":2,"
                       "\"max_length\":4,\"learning_rate\":0.1}}\n"
                       "{\"t\":\"step\",\"step\":1,\"loss\":9.5,\"tok_s\":10}\n"
                       "{\"t\":\"step\",\"step\":2,\"loss\":8.5,\"tok_s\":1000}\n"
                       "{\"t\":\"step\",\"step\":3,\"loss\":7.5,\"tok_s\":900}\n"
                       "{\"t\":\"eval\",\"loss\":1}\n{\"t\":\"end\",\"peak_bytes\":5000}\n"
                       "{\"t\":\"step\",\"st";
    struct w_runlog log;
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(w_runlog_read(&log, path, &err), W_DONE);
    assert_int_equal(log.steps, 3);
    assert_true(log.tok_s == 900 && log.loss == 7.5);
    assert_true(log.has_header && log.threads == 3 && log.conf.d_ff == 16);
    assert_true(log.plan_bytes == 4096 && log.peak_bytes == 5000);
    assert_string_equal(log.conf.name, "a run");
    assert_string_equal(log.kernel, "ref");
    unlink(path);
    assert_int_equal(w_runlog_read(&log, "configs/demo.json", &err), W_CORRUPT);
    assert_int_equal(w_runlog_read(&log, path, &err), W_IO);
}

static bool says(const struct w_hints *hints, const char *what)
{
    for (u32 i = 0; i < hints->count; i++)
        if (strstr(hints->text[i], what))
            return true;
    return false;
}

static void hints_say_what_to_change(void **state)
{
    (void)state;
    struct w_machine m = seed_host();
    struct w_hints hints;
    w_hints_make(&hints, &fits[2], &m);
    assert_non_null(strstr(hints.text[0], "with num_heads 10 it has 32"));
    struct w_conf odd = fits[2].conf;
    struct w_fit unpadded;
    odd.vocab_size = 10001;
    m.no_huge_pages = true;
    make(&unpadded, &odd, 4);
    w_hints_make(&hints, &unpadded, &m);
    assert_non_null(strstr(hints.text[1], "does not fill whole tiles"));
    assert_non_null(strstr(hints.text[1], "vocab_size 10016"));
    assert_non_null(strstr(hints.text[2], "no huge pages"));
    struct w_conf large = fits[0].conf;
    struct w_fit fit;
    large.batch_size = 512;
    make(&fit, &large, 4);
    w_hints_make(&hints, &fit, &m);
    assert_non_null(strstr(hints.text[0], "more memory than is available: batch_size 1"));
    /* a rate that learns little in any time, and the one of the law's runs */
    struct w_conf rated = fits[3].conf;
    make(&fit, &rated, 4);
    w_hints_make(&hints, &fit, &m);
    assert_true(says(&hints, "learning_rate 0.0001 is far from the 0.0028"));
    rated.learning_rate = 0.003;
    make(&fit, &rated, 4);
    w_hints_make(&hints, &fit, &m);
    assert_false(says(&hints, "learning_rate"));
    rated.learning_rate = 0.1;
    make(&fit, &rated, 4);
    w_hints_make(&hints, &fit, &m);
    assert_true(says(&hints, "learning_rate 0.1 is far from"));
    /* a weight decay under which a long run forgets */
    rated.optimizer = W_OPTIMIZER_MUON;
    struct w_fit_ask ask = {.threads = 4,
                            .tokens = 200 * (double)(rated.batch_size * rated.max_length)};
    assert_int_equal(w_fit_make(&fit, &rated, &m, &ask, &err), W_DONE);
    w_hints_make(&hints, &fit, &m);
    assert_false(says(&hints, "weight_decay"));
    ask.tokens *= 1000;
    assert_int_equal(w_fit_make(&fit, &rated, &m, &ask, &err), W_DONE);
    w_hints_make(&hints, &fit, &m);
    assert_true(says(&hints, "weight_decay 0.1 lets go in 500 steps"));
    /* steps that are large enough for a short run alone */
    assert_false(says(&hints, "Steps"));
    rated.batch_size = 8;
    assert_int_equal(w_fit_make(&fit, &rated, &m, &ask, &err), W_DONE);
    w_hints_make(&hints, &fit, &m);
    assert_true(says(&hints, "Steps of 1024 tokens are small for 819 million"));
    assert_true(says(&hints, "in steps of 8192"));
    ask.tokens /= 1000;
    assert_int_equal(w_fit_make(&fit, &rated, &m, &ask, &err), W_DONE);
    w_hints_make(&hints, &fit, &m);
    assert_false(says(&hints, "Steps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_figures_hold),
        cmocka_unit_test(verdicts_follow_the_share_of_a_thread),
        cmocka_unit_test(blocks_are_those_of_the_machines_kernels),
        cmocka_unit_test(a_peak_is_that_of_the_precision),
        cmocka_unit_test(every_formula_can_be_computed),
        cmocka_unit_test(a_slow_network_wants_other_steps),
        cmocka_unit_test(parameters_are_those_of_the_tensors),
        cmocka_unit_test(the_largest_batch_fits_and_the_next_does_not),
        cmocka_unit_test(the_trainer_counts_the_same_flops),
        cmocka_unit_test(rates_give_times),
        cmocka_unit_test(figures_are_text_for_people),
        cmocka_unit_test(requirements_hold_or_name_themselves),
        cmocka_unit_test(requirements_with_mistakes_are_refused),
        cmocka_unit_test(targets_are_found_by_name_and_file),
        cmocka_unit_test(the_median_of_a_log_is_its_rate),
        cmocka_unit_test(hints_say_what_to_change),
    };
    return cmocka_run_group_tests(tests, make_fits, NULL);
}
