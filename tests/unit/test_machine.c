/* The description of a machine, read from a made-up /proc and /sys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ftw.h>
#include <cmocka.h>

#include "sys/cpuid.h"
#include "sys/machine.h"

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/wtools-machine-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Write a file below the root, with its folders. */
static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        mkdir(full, 0700);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void put_cpu(int cpu, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/%s", cpu, file);
    put(path, text);
}

static void put_cache(int cpu, int index, const char *level, const char *type, const char *size,
                      const char *shared)
{
    const char *const files[][2] = {{"level", level},
                                    {"type", type},
                                    {"size", size},
                                    {"shared_cpu_list", shared},
                                    {"ways_of_associativity", "8\n"},
                                    {"coherency_line_size", "64\n"}};
    for (size_t i = 0; i < W_COUNTOF(files); i++) {
        char file[64];
        snprintf(file, sizeof file, "cache/index%d/%s", index, files[i][0]);
        put_cpu(cpu, file, files[i][1]);
    }
}

/* Four cores with two threads each: CPU n and n + 4 are siblings. */
static void put_machine(void)
{
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 1GHz\nflags\t\t: fpu sse2\n");
    put("proc/meminfo",
        "MemTotal:        8000000 kB\nMemFree: 1 kB\nMemAvailable:    6000000 kB\n");
    put("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-7\n");
    put("sys/devices/system/cpu/online", "0-7\n");
    for (int cpu = 0; cpu < 8; cpu++) {
        char pair[16];
        snprintf(pair, sizeof pair, "%d,%d\n", cpu % 4, cpu % 4 + 4);
        put_cpu(cpu, "topology/thread_siblings_list", pair);
        put_cache(cpu, 0, "1\n", "Data\n", "48K\n", pair);
        put_cache(cpu, 1, "1\n", "Instruction\n", "32K\n", pair);
        put_cache(cpu, 2, "2\n", "Unified\n", "512K\n", pair);
        put_cache(cpu, 3, "3\n", "Unified\n", "8192K\n", "0-7\n");
    }
}

static void caches_and_cores_are_read(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    w_machine_read(&m, root);
    assert_string_equal(m.name, "Some CPU @ 1GHz");
    assert_int_equal(m.logical_cpus, 8);
    assert_int_equal(m.physical_cores, 4);
    assert_int_equal(m.usable_cores, 4);
    assert_int_equal(m.l1d.bytes, 48 << 10);
    assert_int_equal(m.l1d.instances, 4);
    assert_int_equal(m.l2.bytes, 512 << 10);
    assert_int_equal(m.l2.shared_by, 2);
    assert_int_equal(m.l2.source, W_FROM_SYSFS);
    assert_int_equal(m.l3.bytes, 8 << 20);
    assert_int_equal(m.l3.instances, 1);
    assert_int_equal(m.l3.shared_by, 8);
    assert_true(m.memory_bytes == 8000000ull * 1024);
    assert_true(m.available_bytes == 6000000ull * 1024);
    assert_false(m.virtualised);
}

static void sizes_of_caches_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        u64 bytes;
    } sizes[] = {{"49152\n", 49152}, {"32K\n", 32 << 10}, {"105M\n", 105 << 20},
                 {"1G\n", 1 << 30},  {"none\n", 0},       {"", 0},
                 {"K\n", 0}};
    for (size_t i = 0; i < W_COUNTOF(sizes); i++) {
        struct w_machine m;
        put_machine();
        put_cache(0, 3, "3\n", "Unified\n", sizes[i].text, "0-7\n");
        w_machine_read(&m, root);
        if (m.l3.bytes != sizes[i].bytes)
            fail_msg("%s: %llu", sizes[i].text, (unsigned long long)m.l3.bytes);
    }
}

static void affinity_counts_cores_not_threads(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    put("proc/self/status", "Cpus_allowed_list:\t0,1,4\n");
    w_machine_read(&m, root);
    assert_int_equal(m.physical_cores, 4);
    assert_int_equal(m.usable_cores, 2);
    assert_non_null(strstr(m.usable_why, "affinity"));
}

static void limits_of_any_parent_group_hold(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    put("proc/self/cgroup", "0::/outer/inner\n");
    put("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/outer/cpu.max", "250000 100000\n");
    put("sys/fs/cgroup/outer/inner/memory.max", "max\n");
    put("sys/fs/cgroup/outer/memory.max", "1000000000\n");
    put("sys/fs/cgroup/outer/memory.current", "300000000\n");
    put("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 100000000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 2);
    assert_non_null(strstr(m.usable_why, "quota"));
    assert_true(m.memory_bytes == 1000000000);
    assert_true(m.available_bytes == 800000000);
    /* less than one CPU still means one thread */
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 1);
}

