/* The comparison of configurations as a Markdown document: the first screen, the tables, what could
 * be better in each configuration, the facts of the machine, and the definitions of the figures.
 * Every number in a sentence is a figure. */
#include <math.h>
#include <string.h>

#include "tools/wcachefit/hints.h"
#include "tools/wcachefit/report.h"

static void write_recommendations(FILE *f, const struct report *r)
{
    fprintf(f, "## Recommendations\n\n");
    for (size_t i = 0; i < r->count; i++) {
        struct w_hints hints;
        w_hints_make(&hints, &r->fits[i], &r->machine);
        if (hints.count)
            fprintf(f, "For `%s`:\n\n", r->fits[i].conf.name);
        for (u32 k = 0; k < hints.count; k++)
            fprintf(f, "- %s\n%s", hints.text[k], k + 1 == hints.count ? "\n" : "");
    }
}

/* ---- facts of the machine ---- */

static void write_rate(FILE *f, enum w_unit unit, const struct w_rate *rate)
{
    char text[W_FIGURE_TEXT];

    if (rate->value <= 0) {
        fputs(" not measured |", f);
        return;
    }
    fprintf(f, " %s (%s) |", w_figure_text(text, unit, rate->value), w_source_name(rate->source));
}

static void write_level(FILE *f, const char *name, const struct w_cache *c)
{
    char size[W_FIGURE_TEXT];

    fprintf(f, "| %s | %s | %u, shared by %u | %s |", name,
            w_figure_text(size, W_UNIT_BYTES, c->bytes ? (double)c->bytes : NAN), c->instances,
            c->shared_by, w_source_name(c->source));
    write_rate(f, W_UNIT_SECONDS, &c->latency_s);
    write_rate(f, W_UNIT_BYTES_S, &c->bytes_per_s);
    fputc('\n', f);
}

static void write_peak(FILE *f, const char *precision, const struct w_rate *rate)
{
    char text[W_FIGURE_TEXT];

    fprintf(f, "Peak in %s: %s (%s).\n", precision,
            w_figure_text(text, W_UNIT_FLOP_S, rate->value > 0 ? rate->value : NAN),
            w_source_name(rate->source));
}

static void write_facts(FILE *f, const struct report *r)
{
    const struct w_machine *m = &r->machine;
    const struct w_rate *l2 = &m->l2.latency_s, *l3 = &m->l3.latency_s;
    char size[W_FIGURE_TEXT];

    fprintf(f, "## Cache Efficiency Analysis\n\n### The Machine\n\n");
    fprintf(f, "%s: %u cores, %u logical CPUs, %u threads (%s).\n", m->name, m->physical_cores,
            m->logical_cpus, r->threads, r->threads_why);
    if (m->virtualised)
        fprintf(f, "It is a virtual machine: cache sizes are those that the hypervisor reports.\n");
    fprintf(f, "\n| Level | Size | Instances | Source | Latency | Bandwidth |\n"
               "|---|---|---|---|---|---|\n");
    write_level(f, "L1 data", &m->l1d);
    write_level(f, "L2", &m->l2);
    write_level(f, "L3", &m->l3);
    fprintf(f, "| Memory | %s | 1 | %s |",
            w_figure_text(size, W_UNIT_BYTES, (double)m->memory_bytes),
            w_source_name(m->memory_source));
    write_rate(f, W_UNIT_SECONDS, &m->memory_latency_s);
    write_rate(f, W_UNIT_BYTES_S, &m->memory_bytes_per_s);
    fputs("\n\n", f);
    write_peak(f, w_compute_type_name(W_TYPE_F32), &m->flops_per_s);
    if (m->bf16_flops_per_s.value > 0 || r->type == W_TYPE_BF16)
        write_peak(f, w_compute_type_name(W_TYPE_BF16), &m->bf16_flops_per_s);
    if (l2->value > 0 && l3->value > 0 && m->memory_latency_s.value > 0)
        fprintf(
            f,
            "\nA single load that misses L2 and hits L3 takes %.2g times as long; one that has to "
            "go to memory, %.2g times. Streams that the hardware prefetches do not pay this, and "
            "a blocked GEMM uses each line many times.\n",
            l3->value / l2->value, m->memory_latency_s.value / l2->value);
    fputc('\n', f);
}

