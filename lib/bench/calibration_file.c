/* The file of a calibration: JSON, read as strictly as any input from outside. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "bench/calibration.h"
#include "sys/fdio.h"
#include "sys/input.h"

#define SCHEMA "wtools-calibration/5"
#define FILE_MAX_BYTES ((u64)1 << 20)
#define OLD_S (30 * 24 * 3600.0)
#define NOISY_PART 0.25
#define THREADS_MAX 65536 /* as for -t */

static const char *const levels[W_CALIBRATION_LEVELS] = {"l1d", "l2", "l3"};

/* ---- writing ---- */

static struct w_json *curve_json(const struct w_curve *c)
{
    struct w_json *j = w_json_object(), *points = w_json_array();

    for (u32 i = 0; i < c->count; i++) {
        struct w_json *point = w_json_array();
        w_json_add_u64(point, c->points[i].bytes);
        w_json_add_real(point, c->points[i].value);
        w_json_add(points, point);
    }
    w_json_set_u64(j, "threads", c->threads);
    w_json_set_u64(j, "noisy", c->noisy);
    w_json_set_real(j, "spread", c->spread);
    w_json_set(j, "points", points);
    return j;
}

static struct w_json *probe_json(const struct w_step_probe *p)
{
    struct w_json *j = w_json_object();

    w_json_set_u64(j, "d_model", p->shape.d_model);
    w_json_set_u64(j, "num_heads", p->shape.num_heads);
    w_json_set_u64(j, "d_ff", p->shape.d_ff);
    w_json_set_u64(j, "vocab_size", p->shape.vocab_size);
    w_json_set_u64(j, "max_length", p->shape.max_length);
    w_json_set_u64(j, "batch_size", p->shape.batch_size);
    w_json_set_u64(j, "softmax_sample", p->shape.softmax_sample);
    w_json_set_string(j, "precision", w_compute_type_name(p->type));
    w_json_set_u64(j, "threads", p->threads);
    w_json_set_u64(j, "samples", p->samples);
    w_json_set_real(j, "peak_flop_s", p->peak);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        struct w_json *cost = w_json_array();
        w_json_add_real(cost, p->phases[phase].token_s);
        w_json_add_real(cost, p->phases[phase].call_s);
        w_json_add_real(cost, p->phases[phase].spread);
        w_json_set(j, w_phases[phase].key, cost);
    }
    return j;
}

static struct w_json *precision_json(const struct w_calibration *c, enum w_type type)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "kernel", c->kernel[type]);
    w_json_set_real(j, "peak_one_flop_s", c->peak[type].one);
    w_json_set_real(j, "peak_all_flop_s", c->peak[type].all);
    w_json_set_real(j, "peak_slowest_part", c->peak[type].slowest_part);
    return j;
}

struct w_json *w_calibration_json(const struct w_calibration *c)
{
    struct w_json *j = w_json_object(), *caches = w_json_object(), *probes = w_json_array(),
                  *decodes = w_json_array(), *precisions = w_json_object();

    w_json_set_string(j, "schema", SCHEMA);
    w_json_set_string(j, "version", c->version);
    w_json_set_string(j, "host", c->host);
    w_json_set_string(j, "cpu", c->cpu);
    w_json_set_u64(j, "logical_cpus", c->logical_cpus);
    w_json_set_u64(j, "threads", c->threads);
    w_json_set_u64(j, "time", c->time);
    w_json_set_real(j, "took_s", c->took_s);
    w_json_set_u64(j, "measurements", c->measurements);
    w_json_set_u64(j, "noisy", c->noisy);
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
        if (c->kernel[type][0])
            w_json_set(precisions, w_compute_type_name(type), precision_json(c, type));
    w_json_set(j, "precisions", precisions);
    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        struct w_json *cache = w_json_object();
        w_json_set_u64(cache, "claimed_bytes", c->claimed[i]);
        w_json_set_u64(cache, "measured_bytes", (u64)c->capacity[i]);
        w_json_set(caches, levels[i], cache);
    }
    w_json_set(j, "caches", caches);
    w_json_set_real(j, "disk_bytes_s", c->disk_bytes_s);
    w_json_set(j, "latency_s", curve_json(&c->latency));
    w_json_set(j, "bandwidth_one", curve_json(&c->bandwidth_one));
    w_json_set(j, "bandwidth_all", curve_json(&c->bandwidth_all));
    for (u32 i = 0; i < c->decode_count; i++) {
        struct w_json *cost = w_json_array();
        w_json_add_u64(cost, c->decodes[i].bytes);
        w_json_add_real(cost, c->decodes[i].seconds[0]);
        w_json_add_u64(cost, c->decodes[i].layer_bytes);
        w_json_add_real(cost, c->decodes[i].prompt_s[0]);
        for (u32 type = 1; type < W_DECODE_TYPES; type++) {
            w_json_add_real(cost, c->decodes[i].seconds[type]);
            w_json_add_real(cost, c->decodes[i].prompt_s[type]);
        }
        w_json_add(decodes, cost);
    }
    w_json_set(j, "decode_s", decodes);
    w_json_set_real(j, "draw_s", c->draw_s);
    for (u32 i = 0; i < c->probe_count; i++)
        w_json_add(probes, probe_json(&c->probes[i]));
    w_json_set(j, "shapes", probes);
    return j;
}

