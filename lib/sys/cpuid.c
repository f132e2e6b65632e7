#include "sys/cpuid.h"

static void take_private(struct w_cache *cache, u32 kib, u32 ways, u32 line, u32 cpus)
{
    if (cache->bytes || !kib || !ways || !line)
        return;
    *cache = (struct w_cache){.bytes = (u64)kib << 10,
                              .ways = ways,
                              .line_bytes = line,
                              .shared_by = 1,
                              .instances = cpus,
                              .source = W_FROM_CPUID};
}

void w_cpuid_private_caches(struct w_machine *m, u32 l1d, u32 l2)
{
    static const u8 ways[16] = {0, 1, 2, 3, 4, 6, 8, 0, 16, 0, 32, 48, 64, 96, 128, 0};

    take_private(&m->l1d, l1d >> 24, l1d >> 16 & 255, l1d & 255, m->logical_cpus);
    take_private(&m->l2, l2 >> 16, ways[l2 >> 12 & 15], l2 & 255, m->logical_cpus);
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(word, n) (((word) >> (n)) & 1)

/* Register state that the operating system saves at a context switch; without that an instruction
 * set is unusable even if the CPU has it. */
static u64 saved_state(void)
{
    u32 eax, edx;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax | (u64)edx << 32;
}

enum { ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };

/* Linux gives the AMX tiles only to processes that ask; this is whether asking would succeed. */
static bool system_has_tiles(void)
{
    u64 mask = 0;
    return syscall(SYS_arch_prctl, ARCH_GET_XCOMP_SUPP, &mask) == 0 && BIT(mask, XTILEDATA);
}

/* Some virtual machines report AMX without any tile palette; its instructions then do not work. */
static bool cpu_has_palette(void)
{
    u32 palettes, b, c, d;
    return __get_cpuid_count(0x1D, 0, &palettes, &b, &c, &d) && palettes >= 1;
}

static void read_instruction_sets(struct w_machine *m)
{
    u32 a, b, c, d, b7 = 0, c7 = 0, d7 = 0, a71 = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !BIT(c, 27)) /* OSXSAVE */
        return;
    bool fma = BIT(c, 12) && BIT(c, 28);
    if (__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) && a >= 1)
        __get_cpuid_count(7, 1, &a71, &b, &c, &d);
    u64 state = saved_state();
    bool ymm = (state & 0x06) == 0x06, zmm = ymm && (state & 0xE0) == 0xE0;
    bool tiles = (state & 0x60000) == 0x60000;
    m->avx2_fma = ymm && fma && BIT(b7, 5);
    /* F, DQ, BW and VL: what every AVX-512 CPU since Skylake-X has */
    m->avx512 = zmm && BIT(b7, 16) && BIT(b7, 17) && BIT(b7, 30) && BIT(b7, 31);
    m->avx512_vnni = m->avx512 && BIT(c7, 11);
    m->avx_vnni = m->avx2_fma && BIT(a71, 4);
    m->avx512_bf16 = m->avx512 && BIT(a71, 5);
    m->amx_bf16 = tiles && BIT(d7, 22) && BIT(d7, 24) && cpu_has_palette() && system_has_tiles();
    m->amx_int8 = m->amx_bf16 && BIT(d7, 25);
}

/* Intel's leaf 4 and AMD's 0x8000001D have the same fields. */
static void read_caches(struct w_machine *m, u32 leaf)
{
    u32 a, b, c, d;

    for (u32 index = 0; index < 16; index++) {
        if (!__get_cpuid_count(leaf, index, &a, &b, &c, &d) || (a & 31) == 0)
            return;
        u32 kind = a & 31, level = a >> 5 & 7;
        struct w_cache *cache = level == 1 && kind != 2 ? &m->l1d
                                : level == 2            ? &m->l2
                                : level == 3            ? &m->l3
                                                        : NULL;
        if (!cache || cache->bytes)
            continue;
        u32 ways = (b >> 22) + 1, partitions = (b >> 12 & 1023) + 1, line = (b & 4095) + 1;
        cache->bytes = (u64)ways * partitions * line * ((u64)c + 1);
        cache->ways = ways;
        cache->line_bytes = line;
        cache->shared_by = W_MIN((a >> 14 & 4095) + 1, m->logical_cpus);
        cache->instances = m->logical_cpus / cache->shared_by;
        cache->source = W_FROM_CPUID;
    }
}

void w_cpuid_read(struct w_machine *m)
{
    u32 a, b, d, l1d = 0, l2 = 0;

    read_instruction_sets(m);
    read_caches(m, 4);
    read_caches(m, 0x8000001D);
    if (__get_cpuid(0x80000005, &a, &b, &l1d, &d) && __get_cpuid(0x80000006, &a, &b, &l2, &d))
        w_cpuid_private_caches(m, l1d, l2);
}

bool w_cpuid_request_tiles(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}

#else

void w_cpuid_read(struct w_machine *m)
{
    (void)m;
}

bool w_cpuid_request_tiles(void)
{
    return false;
}

#endif
