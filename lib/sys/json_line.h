/* json_line.h - one member out of each object of JSON Lines, while the bytes come.
 *
 *     w_json_line_init(&j, "text");
 *     status = w_json_line_feed(&j, bytes, size, &used, &err);     // W_NO: feed more
 *     if (!status && j.has_text)                                   // else a blank line
 *         use(j.text.at, j.text.size);
 *     w_json_line_release(&j);
 *
 * Of a line only the text of that member is kept, so that other members cost no memory, however
 * many, long or deep they are. Lenient where nothing is lost by it, since lines come from programs
 * that write them so: half a surrogate pair (Python's json.dumps) becomes U+FFFD; \u0000 is a NUL;
 * NaN and Infinity are numbers; strings may hold control characters; what is in strings that are
 * not read need not be UTF-8, and keys but that of the member may repeat. Everything else has to be
 * JSON (RFC 8259). */
#ifndef W_JSON_LINE_H
#define W_JSON_LINE_H

#include "base/buffer.h"
#include "base/status.h"

#define W_JSON_LINE_LEVELS 65536 /* of arrays and objects in each other */
#define W_JSON_LINE_TEXT_MIB 256 /* of the text */

struct w_json_line {
    const char *name; /* of the member; the caller's */
    /* Of the line, once feed() gives W_DONE. */
    bool has_text;
    struct w_buffer text; /* of the member, without escapes */
    u64 value_at,
        value_size; /* where it is written, quotes included: bytes from the line's first */
    u64 line;       /* its number, from 1 on */

    /* of the parser */
    u8 state, expected, hex_digits;
    bool reads_key, reads_text, is_name, seen;
    u32 code, high;     /* of an escape; the first half of a surrogate pair, or 0 */
    size_t key_size;    /* of the key at hand, as far as it is the name */
    const char *word;   /* what is left of true, Infinity ... */
    u64 offset, column; /* of the byte at hand in the line: bytes; characters, from 1 on */
    u64 text_column;    /* where the text begins */
    u32 depth;
    u8 objects[W_JSON_LINE_LEVELS / 8]; /* a bit for each level: is it an object? */
};

/* The number of the next line becomes 1. */
void w_json_line_init(struct w_json_line *, const char *name);
void w_json_line_release(struct w_json_line *); /* harmless on zeroes */

/* Take in bytes up to the end of the line, its newline included; *used says how many. W_DONE: the
 * line is over; W_NO: it goes on after these. W_CORRUPT: no object with such a member, with the
 * line and the column; W_LIMIT; W_NOMEM. */
enum w_status w_json_line_feed(struct w_json_line *, const u8 *bytes, size_t size, size_t *used,
                               struct w_err *) W_MUST_CHECK;
/* The bytes end, and so does the line, if there is one. W_END: there is none; else as
 * w_json_line_feed(). */
enum w_status w_json_line_end(struct w_json_line *, struct w_err *) W_MUST_CHECK;

#endif
