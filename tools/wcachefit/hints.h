/* hints.h - advice for people, in sentences that follow from the figures. */
#ifndef W_HINTS_H
#define W_HINTS_H

#include "fit/evaluate.h"

#define W_HINTS_MAX 8

struct w_hints {
    char text[W_HINTS_MAX][256];
    u32 count;
};

/* Fill hints. machine: the one that fit was made for. */
void w_hints_make(struct w_hints *, const struct w_fit *fit, const struct w_machine *machine);

/* Whether the learning rate is several times that of the scaling law, or a part of it. */
bool w_hints_rate_is_far(const struct w_fit *);

/* For several ranks, what is worth more than the steps of the configuration: "batch x 4", of so
 * many times the batches, "local steps 12", or "" if nothing is. */
#define W_HINT_RANKS 24
const char *w_hints_ranks(char text[W_HINT_RANKS], const struct w_fit *);

#endif
