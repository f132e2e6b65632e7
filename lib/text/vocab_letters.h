/* vocab_letters.h - the object {"token in letters": id, ...}, which tokenizer.json and vocab.json share.
 */
#ifndef W_VOCAB_LETTERS_H
#define W_VOCAB_LETTERS_H

#include "text/draft.h"
#include "text/import.h"

#define W_VOCAB_VALUES_MAX ((size_t)4 << 20) /* JSON values: far above 10^6 tokens with merges */

/* Take the tokens of such an object; `kind` is that of tokens which are letters. */
enum w_status w_letters_read_vocab(struct w_import *, const struct w_json *object,
                                   enum w_import_kind kind, struct w_err *) W_MUST_CHECK;

/* Append the object, by id. Special tokens are in it under their names; one whose name is another
 * token's letters is refused, and, unless the format lists special tokens in a place of their own, one
 * whose name is the letters of other bytes. */
enum w_status w_letters_write_vocab(const struct w_vocab *, bool lists_specials, struct w_draft *,
                                    struct w_err *) W_MUST_CHECK;
/* Append the letters of a token, or the name of a special one, escaped for a JSON string or not. */
enum w_status w_letters_write(const struct w_vocab *, u32 id, bool escaped, struct w_draft *,
                              struct w_err *) W_MUST_CHECK;

#endif
