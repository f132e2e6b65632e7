/* AVX-VNNI: dot products of bytes in AVX2's registers (Alder Lake, Zen 5). With a compiler that has
 * no pragma for it there is no such kernel (see kern_amx.c). */
#if defined __x86_64__
#if !defined __clang__ && __GNUC__ >= 11
#pragma GCC target("avx2,fma,avxvnni")
#define Q8_VARIANT w_q8_avxvnni
#define Q8_NAME "avxvnni"
#define Q8_ISA (W_ISA_AVX2 | W_ISA_AVX_VNNI)
#include "kern/body_q8.h"
#else
#include "kern/q8_variants.h"
const struct w_q8_kern w_q8_avxvnni = {.name = "avxvnni"};
#endif
#endif
