/* The table of figures, filled in for one configuration on one machine: first the rows without a
 * formula, from configuration, machine, planner and calibration, then the formulas in the order of
 * the table, so that each finds the rows above it. Some rows are settled among these by code. */
#include "fit/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/expr.h"
#include "fit/scaling_law.h"
#include "fit/predict.h"
#include "fit/simulation.h"
#include "kern/blocks.h"
#include "net/infer.h"
#include "net/peer_sum.h"

#define USABLE 0.75 /* code, stack, page tables and conflicts take the rest of a cache */

/* Half-widths of prediction intervals, relative: with a calibration before any run has been
 * verified; with the peak of a machine alone (then the rate is RULE_SHARE of it); and for
 * generation. */
#define UNLEARNED_INTERVAL 0.2
#define RULE_SHARE 0.6
#define RULE_INTERVAL 0.4
#define DECODE_INTERVAL 0.25
/* Of wgram learn and wgram add --leave-out with an order of 5, for each token of English: measured
 * with 24 million on two cores at 3 GHz. */
#define COUNT_BYTES 40
#define COUNT_S 0.7e-6
/* What a token is worth to ranks that take steps alone, of a model that has learned without rounds
 * before. Of wtrain(1), "Local steps": 4 ranks, 1.5 million tokens in rounds of 30 steps after as
 * many without ended at a loss of 5.19, and at 5.12 without rounds. Without, the loss was 5.35
 * after 2 million and 5.02 after 4: so it falls by 0.35 to 0.57 for e times the tokens, and those
 * of the rounds were worth 0.6 to 0.8 of others. DiLoCo (Douillard and others, 2023), in longer
 * runs, loses less. */
#define LOCAL_WORTH 0.8
/* Of a simulation: with ranks that are not equally fast, enough steps for so many draws of a
 * speed. */
#define DRAWS 256
#define RESIDENT_BASE (3.5 * 1024 * 1024) /* code, stacks and buffers of the stream of batches */

/* ---- names of formulas: the figures themselves ---- */

static bool figure_value(const void *context, const char *name, size_t length, double *value)
{
    const struct w_fit *fit = context;

    for (int i = 0; w_figures[i].key; i++)
        if (!strncmp(w_figures[i].key, name, length) && !w_figures[i].key[length]) {
            *value = fit->values[i];
            return true;
        }
    return false;
}

double w_fit_value(const struct w_fit *fit, const char *key)
{
    double value = NAN;
    figure_value(fit, key, strlen(key), &value);
    return value;
}

double w_fit_phase_value(const struct w_fit *fit, const char *figure, enum w_phase phase)
{
    char key[64];

    snprintf(key, sizeof key, "%s.%s", figure, w_phases[phase].key);
    return w_fit_value(fit, key);
}

const char *w_fit_text(char text[W_FIGURE_TEXT], const struct w_fit *fit, const char *key)
{
    const int row = w_figure_find(key);

    return w_figure_text(text, w_figures[row].unit, fit->values[row]);
}

void w_fit_substitute(const struct w_fit *fit, int row, char *text, size_t size)
{
    struct w_expr_names names = {figure_value, fit};

    text[0] = 0;
    if (w_figures[row].formula)
        w_expr_substitute(w_figures[row].formula, &names, text, size);
}

/* ---- given figures ---- */

/* 0 means "not known" in configurations, machines and questions alike. */
static void give(struct w_fit *fit, const char *key, double value, const char *source)
{
    int row = w_figure_find(key);
    fit->values[row] = value > 0 ? value : NAN;
    fit->sources[row] = value > 0 ? source : w_source_name(W_FROM_NOWHERE);
}

/* A figure whose 0 is a value. */
static void give_number(struct w_fit *fit, const char *key, double value, const char *source)
{
    int row = w_figure_find(key);
    fit->values[row] = value;
    fit->sources[row] = source;
}