enum w_status w_calibration_save(const struct w_calibration *c, const char *path, struct w_err *err)
{
    struct w_json *j = w_calibration_json(c);
    enum w_status status = w_json_save(j, true, path, err);

    w_json_free(j);
    return status;
}

/* ---- reading: `ok` of a reader becomes false at the first error and stays false ---- */

struct reader {
    bool ok;
};

static u64 read_u64(struct reader *r, const struct w_json *j, u64 max)
{
    u64 value = 0;
    r->ok = r->ok && w_json_u64(j, 0, max, &value);
    return value;
}

static u32 read_u32(struct reader *r, const struct w_json *parent, const char *key)
{
    return (u32)read_u64(r, w_json_get(parent, key), UINT32_MAX);
}

static double read_within(struct reader *r, const struct w_json *j, double max)
{
    double value = 0;
    r->ok = r->ok && w_json_real(j, &value) && value >= 0 && value <= max;
    return value;
}

static u32 read_threads(struct reader *r, const struct w_json *parent)
{
    u32 threads = (u32)read_u64(r, w_json_get(parent, "threads"), THREADS_MAX);
    r->ok = r->ok && threads > 0;
    return threads;
}

/* Costs and rates. The bound is beyond any machine, and keeps figures that are computed from them
 * finite. */
static double read_real(struct reader *r, const struct w_json *j)
{
    return read_within(r, j, 1e30);
}

/* As in struct w_probe. */
static double read_spread(struct reader *r, const struct w_json *j)
{
    return read_within(r, j, 1);
}

static void read_text(struct reader *r, const struct w_json *parent, const char *key, char *text,
                      size_t size)
{
    const char *value = w_json_string(w_json_get(parent, key));

    r->ok = r->ok && value && strlen(value) < size;
    if (!r->ok)
        return;
    snprintf(text, size, "%s", value);
    w_make_printable(text);
}

static void read_curve(struct reader *r, const struct w_json *j, enum w_curve_kind kind,
                       struct w_curve *c)
{
    const struct w_json *points = w_json_get(j, "points");
    size_t count = w_json_size(points);

    c->kind = kind;
    c->threads = read_threads(r, j);
    c->noisy = read_u32(r, j, "noisy");
    c->spread = read_spread(r, w_json_get(j, "spread"));
    r->ok = r->ok && w_json_is_array(points) && count >= 1 && count <= W_CURVE_POINTS;
    for (size_t i = 0; i < count && r->ok; i++) {
        const struct w_json *point = w_json_at(points, i);
        c->points[i].bytes = read_u64(r, w_json_at(point, 0), W_JSON_INT_MAX);
        c->points[i].value = read_real(r, w_json_at(point, 1));
        r->ok = r->ok && c->points[i].value > 0 &&
                c->points[i].bytes > (i ? c->points[i - 1].bytes : 0);
    }
    c->count = (u32)count;
}

