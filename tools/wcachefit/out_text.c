/* wcachefit for people: verdicts first, then the figures that they follow from. */
#include <math.h>
#include <string.h>

#include "net/gradient_tree.h"
#include "tools/wcachefit/hints.h"
#include "tools/wcachefit/report.h"

/* ---- the machine ---- */

static void write_cache(FILE *f, const char *name, const struct w_cache *c)
{
    char size[W_FIGURE_TEXT];

    if (!c->bytes) {
        fprintf(f, "  %-8s not known\n", name);
        return;
    }
    fprintf(f, "  %-8s %s x %u, %u-way, shared by %u logical CPUs (%s)\n", name,
            w_figure_text(size, W_UNIT_BYTES, (double)c->bytes), c->instances, c->ways,
            c->shared_by, w_source_name(c->source));
}

static void write_rate(FILE *f, const char *name, enum w_unit unit, const struct w_rate *rate,
                       const char *what, const char *option)
{
    char text[W_FIGURE_TEXT];

    if (rate->value > 0)
        fprintf(f, "  %-8s %s%s (%s)\n", name, w_figure_text(text, unit, rate->value), what,
                w_source_name(rate->source));
    else
        fprintf(f, "  %-8s not known%s (%s)\n", name, what, option);
}

/* In fp32, and in bf16 where that peak is known or the CPU has instructions for it. */
static void write_peaks(FILE *f, const struct w_machine *m)
{
    write_rate(f, "peak", W_UNIT_FLOP_S, &m->flops_per_s, " in fp32", "--peak");
    if (m->bf16_flops_per_s.value > 0 || m->avx512_bf16 || m->amx_bf16)
        write_rate(f, "", W_UNIT_FLOP_S, &m->bf16_flops_per_s, " in bf16",
                   "--precision bf16 --peak");
}

void write_machine(FILE *f, const struct report *r)
{
    const struct w_machine *m = &r->machine;
    char total[W_FIGURE_TEXT], free_now[W_FIGURE_TEXT];

    const u64 available = m->available_bytes ? m->available_bytes : m->memory_bytes;
    fprintf(f, "%s (%s)\n", m->name, m->arch);
    fprintf(f, "  cores    %u with %u logical CPUs (%s); %u threads (%s)\n", m->physical_cores,
            m->logical_cpus, w_source_name(m->source), r->threads, r->threads_why);
    write_cache(f, "L1 data", &m->l1d);
    write_cache(f, "L2", &m->l2);
    write_cache(f, "L3", &m->l3);
    fprintf(f, "  memory   %s, %s available (%s)\n",
            w_figure_text(total, W_UNIT_BYTES, (double)m->memory_bytes),
            w_figure_text(free_now, W_UNIT_BYTES, (double)available),
            w_source_name(m->memory_source));
    fprintf(f, "  vectors %s%s%s%s%s\n", m->avx2_fma ? " AVX2+FMA" : "",
            m->avx512 ? " AVX-512" : "", m->avx512_bf16 ? " AVX512-BF16" : "",
            m->amx_bf16 ? " AMX-BF16" : "", m->avx2_fma || m->avx512 ? "" : " none of x86");
    write_peaks(f, m);
    write_rate(f, "RAM", W_UNIT_BYTES_S, &m->memory_bytes_per_s, "", "--bandwidth");
    if (m->virtualised)
        fprintf(f,
                "  warning: a virtual machine: cache sizes are those that the hypervisor reports, "
                "and other guests may share them\n");
}

/* ---- verdicts ---- */

