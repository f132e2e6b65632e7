/* The code of the AMX kernels with a model of the tile unit in place of its instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tile_model.h"
#include "unit_checks.h"

#define LANES 16
#define BF16_TILE_UNIT
#define BF16_STEP 32
#define W_FOR_BF16
#define W_VARIANT kern_model
#define W_VARIANT_NAME "amx"
#include "kern/kern_body.h"

static void set_pair(u8 *words, u32 index, float first, float second)
{
    const w_bf16 pair[2] = {w_bf16_of(first), w_bf16_of(second)};
    memcpy(words + 4 * index, pair, sizeof pair);
}

/* The model itself, on sums whose result depends on the order and on the roundings. */
static void the_model_adds_up_as_the_manual_says(void **state)
{
    (void)state;
    struct unit_config config = {.palette = 1};
    u8 a[UNIT_BYTES] = {0}, b[UNIT_ROWS][UNIT_BYTES] = {{0}};
    float c[2] = {1, 0};

    config.rows[0] = 1, config.row_bytes[0] = 8;
    config.rows[1] = 1, config.row_bytes[1] = 64;
    config.rows[2] = 16, config.row_bytes[2] = 8;
    UNIT_CONFIGURE(&config);
    /* Column 0: even products 2^30 + 1 - 2^30 lose the one; odd ones 2^-24 + 2^-24 stay, and are
     * added to the earlier 1 as 2^-23. */
    set_pair(a, 0, 0x1p15f, 0x1p-12f);
    set_pair(a, 1, 1, 0x1p-12f);
    set_pair(a, 2, 0x1p15f, 0);
    set_pair(b[0], 0, 0x1p15f, 0x1p-12f);
    set_pair(b[1], 0, 1, 0x1p-12f);
    set_pair(b[2], 0, -0x1p15f, 0);
    /* Column 1: a denormal product becomes zero before the next is added; so does a denormal
     * factor. */
    set_pair(a, 3, 0x1p-70f, 0x1p-130f);
    set_pair(b[3], 1, 0x1p-60f, 0x1p20f);
    set_pair(a, 4, 1, 0);
    set_pair(b[4], 1, 0x1p-126f, 0);
    UNIT_LOAD(0, c, 8);
    UNIT_LOAD(1, a, 64);
    UNIT_LOAD(2, b, UNIT_BYTES);
    UNIT_MULTIPLY(0, 1, 2);
    UNIT_STORE(0, c, 8);
    assert_true(c[0] == 1 + 0x1p-23f);
    assert_true(c[1] == 0x1p-126f);
}

static void a_system_that_loses_tiles_is_noticed(void **state)
{
    (void)state;
    assert_true(keeps_tiles());
    for (u32 sleeps = 0; sleeps < 4; sleeps++) {
        unit_sleeps_kept = sleeps;
        assert_false(keeps_tiles());
    }
    unit_sleeps_kept = UINT32_MAX;
    assert_true(keeps_tiles());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_adds_up_as_the_manual_says),
        cmocka_unit_test(a_system_that_loses_tiles_is_noticed),
        UNIT_TESTS,
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