static void give_conf(struct w_fit *fit)
{
    const struct w_conf *c = &fit->conf;
    const char *source = "configuration";

    give(fit, "d", (double)c->d_model, source);
    give(fit, "H", (double)c->num_heads, source);
    give(fit, "L", (double)c->num_layers, source);
    give(fit, "F", (double)c->d_ff, source);
    give(fit, "V", (double)c->vocab_size, source);
    give(fit, "B", (double)c->batch_size, source);
    give(fit, "T", (double)c->max_length, source);
    give(fit, "accumulate", (double)c->accumulate, source);
    give_number(fit, "counts", (double)c->counts, source);
    give(fit, "learning_rate", c->learning_rate, source);
    give_number(fit, "softmax_sample", (double)c->softmax_sample, source);
    give_number(fit, "lazy_rows", (double)c->lazy_rows, source);
    give(fit, "peer.element", (double)w_peer_sum_item_bytes(c), source);
    give_number(fit, "local_steps", (double)c->local_steps, source);
    give_number(fit, "muon", c->optimizer == W_OPTIMIZER_MUON, source);
}

static void give_rate(struct w_fit *fit, const char *key, const struct w_rate *rate)
{
    give(fit, key, rate->value, w_source_name(rate->source));
}

/* Without instructions for bf16 operands are converted to fp32: GEMMs are no faster than with
 * fp32. */
struct w_rate w_fit_peak(const struct w_machine *m, enum w_type type)
{
    const bool known = m->bf16_flops_per_s.value > 0, wider = m->avx512_bf16 || m->amx_bf16;

    return type == W_TYPE_BF16 && (known || wider) ? m->bf16_flops_per_s : m->flops_per_s;
}

static void give_machine(struct w_fit *fit, const struct w_machine *m)
{
    const struct w_cache *caches[] = {&m->l1d, &m->l2, &m->l3};
    const struct w_rate peak = w_fit_peak(m, fit->type);

    for (int level = 1; level <= 3; level++) {
        const struct w_cache *c = caches[level - 1];
        char key[32];
        snprintf(key, sizeof key, "l%d.bytes", level);
        give(fit, key, (double)c->bytes, w_source_name(c->source));
        snprintf(key, sizeof key, "l%d.instances", level);
        give(fit, key, c->instances, w_source_name(c->source));
    }
    give_rate(fit, "l3.bytes_s", &m->l3.bytes_per_s);
    give_rate(fit, "ram.bytes_s", &m->memory_bytes_per_s);
    give_rate(fit, "peak", &peak);
    u64 ram = m->available_bytes ? m->available_bytes : m->memory_bytes;
    give(fit, "ram.bytes", (double)ram, w_source_name(m->memory_source));
}

/* The kernels that wtrain would choose on that machine, of those in this build. The loop ends:
 * every build has portable ones, which run anywhere. */
static const struct w_kern *best_kernels(const struct w_machine *m, enum w_type type)
{
    const struct w_kern *const *kern = w_kern_all();

    while (((*kern)->for_bf16 && type != W_TYPE_BF16) || (*kern)->product ||
           !(*kern)->ukernel[type].run || w_kern_lacks(*kern, m))
        kern++;
    return *kern;
}

/* The block sizes that wtrain would choose for a GEMM there. */
static void give_blocks(struct w_fit *fit, const struct w_machine *m)
{
    const struct w_kern *kern = best_kernels(m, fit->type);
    struct w_blocks blocks = w_blocks_choose(kern, fit->type, m->l1d.bytes, m->l2.bytes);

    give(fit, "tile.rows", kern->ukernel[fit->type].tile_rows, kern->name);
    give(fit, "tile.cols", kern->ukernel[fit->type].tile_cols, kern->name);
    give(fit, "block.k", blocks.k, "kernels");
    give(fit, "block.rows", blocks.rows, "kernels");
    give(fit, "block.cols", blocks.cols, "kernels");
}

static void give_phase(struct w_fit *fit, const char *figure, u32 phase, double value)
{
    char key[64];

    snprintf(key, sizeof key, "%s.%s", figure, w_phases[phase].key);
    give_number(fit, key, value, "calibration");
}

/* Memory by the plan of one text, with what is read of the weights as they are in the file;
 * rates. */
static enum w_status give_generation(struct w_fit *fit, const struct w_costs *costs, u32 threads,
                                     struct w_err *err)
{
    const struct w_conf *c = &fit->conf;
    const double table = 4 * (double)(c->vocab_size + c->max_length) * (double)c->d_model;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < W_DECODE_TYPES && !status; i++) {
        const struct w_plan_decode one = {w_decode_types[i], 1, W_INFER_ROWS, 1};
        const char *name = w_type_name(w_decode_types[i]);
        struct w_plan plan;
        char key[48];
        /* sizes that overflow have no plan */
        const enum w_status planned = w_plan_decode(&plan, c, &one, threads, err);
        status = planned == W_NOMEM ? W_NOMEM : W_DONE;
        snprintf(key, sizeof key, "generate.%s.memory", name);
        give(fit, key, planned ? 0 : (double)plan.bytes + table, "plan");
        snprintf(key, sizeof key, "generate.%s.seconds", name);
        give(fit, key, costs ? costs->decode_s[i] : 0, "calibration");
        snprintf(key, sizeof key, "prompt.%s.seconds", name);
        give(fit, key, costs ? costs->prompt_s[i] : 0, "calibration");
    }
    return status;
}

