/* AMX: bf16 GEMM by the tile unit of Intel's CPUs since Sapphire Rapids; all else in AVX-512, which
 * these have. With a compiler that has no pragma for it, the variant has no functions. The version
 * is asked, not the macro that the pragma defines: compiler caches preprocess without the pragma,
 * and would not see what is included. */
#if defined __x86_64__
#if !defined __clang__ && __GNUC__ >= 11
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma,amx-tile,amx-bf16")
#define BF16_TILE_UNIT
#define BF16_STEP 32
#define W_FOR_BF16
#define W_VARIANT w_kern_amx
#define W_VARIANT_NAME "amx"
#define W_VARIANT_ISA (W_ISA_AVX512 | W_ISA_AVX512_BF16 | W_ISA_AMX)
#include "kern/kern_body.h"

bool w_kern_amx_keeps_tiles(void)
{
    return keeps_tiles();
}
#else
#include "kern/variants.h"
const struct w_kern w_kern_amx = {.name = "amx", .for_bf16 = true};

bool w_kern_amx_keeps_tiles(void)
{
    return false;
}
#endif
#endif
