/* body_q8.h - the micro-kernel of q8.h, in vectors. Included once by the file of each instruction
 * set, which sets the target, Q8_VARIANT, Q8_NAME and, if it needs any, Q8_ISA; and Q8_TILE_UNIT
 * for the tile unit of AMX.
 *
 * A panel is, for each block of 32 numbers of k:
 *
 *      8 groups of TILE_COLS x 4 bytes     q + 128: four numbers of k of each column, as the
 *                                          instructions for dot products of bytes have them
 *      TILE_COLS scales in bf16
 *
 * These instructions multiply unsigned bytes by signed ones, hence the 128: sums start from -128
 * times the sum of the row's numbers. Packed rows are, for each block, TILE_ROWS times 32 bytes, as
 * many of these starts, and as many scales. */
#include "kern/q8.h"
#include "kern/q8_variants.h"
#include "kern/vector.h"

#include <math.h>

#define BLOCK 32
#define TILE_COLS (2 * LANES)
#if LANES == 16 && !defined UNIT_MODEL /* whose test would be compiled for a minute */
#define VECTOR_ROWS 6                  /* at a time, by vectors */
#else
#define VECTOR_ROWS 2 /* 16 registers: 4 sums in integers, 4 in fp32, and operands */
#endif
#if defined Q8_TILE_UNIT
#include "kern/tile_unit.h"
#define TILE_ROWS UNIT_ROWS
#else
#define TILE_ROWS VECTOR_ROWS
#endif
/* Each cut of k costs as much as two blocks, since sums come from memory again; and where only an
 * epilogue gets the result, rows are packed again for each of its groups of columns. */
#define WHOLE_K 1024
#define PANEL_BLOCK_BYTES (TILE_COLS * (BLOCK + sizeof(w_bf16)))
#define STREAM_AHEAD 2048 /* bytes of a panel to prefetch; panels follow one another */
#define UNPACK_AHEAD 4096 /* the same while it is unpacked, which takes less time a byte */
#define LINE 64           /* bytes */
#define LINES_AHEAD 2     /* of each block of the next panel */

struct rows_block {
    int8_t q[TILE_ROWS][BLOCK];
    i32 start[TILE_ROWS]; /* -128 times the sum of q */
    float scale[TILE_ROWS];
};

/* sum[i] += four bytes of w, unsigned, times four of x, signed */
W_INLINE ivec v_dot_bytes(ivec sum, ivec w, i32 x)
{
#if defined W_AVX512 && defined __AVX512VNNI__
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, _mm512_set1_epi32(x));
#elif defined W_AVX2 && defined __AVXVNNI__
    return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, _mm256_set1_epi32(x));
#elif defined W_AVX2
    /* Bytes 0 and 2, then 1 and 3, as numbers of 16 bits: their products in pairs cannot
     * overflow. */
    const __m256i all = _mm256_set1_epi32(x), low = _mm256_set1_epi32(0x00ff00ff);
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8);
    const __m256i odd = _mm256_srai_epi16(all, 8);
    const __m256i w_even = _mm256_and_si256((__m256i)w, low);
    const __m256i w_odd = _mm256_srli_epi16((__m256i)w, 8);
    return sum + (ivec)_mm256_madd_epi16(w_even, even) + (ivec)_mm256_madd_epi16(w_odd, odd);
#else
    const words_vec bits = (words_vec)w;
    const i32 lowest = (i32)((u32)x << 24) >> 24, second = (i32)((u32)x << 16) >> 24;
    const i32 third = (i32)((u32)x << 8) >> 24, highest = x >> 24;
    sum += (ivec)(bits & 255) * lowest;
    sum += (ivec)(bits >> 8 & 255) * second;
    sum += (ivec)(bits >> 16 & 255) * third;
    return sum + (ivec)(bits >> 24) * highest;
#endif
}

/* The scales of a block of a panel. */
W_INLINE const w_bf16 *scales_of(const u8 *panel)
{
    return (const w_bf16 *)(const void *)(panel + (u64)BLOCK * TILE_COLS);
}

/* ---- packing ---- */

