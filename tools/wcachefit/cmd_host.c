/* wcachefit host: this machine, or one that is known by name. */
#include "bench/target.h"
#include "tools/wcachefit/commands.h"
#include "tools/wcachefit/inputs.h"

struct settings {
    struct inputs in;
    bool list;
};

static const struct w_option options[] = {
    {"list", 0, W_OPT_FLAG, offsetof(struct settings, list), .help = "List the known machines."},
    {JSON_OPTION("Write a JSON object; that of a machine is a --target elsewhere.")},
    {TARGET_OPTION},
    {THREADS_OPTION},
    {PRECISION_OPTION},
    {MEMORY_OPTION},
    {RAM_OPTION},
    {PEAK_OPTION},
    {BANDWIDTH_OPTION},
    {CALIBRATION_OPTION},
    {NO_CALIBRATION_OPTION},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "What this machine is",
    "wcachefit host",
    "Its description, to judge for it on another one",
    "wcachefit host --json -o here.json",
    "The machines that are known",
    "wcachefit host --list",
    NULL,
};

const struct w_program wcachefit_host_program = {
    .name = "wcachefit host",
    .summary = "show the machine alone, or the known ones",
    .operands = "",
    .about = "Cores, caches, memory, vectors and rates, each with its source.",
    .options = options,
    .examples = examples,
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
    set->in.no_calibration |= set->list;
    enum w_status status = report_open(&r, &set->in, 0, argv, err);
    if (!status && set->in.json)
        status =
            (set->list ? write_targets_json(r.text.file, err) : write_json(r.text.file, &r, err));
    else if (!status && set->list)
        write_list(r.text.file);
    else if (!status)
        write_machine(r.text.file, &r);
    return report_close(&r, &set->in, status, err);
}

int wcachefit_host(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&wcachefit_host_program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run(&set, argc, argv, &err), &err);
}
