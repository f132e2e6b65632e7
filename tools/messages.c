#include "tools/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strnum.h"
#include "base/utf8.h"
#include "net/tensors.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/file_kind.h"

struct w_common w_common;

static const char *program_name = "wtools";
static double began_s; /* when the program did */
static size_t drawn;   /* characters of the progress line that the terminal shows */

void w_messages_from(const char *program)
{
    program_name = program;
    began_s = w_now_s();
}

/* ---- messages ---- */

void w_message(const char *prefix, const char *format, va_list args)
{
    char text[8192];

    if (w_common.mute)
        return;
    vsnprintf(text, sizeof text, format, args);
    w_utf8_hide_controls(text);
    w_progress_erase();
    fprintf(stderr, "%s: %s%s\n", program_name, prefix, text);
}

void w_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!w_common.quiet)
        w_message("", format, args);
    va_end(args);
}

void w_detail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (w_common.verbose)
        w_message("", format, args);
    va_end(args);
}

void w_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    w_message("warning: ", format, args);
    va_end(args);
}

void w_warn_left_out(const struct w_kind_counts *left_out)
{
    char names[768];

    w_kind_counts_list(left_out, names, sizeof names);
    if (left_out->files)
        w_warn("%llu %s no text and left out: %s", (unsigned long long)left_out->files,
               left_out->files == 1 ? "file is" : "files are", names);
}

void w_say_split_inside(double val_fraction)
{
    w_say("by document, --val-fraction %g leaves a part empty: the last tokens of the text are for "
          "validation",
          val_fraction);
}

void w_warn_unused_rows(const struct w_conf *conf, u64 vocab)
{
    const u64 rows = conf->vocab_size - W_MIN(vocab, conf->vocab_size);
    struct w_tensors tensors = {0};
    double share = 0;

    if (rows && !w_tensors_make(&tensors, conf, NULL))
        share = (double)rows * (double)conf->d_model / (double)tensors.parameters;
    w_tensors_free(&tensors);
    if (share >= 0.01)
        w_warn("vocab_size is %llu, but the vocabulary has %llu ids: %llu rows, %.0f %% of the "
               "parameters, are never trained; --set vocab_size=%llu does without them",
               (unsigned long long)conf->vocab_size, (unsigned long long)vocab,
               (unsigned long long)rows, 100 * share, (unsigned long long)vocab);
}

void w_problem(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    w_message("", format, args);
    va_end(args);
}

/* ---- progress ---- */

/* Columns of the terminal: as it says itself, so that a changed window counts at the next drawing;
 * else $COLUMNS; else 80. */
static size_t terminal_columns(void)
{
    struct winsize window;
    struct w_err err;
    const char *columns = getenv("COLUMNS");
    u64 n;

    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col > 0)
        return window.ws_col;
    return columns && !w_parse_count(columns, 1, 10000, &n, &err) ? (size_t)n : 80;
}

/* Two programs of a pipeline must not draw on one line: the last one draws. */
static bool writes_into_pipe(void)
{
    struct stat st;
    return !fstat(STDOUT_FILENO, &st) && S_ISFIFO(st.st_mode);
}

void w_progress_fit(char *line, size_t columns)
{
    char *tail = strstr(line, ", ETA ");
    size_t used = strlen(line), kept = tail ? strlen(tail) : 0;

    if (!tail)
        tail = line + used;
    while (used > columns) {
        *tail = 0;
        char *field = strrchr(line, ',');
        *tail = kept ? ',' : 0;
        if (!field) {
            line[columns] = 0;
            return;
        }
        memmove(field, tail, kept + 1);
        used -= (size_t)(tail - field);
        tail = field;
    }
}

void w_progress_erase(void)
{
    if (!drawn)
        return;
    /* A window that has become narrower shows the line in several rows. */
    for (size_t rows = (drawn - 1) / terminal_columns(); rows > 0; rows--)
        fputs("\r\033[K\033[A", stderr);
    fputs("\r\033[K", stderr);
    drawn = 0;
}

void w_progress(bool last, const char *format, ...)
{
    static double next_s;
    double now_s = w_now_s();
    const char *term = getenv("TERM");
    bool redraw = w_is_terminal(STDERR_FILENO) && term && strcmp(term, "dumb");
    char line[1024];

    if (next_s == 0)
        next_s = began_s + 1;
    if (w_common.mute || w_common.quiet || w_common.progress == W_PROGRESS_NEVER ||
        (!last && now_s < next_s) || (w_common.progress == W_PROGRESS_AUTO && writes_into_pipe()))
        return;
    next_s = now_s + (redraw ? 0.25 : now_s - began_s < 60 ? 10 : 60);
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    w_utf8_hide_controls(line);
    w_progress_erase();
    if (redraw)
        w_progress_fit(line, terminal_columns() - 1); /* in the last column some terminals wrap */
    fputs(line, stderr);
    if (redraw && !last)
        drawn = strlen(line);
    else
        fputc('\n', stderr);
    fflush(stderr);
}

void w_progress_of(bool last, const struct w_task *w)
{
    const double rate = w->seconds > 0 ? w->done / w->seconds : 0;
    char all[48] = "", left[48] = "", eta[24];

    if (w->all >= w->done && w->all > 0 && !last)
        snprintf(all, sizeof all, "of %.*f ", w->digits, w->all);
    if (*all && rate > 0)
        snprintf(left, sizeof left, ", ETA %s", w_short_time(eta, (w->all - w->done) / rate));
    w_progress(last, "%s %.*f %s%s, %.*f %s/s%s", w->verb, w->digits, w->done, all, w->unit,
               w->digits, rate, w->unit, left);
}

const char *w_counted(char text[W_COUNTED], u64 count, const char *noun)
{
    const size_t length = strlen(noun);
    const bool hissing = length > 0 && noun[length - 1] == 'h'; /* batch */

    snprintf(text, W_COUNTED, "%llu %.20s%s", (unsigned long long)count, noun,
             count == 1 ? ""
             : hissing  ? "es"
                        : "s");
    return text;
}

const char *w_short_time(char text[24], double seconds)
{
    unsigned long s = seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 1000000000ul;

    if (s < 60)
        snprintf(text, 24, "%lus", s);
    else if (s < 3600)
        snprintf(text, 24, "%lum%02lus", s / 60, s % 60);
    else
        snprintf(text, 24, "%luh%02lum", s / 3600, s % 3600 / 60);
    return text;
}
