/* unicode.h - the classes of characters that splitting needs.
 *
 * The table is generated from the Unicode data files and has one version. With the Unicode library
 * of each system, the same text and vocabulary would give different ids on different systems. */
#ifndef W_UNICODE_H
#define W_UNICODE_H

#include "base/base.h"

/* Two bits each in the table. */
enum w_char_class {
    W_CHAR_OTHER,  /* also each byte that is not part of valid UTF-8 */
    W_CHAR_LETTER, /* general category L* */
    W_CHAR_NUMBER, /* N* */
    W_CHAR_SPACE,  /* property White_Space */
};

enum w_char_class w_char_class(u32 code);

#endif
