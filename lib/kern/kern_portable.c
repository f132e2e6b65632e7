/* Vectors of four floats: SSE2 on every x86-64, NEON on ARM. */
#define W_VARIANT w_kern_portable
#define W_VARIANT_NAME "portable"
#include "kern/kern_body.h"
