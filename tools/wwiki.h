/* wwiki.h - shared by the commands of wwiki. */
#ifndef W_WWIKI_H
#define W_WWIKI_H

#include "sys/text_files.h"
#include "tools/cli.h"

extern const struct w_program wwiki_extract_program, wwiki_clean_program;

/* Options about files, for a command whose settings have this as member `io`. */
struct wwiki_io {
    const char *output, *log;
    u64 threads;
};
/* clang-format off */
#define WWIKI_IO_OPTIONS(settings)                                                                 \
    {"output", 'o', W_OPT_TEXT, offsetof(settings, io.output), "FILE",                             \
     .output = true,                                                                               \
     .help = "Write to FILE, which appears when it is complete. Default: standard output."},       \
    {"log", 0, W_OPT_TEXT, offsetof(settings, io.log), "FILE", .output = true,                     \
     .help = "Write the numbers of the closing line to FILE, as a JSON object."},                   \
    {"threads", 't', W_OPT_COUNT, offsetof(settings, io.threads), "N", .min = 1, .max = 256,       \
     .help = "Threads that decompress, and as many that render. Default: OMP_NUM_THREADS, else "   \
             "the cores that may be used. The bytes do not depend on it."}
/* clang-format on */

/* One run, from its input to its output. */
struct run {
    const void *settings; /* of the command */
    struct w_file_list list;
    struct w_text_files files; /* of the list, one after the other */
    struct w_output out;
    u32 threads;
    double started_s;
    /* For the end: the name in the log, and the words after the value in the closing line. */
    struct {
        const char *name, *words;
        u64 value;
    } figures[12];
    size_t figure_count;
};

/* List files and open the output, do the work of a command on them, print its figures, and write
 * the log. Fails as these do, and with W_USAGE where output, log or a named file are one, or input
 * would be a terminal. */
typedef enum w_status wwiki_work(struct run *, struct w_err *);
enum w_status wwiki_run(const struct wwiki_io *, wwiki_work *work, const void *settings, int argc,
                        char **argv, struct w_err *) W_MUST_CHECK;
void wwiki_figure(struct run *, const char *name, const char *words, u64 value);

/* Show the progress: documents, or NULL where the text has none; bytes read. */
void wwiki_progress(const struct run *, const u64 *documents);

#endif
