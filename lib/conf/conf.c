/* The table of keys, and the one pass over a file that finds every problem it has before any is
 * reported. */
#include "conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/input.h"

#define FILE_MAX_BYTES (1u << 20)

#define COUNT(key) .name = #key, .type = W_OPT_COUNT, .offset = offsetof(struct w_conf, key)
#define REAL(key) .name = #key, .type = W_OPT_REAL, .offset = offsetof(struct w_conf, key)

/* Upper limits keep products of a few of them well within 64 bits, and rows and columns within the
 * 32-bit integers of BLAS. */
const struct w_option w_conf_table[] = {
    {COUNT(d_model), .arg = "N", .min = 1, .max = 1 << 20, .required = true,
     .help = "Width of the residual stream; a multiple of num_heads."},
    {COUNT(num_heads), .arg = "N", .min = 1, .max = 1 << 16, .required = true,
     .help = "Attention heads of a layer; each has d_model / num_heads columns."},
    {COUNT(num_layers), .arg = "N", .min = 1, .max = 4096, .required = true,
     .help = "Transformer blocks."},
    {COUNT(d_ff), .arg = "N", .min = 1, .max = 1 << 22, .required = true,
     .help = "Width of the hidden layer of the MLP; usually 4 d_model."},
    {COUNT(vocab_size), .arg = "N", .min = 2, .max = 1 << 28, .required = true,
     .help = "Rows of the embedding, which is also the output head; at least the ids of the "
             "vocabulary."},
    {COUNT(batch_size), .arg = "N", .min = 1, .max = 1 << 24, .required = true,
     .help = "Sequences in a batch."},
    {COUNT(max_length), .arg = "N", .min = 1, .max = 1 << 20, .required = true,
     .help = "Tokens in a sequence, and positions of the model."},
    {REAL(learning_rate), .arg = "X", .min = 1e-9, .max = 10, .required = true,
     .help = "Step size of AdamW after the warm-up."},
    {COUNT(steps), .arg = "N", .dflt = "0",
     .help = "Optimizer steps of a whole run, which the schedule spans; 0: not known."},
    {COUNT(warmup_steps), .arg = "N", .dflt = "0",
     .help = "Steps over which the learning rate rises linearly from 0."},
    {.name = "schedule",
     .type = W_OPT_CHOICE,
     .offset = offsetof(struct w_conf, schedule),
     .arg = "NAME",
     .dflt = "constant",
     .choices = "constant|cosine|linear|sqrt",
     .help = "The learning rate after the warm-up: constant, or falling to min_lr_ratio times "
             "learning_rate at the last of the steps: along half a cosine, along a line, or as 1 "
             "less the square root."},
    {REAL(cooldown), .arg = "X", .dflt = "1", .min = 1e-6, .max = 1,
     .help = "Part of the run after the warm-up in which the schedule falls, at its end; before "
             "that the learning rate is constant."},
    {REAL(min_lr_ratio), .arg = "X", .dflt = "0.1", .max = 1,
     .help =
         "Learning rate at the end of a falling schedule, as a fraction of learning_rate; 0: it "
         "ends at 0."},
    {.name = "optimizer",
     .type = W_OPT_CHOICE,
     .offset = offsetof(struct w_conf, optimizer),
     .arg = "NAME",
     .dflt = "muon",
     .choices = "adamw|muon",
     .help =
         "The optimizer: adamw, or muon, which orthogonalises the steps of the matrices between "
         "hidden layers and leaves embeddings, biases and normalisations to AdamW."},
    {REAL(muon_learning_rate), .arg = "X", .dflt = "0.02", .min = 1e-9, .max = 10,
     .help =
         "Step size of Muon where learning_rate is that of AdamW: both rise and fall together."},
    {REAL(muon_momentum), .arg = "X", .dflt = "0.95", .max = 1,
     .help = "Decay of Muon's momentum; below 1."},
    {REAL(weight_decay), .arg = "X", .dflt = "0.1", .max = 10,
     .help = "Weight decay, on matrices, not on biases and normalisations; each step takes this "
             "times its learning rate."},
    {REAL(beta1), .arg = "X", .dflt = "0.9", .max = 1,
     .help = "Decay of the first moment of AdamW, the mean of the gradient; below 1."},
    {REAL(beta2), .arg = "X", .dflt = "0.95", .max = 1,
     .help = "Decay of the second moment, the mean of the squared gradient; below 1."},
    {REAL(epsilon), .arg = "X", .dflt = "1e-8", .min = 1e-20, .max = 1,
     .help = "Added to the square root of the second moment."},
    {REAL(clip_norm), .arg = "X", .dflt = "1", .max = 1e9,
     .help = "Largest norm of the gradient: a larger one is scaled down to it; 0: no clipping."},
    {COUNT(accumulate), .arg = "N", .dflt = "1", .min = 1, .max = 1 << 20,
     .help =
         "Batches whose mean gradient makes one optimizer step; ranks, wtools(7), share them out."},
    {COUNT(max_ranks), .arg = "N", .dflt = "8", .min = 1, .max = 1024,
     .help = "The most ranks that can share out the batches of a step with the same result: the "
             "largest power of two up to this that divides accumulate. Each doubling takes memory "
             "for one more set of gradients; 1 takes none."},
    {COUNT(local_steps), .arg = "N", .dflt = "0", .max = 1 << 20,
     .help = "Optimizer steps that each rank, wtools(7), takes alone with its part of the batches "
             "before all of them take an outer step together (DiLoCo), see wtrain(1); 0: they sum "
             "their gradients in each step."},
    {REAL(outer_learning_rate), .arg = "X", .dflt = "0.7", .min = 1e-9, .max = 10,
     .help = "With local_steps: step size of the outer step, along the mean of what the ranks have "
             "changed since the last one."},
    {REAL(outer_momentum), .arg = "X", .dflt = "0.9", .max = 1,
     .help = "With local_steps: decay of the outer step's momentum, in Nesterov's form; below 1."},
    {.name = "peer_sums",
     .type = W_OPT_CHOICE,
     .offset = offsetof(struct w_conf, peer_sums),
     .arg = "TYPE",
     .dflt = "fp32",
     .choices = "fp32|bf16",
     .help =
         "Of what ranks, wtools(7), send each other to be summed: fp32, to the same bits for any "
         "number of them, or bf16, half the bytes, where each adds what rounding leaves out to "
         "what it sends the next time."},
    {REAL(init_std), .arg = "X", .dflt = "0.02", .min = 1e-9, .max = 10,
     .help = "Standard deviation of the initial matrices; for those that end a residual branch "
             "it is divided by sqrt(2 num_layers)."},
    {COUNT(softmax_sample), .arg = "N", .dflt = "2048", .max = 1 << 28,
     .help = "Ids over which a step of training takes its softmax: the targets of the batch and "
             "others at random, at least an eighth more than the targets; 0, or vocab_size and "
             "more: all. Evaluation and generation take all ids, and the model is the same kind "
             "of file."},
    {COUNT(lazy_rows), .arg = "0|1", .dflt = "0", .max = 1,
     .help =
         "With softmax_sample, what becomes of rows of the embedding that a step does not use: "
         "0: they are updated as all others, since their moments and weights decay; 1: they stay, "
         "which saves some per cent of the time, but loses more: 2.40 bits per byte instead of "
         "2.33 after as many tokens of Wikipedia."},
    {COUNT(seed), .arg = "N", .dflt = "1",
     .help = "Seed of the initial weights and of the ids that softmax_sample draws; the same seed "
             "gives the same numbers."},
    {COUNT(counts), .arg = "N", .dflt = "0", .max = 64,
     .help = "Features of counts that a gate weighs, which mixes the network's probabilities with "
             "those of counts of n-grams; 0: no gate. wtrain takes it from its batches."},
    {0},
};

