/* import.h - make a vocabulary from that of another program.
 *
 * Other formats give ids to byte strings and list merges of byte strings; a reader hands over both
 * as they come, tokens before merges. The rest is the same for all: every byte that text in UTF-8
 * can have must have an id, the others get one; a token that no merge makes is an added one; one of
 * the special tokens ends documents.
 *
 * Merges that are never done are left out. Take the bytes of a token alone and merge them: if they
 * become the token, then by one last merge. No other merge of that token is ever done in any text:
 * the bytes between two places that no merge has crossed go through the same steps as those bytes
 * alone. If they do not become the token, no merge that would make it is ever done. So a list of
 * all pairs that make a token, as tokenizer.json of Llama 3 has it, becomes one merge for each
 * token.
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
    bool no_normalizer; /* take the vocabulary without the changes that it makes to text */
    const char *end;    /* name of the token that ends documents; it is added if it is missing */
};

enum w_import_kind {
    W_IMPORT_NORMAL,
    W_IMPORT_SPECIAL,
    W_IMPORT_UNMADE, /* normal if a merge makes it, else special: for formats that do not say */
};

struct w_import {
    enum w_split split;
    bool nfc;         /* text is in NFC before it is split */
    bool whole_words; /* dropped where it makes no difference */
    bool has_end_id;
    u32 eot_id; /* of the token that ends documents, if the format says so */

    /* inside */
    struct w_token_set tokens; /* by slot; the 256 bytes come first */
    struct w_token_set names;  /* of special tokens */
    struct w_import_slot *slots;
    u32 *name_ids;
    struct w_merge *merges; /* of slots */
    u32 *results;           /* slots that merges make */
    size_t slot_room, name_room, merge_room;
    u32 merge_count;
};

/* W_NOMEM. */
enum w_status w_import_init(struct w_import *, struct w_err *) W_MUST_CHECK;
void w_import_release(struct w_import *); /* harmless on zeroes */

/* The same id and bytes again are accepted: a special token may be listed among the normal ones. A
 * special token may have the bytes of a normal one that has another id. W_CORRUPT: no bytes, bytes
 * of another id, a special name that is not UTF-8; W_LIMIT: an id or size beyond token_set.h;
 * W_NOMEM. */
enum w_status w_import_token(struct w_import *, u32 id, const u8 *bytes, size_t size,
                             enum w_import_kind, struct w_err *) W_MUST_CHECK;
/* The same for a token in letters (byte_letters.h). One with other characters cannot come from
 * text: it is special, and the characters are its name. A special token of this id and name is left
 * as it is; letters that are the name of a special token of another id are W_CORRUPT, since formats
 * in letters have both in one table. */
enum w_status w_import_letters(struct w_import *, u32 id, const char *letters, size_t size,
                               enum w_import_kind, struct w_err *) W_MUST_CHECK;

/* Is there a normal token of these bytes? */
bool w_import_has(const struct w_import *, const u8 *bytes, size_t size);
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
