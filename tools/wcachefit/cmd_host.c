/* wcachefit host: this machine, or a known one. */
#include "bench/target.h"
#include "tools/wcachefit/commands.h"

static const struct w_option options[] = {
    {"list", 0, W_OPT_FLAG, AT(list), .help = "List the known machines."},
    {JSON_OPTION("Write a JSON object. That of a machine can be a --target on another one.")},
    MACHINE_OPTIONS,
    MEMORY_OPTIONS,
    RATE_OPTIONS,
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "What this machine is",
    "wcachefit host",
    "A description of it, to be used on another one",
    "wcachefit host --json -o here.json",
    "The known machines",
    "wcachefit host --list",
    NULL,
};

static void write_list(FILE *f)
{
    for (const struct w_target *t = w_targets; t->name; t++)
        fprintf(f, "%-16s %s\n", t->name, t->about);
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};

    if (argc > 0)
        return w_fail(err, W_USAGE, "takes no operand");
    set->no_calibration |= set->list;
    enum w_status status = report_open(&r, set, 0, argv, err);
    if (!status && set->json && set->list)
        status = write_targets_json(r.text.file, err);
    else if (!status && set->json)
        status = write_json(r.text.file, &r, err);
    else if (!status && set->list)
        write_list(r.text.file);
    else if (!status)
        write_machine(r.text.file, &r);
    return report_close(&r, set, status, err);
}

const struct w_program host_command = {
    .name = "wcachefit host",
    .summary = "show this machine, or list the known ones",
    .operands = "",
    .about = "Cores, caches, memory, vectors and rates, each with its source.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
