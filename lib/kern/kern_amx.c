/* AMX: bf16 GEMM by the tile unit of Intel's CPUs since Sapphire Rapids; all else in AVX-512, which
 * these have. With a compiler that has no pragma for it, the variant has no functions. */
#if defined __x86_64__
#if !defined __clang__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx2,fma,amx-tile,amx-bf16")
#endif
#include "kern/variants.h"
#if defined __AMX_BF16__
#define BF16_TILE_UNIT
#define BF16_STEP 32
#define W_FOR_BF16
#define W_SWITCHED
#define W_VARIANT w_kern_amx
#define W_VARIANT_NAME "amx"
#define W_VARIANT_ISA (W_ISA_AVX512 | W_ISA_AMX)
#include "kern/kern_body.h"

bool w_kern_amx_keeps_tiles(void)
{
    return keeps_tiles();
}
#else
const struct w_kern w_kern_amx = {.name = "amx", .for_bf16 = true};

bool w_kern_amx_keeps_tiles(void)
{
    return false;
}
#endif
#endif
