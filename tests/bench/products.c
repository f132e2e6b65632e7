#include "tests/bench/products.h"

#include <math.h>

#include "sys/clock.h"
#include "sys/pages.h"

static u64 tokens_of(const struct w_conf *conf)
{
    return W_MIN(conf->batch_size * conf->max_length, 4096);
}

static void list_products(const struct w_conf *conf, struct product list[PRODUCTS])
{
    static const char *const names[5][3] = {
        {"qkv forward", "qkv input", "qkv weight"},
        {"proj forward", "proj input", "proj weight"},
        {"fc forward", "fc input", "fc weight"},
        {"down forward", "down input", "down weight"},
        {"head forward", "head input", "head weight"},
    };
    const u64 d = conf->d_model, ff = conf->d_ff, tokens = tokens_of(conf);
    const u64 shapes[5][3] = {/* out, in, times */
                              {3 * d, d, conf->num_layers},
                              {d, d, conf->num_layers},
                              {ff, d, conf->num_layers},
                              {d, ff, conf->num_layers},
                              {conf->vocab_size, d, 1}};

    for (u32 i = 0; i < 5; i++) {
        u64 out = shapes[i][0], in = shapes[i][1], count = shapes[i][2];
        struct product *p = &list[3 * i];
        p[0] = (struct product){names[i][0], tokens, out, in, false, true, false, count};
        p[1] = (struct product){names[i][1], tokens, in, out, false, false, false, count};
        p[2] = (struct product){names[i][2], out, in, tokens, true, false, true, count};
    }
}

static void fill(enum w_type type, void *matrix, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        const float x = (float)(i % 13) * 0.01f - 0.06f;
        if (type == W_TYPE_BF16)
            ((w_bf16 *)matrix)[i] = w_bf16_of(x);
        else
            ((float *)matrix)[i] = x;
    }
}

enum w_status products_open(struct products *p, const struct w_conf *conf,
                            const struct w_engine *engine, struct w_err *err)
{
    const u64 width = W_MAX(conf->vocab_size, W_MAX(3 * conf->d_model, conf->d_ff));
    const u64 height = W_MAX(tokens_of(conf), W_MAX(conf->d_model, conf->d_ff));
    const u64 room =
        W_GEMM_PACKED(height, width); /* elements of the largest matrix of any product */

    *p = (struct products){.engine = engine, .bytes = room * sizeof(float)};
    list_products(conf, p->list);
    p->a = w_pages_new(p->bytes);
    p->b = w_pages_new(p->bytes);
    p->c = w_pages_new(p->bytes);
    p->typed[0] = w_pages_new(p->bytes);
    p->typed[1] = w_pages_new(p->bytes);
    p->packed = w_pages_new(p->bytes);
    if (!p->a || !p->b || !p->c || !p->typed[0] || !p->typed[1] || !p->packed)
        return w_fail(err, W_NOMEM, "no memory for matrices to measure with");
    fill(W_TYPE_F32, p->a, room);
    fill(W_TYPE_F32, p->b, room);
    fill(W_TYPE_F32, p->c, room);
    fill(engine->type, p->typed[0], room);
    fill(engine->type, p->typed[1], room);
    return W_DONE;
}

bool products_open_blas(struct products *p, u32 threads, struct w_err *err)
{
    p->has_blas = w_blas_open(&p->blas, err) == W_DONE;
    if (p->has_blas)
        p->blas.set_threads((int)threads);
    return p->has_blas;
}

double product_flops(const struct product *q)
{
    return 2 * (double)q->m * (double)q->n * (double)q->k;
}

/* Its operands and strides, in fp32. */
static struct w_sgemm operands(const struct products *p, const struct product *q)
{
    return (struct w_sgemm){
        .rows = q->m,
        .cols = q->n,
        .k = q->k,
        .a = p->a,
        .a_row = q->a_transposed ? 1 : q->k,
        .a_col = q->a_transposed ? q->m : 1,
        .b = p->b,
        .b_row = q->b_transposed ? 1 : q->n,
        .b_col = q->b_transposed ? q->k : 1,
        .add = q->accumulate ? p->c : NULL,
        .add_row = q->n,
        .c = p->c,
        .c_row = q->n,
    };
}

#define CALLS_S 0.06
#define CALLS_MIN 3

double products_fastest(double (*call)(const void *context), const void *context)
{
    double fastest = call(context), seconds = fastest; /* warms up code and caches */
    const double end = w_now_s() + CALLS_S;

    for (u32 i = 0; seconds > 0 && (i < CALLS_MIN || w_now_s() < end); i++) {
        seconds = call(context);
        fastest = fmin(fastest, seconds);
    }
    return fastest;
}

/* A GEMM, and what computes it: an engine or sgemm. */
struct contest {
    const struct w_engine *engine;
    struct w_gemm g;
    const struct w_blas *blas;
    struct w_sgemm product;
};

static double call_engine(const void *context)
{
    const struct contest *c = context;
    const double start = w_now_s();

    w_gemm(c->engine, &c->g);
    return w_now_s() - start;
}

static double call_sgemm(const void *context)
{
    const struct contest *c = context;
    const double start = w_now_s();

    c->blas->product(&c->product);
    return w_now_s() - start;
}

double products_time(const struct products *p, const struct product *q)
{
    const struct w_sgemm t = operands(p, q);
    struct contest c = {
        .engine = p->engine,
        .g =
            {
                .type = p->engine->type,
                .m = t.rows,
                .n = t.cols,
                .k = t.k,
                .a = p->typed[0],
                .a_row = t.a_row,
                .a_col = t.a_col,
                .b = p->typed[1],
                .b_row = t.b_row,
                .b_col = t.b_col,
                .add = t.add,
                .add_row = t.add_row,
                .c = t.c,
                .c_row = t.c_row,
            },
    };

    if (c.g.type == W_TYPE_BF16 && !q->accumulate) {
        w_gemm_pack(p->engine, p->packed, &c.g);
        c.g.packed = p->packed;
    }
    return products_fastest(call_engine, &c);
}

double products_time_sgemm(const struct products *p, const struct product *q)
{
    const struct contest c = {.blas = &p->blas, .product = operands(p, q)};
    return products_fastest(call_sgemm, &c);
}

double products_rate(const struct products *p)
{
    double flops = 0, seconds = 0;

    for (u32 i = 0; i < PRODUCTS; i++) {
        const struct contest c = {.blas = &p->blas, .product = operands(p, &p->list[i])};
        seconds += call_sgemm(&c) * (double)p->list[i].count;
        flops += product_flops(&p->list[i]) * (double)p->list[i].count;
    }
    return flops / seconds;
}

void products_close(struct products *p)
{
    void *const matrices[] = {p->a, p->b, p->c, p->typed[0], p->typed[1], p->packed};

    for (u32 i = 0; i < W_COUNTOF(matrices); i++)
        w_pages_free(matrices[i], p->bytes);
    *p = (struct products){0};
}