/* In a container the group may lie outside of the visible tree. */
static void groups_outside_of_the_tree_are_not_followed(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    put("proc/self/cgroup", "0::/../other\n");
    put("sys/fs/cgroup/cpu.max", "300000 100000\n");
    put("sys/fs/other/cpu.max", "100000 100000\n"); /* where ".." leads to */
    put("sys/fs/other/memory.max", "1000000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 3);
    assert_true(m.memory_bytes == 8000000ull * 1024);
    /* two dots within a name are a name */
    put("proc/self/cgroup", "0::/a..b/c\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 3);
    put("sys/fs/cgroup/a..b/cpu.max", "200000 100000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 2);
    /* and at its beginning, too */
    put("proc/self/cgroup", "0::/..a/...\n");
    put("sys/fs/cgroup/..a/cpu.max", "100000 100000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 1);
    put("proc/self/cgroup", "0::/..a/..\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 3);
}

static void limits_of_version_1_hold_too(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "150000\n");
    put("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "50000\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "2000000000\n");
    put("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "500000000\n");
    put("sys/fs/cgroup/memory/box/memory.stat", "cache 1\ntotal_inactive_file 100000000\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 3);
    assert_true(m.memory_bytes == 2000000000);
    assert_true(m.available_bytes == 1600000000);
    /* in any order, beside others; but not as a part of another name */
    put("proc/self/cgroup", "1:cpuset,cpuacct,cpu:/box\n");
    w_machine_read(&m, root);
    assert_int_equal(m.usable_cores, 3);
    put("proc/self/cgroup", "1:cpuset,cpuacct:/box\n");
    w_machine_read(&m, root);
    assert_true(m.usable_cores > 3);
}

static void guests_are_recognised(void **state)
{
    (void)state;
    struct w_machine m;
    put_machine();
    put("proc/cpuinfo", "model name : V\nflags : fpu hypervisor sse2\nbugs : none\n");
    w_machine_read(&m, root);
    assert_true(m.virtualised);
    put("proc/cpuinfo", "model name : V\nflags : fpu\nbugs : hypervisor\n");
    w_machine_read(&m, root);
    assert_false(m.virtualised);
}

static void an_empty_system_gives_unknowns(void **state)
{
    (void)state;
    struct w_machine m;
    const char *why;
    w_machine_read(&m, root);
    assert_int_equal(m.l2.bytes, 0);
    assert_int_equal(m.l2.source, W_FROM_NOWHERE);
    assert_int_equal(m.memory_bytes, 0);
    assert_int_equal(m.usable_cores, 1);
    assert_int_equal(w_machine_threads(&m, 0, NULL, &why), 1);
}

static void threads_come_from_the_first_that_says(void **state)
{
    (void)state;
    struct w_machine m;
    const char *why;
    put_machine();
    w_machine_read(&m, root);
    assert_int_equal(w_machine_threads(&m, 3, "7", &why), 3);
    assert_int_equal(w_machine_threads(&m, 0, "7,2", &why), 7);
    assert_string_equal(why, "OMP_NUM_THREADS");
    assert_int_equal(w_machine_threads(&m, 0, "many", &why), 4);
    assert_int_equal(w_machine_threads(&m, 0, NULL, &why), 4);
}

static void json_keeps_every_fact(void **state)
{
    (void)state;
    struct w_machine m, back;
    struct w_err err = {0};
    put_machine();
    w_machine_read(&m, root);
    m.memory_bytes_per_s = (struct w_rate){1e10, W_FROM_MEASUREMENT};
    m.bf16_flops_per_s = (struct w_rate){2e12, W_FROM_USER};
    m.l2.latency_s = (struct w_rate){4e-9, W_FROM_DATASHEET};
    struct w_json *j = w_machine_json(&m);
    assert_int_equal(w_machine_from_json(&back, j, &err), W_DONE);
    assert_memory_equal(&m, &back, sizeof m);
    w_json_set_string(j, "name", "Some\033[2J CPU\xc2\xae\n");
    assert_int_equal(w_machine_from_json(&back, j, &err), W_DONE);
    assert_string_equal(back.name, "Some?[2J CPU???");
    w_json_set_string(j, "l3", "large");
    assert_int_equal(w_machine_from_json(&back, j, &err), W_USAGE);
    assert_non_null(strstr(err.text, "l3"));
    w_json_free(j);
}

/* A machine of one JSON line; W_USAGE or W_DONE. */
static enum w_status machine_of(struct w_machine *m, const char *text, struct w_err *err)
{
    struct w_json *j = NULL;
    assert_int_equal(w_json_parse(&j, text, strlen(text), err), W_DONE);
    enum w_status status = w_machine_from_json(m, j, err);
    w_json_free(j);
    return status;
}

static void what_a_file_leaves_out_is_filled_in_or_unknown(void **state)
{
    (void)state;
    struct w_machine m;
    struct w_err err = {0};
    assert_int_equal(
        machine_of(&m, "{\"physical_cores\":6,\"memory_bytes\":5,\"l2\":{\"bytes\":7}}", &err),
        W_DONE);
    assert_int_equal(m.logical_cpus, 6);
    assert_int_equal(m.usable_cores, 6);
    assert_true(m.l2.bytes == 7 && m.l2.shared_by == 1 && m.l2.instances == 1);
    assert_true(m.l3.bytes == 0 && m.l3.shared_by == 0 && m.l3.instances == 0);
    assert_true(m.l3.source == W_FROM_NOWHERE && m.flops_per_s.source == W_FROM_NOWHERE);
    assert_true(m.available_bytes == 0 && !m.avx2_fma && !m.virtualised);
    assert_int_equal(machine_of(&m,
                                "{\"physical_cores\":6,\"memory_bytes\":5,\"logical_cpus\":12,"
                                "\"usable_cores\":3}",
                                &err),
                     W_DONE);
    assert_true(m.logical_cpus == 12 && m.usable_cores == 3 && m.physical_cores == 6);
    assert_int_equal(machine_of(&m, "{\"memory_bytes\":5}", &err), W_USAGE);
    assert_non_null(strstr(err.text, "physical_cores"));
    assert_int_equal(machine_of(&m, "{\"physical_cores\":6}", &err), W_USAGE);
    assert_non_null(strstr(err.text, "memory_bytes"));
}

/* The registers of a Zen 5 whose hypervisor hides the newer leaves. */
static void private_caches_come_from_older_leaves(void **state)
{
    (void)state;
    struct w_machine m = {.logical_cpus = 2};
    w_cpuid_private_caches(&m, 0, 0);
    assert_true(m.l1d.bytes == 0 && m.l2.bytes == 0 && m.l2.source == W_FROM_NOWHERE);
    w_cpuid_private_caches(&m, 0x300c0140, 0x04006140);
    assert_true(m.l1d.bytes == 48 << 10 && m.l1d.ways == 12 && m.l1d.line_bytes == 64);
    assert_true(m.l2.bytes == 1 << 20 && m.l2.ways == 8 && m.l2.shared_by == 1);
    assert_true(m.l2.instances == 2 && m.l2.source == W_FROM_CPUID);
    w_cpuid_private_caches(&m, 0x20080140, 0x02006140); /* known already */
    assert_true(m.l1d.bytes == 48 << 10 && m.l2.bytes == 1 << 20);
}

static void this_host_is_described(void **state)
{
    (void)state;
    struct w_machine m;
    w_machine_read(&m, "");
    assert_true(m.usable_cores >= 1 && m.usable_cores <= m.logical_cpus);
    assert_true(m.physical_cores <= m.logical_cpus);
    assert_true(m.available_bytes <= m.memory_bytes);
    assert_true(m.avx512 || !m.avx512_bf16);
}

#define ON_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ROOT(caches_and_cores_are_read),
        ON_ROOT(sizes_of_caches_have_units),
        ON_ROOT(affinity_counts_cores_not_threads),
        ON_ROOT(limits_of_any_parent_group_hold),
        ON_ROOT(groups_outside_of_the_tree_are_not_followed),
        ON_ROOT(limits_of_version_1_hold_too),
        ON_ROOT(guests_are_recognised),
        ON_ROOT(an_empty_system_gives_unknowns),
        ON_ROOT(threads_come_from_the_first_that_says),
        ON_ROOT(json_keeps_every_fact),
        cmocka_unit_test(what_a_file_leaves_out_is_filled_in_or_unknown),
        cmocka_unit_test(private_caches_come_from_older_leaves),
        cmocka_unit_test(this_host_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
