/* body_tile.h - the tile of a matrix product and its packing, in vectors. Part of kern_body.h.
 *
 * The tile lives in registers: TILE_ROWS x 2 vectors of sums, two vectors of b, one broadcast of a.
 * With 16 registers that is 6 rows, with 32 it is 12. Per step of k it costs 2 loads of b, TILE_ROWS
 * broadcasts from a and 2 TILE_ROWS multiply-adds, so that the multiply-adds are the bottleneck. */

#define TILE_COLS (2 * LANES)
#if LANES == 16
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif

/* Rows are addressed in groups of three from one pointer: x86 adds 0, 1 or 2 strides for free. */
W_INLINE void tile_rows(const struct w_tile *t, const u32 rows, const float *add, u64 add_row,
                        float *c, u64 c_row)
{
    vec sum[TILE_ROWS][2];
    const float *a[(TILE_ROWS + 2) / 3];
    const float *b = t->b;
    const u64 a_row = t->a_row, a_col = t->a_col;

#pragma GCC unroll 16
    for (u32 i = 0; i < rows; i++) {
        sum[i][0] = add ? v_load(add + i * add_row) : v_set(0);
        sum[i][1] = add ? v_load(add + i * add_row + LANES) : v_set(0);
    }
#pragma GCC unroll 16
    for (u32 g = 0; g < (rows + 2) / 3; g++)
        a[g] = t->a + 3 * g * a_row;
#pragma GCC unroll 4
    for (u64 k = t->k; k > 0; k--) {
        vec b0 = v_load(b), b1 = v_load(b + LANES);
#pragma GCC unroll 16
        for (u32 i = 0; i < rows; i++) {
            vec x = v_set(a[i / 3][i % 3 * a_row]);
            sum[i][0] = v_fma(x, b0, sum[i][0]);
            sum[i][1] = v_fma(x, b1, sum[i][1]);
        }
#pragma GCC unroll 16
        for (u32 g = 0; g < (rows + 2) / 3; g++)
            a[g] += a_col;
        b += TILE_COLS;
    }
#pragma GCC unroll 16
    for (u32 i = 0; i < rows; i++) {
        v_store(c + i * c_row, sum[i][0]);
        v_store(c + i * c_row + LANES, sum[i][1]);
    }
}

static void tile_whole_cols(const struct w_tile *t, const float *add, u64 add_row, float *c,
                            u64 c_row)
{
    switch (t->rows) {
    case 1: tile_rows(t, 1, add, add_row, c, c_row); break;
    case 2: tile_rows(t, 2, add, add_row, c, c_row); break;
    case 3: tile_rows(t, 3, add, add_row, c, c_row); break;
    case 4: tile_rows(t, 4, add, add_row, c, c_row); break;
    case 5: tile_rows(t, 5, add, add_row, c, c_row); break;
    case 6: tile_rows(t, 6, add, add_row, c, c_row); break;
#if TILE_ROWS > 6
    case 7: tile_rows(t, 7, add, add_row, c, c_row); break;
    case 8: tile_rows(t, 8, add, add_row, c, c_row); break;
    case 9: tile_rows(t, 9, add, add_row, c, c_row); break;
    case 10: tile_rows(t, 10, add, add_row, c, c_row); break;
    case 11: tile_rows(t, 11, add, add_row, c, c_row); break;
    case 12: tile_rows(t, 12, add, add_row, c, c_row); break;
#endif
    }
}

static void tile(const struct w_tile *t)
{
    if (t->cols == TILE_COLS) {
        tile_whole_cols(t, t->add, t->add_row, t->c, t->c_row);
        return;
    }
    /* The last columns of a matrix: through a whole tile on the stack. */
    float whole[TILE_ROWS * TILE_COLS] = {0};
    for (u32 i = 0; t->add && i < t->rows; i++)
        memcpy(whole + i * TILE_COLS, t->add + i * t->add_row, t->cols * sizeof(float));
    tile_whole_cols(t, whole, TILE_COLS, whole, TILE_COLS);
    for (u32 i = 0; i < t->rows; i++)
        memcpy(t->c + i * t->c_row, whole + i * TILE_COLS, t->cols * sizeof(float));
}

/* Packing: rows or columns that lie side by side in k are interleaved by transposing 4 x 4 floats at a
 * time; those that are contiguous across are copied. */
typedef float quad __attribute__((vector_size(16)));
typedef i32 iquad __attribute__((vector_size(16)));

W_INLINE quad load_quad(const float *p)
{
    quad q;
    memcpy(&q, p, sizeof q);
    return q;
}