/* What follows from no measurement of this machine. */
static void give_rules(struct w_fit *fit, const struct w_fit_ask *ask)
{
    const bool counts = fit->conf.counts > 0 && ask->text_tokens > 0;

    give(fit, "element", (double)w_type_bytes(ask->type), "precision");
    give(fit, "rule.share", ask->share > 0 ? ask->share : RULE_SHARE,
         ask->share > 0 ? "the kernels of this host" : "rule");
    give(fit, "rule.local", LOCAL_WORTH, "rule");
    give(fit, "resident.base", RESIDENT_BASE, "rule");
    give(fit, "decode.interval", DECODE_INTERVAL, "rule");
    give(fit, "counts.token_bytes", counts ? COUNT_BYTES : 0, "rule");
    give(fit, "counts.token_s", counts ? COUNT_S : 0, "rule");
}

static void give_law(struct w_fit *fit)
{
    const struct w_recipe *recipe = w_recipe_of(&fit->conf);
    const u64 step_tokens = fit->conf.accumulate * fit->conf.batch_size * fit->conf.max_length;

    for (u32 i = 0; i < W_LAW_KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "law.%s", w_law_keys[i]);
        give_number(fit, key, recipe->law[i], "tests/loss");
    }
    give(fit, "law.rate", w_recipe_rate(recipe, fit->conf.d_model, step_tokens), "tests/loss");
}

/* What the machine was measured to do; c: NULL where it was not, or not with this type. */
static void give_costs(struct w_fit *fit, const struct w_fit_ask *ask,
                       const struct w_calibration *c, const struct w_costs *costs)
{
    const bool disk = c && c->disk_bytes_s > 0;

    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        char key[32];
        snprintf(key, sizeof key, "l%u.measured", (unsigned)i + 1);
        give_number(fit, key, c ? c->capacity[i] : 0, c ? "calibration" : "not measured");
    }
    give_number(fit, "calibrated", c ? 1 : 0, c ? "calibration" : "no calibration");
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        give_phase(fit, "cost", phase, c ? costs->phases[phase].token_s : NAN);
        give_phase(fit, "call", phase, c ? costs->phases[phase].call_s : NAN);
        give_phase(fit, "bandwidth", phase, c ? costs->bytes_s[phase] : NAN);
        fit->levels[phase] = costs->level[phase];
    }
    give(fit, "decode.seconds", c ? costs->decode_s[0] : 0, "calibration");
    give(fit, "ckpt.bandwidth", c ? c->disk_bytes_s : 0, "calibration");
    give_number(fit, "ckpt.every", disk ? ask->ckpt_every_s : 0, disk ? "user" : "not known");
}

static enum w_status give_prediction(struct w_fit *fit, const struct w_fit_ask *ask,
                                     struct w_err *err)
{
    static const struct w_residuals none;
    const bool known = ask->calibration && w_calibration_knows(ask->calibration, ask->type);
    const struct w_calibration *c = known ? ask->calibration : NULL;
    const u32 threads = (u32)W_MAX(ask->threads, 1);
    struct w_costs costs = {.spread = 0};

    if (c)
        w_costs_make(&costs, c, &fit->conf, &fit->plan, (struct w_costs_of){ask->type, threads});
    give_rules(fit, ask);
    give_law(fit);
    give_costs(fit, ask, c, &costs);
    /* two independent sources of error: the model of costs, and the measurements that it is fed */
    struct w_correction correction = w_residuals_correction(
        ask->residuals ? ask->residuals : &none, hypot(UNLEARNED_INTERVAL, costs.spread));
    fit->learned_from = c ? correction.learned_from : 0;
    const char *source = fit->learned_from ? "verified runs" : "rule";
    give(fit, "predict.factor", correction.factor, source);
    give(fit, "predict.interval", c ? correction.interval : RULE_INTERVAL, source);
    return give_generation(fit, c ? &costs : NULL, threads, err);
}

