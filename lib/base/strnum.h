/* strnum.h - text to numbers, strictly: the whole text, in range, or W_USAGE with the reason. */
#ifndef W_STRNUM_H
#define W_STRNUM_H

#include "base/status.h"

/* A count: decimal digits with an optional fraction and one suffix. k M G T are powers of 1000; Ki
 * Mi Gi Ti (also with B) are powers of 1024. "10k" is 10000, "1.5M" is 1500000, "4KiB" is 4096. */
enum w_status w_parse_count(const char *text, u64 min, u64 max, u64 *value,
                            struct w_err *err) W_MUST_CHECK;

/* A finite real number in [min, max]. */
enum w_status w_parse_real(const char *text, double min, double max, double *value,
                           struct w_err *err) W_MUST_CHECK;

/* A part of a whole: a real number like 0.1, or the same as 10%. [min, max] bounds the number as it
 * is written. */
enum w_status w_parse_part(const char *text, double min, double max, double *value,
                           struct w_err *err) W_MUST_CHECK;

/* A duration in seconds: a number with s, m, h or d; without a unit it is seconds. */
enum w_status w_parse_duration(const char *text, double *seconds, struct w_err *err) W_MUST_CHECK;

/* The nearest of `count` names to a misspelt word, or NULL if none is near: at an edit distance
 * (swaps of neighbours count one) of at most a third of the word's length plus one. `stride` is the
 * distance in bytes between the `const char *` of neighbouring table rows. */
const char *w_nearest_name(const char *word, const void *first_name, size_t count, size_t stride);

#endif
