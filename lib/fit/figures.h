/* figures.h - everything that wcachefit says of a configuration on a machine: one table of figures,
 * each with its unit and its formula as text. The formula is computed (fit/evaluate.h) and is
 * printed by --explain; text, Markdown, JSON, TSV and requirements all follow from the same rows.
 *
 * Units: bytes, FLOP (a multiplication and an addition are two), seconds, tokens. A ratio of 1 is
 * 100 %. A figure that is not known is NaN. */
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
#define W_FIGURES_MAX 380

/* The part of the available memory that a step may take where no other limit is given. */
#define W_MEMORY_USABLE 0.85

/* The row of a key, or -1. */
int w_figure_find(const char *key);
const char *w_figure_suggest(const char *key); /* the nearest key, or NULL */

#endif
