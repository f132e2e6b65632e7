/* prov.h - provenance: what made a stream, from what, kept in its header.
 *
 * "by" is the program and version, "argv" its command line, "src" the header of the stream that it
 * read, without the bulky parts, so that `jq .src.src.argv` follows the whole way back. */
#ifndef W_PROV_H
#define W_PROV_H

#include "wire/stream.h"

/* Add "argv" and "src" to a header that is being built. argv and upstream may be NULL (a run with
 * --no-provenance writes the same bytes whatever it was called). The vocabulary of upstream is not
 * copied into src: it is carried once, at the top level. W_NOMEM. */
enum w_status w_prov_add(struct w_header *header, const char *argv, const struct w_header *upstream,
                         struct w_err *err) W_MUST_CHECK;

#endif