/* The largest magnitude of a block; NaN if one is not finite. */
W_INLINE float largest_of(const float x[BLOCK])
{
    vec most = v_set(0), probe = v_set(0);

#pragma GCC unroll 8
    for (u32 i = 0; i < BLOCK; i += LANES) {
        const vec v = v_load(x + i);
        most = v_max(most, v_max(v, -v));
        probe += v * 0.0f; /* NaN for what is not finite */
    }
    return v_largest(most) + v_sum(probe);
}

/* q = x / scale, to the nearest; 1.5 * 2^23 plus a small number has the whole part in its last
 * bits. Returns the sum of q. */
W_INLINE i32 quantise(int8_t q[BLOCK], const float x[BLOCK], float inverse)
{
    typedef int8_t bytes_vec __attribute__((vector_size(LANES)));
    const vec magic = v_set(12582912.0f);
    vec sum = v_set(0); /* exact: its numbers are small */

#pragma GCC unroll 8
    for (u32 i = 0; i < BLOCK; i += LANES) {
        vec scaled = v_load(x + i) * inverse;
        scaled = v_min(v_max(scaled, v_set(-127)), v_set(127));
        const ivec whole = (ivec)(scaled + magic) - (ivec)magic;
        const bytes_vec bytes = __builtin_convertvector(whole, bytes_vec);
        memcpy(q + i, &bytes, sizeof bytes);
        sum += __builtin_convertvector(whole, vec);
    }
    return (i32)v_sum(sum);
}

/* A block of a column from element p on, with zeros after its end. */
W_INLINE void take_column(float x[BLOCK], const float *column, u64 step, u64 p, u64 k)
{
    const u64 count = W_MIN(k - p, BLOCK);

    if (step == 1 && count == BLOCK) {
        memcpy(x, column + p, BLOCK * sizeof *x);
        return;
    }
    for (u64 i = 0; i < BLOCK; i++)
        x[i] = i < count ? column[(p + i) * step] : 0;
}

/* The same of a row. */
W_INLINE void take_row(float x[BLOCK], const w_bf16 *row, u64 step, u64 p, u64 k)
{
    const u64 count = W_MIN(k - p, BLOCK);

    if (step == 1 && count == BLOCK) {
        for (u64 i = 0; i < BLOCK; i += LANES)
            v_store(x + i, v_load_bf16(row + p + i));
        return;
    }
    for (u64 i = 0; i < BLOCK; i++)
        x[i] = i < count ? w_bf16_to_float(row[(p + i) * step]) : 0;
}

/* bf16 that is at least x, for x >= 0; NaN stays NaN. */
static w_bf16 bf16_above(float x)
{
    u32 bits;

    memcpy(&bits, &x, sizeof bits);
    return x != x ? w_bf16_of(x) : (w_bf16)((bits + 0xffff) >> 16);
}

/* Of a scale whose q are all 0. */
static float inverse_of(float scale)
{
    return scale > 0 ? 1 / scale : 0;
}

static void pack_panel(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    for (u64 p = 0; p < k; p += BLOCK) {
        u8 *bytes = (u8 *)panel + p / BLOCK * PANEL_BLOCK_BYTES;
        w_bf16 *scales = (w_bf16 *)(void *)(bytes + (u64)BLOCK * TILE_COLS);
        for (u32 j = 0; j < TILE_COLS; j++) {
            float x[BLOCK] = {0};
            int8_t q[BLOCK];
            if (j < cols)
                take_column(x, (const float *)b + j * b_col, b_row, p, k);
            scales[j] = bf16_above(largest_of(x) / 127);
            quantise(q, x, inverse_of(w_bf16_to_float(scales[j])));
            for (u32 i = 0; i < BLOCK; i++)
                bytes[(i / 4 * TILE_COLS + j) * 4 + i % 4] = (u8)(q[i] + 128);
        }
    }
}

/* Where the blocks of the tile begin that a row is in. */
W_INLINE u64 first_block(u64 row, u64 blocks)
{
    return row / TILE_ROWS * blocks;
}

static void pack_rows(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    const u64 blocks = w_ceil_div(k, BLOCK);

    for (u64 row = 0; row < rows; row++) {
        struct rows_block *block = (struct rows_block *)packed + first_block(row, blocks);
        const u64 i = row % TILE_ROWS;
        for (u64 p = 0; p < k; p += BLOCK, block++) {
            float x[BLOCK];
            take_row(x, (const w_bf16 *)a + row * a_row, a_col, p, k);
            block->scale[i] = largest_of(x) / 127;
            block->start[i] = -128 * quantise(block->q[i], x, inverse_of(block->scale[i]));
        }
    }
}

