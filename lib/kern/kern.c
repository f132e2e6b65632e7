#include "kern/variants.h"

#include <string.h>

static const struct w_kern *const variants[] = {
#if defined __x86_64__
    &w_kern_avx512,   &w_kern_avx2,
#endif
    &w_kern_portable, &w_kern_ref,  NULL,
};

const struct w_kern *const *w_kern_all(void)
{
    return variants;
}

bool w_kern_usable(const struct w_kern *kern, const char **why)
{
    *why = NULL;
#if defined __x86_64__
    if (kern == &w_kern_avx512 && !__builtin_cpu_supports("avx512f"))
        *why = "this CPU has no AVX-512";
    if (kern == &w_kern_avx2 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
        *why = "this CPU has no AVX2 with FMA";
#else
    (void)kern;
#endif
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
                  "there are no kernels called '%s'; have auto, avx512, avx2, "
                  "portable, ref",
                  name);
}