static const struct {
    const char *level, *what, *fill, *need, *have;
} verdicts[] = {
    {"RAM", "a training step", "memory.share", "memory.plan", "ram.bytes"},
    {"L1", "panel of a GEMM", "l1.panel", "panel.bytes", "l1.share"},
    {"L2", "attention, one head", "l2.attention", "attention.bytes", "l2.share"},
    {"L2", "the same with gradients", "l2.attention_back", "attention_back.bytes", "l2.share"},
    {"L2", "attention, 64 queries", "l2.attention_rows", "attention_rows.bytes", "l2.share"},
    {"L2", "MLP, 32 rows", "l2.mlp", "mlp.bytes", "l2.share"},
    {"L2", "block of a GEMM", "l2.block", "block.bytes", "l2.share"},
    {"L2", "GEMM blocks, FLOP/B", "l2.gemm", "gemm.balance", "gemm.l2"},
    {"L3", "GEMM blocks, FLOP/B", "l3.gemm", "gemm.balance", "gemm.l3"},
    {"L3", "weights of a layer", "l3.layer", "layer.bytes", "l3.whole"},
    {"L3", "logits of a chunk", "l3.chunk", "chunk.bytes", "l3.whole"},
    {"L3", "generation of a token", "l3.decode", "decode.bytes", "l3.whole"},
};

void write_verdicts(FILE *f, const struct w_fit *fit)
{
    for (size_t i = 0; i < W_COUNTOF(verdicts); i++) {
        double fill = w_fit_value(fit, verdicts[i].fill);
        char need[W_FIGURE_TEXT], have[W_FIGURE_TEXT], percent[W_FIGURE_TEXT];
        fprintf(f, "  %-4s %-26s %9s of %-9s %8s  %s\n", verdicts[i].level, verdicts[i].what,
                w_fit_text(need, fit, verdicts[i].need), w_fit_text(have, fit, verdicts[i].have),
                w_fit_text(percent, fit, verdicts[i].fill),
                isnan(fill) ? "not known"
                : fill <= 1 ? "fits"
                            : "NO");
    }
}

/* ---- one configuration ---- */

/* Figures with their labels, under a heading; those that are not known are left out. */
static void write_block(FILE *f, const struct w_fit *fit, const char *heading,
                        const char *const keys[])
{
    bool begun = false;

    for (; *keys; keys++) {
        int row = w_figure_find(*keys);
        char text[W_FIGURE_TEXT];
        if (isnan(fit->values[row]))
            continue;
        if (!begun)
            fprintf(f, "%s\n", heading);
        fprintf(f, "  %-46s %16s   %s\n", w_figures[row].label, w_fit_text(text, fit, *keys),
                *keys);
        begun = true;
    }
}

/* A line for each phase of the step: time, share of the step, arithmetic, bound. */
static void write_steps(FILE *f, const struct report *r, const struct w_fit *fit)
{
    double step = w_fit_value(fit, "step.seconds");

    if (isnan(step))
        return;
    fprintf(f, "STEP, predicted from the calibration of %s\n", r->calibration->host);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        char key[64], time[W_FIGURE_TEXT], reach[W_FIGURE_TEXT];
        double seconds = w_fit_phase_value(fit, "step", phase);
        if (!(seconds > 0)) /* a phase that this configuration does not have */
            continue;
        snprintf(key, sizeof key, "step.%s", w_phases[phase].key);
        fprintf(f, "  %-30s %12s %5.1f %% %14s   bound by %s\n",
                w_figures[w_figure_find(key)].label, w_figure_text(time, W_UNIT_SECONDS, seconds),
                100 * seconds / step,
                w_figure_text(reach, W_UNIT_FLOP_S, w_fit_phase_value(fit, "reach", phase)),
                w_fit_bound(fit, phase));
    }
    if (fit->learned_from)
        fprintf(f, "  corrected by %.3f, the interval is that of %u verified runs\n",
                w_fit_value(fit, "predict.factor"), (unsigned)fit->learned_from);
}

static void write_buffers(FILE *f, const struct w_fit *fit)
{
    char text[W_FIGURE_TEXT];

    fprintf(f, "BUFFERS of %s, as wtrain allocates them\n", fit->conf.name);
    for (u32 i = 0; i < fit->plan.count; i++) {
        const struct w_plan_row *b = &fit->plan.rows[i];
        fprintf(f, "  %-24s %16llu %12s   %s\n", b->name, (unsigned long long)b->bytes,
                w_figure_text(text, W_UNIT_BYTES, (double)b->bytes), w_lifetime_name(b->lifetime));
    }
    fprintf(f, "  %-24s %16llu %12s\n", "all", (unsigned long long)fit->plan.bytes,
            w_figure_text(text, W_UNIT_BYTES, (double)fit->plan.bytes));
}

