/* q8.h - products with weights of 8 bits: for generation, which is as fast as weights are read.
 * Prompts are multiplied by them too, in integers or in bf16.
 *
 * A weight matrix is cut into blocks of 32 numbers along k, each with a scale: w = scale * q, q
 * from -127 to 127 (as q8_0 of llama.cpp has it; the scale is in bf16, rounded up, so that no q is
 * clipped). Rows of a are cut and rounded in the same way, in each call, with scales in fp32. A
 * product is
 *
 *      c[i][j] = add + sum over blocks of  scale_a[i] scale_b[j] * (sum over 32 of q_a q_b)
 *
 * where the inner sums are exact, in integers, so that instruction sets differ only in whether a
 * multiply-add rounds once or twice. A number that is not finite makes its row or column NaN.
 *
 * The tile unit of AMX gives the same sums. Each block of k has to leave it through memory to be
 * scaled, which leaves it a quarter of its rate: 230 to 280 billion multiply-adds a second, against
 * 160 to 200 by the instructions for vectors of bytes, as long as vectors scale one block while the
 * unit multiplies the next. 16 samples at a time are 1.1 to 1.2 times as fast by it.
 *
 * For many rows the unit is faster in bf16, though weights have to be unpacked for it (scale * q,
 * rounded, some panels at a time in the cache), and its sums are nearer to those of the weights,
 * since rows are not rounded to 8 bits. With it a prompt of 64 tokens takes 0.7 times as long, one
 * of 512 tokens 0.85 times (wiki_cache_optimized). A caller chooses this by w_engine.unpack_q8.
 *
 * In struct w_gemm such a product has the type W_TYPE_Q8; a is in bf16, and b is packed
 * (w_gemm_pack), from fp32. */
#ifndef W_Q8_H
#define W_Q8_H

#include "kern/kern.h"

/* A micro-kernel for one instruction set. Its pack_panel() takes numbers in fp32, its pack_rows()
 * in bf16; it takes no unpacked rows. */
struct w_q8_kern {
    const char *name;
    u32 isa; /* bits of enum w_isa */
    struct w_ukernel ukernel;
    /* Unpack k numbers of each column of a panel, and what is left of a block, into a panel of bf16
     * as wide, for struct w_kern: scale * q, to the nearest. NULL: it cannot. */
    void (*unpack_panel)(w_bf16 *out, const void *panel, u64 k);
};

/* All of them, the fastest first, ending with NULL: the reference. */
const struct w_q8_kern *const *w_q8_all(void);
/* Can it run here? If not, *why (static text) says what is missing. */
bool w_q8_usable(const struct w_q8_kern *, const char **why);
/* The fastest that runs here. */
const struct w_q8_kern *w_q8_choose(void);
/* Can its panels be unpacked for the tile unit of a variant (W_ISA_AMX)? Other instructions are as
 * fast with bytes, or faster. */
bool w_q8_unpacks(const struct w_q8_kern *, const struct w_kern *);

#endif
