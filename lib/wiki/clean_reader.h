/* clean_reader.h - clean (clean.h) files of text that another extractor made, each in its own form:
 * WikiExtractor's blocks, JSON Lines or plain text, recognized by its first bytes.
 *
 *     w_clean_reader_new(&c, &options, &err);
 *     w_clean_reader_begin(c, unpack, name, &err);                   // for each file
 *     while (!(status = w_clean_reader_next(c, &text, &err)))        // W_END after its last text
 *         write(text.at, text.size);
 *     w_clean_reader_free(c);
 *
 * A document without remaining text is left out. Of a block only its title and text change, of an
 * object only the bytes of its text. Where a file ends without a newline, the text of the next
 * begins with one. Memory: a window of the file, or its longest line. */
#ifndef W_CLEAN_READER_H
#define W_CLEAN_READER_H

#include "sys/unpack.h"
#include "wiki/clean.h"

enum w_unescape {
    W_UNESCAPE_AUTO, /* a file that w_clean_is_escaped() */
    W_UNESCAPE_YES,
    W_UNESCAPE_NO,
};

struct w_clean_reader_options {
    const char *field; /* of an object: the member that is the text */
    enum w_unescape unescape;
};

struct w_clean_reader_counts {
    u64 documents, empty; /* blocks and objects: written; left out as empty */
    u64 read_bytes;       /* of the files, unpacked */
    struct w_clean_counts removed;
};

struct w_clean_reader;

/* The field stays the caller's and has to live as long. Fails with W_NOMEM. */
enum w_status w_clean_reader_new(struct w_clean_reader **, const struct w_clean_reader_options *,
                                 struct w_err *) W_MUST_CHECK;
void w_clean_reader_free(struct w_clean_reader *); /* accepts NULL */

/* Begin a file: read its first bytes and find its form. Unpack and name stay the caller's until
 * the file has ended. Fails as w_unpack_next() does, and with W_NOMEM. */
enum w_status w_clean_reader_begin(struct w_clean_reader *, struct w_unpack *, const char *name,
                                   struct w_err *) W_MUST_CHECK;

/* The text left of the next lines, perhaps empty. Valid until the next call. W_END at the end of
 * the file; W_CORRUPT for a line that is no object or has no such text; W_TRUNCATED for a file that
 * ends inside a block; W_LIMIT for a line of more than 256 MiB; W_NOMEM; and as w_unpack_next(). */
enum w_status w_clean_reader_next(struct w_clean_reader *, struct w_span *text,
                                  struct w_err *) W_MUST_CHECK;

/* Of all files so far. */
struct w_clean_reader_counts w_clean_reader_counts(const struct w_clean_reader *);

#endif
