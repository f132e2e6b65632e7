/* gemm_blas.h - OpenBLAS as a variant of the kernels: its sgemm for whole blocks, called on one
 * thread; everything else is by this project's kernels. The library is looked for at run time:
 * programs work without it.
 *
 *     setenv("OPENBLAS_NUM_THREADS", "1", 0);       // both are read when the library is loaded
 *     if (w_blas_core_type(&machine))
 *         setenv("OPENBLAS_CORETYPE", w_blas_core_type(&machine), 0);
 *     w_kern_choose(&kern, "blas", &err);
 */
#ifndef W_GEMM_BLAS_H
#define W_GEMM_BLAS_H

#include "kern/kern.h"
#include "sys/machine.h"

/* The value of OPENBLAS_CORETYPE that suits a machine, or NULL to leave the choice to the
 * library. */
const char *w_blas_core_type(const struct w_machine *);

struct w_blas {
    void (*product)(const struct w_sgemm *);
    void (*set_threads)(int); /* that one call uses */
    const char *core;         /* the name of the CPU that the library takes this one for */
};
/* Load the library, set to one thread in each call. W_USAGE: it is not installed. Never
 * unloaded. */
enum w_status w_blas_open(struct w_blas *, struct w_err *) W_MUST_CHECK;

#endif
