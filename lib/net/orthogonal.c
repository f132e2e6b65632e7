/* With n the smaller side of x and X (n, m) either x or its transpose, one polynomial is
 *
 *      R = X X^T,    Z = a I + b R + c R R,    X' = Z X.
 *
 * Products of R and Z are symmetric, and these commute, so that two polynomials can be joined
 * before they are applied to the longer side (Dao AI Lab: "Gram Newton-Schulz", 2026):
 *
 *      R = X X^T,  Z1 = p1(R),  R' = Z1 R Z1,  Z2 = p2(R'),  X' = Z2 Z1 X.
 *
 * For n = m that costs as much as one after the other, for m = 4 n three quarters.
 * The first polynomial stays alone: its Z is large, and with it the roundings of R would grow too
 * much; those of bf16 already mix singular vectors of small matrices. Of symmetric products the
 * lower half is computed, in strips of rows, and mirrored; a square that is the right-hand operand
 * of several is packed once. */
#include "net/orthogonal.h"

#include <math.h>
#include <string.h>

#include "net/plan.h"

#define POLYNOMIALS 3
#define ROUNDS 2
static const u32 joined[ROUNDS] = {1, 2}; /* polynomials of each */

/* By the algorithm of Polar Express for W_ORTHOGONAL_LEAST, with its cushion of 0.024 and, but for
 * the last, its margin of 1 %: p(x / 1.01), so that rounding leaves values inside of the next
 * interval. */
static const struct polynomial {
    float a, b, c;
} polynomials[POLYNOMIALS] = {
    {7.97701f, -22.26803f, 16.00573f},
    {3.71969f, -2.72601f, 0.52014f},
    {2.85421f, -2.13249f, 0.46994f},
};

#define MARGIN 1.02       /* of the bound, for the rounding of X and of its norm */
#define STRIP_ROWS 96     /* of a symmetric product; a multiple of most micro-kernels' rows */
#define BLOCK_FLOATS 4096 /* of a pass over x */

/* A matrix at work. Squares are (n, n), in the compute type, as are x and y. */
struct work {
    struct w_engine engine;
    float *out;
    u64 rows, cols, n, m;
    u64 x_row, x_col;    /* strides of X (n, m) in x: those of x or of its transpose */
    void *x, *y;         /* X, by turns */
    void *r, *z, *q, *t; /* squares */
    void *packed,
        *packed_too;  /* right-hand operands of products: a matrix, or a square; a square */
    double *partials; /* one for each block of x, or for each row of a square */
    float factor;     /* on x while it is rounded */
};

/* ---- memory ---- */

static u64 blocks_of(u64 floats)
{
    return w_ceil_div(floats, BLOCK_FLOATS);
}

struct sizes {
    u64 matrix, square, packed, packed_square, partials, total; /* bytes */
};

static struct sizes sizes_of(u64 rows, u64 cols, enum w_type type)
{
    const u64 n = W_MIN(rows, cols), m = W_MAX(rows, cols), element = w_type_bytes(type);
    const u64 count = w_size_mul(n, m);
    struct sizes s = {0};

    s.matrix = w_size_padded(w_size_mul(count, element));
    s.square = w_size_padded(w_size_mul(w_size_mul(n, n), element));
    s.packed = w_size_mul(w_size_mul(w_size_padded(n), w_size_padded(m)), element);
    s.packed_square = w_size_mul(w_size_mul(w_size_padded(n), w_size_padded(n)), element);
    s.partials = w_size_padded(w_size_mul(W_MAX(blocks_of(count), n), sizeof(double)));
    s.total = w_size_add(w_size_add(w_size_mul(2, s.matrix), w_size_mul(4, s.square)),
                         w_size_add(w_size_add(s.packed, s.packed_square), s.partials));
    return s;
}
_Static_assert(W_TILE_COLS_MAX >= W_K_UNROLL_MAX, "w_size_padded() is enough for packed panels");

u64 w_orthogonal_bytes(u64 rows, u64 cols, enum w_type type)
{
    return sizes_of(rows, cols, type).total;
}

