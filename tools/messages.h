/* messages.h - what programs say on standard error: messages of a line each, after the program's
 * name, and one line of progress. What comes from a file or from the command line may hold
 * anything: control characters, which a terminal obeys, are shown as '?', here and nowhere else. */
#ifndef W_MESSAGES_H
#define W_MESSAGES_H

#include <stdarg.h>

#include "base/base.h"

enum w_progress_when { W_PROGRESS_AUTO, W_PROGRESS_ALWAYS, W_PROGRESS_NEVER };

/* Options that every program has; the parser of options sets them. */
struct w_common {
    bool quiet, verbose;
    bool mute;    /* not a word: another rank speaks for this process; no option */
    u32 progress; /* enum w_progress_when */
};
extern struct w_common w_common;

/* To be called as a program begins: the name that stands before every message; it must stay
 * alive. */
void w_messages_from(const char *program);

void w_say(const char *format, ...) W_PRINTF(1, 2);    /* not with -q */
void w_detail(const char *format, ...) W_PRINTF(1, 2); /* only with -v */
void w_warn(const char *format, ...) W_PRINTF(1, 2);
void w_problem(const char *format, ...) W_PRINTF(1, 2); /* why the program ends */
/* Any of them: prefix stands between the program's name and the text. */
void w_message(const char *prefix, const char *format, va_list args) W_PRINTF(2, 0);

/* Warn of files that were left out since they are no text, if there are any. */
struct w_kind_counts; /* sys/file_kind.h */
void w_warn_left_out(const struct w_kind_counts *);

/* Say that a text is split inside (data/parts.h), at the share for validation. */
void w_say_split_inside(double val_fraction);

/* Warn of rows of the table of ids that a vocabulary of so many ids never uses, if they are a
 * hundredth of the parameters or more. */
struct w_conf; /* conf/conf.h */
void w_warn_unused_rows(const struct w_conf *, u64 vocab);

/* A progress line of fields with ", " between them, the last one the ETA if there is one. On a
 * terminal it is redrawn in place at most 4 times a second, in the terminal's width: fields are
 * left out from the right, but not the ETA. In a log it is a plain line every 10 s, later every 60
 * s. The first comes when the program has run for a second. Nothing with -q. `last` prints the
 * final one in any case. */
void w_progress(bool last, const char *format, ...) W_PRINTF(2, 3);
/* The usual line of a task of which it is known how far it is, and perhaps how far it goes: "read
 * 3.1 of 9.0 MB, 120.0 MB/s, ETA 1s". */
struct w_task {
    const char *verb, *unit; /* "read", "MB" */
    double done, all;        /* in that unit; all 0: not known */
    double seconds;          /* that it took so far */
    int digits;              /* after the point */
};
void w_progress_of(bool last, const struct w_task *);
/* Take the progress line off the terminal, before something else is printed there. */
void w_progress_erase(void);
/* Make a progress line fit into so many columns. */
void w_progress_fit(char *line, size_t columns);

/* "1 document", "2 documents", "3 batches"; returns text. */
#define W_COUNTED 48 /* bytes of such a text */
const char *w_counted(char text[W_COUNTED], u64 count, const char *noun);

/* "41s", "3m07s", "2h52m"; returns text. */
const char *w_short_time(char text[24], double seconds);

#endif
