/* unicode.h - the classes of characters that splitting needs, and their kinds within these.
 *
 * The table is generated from the Unicode data files and has one version. With the Unicode library
 * of each system, the same text and vocabulary would give different ids on different systems. */
#ifndef W_UNICODE_H
#define W_UNICODE_H

#include "base/base.h"

enum w_char_class {
    W_CHAR_OTHER,  /* also each byte that is not part of valid UTF-8 */
    W_CHAR_LETTER, /* general category L* */
    W_CHAR_NUMBER, /* N* */
    W_CHAR_SPACE,  /* property White_Space */
};

/* Four bits each in the table; the lower two are the class. */
enum w_char_kind {
    W_KIND_NONE = W_CHAR_OTHER, /* controls, formats, private and unassigned ones, invalid bytes */
    W_KIND_MARK = W_CHAR_OTHER | 1 << 2,        /* M* */
    W_KIND_PUNCTUATION = W_CHAR_OTHER | 2 << 2, /* P* */
    W_KIND_SYMBOL = W_CHAR_OTHER | 3 << 2,      /* S* */
    W_KIND_LETTER = W_CHAR_LETTER,              /* Lm, Lo */
    W_KIND_LOWER = W_CHAR_LETTER | 1 << 2,      /* Ll */
    W_KIND_UPPER = W_CHAR_LETTER | 2 << 2,      /* Lu, Lt */
    W_KIND_NUMBER = W_CHAR_NUMBER,
    W_KIND_SPACE = W_CHAR_SPACE,
};

static inline enum w_char_class w_char_class_of(enum w_char_kind kind)
{
    return kind & 3;
}

enum w_char_kind w_char_kind(u32 code);
enum w_char_class w_char_class(u32 code);

/* P* of Unicode 8.0, which is all that Hugging Face's pre_tokenizer Punctuation knows. */
bool w_char_was_punctuation(u32 code);

#endif
