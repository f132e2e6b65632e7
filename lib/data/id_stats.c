#include "data/id_stats.h"

#include <stdlib.h>
#include <string.h>

static u64 said(const struct w_header *h, const char *key)
{
    u64 value;
    return w_json_u64(w_json_get(h->json, key), 0, W_JSON_INT_MAX, &value) ? value : UINT64_MAX;
}

enum w_status w_id_stats_begin(struct w_id_stats *s, const struct w_header *h, struct w_err *err)
{
    u64 most = (u64)1 << 24; /* a bitmap of 2 MiB */

    s->bytes = 0;
    if (h->kind == W_TENSORS || (h->arrays[0].dtype != W_U16 && h->arrays[0].dtype != W_U32))
        return W_DONE;
    s->bytes = w_dtype_bytes(h->arrays[0].dtype);
    s->vocab = said(h, "vocab");
    s->eot = said(h, "eot");
    u64 bits = s->bytes == 2 ? 65536 : W_MIN(s->vocab, most);
    if (s->seen && bits <= s->bits)
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

enum w_status w_id_stats_look(struct w_id_stats *s, const struct w_header *h, const u8 *records,
                              u64 count, u64 first, struct w_err *err)
{
    u64 per_record = s->bytes ? h->arrays[0].bytes / s->bytes : 0;

    for (u64 i = 0; i < count; i++)
        for (u64 k = 0; k < per_record; k++) {
            const u8 *at = records + i * h->record_bytes + k * s->bytes;
            u64 id = s->bytes == 2 ? w_get16(at) : w_get32(at);
            if (id >= s->vocab)
                return w_fail(err, W_CORRUPT, "record %llu: id %llu: the vocabulary has %llu",
                              (unsigned long long)(first + i), (unsigned long long)id,
                              (unsigned long long)s->vocab);
            s->max = W_MAX(s->max, id);
            s->docs += id == s->eot;
            if (id < s->bits && !(s->seen[id / 8] >> id % 8 & 1)) {
                s->seen[id / 8] |= (u8)(1u << id % 8);
                s->distinct++;
            }
        }
    return W_DONE;
}

void w_id_stats_free(struct w_id_stats *s)
{
    free(s->seen);
    s->seen = NULL;
}
