#include "kern/gemm_blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* OpenBLAS 0.3.21 knows AVX-512 machines by their model numbers, and takes a newer one (Sapphire
 * Rapids) for Haswell, which halves its speed. SkylakeX is the plainest of its AVX-512 cores. CPUs
 * without AVX-512 are recognised. */
const char *w_blas_core_type(const struct w_machine *machine)
{
    return machine->avx512 ? "SkylakeX" : NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static __typeof__(cblas_sgemm) *sgemm; /* NULL: not found */
static void (*set_threads)(int);
static const char *core = "unknown";

static void load(void)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    /* dlsym gives an object's address; POSIX lets it be a function's. */
    char *(*get_core)(void) = NULL;
    *(void **)&sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&get_core = dlsym(library, "openblas_get_corename");
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (!set_threads)
        sgemm = NULL; /* some other library under that name */
    else
        set_threads(1); /* the team's threads call it, each for its own block */
    if (get_core)
        core = get_core();
}

/* The distance of a matrix's rows (or columns, if transposed). With a single row it does not
 * matter, but the library refuses one below the row's length. */
static blasint stride_of(u64 stride, u64 length)
{
    return (blasint)W_MAX(stride, length);
}

/* sgemm adds to c, so that `add` is copied there first. */
static void product(const struct w_sgemm *p)
{
    bool a_transposed = p->a_col != 1, b_transposed = p->b_col != 1;

    if (p->add && p->add != p->c)
        for (u64 i = 0; i < p->rows; i++)
            memmove(p->c + i * p->c_row, p->add + i * p->add_row, p->cols * sizeof(float));
    sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
          b_transposed ? CblasTrans : CblasNoTrans, (blasint)p->rows, (blasint)p->cols,
          (blasint)p->k, 1, p->a,
          a_transposed ? stride_of(p->a_col, p->rows) : stride_of(p->a_row, p->k), p->b,
          b_transposed ? stride_of(p->b_col, p->k) : stride_of(p->b_row, p->cols),
          p->add ? 1.0f : 0.0f, p->c, (blasint)p->c_row);
}

enum w_status w_blas_open(struct w_blas *blas, struct w_err *err)
{
    pthread_once(&once, load);
    if (!sgemm)
        return w_fail(err, W_USAGE, "OpenBLAS (libopenblas.so.0) is not installed");
    *blas = (struct w_blas){.product = product, .set_threads = set_threads, .core = core};
    return W_DONE;
}
