/* signals.h - the signals that a program heeds. */
#ifndef W_SIGNALS_H
#define W_SIGNALS_H

#include <signal.h>

#include "base/status.h"

/* The number of the SIGINT, SIGTERM or SIGHUP that arrived, or 0. A call that waits for input or
 * for a reader then returns W_SIGNAL. A second signal ends the process at once. w_cli_finish()
 * raises it again, so that the shell sees how the program ended. */
extern volatile sig_atomic_t w_signal_stop;
void w_signals_catch(void);
bool w_signal_is_stop(int number); /* one of those three */
/* W_SIGNAL once such a signal has arrived. To be called again after the last input, so that a
 * stopped program does not report success. */
enum w_status w_signals_check(struct w_err *) W_MUST_CHECK;
extern volatile sig_atomic_t w_signal_save; /* SIGUSR1 arrived; the tool sets it back */
void w_signals_catch_save(void);

#endif