static void read_probe(struct reader *r, const struct w_json *j, struct w_step_probe *p)
{
    p->shape = (struct w_shape){read_u32(r, j, "d_model"),       read_u32(r, j, "num_heads"),
                                read_u32(r, j, "d_ff"),          read_u32(r, j, "vocab_size"),
                                read_u32(r, j, "max_length"),    read_u32(r, j, "batch_size"),
                                read_u32(r, j, "softmax_sample")};
    const char *precision = w_json_string(w_json_get(j, "precision"));
    p->type = precision && !strcmp(precision, w_compute_type_name(W_TYPE_BF16)) ? W_TYPE_BF16
                                                                                : W_TYPE_F32;
    p->threads = read_threads(r, j);
    p->samples = read_u32(r, j, "samples");
    p->peak = read_real(r, w_json_get(j, "peak_flop_s"));
    struct w_conf conf = w_shape_conf(&p->shape, p->shape.batch_size);
    r->ok = r->ok && conf.d_model && conf.num_heads && conf.max_length &&
            w_conf_check(&conf, NULL) == W_DONE;
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        const struct w_json *cost = w_json_get(j, w_phases[phase].key);
        p->phases[phase].token_s = read_real(r, w_json_at(cost, 0));
        p->phases[phase].call_s = read_real(r, w_json_at(cost, 1));
        p->phases[phase].spread = read_spread(r, w_json_at(cost, 2));
    }
}

static void read_lists(struct reader *r, const struct w_json *j, struct w_calibration *c)
{
    const struct w_json *probes = w_json_get(j, "shapes"), *decodes = w_json_get(j, "decode_s");

    c->probe_count = (u32)w_json_size(probes);
    c->decode_count = (u32)w_json_size(decodes);
    r->ok = r->ok && w_json_is_array(probes) && w_json_is_array(decodes) && c->probe_count >= 1 &&
            c->probe_count <= W_CALIBRATION_PROBES && c->decode_count >= 1 &&
            c->decode_count <= W_CALIBRATION_DECODES;
    for (u32 i = 0; i < c->probe_count && r->ok; i++)
        read_probe(r, w_json_at(probes, i), &c->probes[i]);
    for (u32 i = 0; i < c->decode_count && r->ok; i++) {
        const struct w_json *cost = w_json_at(decodes, i);
        c->decodes[i].bytes = read_u64(r, w_json_at(cost, 0), W_JSON_INT_MAX);
        c->decodes[i].seconds[0] = read_real(r, w_json_at(cost, 1));
        r->ok = r->ok && c->decodes[i].bytes > 0 && c->decodes[i].seconds[0] > 0;
        if (w_json_size(cost) <= 2) /* an earlier version measured fp32 alone */
            continue;
        c->decodes[i].layer_bytes = read_u64(r, w_json_at(cost, 2), c->decodes[i].bytes);
        c->decodes[i].prompt_s[0] = read_real(r, w_json_at(cost, 3));
        for (u32 type = 1; type < W_DECODE_TYPES; type++) {
            c->decodes[i].seconds[type] = read_real(r, w_json_at(cost, 2 + 2 * type));
            c->decodes[i].prompt_s[type] = read_real(r, w_json_at(cost, 3 + 2 * type));
        }
    }
}

static void read_precision(struct reader *r, const struct w_json *j, struct w_calibration *c,
                           enum w_type type)
{
    struct w_peak *peak = &c->peak[type];

    read_text(r, j, "kernel", c->kernel[type], sizeof c->kernel[type]);
    peak->one = read_real(r, w_json_get(j, "peak_one_flop_s"));
    peak->all = read_real(r, w_json_get(j, "peak_all_flop_s"));
    peak->slowest_part = read_real(r, w_json_get(j, "peak_slowest_part"));
    r->ok = r->ok && peak->one > 0 && peak->all > 0;
}

