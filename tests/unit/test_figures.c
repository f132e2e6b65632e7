/* Every formula of the table of figures against the same value computed here in another way:
 * counted in loops over positions and layers, summed over a list of matrices, or at least written
 * independently. A wrong formula is named, with the configuration. The phases of a step (work,
 * traffic, time) are checked against the model's own description in test_predict. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bench/target.h"
#include "fit/evaluate.h"
#include "tests/unit/calibration_fixture.h"

static struct w_err err;

/* The expected values of one configuration. */
struct expected {
    const char *key;
    double value;
};
#define EXPECTED_MAX 148
static struct expected rows[EXPECTED_MAX];
static u32 row_count;

static void add(const char *key, double value)
{
    assert_true(row_count < EXPECTED_MAX);
    rows[row_count++] = (struct expected){key, value};
}

static const struct w_fit *fit;

static double given(const char *key)
{
    double value = w_fit_value(fit, key);
    if (isnan(value))
        fail_msg("%s is not known", key);
    return value;
}

/* The matrices of a layer: rows of the weight, columns. */
#define MATRICES 4
static void matrices_of(const struct w_conf *c, double in[MATRICES], double out[MATRICES])
{
    const double d = (double)c->d_model, f = (double)c->d_ff;

    in[0] = d, out[0] = 3 * d; /* QKV */
    in[1] = d, out[1] = d;     /* projection */
    in[2] = d, out[2] = f;     /* MLP */
    in[3] = f, out[3] = d;
}

static void add_parameters(const struct w_conf *c)
{
    const double d = (double)c->d_model, vocab = (double)c->vocab_size;
    double in[MATRICES], out[MATRICES], weights[MATRICES], biases = 0, layers = 0, matrices = 0;

    matrices_of(c, in, out);
    for (u32 i = 0; i < MATRICES; i++) {
        weights[i] = in[i] * out[i];
        biases += out[i];
    }
    const double small = biases + 2 * (d + d); /* two norms of a weight and a bias each */
    const double matmul = weights[0] + weights[1] + weights[2] + weights[3];
    double bare = d; /* without biases: the last norm, and in each layer two */
    for (u64 layer = 0; layer < c->num_layers; layer++) {
        layers += matmul + small;
        matrices += matmul;
        bare += matmul + 2 * d;
    }
    const double tables = vocab * d + (double)c->max_length * d;
    const double gate = d + 8 + 1; /* a weight of each feature, and a bias */
    const double all = tables + layers + 2 * d + gate;
    /* AdamW has two of each weight, Muon one of its matrices */
    const double moments = all * 2 - (c->optimizer == W_OPTIMIZER_MUON ? matrices : 0);

    add("params.embedding", vocab * d);
    add("params.positions", (double)c->max_length * d);
    add("params.attention", weights[0] + weights[1]);
    add("params.mlp", weights[2] + weights[3]);
    add("params.small", small);
    add("params.layer", matmul + small);
    add("params.matmul", matrices);
    add("params", all);
    add("params.untied", all + vocab * d);
    add("params.nobias", tables + bare);
    add("memory.weights", all * sizeof(float));
    add("memory.state", (all * 2 + moments) * sizeof(float));
    add("layer.bytes", (matmul + small) * sizeof(float));
    add("layers.bytes", layers * sizeof(float));
    add("ckpt.bytes", (all + moments) * sizeof(float));
    add("tokens_per_param", given("tokens") / all);
    /* of the positions only one row is read, which is left out */
    add("decode.weights", (layers + vocab * d) * sizeof(float));
}

/* Floats for a token of a trainer that keeps all activations, as llm.c does. */
static double plain_floats(const struct w_conf *c)
{
    const double d = (double)c->d_model, f = (double)c->d_ff;
    const double scores = (double)c->num_heads * (double)c->max_length;
    double floats =
        d + d + 2 + 2 * (double)c->vocab_size + 1; /* encoded, last norm, logits, loss */

    for (u64 layer = 0; layer < c->num_layers; layer++)
        floats += d + 2 + 3 * d + scores + scores + d + d + d /* norm, qkv, attention, residual */
                  + d + 2 + f + f + d + d;                    /* norm, MLP, residual */
    return floats;
}

