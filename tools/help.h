/* help.h - what --help and --version print, from the table of a program (tools/cli.h), to standard
 * output.
 *
 * commands: those of the program, or NULL; dflt: the one that is meant where none is named, or
 * NULL. */
#ifndef W_HELP_H
#define W_HELP_H

#include "conf/option.h"

struct w_program;
struct w_command;

/* The options that every program has, after its own; fields of w_common. */
extern const struct w_option w_common_options[];

void w_help_print(const struct w_program *, const struct w_command *commands,
                  const struct w_command *dflt);
void w_help_print_version(const struct w_program *);

/* For the generators of manual pages and completions; not shown to people. A line for each option,
 * fields separated by tabs: name, letter, argument, choices, default, help; and for each command:
 * name, summary, whether it is the default. */
#define W_HELP_DUMP "--dump-options"
void w_help_dump(const struct w_program *, const struct w_command *commands,
                 const struct w_command *dflt);

#endif
