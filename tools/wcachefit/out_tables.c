/* The tables of a comparison of configurations: which figures, in which order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/wcachefit/report.h"
#include "tools/wrap.h"

const struct table comparison_tables[] = {
    {.heading = "## Matrix Size Analysis (Per Sequence)",
     .note = "T x d: the activations of one sequence. T x F: the hidden layer of its MLP. A "
             "verdict compares a working set with a thread's share of the cache, `l2.share`; a "
             "percentage is the part of that share which it takes. The first column alone does "
             "not explain a speed: GEMMs are blocked, see below.",
     .columns = {{"d_model", "d", false},
                 {"max_length", "T", false},
                 {"T x d", "sequence.bytes", false},
                 {"T x F", "ff.bytes", false},
                 {"T x d in L2", "l2.sequence", false},
                 {"T x (d+F) in L2", "l2.sequence_mlp", false},
                 {"head in L2", "l2.attention", false},
                 {"T x d in L3", "l3.sequence", false}}},
    {.heading = "## Cache Fit by Kernel",
     .note = "The working sets that matter: one head of one sequence, forward and with its "
             "gradients; 64 queries at a time; 32 rows through the MLP; the blocks of a GEMM, "
             "which are large enough when the arithmetic per byte that they reach is more than "
             "the machine's balance (`gemm.balance`).",
     .columns = {{"head, L2", "l2.attention", false},
                 {"gradients, L2", "l2.attention_back", false},
                 {"64 rows, L2", "l2.attention_rows", false},
                 {"MLP rows, L2", "l2.mlp", false},
                 {"GEMM, L2", "l2.gemm", false},
                 {"GEMM, L3", "l3.gemm", false},
                 {"layer, L3", "l3.layer", false},
                 {"layers, L3", "l3.layers", false}}},
    {.heading = "## Full Configuration Comparison\n\n### Model Architecture",
     .across = true,
     .columns = {{"d_model", "d", false},
                 {"num_heads", "H", false},
                 {"num_layers", "L", false},
                 {"d_ff", "F", false},
                 {"vocab_size", "V", false}}},
    {.heading = "### Training Parameters",
     .across = true,
     .columns = {{"batch_size", "B", false},
                 {"max_length", "T", false},
                 {"learning_rate", "learning_rate", false}}},
    {.heading = "### Memory Footprint",
     .note = "The first three rows are single matrices of a batch. The memory of a step is what "
             "wtrain allocates, buffer by buffer (`--buffers`); the two layouts of activations "
             "bound what other trainers need besides weights, gradients and moments.",
     .across = true,
     .columns = {{"Tokens", "rows", false},
                 {"B x T x d", "batch.bytes", false},
                 {"of L3", "batch.l3", false},
                 {"All logits", "logits.bytes", false},
                 {"State", "memory.state", false},
                 {"All kept", "plain.bytes", false},
                 {"Lean", "lean.bytes", false},
                 {"Step", "memory.plan", false},
                 {"of memory", "memory.share", false},
                 {"Batch max", "memory.batch", false}}},
    {.heading = "## Performance Projections\n\n### Theoretical Throughput",
     .note = "Arithmetic is a multiplication and an addition as two, for the causal half of the "
             "scores, three times the forward pass. The bound is the machine's peak over the "
             "arithmetic of a token, which no program reaches. A prediction comes from the "
             "calibration of the machine; without one, from a part of its peak. The rate beside "
             "it comes from `--rate`, `--gflops` or the log of a run, never from cache sizes.",
     .columns = {{"FLOP/token", "flops.train_causal", false},
                 {"relative", "flops.train_causal", true},
                 {"bound tok/s", "roof.tok_s", false},
                 {"predicted tok/s", "predict.tok_s", false},
                 {"within", "predict.interval", false},
                 {"tok/s", "tok_s", false},
                 {"of predicted", "predict.ratio", false},
                 {"FLOP/s", "rate.flop_s", false},
                 {"of peak", "rate.efficiency", false},
                 {"speedup", "tok_s", true},
                 {"of it FLOP/s", "rate.flop_s", true}}},
    {.heading = "### Step by Kernel",
     .note = "The predicted phases of a step. The time of each is that of its arithmetic at the "
             "rate that the trainer's own kernels reached at such shapes, or that of its traffic "
             "at the bandwidth of the level that holds its data, whichever is longer.",
     .across = true,
     .columns = {{"embedding", "step.embedding", false},
                 {"norms", "step.norm", false},
                 {"GEMMs", "step.linear", false},
                 {"backward", "step.linear_back", false},
                 {"attention", "step.attention", false},
                 {"backward", "step.attention_back", false},
                 {"head", "step.head", false},
                 {"gate", "step.gate", false},
                 {"Muon", "step.orthogonalise", false},
                 {"optimizer", "step.update", false},
                 {"step", "step.seconds", false}}},
    {.heading = "### Training Time Estimates",
     .note = "The same number of tokens is less training for a larger model: see the tokens per "
             "parameter.",
     .columns = {{"tokens", "tokens", false},
                 {"tok/s", "tok_s", false},
                 {"time", "time", false},
                 {"in all", "time.total", false},
                 {"per file", "time.file", false},
                 {"per MB", "time.megabyte", false},
                 {"at the peak", "time.roof", false},
                 {"steps", "steps", false},
                 {"tokens/param", "tokens_per_param", false}}},
    {.heading = "## Computational Complexity\n\n### Parameters",
     .note = "Attention, MLP and small (biases, normalisations) are of one layer. The whole "
             "model is with the head tied to the embedding, as wtrain has it, and with a head of "
             "its own.",
     .columns = {{"attention", "params.attention", false},
                 {"MLP", "params.mlp", false},
                 {"small", "params.small", false},
                 {"layer", "params.layer", false},
                 {"embedding", "params.embedding", false},
                 {"model", "params", false},
                 {"untied", "params.untied", false}}},
    {.heading = "### FLOPs per Token (Forward Pass)",
     .note = "Attention (with all T scores), MLP and layer are of one layer; the output head is "
             "a line of its own. The total is of the whole model, relative to the largest.",
     .columns = {{"attention", "flops.attention", false},
                 {"MLP", "flops.mlp", false},
                 {"layer", "flops.layer", false},
                 {"head", "flops.head", false},
                 {"head share", "flops.head_share", false},
                 {"total", "flops.forward", false},
                 {"causal", "flops.causal", false},
                 {"relative", "flops.forward", true}}},
    {.heading = "### Arithmetic per Byte",
     .note = "FLOP per byte of the large GEMMs over a batch, each matrix touched once in fp32. "
             "Far above the balance of a machine they are bound by arithmetic, wherever the "
             "matrices are.",
     .columns = {{"balance", "gemm.balance", false},
                 {"QKV", "intensity.qkv", false},
                 {"projection", "intensity.projection", false},
                 {"MLP", "intensity.mlp", false},
                 {"head", "intensity.head", false},
                 {"blocked in L2", "gemm.l2", false}}},
    {.heading = "### Generation",
     .note = "wsample reads all weights for a token: the level that holds them bounds its rate.",
     .columns = {{"weights", "decode.weights", false},
                 {"KV cache", "decode.kv", false},
                 {"in L3", "l3.decode", false},
                 {"bound tok/s", "decode.tok_s", false}}},
    {0},
};

#define CELL 64

static void cell_text(char cell[CELL], const struct table_column *column, const struct report *r,
                      size_t config, bool markdown)
{
    int row = w_figure_find(column->key);
    double value = r->fits[config].values[row];
    enum w_unit unit = w_figures[row].unit;
    char text[W_FIGURE_TEXT];

    if (column->relative) {
        double ratio = value / r->fits[r->baseline].values[row];
        if (isnan(ratio))
            snprintf(cell, CELL, "-");
        else
            snprintf(cell, CELL, "%.3g%s", ratio, markdown ? "×" : "x");
        return;
    }
    if (column->brief)
        w_figure_brief(text, unit, value);
    else
        w_figure_text(text, unit, value);
    if (unit != W_UNIT_FILL || isnan(value))
        snprintf(cell, CELL, "%s", text);
    else if (value <= 1)
        snprintf(cell, CELL, markdown ? "yes (%s)" : "%s yes", text);
    else
        snprintf(cell, CELL, markdown ? "**NO** (%s)" : "%s NO", text);
}

static bool column_known(const struct table_column *column, const struct report *r)
{
    int row = w_figure_find(column->key);

    for (size_t i = 0; i < r->count; i++)
        if (!isnan(r->fits[i].values[row]))
            return !column->relative || r->count > 1;
    return false;
}

static int width_of(const char *text)
{
    return (int)w_columns_of(text, strlen(text));
}

/* Cut a name to so many columns, at least 8; a ~ stands for the rest. */
static void cut_name(char *cell, int columns)
{
    char *end = cell;

    if (width_of(cell) <= W_MAX(columns, 8))
        return;
    for (int n = W_MAX(columns, 8); n > 0; n--) /* the ~ takes the place of the last one */
        for (cell = end++; (*end & 0xC0) == 0x80;)
            end++;
    snprintf(cell, 2, "~");
}

