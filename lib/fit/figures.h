/* figures.h - everything that wcachefit says of a configuration on a machine: one table of figures,
 * each with its unit and its formula as text. The formula is what is computed (fit/evaluate.h), what
 * --explain prints, and what the manual page lists; text, Markdown, JSON, TSV and requirements all
 * follow from the same rows.
 *
 * Units: bytes, FLOP (a multiplication and an addition are two), seconds, tokens. Ratios are parts of
 * one. What is not known is NaN. */
#ifndef W_FIGURES_H
#define W_FIGURES_H

#include "fit/units.h"

struct w_figure {
    const char *key;
    const char *label;
    enum w_unit unit;
    const char *formula; /* over keys of rows above; NULL: given by configuration, machine, ... */
};
extern const struct w_figure w_figures[]; /* ends with a NULL key */
#define W_FIGURES_MAX 288

/* The part of the memory that a step may take where no other limit is given: the rest is for the
 * system. */
#define W_MEMORY_USABLE 0.85

/* The row of a key, or -1. */
int w_figure_find(const char *key);
const char *w_figure_suggest(const char *key); /* the nearest key, or NULL */

#endif