/* A line for each number of ranks that can share out a step, or for the one that is asked for. */
static enum w_status write_ranks(FILE *f, const struct report *r, struct w_err *err)
{
    static struct w_fit fit;
    const u64 most = w_gradient_ranks(&r->fits->conf);
    u64 best = 1;
    double best_tok_s = 0;
    enum w_status status = W_DONE;

    if (!r->network)
        return W_DONE;
    if (isnan(w_fit_value(r->fits, "ranks.tok_s"))) {
        fprintf(f, "RANKS over %s: not known without wcachefit calibrate\n", r->network);
        return W_DONE;
    }
    fit = *r->fits;
    fprintf(f, "RANKS over %s, each with %u threads: predicted\n", r->network, r->threads);
    for (u64 ranks = r->ranks ? r->ranks : 1; ranks <= (r->ranks ? r->ranks : most) && !status;
         ranks *= 2) {
        char rate[W_FIGURE_TEXT], part[W_FIGURE_TEXT], step[W_FIGURE_TEXT], wait[W_FIGURE_TEXT];
        char hint[W_HINT_RANKS];
        status = w_fit_set_ranks(&fit, ranks, err);
        w_hints_ranks(hint, &fit);
        fprintf(f, "  %4llu %12s tok/s, efficiency %s; a step %s, of it waiting %s%s%s\n",
                (unsigned long long)ranks, w_fit_text(rate, &fit, "ranks.tok_s"),
                w_fit_text(part, &fit, "ranks.efficiency"), w_fit_text(step, &fit, "ranks.seconds"),
                w_fit_text(wait, &fit, "ranks.wait"), hint[0] ? "; better: " : "", hint);
        if (w_fit_value(&fit, "ranks.tok_s") > best_tok_s) {
            best_tok_s = w_fit_value(&fit, "ranks.tok_s");
            best = ranks;
        }
    }
    if (!r->ranks && !status)
        fprintf(f, "  fastest with %llu%s\n", (unsigned long long)best,
                best < most ? "; with more, a step waits longer than it computes less" : "");
    return status;
}

static void write_hints(FILE *f, const struct report *r, const struct w_fit *fit)
{
    struct w_hints hints;

    w_hints_make(&hints, fit, &r->machine);
    for (u32 i = 0; i < hints.count; i++)
        fprintf(f, "%s%s\n", i ? "  " : "HINTS\n  ", hints.text[i]);
}

static enum w_status write_one(FILE *f, const struct report *r, struct w_err *err)
{
    const struct w_fit *fit = r->fits;
    const struct w_conf *c = &fit->conf;

