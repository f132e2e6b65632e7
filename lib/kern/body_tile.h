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

static void pack_panel(float *panel, const float *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    if (b_col == 1 && cols == TILE_COLS) {
        for (u64 p = 0; p < k; p++) {
            v_store(panel + p * TILE_COLS, v_load(b + p * b_row));
            v_store(panel + p * TILE_COLS + LANES, v_load(b + p * b_row + LANES));
        }
        return;
    }
    for (u64 p = 0; p < k; p++)
        for (u32 j = 0; j < TILE_COLS; j++)
            panel[p * TILE_COLS + j] = j < cols ? b[p * b_row + j * b_col] : 0;
}

static void pack_rows(float *packed, const float *a, u64 a_row, u64 a_col, u64 k, u32 rows)
{
    if (a_row == 1 && rows == TILE_ROWS) {
        for (u64 p = 0; p < k; p++)
            memcpy(packed + p * TILE_ROWS, a + p * a_col, TILE_ROWS * sizeof(float));
        return;
    }
    for (u64 p = 0; p < k; p++)
        for (u32 i = 0; i < TILE_ROWS; i++)
            packed[p * TILE_ROWS + i] = i < rows ? a[i * a_row + p * a_col] : 0;
}
