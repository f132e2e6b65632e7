#include "data/id_stats.h"

#include <stdlib.h>
#include <string.h>

enum w_status w_id_stats_begin(struct w_id_stats *s, const struct w_header *h, struct w_err *err)
{
    u64 most = (u64)1 << 24; /* a bitmap of 2 MiB */

    w_token_header_read(&s->said, h);
    u64 bits = s->said.id_bytes == 2 ? 65536 : W_MIN(s->said.vocab, most);
    if (!s->said.id_bytes || (s->seen && bits <= s->bits))
        return W_DONE;
    u8 *seen = realloc(s->seen, bits / 8 + 1);
    if (!seen)
        return w_fail(err, W_NOMEM, "no memory to count %llu ids", (unsigned long long)bits);
    u64 known = s->seen ? s->bits / 8 + 1 : 0;
    memset(seen + known, 0, bits / 8 + 1 - known);
    s->seen = seen;
    s->bits = bits;
    return W_DONE;
}

static enum w_status check_lp(const struct w_token_header *said, const u8 *record, u64 number,
                              struct w_err *err)
{
    for (u64 k = 0; said->features && k < said->ids; k++) {
        const float lp = w_lp_at(record + said->lp_at, k);
        if (!w_lp_ok(lp))
            return w_fail(err, W_CORRUPT, "record %llu: lp %g of its id %llu: no log-probability",
                          (unsigned long long)number, (double)lp, (unsigned long long)k);
    }
    return W_DONE;
}

enum w_status w_id_stats_look(struct w_id_stats *s, const struct w_header *h, const u8 *records,
                              u64 count, u64 first, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++) {
        const u8 *record = records + i * h->record_bytes;
        for (u64 k = 0; k < s->said.ids; k++) {
            u64 id = w_id_at(record + s->said.ids_at, s->said.id_bytes, k);
            if (id >= s->said.vocab)
                return w_fail(err, W_CORRUPT, "record %llu: id %llu: the vocabulary has %llu",
                              (unsigned long long)(first + i), (unsigned long long)id,
                              (unsigned long long)s->said.vocab);
            s->max = W_MAX(s->max, id);
            s->docs += id == s->said.eot;
            if (id < s->bits && !(s->seen[id / 8] >> id % 8 & 1)) {
                s->seen[id / 8] |= (u8)(1u << id % 8);
                s->distinct++;
            }
        }
        status = check_lp(&s->said, record, first + i, err);
        if (!status)
            status = w_targets_check(&s->said, record, first + i, err);
    }
    return status;
}

void w_id_stats_free(struct w_id_stats *s)
{
    free(s->seen);
    s->seen = NULL;
}