/* ---- problems: all of them are reported at once, in one line ---- */

struct problems {
    const char *name; /* of the file, put before each problem with its line; or NULL */
    char text[W_ERR_TEXT];
    size_t used;
    unsigned count;
};

static void append(struct problems *p, const char *format, va_list args)
{
    int n = vsnprintf(p->text + p->used, sizeof p->text - p->used, format, args);
    p->used = W_MIN(p->used + (size_t)W_MAX(n, 0), sizeof p->text - 1);
}

static void append_text(struct problems *p, const char *format, ...) W_PRINTF(2, 3);
static void append_text(struct problems *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append(p, format, args);
    va_end(args);
}

/* line: in the file; 0 if the problem is not in a single line. */
static void add_problem(struct problems *p, unsigned line, const char *format, ...) W_PRINTF(3, 4);
static void add_problem(struct problems *p, unsigned line, const char *format, ...)
{
    va_list args;

    if (p->count++)
        append_text(p, "; ");
    if (p->name && line)
        append_text(p, "%.200s:%u: ", p->name, line);
    else if (p->name)
        append_text(p, "%.200s: ", p->name);
    va_start(args, format);
    append(p, format, args);
    va_end(args);
}

/* A message is one line: keys of a file may hold anything, even escape sequences of a terminal. */
static enum w_status report(struct problems *p, struct w_err *err)
{
    for (char *c = p->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    return p->count ? w_fail(err, W_USAGE, "%.*s", W_ERR_TEXT - 1, p->text) : W_DONE;
}

/* ---- one value ---- */

static u64 count_max(const struct w_option *o)
{
    return o->max > 0 ? (u64)o->max : W_JSON_INT_MAX;
}

/* Describe the values that a key takes. */
static void describe(const struct w_option *o, char *text, size_t size)
{
    if (o->type == W_OPT_COUNT)
        snprintf(text, size, "a whole number from %llu to %llu", (unsigned long long)o->min,
                 (unsigned long long)count_max(o));
    else if (o->type == W_OPT_REAL)
        snprintf(text, size, "a number from %g to %g", o->min, o->max);
    else
        snprintf(text, size, "one of %s", o->choices);
}

static bool set_from_json(const struct w_option *o, struct w_conf *conf, const struct w_json *j)
{
    void *field = (char *)conf + o->offset;

    if (o->type == W_OPT_COUNT)
        return w_json_u64(j, (u64)o->min, count_max(o), field);
    if (o->type == W_OPT_REAL) {
        double value;
        if (!w_json_real(j, &value) || value < o->min || value > o->max)
            return false;
        *(double *)field = value;
        return true;
    }
    const char *text = w_json_string(j);
    return text && w_option_set(o, conf, text, NULL) == W_DONE;
}

/* ---- the whole ---- */

static void check(const struct w_conf *c, struct problems *p)
{
    if (c->d_model % c->num_heads)
        add_problem(p, 0, "num_heads %llu does not divide d_model %llu: heads need equal widths",
                    (unsigned long long)c->num_heads, (unsigned long long)c->d_model);
    if (c->batch_size * c->max_length > INT32_MAX)
        add_problem(p, 0, "batch_size x max_length is %llu tokens: more than the %d of a batch",
                    (unsigned long long)(c->batch_size * c->max_length), INT32_MAX);
    /* in fp32, as the optimizer has them */
    if ((float)c->beta1 >= 1 || (float)c->beta2 >= 1)
        add_problem(p, 0, "%s must be below 1", (float)c->beta1 >= 1 ? "beta1" : "beta2");
    if ((float)c->muon_momentum >= 1)
        add_problem(p, 0, "muon_momentum must be below 1");
    if ((float)c->outer_momentum >= 1)
        add_problem(p, 0, "outer_momentum must be below 1");
    if (c->peer_sums == W_PEER_SUMS_BF16 && c->lazy_rows)
        add_problem(p, 0,
                    "lazy_rows 1 leaves rows alone to which peer_sums bf16 adds what rounding left "
                    "out: choose one of them");
    if (c->steps > 0 && c->warmup_steps > c->steps)
        add_problem(p, 0, "warmup_steps %llu is more than steps %llu",
                    (unsigned long long)c->warmup_steps, (unsigned long long)c->steps);
}

enum w_status w_conf_check(const struct w_conf *conf, struct w_err *err)
{
    struct problems problems = {0};
    check(conf, &problems);
    return report(&problems, err);
}

static void read_members(struct w_conf *conf, const struct w_json *root, const char *text,
                         struct problems *p)
{
    for (const struct w_json *j = w_json_first(root); j; j = w_json_next(j)) {
        const char *key = w_json_key(j);
        const struct w_option *o = w_option_find(w_conf_table, key);
        char expected[128];
        /* To find a line takes a search from the start: only for what is still shown. */
        const bool shown = p->used < sizeof p->text - 1;
        if (!o && shown) {
            const char *near = w_option_suggest(w_conf_table, key);
            add_problem(p, w_json_line_of(text, key), "unknown key \"%.60s\"%s%s%s", key,
                        near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        } else if (o && !set_from_json(o, conf, j) && shown) {
            describe(o, expected, sizeof expected);
            add_problem(p, w_json_line_of(text, key), "\"%s\" must be %s", key, expected);
        }
    }
    for (const struct w_option *o = w_conf_table; o->name; o++)
        if (o->required && !w_json_get(root, o->name))
            add_problem(p, 0, "\"%s\" is missing", o->name);
}

/* "configs/small.json" -> "small". The name goes into tables and JSON: all but printable ASCII
 * becomes '?'. */
static void set_name(struct w_conf *conf, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t n = strlen(base);

    if (n > 5 && !strcmp(base + n - 5, ".json"))
        n -= 5;
    snprintf(conf->name, sizeof conf->name, "%.*s", (int)W_MIN(n, sizeof conf->name - 1), base);
    for (char *p = conf->name; *p; p++)
        *p = *p < ' ' || *p > '~' ? '?' : *p;
}

enum w_status w_conf_parse(struct w_conf *conf, const char *text, size_t size, const char *name,
                           struct w_err *err)
{
    struct problems problems = {.name = name};
    struct w_json *root = NULL;
    char *copy = NULL;

