/* count_groups.h - the positions of a text by the token before them: n-grams of different groups
 * have nothing in common, so that groups are counted apart from each other. */
#ifndef W_COUNT_GROUPS_H
#define W_COUNT_GROUPS_H

#include "sys/team.h"

/* Of count_sort_body.h. */
enum { DIGIT_BITS = 11, INSERTION_MAX = 32 };

/* The text is cut into parts, whose positions can be put into the groups at the same time. */
struct w_count_groups {
    u32 row;       /* vocab + 1 */
    u32 *places;   /* [parts + 1, row], see w_count_places() */
    u32 largest;   /* of the groups */
    u32 word_bits; /* of a token in a key: one value more than the vocabulary has, no token */
    u32 key_bytes; /* 8, or 16 where order - 1 tokens need more */
};

/* Row 0: where the group of each token begins, and the end. Row p + 1: where the positions of part
 * p begin in the group of each token. Whoever puts them there counts it up, to where those of part
 * p + 1 begin: then row p is as row p + 1 was. */
static inline u32 *w_count_places(const struct w_count_groups *g, u64 row)
{
    return g->places + row * g->row;
}

/* Can so many tokens be counted? W_USAGE: no such order or vocabulary; W_CORRUPT: no tokens;
 * W_LIMIT: 2^31 or more. */
enum w_status w_count_check(u64 count, u32 order, u32 vocab, struct w_err *) W_MUST_CHECK;

/* The first position of a part that is in a group: position 0 is in none. */
static inline u64 w_count_part_begin(const u64 *ends, u64 part)
{
    return part && ends[part - 1] ? ends[part - 1] : 1;
}

/* ids: 1 to 2^31 - 1 of them, below vocab; ends [parts]: of the parts, the last one of all ids.
 * To be released, also after a failure. W_NOMEM. */
enum w_status w_count_groups_make(struct w_count_groups *, const u32 *ids, const u64 *ends,
                                  u32 parts, u32 order, u32 vocab, struct w_team *,
                                  struct w_err *) W_MUST_CHECK;
void w_count_groups_release(struct w_count_groups *);

#endif
