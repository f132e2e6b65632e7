/* AVX2 with fused multiply-add: x86-64 since 2013. The pragma lets this file alone use them. */
#if defined __x86_64__
#pragma GCC target("avx2,fma")
#define W_VARIANT w_kern_avx2
#define W_VARIANT_NAME "avx2"
#define W_VARIANT_ISA W_ISA_AVX2
#include "kern/kern_body.h"
#endif
