/* machine.h - what a computer is: cores that we may use, caches, memory, instruction sets; each
 * fact with its source. w_machine_read() describes this host; a description can also come from JSON
 * (another CPU), which w_machine_json() writes. What is not known is 0, from W_FROM_NOWHERE. */
#ifndef W_MACHINE_H
#define W_MACHINE_H

#include "base/status.h"
#include "sys/json.h"

enum w_source {
    W_FROM_NOWHERE,
    W_FROM_SYSFS,
    W_FROM_CPUID,
    W_FROM_MEASUREMENT,
    W_FROM_DATASHEET,
    W_FROM_USER
};
const char *w_source_name(enum w_source);

/* A quantity that the system does not report: measured, or from a datasheet. */
struct w_rate {
    double value; /* 0: not known */
    enum w_source source;
};

struct w_cache {
    u64 bytes; /* of one instance; 0: there is none */
    u32 ways;
    u32 line_bytes;
    u32 shared_by; /* logical CPUs that share one instance */
    u32 instances;
    enum w_source source;
    struct w_rate latency_s;   /* of a load that finds its data there, and not nearer */
    struct w_rate bytes_per_s; /* what one core reads from it */
};

struct w_machine {
    char name[128];   /* CPU model */
    char arch[16];    /* "x86_64", ... */
    u32 logical_cpus; /* online */
    u32 physical_cores;
    u32 usable_cores;    /* physical cores within the affinity mask and the cgroup's CPU quota: the
                             default number of threads */
    char usable_why[96]; /* what limited it, for -v */
    struct w_cache l1d, l2, l3;
    u64 memory_bytes;    /* of the machine */
    u64 available_bytes; /* MemAvailable, or what the cgroup's limit leaves, if less */
    enum w_source memory_source;
    bool virtualised;   /* cache sizes are as the hypervisor reports them */
    bool no_huge_pages; /* the system gives none, so that the TLB covers less memory */
    /* instruction sets that the CPU has and the system lets us use */
    bool avx2_fma, avx512, avx512_bf16, amx_bf16;
    bool avx_vnni, avx512_vnni, amx_int8; /* in no file of a machine: only generation asks */
    enum w_source source;
    struct w_rate flops_per_s;        /* fp32 peak of all physical cores */
    struct w_rate bf16_flops_per_s;   /* the same for GEMM in bf16 */
    struct w_rate memory_bytes_per_s; /* of all cores together */
    struct w_rate memory_latency_s;
};

/* This host. root: "" for the real one; in tests a folder that holds proc/ and sys/, for which
 * CPUID is not asked. Never fails: what cannot be read is 0, with source W_FROM_NOWHERE. */
void w_machine_read(struct w_machine *, const char *root);

/* From and to JSON (sizes in bytes). W_USAGE: a member of another type or out of range, or without
 * "physical_cores" or "memory_bytes". The object is the caller's; NULL without memory. */
enum w_status w_machine_from_json(struct w_machine *, const struct w_json *,
                                  struct w_err *) W_MUST_CHECK;
struct w_json *w_machine_json(const struct w_machine *);

/* How many threads to use: asked, if not 0; else `environment` (the text of OMP_NUM_THREADS, or
 * NULL); else usable_cores. *why, static or in the machine, says which. */
u32 w_machine_threads(const struct w_machine *, u64 asked, const char *environment,
                      const char **why);

#endif
