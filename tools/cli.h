/* cli.h - what every program does the same way: parse the command line from its option table, help,
 * version, messages, signals, and the checked end.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct settings set = {0};
 *         struct w_err err = {0};
 *         int stop = w_cli_parse(&program, &set, &argc, &argv);   // 0, or exit status + 1
 *         if (stop)
 *             return stop - 1;
 *         enum w_status status = run(&set, argc, argv, &err);     // argv: the operands left
 *         return w_cli_finish(status, &err);
 *     }
 */
#ifndef W_CLI_H
#define W_CLI_H

#include <signal.h>
#include <stddef.h>

#include "conf/option.h"

/* Where an option's row puts its value: every program and command has a `struct settings` of its
 * own. */
#define AT(field) offsetof(struct settings, field)

/* The name, operands and options of a program, or of one command of a program. Its help, and the
 * SYNOPSIS, OPTIONS and EXAMPLES of its manual page, are made from this. */
struct w_program {
    const char *name;     /* "wtok encode" */
    const char *summary;  /* one line */
    const char *operands; /* "[FILE ...]", or "" */
    const char *about;    /* a paragraph for --help */
    const struct w_option *options;
    const char *const *examples; /* pairs: what it does, command; NULL ends */
};

/* Options that every program has; they are handled by the parser. */
struct w_common {
    bool quiet, verbose;
};
extern struct w_common w_common;

/* Parse options in any place of the command line ("--" ends them); the operands remain in argc,
 * argv. Fields get their defaults first. --help and --version print to standard output; a mistake
 * prints one line with a suggestion to standard error. Returns 0 to go on, else the exit status
 * plus 1. */
int w_cli_parse(const struct w_program *program, void *fields, int *argc, char ***argv);

/* The same for a program with commands: finds argv[1] in the table and shifts it away. *found is,
 * at the call, the default command, or NULL: if argv[1] names no command, the default one gets all
 * arguments. A misspelt name that is not a file either is refused. Handles --help and --version of
 * the program itself. Returns 0 and the command, or exit status + 1. A command's run() is a main()
 * as above: it parses its own options and returns the exit status. */
struct w_command {
    const char *name;
    const struct w_program *program;
    int (*run)(int argc, char **argv);
};
int w_cli_command(const struct w_program *program, const struct w_command *commands, int *argc,
                  char ***argv, const struct w_command **found);

/* ---- messages on standard error, one line each, after the program's name ---- */
void w_say(const char *format, ...) W_PRINTF(1, 2);    /* not with -q */
void w_detail(const char *format, ...) W_PRINTF(1, 2); /* only with -v */
void w_warn(const char *format, ...) W_PRINTF(1, 2);
/* A progress line: redrawn in place at most 4 times a second on a terminal; in a log a plain line
 * every 10 s, later every 60 s; nothing with -q. `last` prints the final one in any case. */
void w_progress(bool last, const char *format, ...) W_PRINTF(2, 3);
/* "41s", "3m07s", "2h52m"; returns text. */
const char *w_short_time(char text[24], double seconds);

/* ---- signals ---- */
/* The number of the SIGINT, SIGTERM or SIGHUP that arrived, or 0. A call that waits for input or
 * for a reader then returns W_SIGNAL. A second signal ends the process at once. w_cli_finish()
 * raises it again, so that the shell sees how the program ended. */
extern volatile sig_atomic_t w_signal_stop;
void w_cli_catch_signals(void);
extern volatile sig_atomic_t w_signal_save; /* SIGUSR1 arrived; the tool sets it back */
void w_cli_catch_save(void);

/* The next three return W_USAGE, with what to do, or W_DONE.
 * Refuse to write binary data to a terminal. */
enum w_status w_cli_refuse_terminal(const char *output_path, const char *hint,
                                    struct w_err *err) W_MUST_CHECK;
/* Refuse two outputs of one name: one would be lost. NULL and "-" are standard output. */
enum w_status w_cli_refuse_same(const char *a, const char *b, struct w_err *err) W_MUST_CHECK;
/* Refuse to wait for typed input: standard input is a terminal and no file was named. */
enum w_status w_cli_refuse_typing(const char *hint, struct w_err *err) W_MUST_CHECK;

/* Print the error, if any, close standard output and check that, and give the exit status. */
int w_cli_finish(enum w_status status, const struct w_err *err);

/* The program's own command line as one printable string, for provenance; static storage. */
const char *w_cli_command_line(void);

#endif
