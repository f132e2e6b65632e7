#include "tests/bench/onednn.h"

#if __has_include(<dnnl.h>)

#include <dnnl.h>
#include <sched.h>
#include <stdio.h>

#include "sys/clock.h"

/* Debian's libdnnl uses OpenMP of GCC's library. */
extern void omp_set_num_threads(int);
extern int omp_get_thread_num(void);
extern void GOMP_parallel(void (*work)(void *), void *context, unsigned threads, unsigned flags);

/* One GEMM: the operation, the reordering of b into its layout, and their memory. */
struct work {
    const struct onednn *o;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive, reorder;
    dnnl_memory_t a, b, c, packed;
    bool pack_each_time;
};

bool onednn_open(struct onednn *o, u32 threads)
{
    dnnl_engine_t engine = NULL;
    dnnl_stream_t stream = NULL;

    *o = (struct onednn){0};
    omp_set_num_threads((int)threads);
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        return false;
    if (dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        dnnl_engine_destroy(engine);
        return false;
    }
    *o = (struct onednn){engine, stream};
    return true;
}

const char *onednn_version(const struct onednn *o)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();

    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return o->engine ? text : NULL;
}

void onednn_close(struct onednn *o)
{
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    *o = (struct onednn){0};
}

/* Bind each thread to the core of its number among those that may be used. */
static void bind_thread(void *context)
{
    const cpu_set_t *may = context;
    const int number = omp_get_thread_num();
    cpu_set_t one;
    int seen = 0;

    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, may) && seen++ == number)
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one); /* fails with fewer cores than threads */
}

/* A matrix in our layout. */
static bool describe(dnnl_memory_desc_t *md, u64 rows, u64 cols, dnnl_data_type_t type,
                     bool transposed)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols};
    const dnnl_dims_t strides = {transposed ? 1 : (dnnl_dim_t)cols,
                                 transposed ? (dnnl_dim_t)rows : 1};

    return dnnl_memory_desc_init_by_strides(md, 2, dims, type, strides) == dnnl_success;
}

static bool make_description(struct work *w, const struct product *q, const dnnl_memory_desc_t *a,
                             const dnnl_memory_desc_t *b, const dnnl_memory_desc_t *c)
{
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;

    bool ok = dnnl_matmul_desc_init(&matmul, a, b, NULL, c) == dnnl_success &&
              dnnl_primitive_attr_create(&attributes) == dnnl_success &&
              dnnl_post_ops_create(&after) == dnnl_success;
    if (ok && q->accumulate)
        ok = dnnl_post_ops_append_sum(after, 1) == dnnl_success &&
             dnnl_primitive_attr_set_post_ops(attributes, after) == dnnl_success;
    ok = ok && dnnl_primitive_desc_create(&w->description, &matmul, attributes, w->o->engine,
                                          NULL) == dnnl_success;
    if (after)
        dnnl_post_ops_destroy(after);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return ok;
}

/* Reorder b into the layout of the primitive. */
static bool pack(const struct work *w)
{
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, w->b}, {DNNL_ARG_TO, w->packed}};
    return dnnl_primitive_execute(w->reorder, w->o->stream, 2, args) == dnnl_success;
}