/* The same without scores, logits and the output of GELU: a sum of each row of scores is enough. */
static double lean_floats(const struct w_conf *c)
{
    const double d = (double)c->d_model;
    double floats = d + d + 2 + 1;

    for (u64 layer = 0; layer < c->num_layers; layer++)
        floats +=
            d + 2 + 3 * d + (double)c->num_heads + d + d + d + d + 2 + (double)c->d_ff + d + d;
    return floats;
}

static void add_memory(const struct w_conf *c)
{
    const double batch = (double)c->batch_size, length = (double)c->max_length;
    const double plain = plain_floats(c), lean = lean_floats(c);
    const double d = (double)c->d_model, f = (double)c->d_ff, vocab = (double)c->vocab_size;
    const double head = d / (double)c->num_heads, queries = length < 64 ? length : 64;
    const double room = W_MEMORY_USABLE * given("ram.bytes") - given("memory.state");

    add("h", head);
    add("rows", batch * length);
    add("sequence.bytes", length * d * sizeof(float));
    add("ff.bytes", length * f * sizeof(float));
    add("sequence_mlp.bytes", length * d * sizeof(float) + length * f * sizeof(float));
    add("embedding.bytes", vocab * d * sizeof(float));
    add("batch.bytes", batch * length * d * sizeof(float));
    add("batch.l3", batch * length * d * sizeof(float) / given("l3.bytes"));
    add("logits.bytes", batch * length * vocab * sizeof(float));
    add("plain.floats", plain);
    add("plain.bytes", batch * length * plain * sizeof(float));
    add("plain.both", batch * length * plain * sizeof(float) * 2);
    add("lean.floats", lean);
    add("lean.bytes", batch * length * lean * sizeof(float));
    add("plain.batch", floor(room / (length * plain * sizeof(float))));
    add("both.batch", floor(room / (2 * length * plain * sizeof(float))));
    add("lean.batch", floor(room / (length * lean * sizeof(float))));
    add("memory.resident", given("memory.plan") + given("resident.base"));
    add("memory.share", given("memory.plan") / given("ram.bytes"));
    /* Q, K, V, output and the scores; with gradients each of it twice */
    const double attention = (4 * length * head + length * length) * sizeof(float);
    add("attention.bytes", attention);
    add("attention_back.bytes", 2 * attention);
    add("attention_rows.bytes",
        (length * head + length * head + queries * head + queries * head + queries * length) *
            sizeof(float));
    add("mlp.bytes", 32 * (d + f + d) * sizeof(float));
}

/* Ids that a step uses: an eighth more than the targets, in tiles of 32; each batch of a step uses
 * others. Returns those of a softmax. */
static double add_ids(const struct w_conf *c)
{
    const double vocab = (double)c->vocab_size, n = (double)(c->batch_size * c->max_length);
    const double heaps = n / (1 + 0.075 * exp(0.33 * log(n)));
    const double targets = heaps / exp(0.8 * log1p(exp(1.25 * log(heaps / vocab))));
    const bool sampled = c->softmax_sample != 0 && c->softmax_sample < c->vocab_size;
    double ids = 0, unused = 1;

    while (ids < (double)c->softmax_sample || 8 * ids < 9 * targets)
        ids += 32;
    if (!sampled || ids > vocab)
        ids = vocab;
    for (u64 i = 0; i < c->accumulate; i++)
        unused *= 1 - ids / vocab;
    add("heaps", heaps);
    add("targets", targets);
    add("sampled", sampled);
    add("S", ids);
    add("used", c->lazy_rows ? vocab * (1 - unused) : vocab);
    return ids;
}