static void read_all(struct reader *r, const struct w_json *j, struct w_calibration *c)
{
    const struct w_json *caches = w_json_get(j, "caches");
    const struct w_json *precisions = w_json_get(j, "precisions");

    read_text(r, j, "version", c->version, sizeof c->version);
    read_text(r, j, "host", c->host, sizeof c->host);
    read_text(r, j, "cpu", c->cpu, sizeof c->cpu);
    c->logical_cpus = read_u32(r, j, "logical_cpus");
    c->threads = read_threads(r, j);
    c->time = read_u64(r, w_json_get(j, "time"), W_JSON_INT_MAX);
    c->took_s = read_real(r, w_json_get(j, "took_s"));
    c->measurements = read_u32(r, j, "measurements");
    c->noisy = read_u32(r, j, "noisy");
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
        if (w_json_get(precisions, w_compute_type_name(type)))
            read_precision(r, w_json_get(precisions, w_compute_type_name(type)), c, type);
    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        const struct w_json *cache = w_json_get(caches, levels[i]);
        c->claimed[i] = read_u64(r, w_json_get(cache, "claimed_bytes"), W_JSON_INT_MAX);
        c->capacity[i] = read_real(r, w_json_get(cache, "measured_bytes"));
    }
    c->disk_bytes_s = read_real(r, w_json_get(j, "disk_bytes_s"));
    read_curve(r, w_json_get(j, "latency_s"), W_CURVE_LATENCY, &c->latency);
    read_curve(r, w_json_get(j, "bandwidth_one"), W_CURVE_BANDWIDTH, &c->bandwidth_one);
    read_curve(r, w_json_get(j, "bandwidth_all"), W_CURVE_BANDWIDTH, &c->bandwidth_all);
    read_lists(r, j, c);
    c->draw_s = read_real(r, w_json_get(j, "draw_s"));
}

enum w_status w_calibration_parse(struct w_calibration *c, const char *text, size_t size,
                                  struct w_err *err)
{
    struct w_json *json = NULL;
    struct reader r = {.ok = true};
    enum w_status status = w_json_parse(&json, text, size, err);
    const char *schema = w_json_string(w_json_get(json, "schema"));

    *c = (struct w_calibration){0};
    if (!status && (!schema || strcmp(schema, SCHEMA)))
        status = w_fail(err, schema ? W_NEWER : W_CORRUPT,
                        "is no calibration of this version (wcachefit calibrate makes one)");
    if (!status) {
        read_all(&r, json, c);
        if (!r.ok)
            status = w_fail(err, W_CORRUPT,
                            "is a damaged calibration (wcachefit calibrate makes a new one)");
    }
    w_json_free(json);
    return status;
}

enum w_status w_calibration_load(struct w_calibration *c, const char *path, struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;

    *c = (struct w_calibration){0};
    if (w_is_missing(path))
        return w_fail(err, W_NO, "%s: there is no calibration (wcachefit calibrate makes one)",
                      path);
    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);
    if (status) /* names the file itself */
        return status;
    status = w_calibration_parse(c, text, size, err);
    if (status)
        status = w_fail_at(err, status, "%.500s", path);
    free(text);
    return status;
}

/* ---- which host ---- */

void w_calibration_path(char *path, size_t size, const char *folder, const struct w_machine *m)
{
    char key[192], digest[W_SHA256_TEXT];

    snprintf(key, sizeof key, "%s|%s|%u", m->arch, m->name, (unsigned)m->logical_cpus);
    w_sha256(key, strlen(key), digest);
    snprintf(path, size, "%s/host-%.12s.json", folder, digest);
}

static bool is_noisy(const struct w_calibration *c)
{
    return c->noisy > NOISY_PART * c->measurements;
}

bool w_calibration_doubt(const struct w_calibration *c, const struct w_machine *m, u64 now,
                         char text[W_DOUBT_TEXT])
{
    double age_s = (double)now - (double)c->time;

    if (strcmp(c->cpu, m->name) || c->logical_cpus != m->logical_cpus)
        snprintf(text, W_DOUBT_TEXT, "the calibration is of another machine (%.100s)", c->cpu);
    else if (strcmp(c->version, W_VERSION_TEXT))
        snprintf(text, W_DOUBT_TEXT, "the calibration is of version %s", c->version);
    else if (age_s > OLD_S)
        snprintf(text, W_DOUBT_TEXT, "the calibration is %.0f days old", age_s / 86400);
    else if (is_noisy(c))
        snprintf(text, W_DOUBT_TEXT,
                 "the machine was busy while it was calibrated: %u of %u measurements are noisy",
                 (unsigned)c->noisy, (unsigned)c->measurements);
    else
        return false;
    return true;
}

bool w_calibration_replaces(const struct w_calibration *new, const struct w_calibration *old,
                            const struct w_machine *m)
{
    char text[W_DOUBT_TEXT];

    return !is_noisy(new) || w_calibration_doubt(old, m, new->time, text);
}
