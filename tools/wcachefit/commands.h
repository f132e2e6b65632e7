/* commands.h - the commands of wcachefit: what each is called and takes, and what it does. */
#ifndef WCACHEFIT_COMMANDS_H
#define WCACHEFIT_COMMANDS_H

#include "tools/wcachefit/inputs.h"

/* They return W_NO where a requirement or a prediction does not hold. */
extern const struct w_program report_command, calibrate_command, verify_command, search_command,
    fit_command, plot_command, host_command;

#endif