/* Two FLOP for a multiplication and an addition. */
static void add_arithmetic(const struct w_conf *c)
{
    const double length = (double)c->max_length, d = (double)c->d_model;
    const double rows_of_batch = (double)(c->batch_size * c->max_length);
    double in[MATRICES], out[MATRICES], products[MATRICES], pairs = 0, full = 0, causal = 0;

    matrices_of(c, in, out);
    for (u32 i = 0; i < MATRICES; i++)
        products[i] = 2 * in[i] * out[i];
    /* each query meets the keys up to its own; and as many values */
    for (u64 query = 0; query < c->max_length; query++)
        for (u64 key = 0; key <= query; key++)
            pairs++;
    const double scores = 2 * length * d + 2 * length * d;
    const double causal_scores = pairs * (2 * d + 2 * d) / length;
    const double layer = products[0] + products[1] + products[2] + products[3];
    const double ids = add_ids(c), head = 2 * ids * d;
    for (u64 i = 0; i < c->num_layers; i++) {
        full += layer + scores;
        causal += layer + causal_scores;
    }
    add("flops.projections", products[0] + products[1]);
    add("flops.scores", scores);
    add("flops.scores_causal", causal_scores);
    add("flops.attention", products[0] + products[1] + scores);
    add("flops.mlp", products[2] + products[3]);
    add("flops.layer", layer + scores);
    add("flops.layers", full);
    add("flops.head", head);
    add("flops.forward", full + head);
    add("flops.causal", causal + head);
    add("flops.train", 3 * (full + head));
    add("flops.train_causal", 3 * (causal + head));
    add("flops.head_share", head / (full + head));
    add("flops.step", 3 * (causal + head) * rows_of_batch * (double)c->accumulate);
    const struct {
        const char *key;
        double k, n;
    } large[] = {{"intensity.qkv", d, 3 * d},
                 {"intensity.projection", d, d},
                 {"intensity.mlp", d, (double)c->d_ff},
                 {"intensity.head", d, ids}};
    for (size_t i = 0; i < W_COUNTOF(large); i++) {
        const double k = large[i].k, n = large[i].n;
        add(large[i].key, 2 * rows_of_batch * k * n /
                              (sizeof(float) * (rows_of_batch * k + k * n + rows_of_batch * n)));
    }
    add("roof.tok_s", given("peak") / (3 * (causal + head)));
    add("rate.flop_s", given("tok_s") * 3 * (causal + head));
    add("rate.efficiency", given("tok_s") * 3 * (causal + head) / given("peak"));
    add("time.roof", given("tokens") * 3 * (causal + head) / given("peak"));
}

static void add_caches(void)
{
    static const char *const levels[] = {"l1", "l2", "l3"};
    static char keys[9][16];
    const double balance = given("peak") / given("ram.bytes_s");

    for (u32 i = 0; i < 3; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s.instances", levels[i]);
        const double threads = ceil(given("threads") / given(key));
        snprintf(key, sizeof key, "%s.measured", levels[i]);
        const double whole = given(key), share = whole / threads;
        snprintf(keys[3 * i], sizeof keys[0], "%s.whole", levels[i]);
        snprintf(keys[3 * i + 1], sizeof keys[0], "%s.share", levels[i]);
        snprintf(keys[3 * i + 2], sizeof keys[0], "gemm.%s", levels[i]);
        add(keys[3 * i], whole);
        add(keys[3 * i + 1], share);
        add(keys[3 * i + 2], sqrt(share / sizeof(float) / 2) / 4);
    }
    add("gemm.balance", balance);
    /* the space in floats whose square root over 4 is the balance */
    add("gemm.space", sizeof(float) * 16 * balance * balance);
    const double element = given("element"), k = given("block.k");
    const double height = given("block.rows"), width = given("block.cols");
    add("panel.bytes", element * k * given("tile.cols"));
    add("block.bytes", element * k * (height + given("tile.cols")));
    add("gemm.blocks", 2 * height * width * k / (element * (height * k + k * width)));
}

