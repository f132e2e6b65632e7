/* commands.h - the commands of wcachefit: what each is called and takes, and its main(). */
#ifndef WCACHEFIT_COMMANDS_H
#define WCACHEFIT_COMMANDS_H

#include "tools/cli.h"

extern const struct w_program wcachefit_report_program, wcachefit_calibrate_program,
    wcachefit_verify_program, wcachefit_search_program, wcachefit_fit_program,
    wcachefit_plot_program, wcachefit_host_program;
int wcachefit_report(int argc, char **argv);
int wcachefit_calibrate(int argc, char **argv);
int wcachefit_verify(int argc, char **argv);
int wcachefit_search(int argc, char **argv);
int wcachefit_fit(int argc, char **argv);
int wcachefit_plot(int argc, char **argv);
int wcachefit_host(int argc, char **argv);

#endif
