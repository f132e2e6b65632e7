/* id_stats.h - checks the ids of a stream against the vocabulary, and counts them; checks the
 * columns of the counts, and of padding, that go with them.
 *
 *     struct w_id_stats s = {0};
 *     w_id_stats_begin(&s, header, &err);                       // for each member
 *     w_id_stats_look(&s, header, records, count, first, &err); // for each frame
 *     w_id_stats_free(&s);
 */
#ifndef W_ID_STATS_H
#define W_ID_STATS_H

#include "wire/token_header.h"

struct w_id_stats {
    u64 max, distinct, docs;    /* docs: ids that end a document */
    struct w_token_header said; /* by the header of the present member */
    u8 *seen;                   /* a bit for each id below `bits` */
    u64 bits;
};

/* Look at a member's header. Ids are the tokens, or the column x of a batch. W_NOMEM. */
enum w_status w_id_stats_begin(struct w_id_stats *, const struct w_header *,
                               struct w_err *) W_MUST_CHECK;
/* Look at records; `first` is the number of the first one, for the message. W_CORRUPT for an id
 * that the header's vocabulary does not have, an lp that is no log-probability, or more targets
 * than a sequence has. Ids from 2^24 on are not counted as distinct ones. */
enum w_status w_id_stats_look(struct w_id_stats *, const struct w_header *, const u8 *records,
                              u64 count, u64 first, struct w_err *) W_MUST_CHECK;
void w_id_stats_free(struct w_id_stats *);

#endif