static void add_generation(const struct w_conf *c)
{
    double bytes = 0;

    for (u64 layer = 0; layer < c->num_layers; layer++)
        for (u64 position = 0; position < c->max_length; position++)
            bytes += 2 * (double)c->d_model * sizeof(float); /* a key and a value */
    const double read = given("decode.weights") + bytes / 2;
    const bool in_l3 = read <= given("l3.whole");
    add("decode.kv", bytes);
    add("decode.bytes", read);
    add("decode.tok_s",
        (in_l3 ? given("threads") * given("l3.bytes_s") : given("ram.bytes_s")) / read);
    add("predict.decode", 1 / given("decode.seconds"));
    add("generate.f32.tok_s", 1 / given("generate.f32.seconds"));
    add("generate.bf16.tok_s", 1 / given("generate.bf16.seconds"));
    add("generate.q8.tok_s", 1 / given("generate.q8.seconds"));
    add("prompt.f32.tok_s", 1 / given("prompt.f32.seconds"));
    add("prompt.bf16.tok_s", 1 / given("prompt.bf16.seconds"));
    add("prompt.q8.tok_s", 1 / given("prompt.q8.seconds"));
    add("decode.low", (1 - given("decode.interval")) / given("decode.seconds"));
    add("decode.high", (1 + given("decode.interval")) / given("decode.seconds"));
}

static double worth_of(double tokens, double text)
{
    const double reuse = given("law.reuse") * exp(0.7 * log(text / given("params")));

    return tokens > text ? text * (1 - reuse * expm1(-(tokens - text) / text / reuse)) : tokens;
}

/* Tokens of which one is of use, in steps of so many, after what is worth so many millions. */
static double waste(double step_tokens, double worth)
{
    const double grown = exp(given("law.grow") * log(worth));

    return 1 + step_tokens / grown / given("law.batch") + given("law.small") / step_tokens * grown;
}

/* The scaling law (fit/scaling_law.h), in millions. */
static double bits_after(const struct w_conf *c, double worth)
{
    const double step_tokens = (double)(c->accumulate * c->batch_size * c->max_length);
    const double layers = (double)c->num_layers, data = worth / 1e6;
    const double size = given("params.matmul") / layers * pow(layers, given("law.depth")) / 1e6;
    const double useful = data / waste(step_tokens, data);
    const double lost = given("law.a") * pow(size, -given("law.alpha")) +
                        given("law.c") * pow(useful, -given("law.beta"));

    return given("law.floor") + lost * pow((double)c->vocab_size / 8192, -given("law.gamma"));
}

/* A step of all ranks: each makes its part of the batches and the whole update. How long they wait
 * for each other, test_simulation knows. */
static void add_ranks(double step_tokens)
{
    const double ranks = given("ranks"), params = given("params");
    const double one = step_tokens / given("tok_s");
    const double update =
        one * (given("step.orthogonalise") + given("step.update")) / given("step.seconds");
    const double batches = (one - update) / ranks;
    const double network = given("ranks.network"), uneven = given("ranks.summing") - network;
    const double round = given("ranks.sync") * given("ckpt.bytes") / (4 * params);
    const double steps = given("local_steps"); /* of a round, whose waits are those of its end */
    const double wait = steps > 0 ? (uneven * sqrt(steps) + round) / steps : network + uneven;
    const double seconds = batches + update + wait;

    add("ranks.bytes", 8 * params - 8 * params / ranks);
    add("ranks.update", update);
    add("ranks.batches", batches);
    add("ranks.seconds", seconds);
    add("ranks.one", one);
    add("ranks.tok_s", step_tokens / seconds);
    add("ranks.efficiency", one / ranks / seconds);

    /* k times the batches, or k steps alone: the network takes a tenth of the time at most */
    double k = 1, local = 1;
    while (network > 0.1 * (k * batches + update + network))
        k++;
    while (round > 0.1 * (local * (batches + update) + round))
        local++;
    const double larger = k * (batches + uneven) + update + network;
    const double alone = local * (batches + update) + sqrt(local) * uneven + round;
    const double worth = worth_of(given("tokens"), given("text.tokens")) / 1e6;
    add("ranks.worth", 1e6 * worth);
    const double batch_gain =
        k * seconds / larger * waste(step_tokens, worth) / waste(k * step_tokens, worth);
    const double local_gain = given("rule.local") * local * seconds / alone;
    const bool waits = network > 0.1 * seconds, gains = batch_gain > 1 || local_gain > 1;
    add("ranks.wait", wait);
    add("ranks.round", round);
    add("ranks.batch", k);
    add("ranks.local_steps", local);
    add("ranks.batch_gain", batch_gain);
    add("ranks.local_gain", local_gain);
    add("ranks.choice", steps > 0 || !waits || !gains ? 0 : batch_gain >= local_gain ? 1 : 2);
}

