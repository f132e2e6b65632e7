/* AMX: whole tiles of 16 rows by the tile unit, the rest by AVX512-VNNI, which CPUs with AMX have.
 * Without a compiler that has a pragma for it there is no such kernel (see kern_amx.c). */
#if defined __x86_64__
#if !defined __clang__ && __GNUC__ >= 11
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,amx-tile,amx-int8")
#define Q8_TILE_UNIT
#define Q8_VARIANT w_q8_amx
#define Q8_NAME "amx"
#define Q8_ISA (W_ISA_AVX512 | W_ISA_AVX512_VNNI | W_ISA_AMX | W_ISA_AMX_INT8)
#include "kern/body_q8.h"
#else
#include "kern/q8_variants.h"
const struct w_q8_kern w_q8_amx = {.name = "amx"};
#endif
#endif
