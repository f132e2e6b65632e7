/* sha256.h - the SHA-256 hash (FIPS 180-4), for identifying content such as a vocabulary.
 *
 * Written here because it is forty lines of public arithmetic, and a crypto library would be a
 * dependency for one call that guards against mix-ups, not attackers. */
#ifndef W_SHA256_H
#define W_SHA256_H

#include "base/base.h"

#define W_SHA256_TEXT 65 /* 64 hexadecimal digits and a NUL */

/* The hash of size bytes as lower-case hexadecimal text. */
void w_sha256(const void *bytes, size_t size, char text[W_SHA256_TEXT]);

#endif