const char *w_fit_bound(const struct w_fit *fit, enum w_phase phase)
{
    const double moving = w_fit_phase_value(fit, "memory_part", phase);

    return isnan(moving) ? NULL : moving > 0.5 ? fit->levels[phase] : "compute";
}

/* Where no rate is given, the predicted one counts. */
static enum w_status settle_rate(struct w_fit *fit, struct w_err *err)
{
    (void)err;
    int row = w_figure_find("tok_s");
    const bool predicted = isnan(fit->values[row]);

    if (predicted) {
        fit->values[row] = w_fit_value(fit, "predict.tok_s");
        fit->sources[row] = isnan(fit->values[row]) ? w_source_name(W_FROM_NOWHERE) : "prediction";
    }
    const double interval = predicted ? w_fit_value(fit, "predict.interval") : 0;
    give_number(fit, "time.interval", isnan(fit->values[row]) ? NAN : interval,
                predicted ? "prediction" : "rate is given");
    return W_DONE;
}

/* A row is what a simulated step takes longer than a rank that waits for none; idle: than one that
 * computes nothing. */
static enum w_status simulate(struct w_fit *fit, const char *key, double spread, bool idle,
                              struct w_err *err)
{
    const u32 ranks = (u32)w_fit_value(fit, "ranks");
    const double memory_bytes_s = w_fit_value(fit, "ram.bytes_s");
    const struct w_simulation simulation = {
        .ranks = ranks,
        .steps = spread > 0 ? W_MAX(DRAWS / ranks, 1) : 1,
        .network = {w_fit_value(fit, "network.bytes_s"), w_fit_value(fit, "network.latency")},
        /* reads two numbers and writes one */
        .add_bytes_s = isnan(memory_bytes_s) ? (double)INFINITY : memory_bytes_s / 3,
        .spread = spread};
    const double slower = w_fit_value(fit, "ranks.one") / w_fit_value(fit, "step.seconds");
    struct w_rank_step step = {0};
    double phase_s[W_PHASES], wait_s = NAN;
    enum w_status status = W_DONE;

    if (!isnan(slower) && !isnan(simulation.network.bytes_s)) {
        for (u32 phase = 0; phase < W_PHASES; phase++)
            phase_s[phase] = slower * w_fit_phase_value(fit, "step", phase);
        status = w_rank_step_make(&step, &fit->conf, phase_s, ranks, err);
        if (idle)
            w_rank_step_idle(&step);
        if (!status && ranks > 1)
            status = w_simulation_run(&simulation, &step, &wait_s, err);
        wait_s = ranks > 1 ? W_MAX(wait_s - step.batches_s - step.update_s, 0) : 0;
        w_rank_step_free(&step);
    }
    give_number(fit, key, wait_s, "simulation");
    return status;
}

static enum w_status settle_summing(struct w_fit *fit, struct w_err *err)
{
    return simulate(fit, "ranks.summing", w_fit_value(fit, "ranks.spread"), false, err);
}

static enum w_status settle_network(struct w_fit *fit, struct w_err *err)
{
    return simulate(fit, "ranks.network", 0, false, err);
}

static enum w_status settle_sync(struct w_fit *fit, struct w_err *err)
{
    return simulate(fit, "ranks.sync", 0, true, err);
}

static void give_ask(struct w_fit *fit, const struct w_fit_ask *ask)
{
    const struct w_conf *c = &fit->conf;

    give(fit, "usable", USABLE, "rule");
    give(fit, "threads", (double)ask->threads, "machine or user");
    if (ask->tokens > 0)
        give(fit, "tokens", ask->tokens, "user");
    else
        give(fit, "tokens",
             (double)c->steps * (double)c->accumulate * (double)(c->batch_size * c->max_length),
             "configuration");
    give_number(fit, "tokens.known", isnan(w_fit_value(fit, "tokens")) ? 0 : 1, "the tokens");
    give_number(fit, "text.tokens", ask->text_tokens, ask->text_tokens > 0 ? "user" : "not known");
    give(fit, "budget.time", ask->budget_s, "user");
    give(fit, "file.tokens", ask->tokens_per_file, "user");
    give(fit, "tok_s", ask->tok_s, ask->tok_s_source);
    give(fit, "loss", ask->loss, "log");
    give(fit, "text.bytes", ask->bytes_per_token, "user");
    give(fit, "ranks", (double)W_MAX(ask->ranks, 1), "user");
    give_number(fit, "ranks.spread", ask->spread, "user");
    give(fit, "network.bytes_s", ask->network.bytes_s, "network");
    give(fit, "network.latency", ask->network.latency_s, "network");
    give_number(fit, "eval.tokens", ask->eval_tokens, "user");
    give_number(fit, "eval.every", ask->eval_every, "user");
}

