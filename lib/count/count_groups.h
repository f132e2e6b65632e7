/* count_groups.h - the positions of a text by the token before them: n-grams of different groups
 * have nothing in common, so that groups are counted apart from each other. */
#ifndef W_COUNT_GROUPS_H
#define W_COUNT_GROUPS_H

#include "base/status.h"

/* Of count_sort_body.h. */
enum { DIGIT_BITS = 11, INSERTION_MAX = 32 };

struct w_count_groups {
    u32 *first;     /* [vocab + 1] where the positions after each token begin, and the end */
    u32 *positions; /* [count - 1] after token 0, token 1 ..., rising; 0 is in no group */
    u32 largest;    /* of the groups */
    u32 word_bits;  /* of a token in a key: one value more than the vocabulary has, no token */
    u32 key_bytes;  /* 8, or 16 where order - 1 tokens need more */
};

/* Can so many tokens be counted? W_USAGE: no such order or vocabulary; W_CORRUPT: no tokens;
 * W_LIMIT: 2^31 or more. */
enum w_status w_count_check(u64 count, u32 order, u32 vocab, struct w_err *) W_MUST_CHECK;

/* ids: count of them, 1 to 2^31 - 1, below vocab. To be released, also after a failure. W_NOMEM. */
enum w_status w_count_groups_make(struct w_count_groups *, const u32 *ids, u64 count, u32 order,
                                  u32 vocab, struct w_err *) W_MUST_CHECK;
void w_count_groups_release(struct w_count_groups *);

#endif
