/* vocab_letters.h - the object {"token in letters": id, ...} of tokenizer.json and vocab.json. */
#ifndef W_VOCAB_LETTERS_H
#define W_VOCAB_LETTERS_H

#include "text/draft.h"
#include "text/import.h"

#define W_VOCAB_VALUES_MAX ((size_t)4 << 20) /* JSON values: far above 10^6 tokens with merges */

/* Take the tokens of such an object; `kind` is that of tokens in letters. W_CORRUPT: no such
 * object; else fails as w_import_letters(). */
enum w_status w_letters_read_vocab(struct w_import *, const struct w_json *object,
                                   enum w_import_kind kind, struct w_err *) W_MUST_CHECK;

/* Append the object, by id. Special tokens are in it under their names. W_MISMATCH: such a name is
 * also the letters of another token; or it is letters of other bytes, and the format does not list
 * special tokens elsewhere. W_NOMEM. */
enum w_status w_letters_write_vocab(const struct w_vocab *, bool lists_specials, struct w_draft *,
                                    struct w_err *) W_MUST_CHECK;
/* Append the letters of a token, or the name of a special one, escaped for a JSON string or not.
 * W_NOMEM. */
enum w_status w_letters_write(const struct w_vocab *, u32 id, bool escaped, struct w_draft *,
                              struct w_err *) W_MUST_CHECK;

#endif
