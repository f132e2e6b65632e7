/* Any bytes as the file of residuals: invalid lines are skipped, the rest gives a finite positive
 * factor and interval, and a run that is added is found again, once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/residuals.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

static void read_file(struct w_residuals *r, const struct memory_file *file)
{
    struct w_err err = {0};

    if (w_residuals_read(r, file->path, "ref", &err) || r->count > W_RESIDUALS_MAX)
        abort();
    for (u32 i = 0; i < r->count; i++)
        if (!(r->ratios[i] > 0) || !isfinite(r->ratios[i]) ||
            strlen(r->runs[i].name) >= sizeof r->runs[i].name)
            abort();
    struct w_correction c = w_residuals_correction(r, 0.5);
    if (!(c.factor > 0) || !isfinite(c.factor) || !(c.interval > 0) || !isfinite(c.interval) ||
        c.learned_from > r->count)
        abort();
}

static void add(const struct memory_file *file, const struct w_verified *run, double ratio)
{
    struct w_err err = {0};

    if (w_residuals_add(file->path, run, "ref", ratio, 1, &err))
        abort();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    static const struct w_verified run = {.name = "a run of the fuzzer", .began = 1234567890123};
    static struct w_residuals r;
    struct memory_file file;
    u32 found = 0;

    memory_file_open(&file, bytes, size);
    read_file(&r, &file);
    memory_file_add(&file, "\n", 1); /* an unfinished line would swallow the next one */
    add(&file, &run, 2);
    add(&file, &run, 0.75);
    read_file(&r, &file);
    for (u32 i = 0; i < r.count; i++)
        if (r.runs[i].began == run.began && !strcmp(r.runs[i].name, run.name))
            found += r.ratios[i] == 0.75 ? 1 : 2;
    if (found != 1)
        abort();
    memory_file_close(&file);
    return 0;
}
