/* units.h - the units of figures, and values as text for people. */
#ifndef W_UNITS_H
#define W_UNITS_H

enum w_unit {
    W_UNIT_COUNT,
    W_UNIT_BYTES,
    W_UNIT_FLOP,
    W_UNIT_RATIO,
    W_UNIT_PART, /* a ratio that is shown as percent */
    W_UNIT_FILL, /* needed / available: at most 1 means that it fits */
    W_UNIT_SECONDS,
    W_UNIT_HOURS,
    W_UNIT_TOKENS_S,
    W_UNIT_FLOP_S,
    W_UNIT_BYTES_S,
    W_UNIT_INTENSITY, /* FLOP per byte */
    W_UNIT_BITS,
    W_UNITS
};
const char *w_unit_name(enum w_unit); /* "B", "FLOP/s", ... */

/* A value for people: "27,238,400", "1.50 MiB", "57.3 MFLOP", "133 %"; "-" for NaN. Returns
 * text. */
#define W_FIGURE_TEXT 48
const char *w_figure_text(char text[W_FIGURE_TEXT], enum w_unit unit, double value);
/* The same for narrow tables: "27.2M", "1.50MiB", "32min", "133%". */
const char *w_figure_brief(char text[W_FIGURE_TEXT], enum w_unit unit, double value);

#endif