/* ---- unpacking ---- */

/* Number i of four in each word of q + 128, times its column's scale: exact, with 8 bits each.
 * In bits 8 to 15 of 2^15 a byte adds itself to it; `offset` is -(2^15 + 128) times the scale. (It
 * overflows with a scale above 1e34, so that such weights become NaN.) */
W_INLINE words_vec scaled_number(words_vec quads, const u32 i, vec scale, vec offset)
{
    const words_vec byte = i == 0 ? quads << 8 : quads >> 8 * (i - 1);
    return (words_vec)v_fma((vec)((byte & 0xff00) | 0x47000000), scale, offset);
}

/* A pair of bf16 of numbers in fp32, each to the nearest. */
W_INLINE words_vec round_pair(words_vec low, words_vec high)
{
    return ((high + 0x8000) & 0xffff0000) | (low + 0x8000) >> 16;
}

/* A panel of pairs, as body_pack.h has it. */
static void unpack_panel(w_bf16 *out, const void *panel, u64 k)
{
    for (u64 p = 0; p < k; p += BLOCK) {
        const u8 *bytes = (const u8 *)panel + p / BLOCK * PANEL_BLOCK_BYTES;
        for (u64 line = 0; line < PANEL_BLOCK_BYTES; line += LINE)
            __builtin_prefetch(bytes + UNPACK_AHEAD + line, 0, 3);
#pragma GCC unroll 2
        for (u32 col = 0; col < TILE_COLS; col += LANES) {
            const vec scale = v_load_bf16(scales_of(bytes) + col), offset = -32896 * scale;
#pragma GCC unroll 8
            for (u32 g = 0; g < BLOCK / 4; g++) {
                words_vec quads, pairs[2];
                memcpy(&quads, bytes + (u64)(g * TILE_COLS + col) * 4, sizeof quads);
#pragma GCC unroll 2
                for (u32 i = 0; i < 2; i++) {
                    pairs[i] = round_pair(scaled_number(quads, 2 * i, scale, offset),
                                          scaled_number(quads, 2 * i + 1, scale, offset));
                    memcpy(out + (p + 4 * g + 2 * i) * TILE_COLS + 2 * col, &pairs[i],
                           sizeof pairs[i]);
                }
            }
        }
    }
}

/* ---- the tile by vectors ---- */

/* What is prefetched of each block while a tile is computed. The first tile of a panel prefetches
 * this panel, in case it comes from memory; the others some lines each of the next one, which they
 * leave time for. */
struct ahead {
    const u8 *from; /* in the first block */
    u64 bytes;
};

static struct ahead what_ahead(const struct w_tile *t, u64 tile)
{
    const u64 first = (tile - 1) * LINES_AHEAD * LINE;

    if (tile == 0)
        return (struct ahead){(const u8 *)t->b + STREAM_AHEAD, PANEL_BLOCK_BYTES};
    if (!t->next || first >= PANEL_BLOCK_BYTES)
        return (struct ahead){0};
    return (struct ahead){(const u8 *)t->next + first, (u64)LINES_AHEAD * LINE};
}

W_INLINE void prefetch_block(struct ahead ahead, u64 block)
{
    for (u64 line = 0; line < ahead.bytes; line += LINE)
        __builtin_prefetch(ahead.from + block * PANEL_BLOCK_BYTES + line, 0, 3);
}

/* One block of some rows, of which the first is row `from` of the block. */
W_INLINE void multiply_block(const u32 rows, vec sum[VECTOR_ROWS][2], const struct rows_block *a,
                             u64 from, const u8 *panel)
{
    ivec dot[VECTOR_ROWS][2];

#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++)
        dot[i][0] = dot[i][1] = a->start[from + i] - (ivec){0};
#pragma GCC unroll 8
    for (u32 g = 0; g < BLOCK / 4; g++) {
        ivec w0, w1;
        memcpy(&w0, panel + (u64)g * TILE_COLS * 4, sizeof w0);
        memcpy(&w1, panel + (u64)g * TILE_COLS * 4 + sizeof w0, sizeof w1);
#pragma GCC unroll 8
        for (u32 i = 0; i < rows; i++) {
            i32 x;
            memcpy(&x, a->q[from + i] + 4 * g, sizeof x);
            dot[i][0] = v_dot_bytes(dot[i][0], w0, x);
            dot[i][1] = v_dot_bytes(dot[i][1], w1, x);
        }
    }
    const vec scale0 = v_load_bf16(scales_of(panel)),
              scale1 = v_load_bf16(scales_of(panel) + LANES);
#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++) {
        const vec scale = v_set(a->scale[from + i]);
        sum[i][0] = v_fma(__builtin_convertvector(dot[i][0], vec), scale0 * scale, sum[i][0]);
        sum[i][1] = v_fma(__builtin_convertvector(dot[i][1], vec), scale1 * scale, sum[i][1]);
    }
}

