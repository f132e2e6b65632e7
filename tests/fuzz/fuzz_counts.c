/* fuzz_counts.c - any bytes as a file of counts: refused with a reason, or a model whose
 * probabilities are some, and sum to 1, also with text counted on top of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "count/count_file.h"
#include "count/count_learn.h"
#include "count/count_prune.h"
#include "count/count_score.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/right_frames.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

enum { SEED_TOKENS = 700, SEED_VOCAB = 40 };

/* Make counts smaller: true if that fails. */
static bool prune(struct w_count_image *image)
{
    const struct w_count_prune wanted = {.min_count = {0, 0, 1, 2, 2, 3, 2}};
    struct w_counts *counts;
    struct w_team *team;

    bool failed = w_counts_open(&counts, image, NULL) || w_team_new(&team, 1, NULL) ||
                  w_counts_prune(counts, team, &wanted, image, NULL);
    w_counts_free(counts);
    w_team_free(team);
    return failed;
}

/* A small file of counts, to begin with. */
static size_t seed_counts(u8 *data, size_t room, unsigned seed)
{
    const struct w_count_learn_options options = {
        .order = 2 + seed % 5, .vocab = SEED_VOCAB, .eot = 3, .threads = 1};
    struct w_output out = {.fd = memfd_create("seed", 0), .name = "seed"};
    struct w_count_image image;
    struct w_err err;
    u32 ids[SEED_TOKENS];
    size_t size = 0;

    for (u32 i = 0; i < SEED_TOKENS; i++)
        ids[i] = i < 300 ? 7 : i * i % 31 % 11 * (i % 3); /* one count is large */
    if (w_count_learn(&image, ids, SEED_TOKENS, &options, &err) ||
        (seed / 5 % 2 && prune(&image)) ||
        w_count_image_write(&image, &out, &(struct w_count_write){.by = "seed"}, &err))
        abort();
    if (out.bytes <= room && pread(out.fd, data, out.bytes, 0) == (ssize_t)out.bytes)
        size = out.bytes;
    w_count_image_release(&image);
    close(out.fd);
    return size;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    if (size < W_FRAME_BYTES) {
        size_t made = seed_counts(data, room, seed / 8);
        return made ? made : LLVMFuzzerMutate(data, size, room);
    }
    size = LLVMFuzzerMutate(data, size, room);
    if (seed % 8)
        make_frames_right(data, size);
    return size;
}

static void check_sum(const struct w_counts *counts, const struct w_count_delta *delta,
                      const u32 *ids, u32 count)
{
    const u32 vocab = w_counts_facts(counts)->vocab;
    double *p = malloc(vocab * sizeof *p), sum = 0;

    if (!p)
        abort();
    w_count_distribution(counts, delta, ids, count, p, NULL);
    for (u32 word = 0; word < vocab; word++) {
        if (!(p[word] > 0 && p[word] <= 1 + 1e-9))
            abort();
        sum += p[word];
    }
    if (fabs(sum - 1) > 1e-6)
        abort();
    free(p);
}

static void use(const struct w_counts *counts)
{
    const u32 vocab = w_counts_facts(counts)->vocab;
    struct w_count_delta *delta = NULL;
    struct w_err err;
    u32 ids[48];
    float lp[48] = {0};
    u8 ctx[48 * W_COUNT_FEATURES] = {0};

    for (u32 i = 0; i < W_COUNTOF(ids); i++)
        ids[i] = (i < 16 ? 7 : i * i % 31 % 11 * (i % 3)) % vocab;
    if (w_count_delta_new(&delta, counts, &err) ||
        w_count_score_on(counts, delta, &(struct w_count_text){ids, 0, W_COUNTOF(ids)},
                         &(struct w_count_said){lp, ctx}, &err))
        abort();
    for (u32 i = 0; i < W_COUNTOF(ids); i++)
        if (!isfinite(lp[i]) || lp[i] > 1e-6f)
            abort();
    if (vocab <= 4096)
        for (u32 i = 0; i < W_COUNTOF(ids); i += 5) {
            check_sum(counts, NULL, ids, i);
            check_sum(counts, delta, ids, i);
        }
    w_count_delta_free(delta);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct w_count_image image;
    struct w_header header;
    struct w_counts *counts = NULL;
    struct w_err err = {0};
    struct memory_file file;

    memory_file_open(&file, data, size);
    enum w_status status = w_count_image_read(&image, &header, file.path, &err);
    if (!status)
        status = w_counts_open(&counts, &image, &err);
    if (status && (!err.text[0] || w_exit_code(status) == 0))
        abort();
    if (!status)
        use(counts);
    w_counts_free(counts);
    w_count_image_release(&image);
    w_header_free(&header);
    memory_file_close(&file);
    return 0;
}
