/* wcachefit fit: what has to change for a memory. */
#include <math.h>
#include <stdlib.h>

#include "fit/search.h"
#include "tools/wcachefit/commands.h"
#include "tools/wcachefit/inputs.h"

struct settings {
    struct inputs in;
};

static const struct w_option options[] = {
    {MEMORY_OPTION},
    {RAM_OPTION},
    {TARGET_OPTION},
    {THREADS_OPTION},
    {PRECISION_OPTION},
    {SET_OPTION},
    {JSON_OPTION("Write one JSON object with the changes and the configurations that they give.")},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "What has to change for 4 GB of memory",
    "wcachefit fit --ram 4GB configs/wiki_gpu_optimized.json",
    NULL,
};

const struct w_program wcachefit_fit_program = {
    .name = "wcachefit fit",
    .summary = "the smallest change after which a configuration fits the memory",
    .operands = "CONFIG.json ...",
    .about = "Also the largest batch; both as options of wtrain.",
    .options = options,
    .examples = examples,
};

static struct w_json *change_json(const struct w_change *c)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "name", c->conf.name);
    w_json_set_string(j, "flags", c->flags);
    w_json_set_u64(j, "largest_batch", c->batch);
    w_json_set_u64(j, "plan_bytes", c->bytes);
    w_json_set_real(j, "parameters_lost", c->lost);
    w_json_set(j, "config", w_conf_json(&c->conf));
    return j;
}

/* A configuration of which nothing like it fits. */
static struct w_json *no_change_json(const struct w_conf *conf)
{
    static const char *const unknown[] = {"flags", "largest_batch", "plan_bytes", "parameters_lost",
                                          "config"};
    struct w_json *j = w_json_object();

    w_json_set_string(j, "name", conf->name);
    for (size_t i = 0; i < W_COUNTOF(unknown); i++)
        w_json_set_null(j, unknown[i]);
    return j;
}

static void write_change(FILE *f, const struct w_change *c, double bytes)
{
    char plan[W_FIGURE_TEXT], room[W_FIGURE_TEXT];

    w_figure_text(plan, W_UNIT_BYTES, (double)c->bytes);
    w_figure_text(room, W_UNIT_BYTES, bytes);
    fprintf(f, "%s: %s in %s%s%s\n", c->conf.name, plan, room, c->flags[0] ? " with " : " as it is",
            c->flags);
    if (c->batch)
        fprintf(f, "  largest batch: --set batch_size=%llu\n", (unsigned long long)c->batch);
    if (c->flags[0])
        fprintf(f, "  that costs %.3g %% of the parameters\n", 100 * c->lost);
}

/* For each configuration the smallest change after which it fits. W_NO: one has none. */
static enum w_status write_changes(FILE *f, const struct report *r, u64 memory, bool json,
                                   struct w_err *err)
{
    struct w_json *root = w_json_object(), *list = w_json_array();
    const double bytes = memory_limit(r, memory);
    enum w_status status = W_DONE, answer = W_DONE;

    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_change change;
        struct w_err one = {0};
        status = w_search_fit(&change, &r->confs[i], r->type, r->threads, bytes, &one);
        const bool fits = status == W_DONE;
        if (status && !answer)
            *err = one; /* of several that do not fit, the first is named */
        if (status == W_NO)
            answer = W_NO, status = W_DONE;
        if (!status && json)
            w_json_add(list, fits ? change_json(&change) : no_change_json(&r->confs[i]));
        else if (fits)
            write_change(f, &change, bytes);
        else if (!status)
            fprintf(f, "%s\n", one.text);
    }
    w_json_set_string(root, "schema", "wcachefit-fit/1");
    w_json_set_real(root, "bytes", bytes);
    w_json_set(root, "configs", list);
    char *text = status || !json ? NULL : w_json_pretty(root, err);
    if (text)
        fprintf(f, "%s\n", text);
    else if (json && !status)
        status = W_NOMEM;
    free(text);
    w_json_free(root);
    return status ? status : answer;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};

    if (argc == 0)
        return w_fail(err, W_USAGE, "name a configuration");
    set->in.no_calibration = true; /* memory alone counts */
    enum w_status status = report_open(&r, &set->in, argc, argv, err);
    if (!status)
        status = write_changes(r.text.file, &r, set->in.memory, set->in.json, err);
    return report_close(&r, &set->in, status, err);
}

int wcachefit_fit(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&wcachefit_fit_program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run(&set, argc, argv, &err), &err);
}