/* Some rows of c, all columns of the tile or some. */
W_INLINE void tile_rows(const u32 rows, const struct w_tile *t, u64 row)
{
    const u64 blocks = t->k / BLOCK;
    const struct rows_block *a = (const struct rows_block *)t->a + first_block(row, blocks);
    const u8 *panel = t->b;
    const struct ahead ahead = what_ahead(t, row / VECTOR_ROWS);
    const bool some = t->cols < TILE_COLS;
    float whole[TILE_COLS] = {0};
    vec sum[VECTOR_ROWS][2];

#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++) {
        const float *add = t->add ? t->add + (row + i) * t->add_row : NULL;
        if (add && some)
            add = memcpy(whole, add, t->cols * sizeof *add);
        sum[i][0] = add ? v_load(add) : v_set(0);
        sum[i][1] = add ? v_load(add + LANES) : v_set(0);
    }
    for (u64 block = 0; block < blocks; block++, a++, panel += PANEL_BLOCK_BYTES) {
        prefetch_block(ahead, block);
        multiply_block(rows, sum, a, row % TILE_ROWS, panel);
    }
#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++) {
        float *c = some ? whole : t->c + (row + i) * t->c_row;
        v_store(c, sum[i][0]);
        v_store(c + LANES, sum[i][1]);
        if (some)
            memcpy(t->c + (row + i) * t->c_row, whole, t->cols * sizeof *c);
    }
}

/* The rows from `row` on. */
static void run_vectors(const struct w_tile *t, u64 row)
{
    for (; row < t->rows; row += VECTOR_ROWS)
        switch (W_MIN(t->rows - row, VECTOR_ROWS)) {
        case 1: tile_rows(1, t, row); break;
        case 2: tile_rows(2, t, row); break;
#if VECTOR_ROWS > 2
        case 3: tile_rows(3, t, row); break;
        case 4: tile_rows(4, t, row); break;
        case 5: tile_rows(5, t, row); break;
        case 6: tile_rows(6, t, row); break;
#endif
        }
}

/* ---- the tile by the tile unit ---- */

#if defined Q8_TILE_UNIT
_Static_assert(TILE_COLS == 2 * UNIT_FLOATS && LANES == UNIT_FLOATS, "half a panel's columns");

/* Tiles: sums (16 rows, 16 columns), a block of 16 rows, of 16 columns, and as much of -128. */
#define DOTS 0
#define NUMBERS 1
#define COLUMNS 2
#define OFFSETS 3

/* (Body_amx.h says what this costs.) */
static void configure_unit(void)
{
    static const int8_t offsets[UNIT_BYTES] = {[0 ... UNIT_BYTES - 1] = -128};
    static const struct unit_config config = {
        .palette = 1,
        .rows = {[DOTS] = UNIT_ROWS, [NUMBERS] = UNIT_ROWS, BLOCK / 4, BLOCK / 4},
        .row_bytes = {[DOTS] = UNIT_BYTES, [NUMBERS] = BLOCK, UNIT_BYTES, UNIT_BYTES}};
    struct unit_config now;

    UNIT_CONFIGURATION(&now);
    if (memcmp(&now, &config, sizeof now) != 0)
        UNIT_CONFIGURE(&config);
    UNIT_LOAD(OFFSETS, offsets, 0);
}

/* Begin one block of 16 rows and columns. The unit could take bytes with signs, but not the
 * vectors, which have the same panels; its second product, for the start of the sums, is free. */
