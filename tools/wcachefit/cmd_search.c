/* wcachefit search: the configuration that trains the best model within a time and a memory. */
#include "fit/search.h"
#include "tools/wcachefit/commands.h"

#define SHOWN 5

static const struct w_option options[] = {
    {"time", 0, W_OPT_DURATION, AT(time_s), .arg = "DURATION",
     .help = "Time of training, like 5m or 4h. Required."},
    {"vocab", 0, W_OPT_COUNT, AT(vocab), .arg = "N", .min = 2, .max = 1 << 28,
     .help = "Only configurations for a vocabulary of N ids, such as one that exists."},
    {TEXT_TOKENS_OPTION},
    MEMORY_OPTIONS,
    MACHINE_OPTIONS,
    RATE_OPTIONS,
    {SET_OPTION},
    {REQUIRE_OPTION},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "The best model for five minutes on this machine",
    "wcachefit search --time 5m --ram 2GiB -o best.json",
    "For a vocabulary and a text that exist, an hour with counts beside it",
    "wcachefit search --time 1h --vocab 16000 --text-tokens 24M --set counts=8 -o best.json",
    "With AdamW and the softmax over all ids, as other programs train",
    "wcachefit search --time 5m --set optimizer=adamw --set softmax_sample=0",
    NULL,
};

/* The configuration that a search starts from where none is named. */
static const char base_text[] = "{\"d_model\":128,\"num_heads\":4,\"num_layers\":3,\"d_ff\":512,"
                                "\"vocab_size\":8192,\"batch_size\":8,\"max_length\":128,"
                                "\"learning_rate\":0.003,\"optimizer\":\"muon\","
                                "\"softmax_sample\":2048}";

static void say_found(const struct w_found *f, u32 rank)
{
    const struct w_conf *c = &f->conf;

    w_say("%u. width %llu, %llu layers, vocabulary %llu, batch %llu x %llu: %.3f bits/byte after "
          "%.3g M tokens at %.0f tok/s, %.0f MiB%s",
          (unsigned)rank, (unsigned long long)c->d_model, (unsigned long long)c->num_layers,
          (unsigned long long)c->vocab_size, (unsigned long long)c->batch_size,
          (unsigned long long)c->max_length, f->bits, f->tokens / 1e6, f->tok_s,
          f->resident / (1024 * 1024),
          f->outside ? " (outside the runs that the law was fitted to)" : "");
}

/* Replace the configuration that the search starts from by the best one. `named`: the user has
 * named it, and means its keys. */
static enum w_status search(struct report *r, const struct settings *set, bool named,
                            struct w_err *err)
{
    static struct w_found found[SHOWN];
    struct w_fit_ask ask = report_ask(r);
    struct w_search_limits limits = {
        .seconds = set->time_s,
        .bytes = memory_limit(r, set),
        .vocab = set->vocab,
        .keep_length = named || w_cli_sets_key(&set->set, "max_length"),
        .keep_decay = named || w_cli_sets_key(&set->set, "weight_decay")};
    u32 count = 0;

    ask.text_tokens = (double)set->text_tokens;
    enum w_status status =
        w_search_best(found, SHOWN, &count, r->confs, &r->machine, &ask, &limits, err);

    if (status)
        return status;
    for (u32 i = 0; i < count; i++)
        say_found(&found[i], i + 1);
    r->confs[0] = found[0].conf;
    r->count = 1;
    return report_fit(r, 0, &ask, err);
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};

    if (argc > 1 || set->time_s <= 0)
        return w_fail(err, W_USAGE, "needs --time DURATION, and takes at most one configuration");
    enum w_status status = report_open(&r, set, argc, argv, err);
    if (!status && argc == 0)
        status = w_conf_parse(r.confs, base_text, strlen(base_text), "search", err);
    if (!status && argc == 0)
        status = change_conf(r.confs, "the start of the search", set, err);
    if (!status)
        status = search(&r, set, argc > 0, err);
    if (!status)
        status = write_tree(r.text.file, w_conf_json(r.confs), err);
    if (!status)
        status = check_requirements(&r, set, NULL, err);
    return report_close(&r, set, status, err);
}

const struct w_program search_command = {
    .name = "wcachefit search",
    .summary = "the configuration that trains the best model in a time and a memory",
    .operands = "--time DURATION [CONFIG.json]",
    .about = "Writes a configuration, chosen by the predicted rate and a scaling law; the best "
             "ones are listed on standard error. A configuration that is named gives the keys "
             "that are not searched.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
