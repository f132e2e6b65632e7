#include "tools/signals.h"

volatile sig_atomic_t w_signal_stop;
volatile sig_atomic_t w_signal_save;

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

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

void w_signals_catch_save(void)
{
    catch_signal(SIGUSR1, on_save, SA_RESTART);
}

void w_signals_catch(void)
{
    for (size_t i = 0; i < W_COUNTOF(stops); i++)
        catch_signal(stops[i], on_stop, 0);
}

bool w_signal_is_stop(int number)
{
    bool is_stop = false;

    for (size_t i = 0; i < W_COUNTOF(stops); i++)
        is_stop = is_stop || stops[i] == number;
    return is_stop;
}

enum w_status w_signals_check(struct w_err *err)
{
    return w_signal_stop ? w_fail(err, W_SIGNAL, "stopped by a signal") : W_DONE;
}
