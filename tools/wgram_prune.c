/* wgram prune - counts in, smaller counts out. */
#include <string.h>

#include "base/strnum.h"
#include "count/count_prune.h"
#include "tools/wgram.h"

struct settings {
    struct w_writing writing;
    const char *min_counts;
    u64 bytes, threads;
};

static const struct w_option options[] = {
    {"size", 's', W_OPT_COUNT, AT(bytes), "BYTES",
     .help = "Leave out the n-grams that add least to the probabilities until the file has at most "
             "BYTES, before compression."},
    {"min-counts", 0, W_OPT_TEXT, AT(min_counts), "N,N,...",
     .help =
         "Leave out n-grams with lower counts: one number for each order from 2 on, the last one "
         "for all others too."},
    W_WRITING_OPTIONS(struct settings, "0"),
    WGRAM_THREADS_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "At most 60 MB",
    "wgram prune -s 60M -o small.counts wiki.counts",
    "Without triples and longer n-grams that occur once",
    "wgram prune --min-counts 1,2 -o small.counts wiki.counts",
    NULL,
};

/* "1,1,2": the lowest counts of orders 2, 3, 4 and more. */
static enum w_status parse_min_counts(const char *text, u32 min_count[W_COUNT_ORDER_MAX + 1],
                                      struct w_err *err)
{
    u64 value = 1;

    for (u32 n = 2; n <= W_COUNT_ORDER_MAX; n++) {
        const size_t size = text ? strcspn(text, ",") : 0;
        char number[16] = "";
        if (text) {
            memcpy(number, text, W_MIN(size, sizeof number - 1));
            if (size >= sizeof number || w_parse_count(number, 0, UINT32_MAX, &value, NULL))
                return w_fail(err, W_USAGE, "--min-counts: give numbers such as 1,1,2,2");
            text = text[size] ? text + size + 1 : NULL;
        }
        min_count[n] = (u32)value;
    }
    return text ? w_fail(err, W_USAGE,
                         "--min-counts: more than %d numbers: one for each order from "
                         "2 to %d",
                         W_COUNT_ORDER_MAX - 1, W_COUNT_ORDER_MAX)
                : W_DONE;
}

static enum w_status prune(const struct settings *set, const struct w_count_prune *wanted,
                           const char *path, struct w_count_image *image, struct w_header *header,
                           struct w_err *err)
{
    struct w_counts *counts = NULL;
    struct w_team *team = NULL;

    enum w_status status = w_counts_load(&counts, header, path, err);
    if (!status)
        status = w_team_new(&team, w_cli_threads(set->threads), err);
    if (!status)
        status = w_counts_prune(counts, team, wanted, image, err);
    w_counts_free(counts);
    w_team_free(team);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_count_prune wanted = {.bytes = set->bytes};
    struct w_count_image image = {0};
    struct w_header header = {0};
    struct w_output out = {.fd = -1};

    if (argc > 1)
        return w_fail(err, W_USAGE, "name one file of counts");
    if (!set->bytes && !set->min_counts)
        return w_fail(err, W_USAGE, "say what to leave out: -s BYTES, or --min-counts N,N,...");
    enum w_status status = parse_min_counts(set->min_counts, wanted.min_count, err);
    if (!status)
        status = w_cli_refuse_terminal(set->writing.output, "use -o FILE", err);
    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a file of counts", err);
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->writing.output, err);
    if (!status)
        status = prune(set, &wanted, argc ? argv[0] : NULL, &image, &header, err);
    if (!status)
        status = wgram_write_counts(&image, &out, &set->writing, &header,
                                    w_cli_threads(set->threads), err);
    if (!status)
        w_say("%.1f MB of counts", (double)w_count_image_bytes(&image) / 1e6);
    w_output_abort(&out);
    w_count_image_release(&image);
    w_header_free(&header);
    return status;
}

const struct w_program wgram_prune_program = {
    "wgram prune",
    "leave out the n-grams that matter least",
    "[FILE]",
    "Reads a file of counts (or standard input) and writes a smaller one. The probabilities still "
    "sum to 1: what is left out counts for the shorter contexts.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
