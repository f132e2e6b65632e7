/* calibration_fixture.h - a calibration that was never measured: a machine with two threads, whose
 * phases cost round numbers. */
#ifndef W_CALIBRATION_FIXTURE_H
#define W_CALIBRATION_FIXTURE_H

#include <stdio.h>

#include "bench/calibration.h"

/* Each unit of a phase takes 1 ns for a token and 100 ns for a call with one thread, half with two;
 * at twice the width (128 -> 256) half as much again. */
static inline void make_calibration(struct w_calibration *c)
{
    static const struct w_shape shapes[] = {{128, 4, 512, 4096, 128, 8, 0},
                                            {256, 4, 1024, 4096, 128, 8, 0}};

    *c = (struct w_calibration){
        .cpu = "fixture",
        .host = "nowhere",
        .version = W_VERSION_TEXT,
        .kernel = {"ref"},
        .logical_cpus = 2,
        .time = 1700000000,
        .took_s = 1,
        .threads = 2,
        .peak = {{.one = 50e9, .all = 100e9, .slowest_part = 1}},
        .claimed = {32 << 10, 512 << 10, 8 << 20},
        .capacity = {32 << 10, 512 << 10, 8 << 20},
        .disk_bytes_s = 100e6,
        .decodes = {{1000000, 500000, {1e-4, 6e-5, 4e-5}, {1e-5, 3e-6, 4e-6}},
                    {100000000, 80000000, {0.02, 0.01, 0.006}, {1e-3, 3e-4, 4e-4}}},
        .decode_count = 2,
        .measurements = 100};
    c->latency.threads = c->bandwidth_one.threads = 1;
    c->bandwidth_all.threads = 2;
    c->bandwidth_one.kind = c->bandwidth_all.kind = W_CURVE_BANDWIDTH;
    for (u64 bytes = 4096; bytes <= (64 << 20); bytes *= 2) {
        u32 i = c->latency.count++;
        c->latency.points[i].bytes = c->bandwidth_one.points[i].bytes = bytes;
        c->bandwidth_all.points[i].bytes = bytes;
        c->latency.points[i].value = bytes <= (512 << 10) ? 4e-9 : 100e-9;
        c->bandwidth_one.points[i].value = bytes <= (512 << 10) ? 100e9 : 10e9;
        c->bandwidth_all.points[i].value = bytes <= (512 << 10) ? 200e9 : 16e9;
        c->bandwidth_one.count = c->bandwidth_all.count = c->latency.count;
    }
    for (u32 i = 0; i < 4; i++) {
        struct w_step_probe *p = &c->probes[c->probe_count++];
        double scale = (i % 2 ? 1.5 : 1) * (i < 2 ? 1 : 0.5);
        *p = (struct w_step_probe){.shape = shapes[i % 2], .threads = i < 2 ? 1 : 2, .samples = 3};
        for (u32 part = 0; part < W_PHASES; part++)
            p->phases[part] = (struct w_phase_cost){1e-9 * scale, 100e-9 * scale, 0.01};
    }
}

#endif