static struct work work_of(const struct w_engine *engine, void *scratch, float *x, u64 rows,
                           u64 cols)
{
    const struct sizes s = sizes_of(rows, cols, engine->type);
    const bool lies = rows <= cols;
    u8 *at = scratch;
    struct work w = {.engine = *engine,
                     .out = x,
                     .rows = rows,
                     .cols = cols,
                     .n = lies ? rows : cols,
                     .m = lies ? cols : rows,
                     .x_row = lies ? cols : 1,
                     .x_col = lies ? 1 : cols};

    w.x = at;
    w.y = at += s.matrix;
    w.r = at += s.matrix;
    w.z = at += s.square;
    w.q = at += s.square;
    w.t = at += s.square;
    w.packed = at += s.square;
    w.packed_too = at += s.packed;
    w.partials = (double *)(void *)(at + s.packed_square);
    return w;
}

/* ---- passes over x ---- */

static void square_block(void *context, u64 item, u32 worker)
{
    const struct work *w = context;
    const u64 begin = item * BLOCK_FLOATS, count = w->rows * w->cols;

    (void)worker;
    w->partials[item] =
        w->engine.kern->sum_squares(w->out + begin, W_MIN(BLOCK_FLOATS, count - begin));
}

static void take_block(void *context, u64 item, u32 worker)
{
    const struct work *w = context;
    const struct w_kern *kern = w->engine.kern;
    const u64 begin = item * BLOCK_FLOATS, n = W_MIN(BLOCK_FLOATS, w->rows * w->cols - begin);

    (void)worker;
    kern->scale(w->out + begin, w->factor, n);
    if (w->engine.type == W_TYPE_BF16)
        kern->to_bf16((w_bf16 *)w->x + begin, w->out + begin, n);
    else
        memcpy((float *)w->x + begin, w->out + begin, n * sizeof(float));
}

/* x = out / its norm. False: it is zero. */
static bool take(struct work *w)
{
    const u64 blocks = blocks_of(w->rows * w->cols);
    double squares = 0;

    w_team_for(w->engine.team, blocks, square_block, w);
    for (u64 i = 0; i < blocks; i++)
        squares += w->partials[i];
    w->factor = (float)(1 / sqrt(squares));
    if (squares == 0)
        return false;
    w_team_for(w->engine.team, blocks, take_block, w);
    return true;
}

static void square_row(void *context, u64 row, u32 worker)
{
    const struct work *w = context;
    const struct w_kern *kern = w->engine.kern;
    float *line = w_engine_scratch(&w->engine, worker);
    const u64 most = W_GEMM_ROWS_FLOATS;

    w->partials[row] = 0;
    for (u64 col = 0, n; col < w->n; col += n) {
        n = W_MIN(most, w->n - col);
        const void *r = w_at(w->r, w->engine.type, row * w->n + col);
        if (w->engine.type == W_TYPE_BF16)
            kern->to_fp32(line, r, n);
        w->partials[row] += kern->sum_squares(w->engine.type == W_TYPE_BF16 ? line : r, n);
    }
}

/* The norm of R, a bound of its largest eigenvalue. */
static double norm_of_r(struct work *w)
{
    double squares = 0;

    w_team_for(w->engine.team, w->n, square_row, w);
    for (u64 i = 0; i < w->n; i++)
        squares += w->partials[i];
    return sqrt(squares);
}

/* ---- products ---- */

/* A product on its way into `to`: identity I + by_linear linear + by_product (the product). */
struct target {
    const struct work *w;
    void *to;           /* (., width) */
    const void *linear; /* as large; NULL: none */
    u64 width;
    float identity, by_linear, by_product;
    bool symmetric;
    u64 row; /* of `to`, in which the product's first row is */
};

/* c += factor linear, of n numbers of the compute type. */
static void add_linear(const struct work *w, float *c, const void *linear, float factor, u64 n)
{
    const struct w_kern *kern = w->engine.kern;
    float line[W_EPILOGUE_COLS];

    for (u64 i = 0, count; i < n; i += count) {
        const void *from = w_at(linear, w->engine.type, i);
        count = W_MIN(n - i, W_EPILOGUE_COLS);
        if (w->engine.type == W_TYPE_BF16)
            kern->to_fp32(line, from, count);
        else
            memcpy(line, from, count * sizeof *line);
        kern->scale(line, factor, count);
        kern->add(c + i, line, count);
    }
}

static void transform_row(const struct target *t, float *c, u64 row, u64 col, u64 cols)
{
    if (t->by_product != 1)
        t->w->engine.kern->scale(c, t->by_product, cols);
    if (!t->linear)
        return;
    add_linear(t->w, c, w_at(t->linear, t->w->engine.type, row * t->width + col), t->by_linear,
               cols);
    if (row >= col && row < col + cols)
        c[row - col] += t->identity;
}

