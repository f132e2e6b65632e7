/* onednn.h - the same matrix products by oneDNN, where libdnnl-dev was there when this was compiled.
 * Its weights are packed before, in the layout that it asks for, as a step would have them. The gradient
 * of a weight has no weight among its operands: what it wants packed is packed in every call, or taken
 * as it lies if that is faster. */
#ifndef W_ONEDNN_H
#define W_ONEDNN_H

#include "tests/bench/products.h"

struct onednn {
    void *engine, *stream; /* NULL: there is none */
};

/* False: this program was compiled without it, or it does not start; then it is absent from now on. */
bool onednn_open(struct onednn *, u32 threads);
/* Seconds of the fastest call of one product in the precision of the products; 0: it has none for that
 * here. */
double onednn_time(const struct onednn *, const struct products *, const struct product *);
/* "2.6.3", or NULL */
const char *onednn_version(const struct onednn *);
void onednn_close(struct onednn *); /* harmless on zeroes */

#endif
