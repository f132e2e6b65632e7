#include "kern/variants.h"

#include <pthread.h>
#include <string.h>

#include "kern/gemm_blas.h"

static struct w_kern kern_blas = {.name = "blas"};

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

enum w_status w_kern_choose(const struct w_kern **kern, const char *name, struct w_err *err)
{
    const char *why;
    bool automatic = !name || !strcmp(name, "auto");

    for (u32 i = 0; variants[i]; i++) {
        *kern = variants[i];
        if (automatic ? w_kern_usable(*kern, &why) : !strcmp(name, (*kern)->name)) {
            if (w_kern_usable(*kern, &why))
                return W_DONE;
            return w_fail(err, W_USAGE, "the %s kernels cannot run here: %s", name, why);
        }
    }
    return w_fail(err, W_USAGE,
                  "there are no kernels called '%s'; have auto, avx512, avx2, blas, portable, ref",
                  name);
}
