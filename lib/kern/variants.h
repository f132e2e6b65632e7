/* variants.h - the tables of the variants, for kern.c; and for q8.c, which needs to know whether
 * the tile unit works. */
#ifndef W_VARIANTS_H
#define W_VARIANTS_H

#include "kern/kern.h"

extern const struct w_kern w_kern_ref;      /* plain C, double-precision sums */
extern const struct w_kern w_kern_portable; /* vectors of 4 floats, for any compiler */
#if defined __x86_64__
extern const struct w_kern w_kern_avx2;
extern const struct w_kern w_kern_avx512;
extern const struct w_kern w_kern_avx512bf16;
extern const struct w_kern w_kern_amx;
bool w_kern_amx_keeps_tiles(void); /* across a sleep of the thread: some systems lose them */
#endif

#endif
