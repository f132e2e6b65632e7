/* wcachefit for programs: one object, stable keys, sizes in bytes. Figures have the keys of the
 * table of figures; those that are not known are null. */
#include <math.h>
#include <stdlib.h>

#include "bench/target.h"
#include "tools/plan_json.h"
#include "tools/wcachefit/hints.h"
#include "tools/wcachefit/report.h"

static void set_number(struct w_json *j, const char *key, double value)
{
    if (isnan(value))
        w_json_set_null(j, key);
    else if (value >= 0 && value <= (double)W_JSON_INT_MAX && value == floor(value))
        w_json_set_u64(j, key, (u64)value);
    else
        w_json_set_real(j, key, value);
}

static struct w_json *explained(const struct w_fit *fit, int row)
{
    struct w_json *j = w_json_object();
    char numbers[512];

    set_number(j, "value", fit->values[row]);
    w_json_set_string(j, "unit", w_unit_name(w_figures[row].unit));
    w_json_set_string(j, "label", w_figures[row].label);
    if (w_figures[row].formula) {
        w_fit_substitute(fit, row, numbers, sizeof numbers);
        w_json_set_string(j, "formula", w_figures[row].formula);
        w_json_set_string(j, "numbers", numbers);
    }
    w_json_set_string(j, "source", fit->sources[row]);
    return j;
}

static struct w_json *config_json(const struct report *r, const struct w_fit *fit)
{
    struct w_json *j = w_json_object(), *figures = w_json_object(), *fits = w_json_object(),
                  *hints = w_json_array();
    struct w_hints h;

    for (int row = 0; w_figures[row].key; row++) {
        const char *key = w_figures[row].key;
        double value = fit->values[row];
        if (report_explains(r, row))
            w_json_set(figures, key, explained(fit, row));
        else
            set_number(figures, key, value);
        if (w_figures[row].unit != W_UNIT_FILL)
            continue;
        if (isnan(value))
            w_json_set_null(fits, key);
        else
            w_json_set_bool(fits, key, value <= 1);
    }
    w_hints_make(&h, fit, &r->machine);
    for (u32 i = 0; i < h.count; i++)
        w_json_add_string(hints, h.text[i]);
    w_json_set_string(j, "name", fit->conf.name);
    w_json_set(j, "config", w_conf_json(&fit->conf));
    w_json_set(j, "figures", figures);
    w_json_set(j, "fits", fits);
    w_json_set(j, "hints", hints);
    if (r->buffers)
        w_json_set(j, "buffers", plan_buffers_json(&fit->plan, false));
    return j;
}

enum w_status write_tree(FILE *f, struct w_json *root, struct w_err *err)
{
    char *text = w_json_pretty(root, err);

    w_json_free(root);
    if (!text)
        return W_NOMEM;
    fprintf(f, "%s\n", text);
    free(text);
    return W_DONE;
}

enum w_status write_json(FILE *f, const struct report *r, struct w_err *err)
{
    struct w_json *root = w_json_object(), *configs = w_json_array();

    for (size_t i = 0; i < r->count; i++)
        w_json_add(configs, config_json(r, &r->fits[i]));
    w_json_set_string(root, "schema", "wcachefit/1");
    w_json_set_string(root, "version", W_VERSION_TEXT);
    w_json_set(root, "machine", w_machine_json(&r->machine));
    w_json_set_u64(root, "threads", r->threads);
    w_json_set_string(root, "threads_why", r->threads_why);
    w_json_set_string(root, "precision", w_compute_type_name(r->type));
    if (r->calibrated)
        w_json_set(root, "calibration", w_calibration_json(r->calibration));
    w_json_set(root, "configs", configs);
    return write_tree(f, root, err);
}

enum w_status write_targets_json(FILE *f, struct w_err *err)
{
    struct w_json *root = w_json_object(), *targets = w_json_array();

    for (const struct w_target *t = w_targets; t->name; t++) {
        struct w_json *j = w_json_object();
        w_json_set_string(j, "name", t->name);
        w_json_set_string(j, "about", t->about);
        w_json_add(targets, j);
    }
    w_json_set(root, "targets", targets);
    return write_tree(f, root, err);
}