/* Cut the names so that no row is longer than so many columns. */
static void cut_names(char (*cells)[CELL], size_t rows, size_t columns, int width)
{
    for (size_t j = 1; j < columns; j++) {
        int widest = 0;
        for (size_t i = 0; i < rows; i++)
            widest = W_MAX(widest, width_of(cells[i * columns + j]));
        width -= 2 + widest;
    }
    for (size_t i = 0; i < rows; i++)
        cut_name(cells[i * columns], width);
}

/* cells: rows x columns; the first row holds the titles, the first column the names. */
static void write_grid(FILE *f, char (*cells)[CELL], size_t rows, size_t columns, bool markdown)
{
    int widths[64] = {0};

    for (size_t i = 0; i < rows * columns; i++)
        widths[i % columns] = W_MAX(widths[i % columns], width_of(cells[i]));
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            const char *cell = cells[i * columns + j];
            int pad = widths[j] - width_of(cell);
            if (markdown)
                fprintf(f, "%s%s%*s |", j ? " " : "| ", cell, pad, "");
            else if (j == 0)
                fprintf(f, "%s%*s", cell, pad, "");
            else
                fprintf(f, "  %*s%s", pad, "", cell);
        }
        fputc('\n', f);
        if (i == 0 && markdown) {
            for (size_t j = 0; j < columns; j++) {
                fputs(j ? "-" : "|-", f);
                for (int k = 0; k < widths[j]; k++)
                    fputc('-', f);
                fputs("-|", f);
            }
            fputc('\n', f);
        }
    }
    fputc('\n', f);
}

