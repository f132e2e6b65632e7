/* AVX512-BF16: AVX-512 with an instruction for dot products of bf16 (Zen 4, Cooper Lake). With a
 * compiler that has no pragma for it, the variant has no functions (see kern_amx.c). */
#if defined __x86_64__
#if !defined __clang__ && __GNUC__ >= 10
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")
#define BF16_DOT
#define W_FOR_BF16
#define W_VARIANT w_kern_avx512bf16
#define W_VARIANT_NAME "avx512bf16"
#define W_VARIANT_ISA (W_ISA_AVX512 | W_ISA_AVX512_BF16)
#include "kern/kern_body.h"
#else
#include "kern/variants.h"
const struct w_kern w_kern_avx512bf16 = {.name = "avx512bf16", .for_bf16 = true};
#endif
#endif
