/* tile_unit.h - the instructions of AMX, each as one macro, for body_amx.h and body_q8.h. A test
 * defines the same macros as a model of the unit (tests/unit/tile_model.h), so that the code runs
 * on any machine.
 *
 * The unit has eight tiles of up to 16 rows of 64 bytes; a configuration says how many rows and
 * bytes of each are used, and all instructions, loads and stores too, keep to that. Compilers do
 * not know which memory loads use: packing must be in functions that are called through a pointer.
 * Stores, and the macros for the configuration, are barriers. */
#ifndef W_TILE_UNIT_H
#define W_TILE_UNIT_H

#include "base/base.h"

#define UNIT_ROWS 16   /* of a tile */
#define UNIT_BYTES 64  /* of a row */
#define UNIT_FLOATS 16 /* of a row of sums, and pairs of a row of operands */

/* What LDTILECFG reads. A tile that is not used has neither rows nor bytes. */
struct unit_config {
    u8 palette; /* 1 */
    u8 start_row;
    u8 reserved[14];
    u16 row_bytes[16];
    u8 rows[16];
};
_Static_assert(sizeof(struct unit_config) == 64, "the size that the instruction reads");

#if !defined UNIT_MODEL
#include <immintrin.h>

#include "sys/clock.h"

#define UNIT_CONFIGURE(config)                                                                     \
    __asm__ volatile("ldtilecfg %0" : : "m"(*(const struct unit_config *)(config)) : "memory")
/* *config = the configuration in force; all zero if there is none */
#define UNIT_CONFIGURATION(config)                                                                 \
    __asm__ volatile("sttilecfg %0" : "=m"(*(struct unit_config *)(config)) : : "memory")
#define UNIT_CLEAR(tile) _tile_zero(tile)
#define UNIT_LOAD(tile, from, stride_bytes) _tile_loadd(tile, from, (long)(stride_bytes))
#define UNIT_STORE(tile, to, stride_bytes) _tile_stored(tile, to, (long)(stride_bytes))
/* sums += a b, pairs of bf16 */
#define UNIT_MULTIPLY(sums, a, b) _tile_dpbf16ps(sums, a, b)
/* The same in integers, groups of four bytes: those of a have signs, those of b may have. */
#define UNIT_MULTIPLY_SIGNED(sums, a, b) _tile_dpbssd(sums, a, b)
#define UNIT_MULTIPLY_UNSIGNED(sums, a, b) _tile_dpbsud(sums, a, b)
/* Let the system switch to other threads. */
#define UNIT_SLEEP() w_sleep_s(0.001)
#endif

#endif