/* What the columns are, by the table of figures; then the note. */
static void write_notes(FILE *f, const struct table *t, const struct table_column *const *shown,
                        size_t known, bool markdown)
{
    for (size_t k = 0; k < known; k++) {
        const int row = w_figure_find(shown[k]->key);
        char text[256];
        snprintf(text, sizeof text, markdown ? "%s: %s%s (`%s`)%s" : "%s: %s%s (%s)%s",
                 shown[k]->title, w_figures[row].label,
                 shown[k]->relative ? ", relative to the largest" : "", shown[k]->key,
                 k + 1 < known ? ";" : ".");
        if (markdown)
            fprintf(f, "%s%s", text, k + 1 < known ? " " : "\n\n");
        else
            fputs("  ", f), w_wrap(f, text, 2, 4), fputc('\n', f);
    }
    if (t->note && markdown)
        fprintf(f, "%s\n\n", t->note);
    else if (t->note)
        w_wrap(f, t->note, 0, 0), fputs("\n\n", f);
    else if (!markdown)
        fputc('\n', f);
}

enum w_status write_table(FILE *f, const struct table *t, const struct report *r, bool markdown,
                          struct w_err *err)
{
    const struct table_column *shown[12];
    size_t known = 0;

    for (const struct table_column *c = t->columns; c->title; c++)
        if (column_known(c, r))
            shown[known++] = c;
    if (known == 0)
        return W_DONE;
    bool across = t->across && markdown;
    size_t rows = (across ? known : r->count) + 1, columns = (across ? r->count : known) + 1;
    /* Wider than any page: as rows, whatever the table says. */
    if (columns > 64)
        rows = r->count + 1, columns = known + 1, across = false;
    char(*cells)[CELL] = calloc(rows * columns, CELL);
    if (!cells)
        return w_fail(err, W_NOMEM, "no memory for a table of %zu cells", rows * columns);
    for (size_t config = 0; config < r->count; config++)
        for (size_t k = 0; k < known; k++) {
            size_t row = across ? k + 1 : config + 1, column = across ? config + 1 : k + 1;
            cell_text(cells[row * columns + column], shown[k], r, config, markdown);
            const char *name = r->fits[config].conf.name, *title = shown[k]->title;
            snprintf(cells[row * columns], CELL, "%s", across ? title : name);
            snprintf(cells[column], CELL, "%s", across ? name : title);
        }
    snprintf(cells[0], CELL, "%s", across ? "Parameter" : "Configuration");
    /* in text the last line of the heading, without its marks */
    if (t->heading)
        fprintf(f, "%s\n%s", markdown ? t->heading : strrchr(t->heading, '#') + 2,
                markdown ? "\n" : "");
    if (t->width && !markdown)
        cut_names(cells, rows, columns, (int)t->width);
    write_grid(f, cells, rows, columns, markdown);
    if (t->heading)
        write_notes(f, t, shown, known, markdown);
    free(cells);
    return W_DONE;
}
