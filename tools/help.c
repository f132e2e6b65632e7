#include "tools/help.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sys/deflate.h"
#include "sys/json.h"
#include "tools/cli.h"
#include "tools/wrap.h"

const struct w_option w_common_options[] = {
    {"quiet", 'q', W_OPT_FLAG, offsetof(struct w_common, quiet), .aside = true,
     .help = "Print only warnings and errors."},
    {"verbose", 'v', W_OPT_FLAG, offsetof(struct w_common, verbose), .aside = true,
     .help = "Print what was chosen and why."},
    {"progress", 0, W_OPT_CHOICE, offsetof(struct w_common, progress), .arg = "WHEN",
     .choices = "auto|always|never", .aside = true,
     .help = "Show progress: auto draws it on a terminal and writes a line now and then into a "
             "log, but leaves it to the last program of a pipeline."},
    {"help", 'h', W_OPT_FLAG, 0, .help = "Show this help and exit."},
    {"version", 'V', W_OPT_FLAG, 0, .help = "Show the version and exit."},
    {0},
};

static void print_paragraph(const char *text, u32 column, u32 indent)
{
    w_wrap(stdout, text, column, indent);
    putchar('\n');
}

static void print_option(const struct w_option *o)
{
    char left[64];
    int n = snprintf(left, sizeof left, o->letter ? "-%c, " : "    ", o->letter);
    snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", o->name,
             o->arg && !o->optional ? " " : "", o->arg ? o->arg : "");
    printf("  %-24s%s", left, strlen(left) > 23 ? "\n                          " : "");
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", o->help, o->choices ? " One of " : "",
             o->choices ? o->choices : "", o->choices ? "." : "", o->dflt ? " Default: " : "",
             o->dflt ? o->dflt : "", o->dflt ? "." : "");
    print_paragraph(text, 26, 26);
}

static void print_usage(const struct w_program *p)
{
    char text[512];

    snprintf(text, sizeof text, "usage: %s [options] %s", p->name, p->operands);
    print_paragraph(text, 0, 4);
    print_paragraph(p->summary, 0, 0);
}

/* A command in lines that a shell takes as one: cut at the last blank outside of quotes at which a
 * line, with the backslash after it, fits. */
static void print_command(const char *text)
{
    const char *start = "  ";

    for (size_t n; *text; text += n + (text[n] == ' ')) {
        const size_t room = W_WRAP_COLUMNS - strlen(start) - strlen(" \\");
        char quote = 0;
        size_t end = 0;
        for (n = 0; (n <= room || !end) && text[n]; n++) {
            if (text[n] == quote)
                quote = 0;
            else if (!quote && strchr("'\"", text[n]))
                quote = text[n];
            else if (!quote && text[n] == ' ')
                end = n;
        }
        if (strlen(text) <= room + 2)
            n = strlen(text);
        else if (end)
            n = end;
        printf("%s%.*s%s\n", start, (int)n, text, text[n] ? " \\" : "");
        start = "      ";
    }
}

static void print_examples(const struct w_program *p)
{
    printf("\nExamples:\n");
    for (const char *const *e = p->examples; e && *e; e += 2) {
        fputs("  # ", stdout);
        print_paragraph(e[0], 4, 4); /* one line, or the next would be a command */
        print_command(e[1]);
    }
}

void w_help_print(const struct w_program *p, const struct w_command *commands,
                  const struct w_command *dflt)
{
    print_usage(p);
    if (dflt) {
        char text[256];
        snprintf(text, sizeof text, "Without a command: %s [options] %s, which is %s.", p->name,
                 dflt->program->operands, dflt->program->name);
        print_paragraph(text, 0, 4);
    }
    if (p->about) {
        putchar('\n');
        print_paragraph(p->about, 0, 0);
    }
    if (commands) {
        printf("\nCommands (each has --help):\n");
        for (; commands->name; commands++) {
            printf("  %-10s ", commands->name);
            print_paragraph(commands->program->summary, 13, 13);
        }
    }
    printf("\nOptions:\n");
    for (const struct w_option *o = p->options; o && o->name; o++)
        print_option(o);
    for (const struct w_option *o = w_common_options; o->name; o++)
        print_option(o);
    print_examples(p);
    printf("\nExit status: 0 done; 1 a negative answer; 2 usage or configuration;\n"
           "3 bad input; 4 input/output or resources.\n");
}

void w_help_print_version(const struct w_program *p)
{
    printf("%s (wtools) %s\nlibdeflate %s, cJSON %s\n", p->name, W_VERSION_TEXT,
           w_deflate_version(), w_cjson_version());
}

void w_help_dump(const struct w_program *p, const struct w_command *commands,
                 const struct w_command *dflt)
{
    const struct w_option *tables[] = {p->options, w_common_options};

    printf("program\t%s\t%s\t%s\t%s\n", p->name, p->operands, p->summary, p->about ? p->about : "");
    for (; commands && commands->name; commands++)
        printf("command\t%s\t%s\t%s\n", commands->name, commands->program->summary,
               commands == dflt ? "default" : "");
    for (size_t i = 0; i < W_COUNTOF(tables); i++)
        for (const struct w_option *o = tables[i]; o && o->name; o++)
            printf("option\t%s\t%.1s\t%s\t%s\t%s\t%s\n", o->name, &o->letter, o->arg ? o->arg : "",
                   o->choices ? o->choices : "", o->dflt ? o->dflt : "", o->help);
    for (const char *const *e = p->examples; e && *e; e += 2)
        printf("example\t%s\t%s\n", e[0], e[1]);
}
