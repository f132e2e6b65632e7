#include "tools/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strnum.h"
#include "conf/conf.h"
#include "sys/fdio.h"
#include "sys/output.h"
#include "sys/file_list.h"
#include "sys/machine.h"
#include "tools/help.h"

enum { COMMAND_LINE = 1024 };
static char command_line[COMMAND_LINE], provenance[COMMAND_LINE];

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

/* An option that a word names, whose field it sets, and the argument in that word, or NULL. */
struct named_option {
    const struct w_option *option;
    void *fields;
    const char *value;
};

static void set_flag(const struct named_option *n)
{
    *(bool *)((char *)n->fields + n->option->offset) = true;
}

/* "--name" or "--name=value". Returns 0, or what misuse() does. */
static int name_long(const struct w_program *p, void *fields, const char *word,
                     struct named_option *n)
{
    const size_t length = strcspn(word + 2, "=");
    char name[80];

    snprintf(name, sizeof name, "%.*s", (int)W_MIN(length, sizeof name - 1), word + 2);
    *n = (struct named_option){.option = p->options ? w_option_find(p->options, name) : NULL,
                               .fields = fields,
                               .value = word[2 + length] ? word + 2 + length + 1 : NULL};
    if (!n->option) {
        n->option = w_option_find(w_common_options, name);
        n->fields = &w_common;
    }
    if (n->option)
        return 0;
    const char *near = p->options ? w_option_suggest(p->options, name) : NULL;
    near = near ? near : w_option_suggest(w_common_options, name);
    return misuse(p, "unknown option --%s%s%s%s", name, near ? ": did you mean --" : "",
                  near ? near : "", near ? "?" : "");
}

/* "-abc" or "-ovalue": the flags are set, and *n is the last option. Returns as name_long(). */
static int name_letters(const struct w_program *p, void *fields, const char *word,
                        struct named_option *n, bool *decides)
{
    for (const char *letter = word + 1; *letter; letter++) {
        *n = (struct named_option){.option = find_letter(p->options, *letter), .fields = fields};
        if (!n->option) {
            n->option = find_letter(w_common_options, *letter);
            n->fields = &w_common;
        }
        if (!n->option)
            return misuse(p, "unknown option -%c", *letter);
        *decides |= !n->option->aside;
        if (n->option->type != W_OPT_FLAG) {
            n->value = letter[1] ? letter + 1 : NULL;
            break;
        }
        if (n->fields == &w_common && (*letter == 'h' || *letter == 'V'))
            break;
        set_flag(n);
    }
    return 0;
}

/* Parse one word that begins with '-'. Moves *i past an argument that it took. *decides: one of its
 * options decides records. */
static int parse_word(const struct w_program *p, void *fields, char **argv, int argc, int *i,
                      bool *decides)
{
    const char *word = argv[*i];
    const bool is_long = word[1] == '-';
    struct w_err err = {0};
    struct named_option n = {0};

    int stop =
        is_long ? name_long(p, fields, word, &n) : name_letters(p, fields, word, &n, decides);
    if (stop)
        return stop;
    const struct w_option *o = n.option;
    *decides |= !o->aside;
    if (n.fields == &w_common && o->letter == 'h') {
        w_help_print(p, NULL, NULL);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (n.fields == &w_common && o->letter == 'V') {
        w_help_print_version(p);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (o->type == W_OPT_FLAG) {
        if (is_long && n.value)
            return misuse(p, "--%s takes no argument", o->name);
        set_flag(&n);
        return 0;
    }
    if (!n.value && o->optional)
        n.value = "";
    if (!n.value) {
        if (*i + 1 >= argc)
            return misuse(p, "--%s needs an argument (%s)", o->name, o->arg);
        n.value = argv[++*i];
    }
    if (w_option_set(o, n.fields, n.value, &err))
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
    if (*argc == 2 && !strcmp(words[1], W_HELP_DUMP)) {
        w_help_dump(p, NULL, NULL);
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
        w_help_print(p, commands, dflt);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
        w_help_print_version(p);
        return w_cli_finish(W_DONE, NULL) + 1;
    }
    if (!strcmp(word, W_HELP_DUMP)) {
        w_help_dump(p, commands, dflt);
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

enum w_status w_cli_set_keys(struct w_conf *conf, const struct w_text_list *sets, struct w_err *err)
{
    for (size_t i = 0; i < sets->count; i++) {
        enum w_status status = w_conf_set(conf, sets->items[i], err);
        if (status)
            return w_fail_at(err, status, "--set %.100s", sets->items[i]);
    }
    return W_DONE;
}

bool w_cli_sets_key(const struct w_text_list *sets, const char *key)
{
    const size_t length = strlen(key);

    for (size_t i = 0; i < sets->count; i++)
        if (!strncmp(sets->items[i], key, length) && sets->items[i][length] == '=')
            return true;
    return false;
}

/* ---- outputs and terminals ---- */

struct w_write_options w_cli_write_options(const struct w_writing *writing, u64 threads)
{
    /* Two: the caller's own, which only compresses where it would wait, and one beside it. */
    return (struct w_write_options){.threads = (u32)W_MAX(threads, 2),
                                    .level = (int)writing->level};
}

u32 w_cli_threads(u64 asked)
{
    struct w_machine machine;
    const char *why = "";

    w_machine_read(&machine, "");
    return w_machine_threads(&machine, asked, getenv("OMP_NUM_THREADS"), &why);
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

char **w_cli_paths(char **operands)
{
    static char *standard_input[] = {"-", NULL};

    return *operands ? operands : standard_input;
}

/* ---- the end ---- */

enum w_status w_cli_print_json(struct w_json *json, bool pretty, struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum w_status status = W_DONE;

    if (!pretty)
        status = w_json_line(json, &text, &size, err);
    else if (!(text = w_json_pretty(json, err)))
        status = W_NOMEM;
    if (!status && (pretty ? puts(text) == EOF : fwrite(text, 1, size, stdout) < size))
        status = w_fail_errno(err, "standard output: cannot write");
    free(text);
    w_json_free(json);
    return status;
}

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