static void add_rates(const struct w_conf *c)
{
    const double step_tokens = (double)(c->accumulate * c->batch_size * c->max_length);
    const double predicted = given("predict.factor") * step_tokens / given("step.seconds");
    const double interval = given("predict.interval");

    add("predict.tok_s", predicted);
    add("predict.low", predicted * (interval < 0.95 ? 1 - interval : 0.05));
    add("predict.high", predicted + predicted * interval);
    add("predict.ratio", given("tok_s") / predicted);
    add_ranks(step_tokens);
    const double text = given("text.tokens"), seconds = given("budget.time");
    const double worth = worth_of(given("tokens"), text);
    const double reuse = given("law.reuse") * pow(text / given("params"), 0.7);
    add("tokens.reuse", reuse);
    add("budget.reuse", reuse);
    add("tokens.worth", worth);
    add("law.step",
        sqrt(given("law.batch") * given("law.small")) * pow(worth / 1e6, given("law.grow")));
    add("predict.bits", bits_after(c, worth));
    add("budget.text", text);
    for (int part = 1; part <= 2; part++) {
        const double tokens = given("tok_s") * seconds / part;
        const double last = fmin(worth_of(tokens, text), 20 * given("params"));
        add(part == 1 ? "budget.tokens" : "budget.half.tokens", tokens);
        add(part == 1 ? "budget.worth" : "budget.half.worth", last);
        add(part == 1 ? "budget.bits" : "budget.half.bits", bits_after(c, last));
    }
    add("counts.memory", given("counts.token_bytes") * text);
    add("counts.time", given("counts.token_s") * text / given("threads"));
    add("law.rate_ratio", c->learning_rate / given("law.rate"));
    add("bits.token", given("loss") / log(2));
    add("bits.byte", given("loss") / log(2) / given("text.bytes"));
}

static void add_times(const struct w_conf *c)
{
    const double d = (double)c->d_model, layers = (double)c->num_layers;
    const double step_tokens = (double)(c->accumulate * c->batch_size * c->max_length);
    const double steps = floor(given("tokens") / step_tokens);
    const double seconds = given("tokens") / given("tok_s");
    /* forward alone: a third of the head; of a probe's three norms, each forward and backward, a
     * third of each is forward */
    const double token = layers * (4 * d * d + 2 * d * (double)c->d_ff) * given("cost.linear") +
                         layers * d * (double)c->max_length * given("cost.attention") +
                         (2 * layers + 1) / 3 / 3 * d * given("cost.norm") +
                         (double)c->vocab_size * d * given("cost.head") / 3;
    const double one = given("eval.tokens") * token;
    const double evals = one * ceil(steps / given("eval.every"));
    const double write = given("ckpt.bytes") / given("ckpt.bandwidth");
    const double writes = write * (1 + floor(seconds / given("ckpt.every")));
    const double all = seconds + evals + writes;

    add("steps", steps);
    add("time", seconds);
    add("eval.time", one);
    add("time.eval", evals);
    add("ckpt.time", write);
    add("time.ckpt", writes);
    add("time.total", all);
    add("time.least", all / (1 + given("time.interval")));
    add("time.most", all / (1 - given("time.interval")));
    add("hours", all / 60 / 60);
    add("time.file", given("file.tokens") / given("tok_s"));
    add("time.megabyte", 1e6 / given("text.bytes") / given("tok_s"));
}

/* A working set as a part of a cache: of a thread's share, or of the whole for data of all
 * threads. */
static bool add_fill(const char *key)
{
    static const char *const shared[] = {"chunk", "batch", "layer", "layers", "decode"};
    char need[64], have[16];
    bool whole = false;

    if (key[0] != 'l' || !strchr("123", key[1]) || key[2] != '.')
        return false;
    if (!strcmp(key + 3, "gemm")) {
        snprintf(need, sizeof need, "gemm.%.2s", key);
        add(key, given("gemm.balance") / given(need));
        return true;
    }
    for (size_t i = 0; i < W_COUNTOF(shared); i++)
        whole |= !strcmp(key + 3, shared[i]);
    snprintf(need, sizeof need, "%s.bytes", key + 3);
    snprintf(have, sizeof have, "%.2s.%s", key, whole ? "whole" : "share");
    if (w_figure_find(need) < 0)
        return false;
    add(key, given(need) / given(have));
    return true;
}

