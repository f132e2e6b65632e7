/* prov.h - provenance: what made a stream, from what, kept in its header.
 *
 * "by" is the program and version, "argv" its command line, "src" the header of the stream that it
 * read, without that one's own bulky parts, so that `jq .src.src.argv` tells the whole way. */
#ifndef W_PROV_H
#define W_PROV_H

#include "wire/stream.h"

/* Add "argv" and "src" to a header that is being built. argv and upstream may be NULL (a run with
 * --no-provenance writes the same bytes whatever it was called). The vocabulary of upstream is not
 * copied into src: it is carried once, at the top level. */
enum w_status w_prov_add(struct w_header *header, const char *argv, const struct w_header *upstream,
                         struct w_err *err) W_MUST_CHECK;

#endif
