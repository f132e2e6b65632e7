/* file_kind.h - what a file is, by its first bytes: text, or which of the kinds that lie beside
 * text.
 *
 * A row of the table in file_kind.c is a kind: the bytes by which file(1) knows it too, and what to
 * do with it. Data of no known kind is told from text by its control characters, of which text in
 * any encoding that keeps ASCII has next to none; that is a guess, so that such data is still taken
 * where it is named. */
#ifndef W_FILE_KIND_H
#define W_FILE_KIND_H

#include "base/status.h"

enum w_file_taken {
    W_TAKEN_NEVER,
    W_TAKEN_NAMED,  /* by the command line, and not where it is found in a folder; and said */
    W_TAKEN_ALWAYS, /* text with markup of its own; and said */
};

struct w_file_kind {
    const char *name; /* "PDF", "zip archive" */
    const char
        *hint; /* how to get text out of it, as a clause without a subject; NULL: no way is known */
    enum w_file_taken taken; /* as text */
};

/* How many first bytes are looked at. */
#define W_FILE_KIND_BYTES ((size_t)4096)

/* The kind of a file that begins with these bytes, or NULL for text (and for nothing at all).
 * is_all: the file has no more. */
const struct w_file_kind *w_file_kind(const u8 *bytes, size_t size, bool is_all);

/* Where a stream was expected: a clause about what the bytes are and which program makes a stream
 * of them, such as "this is text: wtok encode makes a stream of tokens of it". */
void w_file_kind_no_stream(char *text, size_t text_size, const u8 *bytes, size_t size);

/* The kind of the file that a program is to write. */
extern const struct w_file_kind w_file_kind_output;

/* The size of a byte order mark of UTF-8, 3, or 0. */
size_t w_utf8_mark(const u8 *bytes, size_t size);

/* ---- counting them ---- */

/* Files of some kinds: how many of each, and the name of the first. */
struct w_kind_counts {
    struct w_kind_count {
        const struct w_file_kind *kind;
        u64 count;
        char first[256];
    } * rows;
    size_t count, room;
    u64 files; /* of all kinds */
};

/* W_NOMEM. */
enum w_status w_kind_counts_add(struct w_kind_counts *, const struct w_file_kind *,
                                const char *name, struct w_err *) W_MUST_CHECK;
/* "PDF (a.pdf and 1 more), PNG image (b.png)", as far as there is room. */
void w_kind_counts_list(const struct w_kind_counts *, char *text, size_t size);
void w_kind_counts_release(struct w_kind_counts *); /* harmless on zeroes */

#endif
