#include "bench/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/strnum.h"
#include "sys/input.h"

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)
#define FILE_MAX_BYTES MIB

#define SHEET(x)                                                                                   \
    {                                                                                              \
        .value = (x), .source = W_FROM_DATASHEET                                                   \
    }
/* Rows of a target, all from datasheets. */
#define CORES(logical, physical)                                                                   \
    .logical_cpus = (logical), .physical_cores = (physical), .usable_cores = (physical),           \
    .usable_why = "physical cores", .source = W_FROM_DATASHEET, .memory_source = W_FROM_DATASHEET
#define CACHE(size, associativity, sharers, count, cycles, hz)                                     \
    {                                                                                              \
        .bytes = (size), .ways = (associativity), .line_bytes = 64, .shared_by = (sharers),        \
        .instances = (count), .source = W_FROM_DATASHEET, .latency_s = SHEET((cycles) / (hz))      \
    }

/* Peaks are cores x FLOP per cycle x sustained clock: 32 per cycle with two AVX2 FMA units or one
 * of AVX-512, 64 with two of AVX-512, 16 with two of NEON. */
const struct w_target w_targets[] = {
    {"seed-host",
     "4 cores and 8 threads of the first comparison: 48K, 512K, 8M, 7.5 GB",
     {.name = "Sunny Cove client, 4 cores, 8 threads",
      .arch = "x86_64",
      CORES(8, 4),
      .l1d = CACHE(48 * KIB, 12, 2, 4, 5, 3.5e9),
      .l2 = CACHE(512 * KIB, 8, 2, 4, 13, 3.5e9),
      .l3 = CACHE(8 * MIB, 16, 8, 1, 42, 3.5e9),
      .memory_bytes = 7500000000ull,
      .available_bytes = 7500000000ull,
      .avx2_fma = true,
      .avx512 = true,
      .flops_per_s = SHEET(4 * 32 * 3.5e9),
      .memory_bytes_per_s = {10e9, W_FROM_USER},
      .memory_latency_s = SHEET(280 / 3.5e9)}},
    {"ryzen-5600x",
     "6 cores, Zen 3, 32K, 512K, 32M, dual-channel DDR4-3200",
     {.name = "AMD Ryzen 5 5600X",
      .arch = "x86_64",
      CORES(12, 6),
      .l1d = CACHE(32 * KIB, 8, 2, 6, 4, 3.7e9),
      .l2 = CACHE(512 * KIB, 8, 2, 6, 12, 3.7e9),
      .l3 = CACHE(32 * MIB, 16, 12, 1, 46, 3.7e9),
      .memory_bytes = 16 * GIB,
      .avx2_fma = true,
      .flops_per_s = SHEET(6 * 32 * 3.7e9),
      .memory_bytes_per_s = SHEET(51.2e9)}},
    {"xeon-8480",
     "56 cores, Sapphire Rapids with AMX, 48K, 2M, 105M, 8 channels of DDR5-4800",
     {.name = "Intel Xeon Platinum 8480+",
      .arch = "x86_64",
      CORES(112, 56),
      .l1d = CACHE(48 * KIB, 12, 2, 56, 5, 2.0e9),
      .l2 = CACHE(2 * MIB, 16, 2, 56, 16, 2.0e9),
      .l3 = CACHE(105 * MIB, 15, 112, 1, 70, 2.0e9),
      .memory_bytes = 256 * GIB,
      .avx2_fma = true,
      .avx512 = true,
      .avx512_bf16 = true,
      .amx_bf16 = true,
      .flops_per_s = SHEET(56 * 64 * 2.0e9),
      .memory_bytes_per_s = SHEET(307.2e9)}},
    {"raspberry-pi-5",
     "4 cores, Cortex-A76, 64K, 512K, 2M, 8 GB",
     {.name = "Raspberry Pi 5, BCM2712",
      .arch = "aarch64",
      CORES(4, 4),
      .l1d = CACHE(64 * KIB, 4, 1, 4, 4, 2.4e9),
      .l2 = CACHE(512 * KIB, 8, 1, 4, 9, 2.4e9),
      .l3 = CACHE(2 * MIB, 16, 4, 1, 31, 2.4e9),
      .memory_bytes = 8 * GIB,
      .flops_per_s = SHEET(4 * 16 * 2.4e9),
      .memory_bytes_per_s = SHEET(17.1e9)}},
    {NULL, NULL, {.name = ""}},
};

static enum w_status read_file(struct w_machine *m, const char *path, struct w_err *err)
{
    struct w_json *json = NULL;
    char *text = NULL;
    size_t size = 0;

    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);
    if (status) /* its text names the file */
        goto out;
    status = w_json_parse(&json, text, size, err);
    if (!status) {
        /* as printed by wcachefit host --json: the machine is an object within it */
        const struct w_json *inner = w_json_get(json, "machine");
        status = w_machine_from_json(m, inner ? inner : json, err);
    }
    if (status)
        status = w_fail_at(err, status == W_NOMEM ? W_NOMEM : W_USAGE, "%.500s", path);
out:
    free(text);
    w_json_free(json);
    return status;
}

enum w_status w_target_find(struct w_machine *m, const char *name, struct w_err *err)
{
    size_t n = strlen(name);

    for (const struct w_target *t = w_targets; t->name; t++)
        if (!strcmp(t->name, name)) {
            *m = t->machine;
            return W_DONE;
        }
    if (strchr(name, '/') || (n > 5 && !strcmp(name + n - 5, ".json")))
        return read_file(m, name, err);
    const char *near =
        w_nearest_name(name, &w_targets[0].name, W_COUNTOF(w_targets) - 1, sizeof w_targets[0]);
    return w_fail(err, W_USAGE,
                  "unknown target '%.60s'%s%s%s (wcachefit host --list; or FILE.json)", name,
                  near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
}
