/* Reading a Linux host from /proc and /sys.
 *
 * Cores are counted by their lists of sibling threads, caches by their lists of sharing CPUs. The
 * limits of control groups (versions 1 and 2) are read for our group and each of its ancestors,
 * since each may be the tightest; from the used memory, cached file pages that the kernel gives
 * back are subtracted. Every file may be missing: then the value stays 0 and unknown. */
#include "sys/machine.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sys/cpuid.h"
#include "sys/input.h"

#define CPUS_MAX 4096
#define TEXT_MAX (4u << 20) /* bytes of /proc/cpuinfo on a large machine */

const char *w_source_name(enum w_source source)
{
    static const char *const names[] = {"unknown",  "sysfs",     "cpuid",
                                        "measured", "datasheet", "user"};
    return names[source];
}

/* ---- small files of /proc and /sys ---- */

/* The text of root/path without its last newline, or NULL; the caller frees it. */
static char *read_text(const char *root, const char *format, ...) W_PRINTF(2, 3);
static char *read_text(const char *root, const char *format, ...)
{
    char path[1024], *text = NULL;
    int n = snprintf(path, sizeof path, "%s/", root);
    size_t size = 0;
    va_list args;

    if (n < 0 || (size_t)n >= sizeof path)
        return NULL;
    va_start(args, format);
    vsnprintf(path + n, sizeof path - (size_t)n, format, args);
    va_end(args);
    if (w_input_slurp(path, TEXT_MAX, &text, &size, NULL))
        return NULL;
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = 0;
    return text;
}

/* The number at the start of a text, with K, M or G as powers of 1024; 0 if there is none. */
static u64 number_in(const char *text)
{
    char *end = NULL;
    u64 n = text && isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    unsigned shift = !end || n >> 32 ? 0
                     : *end == 'K'   ? 10
                     : *end == 'M'   ? 20
                     : *end == 'G'   ? 30
                                     : 0;
    return n << shift;
}

/* The value after "key" and its colon or spaces in a text of lines, or NULL. */
static const char *line_value(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (!strncmp(p, key, length) && (strchr(": \t", p[length]) != NULL)) {
            p += length;
            return p + strspn(p, ": \t");
        }
    }
    return NULL;
}

/* ---- sets of CPUs ---- */

struct cpus {
    bool has[CPUS_MAX];
};

/* "0-3,8" */
static u32 parse_cpus(struct cpus *set, const char *text)
{
    u32 count = 0;

    memset(set, 0, sizeof *set);
    while (text && isdigit((unsigned char)*text)) {
        char *end;
        u64 first = strtoull(text, &end, 10), last = first;
        if (*end == '-')
            last = strtoull(end + 1, &end, 10);
        for (u64 i = first; i <= last && i < CPUS_MAX; i++)
            count += !set->has[i], set->has[i] = true;
        text = *end == ',' ? end + 1 : NULL;
    }
    return count;
}

static u32 first_of(const struct cpus *set)
{
    for (u32 i = 0; i < CPUS_MAX; i++)
        if (set->has[i])
            return i;
    return CPUS_MAX;
}

/* How many groups the CPUs in `set` form, where root/sys/.../cpuN/<file> lists the group of N; a
 * CPU without that file is a group of its own. *largest: CPUs in the largest group, also those
 * outside of `set`. */
static u32 count_groups(const char *root, const struct cpus *set, const char *file, u32 *largest)
{
    struct cpus group, seen;
    u32 groups = 0;

    memset(&seen, 0, sizeof seen);
    *largest = 1;
    for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!set->has[cpu] || seen.has[cpu])
            continue;
        char *text = read_text(root, "sys/devices/system/cpu/cpu%u/%s", cpu, file);
        *largest = W_MAX(*largest, parse_cpus(&group, text));
        free(text);
        for (u32 i = 0; i < CPUS_MAX; i++)
            seen.has[i] |= group.has[i];
        groups++;
    }
    return groups;
}

/* ---- caches ---- */

static void read_caches(struct w_machine *m, const char *root, const struct cpus *online)
{
    u32 cpu = first_of(online);

    for (unsigned index = 0; index < 16; index++) {
        char folder[96], file[32];
        snprintf(folder, sizeof folder, "sys/devices/system/cpu/cpu%u/cache/index%u", cpu, index);
        char *type = read_text(root, "%s/type", folder);
        char *size = read_text(root, "%s/size", folder);
        char *level = read_text(root, "%s/level", folder);
        char *ways = read_text(root, "%s/ways_of_associativity", folder);
        char *line = read_text(root, "%s/coherency_line_size", folder);
        u64 n = number_in(level);
        struct w_cache *c = n == 1 ? &m->l1d : n == 2 ? &m->l2 : n == 3 ? &m->l3 : NULL;
        if (c && type && strcmp(type, "Instruction") && number_in(size)) {
            c->bytes = number_in(size);
            c->ways = (u32)number_in(ways);
            c->line_bytes = (u32)number_in(line);
            snprintf(file, sizeof file, "cache/index%u/shared_cpu_list", index);
            c->instances = count_groups(root, online, file, &c->shared_by);
            c->source = W_FROM_SYSFS;
        }
        free(type), free(size), free(level), free(ways), free(line);
    }
}