#define EIGHT 8
_Static_assert(STRIP_ROWS % EIGHT == 0 && W_EPILOGUE_COLS % EIGHT == 0, "for mirror_bf16()");
typedef w_bf16 eight __attribute__((vector_size(EIGHT * sizeof(w_bf16))));

/* to (8, 8) = from^T: dealt like cards, rows 1 with 5, 2 with 6 and so on, three times. */
static void transpose_eight(w_bf16 *to, const w_bf16 *from, u64 width)
{
    eight in[EIGHT], out[EIGHT];

    for (u32 i = 0; i < EIGHT; i++)
        memcpy(&in[i], from + i * width, sizeof in[i]);
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < EIGHT / 2; i++) {
            const eight a = in[i], b = in[i + EIGHT / 2];
            out[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            out[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(in, out, sizeof in);
    }
    for (u32 i = 0; i < EIGHT; i++)
        memcpy(to + i * width, &in[i], sizeof in[i]);
}

/* Of bf16, cols is a multiple of EIGHT: blocks and strips end at multiples of it. */
static void mirror_bf16(w_bf16 *to, u64 width, u64 row, u64 rows, u64 col, u64 cols)
{
    const u64 whole = rows / EIGHT * EIGHT;

    for (u64 i = row; i < row + whole; i += EIGHT)
        for (u64 j = col; j < col + cols; j += EIGHT)
            transpose_eight(to + j * width + i, to + i * width + j, width);
    for (u64 j = col; j < col + cols; j++)
        for (u64 i = row + whole; i < row + rows; i++)
            to[j * width + i] = to[i * width + j];
}

/* Rows [row, row + rows) left of the strip's square go to the upper half too. */
static void mirror(const struct target *t, u64 row, u64 rows, u64 col, u64 cols)
{
    float *to = t->to;

    if (t->w->engine.type == W_TYPE_BF16)
        mirror_bf16(t->to, t->width, row, rows, col, cols);
    else
        for (u64 j = col; j < col + cols; j++)
            for (u64 i = row; i < row + rows; i++)
                to[j * t->width + i] = to[i * t->width + j];
}

static void store_block(void *context, const struct w_result_block *b)
{
    const struct target *t = context;
    const struct work *w = t->w;

    for (u64 i = 0; i < b->rows; i++) {
        const u64 row = t->row + b->row + i;
        float *c = b->c + i * b->c_row;
        transform_row(t, c, row, b->col, b->cols);
        if (w->engine.type == W_TYPE_BF16)
            w->engine.kern->to_bf16((w_bf16 *)t->to + row * t->width + b->col, c, b->cols);
    }
    if (t->symmetric && b->col < t->row)
        mirror(t, t->row + b->row, b->rows, b->col, W_MIN(b->cols, t->row - b->col));
}

/* The product goes to target.to in the compute type, through store_block(). */
static void multiply(const struct work *w, struct w_gemm g, struct target *t)
{
    g.type = w->engine.type;
    g.epilogue = store_block;
    g.epilogue_rows = EIGHT;
    g.context = t;
    if (g.type == W_TYPE_F32) {
        g.c = (float *)t->to + t->row * t->width;
        g.c_row = t->width;
    }
    w_gemm(&w->engine, &g);
}

/* A symmetric product (n, n) = a (n, k) b (k, n), strip by strip, each up to its diagonal. */
static void multiply_squares(const struct work *w, struct w_gemm g, struct target t)
{
    t.w = w;
    t.width = g.n = w->n;
    t.symmetric = true;
    g.type = w->engine.type;
    const void *a = g.a;
    for (t.row = 0; t.row < w->n; t.row += STRIP_ROWS) {
        g.m = W_MIN(STRIP_ROWS, w->n - t.row);
        g.n = t.row + g.m;
        g.a = w_at(a, g.type, t.row * g.a_row);
        multiply(w, g, &t);
    }
}

/* The product of a square and another, which is packed already. */
static struct w_gemm square_by(const struct work *w, const void *a, const void *b,
                               const void *packed)
{
    return (struct w_gemm){.type = w->engine.type,
                           .n = w->n,
                           .k = w->n,
                           .a = a,
                           .a_row = w->n,
                           .a_col = 1,
                           .b = b,
                           .b_row = w->n,
                           .b_col = 1,
                           .packed = packed};
}

static void pack(const struct work *w, void *packed, const void *square)
{
    const struct w_gemm g = square_by(w, square, square, packed);
    w_gemm_pack(&w->engine, packed, &g);
}

/* to = factor a b, of squares that commute. */
static void multiply_two(const struct work *w, void *to, const void *a, const void *b,
                         const void *packed, double factor)
{
    multiply_squares(w, square_by(w, a, b, packed),
                     (struct target){.to = to, .by_product = (float)factor});
}

/* r = X X^T */
static void take_gram(const struct work *w)
{
    const struct w_gemm g = {.type = w->engine.type,
                             .n = w->n,
                             .k = w->m,
                             .a = w->x,
                             .a_row = w->x_row,
                             .a_col = w->x_col,
                             .b = w->x,
                             .b_row = w->x_col,
                             .b_col = w->x_row,
                             .packed = w->packed};

    w_gemm_pack(&w->engine, w->packed, &g);
    multiply_squares(w, g, (struct target){.to = w->r, .by_product = 1});
}

/* to = factor (a I + b r + c r r), where r stands for r / bound, and is in `packed` too. */
static void evaluate(const struct work *w, void *to, const struct polynomial *p, double bound,
                     double factor)
{
    multiply_squares(w, square_by(w, w->r, w->r, w->packed),
                     (struct target){.to = to,
                                     .linear = w->r,
                                     .identity = (float)(factor * p->a),
                                     .by_linear = (float)(factor * p->b / bound),
                                     .by_product = (float)(factor * p->c / (bound * bound))});
}

/* X' = q X as it is in memory: q x, or x q. To y, or at last to out in fp32. */
static void apply(const struct work *w, const void *q, bool last)
{
    const bool lies = w->rows <= w->cols;
    struct target t = {.w = w, .to = w->y, .width = w->cols, .by_product = 1};
    struct w_gemm g = {.type = w->engine.type,
                       .m = w->rows,
                       .n = w->cols,
                       .k = w->n,
                       .a = lies ? q : w->x,
                       .a_row = w->n,
                       .a_col = 1,
                       .b = lies ? w->x : q,
                       .b_row = w->cols,
                       .b_col = 1,
                       .packed = w->packed};

    w_gemm_pack(&w->engine, w->packed, &g);
    if (!last) {
        multiply(w, g, &t);
        return;
    }
    g.c = w->out;
    g.c_row = w->cols;
    w_gemm(&w->engine, &g);
}

static void swap(void **a, void **b)
{
    void *was = *a;
    *a = *b;
    *b = was;
}

/* q = the product of z of `count` polynomials of the Gram matrix of X / sqrt(bound), and of
 * factor. */
static void join(struct work *w, const struct polynomial *p, u32 count, double bound, double factor)
{
    for (u32 i = 0; i < count; i++) {
        const bool last = i + 1 == count;
        pack(w, w->packed, w->r);
        evaluate(w, w->z, &p[i], bound, i == 0 && last ? factor : 1);
        if (count > 1)
            pack(w, w->packed_too, w->z);
        if (i > 0) { /* q is the product of all z before */
            multiply_two(w, w->t, w->q, w->z, w->packed_too, last ? factor : 1);
            swap(&w->q, &w->t);
        }
        if (!last) {
            multiply_two(w, w->t, w->z, w->r, w->packed, 1);
            multiply_two(w, w->r, w->t, w->z, w->packed_too, 1);
        }
        if (i == 0)
            swap(&w->q, &w->z);
    }
}

void w_orthogonalise(const struct w_engine *engine, void *scratch, float *x, u64 rows, u64 cols)
{
    struct work w = work_of(engine, scratch, x, rows, cols);
    const struct polynomial *p = polynomials;

    if (!take(&w))
        return;
    for (u32 round = 0; round < ROUNDS; p += joined[round], round++) {
        take_gram(&w);
        const double bound = round == 0 ? MARGIN * MARGIN * norm_of_r(&w) : 1;
        join(&w, p, joined[round], bound, 1 / sqrt(bound));
        apply(&w, w.q, round + 1 == ROUNDS);
        swap(&w.x, &w.y);
    }
}

double w_orthogonal_flops(double rows, double cols)
{
    const double n = fmin(rows, cols), m = fmax(rows, cols);

    return n * n * (3 * ROUNDS * m + (4 * POLYNOMIALS - 3 * ROUNDS) * n);
}
