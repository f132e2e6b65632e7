/* nfc.h - text in Unicode's normalization form C (Unicode Standard Annex 15), for vocabularies that
 * want it (w_vocab_nfc()).
 *
 * A letter and the marks after it become one character where there is one, and marks get one order:
 * "e" and U+0301 become U+00E9. The tables are those of utf8proc, of the version of Unicode that
 * it has. A byte that is not part of valid UTF-8 stays as it is, and the text before it and the
 * text after it are normalised each as a text of its own.
 *
 * A long text may come in several calls, cut where w_nfc_cut() allows it: the result is that of one
 * call. */
#ifndef W_NFC_H
#define W_NFC_H

#include "base/buffer.h"
#include "base/status.h"

/* Characters in a row that may change what is before them (marks, and all of some scripts) are
 * normalised together, up to this many bytes of them; after that a new text begins, so that memory
 * is bounded. */
#define W_NFC_RUN_BYTES ((size_t)1 << 20) /* a character that begins before it may end after it */

/* Append a text, normalised. W_NOMEM. */
enum w_status w_nfc_append(struct w_buffer *, const u8 *text, size_t size,
                           struct w_err *) W_MUST_CHECK;

/* The largest offset at which a cut changes nothing, whatever follows; 0 if there is none, which
 * does not happen from 2 * W_NFC_RUN_BYTES on. */
size_t w_nfc_cut(const u8 *text, size_t size);

#endif
