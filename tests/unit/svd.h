/* svd.h - singular values in double precision, and what becomes of them when a matrix is
 * orthogonalised: the truth that net/orthogonal.h is tested against. */
#ifndef W_SVD_H
#define W_SVD_H

#include <math.h>
#include <stdlib.h>

#include "net/orthogonal.h"

/* ---- x (n, m) = u diag(s) v^T, by one-sided Jacobi rotations (Hestenes, 1958), n <= m ---- */

struct svd {
    u64 n, m;
    double *u, *s, *v; /* (n, n), (n), (n, m): rows of v are right singular vectors */
};

/* Rotate rows p and q of v so that they are orthogonal, and columns of u with them. Returns how far
 * they were from that, relative to their lengths. */
static inline double rotate(struct svd *d, u64 p, u64 q)
{
    double *a = d->v + p * d->m, *b = d->v + q * d->m, aa = 0, bb = 0, ab = 0;

    for (u64 i = 0; i < d->m; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    if (fabs(ab) <= 1e-15 * sqrt(aa * bb) || ab == 0)
        return 0;
    const double zeta = (bb - aa) / (2 * ab);
    const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    const double c = 1 / sqrt(1 + t * t), s = c * t;
    for (u64 i = 0; i < d->m; i++) {
        const double x = a[i], y = b[i];
        a[i] = c * x - s * y;
        b[i] = s * x + c * y;
    }
    for (u64 i = 0; i < d->n; i++) {
        double *x = d->u + i * d->n + p, *y = d->u + i * d->n + q;
        const double x0 = *x;
        *x = c * x0 - s * *y;
        *y = s * x0 + c * *y;
    }
    return fabs(ab) / sqrt(aa * bb);
}

static inline struct svd svd_of(const float *x, u64 n, u64 m)
{
    struct svd d = {.n = n, .m = m};
    double off = 1;

    d.u = calloc(n * n, sizeof *d.u);
    d.s = calloc(n, sizeof *d.s);
    d.v = malloc(n * m * sizeof *d.v);
    for (u64 i = 0; i < n * m; i++)
        d.v[i] = (double)x[i];
    for (u64 i = 0; i < n; i++)
        d.u[i * n + i] = 1;
    for (u32 sweep = 0; sweep < 60 && off > 1e-13; sweep++) {
        off = 0;
        for (u64 p = 0; p + 1 < n; p++)
            for (u64 q = p + 1; q < n; q++)
                off = fmax(off, rotate(&d, p, q));
    }
    for (u64 i = 0; i < n; i++) {
        for (u64 j = 0; j < m; j++)
            d.s[i] += d.v[i * m + j] * d.v[i * m + j];
        d.s[i] = sqrt(d.s[i]);
        for (u64 j = 0; j < m && d.s[i] > 0; j++)
            d.v[i * m + j] /= d.s[i];
    }
    return d;
}

static inline void svd_free(struct svd *d)
{
    free(d->u);
    free(d->s);
    free(d->v);
}

/* ---- what is to come out ---- */

/* The polynomials of orthogonal.c once more, one after the other. */
static inline double pulled(double s)
{
    static const double p[3][3] = {
        {7.97701, -22.26803, 16.00573}, {3.71969, -2.72601, 0.52014}, {2.85421, -2.13249, 0.46994}};

    for (u32 i = 0; i < 3; i++)
        s = p[i][0] * s + p[i][1] * s * s * s + p[i][2] * s * s * s * s * s;
    return s;
}

/* The bound of the singular values, with its margin. */
static inline double bound_of(const struct svd *d)
{
    double sum = 0;

    for (u64 i = 0; i < d->n; i++)
        sum += pow(d->s[i], 4);
    return 1.02 * pow(sum, 0.25);
}

#endif