/* ---- limits of the control group ---- */

struct cgroup {
    double cpus;   /* quota in CPUs; 0: no limit */
    u64 left;      /* bytes that may still be used; UINT64_MAX: no limit */
    u64 max_bytes; /* UINT64_MAX: no limit */
};

/* Version 2 has one hierarchy of groups, version 1 one for each controller. */
struct hierarchy {
    const char *controller;            /* "" for version 2 */
    const char *folder;                /* below sys/fs/cgroup */
    const char *quota, *period;        /* files; no period: quota holds both numbers */
    const char *limit, *used, *cached; /* files, and a line of memory.stat */
};
static const struct hierarchy hierarchies[] = {
    {"", "", "cpu.max", NULL, "memory.max", "memory.current", "inactive_file"},
    {"cpu", "/cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us", NULL, NULL, NULL},
    {"memory", "/memory", NULL, NULL, "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file"},
};

static void read_quota(struct cgroup *g, const char *root, const struct hierarchy *h,
                       const char *group)
{
    char *quota = read_text(root, "sys/fs/cgroup%s%s/%s", h->folder, group, h->quota);
    char *period =
        h->period ? read_text(root, "sys/fs/cgroup%s%s/%s", h->folder, group, h->period) : NULL;
    double n = 0, of = 0;

    int numbers = quota ? sscanf(quota, "%lf %lf", &n, &of) : 0;
    if (period)
        numbers += sscanf(period, "%lf", &of);
    if (numbers == 2 && n > 0 && of > 0 && (g->cpus == 0 || n / of < g->cpus))
        g->cpus = n / of;
    free(quota), free(period);
}

static void read_memory_limit(struct cgroup *g, const char *root, const struct hierarchy *h,
                              const char *group)
{
    char *max = read_text(root, "sys/fs/cgroup%s%s/%s", h->folder, group, h->limit);

    if (max && isdigit((unsigned char)*max)) {
        char *now = read_text(root, "sys/fs/cgroup%s%s/%s", h->folder, group, h->used);
        char *stat = read_text(root, "sys/fs/cgroup%s%s/memory.stat", h->folder, group);
        /* The kernel frees cached pages of files that were not used lately when memory is short. */
        u64 cached = number_in(stat ? line_value(stat, h->cached) : NULL);
        u64 limit = number_in(max), used = number_in(now);
        used -= W_MIN(cached, used);
        g->max_bytes = W_MIN(g->max_bytes, limit);
        g->left = W_MIN(g->left, limit - W_MIN(used, limit));
        free(now), free(stat);
    }
    free(max);
}

/* Does a path have ".." as one of its parts? (A name may begin with two dots.) */
static bool leaves_tree(const char *path)
{
    for (const char *p = path; (p = strstr(p, "/..")) != NULL; p += 3)
        if (p[3] == '/' || p[3] == 0)
            return true;
    return false;
}

/* Is a controller in a list like "cpuacct,cpu", of so many characters? "" is the empty list. */
static bool has_controller(const char *list, size_t size, const char *controller)
{
    size_t length = strlen(controller);

    for (const char *end = list + size; list <= end; list++) {
        size_t n = W_MIN(strcspn(list, ",:"), (size_t)(end - list));
        if (n == length && !memcmp(list, controller, n))
            return length > 0 || size == 0;
        list += n;
    }
    return false;
}

/* Our group in the hierarchy of a controller: "" for the root, else "/outer/inner". False: there is
 * no such hierarchy. */
static bool find_group(const char *text, const char *controller, char *group, size_t size)
{
    /* Lines "number:controllers:path" */
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        const char *list = p + strspn(p, "0123456789");
        size_t length = *list ? strcspn(list + 1, ":\n") : 0;
        if (*list != ':' || list[1 + length] != ':' ||
            !has_controller(list + 1, length, controller))
            continue;
        const char *path = list + 2 + length;
        snprintf(group, size, "%.*s", (int)strcspn(path, "\n"), path);
        if (leaves_tree(group)) /* outside of what this container sees */
            group[0] = 0;
        for (size_t n = strlen(group); n > 0 && group[n - 1] == '/'; n--)
            group[n - 1] = 0;
        return true;
    }
    return false;
}

