/* AVX512-VNNI: dot products of bytes (Cascade Lake, Ice Lake, Zen 4). */
#if defined __x86_64__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma")
#define Q8_VARIANT w_q8_avx512vnni
#define Q8_NAME "avx512vnni"
#define Q8_ISA (W_ISA_AVX512 | W_ISA_AVX512_VNNI)
#include "kern/body_q8.h"
#endif
