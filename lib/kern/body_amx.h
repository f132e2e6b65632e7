/* body_amx.h - the micro-kernel for bf16 operands by AMX. Part of kern_body.h, in place of that of
 * body_tile.h, for a file that has set BF16_TILE_UNIT and a BF16_STEP of 32.
 *
 * The unit multiplies a tile of a, 16 rows of 32 numbers, by one of b, 32 rows of 16 columns, and
 * adds to a tile of 16 x 16 sums, in 16 cycles. Two tiles of a and two of b give four products for
 * four loads, and loads are as fast as that; with the four tiles of sums these are all eight tiles.
 *
 *      tiles of sums    b 6    b 7         b: a panel as the other variants have it, pairs of 32
 *      a 4              0      1              columns to a row of 128 bytes: the two tiles are its
 *      a 5              2      3              left and right half
 *                                          a: for each step of k, 32 rows of 64 bytes
 *
 * A "step" is 32 numbers of k. At the edges of c, the configuration gives the number of rows and
 * columns, and no more of c is read or written. At the end of k it cannot, since a new
 * configuration clears the sums and no tile is left to hold a shorter a: operands are padded with
 * zeros to whole steps, which costs nothing, as the unit takes as long for part of a step. */
#include "kern/tile_unit.h"

#define BF16_ROWS (2 * UNIT_ROWS)
#define BF16_FEW_ROWS 0
#define A_STEP_BYTES ((u64)BF16_ROWS * UNIT_BYTES)
#define B_ROW_BYTES ((u64)TILE_COLS * 4) /* a row of pairs */
#define B_STEP_BYTES (BF16_STEP / 2 * B_ROW_BYTES)
_Static_assert(TILE_COLS == 2 * UNIT_FLOATS && BF16_STEP * 2 == UNIT_BYTES, "two tiles of b");
_Static_assert(BF16_ROWS == BF16_STEP && BF16_ROWS == 2 * LANES, "a step is a square of vectors");

/* ---- rows of a ---- */

/* Rows of a that are contiguous across (a is the transpose of a matrix in memory): a step of a tile
 * is a square of 32 x 32 numbers, which has to be transposed. Whole cache lines are loaded, each
 * once: where numbers of k are a multiple of 4 KiB apart, their lines compete for the same set of
 * L1.
 *
 * 32 vectors, one for each number of k, hold 32 rows each, in four lanes of 16 bytes. The square is
 * transposed as a 4 x 4 square of blocks of 8 x 8 numbers: first every block in itself
 * (exchange_numbers), then the blocks among each other (exchange_lanes).
 *
 *            lane: 0   1   2   3              0   1   2   3              0   1   2   3
 *    k  0..7       A   B   C   D              A'  B'  C'  D'   rows 0..7 A'  E'  I'  M'
 *    k  8..15      E   F   G   H   numbers    E'  F'  G'  H'   lanes     B'  F'  J'  N'
 *    k 16..23      I   J   K   L   ------->   I'  J'  K'  L'   ------->  C'  G'  K'  O'
 *    k 24..31      M   N   O   P              M'  N'  O'  P'             D'  H'  L'  P' */
typedef u16 halves_vec __attribute__((vector_size(4 * LANES)));
typedef u64 longs_vec __attribute__((vector_size(4 * LANES)));

