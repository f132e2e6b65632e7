/* special.h - names of special tokens in text that are to mean the tokens.
 *
 * Text never gives a special token unless its name is asked for: a document about language models
 * may well have "<|endoftext|>" in it. The leftmost name counts, of several at one place the
 * longest; the text before it and the text after it are encoded each as a text of its own. */
#ifndef W_SPECIAL_H
#define W_SPECIAL_H

#include "base/buffer.h"
#include "text/bpe_encode.h"

struct w_specials;

/* Look for these names, separated by commas; "" and "all" are those of all special tokens. W_USAGE
 * if the vocabulary has no such special token; W_NOMEM. The vocabulary has to outlive *specials. */
enum w_status w_specials_new(struct w_specials **, const struct w_vocab *, const char *names,
                             struct w_err *) W_MUST_CHECK;
void w_specials_free(struct w_specials *); /* accepts NULL */

/* Append the ids of a text. Without specials (NULL) the same as w_encode(). W_NOMEM. */
enum w_status w_specials_encode(const struct w_specials *, struct w_encoder *, const u8 *text,
                                size_t size, struct w_ids *, struct w_err *) W_MUST_CHECK;

/* Append a text in NFC (nfc.h). Names stay as they are, and the text before each and after it is
 * normalised as a text of its own. Without specials (NULL) the same as w_nfc_append(). W_NOMEM. */
enum w_status w_specials_normalize(const struct w_specials *, struct w_buffer *, const u8 *text,
                                   size_t size, struct w_err *) W_MUST_CHECK;

/* As w_split_cut(): the largest offset at which a cut splits no word and no name, whatever
 * follows. */
size_t w_specials_cut(const struct w_specials *, enum w_split, const u8 *text, size_t size);
/* As w_nfc_cut(), but no cut splits a name. */
size_t w_specials_nfc_cut(const struct w_specials *, const u8 *text, size_t size);

#endif