/* A ratio of a working set to a cache: all have one form, which a sentence describes. */
static bool is_plain_fill(const struct w_figure *figure)
{
    return figure->unit == W_UNIT_FILL && strstr(figure->formula, ".bytes / l");
}

static void write_definitions(FILE *f)
{
    fprintf(
        f, "## Definitions\n\nA verdict `LEVEL.SET`, like `l2.attention`, is *yes* when the "
           "working set `SET.bytes` is at most `LEVEL.share` for work that each thread does alone, "
           "or `LEVEL.whole` for data that all threads read. Names are those of `wcachefit "
           "--explain`, which puts the numbers in.\n\n"
           "| Figure | Meaning | Formula |\n|---|---|---|\n");
    for (int row = 0; w_figures[row].key; row++)
        if (w_figures[row].formula && !is_plain_fill(&w_figures[row]))
            fprintf(f, "| `%s` | %s | `%s` |\n", w_figures[row].key, w_figures[row].label,
                    w_figures[row].formula);
}

static void write_insights(FILE *f, const struct report *r)
{
    const struct w_fit *base = &r->fits[r->baseline];
    char a[W_FIGURE_TEXT], b[W_FIGURE_TEXT], c[W_FIGURE_TEXT];
    double balance = w_fit_value(base, "gemm.balance"), reached = w_fit_value(base, "gemm.l2");

    fprintf(f, "## Key Insights\n\n");
    fprintf(
        f,
        "1. **Memory first**: with every activation kept, `%s` needs %s for activations alone and "
        "%s with their gradients; wtrain's step takes %s.\n",
        base->conf.name, w_fit_text(a, base, "plain.bytes"), w_fit_text(b, base, "plain.both"),
        w_fit_text(c, base, "memory.plan"));
    fprintf(
        f, "2. **The head is work too**: %s of the forward pass of `%s`; its logits would be %s.\n",
        w_fit_text(a, base, "flops.head_share"), base->conf.name,
        w_fit_text(b, base, "logits.bytes"));
    if (!isnan(balance))
        fprintf(
            f,
            "3. **GEMMs are %s**: the machine can do %s FLOP in the time of a byte from memory; "
            "blocks in a thread's L2 need one byte for %s FLOP. The size of the matrices does not "
            "matter.\n",
            balance <= reached ? "bound by arithmetic" : "bound by memory",
            w_fit_text(a, base, "gemm.balance"), w_fit_text(b, base, "gemm.l2"));
    else
        fprintf(f,
                "3. **GEMMs**: blocks in a thread's L2 need one byte from memory for %s FLOP; with "
                "`--peak` and `--bandwidth` that shows whether arithmetic or memory bounds them.\n",
                w_fit_text(b, base, "gemm.l2"));
    fprintf(f, "4. **Where cache fit matters**: attention of one head, the rows of an MLP block, "
               "and generation, which reads all weights for each token.\n");
    fprintf(f, "5. **Compare times, not rates**: a smaller vocabulary has more tokens in the same "
               "text; losses compare in bits per byte.\n\n");
}

enum w_status write_markdown(FILE *f, const struct report *r, struct w_err *err)
{
    fprintf(f, "# Configuration Comparison & Performance Analysis\n\n");
    enum w_status status = r->count > 1 ? write_first(f, r, true, err) : W_DONE;
    for (const struct table *t = comparison_tables; t->heading && !status; t++)
        status = write_table(f, t, r, true, err);
    write_recommendations(f, r);
    write_facts(f, r);
    for (size_t i = 0; i < r->count; i++) {
        fprintf(f, "### %s\n\n```\n", r->fits[i].conf.name);
        write_verdicts(f, &r->fits[i]);
        fprintf(f, "```\n\n");
    }
    write_insights(f, r);
    write_definitions(f);
    return status;
}
