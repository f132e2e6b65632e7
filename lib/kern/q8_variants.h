/* q8_variants.h - the micro-kernels of q8.h, for q8.c alone. */
#ifndef W_Q8_VARIANTS_H
#define W_Q8_VARIANTS_H

#include "kern/q8.h"

extern const struct w_q8_kern w_q8_portable;
#if defined __x86_64__
extern const struct w_q8_kern w_q8_avx2, w_q8_avxvnni, w_q8_avx512vnni, w_q8_amx;
#endif

#endif