static bool make_packing(struct work *w, const dnnl_memory_desc_t *b)
{
    dnnl_engine_t engine = w->o->engine;
    const dnnl_memory_desc_t *wanted =
        dnnl_primitive_desc_query_md(w->description, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_t description = NULL;
    const bool ok =
        dnnl_memory_create(&w->packed, wanted, engine, DNNL_MEMORY_ALLOCATE) == dnnl_success &&
        dnnl_reorder_primitive_desc_create(&description, b, engine, wanted, engine, NULL) ==
            dnnl_success &&
        dnnl_primitive_create(&w->reorder, description) == dnnl_success && pack(w);

    if (description)
        dnnl_primitive_desc_destroy(description);
    return ok;
}

/* With b unpacked, or in the layout that the primitive prefers. */
static bool make_work(struct work *w, const struct products *p, const struct product *q,
                      bool unpacked)
{
    const dnnl_data_type_t type = p->engine->type == W_TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t dims = {(dnnl_dim_t)q->k, (dnnl_dim_t)q->n};
    dnnl_engine_t engine = w->o->engine;
    dnnl_memory_desc_t a, b, c, any;

    w->pack_each_time = q->accumulate && !unpacked;
    return describe(&a, q->m, q->k, type, q->a_transposed) &&
           describe(&b, q->k, q->n, type, q->b_transposed) &&
           describe(&c, q->m, q->n, dnnl_f32, false) &&
           dnnl_memory_desc_init_by_tag(&any, 2, dims, type, dnnl_format_tag_any) == dnnl_success &&
           make_description(w, q, &a, unpacked ? &b : &any, &c) &&
           dnnl_primitive_create(&w->primitive, w->description) == dnnl_success &&
           dnnl_memory_create(&w->a, &a, engine, p->typed[0]) == dnnl_success &&
           dnnl_memory_create(&w->b, &b, engine, p->typed[1]) == dnnl_success &&
           dnnl_memory_create(&w->c, &c, engine, p->c) == dnnl_success &&
           (unpacked || make_packing(w, &b));
}

static void free_work(struct work *w)
{
    dnnl_memory_t const memories[] = {w->a, w->b, w->c, w->packed};

    if (w->reorder)
        dnnl_primitive_destroy(w->reorder);
    if (w->primitive)
        dnnl_primitive_destroy(w->primitive);
    if (w->description)
        dnnl_primitive_desc_destroy(w->description);
    for (u32 i = 0; i < W_COUNTOF(memories); i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
}

/* Seconds of one call; 0 if it fails. */
static double call(const void *context)
{
    const struct work *w = context;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, w->a},
                                    {DNNL_ARG_WEIGHTS, w->packed ? w->packed : w->b},
                                    {DNNL_ARG_DST, w->c}};
    const double start = w_now_s();
    const bool ok = (!w->pack_each_time || pack(w)) &&
                    dnnl_primitive_execute(w->primitive, w->o->stream, 3, args) == dnnl_success &&
                    dnnl_stream_wait(w->o->stream) == dnnl_success;

    return ok ? w_now_s() - start : 0;
}

static double time_of(const struct onednn *o, const struct products *p, const struct product *q,
                      bool unpacked)
{
    struct work w = {.o = o};
    const double seconds = make_work(&w, p, q, unpacked) ? products_fastest(call, &w) : 0;

    free_work(&w);
    return seconds;
}

double onednn_time(const struct onednn *o, const struct products *p, const struct product *q)
{
    cpu_set_t before;

    if (!o->engine)
        return 0;
    /* Without binding, two threads often share a core for the whole measurement: half the rate, or
     * a time slice a call if they spin. The binding of the calling thread is undone afterwards. */
    const bool bound = sched_getaffinity(0, sizeof before, &before) == 0;
    if (bound)
        GOMP_parallel(bind_thread, &before, 0, 0);
    double seconds = time_of(o, p, q, false);
    if (q->accumulate) {
        const double other = time_of(o, p, q, true);
        seconds = seconds > 0 && (other == 0 || seconds < other) ? seconds : other;
    }
    if (bound)
        sched_setaffinity(0, sizeof before, &before);
    return seconds;
}

#else

bool onednn_open(struct onednn *o, u32 threads)
{
    (void)threads;
    *o = (struct onednn){0};
    return false;
}

double onednn_time(const struct onednn *o, const struct products *p, const struct product *q)
{
    (void)o, (void)p, (void)q;
    return 0;
}

const char *onednn_version(const struct onednn *o)
{
    (void)o;
    return NULL;
}

void onednn_close(struct onednn *o)
{
    *o = (struct onednn){0};
}

#endif
