/* commands.h - the commands of wcachefit: what each is called and takes, and what it does. */
#ifndef WCACHEFIT_COMMANDS_H
#define WCACHEFIT_COMMANDS_H

#include "tools/wcachefit/inputs.h"

/* They return W_NO where a requirement or a prediction does not hold. */
extern const struct w_program report_command, calibrate_command, verify_command, search_command,
    fit_command, plot_command, host_command;

/* wcachefit calibrate --network, in each of two ranks: measure what connects them, and write a file
 * for the option --network. W_USAGE: not two ranks; W_IO, W_NOMEM. After a failure among ranks it
 * does not return. */
enum w_status calibrate_network(struct settings *, struct w_err *) W_MUST_CHECK;

#endif
