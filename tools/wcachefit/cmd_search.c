/* wcachefit --search and --fit: configurations for a budget, and for a memory. */
#include <math.h>
#include <stdlib.h>

#include "fit/search.h"
#include "tools/cli.h"
#include "tools/wcachefit/report.h"

#define SHOWN 5
#define MEMORY_USABLE 0.85 /* the rest is for the system */

static const char base_text[] = "{\"d_model\":128,\"num_heads\":4,\"num_layers\":3,\"d_ff\":512,"
                                "\"vocab_size\":8192,\"batch_size\":8,\"max_length\":128,"
                                "\"learning_rate\":0.002}";

static double memory_limit(const struct w_machine *m, u64 asked)
{
    u64 available = m->available_bytes ? m->available_bytes : m->memory_bytes;
    return asked ? (double)asked : MEMORY_USABLE * (double)available;
}

static void tell_found(const struct w_found *f, u32 rank)
{
    const struct w_conf *c = &f->conf;

    w_say("%u. width %llu, %llu layers, vocabulary %llu, batch %llu x %llu: %.3f bits/byte after "
          "%.3g M tokens at %.0f tok/s, %.0f MiB%s",
          (unsigned)rank, (unsigned long long)c->d_model, (unsigned long long)c->num_layers,
          (unsigned long long)c->vocab_size, (unsigned long long)c->batch_size,
          (unsigned long long)c->max_length, f->bits, f->tokens / 1e6, f->tok_s,
          f->resident / (1024 * 1024), f->outside ? " (beyond the runs behind the law)" : "");
}

enum w_status search_base(struct w_conf *conf, struct w_err *err)
{
    return w_conf_parse(conf, base_text, strlen(base_text), "search", err);
}

enum w_status search(struct report *r, double seconds, u64 memory, struct w_err *err)
{
    static struct w_found found[SHOWN];
    struct w_fit_ask ask = {.threads = r->threads,
                            .type = r->type,
                            .calibration = r->calibration,
                            .residuals = &r->residuals};
    struct w_search_limits limits = {.seconds = seconds, .bytes = memory_limit(r->machine, memory)};
    u32 count = 0;
    enum w_status status =
        w_search_best(found, SHOWN, &count, r->confs, r->machine, &ask, &limits, err);

    if (status)
        return status;
    for (u32 i = 0; i < count; i++)
        tell_found(&found[i], i + 1);
    r->confs[0] = found[0].conf;
    r->count = 1;
    return W_DONE;
}

/* ---- making it fit ---- */

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

enum w_status fit_into_memory(FILE *f, const struct report *r, const struct w_conf *confs,
                              u64 memory, bool json, struct w_err *err)
{
    struct w_json *root = w_json_object(), *list = w_json_array();
    const double bytes = memory_limit(r->machine, memory);
    enum w_status status = W_DONE, answer = W_DONE;

    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_change change;
        struct w_err one = {0};
        status = w_search_fit(&change, &confs[i], r->type, r->threads, bytes, &one);
        const bool fits = status == W_DONE;
        if (status && !answer)
            *err = one; /* of several that do not fit, the first is named */
        if (status == W_NO)
            answer = W_NO, status = W_DONE;
        if (!status && json)
            w_json_add(list, fits ? change_json(&change) : no_change_json(&confs[i]));
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