/* ---- the planner ---- */

/* The largest batch that the machine's memory holds: NAN where that is not known. */
static enum w_status give_largest_batch(struct w_fit *fit, u32 threads, struct w_err *err)
{
    double ram = w_fit_value(fit, "ram.bytes");
    u64 batch = 0, most = W_MAX(INT32_MAX / fit->conf.max_length, 1);
    enum w_status status = W_DONE;

    if (!isnan(ram))
        status = w_plan_largest_batch(&fit->conf, fit->type, threads, W_MEMORY_USABLE * ram, most,
                                      &batch, err);
    /* 0 says that not even one sequence fits */
    give_number(fit, "memory.batch", isnan(ram) ? NAN : (double)batch,
                isnan(ram) ? w_source_name(W_FROM_NOWHERE) : "planner");
    return status;
}

/* Rows without a formula that follow from rows above them. */
static const struct {
    const char *key;
    enum w_status (*settle)(struct w_fit *, struct w_err *);
} settled[] = {{"tok_s", settle_rate},
               {"ranks.summing", settle_summing},
               {"ranks.network", settle_network},
               {"ranks.sync", settle_sync}};

/* A row that follows from those above it; others are given, and stay. */
static enum w_status compute(struct w_fit *fit, int row, struct w_err *err)
{
    const struct w_figure *figure = &w_figures[row];
    const struct w_expr_names names = {figure_value, fit};

    for (size_t i = 0; i < W_COUNTOF(settled) && !figure->formula; i++)
        if (!strcmp(figure->key, settled[i].key))
            return settled[i].settle(fit, err);
    if (!figure->formula)
        return W_DONE;
    fit->sources[row] = "formula";
    enum w_status status = w_expr_eval(figure->formula, &names, &fit->values[row], err);
    return status ? w_fail_at(err, status, "%s", figure->key) : W_DONE;
}

enum w_status w_fit_make(struct w_fit *fit, const struct w_conf *conf, const struct w_machine *m,
                         const struct w_fit_ask *ask, struct w_err *err)
{
    u32 threads = (u32)W_MAX(ask->threads, 1);

    memset(fit, 0, sizeof *fit);
    fit->conf = *conf;
    fit->type = ask->type;
    enum w_status status = w_conf_check(conf, err);
    if (!status)
        status = w_plan_make(&fit->plan, conf, W_PLAN_TRAIN, ask->type, threads, err);
    if (status)
        return status;
    give_conf(fit);
    give_machine(fit, m);
    give_blocks(fit, m);
    give_ask(fit, ask);
    status = give_prediction(fit, ask, err);
    give(fit, "memory.plan", (double)fit->plan.bytes, "planner");
    const struct w_plan_row *chunk = w_plan_find(&fit->plan, "head.logits");
    give(fit, "chunk.bytes", chunk ? (double)chunk->bytes : 0, "planner");
    if (!status)
        status = give_largest_batch(fit, threads, err);
    for (int row = 0; w_figures[row].key && !status; row++)
        status = compute(fit, row, err);
    return status;
}

enum w_status w_fit_set_rate(struct w_fit *fit, double tok_s, struct w_err *err)
{
    enum w_status status = W_DONE;

    give(fit, "tok_s", tok_s, "user");
    for (int row = w_figure_find("tok_s"); w_figures[row].key && !status; row++)
        if (w_figures[row].formula)
            status = compute(fit, row, err);
    return status;
}

enum w_status w_fit_set_ranks(struct w_fit *fit, u64 ranks, struct w_err *err)
{
    enum w_status status = W_DONE;

    give(fit, "ranks", (double)ranks, "user");
    for (int row = 0; w_figures[row].key && !status; row++)
        if (!strncmp(w_figures[row].key, "ranks.", 6))
            status = compute(fit, row, err);
    return status;
}