W_INLINE void multiply_unit(const struct rows_block *a, const u8 *columns)
{
    UNIT_LOAD(NUMBERS, a->q, BLOCK);
    UNIT_LOAD(COLUMNS, columns, TILE_COLS * 4);
    UNIT_CLEAR(DOTS);
    UNIT_MULTIPLY_SIGNED(DOTS, NUMBERS, OFFSETS);
    UNIT_MULTIPLY_UNSIGNED(DOTS, NUMBERS, COLUMNS);
}

/* Scale the sums of a block, and add them. */
W_INLINE void add_dots(vec sum[UNIT_ROWS], i32 dots[UNIT_ROWS][UNIT_FLOATS],
                       const struct rows_block *a, const u8 *panel, u32 col)
{
    const vec scale = v_load_bf16(scales_of(panel) + col);

#pragma GCC unroll 16
    for (u32 i = 0; i < UNIT_ROWS; i++) {
        ivec dot;
        memcpy(&dot, dots[i], sizeof dot);
        sum[i] = v_fma(__builtin_convertvector(dot, vec), scale * v_set(a->scale[i]), sum[i]);
    }
}

/* A tile of 16 rows, and of 16 columns from `col` on or fewer. While the unit multiplies a block,
 * vectors scale the sums of the one before. */
static void unit_tile(const struct w_tile *t, u64 row, u32 col)
{
    const u64 blocks = t->k / BLOCK, cols = W_MIN(t->cols - col, UNIT_FLOATS);
    const u64 add_row = t->add_row, c_row = t->c_row;
    const float *add = t->add ? t->add + row * add_row + col : NULL;
    const struct rows_block *a = (const struct rows_block *)t->a + first_block(row, blocks);
    const struct ahead ahead = what_ahead(t, row / UNIT_ROWS * 2 + col / UNIT_FLOATS);
    const u8 *panel = t->b;
    float *c = t->c + row * c_row + col, whole[UNIT_FLOATS] = {0};
    _Alignas(64) i32 dots[UNIT_ROWS][UNIT_FLOATS];
    vec sum[UNIT_ROWS];

#pragma GCC unroll 16
    for (u32 i = 0; i < UNIT_ROWS; i++) {
        const float *from = add ? add + i * add_row : whole;
        sum[i] =
            v_load(add && cols < UNIT_FLOATS ? memcpy(whole, from, cols * sizeof *from) : from);
    }
    multiply_unit(a, panel + (u64)4 * col);
    UNIT_STORE(DOTS, dots, UNIT_BYTES);
    for (u64 block = 1; block < blocks; block++, a++, panel += PANEL_BLOCK_BYTES) {
        prefetch_block(ahead, block);
        multiply_unit(a + 1, panel + PANEL_BLOCK_BYTES + (u64)4 * col);
        add_dots(sum, dots, a, panel, col);
        UNIT_STORE(DOTS, dots, UNIT_BYTES);
    }
    add_dots(sum, dots, a, panel, col);
#pragma GCC unroll 16
    for (u32 i = 0; i < UNIT_ROWS; i++) {
        v_store(cols < UNIT_FLOATS ? whole : c + i * c_row, sum[i]);
        if (cols < UNIT_FLOATS)
            memcpy(c + i * c_row, whole, cols * sizeof *c);
    }
}

/* Rows after the last whole tile are few enough for vectors. */
static void run(const struct w_tile *t)
{
    u64 row = 0;

    if (t->rows >= TILE_ROWS)
        configure_unit();
    for (; row + TILE_ROWS <= t->rows; row += TILE_ROWS)
        for (u32 col = 0; col < t->cols; col += UNIT_FLOATS)
            unit_tile(t, row, col);
    run_vectors(t, row);
}
#else
static void run(const struct w_tile *t)
{
    run_vectors(t, 0);
}
#endif

const struct w_q8_kern Q8_VARIANT = {
    .name = Q8_NAME,
#if defined Q8_ISA
    .isa = Q8_ISA,
#endif
    .ukernel = {.tile_rows = TILE_ROWS,
                .tile_cols = TILE_COLS,
                .k_unroll = BLOCK,
                .row_bytes = 2, /* 1.25, rounded up */
                .whole_k = WHOLE_K,
                .run = run,
                .pack_panel = pack_panel,
                .pack_rows = pack_rows},
    .unpack_panel = unpack_panel,
};
