/* AVX-512: twice the width and twice the registers. */
#if defined __x86_64__
#pragma GCC target("avx512f,avx2,fma")
#define W_VARIANT w_kern_avx512
#define W_VARIANT_NAME "avx512"
#define W_VARIANT_ISA W_ISA_AVX512
#include "kern/kern_body.h"
#endif
