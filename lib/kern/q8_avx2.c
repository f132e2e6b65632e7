/* AVX2, whose products of 16-bit numbers stand in for those of bytes. */
#if defined __x86_64__
#pragma GCC target("avx2,fma")
#define Q8_VARIANT w_q8_avx2
#define Q8_NAME "avx2"
#define Q8_ISA W_ISA_AVX2
#include "kern/body_q8.h"
#endif
