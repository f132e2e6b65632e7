/* import.h - make a vocabulary from that of another program.
 *
 * Other formats give ids to byte strings and list merges of byte strings; a reader hands over both
 * as they come, tokens before merges. The rest is the same for all: every byte must have an id; a
 * token that no merge makes is an added one; one of the special tokens ends documents.
 *
 *     struct w_import f;
 *     status = w_import_init(&f, &err);
 *     status = w_import_token(&f, id, bytes, size, W_IMPORT_NORMAL, &err);  // for each
 *     status = w_import_merge(&f, left, left_size, right, right_size, &err);
 *     status = w_import_finish(&f, &options, &vocab, &err);
 *     w_import_release(&f); */
#ifndef W_IMPORT_H
#define W_IMPORT_H

#include "text/token_set.h"
#include "text/vocab.h"

/* Facts about a vocabulary that the user gives; zeroes: none. */
struct w_import_options {
    bool has_split;
    enum w_split split; /* for formats that do not say it */
    const char *end;    /* name of the token that ends documents; it is added if it is missing */
};

enum w_import_kind {
    W_IMPORT_NORMAL,
    W_IMPORT_SPECIAL,
    W_IMPORT_UNMADE, /* normal if a merge makes it, else special: for formats that do not say */
};

struct w_import {
    enum w_split split;
    bool whole_words;
    bool has_end_id;
    u32 eot_id; /* of the token that ends documents, if the format says so */

    /* inside */
    struct w_token_set tokens; /* by slot; the 256 bytes come first */
    struct w_import_slot *slots;
    struct w_merge *merges; /* of slots */
    u32 *made;              /* slots that merges make first, in that order */
    size_t slot_room, merge_room;
    u32 merge_count, made_count;
};

/* W_NOMEM. */
enum w_status w_import_init(struct w_import *, struct w_err *) W_MUST_CHECK;
void w_import_release(struct w_import *); /* harmless on zeroes */

/* The same id and bytes again are accepted: a special token may be listed among the normal ones.
 * W_CORRUPT: no bytes, bytes of another id, a special token that is one byte or not UTF-8; W_LIMIT:
 * an id or size beyond token_set.h; W_NOMEM. */
enum w_status w_import_token(struct w_import *, u32 id, const u8 *bytes, size_t size,
                             enum w_import_kind, struct w_err *) W_MUST_CHECK;
/* The same for a token in letters (byte_letters.h). One with other characters cannot come from
 * text: it is special, and the characters are its name. A special token of this id and name is left
 * as it is. */
enum w_status w_import_letters(struct w_import *, u32 id, const char *letters, size_t size,
                               enum w_import_kind, struct w_err *) W_MUST_CHECK;

/* The next merge, by rank. W_CORRUPT: a half or the result is no normal token; W_LIMIT; W_NOMEM. */
enum w_status w_import_merge(struct w_import *, const u8 *left, size_t left_size, const u8 *right,
                             size_t right_size, struct w_err *) W_MUST_CHECK;
/* The same for halves in letters, and for a line with one blank between them. W_CORRUPT also for
 * other characters. */
enum w_status w_import_merge_letters(struct w_import *, const char *left, size_t left_size,
                                     const char *right, size_t right_size,
                                     struct w_err *) W_MUST_CHECK;
enum w_status w_import_merge_line(struct w_import *, const char *line, size_t size,
                                  struct w_err *) W_MUST_CHECK;

/* Sort tokens by id. */
void w_import_sort(struct w_token *tokens, u32 count);

/* Make the vocabulary, the caller's after success. W_MISMATCH: a byte without a token; W_USAGE: no
 * token is known to end documents, or options.end is a normal one; else fails as w_vocab_make(). */
enum w_status w_import_finish(struct w_import *, const struct w_import_options *, struct w_vocab **,
                              struct w_err *) W_MUST_CHECK;

#endif
