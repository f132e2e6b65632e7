/* prov.h - provenance: what made a stream, from what, kept in its header.
 *
 * "by" is the program and version, "argv" its command line, "src" the header of the stream that it
 * read, without the bulky parts, so that `jq .src.src.argv` follows the whole way back. */
#ifndef W_PROV_H
#define W_PROV_H

#include "wire/stream.h"

/* "src" of a stream made from one with this header. The caller owns it. The vocabulary's bulk is
 * left out: it is carried once, at the top level. A lack of memory shows when it is written. */
struct w_json *w_prov_src(const struct w_header *upstream);

/* Add "argv" and "src" to a header that is being built. argv and upstream may be NULL (a run with
 * --no-provenance writes the same bytes whatever it was called). W_NOMEM. */
enum w_status w_prov_add(struct w_header *header, const char *argv, const struct w_header *upstream,
                         struct w_err *err) W_MUST_CHECK;

#endif
