/* cli.h - what every program does the same way: parse the command line from its option table, help,
 * version, messages, signals, and the checked end.
 *
 *     static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err);
 *
 *     int main(int argc, char **argv)
 *     {
 *         return w_cli_run(&program, argc, argv);
 *     }
 *
 * Where a program has to do more, it calls w_cli_parse() and w_cli_finish() itself. */
#ifndef W_CLI_H
#define W_CLI_H

#include <stddef.h>

#include "conf/option.h"
#include "sys/json.h"
#include "tools/messages.h"
#include "tools/signals.h"
#include "wire/stream.h"

/* Where an option's row puts its value: every program and command has a `struct settings` of its
 * own. */
struct settings;
#define AT(field) offsetof(struct settings, field)

/* A program, or one command of a program: its name, operands and options, from which its help and
 * the SYNOPSIS, OPTIONS and EXAMPLES of its manual page are made; and its work. */
struct w_program {
    const char *name;     /* "wtok encode" */
    const char *summary;  /* one line */
    const char *operands; /* "[FILE ...]", or "" */
    const char *about;    /* a paragraph for --help */
    const struct w_option *options;
    const char *const *examples; /* pairs: what it does, command; NULL ends */
    /* For w_cli_run(): the size of the settings, which are zeros before the options are parsed; and
     * the work. argv: the operands, then NULL. */
    size_t settings_bytes;
    enum w_status (*run)(struct settings *, int argc, char **argv, struct w_err *);
};

/* Parse options in any place of the command line ("--" ends them); the operands remain in argc,
 * argv. Fields get their defaults first. An output (`output` in its row) that is also an input, so
 * an operand or the FILE of another option, is refused, and one that cannot be written. --help and
 * --version print to standard output; a mistake prints one line with a suggestion to standard
 * error. Returns 0 to go on, else the exit status plus 1. */
int w_cli_parse(const struct w_program *program, void *fields, int *argc, char ***argv);

/* The whole of main() for a program without commands: parse the options, run, finish. Returns the
 * exit status. */
int w_cli_run(const struct w_program *program, int argc, char **argv);

/* Commands of a program; a row without a name ends the table. */
struct w_command {
    const char *name;
    const struct w_program *program;
};

/* Find the command that argv[1] names and shift that word away. *found is, at the call, the default
 * command, or NULL: if argv[1] names no command, the default one gets all arguments. A misspelt
 * name that is not a file either is refused. Handles --help and --version of the program itself.
 * Returns 0 and the command, or exit status + 1. */
int w_cli_command(const struct w_program *program, const struct w_command *commands, int *argc,
                  char ***argv, const struct w_command **found);

/* The whole of main() for a program with commands. dflt: the command where none is named, or
 * NULL. */
int w_cli_main(const struct w_program *program, const struct w_command *commands,
               const struct w_command *dflt, int argc, char **argv);

/* Change the keys of a configuration that --set names, KEY=VALUE each; w_conf_check() is the
 * caller's. W_USAGE, with the one that is refused. */
struct w_conf; /* conf/conf.h */
enum w_status w_cli_set_keys(struct w_conf *, const struct w_text_list *sets,
                             struct w_err *) W_MUST_CHECK;
bool w_cli_sets_key(const struct w_text_list *sets, const char *key); /* one of them names it */

/* ---- streams that a command writes ---- */
/* How: for a command whose settings have this as member `writing`. */
struct w_writing {
    const char *output; /* NULL: standard output */
    u64 level;
    bool no_provenance;
};
/* Their rows. default_level: "1" for tokens and batches, "0" for others. */
#define W_WRITING_OPTIONS(settings, default_level)                                                 \
    {"output",                                                                                     \
     'o',                                                                                          \
     W_OPT_TEXT,                                                                                   \
     offsetof(settings, writing.output),                                                           \
     "FILE",                                                                                       \
     .aside = true,                                                                                \
     .output = true,                                                                               \
     .help = "Write to FILE, which appears when it is complete. Default: standard "                \
             "output."},                                                                           \
        {"level",                                                                                  \
         0,                                                                                        \
         W_OPT_COUNT,                                                                              \
         offsetof(settings, writing.level),                                                        \
         "N",                                                                                      \
         default_level,                                                                            \
         .max = 9,                                                                                 \
         .aside = true,                                                                            \
         .help = "Compression: 0 for none, 1 fast to 9 small; of tokens and batches, all but 0 "   \
                 "make the same."},                                                                \
    {                                                                                              \
        "no-provenance", 0, W_OPT_FLAG, offsetof(settings, writing.no_provenance),                 \
            .aside = true,                                                                         \
            .help = "Leave the command line and the source's header out of the header."            \
    }
/* The same for the library: compression goes on beside the work, on `threads`, and one at least. */
struct w_write_options w_cli_write_options(const struct w_writing *, u64 threads);

/* Threads of a program whose --threads is 0 by default: `asked`, else OMP_NUM_THREADS, else the
 * physical cores that may be used. */
u32 w_cli_threads(u64 asked);

/* The next three return W_USAGE, with what to do, or W_DONE.
 * Refuse to write binary data to a terminal. */
enum w_status w_cli_refuse_terminal(const char *output_path, const char *hint,
                                    struct w_err *err) W_MUST_CHECK;
/* Refuse two outputs of one name or file: one would be lost. NULL and "-" are standard output. */
enum w_status w_cli_refuse_same(const char *a, const char *b, struct w_err *err) W_MUST_CHECK;
/* Refuse to wait for typed input: standard input is a terminal and no file was named. */
enum w_status w_cli_refuse_typing(const char *hint, struct w_err *err) W_MUST_CHECK;

/* The paths to read: the operands, or, where there are none, standard input. NULL ends them. */
char **w_cli_paths(char **operands);

/* Print JSON, which is freed, on standard output: as one line, or as indented lines. W_NOMEM, W_IO,
 * W_PIPE. */
enum w_status w_cli_print_json(struct w_json *, bool pretty, struct w_err *err) W_MUST_CHECK;

/* Print the error, if any, close standard output and check that, and give the exit status. */
int w_cli_finish(enum w_status status, const struct w_err *err);

/* The program's own command line as one printable string, for logs; static storage. Words are
 * quoted where a shell needs that. */
const char *w_cli_command_line(void);
/* The same for the headers of streams: with the name of the command, and without the options that
 * decide no record (`aside` in their rows), so that the bytes of a stream do not depend on them. */
const char *w_cli_provenance(void);
/* Append a word to a command line, quoted where a shell needs that, as far as there is room. */
void w_cli_add_word(char *line, size_t size, const char *word);

#endif
