/* import.h - a vocabulary of another program on its way in.
 *
 * Other formats give ids to byte strings and list merges of byte strings; a reader hands over both as
 * they come, tokens before merges, and the rest is the same for all: every byte must have an id; a
 * token that no merge makes is loose; one of the special tokens ends documents.
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

/* What the user says of a vocabulary; zeroes for nothing. */
struct w_import_options {
    bool has_split;
    enum w_split split; /* for formats that do not say it */
    const char *end;    /* name of the token that ends documents: a new one, if there is none */
};

enum w_import_kind {
    W_IMPORT_NORMAL,
    W_IMPORT_SPECIAL,
    W_IMPORT_UNMADE, /* normal if a merge makes it, else special: formats that do not tell */
};

struct w_import {
    enum w_split split;
    bool whole_words;
    bool has_end_id;
    u32 eot_id; /* of the token that ends documents, if the format says so */

    /* inside */
    struct w_token_set tokens; /* by slot, the 256 bytes first */
    struct w_import_slot *slots;
    struct w_merge *merges; /* of slots */
    u32 *made;              /* slots that merges make first, in that order */
    size_t slot_room, merge_room;
    u32 merge_count, made_count;
};

enum w_status w_import_init(struct w_import *, struct w_err *) W_MUST_CHECK;
void w_import_release(struct w_import *); /* harmless on zeroes */

/* The same id and bytes again are accepted: a special token may be listed among the normal ones. */
enum w_status w_import_token(struct w_import *, u32 id, const u8 *bytes, size_t size,
                             enum w_import_kind, struct w_err *) W_MUST_CHECK;
/* The same for a token written in letters (byte_letters.h). One in other characters cannot come from
 * text: it is special, and the characters are its name; as they are where a special token of this id has
 * that name already. */
enum w_status w_import_letters(struct w_import *, u32 id, const char *letters, size_t size,
                               enum w_import_kind, struct w_err *) W_MUST_CHECK;

/* The next merge, of tokens that are there and make one that is there. */
enum w_status w_import_merge(struct w_import *, const u8 *left, size_t left_size, const u8 *right,
                             size_t right_size, struct w_err *) W_MUST_CHECK;
/* The same for halves in letters, and for a line with one blank between them. */
enum w_status w_import_merge_letters(struct w_import *, const char *left, size_t left_size,
                                     const char *right, size_t right_size,
                                     struct w_err *) W_MUST_CHECK;
enum w_status w_import_merge_line(struct w_import *, const char *line, size_t size,
                                  struct w_err *) W_MUST_CHECK;

enum w_status w_import_finish(struct w_import *, const struct w_import_options *, struct w_vocab **,
                              struct w_err *) W_MUST_CHECK;

#endif
