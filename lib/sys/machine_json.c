/* A machine as JSON, and back: the file that another computer's `wcachefit host --json` wrote is a
 * description that --target reads. */
#include <stdio.h>
#include <string.h>

#include "sys/machine.h"

#define COUNT_MAX 1048576

static enum w_source source_named(const char *name)
{
    for (enum w_source s = W_FROM_NOWHERE; name && s <= W_FROM_USER; s++)
        if (!strcmp(name, w_source_name(s)))
            return s;
    return W_FROM_USER;
}

static struct w_json *rate_json(const struct w_rate *rate)
{
    struct w_json *j = w_json_object();
    w_json_set_real(j, "value", rate->value);
    w_json_set_string(j, "source", w_source_name(rate->source));
    return j;
}

static struct w_json *cache_json(const struct w_cache *c)
{
    struct w_json *j = w_json_object();
    w_json_set_u64(j, "bytes", c->bytes);
    w_json_set_u64(j, "ways", c->ways);
    w_json_set_u64(j, "line_bytes", c->line_bytes);
    w_json_set_u64(j, "shared_by", c->shared_by);
    w_json_set_u64(j, "instances", c->instances);
    w_json_set_string(j, "source", w_source_name(c->source));
    w_json_set(j, "latency_s", rate_json(&c->latency_s));
    w_json_set(j, "bytes_per_s", rate_json(&c->bytes_per_s));
    return j;
}

struct w_json *w_machine_json(const struct w_machine *m)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "name", m->name);
    w_json_set_string(j, "arch", m->arch);
    w_json_set_u64(j, "logical_cpus", m->logical_cpus);
    w_json_set_u64(j, "physical_cores", m->physical_cores);
    w_json_set_u64(j, "usable_cores", m->usable_cores);
    w_json_set_string(j, "usable_why", m->usable_why);
    w_json_set(j, "l1d", cache_json(&m->l1d));
    w_json_set(j, "l2", cache_json(&m->l2));
    w_json_set(j, "l3", cache_json(&m->l3));
    w_json_set_u64(j, "memory_bytes", m->memory_bytes);
    w_json_set_u64(j, "available_bytes", m->available_bytes);
    w_json_set_string(j, "memory_source", w_source_name(m->memory_source));
    w_json_set_bool(j, "virtualised", m->virtualised);
    w_json_set_bool(j, "avx2_fma", m->avx2_fma);
    w_json_set_bool(j, "avx512", m->avx512);
    w_json_set_bool(j, "avx512_bf16", m->avx512_bf16);
    w_json_set_bool(j, "amx_bf16", m->amx_bf16);
    w_json_set(j, "flops_per_s", rate_json(&m->flops_per_s));
    w_json_set(j, "bf16_flops_per_s", rate_json(&m->bf16_flops_per_s));
    w_json_set(j, "memory_bytes_per_s", rate_json(&m->memory_bytes_per_s));
    w_json_set(j, "memory_latency_s", rate_json(&m->memory_latency_s));
    w_json_set_string(j, "source", w_source_name(m->source));
    return j;
}

/* ---- reading: members that are missing stay unknown, members that are wrong are errors ---- */

struct reader {
    const struct w_json *object;
    struct w_err *err;
    enum w_status status; /* the first failure */
};

static bool take(struct reader *r, const char *key, const struct w_json **j)
{
    *j = w_json_get(r->object, key);
    return *j && !r->status;
}

static u64 take_u64(struct reader *r, const char *key, u64 max)
{
    const struct w_json *j;
    u64 value = 0;
    if (take(r, key, &j) && !w_json_u64(j, 0, max, &value))
        r->status = w_fail(r->err, W_USAGE, "\"%s\" must be a whole number from 0 to %llu", key,
                           (unsigned long long)max);
    return value;
}

static u32 take_u32(struct reader *r, const char *key)
{
    return (u32)take_u64(r, key, COUNT_MAX);
}

static bool take_bool(struct reader *r, const char *key)
{
    const struct w_json *j;
    bool value = false;
    if (take(r, key, &j) && !w_json_bool(j, &value))
        r->status = w_fail(r->err, W_USAGE, "\"%s\" must be true or false", key);
    return value;
}

