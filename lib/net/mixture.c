#include "net/mixture.h"

#include <float.h>
#include <math.h>

void w_mixture(float *mixed, const float *logits, u64 vocab, const double *p, u64 known, double g)
{
    double largest = -INFINITY, sum = 0;

    for (u64 i = 0; i < vocab; i++)
        largest = fmax(largest, (double)logits[i]);
    for (u64 i = 0; i < vocab; i++)
        sum += exp((double)logits[i] - largest);
    for (u64 i = 0; i < vocab; i++) {
        const double net = exp((double)logits[i] - largest) / sum;
        const double both = (1 - g) * net + (i < known ? g * p[i] : 0);
        mixed[i] = (float)log(both > DBL_MIN ? both : both != both ? both : DBL_MIN);
    }
}