/* Every group from ours up to the root may have a limit. */
static void read_cgroup(struct cgroup *g, const char *root)
{
    char *text = read_text(root, "proc/self/cgroup");

    *g = (struct cgroup){.left = UINT64_MAX, .max_bytes = UINT64_MAX};
    for (size_t i = 0; text && i < W_COUNTOF(hierarchies); i++) {
        const struct hierarchy *h = &hierarchies[i];
        char group[512];
        bool more = find_group(text, h->controller, group, sizeof group);
        while (more) {
            if (h->quota)
                read_quota(g, root, h, group);
            if (h->limit)
                read_memory_limit(g, root, h, group);
            char *slash = strrchr(group, '/');
            more = slash != NULL;
            if (slash)
                *slash = 0;
        }
    }
    free(text);
}

/* ---- the whole ---- */

static void read_cores(struct w_machine *m, const char *root, const struct cpus *online,
                       const struct cgroup *g)
{
    struct cpus allowed;
    const char *siblings = "topology/thread_siblings_list";
    char *status = read_text(root, "proc/self/status");
    u32 smt, count = parse_cpus(&allowed, status ? line_value(status, "Cpus_allowed_list") : NULL);

    free(status);
    m->physical_cores = count_groups(root, online, siblings, &smt);
    if (count == 0)
        allowed = *online;
    for (u32 i = 0; i < CPUS_MAX; i++)
        allowed.has[i] &= online->has[i];
    u32 cores = count_groups(root, &allowed, siblings, &smt);
    m->usable_cores = W_MAX(cores, 1);
    snprintf(m->usable_why, sizeof m->usable_why, "%s",
             cores < m->physical_cores ? "cores in the affinity mask" : "physical cores");
    if (g->cpus > 0 && g->cpus < m->usable_cores) {
        m->usable_cores = W_MAX((u32)g->cpus, 1);
        snprintf(m->usable_why, sizeof m->usable_why, "CPU quota of the control group (%.2f CPUs)",
                 g->cpus);
    }
}

static void read_name(struct w_machine *m, const char *root)
{
    char *text = read_text(root, "proc/cpuinfo");
    const char *name = text ? line_value(text, "model name") : NULL;
    const char *flags = text ? line_value(text, "flags") : NULL;
    struct utsname system;

    if (uname(&system) == 0)
        snprintf(m->arch, sizeof m->arch, "%.15s", system.machine);
    if (name)
        snprintf(m->name, sizeof m->name, "%.*s", (int)W_MIN(strcspn(name, "\n"), 127), name);
    else
        snprintf(m->name, sizeof m->name, "%s CPU", m->arch);
    char word[] = " hypervisor";
    const char *found = flags ? strstr(flags, word) : NULL;
    m->virtualised = found && found < flags + strcspn(flags, "\n");
    free(text);
}

void w_machine_read(struct w_machine *m, const char *root)
{
    struct cpus online;
    struct cgroup g;

    memset(m, 0, sizeof *m);
    m->source = W_FROM_SYSFS;
    read_name(m, root);
    char *text = read_text(root, "sys/devices/system/cpu/online");
    m->logical_cpus = parse_cpus(&online, text);
    free(text);
    if (m->logical_cpus == 0)
        m->logical_cpus = parse_cpus(&online, "0");
    read_cgroup(&g, root);
    read_cores(m, root, &online, &g);
    read_caches(m, root, &online);
    if (!root[0])
        w_cpuid_read(m);

    text = read_text(root, "sys/kernel/mm/transparent_hugepage/enabled");
    m->no_huge_pages = text && strstr(text, "[never]");
    free(text);
    text = read_text(root, "proc/meminfo");
    m->memory_bytes = number_in(text ? line_value(text, "MemTotal") : NULL) * 1024;
    m->available_bytes = number_in(text ? line_value(text, "MemAvailable") : NULL) * 1024;
    free(text);
    m->memory_source = m->memory_bytes ? W_FROM_SYSFS : W_FROM_NOWHERE;
    m->memory_bytes = W_MIN(m->memory_bytes, g.max_bytes);
    m->available_bytes = W_MIN(m->available_bytes, g.left);
}

u32 w_machine_threads(const struct w_machine *m, u64 asked, const char *environment,
                      const char **why)
{
    /* OMP_NUM_THREADS may be a list by level of nesting: "4,2". */
    u64 from_environment = number_in(environment);

    if (asked > 0 && asked <= UINT32_MAX) {
        *why = "as asked";
        return (u32)asked;
    }
    if (from_environment > 0 && from_environment <= UINT32_MAX) {
        *why = "OMP_NUM_THREADS";
        return (u32)from_environment;
    }
    *why = m->usable_why;
    return W_MAX(m->usable_cores, 1);
}
