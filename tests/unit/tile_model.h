/* tile_model.h - a model of the tile unit, after the pseudo code of Intel's manual (TDPBF16PS,
 * TDPBSSD, TDPBSUD, LDTILECFG, TILELOADD, TILESTORED), for the macros of kern/tile_unit.h. Where
 * the CPU would fault, the test fails. Include it before kern_body.h or body_q8.h: it takes the
 * place of their instructions.
 *
 * Products of even and of odd numbers have a sum each, by multiply-adds with one rounding to the
 * nearest, from zero on; then the two sums are added, and the result to the earlier sum. Denormal
 * numbers count as zero, in operands and results. */
#ifndef W_TILE_MODEL_H
#define W_TILE_MODEL_H

#define UNIT_MODEL
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/bf16.h"
#include "kern/tile_unit.h"

struct unit {
    struct unit_config config;
    u8 tiles[8][UNIT_ROWS][UNIT_BYTES];
};
static _Thread_local struct unit unit;    /* since every core has its own */
static u32 unit_sleeps_kept = UINT32_MAX; /* after so many, tiles are lost */

static inline void unit_fault(const char *what)
{
    fprintf(stderr, "the tile unit would fault: %s\n", what);
    abort();
}

static inline void unit_configure(const struct unit_config *config)
{
    if (config->palette != 1)
        unit_fault("there is one palette, 1");
    for (u32 i = 0; i < 16; i++) {
        if (i < 14 && config->reserved[i])
            unit_fault("a reserved byte of the configuration is not zero");
        if (config->rows[i] > UNIT_ROWS || config->row_bytes[i] > UNIT_BYTES)
            unit_fault("a tile is too large");
        if (!config->rows[i] != !config->row_bytes[i])
            unit_fault("a tile has rows without bytes, or bytes without rows");
        if (i >= 8 && config->rows[i])
            unit_fault("there are eight tiles");
    }
    memset(&unit, 0, sizeof unit); /* also the sums */
    unit.config = *config;
}

static inline void unit_configuration(struct unit_config *config)
{
    *config = unit.config;
}

static inline void unit_use(u32 tile)
{
    if (unit.config.palette != 1 || !unit.config.rows[tile])
        unit_fault("a tile is used that is not configured");
}

static inline void unit_clear(u32 tile)
{
    unit_use(tile);
    memset(unit.tiles[tile], 0, sizeof unit.tiles[tile]);
}

static inline void unit_load(u32 tile, const void *from, u64 stride)
{
    unit_clear(tile);
    for (u32 row = 0; row < unit.config.rows[tile]; row++)
        memcpy(unit.tiles[tile][row], (const u8 *)from + row * stride, unit.config.row_bytes[tile]);
}

static inline void unit_store(u32 tile, void *to, u64 stride)
{
    unit_use(tile);
    for (u32 row = 0; row < unit.config.rows[tile]; row++)
        memcpy((u8 *)to + row * stride, unit.tiles[tile][row], unit.config.row_bytes[tile]);
}

static inline float unit_flush(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

static inline float unit_pair_element(const u8 *words, u32 index)
{
    w_bf16 x;
    memcpy(&x, words + index * sizeof x, sizeof x);
    return unit_flush(w_bf16_to_float(x));
}

/* Element (m, n) of the sums, after products of bf16. */
static inline float unit_element(u32 m, u32 n, u32 sums, u32 a, u32 b)
{
    float sum, odd_even[2] = {0, 0};

    for (u32 k = 0; k < unit.config.row_bytes[a] / 4; k++)
        for (u32 half = 0; half < 2; half++)
            odd_even[half] =
                unit_flush(fmaf(unit_pair_element(unit.tiles[a][m], 2 * k + half),
                                unit_pair_element(unit.tiles[b][k], 2 * n + half), odd_even[half]));
    memcpy(&sum, unit.tiles[sums][m] + 4 * n, sizeof sum);
    return unit_flush(unit_flush(sum) + unit_flush(odd_even[0] + odd_even[1]));
}

/* The same after products of bytes, which are exact. */
static inline i32 unit_whole_element(u32 m, u32 n, u32 sums, u32 a, u32 b, bool b_signed)
{
    i32 sum;

    memcpy(&sum, unit.tiles[sums][m] + 4 * n, sizeof sum);
    for (u32 k = 0; k < unit.config.row_bytes[a]; k++) {
        const u8 factor = unit.tiles[b][k / 4][4 * n + k % 4];
        sum += (int8_t)unit.tiles[a][m][k] * (b_signed ? (int8_t)factor : factor);
    }
    return sum;
}

enum unit_operands { UNIT_PAIRS, UNIT_SIGNED, UNIT_UNSIGNED };

static inline void unit_multiply(u32 sums, u32 a, u32 b, enum unit_operands operands)
{
    const struct unit_config *c = &unit.config;

    unit_use(sums), unit_use(a), unit_use(b);
    if (sums == a || sums == b || a == b)
        unit_fault("operands are the same tile");
    if (c->rows[sums] != c->rows[a] || c->row_bytes[sums] != c->row_bytes[b] ||
        c->row_bytes[a] / 4 != c->rows[b])
        unit_fault("shapes do not match");
    if (c->row_bytes[a] % 4 || c->row_bytes[b] % 4)
        unit_fault("half a pair");
    for (u32 m = 0; m < c->rows[sums]; m++)
        for (u32 n = 0; n < c->row_bytes[sums] / 4u; n++) {
            u8 *at = unit.tiles[sums][m] + 4 * n;
            if (operands == UNIT_PAIRS) {
                const float x = unit_element(m, n, sums, a, b);
                memcpy(at, &x, sizeof x);
            } else {
                const i32 x = unit_whole_element(m, n, sums, a, b, operands == UNIT_SIGNED);
                memcpy(at, &x, sizeof x);
            }
        }
}

static inline void unit_sleep(void)
{
    if (unit_sleeps_kept-- == 0)
        memset(unit.tiles, 0, sizeof unit.tiles);
}

#define UNIT_CONFIGURE(config) unit_configure(config)
#define UNIT_CONFIGURATION(config) unit_configuration(config)
#define UNIT_CLEAR(tile) unit_clear(tile)
#define UNIT_LOAD(tile, from, stride) unit_load(tile, from, stride)
#define UNIT_STORE(tile, to, stride) unit_store(tile, to, stride)
#define UNIT_MULTIPLY(sums, a, b) unit_multiply(sums, a, b, UNIT_PAIRS)
#define UNIT_MULTIPLY_SIGNED(sums, a, b) unit_multiply(sums, a, b, UNIT_SIGNED)
#define UNIT_MULTIPLY_UNSIGNED(sums, a, b) unit_multiply(sums, a, b, UNIT_UNSIGNED)
#define UNIT_SLEEP() unit_sleep()

#endif
