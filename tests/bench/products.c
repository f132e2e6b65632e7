#include "tests/bench/products.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "sys/clock.h"

struct product {
    u64 m, n, k;
    bool a_transposed, b_transposed, accumulate;
    u64 count;
};

static u64 tokens_of(const struct w_conf *conf)
{
    return W_MIN(conf->batch_size * conf->max_length, 4096);
}

static void list_products(const struct w_conf *conf, struct product list[PRODUCTS])
{
    const u64 d = conf->d_model, ff = conf->d_ff, tokens = tokens_of(conf);
    const u64 shapes[5][3] = {/* out, in, times */
                              {3 * d, d, conf->num_layers},
                              {d, d, conf->num_layers},
                              {ff, d, conf->num_layers},
                              {d, ff, conf->num_layers},
                              {conf->vocab_size, d, 1}};

    for (u32 i = 0; i < 5; i++) {
        u64 out = shapes[i][0], in = shapes[i][1], count = shapes[i][2];
        list[3 * i] = (struct product){tokens, out, in, false, true, false, count};
        list[3 * i + 1] = (struct product){tokens, in, out, false, false, false, count};
        list[3 * i + 2] = (struct product){out, in, tokens, true, false, true, count};
    }
}

static float *map_floats(u64 count)
{
    float *p =
        mmap(NULL, count * sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    (void)madvise(p, count * sizeof *p, MADV_HUGEPAGE);
    for (u64 i = 0; i < count; i++)
        p[i] = (float)(i % 13) * 0.01f - 0.06f;
    return p;
}

/* The largest matrix of any product. */
static u64 room_of(const struct w_conf *conf)
{
    u64 width = W_MAX(conf->vocab_size, W_MAX(3 * conf->d_model, conf->d_ff));
    return width * W_MAX(tokens_of(conf), W_MAX(conf->d_model, conf->d_ff));
}

enum w_status products_open(struct products *p, const struct w_conf *conf, u32 threads,
                            struct w_err *err)
{
    *p = (struct products){.conf = conf};
    enum w_status status = w_blas_open(&p->blas, err);
    if (status)
        return status;
    p->blas.set_threads((int)threads);
    p->a = map_floats(room_of(conf));
    p->b = map_floats(room_of(conf));
    p->c = map_floats(room_of(conf));
    if (!p->a || !p->b || !p->c)
        return w_fail(err, W_NOMEM, "no memory for matrices to measure with");
    return W_DONE;
}

double products_rate(const struct products *p)
{
    struct product list[PRODUCTS];
    double flops = 0, seconds = 0;

    list_products(p->conf, list);
    for (u32 i = 0; i < PRODUCTS; i++) {
        const struct product *q = &list[i];
        struct w_product t = {
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
        double start = w_now_s();
        p->blas.product(&t);
        seconds += (w_now_s() - start) * (double)q->count;
        flops += 2 * (double)q->m * (double)q->n * (double)q->k * (double)q->count;
    }
    return flops / seconds;
}

void products_close(struct products *p)
{
    u64 bytes = p->conf ? room_of(p->conf) * sizeof(float) : 0;
    if (p->a)
        munmap(p->a, bytes);
    if (p->b)
        munmap(p->b, bytes);
    if (p->c)
        munmap(p->c, bytes);
    *p = (struct products){0};
}