W_INLINE halves_vec load_halves(const w_bf16 *p)
{
    halves_vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Numbers of x and y by turns: four from number i of each lane of 16 bytes on; or two lanes from
 * lane l on. */
#define IN_TURNS(i) (i), (i) + 32, (i) + 1, (i) + 33, (i) + 2, (i) + 34, (i) + 3, (i) + 35
#define NUMBERS_IN_TURNS(x, y, i)                                                                  \
    __builtin_shufflevector(x, y, IN_TURNS(i), IN_TURNS((i) + 8), IN_TURNS((i) + 16),              \
                            IN_TURNS((i) + 24))
#define LANES_IN_TURNS(x, y, l)                                                                    \
    __builtin_shufflevector(x, y, 2 * (l), 2 * (l) + 1, 2 * (l) + 8, 2 * (l) + 9, 2 * (l) + 2,     \
                            2 * (l) + 3, 2 * (l) + 10, 2 * (l) + 11)

/* An 8 x 8 transposition in every lane, in 3 rounds. A round interleaves vectors i and i + 4: the
 * top bit of the vector index becomes the lowest bit of the position in the lane, and the top bit
 * of the position the lowest bit of the vector index. After three rounds vector i has, in each
 * lane, number i of vectors 0 to 7. */
W_INLINE void exchange_numbers(halves_vec v[8])
{
#pragma GCC unroll 3
    for (u32 round = 0; round < 3; round++) {
        halves_vec next[8];
#pragma GCC unroll 4
        for (u32 i = 0; i < 4; i++) {
            next[2 * i] = NUMBERS_IN_TURNS(v[i], v[i + 4], 0);
            next[2 * i + 1] = NUMBERS_IN_TURNS(v[i], v[i + 4], 4);
        }
#pragma GCC unroll 8
        for (u32 i = 0; i < 8; i++)
            v[i] = next[i];
    }
}

/* The same with whole lanes, in 2 rounds: then vector l has lane l of vectors 0 to 3. */
W_INLINE void exchange_lanes(longs_vec v[4])
{
#pragma GCC unroll 2
    for (u32 round = 0; round < 2; round++) {
        longs_vec x0 = LANES_IN_TURNS(v[0], v[2], 0), x1 = LANES_IN_TURNS(v[0], v[2], 2);
        longs_vec y0 = LANES_IN_TURNS(v[1], v[3], 0), y1 = LANES_IN_TURNS(v[1], v[3], 2);
        v[0] = x0, v[1] = x1, v[2] = y0, v[3] = y1;
    }
}

static void pack_across_step(u32 *out, const w_bf16 *from, u64 stride)
{
    halves_vec v[4][8];

#pragma GCC unroll 4
    for (u32 g = 0; g < 4; g++) {
#pragma GCC unroll 8
        for (u32 i = 0; i < 8; i++)
            v[g][i] = load_halves(from + (8 * g + i) * stride);
        exchange_numbers(v[g]); /* v[g][i], lane l: numbers 8 g to 8 g + 7 of row 8 l + i */
    }
#pragma GCC unroll 8
    for (u32 i = 0; i < 8; i++) {
        longs_vec rows[4] = {(longs_vec)v[0][i], (longs_vec)v[1][i], (longs_vec)v[2][i],
                             (longs_vec)v[3][i]};
        exchange_lanes(rows);
#pragma GCC unroll 4
        for (u32 l = 0; l < 4; l++)
            memcpy(out + (8 * l + i) * UNIT_FLOATS, &rows[l], sizeof rows[l]);
    }
}

/* Row i of one step, padded with zeros. */
static void pack_row_step(u32 *out, const struct lines *s, u64 i, u64 p)
{
    for (u64 q = 0; q < UNIT_FLOATS; q++)
        out[q] = i < s->count ? load_word(PACK_PAIRS, s, i, p / 2 + q) : 0;
}

/* The packed step of k that begins at p, of a tile that begins at row `tile`. */
W_INLINE u32 *packed_step(void *packed, u64 k, u64 tile, u64 p)
{
    return (u32 *)packed + (tile * w_round_up(k, BF16_STEP) + p * BF16_ROWS) / 2;
}

/* Rows that are contiguous along k. */
#define ROWS_AHEAD 8 /* rows to prefetch: as many as hide the latency of memory */

static void pack_rows_along(void *packed, const struct lines *s)
{
    const u64 full = s->k / BF16_STEP * BF16_STEP;

    for (u64 i = 0; i < s->count; i++) {
        const u64 r = i % BF16_ROWS;
        const w_bf16 *from = (const w_bf16 *)s->base + i * s->line;
        u32 *out = packed_step(packed, s->k, i - r, 0) + r * UNIT_FLOATS;
        u64 p = 0;
        for (; p < full; p += BF16_STEP, out += A_STEP_BYTES / sizeof *out) {
            const halves_vec numbers = load_halves(from + p);
            __builtin_prefetch(from + ROWS_AHEAD * s->line + p, 0, 3);
            memcpy(out, &numbers, sizeof numbers);
        }
        for (; p < s->k; p += BF16_STEP, out += A_STEP_BYTES / sizeof *out)
            pack_row_step(out, s, i, p);
    }
    const u64 rest = s->count % BF16_ROWS, tile = s->count - rest;
    for (u64 p = 0; rest && p < s->k; p += BF16_STEP)
        memset(packed_step(packed, s->k, tile, p) + rest * UNIT_FLOATS, 0,
               (BF16_ROWS - rest) * UNIT_BYTES);
}

/* Step after step, each for all tiles, so that neighbouring lines are read together. The next step
 * may be too far away for the hardware prefetcher: it is prefetched here. */
static void pack_rows_across(void *packed, const struct lines *s)
{
    for (u64 p = 0; p < s->k; p += BF16_STEP)
        for (u64 tile = 0; tile < s->count; tile += BF16_ROWS) {
            u32 *out = packed_step(packed, s->k, tile, p);
            for (u64 q = p + BF16_STEP; q < W_MIN(p + 2 * BF16_STEP, s->k); q++)
                __builtin_prefetch(half_at(s, tile, q), 0, 3);
            if (p + BF16_STEP <= s->k && tile + BF16_ROWS <= s->count)
                pack_across_step(out, half_at(s, tile, p), s->step);
            else
                for (u64 r = 0; r < BF16_ROWS; r++)
                    pack_row_step(out + r * UNIT_FLOATS, s, tile + r, p);
        }
}

static void pack_rows_bf16(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    const struct lines s = {a, a_row, a_col, k, rows};

    if (a_row == 1)
        pack_rows_across(packed, &s);
    else
        pack_rows_along(packed, &s);
}

/* ---- the tile ---- */

static void configure_tile(struct unit_config *config, u32 tile, u64 rows, u64 bytes)
{
    config->rows[tile] = (u8)(bytes ? rows : 0);
    config->row_bytes[tile] = (u16)(rows ? bytes : 0);
}

/* Configure for up to 32 rows and columns of c. Loading a configuration takes some 200 cycles
 * (Intel's optimization manual, chapter 20) and waits for all multiplications before it; reading
 * the current one takes 20 cycles. Reading it, instead of remembering it, also notices what another
 * library has set. */
static void configure(u64 rows, u64 cols)
{
    const u64 upper = W_MIN(rows, UNIT_ROWS), lower = rows - upper;
    const u64 left = W_MIN(cols, UNIT_FLOATS) * 4, right = cols * 4 - left;
    struct unit_config config = {.palette = 1}, now;

    configure_tile(&config, 0, upper, left);
    configure_tile(&config, 1, upper, right);
    configure_tile(&config, 2, lower, left);
    configure_tile(&config, 3, lower, right);
    configure_tile(&config, 4, upper, UNIT_BYTES);
    configure_tile(&config, 5, lower, UNIT_BYTES);
    configure_tile(&config, 6, UNIT_ROWS, left);
    configure_tile(&config, 7, UNIT_ROWS, right);
    UNIT_CONFIGURATION(&now);
    if (memcmp(&now, &config, sizeof now) != 0)
        UNIT_CONFIGURE(&config);
}

W_INLINE void begin_sums(const bool lower, const bool right, const float *add, u64 add_row)
{
    if (!add) {
        UNIT_CLEAR(0);
        if (right)
            UNIT_CLEAR(1);
        if (lower)
            UNIT_CLEAR(2);
        if (lower && right)
            UNIT_CLEAR(3);
        return;
    }
    const u64 stride = add_row * sizeof *add; /* 0: the same row for all rows */
    UNIT_LOAD(0, add, stride);
    if (right)
        UNIT_LOAD(1, add + UNIT_FLOATS, stride);
    if (lower)
        UNIT_LOAD(2, add + UNIT_ROWS * add_row, stride);
    if (lower && right)
        UNIT_LOAD(3, add + UNIT_ROWS * add_row + UNIT_FLOATS, stride);
}

W_INLINE void end_sums(const bool lower, const bool right, float *c, u64 c_row)
{
    const u64 stride = c_row * sizeof *c;

    UNIT_STORE(0, c, stride);
    if (right)
        UNIT_STORE(1, c + UNIT_FLOATS, stride);
    if (lower)
        UNIT_STORE(2, c + UNIT_ROWS * c_row, stride);
    if (lower && right)
        UNIT_STORE(3, c + UNIT_ROWS * c_row + UNIT_FLOATS, stride);
}

/* Rows of a tile of a: the first of the upper and of the lower half, and how they lie in memory. */
struct unit_rows {
    const u8 *upper, *lower;
    u64 row_bytes, step_bytes;
};

static struct unit_rows rows_at(const struct w_tile *t, u64 row)
{
    const u64 steps = t->k / BF16_STEP, tile = row / BF16_ROWS;
    struct unit_rows rows = {.row_bytes = UNIT_BYTES, .step_bytes = A_STEP_BYTES};

    if (t->a_row) {
        rows.row_bytes = t->a_row * sizeof(w_bf16);
        rows.step_bytes = UNIT_BYTES;
    }
    rows.upper = (const u8 *)t->a + (t->a_row ? row * rows.row_bytes : tile * steps * A_STEP_BYTES);
    rows.lower = rows.upper + UNIT_ROWS * rows.row_bytes;
    return rows;
}

/* One tile of c. Between steps, while the unit is at work, the CPU does what meanwhile() does. The
 * next panel is not prefetched: that gains nothing here, and costs the loads of tiles 3 %. */
W_INLINE void multiply_tile(const bool lower, const bool right, const struct w_tile *t,
                            struct unit_rows a, const u8 *b)
{
    for (u64 steps = t->k / BF16_STEP; steps > 0; steps--) {
        UNIT_LOAD(4, a.upper, a.row_bytes);
        UNIT_LOAD(6, b, B_ROW_BYTES);
        if (lower)
            UNIT_LOAD(5, a.lower, a.row_bytes);
        if (right)
            UNIT_LOAD(7, b + UNIT_BYTES, B_ROW_BYTES);
        UNIT_MULTIPLY(0, 4, 6);
        if (lower)
            UNIT_MULTIPLY(2, 5, 6);
        if (right)
            UNIT_MULTIPLY(1, 4, 7);
        if (lower && right)
            UNIT_MULTIPLY(3, 5, 7);
        a.upper += a.step_bytes;
        a.lower += a.step_bytes;
        b += B_STEP_BYTES;
        if (t->meanwhile)
            t->meanwhile(t->context);
    }
}

/* The tile of c from (row, col) on, with a lower and a right half or without. */
W_INLINE void unit_tile(const bool lower, const bool right, const struct w_tile *t, u64 row,
                        u64 col)
{
    begin_sums(lower, right, t->add ? t->add + row * t->add_row + col : NULL, t->add_row);
    multiply_tile(lower, right, t, rows_at(t, row),
                  (const u8 *)t->b + col / TILE_COLS * t->b_panel);
    end_sums(lower, right, t->c + row * t->c_row + col, t->c_row);
}

static void tile_bf16(const struct w_tile *t)
{
    u64 set_rows = 0, set_cols = 0; /* what is configured */

    for (u64 row = 0; row < t->rows; row += BF16_ROWS)
        for (u64 col = 0; col < t->cols; col += TILE_COLS) {
            const u64 rows = W_MIN(t->rows - row, BF16_ROWS),
                      cols = W_MIN(t->cols - col, TILE_COLS);
            const bool lower = rows > UNIT_ROWS, right = cols > UNIT_FLOATS;
            if (rows != set_rows || cols != set_cols)
                configure(rows, cols);
            set_rows = rows, set_cols = cols;
            if (lower && right)
                unit_tile(true, true, t, row, col);
            else if (lower)
                unit_tile(true, false, t, row, col);
            else if (right)
                unit_tile(false, true, t, row, col);
            else
                unit_tile(false, false, t, row, col);
        }
}

/* ---- does the system save tiles? ---- */

/* Do tiles keep their contents while the thread sleeps? On some virtual machines they do not, and
 * on CPUs with Intel's erratum SPR4 they can be saved as zeros: results would be wrong now and
 * then. */
static bool keeps_tiles(void)
{
    enum { SLEEPS = 4 };
    u8 before[UNIT_ROWS * UNIT_BYTES], after[UNIT_ROWS * UNIT_BYTES];
    bool kept = true;

    for (u32 i = 0; i < sizeof before; i++)
        before[i] = (u8)(i % 251 + 1);
    configure(BF16_ROWS, TILE_COLS);
    UNIT_LOAD(0, before, UNIT_BYTES);
    for (u32 i = 0; i < SLEEPS && kept; i++) {
        UNIT_SLEEP();
        memset(after, 0, sizeof after);
        UNIT_STORE(0, after, UNIT_BYTES);
        kept = memcmp(before, after, sizeof before) == 0;
    }
    return kept;
}