    fprintf(
        f,
        "%s: %llu layers of width %llu, %llu heads, MLP %llu, vocabulary %llu; batch %llu x %llu\n",
        c->name, (unsigned long long)c->num_layers, (unsigned long long)c->d_model,
        (unsigned long long)c->num_heads, (unsigned long long)c->d_ff,
        (unsigned long long)c->vocab_size, (unsigned long long)c->batch_size,
        (unsigned long long)c->max_length);
    write_machine(f, r);
    fprintf(f, "FIT\n");
    write_verdicts(f, fit);
    write_steps(f, r, fit);
    write_block(f, fit, "RATE AND TIME",
                (const char *const[]){"roof.tok_s",
                                      "predict.tok_s",
                                      "predict.low",
                                      "predict.high",
                                      "tok_s",
                                      "rate.flop_s",
                                      "rate.efficiency",
                                      "tokens",
                                      "time",
                                      "time.eval",
                                      "time.ckpt",
                                      "time.total",
                                      "time.least",
                                      "time.most",
                                      "time.file",
                                      "time.megabyte",
                                      "time.roof",
                                      "steps",
                                      "tokens_per_param",
                                      "counts.time",
                                      "predict.bits",
                                      "loss",
                                      "bits.token",
                                      "bits.byte",
                                      NULL});
    write_block(f, fit, "PARAMETERS",
                (const char *const[]){"params.embedding", "params.positions", "params.attention",
                                      "params.mlp", "params.layer", "params", "params.untied",
                                      NULL});
    write_block(f, fit, "ARITHMETIC of a token",
                (const char *const[]){"flops.attention", "flops.mlp", "flops.layer", "flops.head",
                                      "flops.head_share", "flops.forward", "flops.causal",
                                      "flops.train_causal", "flops.step", NULL});
    write_block(f, fit, "MEMORY of a training step",
                (const char *const[]){"memory.plan", "memory.resident", "memory.state",
                                      "plain.bytes", "lean.bytes", "logits.bytes", "chunk.bytes",
                                      "memory.batch", "counts.memory", NULL});
    write_block(f, fit, "GENERATION",
                (const char *const[]){
                    "decode.weights", "decode.kv", "decode.tok_s", "predict.decode", "decode.low",
                    "decode.high", "generate.f32.memory", "generate.bf16.memory",
                    "generate.q8.memory", "generate.bf16.tok_s", "generate.q8.tok_s",
                    "prompt.f32.tok_s", "prompt.bf16.tok_s", "prompt.q8.tok_s", NULL});
    write_hints(f, r, fit);
    return write_ranks(f, r, err);
}

enum w_status write_text(FILE *f, const struct report *r, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (r->count == 1) {
        status = write_one(f, r, err);
    } else {
        status = write_first(f, r, false, err);
        if (r->all) {
            fputc('\n', f);
            write_machine(f, r);
            fputc('\n', f);
        }
        for (const struct table *t = comparison_tables; r->all && t->heading && !status; t++)
            status = write_table(f, t, r, false, err);
    }
    for (size_t i = 0; r->buffers && i < r->count; i++)
        write_buffers(f, &r->fits[i]);
    return status;
}

/* ---- figures one by one ---- */

bool report_explains(const struct report *r, int row)
{
    size_t n = r->explain ? strlen(r->explain) : 0;

    if (!r->explain)
        return false;
    return n == 0 || (!strncmp(w_figures[row].key, r->explain, n) &&
                      (!w_figures[row].key[n] || w_figures[row].key[n] == '.'));
}

void write_explained(FILE *f, const struct report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct w_fit *fit = &r->fits[i];
        for (int row = 0; w_figures[row].key; row++) {
            const struct w_figure *figure = &w_figures[row];
            char value[W_FIGURE_TEXT], numbers[512];
            if (!report_explains(r, row))
                continue;
            w_fit_substitute(fit, row, numbers, sizeof numbers);
            fprintf(f, "%s%s%s: %s\n", r->count > 1 ? fit->conf.name : "", r->count > 1 ? " " : "",
                    figure->key, figure->label);
            if (figure->formula)
                fprintf(f, "    = %s\n    = %s\n", figure->formula, numbers);
            fprintf(f, "    = %s", w_figure_text(value, figure->unit, fit->values[row]));
            if (!isnan(fit->values[row]) && figure->unit != W_UNIT_COUNT)
                fprintf(f, " (%.10g %s)", fit->values[row], w_unit_name(figure->unit));
            if (!figure->formula)
                fprintf(f, "   from: %s", fit->sources[row]);
            fputc('\n', f);
        }
    }
}

void write_tsv(FILE *f, const struct report *r)
{
    fprintf(f, "configuration\tfigure\tvalue\tunit\tsource\n");
    for (size_t i = 0; i < r->count; i++)
        for (int row = 0; w_figures[row].key; row++) {
            const struct w_fit *fit = &r->fits[i];
            fprintf(f, "%s\t%s\t", fit->conf.name, w_figures[row].key);
            double value = fit->values[row];
            if (!isnan(value))
                fprintf(f, value == floor(value) && value < 0x1p53 ? "%.0f" : "%.9g", value);
            fprintf(f, "\t%s\t%s\n", w_unit_name(w_figures[row].unit), fit->sources[row]);
        }
}