static void take_text(struct reader *r, const char *key, char *text, size_t size)
{
    const struct w_json *j;
    if (!take(r, key, &j))
        return;
    if (!w_json_string(j))
        r->status = w_fail(r->err, W_USAGE, "\"%s\" must be a string", key);
    else
        snprintf(text, size, "%s", w_json_string(j));
    w_make_printable(text); /* it may be printed on a terminal; ASCII may be cut anywhere */
}

/* A bare number comes from the user. */
static struct w_rate take_rate(struct reader *r, const char *key)
{
    const struct w_json *j;
    struct w_rate rate = {0};

    if (!take(r, key, &j))
        return rate;
    rate.source = source_named(w_json_string(w_json_get(j, "source")));
    if (w_json_is_object(j))
        j = w_json_get(j, "value");
    if (!w_json_real(j, &rate.value) || rate.value < 0)
        r->status = w_fail(r->err, W_USAGE, "\"%s\" must be a number from 0", key);
    if (rate.value == 0)
        rate.source = W_FROM_NOWHERE;
    return rate;
}

static struct w_cache take_cache(struct reader *r, const char *key)
{
    const struct w_json *j;
    struct w_cache c = {0};

    if (!take(r, key, &j))
        return c;
    if (!w_json_is_object(j)) {
        r->status = w_fail(r->err, W_USAGE, "\"%s\" must be an object with \"bytes\"", key);
        return c;
    }
    struct reader in = {.object = j, .err = r->err};
    c.bytes = take_u64(&in, "bytes", 1ull << 40);
    c.ways = take_u32(&in, "ways");
    c.line_bytes = take_u32(&in, "line_bytes");
    const u32 least = c.bytes > 0; /* a cache that does not exist has no instances */
    c.shared_by = W_MAX(take_u32(&in, "shared_by"), least);
    c.instances = W_MAX(take_u32(&in, "instances"), least);
    c.source = source_named(w_json_string(w_json_get(j, "source")));
    c.latency_s = take_rate(&in, "latency_s");
    c.bytes_per_s = take_rate(&in, "bytes_per_s");
    r->status = in.status ? w_fail_at(r->err, in.status, "\"%s\"", key) : W_DONE;
    return c;
}

enum w_status w_machine_from_json(struct w_machine *m, const struct w_json *j, struct w_err *err)
{
    struct reader r = {.object = j, .err = err};

    memset(m, 0, sizeof *m);
    if (!w_json_is_object(j))
        return w_fail(err, W_USAGE, "a machine is one JSON object, { \"name\": ... }");
    take_text(&r, "name", m->name, sizeof m->name);
    take_text(&r, "arch", m->arch, sizeof m->arch);
    m->logical_cpus = take_u32(&r, "logical_cpus");
    m->physical_cores = take_u32(&r, "physical_cores");
    m->usable_cores = take_u32(&r, "usable_cores");
    take_text(&r, "usable_why", m->usable_why, sizeof m->usable_why);
    m->l1d = take_cache(&r, "l1d");
    m->l2 = take_cache(&r, "l2");
    m->l3 = take_cache(&r, "l3");
    m->memory_bytes = take_u64(&r, "memory_bytes", 1ull << 50);
    m->available_bytes = take_u64(&r, "available_bytes", 1ull << 50);
    m->memory_source = source_named(w_json_string(w_json_get(j, "memory_source")));
    m->virtualised = take_bool(&r, "virtualised");
    m->avx2_fma = take_bool(&r, "avx2_fma");
    m->avx512 = take_bool(&r, "avx512");
    m->avx512_bf16 = take_bool(&r, "avx512_bf16");
    m->amx_bf16 = take_bool(&r, "amx_bf16");
    m->flops_per_s = take_rate(&r, "flops_per_s");
    m->bf16_flops_per_s = take_rate(&r, "bf16_flops_per_s");
    m->memory_bytes_per_s = take_rate(&r, "memory_bytes_per_s");
    m->memory_latency_s = take_rate(&r, "memory_latency_s");
    m->source = source_named(w_json_string(w_json_get(j, "source")));
    if (r.status)
        return r.status;
    if (m->physical_cores == 0 || m->memory_bytes == 0)
        return w_fail(err, W_USAGE,
                      "a machine needs at least \"physical_cores\" and "
                      "\"memory_bytes\"");
    if (m->logical_cpus == 0)
        m->logical_cpus = m->physical_cores;
    if (m->usable_cores == 0)
        m->usable_cores = m->physical_cores;
    return W_DONE;
}
