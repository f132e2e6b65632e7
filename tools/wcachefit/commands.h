/* commands.h - the commands of wcachefit: what each is called and takes, and what it does. */
#ifndef WCACHEFIT_COMMANDS_H
#define WCACHEFIT_COMMANDS_H

#include "tools/wcachefit/inputs.h"

struct command {
    struct w_program program; /* first, because main() finds the command by it */
    /* argv: the operands. W_NO: a requirement or a prediction does not hold. */
    enum w_status (*run)(struct settings *, int argc, char **argv, struct w_err *);
};

extern const struct command report_command, calibrate_command, verify_command, search_command,
    fit_command, plot_command, host_command;

#endif
