/* special.h - names of special tokens in text, for who wants them to mean the tokens.
 *
 * Text never gives a special token unless it is asked for by name: a document about language models may
 * well have "<|endoftext|>" in it. Where it is asked for, the leftmost name counts, of several at one
 * place the longest, and the text before and behind is encoded as a text of its own. */
#ifndef W_SPECIAL_H
#define W_SPECIAL_H

#include "text/bpe_encode.h"

struct w_specials;

/* Look for these names, divided by commas; for all special tokens if there are none ("" or "all").
 * W_USAGE if the vocabulary has no such special token. The vocabulary has to live as long. */
enum w_status w_specials_new(struct w_specials **, const struct w_vocab *, const char *names,
                             struct w_err *) W_MUST_CHECK;
void w_specials_free(struct w_specials *); /* accepts NULL */

/* Append the ids of a text. Without specials (NULL) the same as w_encode(). */
enum w_status w_specials_encode(const struct w_specials *, struct w_encoder *, const u8 *text,
                                size_t size, struct w_ids *, struct w_err *) W_MUST_CHECK;

/* As w_split_cut(): where a text can be cut whatever follows, and no name either. */
size_t w_specials_cut(const struct w_specials *, enum w_split, const u8 *text, size_t size);

#endif
