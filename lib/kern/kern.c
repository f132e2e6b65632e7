/* The table of variants and the choice among them when the program runs: the first row whose
 * instruction sets the CPU has, and whose library or tile unit really works. */
#include "kern/variants.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kern/gemm_blas.h"
#include "sys/cpuid.h"

static struct w_kern kern_blas = {.name = "blas"};

static const struct w_kern *const variants[] = {
#if defined __x86_64__
    &w_kern_amx, &w_kern_avx512bf16, &w_kern_avx512, &w_kern_avx2,
#endif
    &kern_blas,  &w_kern_portable,   &w_kern_ref,    NULL,
};

const struct w_kern *const *w_kern_all(void)
{
    return variants;
}

#if defined __x86_64__

/* Sums of products of small whole numbers are exact in any order: does the tile unit get them
 * right? A hypervisor may announce a unit that does not work. */
static bool unit_answers(const struct w_ukernel *ukernel)
{
    enum { ROWS = 37, COLS = 21, K = 45, PADDED = 64 };
    w_bf16 a[ROWS * K], b[K * COLS];
    _Alignas(64) w_bf16 rows[PADDED * PADDED], panel[PADDED * W_TILE_COLS_MAX];
    float c[ROWS * COLS];
    bool right = true;

    for (u32 i = 0; i < ROWS * K; i++)
        a[i] = w_bf16_of((float)(i % 13) - 6);
    for (u32 i = 0; i < K * COLS; i++)
        b[i] = w_bf16_of((float)(i % 11) - 5);
    ukernel->pack_rows(rows, a, K, 1, K, ROWS);
    ukernel->pack_panel(panel, b, COLS, 1, K, COLS);
    ukernel->run(&(struct w_tile){
        .k = PADDED, .a = rows, .b = panel, .c = c, .c_row = COLS, .rows = ROWS, .cols = COLS});
    for (u32 i = 0; i < ROWS; i++)
        for (u32 j = 0; j < COLS; j++) {
            float sum = 0;
            for (u32 p = 0; p < K; p++)
                sum += w_bf16_to_float(a[i * K + p]) * w_bf16_to_float(b[p * COLS + j]);
            right = right && c[i * COLS + j] == sum;
        }
    return right;
}

static const char *missing_unit; /* why the tile unit cannot be used, or NULL */

static void try_unit(void)
{
    if (!w_cpuid_request_tiles())
        missing_unit = "the system does not let this process use AMX";
    else if (!unit_answers(&w_kern_amx.ukernel[W_TYPE_BF16]))
        missing_unit = "AMX gives wrong answers here";
    else if (!w_kern_amx_keeps_tiles())
        missing_unit = "the system loses the contents of AMX tiles when it switches threads";
}

#endif

/* Of several instruction sets that are missing, the first is named. */
static const struct {
    u32 bit;
    size_t has; /* offset of a bool in struct w_machine */
    const char *lack;
} sets[] = {
    {W_ISA_AMX, offsetof(struct w_machine, amx_bf16), "this CPU or its system has no AMX for bf16"},
    {W_ISA_AVX512_BF16, offsetof(struct w_machine, avx512_bf16), "this CPU has no AVX512-BF16"},
    {W_ISA_AVX512, offsetof(struct w_machine, avx512), "this CPU has no AVX-512"},
    {W_ISA_AVX2, offsetof(struct w_machine, avx2_fma), "this CPU has no AVX2 with FMA"},
    {W_ISA_AVX_VNNI, offsetof(struct w_machine, avx_vnni), "this CPU has no AVX-VNNI"},
    {W_ISA_AVX512_VNNI, offsetof(struct w_machine, avx512_vnni), "this CPU has no AVX512-VNNI"},
    {W_ISA_AMX_INT8, offsetof(struct w_machine, amx_int8), "this CPU has no AMX for bytes"},
};

const char *w_kern_lacks(const struct w_kern *kern, const struct w_machine *m)
{
    return w_isa_lack(kern->isa, m);
}

const char *w_isa_lack(u32 isa, const struct w_machine *m)
{
    for (size_t i = 0; i < W_COUNTOF(sets); i++)
        if (isa & sets[i].bit && !*(const bool *)((const char *)m + sets[i].has))
            return sets[i].lack;
    return NULL;
}

static const char *missing_instructions(const struct w_kern *kern)
{
    struct w_machine m = {.logical_cpus = 1};

    if (kern->for_bf16 && !kern->ukernel[W_TYPE_BF16].run)
        return "this program was compiled without them";
    w_cpuid_read(&m);
    const char *lack = w_kern_lacks(kern, &m);
#if defined __x86_64__
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!lack && kern->isa & W_ISA_AMX) {
        pthread_once(&once, try_unit);
        lack = missing_unit;
    }
#endif
    return lack;
}

/* The library's GEMM, and the best vector kernels that run here for the rest. */
static void make_blas(void)
{
    struct w_blas blas;
    u32 i = 0;

    while (variants[i] == &kern_blas || variants[i]->for_bf16 || missing_instructions(variants[i]))
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

/* Is it a choice for "auto", if it can run? */
static bool suits(const struct w_kern *kern, enum w_precision precision)
{
    return precision == W_PRECISION_FP32   ? !kern->for_bf16
           : precision == W_PRECISION_BF16 ? kern != &kern_blas
                                           : true;
}

static enum w_status no_such_kernels(const char *name, struct w_err *err)
{
    char names[128];
    size_t used = 0;

    for (u32 i = 0; variants[i] && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, ", %s", variants[i]->name);
    return w_fail(err, W_USAGE, "there are no kernels called '%s'; have auto%s", name, names);
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
        return no_such_kernels(name, err);
    *kern = variants[i];
    if (!w_kern_usable(*kern, &why))
        return w_fail(err, W_USAGE, "the %s kernels cannot run here: %s", name, why);
    if (precision == W_PRECISION_BF16 && (*kern)->product)
        return w_fail(err, W_USAGE, "the %s kernels have no bf16 GEMM", name);
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
