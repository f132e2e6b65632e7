/* document.h - texts from files, folders and pipes, one document after the other.
 *
 *     w_documents_open(&d, &options, &err)
 *     while (!(status = w_documents_next(d, &piece, &err)))   // W_END after the last
 *         use(piece.text, piece.size, piece.ends);
 *
 * A document comes in one piece or, when it is long, in several, cut where no word is cut; so
 * memory is bounded for texts of any length, and ids are the same as without cuts.
 *
 * Formats: "plain": a file is a document, byte for byte. "lines": a line is one. "wiki":
 * WikiExtractor's blocks from a line `<doc ...>` to a line `</doc>`; their title line is text.
 * "jsonl": a line is a JSON object, one member of which is the text. "auto" decides for each
 * file by its first bytes. Documents without any byte are left out. A byte order mark hides no
 * format, and is text in "plain" alone.
 *
 * With `nfc` texts are normalised, whatever pieces they come in; sizes and limits are then those of
 * the normalised text.
 *
 * Files may be compressed (sys/unpack.h). What is no text is refused or left out
 * (sys/text_files.h). */
#ifndef W_DOCUMENT_H
#define W_DOCUMENT_H

#include "sys/file_list.h"
#include "text/split.h"

struct w_specials;    /* special.h */
struct w_kind_counts; /* sys/file_kind.h */

enum w_format { W_FORMAT_AUTO, W_FORMAT_PLAIN, W_FORMAT_LINES, W_FORMAT_WIKI, W_FORMAT_JSONL };

/* The format by the first bytes of a file: W_FORMAT_WIKI by a <doc> line, W_FORMAT_JSONL by a line
 * that is an object ("{{about|x}}" is none), else W_FORMAT_PLAIN. is_all: the file has no more
 * bytes. */
enum w_format w_format_guess(const u8 *bytes, size_t size, bool is_all);

struct w_document_options {
    const struct w_file_list *files; /* has to live as long as the reader */
    enum w_format format;
    const char *field; /* jsonl: the member that is the text */
    bool binary;       /* take each file as it is: nothing is unpacked, refused or left out */
    u32 threads;       /* that may unpack, the caller's included; 0 is 1 */
    enum w_split split;
    bool nfc;                          /* give the text in NFC (nfc.h) */
    const struct w_specials *specials; /* names that no cut may split; NULL: none */
    /* Most bytes of each document, and of all text; 0: no limit. Text is cut at the end of a word,
     * so that of a document nothing may be left. */
    u64 document_bytes_max, text_bytes_max;
};

struct w_text_piece {
    const u8 *text; /* valid until the next call */
    size_t size;    /* may be 0 in the last piece of a long document */
    bool ends;      /* the document ends with this piece */
};

struct w_documents;

/* Opens no file yet. Fails with W_NOMEM. */
enum w_status w_documents_open(struct w_documents **, const struct w_document_options *,
                               struct w_err *) W_MUST_CHECK;
/* The next piece. W_END after the last, or where text_bytes_max is reached. W_CORRUPT for text that
 * is not in the file's format, W_TRUNCATED for a file that ends inside a block; W_LIMIT, W_NOMEM
 * and others as w_text_files_next(), w_unpack_read() and w_json_line_feed(). Errors name the file
 * and the place. */
enum w_status w_documents_next(struct w_documents *, struct w_text_piece *,
                               struct w_err *) W_MUST_CHECK;
/* Bytes read so far, of all files, before they were unpacked. */
u64 w_documents_bytes(const struct w_documents *);
/* The files so far that were left out as no text, and those that are no plain text and were
 * taken. */
const struct w_kind_counts *w_documents_left_out(const struct w_documents *);
const struct w_kind_counts *w_documents_doubtful(const struct w_documents *);
void w_documents_close(struct w_documents **); /* accepts NULL */

#endif