    memset(conf, 0, sizeof *conf);
    set_name(conf, name);
    enum w_status status = w_options_default(w_conf_table, conf, err);
    if (!status)
        status = w_json_parse(&root, text, size, err);
    if (status == W_CORRUPT || status == W_LIMIT)
        status = w_fail_at(err, W_USAGE, "%s", name); /* wrong, not damaged */
    if (status)
        goto out;
    copy = strndup(text, size); /* w_json_line_of() needs text that ends in NUL */
    if (!copy) {
        status = w_fail(err, W_NOMEM, "%s: no memory for %zu bytes", name, size);
        goto out;
    }
    if (w_json_is_object(root))
        read_members(conf, root, copy, &problems);
    else
        add_problem(&problems, 0, "a configuration is one JSON object, { \"d_model\": ... }");
    if (!problems.count)
        check(conf, &problems);
    status = report(&problems, err);
out:
    free(copy);
    w_json_free(root);
    return status;
}

enum w_status w_conf_load(struct w_conf *conf, const char *path, struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);

    if (status == W_LIMIT)
        status = w_fail_at(err, W_USAGE, "%s: too large for a configuration", path);
    if (!status)
        status = w_conf_parse(conf, text, size, strcmp(path, "-") ? path : "stdin", err);
    free(text);
    return status;
}

enum w_status w_conf_set(struct w_conf *conf, const char *assignment, struct w_err *err)
{
    const char *equals = strchr(assignment, '=');
    char key[64];

    if (!equals || equals == assignment)
        return w_fail(err, W_USAGE, "'%.60s' is not KEY=VALUE", assignment);
    snprintf(key, sizeof key, "%.*s", (int)W_MIN(equals - assignment, 63), assignment);
    const struct w_option *o = w_option_find(w_conf_table, key);
    if (!o) {
        const char *near = w_option_suggest(w_conf_table, key);
        return w_fail(err, W_USAGE, "unknown key %s%s%s%s", key, near ? ": did you mean " : "",
                      near ? near : "", near ? "?" : "");
    }
    enum w_status status = w_option_set(o, conf, equals + 1, err);
    return status ? w_fail_at(err, status, "%s", key) : W_DONE;
}

struct w_json *w_conf_json(const struct w_conf *conf)
{
    return w_options_to_json(w_conf_table, conf);
}
