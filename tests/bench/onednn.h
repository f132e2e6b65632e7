/* onednn.h - the same GEMMs by oneDNN, if libdnnl-dev was installed when this was compiled. Weights
 * are packed beforehand, in the layout that oneDNN asks for, as in a step. The gradient of a weight
 * has no weight among its operands: they are packed in every call, or used as they are if that is
 * faster. */
#ifndef W_ONEDNN_H
#define W_ONEDNN_H

#include "tests/bench/products.h"

struct onednn {
    void *engine, *stream; /* NULL: not open */
};

/* False: this program was compiled without it, or it does not start; onednn_time() then returns
 * 0. */
bool onednn_open(struct onednn *, u32 threads);
/* Seconds of the fastest call of one GEMM in the precision of the products; 0: oneDNN cannot do it
 * here. */
double onednn_time(const struct onednn *, const struct products *, const struct product *);
/* "2.6.3"; NULL if not open */
const char *onednn_version(const struct onednn *);
void onednn_close(struct onednn *); /* harmless on zeros */

#endif
