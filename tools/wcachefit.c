/* wcachefit: what a configuration needs of a machine; report is the command where none is named. */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "tools/wcachefit/commands.h"

static const char *const examples[] = {
    "Measure this machine, once",
    "wcachefit calibrate",
    "Does it fit this machine, and how fast does it train",
    "wcachefit configs/wiki_cache_optimized.json",
    "The best model for five minutes on this machine",
    "wcachefit search --time 5m --ram 2GiB -o best.json",
    NULL,
};

static const struct w_program program = {
    .name = "wcachefit",
    .summary = "what configurations need of a machine: memory, caches, arithmetic, time",
    .operands = "[COMMAND] ...",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"report", &report_command.program, NULL}, {"calibrate", &calibrate_command.program, NULL},
    {"verify", &verify_command.program, NULL}, {"search", &search_command.program, NULL},
    {"fit", &fit_command.program, NULL},       {"plot", &plot_command.program, NULL},
    {"host", &host_command.program, NULL},     {0},
};

/* For the generator of wconf(5): the fields of --dump-options. */
static void dump_keys(void)
{
    for (const struct w_option *o = w_conf_table; o->name; o++) {
        printf("key\t%s\t\t%s\t%s\t%s\t%s", o->name, o->arg, o->choices ? o->choices : "",
               o->dflt ? o->dflt : "", o->help);
        if (o->type == W_OPT_COUNT && o->max > 0)
            printf(" A whole number from %.0f to %.0f.", o->min, o->max);
        else if (o->type == W_OPT_COUNT)
            printf(" A whole number.");
        else if (o->type == W_OPT_REAL)
            printf(" A number from %g to %g.", o->min, o->max);
        printf("%s\n", o->required ? " Required." : "");
    }
}

int main(int argc, char **argv)
{
    const struct w_command *named = &commands[0]; /* report */
    struct settings set = {0};
    struct w_err err = {0};

    if (argc == 2 && !strcmp(argv[1], "--dump-keys")) {
        dump_keys();
        return w_cli_finish(W_DONE, NULL);
    }
    int stop = w_cli_command(&program, commands, &argc, &argv, &named);
    if (!stop)
        stop = w_cli_parse(named->program, &set, &argc, &argv);
    if (stop)
        return stop - 1;
    const struct command *command = (const struct command *)named->program;
    return w_cli_finish(command->run(&set, argc, argv, &err), &err);
}
