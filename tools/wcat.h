/* wcat.h - what the commands of wcat share. */
#ifndef W_WCAT_H
#define W_WCAT_H

#include "data/id_stats.h"
#include "tools/cli.h"
#include "wire/stream.h"

extern const struct w_program wcat_show_program, wcat_verify_program, wcat_raw_program,
    wcat_copy_program, wcat_split_program;

#define WCAT_OUTPUT_OPTION(settings)                                                               \
    {                                                                                              \
        "output", 'o', W_OPT_TEXT, offsetof(settings, output), "FILE",                             \
            .output = true,                                                                        \
            .help =                                                                                \
                "Write to FILE, which appears when it is complete, instead of standard output."    \
    }

struct source {
    struct w_input in;
    struct w_reader *reader;
    double opened_s;
};

/* Open a path; "-" is standard input: W_USAGE if that is a terminal. Else as w_input_open() and
 * w_reader_open(). Close it also after a failure. While it is read, each frame shows progress; who
 * looks at the frames himself calls wcat_progress(). */
enum w_status wcat_open(struct source *, const char *path, struct w_err *) W_MUST_CHECK;
void wcat_progress(const struct source *, u64 offset);
void wcat_close(struct source *);

/* Counts of a stream, read as a whole and checked. */
struct totals {
    u64 members, frames, records, raw, stored, bytes;
    struct w_id_stats ids; /* its counts; its memory is released */
    bool tokens;
};
/* first: becomes a copy of the first header, to be freed; or NULL. W_TRUNCATED: there is no stream;
 * else as reading one. */
enum w_status wcat_count(const char *path, struct totals *, struct w_header *first,
                         struct w_err *) W_MUST_CHECK;
/* Write what is in a stream, for people, in lines of at most 80 columns. Status as above. */
enum w_status wcat_summary(const char *path, struct w_output *, struct w_err *) W_MUST_CHECK;

/* Check all files, also after a bad one: a warning for each bad one but the last, whose status and
 * error are returned. */
enum w_status wcat_verify_all(char **paths, struct w_err *) W_MUST_CHECK;

/* Write the bytes of all records; W_USAGE to a terminal. */
enum w_status wcat_raw_all(char **paths, const char *output, struct w_err *) W_MUST_CHECK;

/* The keys that describe every single record, NULL after the last: a copy of records keeps them.
 * The other keys say how the records were chosen, which no longer holds for it; they are in
 * "src". */
extern const char *const wcat_of_records[];
/* The header of records that were copied from a stream with the header `first`; traced: with
 * command line and origin. The caller frees it. As w_header_from_json() and w_prov_add(). */
enum w_status wcat_header(struct w_header *, const struct w_header *first, bool traced,
                          struct w_err *) W_MUST_CHECK;

/* Do the work of a command: paths ends with NULL; without any, standard input is read. output is a
 * file, or NULL for standard output. The file appears when the work ends with W_DONE. All output of
 * a command goes through one w_output, so that a full disk or a closed pipe is noticed in one
 * place. Returns the status of the work, or as w_output_open() and w_output_commit(). */
typedef enum w_status wcat_work(const void *settings, char **paths, struct w_output *,
                                struct w_err *);
enum w_status wcat_write(const char *output, char **paths, wcat_work *work, const void *settings,
                         struct w_err *) W_MUST_CHECK;

#endif
