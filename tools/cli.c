#include "tools/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strnum.h"
#include "sys/clock.h"
#include "sys/deflate.h"
#include "sys/fdio.h"
#include "sys/file_list.h"
#include "sys/json.h"
#include "tools/wrap.h"

volatile sig_atomic_t w_signal_stop;
volatile sig_atomic_t w_signal_save;

enum { COMMAND_LINE = 1024 };
static char command_line[COMMAND_LINE], provenance[COMMAND_LINE];

/* The options that every program has, after its own. */
static const struct w_option common_options[] = {
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
/* For the generators of manual pages and completions; not shown to people. */
static const char *const dump_option = "--dump-options";

/* ---- help ---- */

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

static void print_help(const struct w_program *p, const struct w_command *commands,
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
    for (const struct w_option *o = common_options; o->name; o++)
        print_option(o);
    print_examples(p);
    printf("\nExit status: 0 done; 1 a negative answer; 2 usage or configuration;\n"
           "3 bad input; 4 input/output or resources.\n");
}

static void print_version(const struct w_program *p)
{
    printf("%s (wtools) %s\nlibdeflate %s, cJSON %s\n", p->name, W_VERSION_TEXT,
           w_deflate_version(), w_cjson_version());
}

/* A line for each option, fields separated by tabs: name, letter, argument, choices, default, help;
 * and for each command: name, summary, whether it is the default. The generators of the manual
 * pages and of the completions read it. */
static void dump_options(const struct w_program *p, const struct w_command *commands,
                         const struct w_command *dflt)
{
    const struct w_option *tables[] = {p->options, common_options};

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

/* ---- parsing ---- */

static void add_byte(char *line, size_t size, size_t *used, char c)
{
    if (*used + 1 < size)
        line[(*used)++] = (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f ? '?' : c;
}

void w_cli_add_word(char *line, size_t size, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_-+=./,:@%";
    const bool quote = !*word || word[strspn(word, plain)];
    size_t used = strlen(line);

    if (used)
        add_byte(line, size, &used, ' ');
    if (quote)
        add_byte(line, size, &used, '\'');
    for (; *word; word++) {
        for (const char *p = *word == '\'' ? "'\\'" : ""; *p; p++)
            add_byte(line, size, &used, *p);
        add_byte(line, size, &used, *word);
    }
    if (quote)
        add_byte(line, size, &used, '\'');
    line[used] = 0;
}

static void remember_command_line(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    w_cli_add_word(command_line, COMMAND_LINE, slash ? slash + 1 : argv[0]);
    for (int i = 1; i < argc; i++)
        w_cli_add_word(command_line, COMMAND_LINE, argv[i]);
}

const char *w_cli_command_line(void)
{
    return command_line;
}

const char *w_cli_provenance(void)
{
    return provenance;
}

static int misuse(const struct w_program *p, const char *format, ...) W_PRINTF(2, 3);
static int misuse(const struct w_program *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    w_message("", format, args);
    va_end(args);
    fprintf(stderr, "Try '%s --help'.\n", p->name);
    return w_exit_code(W_USAGE) + 1;
}

static const struct w_option *find_letter(const struct w_option *table, char letter)
{
    for (; table && table->name; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

/* Parse one word that begins with '-'. Moves *i past an argument that it took. *decides: one of its
 * options decides records. */
static int parse_word(const struct w_program *p, void *fields, char **argv, int argc, int *i,
                      bool *decides)
{
    char *word = argv[*i], name[80];
    const char *value = NULL;
    bool is_long = word[1] == '-';
    const struct w_option *o = NULL;
    void *target = fields;

    if (is_long) {
        size_t length = strcspn(word + 2, "=");
        snprintf(name, sizeof name, "%.*s", (int)W_MIN(length, sizeof name - 1), word + 2);
        value = word[2 + length] ? word + 2 + length + 1 : NULL;
        o = p->options ? w_option_find(p->options, name) : NULL;
        if (!o && (o = w_option_find(common_options, name)) != NULL)
            target = &w_common;
        if (!o) {
            const char *near = p->options ? w_option_suggest(p->options, name) : NULL;
            near = near ? near : w_option_suggest(common_options, name);
            return misuse(p, "unknown option --%s%s%s%s", name, near ? ": did you mean --" : "",
                          near ? near : "", near ? "?" : "");
        }
    }
    for (char *letter = word + 1; !is_long && *letter; letter++) {
        o = find_letter(p->options, *letter);
        target = fields;
        if (!o && (o = find_letter(common_options, *letter)) != NULL)
            target = &w_common;
        if (!o)
            return misuse(p, "unknown option -%c", *letter);
        *decides |= !o->aside;
        if (o->type != W_OPT_FLAG) {
            value = letter[1] ? letter + 1 : NULL;
            break;
        }
        if (target == &w_common && (o->letter == 'h' || o->letter == 'V'))
            break;
        *(bool *)((char *)target + o->offset) = true;
    }
    if (!o)
        return misuse(p, "'%s' is no option", word);
    *decides |= !o->aside;
    if (target == &w_common && o->letter == 'h') {
        print_help(p, NULL, NULL);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (target == &w_common && o->letter == 'V') {
        print_version(p);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (o->type == W_OPT_FLAG) {
        if (is_long && value)
            return misuse(p, "--%s takes no argument", o->name);
        *(bool *)((char *)target + o->offset) = true;
        return 0;
    }
    if (!value && o->optional)
        value = "";
    if (!value) {
        if (*i + 1 >= argc)
            return misuse(p, "--%s needs an argument (%s)", o->name, o->arg);
        value = argv[++*i];
    }
    struct w_err err = {0};
    if (w_option_set(o, target, value, &err))
        return misuse(p, "--%s: %s", o->name, err.text);
    return 0;
}

/* The field of a text. */
static const char **text_at(const void *fields, const struct w_option *option)
{
    return (const char **)((char *)fields + option->offset);
}

static enum w_status refuse_input(const char *output, const char *input, struct w_err *err)
{
    return !input || !w_same_file(input, output)
               ? W_DONE
               : w_fail(err, W_USAGE,
                        "%.200s: is the output and also an input, which would be lost", output);
}

/* Refuse outputs that are inputs, by device and inode: the operands (none: standard input) and the
 * files of other options. (In folders among the operands, w_file_list_mark_output() leaves the
 * output out.) And those that cannot be written. */
static enum w_status check_outputs(const struct w_option *options, const void *fields,
                                   char *const *operands, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (const struct w_option *out = options; out && out->name && !status; out++) {
        const char *output = out->output ? *text_at(fields, out) : NULL;
        if (!output || !strcmp(output, "-"))
            continue;
        if (!*operands)
            status = refuse_input(output, "-", err);
        for (char *const *o = operands; *o && !status; o++)
            status = refuse_input(output, *o, err);
        for (const struct w_option *in = options; in->name && !status; in++) {
            if (in->output || !in->arg || strcmp(in->arg, "FILE") != 0)
                continue;
            const struct w_text_list one = {.items = text_at(fields, in), .count = 1};
            const struct w_text_list *list =
                in->type == W_OPT_LIST ? (const void *)((const char *)fields + in->offset) : &one;
            for (size_t i = 0; i < list->count && !status; i++)
                status = refuse_input(output, list->items[i], err);
        }
        if (!status && !out->appends)
            status = w_output_try(output, err);
    }
    return status;
}

/* What a process does first. Called again for a command of a program, which is harmless. */
static void begin(const struct w_program *p, int argc, char **argv)
{
    w_messages_from(p->name);
    if (!command_line[0])
        remember_command_line(argc, argv);
    w_fill_standard_fds();
    w_heed_stop(&w_signal_stop); /* before there are threads that read */
    signal(SIGPIPE, SIG_IGN);    /* a write then fails with EPIPE */
    signal(SIGXFSZ, SIG_IGN);    /* and with EFBIG at the limit of a file's size */
}

int w_cli_parse(const struct w_program *p, void *fields, int *argc, char ***argv)
{
    static const char **list_items[16];
    struct w_err err = {0};
    size_t lists = 0;
    int kept = 0, stop = 0;
    char **words = *argv;

    begin(p, *argc, words);
    snprintf(provenance, sizeof provenance, "%s", p->name);
    for (const struct w_option *o = p->options; o && o->name; o++)
        if (o->type == W_OPT_LIST && lists < W_COUNTOF(list_items)) {
            struct w_text_list *list = (void *)((char *)fields + o->offset);
            list_items[lists] = calloc((size_t)*argc + 1, sizeof *list_items[lists]);
            if (!list_items[lists]) {
                w_fail(&err, W_NOMEM, "no memory for the command line");
                return w_cli_finish(W_NOMEM, &err) + 1;
            }
            list->items = list_items[lists++];
        }
    if (p->options && w_options_default(p->options, fields, &err))
        return w_cli_finish(err.status, &err) + 1;
    if (*argc == 2 && !strcmp(words[1], dump_option)) {
        dump_options(p, NULL, NULL);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    for (int i = 1; i < *argc && !stop; i++) {
        if (!strcmp(words[i], "--")) {
            while (++i < *argc) {
                w_cli_add_word(provenance, COMMAND_LINE, words[i]);
                words[kept++] = words[i];
            }
        } else if (words[i][0] == '-' && words[i][1]) {
            const int first = i;
            bool decides = false;
            stop = parse_word(p, fields, words, *argc, &i, &decides);
            for (int word = first; decides && word <= i && word < *argc; word++)
                w_cli_add_word(provenance, COMMAND_LINE, words[word]);
        } else {
            w_cli_add_word(provenance, COMMAND_LINE, words[i]);
            words[kept++] = words[i];
        }
    }
    words[kept] = NULL;
    *argc = kept;
    if (!stop && check_outputs(p->options, fields, words, &err))
        return w_cli_finish(err.status, &err) + 1;
    return stop;
}

/* The name of a command that follows -q or -v, unless a file has that name; or NULL. */
static const char *late_command(const struct w_command *commands, int argc, char **argv)
{
    int i = 1;

    while (i < argc && (!strcmp(argv[i], "-q") || !strcmp(argv[i], "-v") ||
                        !strcmp(argv[i], "--quiet") || !strcmp(argv[i], "--verbose")))
        i++;
    for (const struct w_command *c = commands; c->name && i > 1 && i < argc; c++)
        if (!strcmp(argv[i], c->name) && access(argv[i], F_OK))
            return c->name;
    return NULL;
}

int w_cli_command(const struct w_program *p, const struct w_command *commands, int *argc,
                  char ***argv, const struct w_command **found)
{
    const struct w_command *dflt = *found;
    const char *word = *argc > 1 ? (*argv)[1] : "";
    size_t count = 0;

    begin(p, *argc, *argv);
    if (!strcmp(word, "-h") || !strcmp(word, "--help")) {
        print_help(p, commands, dflt);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
        print_version(p);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (!strcmp(word, dump_option)) {
        dump_options(p, commands, dflt);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    for (; commands[count].name; count++)
        if (!strcmp(commands[count].name, word)) {
            *found = &commands[count];
            --*argc, ++*argv;
            return 0;
        }
    const char *near = w_nearest_name(word, &commands->name, count, sizeof *commands);
    bool is_operand = !near || !*word || *word == '-' || !access(word, F_OK);
    const char *late = dflt ? late_command(commands, *argc, *argv) : NULL;
    if (late)
        return misuse(p, "the command comes first: %s %s ...", p->name, late);
    if (dflt && is_operand)
        return 0;
    if (!*word && *argc < 2)
        return misuse(p, "name a command: %s %s ...", p->name, p->operands);
    if (dflt)
        return misuse(p, "'%.60s' is neither a command nor a file: did you mean %s?", word, near);
    return misuse(p, "unknown command '%.60s'%s%s%s", word, near ? ": did you mean " : "",
                  near ? near : "", near ? "?" : "");
}

int w_cli_run(const struct w_program *program, int argc, char **argv)
{
    struct settings *set = calloc(1, W_MAX(program->settings_bytes, (size_t)1));
    struct w_err err = {0};

    if (!set)
        return w_cli_finish(w_fail(&err, W_NOMEM, "no memory for the command line"), &err);
    int stop = w_cli_parse(program, set, &argc, &argv);
    enum w_status status = stop ? W_DONE : program->run(set, argc, argv, &err);
    free(set);
    return stop ? stop - 1 : w_cli_finish(status, &err);
}

int w_cli_main(const struct w_program *program, const struct w_command *commands,
               const struct w_command *dflt, int argc, char **argv)
{
    const struct w_command *command = dflt;
    int stop = w_cli_command(program, commands, &argc, &argv, &command);

    return stop ? stop - 1 : w_cli_run(command->program, argc, argv);
}

/* ---- signals ---- */

static void on_stop(int number)
{
    if (w_signal_stop) {
        signal(number, SIG_DFL);
        raise(number);
    }
    __atomic_store_n(&w_signal_stop, number, __ATOMIC_RELAXED); /* threads read it */
}

static void on_save(int number)
{
    w_signal_save = number;
}

/* A signal that is ignored stays ignored: nohup, and shells for background jobs, start programs
 * so. */
static void catch_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction before, action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void w_cli_catch_save(void)
{
    catch_signal(SIGUSR1, on_save, SA_RESTART);
}

void w_cli_catch_signals(void)
{
    catch_signal(SIGINT, on_stop, 0);
    catch_signal(SIGTERM, on_stop, 0);
    catch_signal(SIGHUP, on_stop, 0);
}

enum w_status w_cli_check_signal(struct w_err *err)
{
    return w_signal_stop ? w_fail(err, W_SIGNAL, "stopped by a signal") : W_DONE;
}

/* ---- outputs and terminals ---- */

struct w_write_options w_cli_write_options(const struct w_writing *writing, u64 threads)
{
    /* Two: the caller's own, which only compresses where it would wait, and one beside it. */
    return (struct w_write_options){.threads = (u32)W_MAX(threads, 2),
                                    .level = (int)writing->level};
}

enum w_status w_cli_refuse_same(const char *a, const char *b, struct w_err *err)
{
    a = a ? a : "-";
    b = b ? b : "-";
    const bool standard = !strcmp(a, "-") || !strcmp(b, "-");
    return strcmp(a, b) && (standard || !w_same_file(a, b))
               ? W_DONE
               : w_fail(err, W_USAGE, "two outputs under one name, %.200s: one would be lost",
                        strcmp(a, "-") ? a : "standard output");
}

enum w_status w_cli_refuse_terminal(const char *output_path, const char *hint, struct w_err *err)
{
    bool to_stdout = !output_path || !strcmp(output_path, "-");
    if (to_stdout && w_is_terminal(STDOUT_FILENO))
        return w_fail(err, W_USAGE, "binary data is not for a terminal: %s", hint);
    return W_DONE;
}

enum w_status w_cli_refuse_typing(const char *hint, struct w_err *err)
{
    if (w_is_terminal(STDIN_FILENO))
        return w_fail(err, W_USAGE, "no input: %s", hint);
    return W_DONE;
}

/* ---- the end ---- */

int w_cli_finish(enum w_status status, const struct w_err *err)
{
    w_progress_erase();
    int code = w_exit_code(status);
    /* A failure to write buffered data shows only now. A tool that wrote to the descriptor itself,
     * and closed it, has nothing buffered: then EBADF is not a failure. */
    bool had_data = ferror(stdout) || fflush(stdout);
    bool lost = had_data && errno != EPIPE;
    if (fclose(stdout) && errno != EBADF && errno != EPIPE)
        lost = true;
    if (code != 0 && err)
        w_problem("%s", err->text);
    if (lost && code == 0) {
        w_problem("standard output: cannot write");
        code = w_exit_code(W_IO);
    }
    if (w_signal_stop && (status == W_SIGNAL || status == W_DONE)) {
        signal((int)w_signal_stop, SIG_DFL);
        raise((int)w_signal_stop);
    }
    return code;
}