static bool is_of_a_phase(const char *key)
{
    static const char *const names[] = {"unit.", "work.",  "traffic.",
                                        "step.", "reach.", "memory_part."};

    for (size_t i = 0; i < W_COUNTOF(names); i++)
        if (!strncmp(key, names[i], strlen(names[i])))
            return true;
    return false;
}

static const struct expected *find(const char *key)
{
    for (u32 i = 0; i < row_count; i++)
        if (!strcmp(rows[i].key, key))
            return &rows[i];
    return NULL;
}

static void check(const struct w_fit *of)
{
    const struct w_conf *c = &of->conf;

    fit = of;
    row_count = 0;
    add_parameters(c);
    add_memory(c);
    add_arithmetic(c);
    add_caches();
    add_generation(c);
    add_rates(c);
    add_times(c);
    for (int i = 0; w_figures[i].key; i++) {
        const char *key = w_figures[i].key;
        if (!w_figures[i].formula || is_of_a_phase(key))
            continue;
        const struct expected *row = find(key);
        if (!row && add_fill(key))
            row = &rows[--row_count];
        if (!row)
            fail_msg("%s has a formula, but no expected value here", key);
        if (!(fabs(of->values[i] - row->value) <= 1e-12 * fabs(row->value)))
            fail_msg("%s of width %u is %.17g, not %.17g: %s", key, (unsigned)c->d_model,
                     of->values[i], row->value, w_figures[i].formula);
    }
}

/* Odd sizes, all different, so that no two letters of a formula can be confused. */
static void every_formula_says_what_is_counted(void **state)
{
    (void)state;
    static const struct {
        u64 d, heads, layers, f, vocab, batch, length, accumulate, sample, lazy;
    } sizes[] = {{48, 3, 2, 100, 301, 5, 10, 1, 0, 0},
                 {64, 2, 5, 250, 5000, 4, 96, 3, 700, 1},
                 {48, 4, 3, 99, 301, 5, 20, 2, 301, 1},
                 {320, 10, 1, 77, 1000, 7, 33, 2, 1, 0}};
    static struct w_calibration calibration;
    static struct w_fit made;
    struct w_machine m;

    make_calibration(&calibration);
    assert_int_equal(w_target_find(&m, "seed-host", &err), W_DONE);
    m.l3.bytes_per_s = (struct w_rate){1e11, W_FROM_USER};
    for (size_t i = 0; i < W_COUNTOF(sizes); i++) {
        struct w_shape shape = {(u32)sizes[i].d,
                                (u32)sizes[i].heads,
                                (u32)sizes[i].f,
                                (u32)sizes[i].vocab,
                                (u32)sizes[i].length,
                                0,
                                0};
        struct w_conf conf = w_shape_conf(&shape, sizes[i].batch);
        struct w_fit_ask ask = {.threads = 6,
                                .tokens = 1e6 + 17,
                                .tokens_per_file = 12345,
                                .budget_s = 1234,
                                .text_tokens = i % 2 ? 0.3e6 : 2e6,
                                .tok_s = 777,
                                .tok_s_source = "test",
                                .bytes_per_token = 3.7,
                                .loss = 4.3,
                                .eval_tokens = 5432,
                                .eval_every = 7,
                                .ckpt_every_s = 61,
                                .ranks = 1u << i,
                                .network = {i % 2 ? 1e6 : 1e9, 1e-4},
                                .calibration = &calibration};
        conf.num_layers = sizes[i].layers;
        conf.accumulate = sizes[i].accumulate;
        conf.softmax_sample = sizes[i].sample;
        conf.lazy_rows = sizes[i].lazy;
        conf.optimizer = i % 2 ? W_OPTIMIZER_MUON : W_OPTIMIZER_ADAMW;
        conf.counts = 8;
        conf.local_steps = i == 3 ? 5 : 0;
        if (w_fit_make(&made, &conf, &m, &ask, &err))
            fail_msg("%s", err.text);
        check(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_formula_says_what_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
