/* wcachefit fit: the smallest change after which a configuration fits the memory. */
#include "fit/search.h"
#include "tools/wcachefit/commands.h"

static const struct w_option options[] = {
    MEMORY_OPTIONS,
    MACHINE_OPTIONS,
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

/* A configuration that no change makes fit. */
static struct w_json *no_change_json(const struct w_conf *conf)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "name", conf->name);
    w_json_set_null(j, "flags");
    w_json_set_null(j, "largest_batch");
    w_json_set_null(j, "plan_bytes");
    w_json_set_null(j, "parameters_lost");
    w_json_set_null(j, "config");
    return j;
}

static void write_change(FILE *f, const struct w_change *c, double bytes)
{
    char plan[W_FIGURE_TEXT], room[W_FIGURE_TEXT];

    fprintf(
        f, "%s: %s in %s%s%s\n", c->conf.name, w_figure_text(plan, W_UNIT_BYTES, (double)c->bytes),
        w_figure_text(room, W_UNIT_BYTES, bytes), c->flags[0] ? " with " : " as it is", c->flags);
    if (c->batch)
        fprintf(f, "  largest batch: --set batch_size=%llu\n", (unsigned long long)c->batch);
    if (c->flags[0])
        fprintf(f, "  that costs %.3g %% of the parameters\n", 100 * c->lost);
}

/* For each configuration the smallest change after which it fits. W_NO: one has none; the first
 * such one is named, and the others are answered all the same. */
static enum w_status write_changes(const struct report *r, const struct settings *set,
                                   struct w_err *err)
{
    FILE *f = r->text.file;
    struct w_json *root = w_json_object(), *list = w_json_array();
    const double bytes = memory_limit(r, set);
    enum w_status status = W_DONE, answer = W_DONE;

    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_change change;
        struct w_err one = {0};
        status = w_search_fit(&change, &r->confs[i], r->type, r->threads, bytes, &one);
        const bool fits = status == W_DONE;
        if (status && !answer)
            *err = one;
        if (status == W_NO)
            answer = W_NO, status = W_DONE;
        if (!status && set->json)
            w_json_add(list, fits ? change_json(&change) : no_change_json(&r->confs[i]));
        else if (fits)
            write_change(f, &change, bytes);
        else if (!status)
            fprintf(f, "%s\n", one.text);
    }
    w_json_set_string(root, "schema", "wcachefit-fit/1");
    w_json_set_real(root, "bytes", bytes);
    w_json_set(root, "configs", list);
    if (!status && set->json)
        status = write_tree(f, root, err);
    else
        w_json_free(root);
    return status ? status : answer;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};

    if (argc == 0)
        return w_fail(err, W_USAGE, "name a configuration");
    set->no_calibration = true; /* memory alone counts */
    enum w_status status = report_open(&r, set, argc, argv, err);
    if (!status)
        status = write_changes(&r, set, err);
    return report_close(&r, set, status, err);
}

const struct w_program fit_command = {
    .name = "wcachefit fit",
    .summary = "the smallest change after which a configuration fits the memory",
    .operands = "CONFIG.json ...",
    .about = "Prints the change, and the largest batch, as options of wtrain.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