/* packed[p * width + i] = lines[i * line + p] for p in [0, 4), i in [0, width). Where width is no
 * multiple of 4, the last store of each p runs over into the next p's place, which is written after
 * it: the packed block needs room for 4 floats more. */
W_INLINE void transpose_four(float *packed, const u32 width, const float *lines, u64 line)
{
    quad out[4][(TILE_COLS + 3) / 4];

#pragma GCC unroll 8
    for (u32 i = 0; i < width; i += 4) {
        quad a = load_quad(lines + i * line), b = load_quad(lines + (i + 1) * line);
        quad c = i + 2 < width ? load_quad(lines + (i + 2) * line) : a;
        quad d = i + 3 < width ? load_quad(lines + (i + 3) * line) : b;
        quad ab_low = __builtin_shuffle(a, b, (iquad){0, 4, 1, 5});
        quad ab_high = __builtin_shuffle(a, b, (iquad){2, 6, 3, 7});
        quad cd_low = __builtin_shuffle(c, d, (iquad){0, 4, 1, 5});
        quad cd_high = __builtin_shuffle(c, d, (iquad){2, 6, 3, 7});
        out[0][i / 4] = __builtin_shuffle(ab_low, cd_low, (iquad){0, 1, 4, 5});
        out[1][i / 4] = __builtin_shuffle(ab_low, cd_low, (iquad){2, 3, 6, 7});
        out[2][i / 4] = __builtin_shuffle(ab_high, cd_high, (iquad){0, 1, 4, 5});
        out[3][i / 4] = __builtin_shuffle(ab_high, cd_high, (iquad){2, 3, 6, 7});
    }
#pragma GCC unroll 4
    for (u32 p = 0; p < 4; p++)
#pragma GCC unroll 8
        for (u32 i = 0; i < width; i += 4)
            memcpy(packed + p * width + i, &out[p][i / 4], sizeof(quad));
}

static void pack_panel(float *panel, const float *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    u64 p = 0;

    if (cols == TILE_COLS && b_col == 1)
        for (; p < k; p++) {
            for (u64 j = 0; j < TILE_COLS; j += 16) /* rows are far from each other, as below */
                __builtin_prefetch(b + (p + 8) * b_row + j, 0, 3);
            memcpy(panel + p * TILE_COLS, b + p * b_row, TILE_COLS * sizeof(float));
        }
    else if (cols == TILE_COLS)
        for (; p + 4 <= k; p += 4)
            transpose_four(panel + p * TILE_COLS, TILE_COLS, b + p, b_col);
    for (; p < k; p++)
        for (u32 j = 0; j < TILE_COLS; j++)
            panel[p * TILE_COLS + j] = j < cols ? b[p * b_row + j * b_col] : 0;
}

/* One tile of a that is not whole, or whose last steps of k are left. */
static void pack_rest(float *packed, const float *a, u64 a_row, u64 a_col, u64 p, u64 k, u64 rows)
{
    for (; p < k; p++)
        for (u64 i = 0; i < TILE_ROWS; i++)
            packed[p * TILE_ROWS + i] = i < rows ? a[i * a_row + p * a_col] : 0;
}

static void pack_rows(float *packed, const float *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    const u64 whole = rows / TILE_ROWS * TILE_ROWS;

    if (a_row == 1) {
        /* Step by step of k over all tiles: the source is read in runs as long as the block, which may
         * be far from each other, so that the hardware does not see the next one coming. */
        for (u64 p = 0; p < k; p++) {
            const float *run = a + p * a_col;
            for (u64 i = 0; i < whole; i += 16)
                __builtin_prefetch(run + 4 * a_col + i, 0, 3);
            for (u64 i = 0; i < whole; i += TILE_ROWS)
                memcpy(packed + i * k + p * TILE_ROWS, run + i, TILE_ROWS * sizeof(float));
        }
    } else {
        for (u64 i = 0; i < whole; i += TILE_ROWS) {
            u64 p = 0;
            for (; p + 4 <= k; p += 4) {
                for (u64 r = 0; p % 16 == 0 && r < TILE_ROWS; r++) /* the next tile's rows */
                    __builtin_prefetch(a + (i + TILE_ROWS + r) * a_row + p, 0, 3);
                transpose_four(packed + i * k + p * TILE_ROWS, TILE_ROWS, a + i * a_row + p, a_row);
            }
            pack_rest(packed + i * k, a + i * a_row, a_row, a_col, p, k, TILE_ROWS);
        }
    }
    if (whole < rows)
        pack_rest(packed + whole * k, a + whole * a_row, a_row, a_col, 0, k, rows - whole);
}
