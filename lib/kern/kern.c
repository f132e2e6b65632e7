#include "kern/variants.h"

#include <pthread.h>
#include <string.h>

#include "kern/gemm_blas.h"

static struct w_kern kern_blas = {.name = "blas"};

#define NAMES "avx512, avx2, blas, portable, ref"

static const struct w_kern *const variants[] = {
#if defined __x86_64__
    &w_kern_avx512, &w_kern_avx2,
#endif
    &kern_blas,     &w_kern_portable, &w_kern_ref, NULL,
};

const struct w_kern *const *w_kern_all(void)
{
    return variants;
}

static const char *missing_instructions(const struct w_kern *kern)
{
#if defined __x86_64__
    if (kern == &w_kern_avx512 && !__builtin_cpu_supports("avx512f"))
        return "this CPU has no AVX-512";
    if (kern == &w_kern_avx2 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
        return "this CPU has no AVX2 with FMA";
#else
    (void)kern;
#endif
    return NULL;
}

/* The library's products, and the best vectors that run here for the rest. */
static void make_blas(void)
{
    struct w_blas blas;
    u32 i = 0;

    while (variants[i] == &kern_blas || missing_instructions(variants[i]))
        i++;
    if (w_blas_open(&blas, NULL))
        return;
    kern_blas = *variants[i];
    kern_blas.name = "blas";
    kern_blas.product = blas.product;
}

bool w_kern_usable(const struct w_kern *kern, const char **why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    *why = missing_instructions(kern);
    if (kern == &kern_blas) {
        pthread_once(&once, make_blas);
        if (!kern_blas.product)
            *why = "OpenBLAS (libopenblas.so.0) is not installed";
    }
    return !*why;
}

/* Does "auto" take it, if it can run? */
static bool suits(const struct w_kern *kern, enum w_precision precision)
{
    return precision == W_PRECISION_FP32   ? !kern->for_bf16
           : precision == W_PRECISION_BF16 ? kern != &kern_blas
                                           : true;
}

enum w_status w_kern_choose_precision(const struct w_kern **kern, enum w_type *type,
                                      const char *name, enum w_precision precision,
                                      struct w_err *err)
{
    const bool automatic = !name || !strcmp(name, "auto");
    const char *why;
    u32 i = 0;

    while (variants[i] &&
           (automatic ? !suits(variants[i], precision) || !w_kern_usable(variants[i], &why)
                      : strcmp(name, variants[i]->name) != 0))
        i++;
    if (!variants[i])
        return w_fail(err, W_USAGE, "there are no kernels called '%s'; have auto, " NAMES, name);
    *kern = variants[i];
    if (!w_kern_usable(*kern, &why))
        return w_fail(err, W_USAGE, "the %s kernels cannot run here: %s", name, why);
    if (precision == W_PRECISION_BF16 && (*kern)->product)
        return w_fail(err, W_USAGE, "the %s kernels have no products of bf16", name);
    const bool bf16 =
        precision == W_PRECISION_AUTO ? (*kern)->for_bf16 : precision == W_PRECISION_BF16;
    *type = bf16 ? W_TYPE_BF16 : W_TYPE_F32;
    return W_DONE;
}

enum w_status w_kern_choose(const struct w_kern **kern, const char *name, struct w_err *err)
{
    enum w_type type;
    return w_kern_choose_precision(kern, &type, name, W_PRECISION_FP32, err);
}
