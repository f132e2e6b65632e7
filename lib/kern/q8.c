/* The micro-kernels of q8.h: the choice among them, and the reference, which follows the
 * formula. */
#include "kern/q8.h"

#include <math.h>

#include "kern/q8_variants.h"
#include "kern/variants.h"
#include "sys/cpuid.h"

/* ---- the reference: panels and rows keep q and scales apart ---- */

#define BLOCK 32
#define COLS 8
#define ROWS 4

/* A block of a column, and of a row. */
struct line_block {
    int8_t q[BLOCK];
    w_bf16 scale;
};
_Static_assert(sizeof(struct line_block) == 34, "bytes of a block of a panel");

struct row_block {
    int8_t q[BLOCK];
    float scale;
};

static float scale_of(const float *x, u64 step, u64 count)
{
    float largest = 0;

    for (u64 i = 0; i < count; i++) {
        if (!isfinite(x[i * step]))
            return NAN;
        largest = fmaxf(largest, fabsf(x[i * step]));
    }
    return largest / 127;
}

static void quantise(int8_t q[BLOCK], const float *x, u64 step, u64 count, float scale)
{
    for (u64 i = 0; i < BLOCK; i++)
        q[i] = (int8_t)(i < count && scale > 0 ? nearbyintf(x[i * step] * (1 / scale)) : 0);
}

static w_bf16 bf16_above(float x)
{
    w_bf16 y = w_bf16_of(x);
    return w_bf16_to_float(y) < x ? (w_bf16)(y + 1) : y;
}

static void pack_panel(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    struct line_block *block = panel;

    for (u64 p = 0; p < k; p += BLOCK)
        for (u32 j = 0; j < COLS; j++, block++) {
            const float *x = (const float *)b + p * b_row + j * b_col;
            const u64 count = j < cols ? W_MIN(k - p, BLOCK) : 0;
            block->scale = bf16_above(scale_of(x, b_row, count));
            quantise(block->q, x, b_row, count, w_bf16_to_float(block->scale));
        }
}

static void pack_rows(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    struct row_block *block = packed;

    for (u64 i = 0; i < rows; i++)
        for (u64 p = 0; p < k; p += BLOCK, block++) {
            const w_bf16 *from = (const w_bf16 *)a + i * a_row + p * a_col;
            const u64 count = W_MIN(k - p, BLOCK);
            float x[BLOCK];
            for (u64 n = 0; n < count; n++)
                x[n] = w_bf16_to_float(from[n * a_col]);
            block->scale = scale_of(x, 1, count);
            quantise(block->q, x, 1, count, block->scale);
        }
}

static void run(const struct w_tile *t)
{
    const u64 blocks = t->k / BLOCK;

    for (u64 i = 0; i < t->rows; i++)
        for (u32 j = 0; j < t->cols; j++) {
            float sum = t->add ? t->add[i * t->add_row + j] : 0;
            for (u64 p = 0; p < blocks; p++) {
                const struct row_block *a = (const struct row_block *)t->a + i * blocks + p;
                const struct line_block *b = (const struct line_block *)t->b + p * COLS + j;
                i32 dot = 0;
                for (u32 n = 0; n < BLOCK; n++)
                    dot += a->q[n] * b->q[n];
                sum += (float)dot * (w_bf16_to_float(b->scale) * a->scale);
            }
            t->c[i * t->c_row + j] = sum;
        }
}

static const struct w_q8_kern q8_ref = {
    .name = "ref",
    .ukernel = {.tile_rows = ROWS,
                .tile_cols = COLS,
                .k_unroll = BLOCK,
                .row_bytes = 2,
                .run = run,
                .pack_panel = pack_panel,
                .pack_rows = pack_rows},
};

/* ---- the choice ---- */

static const struct w_q8_kern *const variants[] = {
#if defined __x86_64__
    &w_q8_amx,      &w_q8_avx512vnni, &w_q8_avxvnni, &w_q8_avx2,
#endif
    &w_q8_portable, &q8_ref,          NULL,
};

const struct w_q8_kern *const *w_q8_all(void)
{
    return variants;
}

bool w_q8_usable(const struct w_q8_kern *kern, const char **why)
{
    struct w_machine m = {.logical_cpus = 1};

    w_cpuid_read(&m);
    *why = kern->ukernel.run ? w_isa_lack(kern->isa, &m) : "this program was compiled without it";
#if defined __x86_64__
    if (!*why && kern->isa & W_ISA_AMX)
        return w_kern_usable(&w_kern_amx, why); /* does the unit work? */
#endif
    return !*why;
}

bool w_q8_unpacks(const struct w_q8_kern *q8, const struct w_kern *kern)
{
    const struct w_ukernel *bf16 = &kern->ukernel[W_TYPE_BF16];

    return kern->isa & W_ISA_AMX && q8->unpack_panel && bf16->tile_cols == q8->ukernel.tile_cols &&
           bf16->k_unroll == q8->ukernel.k_unroll;
}

const struct w_q8_kern *w_q8_choose(void)
{
    const char *why;
    u32 i = 0;

    while (!w_q8_usable(variants[i], &why)) /* the reference always is */
        i++;
    return variants[i];
}
