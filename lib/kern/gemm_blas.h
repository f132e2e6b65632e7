/* gemm_blas.h - OpenBLAS as a variant of the kernels: its sgemm for whole blocks, called on one
 * thread, with vectors of this project for everything else. The library is looked for at run time: a
 * program does without it where it is missing.
 *
 *     setenv("OPENBLAS_NUM_THREADS", "1", 0);             // both are read when the library is loaded
 *     if (w_blas_core_type(&machine))
 *         setenv("OPENBLAS_CORETYPE", w_blas_core_type(&machine), 0);
 *     w_kern_choose(&kern, "blas", &err);
 */
#ifndef W_GEMM_BLAS_H
#define W_GEMM_BLAS_H

#include "kern/kern.h"
#include "sys/machine.h"

/* The value of OPENBLAS_CORETYPE that suits a machine, or NULL to leave the choice to the library. */
const char *w_blas_core_type(const struct w_machine *);

/* Load the library, for one thread per call. */
struct w_blas {
    void (*product)(const struct w_sgemm *);
    void (*set_threads)(int); /* that one call uses */
    const char *core;         /* the library's word for what it takes this CPU for */
};
enum w_status w_blas_open(struct w_blas *, struct w_err *) W_MUST_CHECK;

#endif
