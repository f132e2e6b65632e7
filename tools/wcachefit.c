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
    {"report", &report_command}, {"calibrate", &calibrate_command},
    {"verify", &verify_command}, {"search", &search_command},
    {"fit", &fit_command},       {"plot", &plot_command},
    {"host", &host_command},     {0},
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
    if (argc == 2 && !strcmp(argv[1], "--dump-keys")) {
        dump_keys();
        return w_cli_finish(W_DONE, NULL);
    }
    return w_cli_main(&program, commands, &commands[0], argc, argv);
}
