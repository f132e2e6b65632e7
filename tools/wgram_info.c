/* wgram info - what is in a file of counts. */
#include <stdio.h>

#include "tools/wgram.h"

struct settings {
    bool json;
};

static const struct w_option options[] = {
    {"json", 0, W_OPT_FLAG, AT(json), .help = "Print a JSON object."},
    {0},
};

static const char *const examples[] = {
    "Contexts, n-grams and discounts of each order",
    "wgram info wiki.counts",
    NULL,
};

static enum w_status print_json(const struct w_count_facts *f, struct w_err *err)
{
    struct w_json *json = w_json_object(), *orders = w_json_array();

    w_json_set_u64(json, "order", f->order);
    w_json_set_u64(json, "vocab", f->vocab);
    w_json_set_u64(json, "counted", f->tokens);
    w_json_set_bool(json, "document", f->document);
    w_json_set_bool(json, "pruned", f->pruned);
    w_json_set_u64(json, "bytes", f->image_bytes);
    w_json_set_u64(json, "memory_bytes", f->memory_bytes);
    for (u32 n = 1; n <= f->order; n++) {
        struct w_json *order = w_json_object(), *discounts = w_json_array();
        for (u32 k = 1; k < 4; k++)
            w_json_add_real(discounts, f->discount[n][k]);
        w_json_set_u64(order, "contexts", f->contexts[n]);
        w_json_set_u64(order, "grams", f->grams[n]);
        w_json_set(order, "discounts", discounts);
        w_json_add(orders, order);
    }
    w_json_set(json, "orders", orders);
    return w_cli_print_json(json, false, err);
}

static void print(const struct w_count_facts *f)
{
    printf("order %u%s, vocabulary of %u ids, %llu tokens counted%s; %.1f MB, %.1f MB in memory\n",
           f->order, f->document ? " and the document" : "", f->vocab,
           (unsigned long long)f->tokens, f->pruned ? ", pruned" : "", (double)f->image_bytes / 1e6,
           (double)f->memory_bytes / 1e6);
    printf("%5s %12s %12s %8s %8s %8s\n", "order", "contexts", "n-grams", "D1", "D2", "D3+");
    for (u32 n = 1; n <= f->order; n++)
        printf("%5u %12u %12u %8.4f %8.4f %8.4f\n", n, f->contexts[n], f->grams[n],
               f->discount[n][1], f->discount[n][2], f->discount[n][3]);
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_header header = {0};
    struct w_counts *counts = NULL;

    if (argc > 1)
        return w_fail(err, W_USAGE, "name one file of counts");
    enum w_status status = argc == 0 ? w_cli_refuse_typing("name a file of counts", err) : W_DONE;
    if (!status)
        status = w_counts_load(&counts, &header, argc ? argv[0] : NULL, err);
    if (!status && set->json)
        status = print_json(w_counts_facts(counts), err);
    else if (!status)
        print(w_counts_facts(counts));
    w_counts_free(counts);
    w_header_free(&header);
    return status;
}

const struct w_program wgram_info_program = {
    "wgram info",
    "describe a file of counts",
    "[FILE]",
    "Prints the contexts, the n-grams and the discounts of each order.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
