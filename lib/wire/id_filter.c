/* The bytes: s and t, one byte each; t frequent ids; a code for each id; the lower s bits of those
 * ids whose code gives the upper ones, packed.
 *
 *     code 0 to 3           the place in the list of the id before
 *     4 to 3 + t            a frequent id
 *     4 + t to 255          the upper bits
 *
 * Applying takes two passes: which place has each id, and how often is it in none; then the codes,
 * one look into a table each. Undoing takes one. Lists are one 64-bit word each for ids of two
 * bytes, the latest lowest; the id before 0 is the first one's. */
#include "wire/id_filter.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 4,       /* ids in a list; as the code of an id: in none */
    LISTS = 1 << 16,  /* the list of an id is that of its lower 16 bits */
    UPPER_CODES = 64, /* at most, as this program writes: the more, the fewer frequent ids */
    FREQUENT = 256 - PLACES - UPPER_CODES,
    NOT_LISTED = 255,
    FREQUENT_COUNT = 4, /* worth listing: it saves the lower bits that often */
    RANKED = 1024,      /* counts that are told apart */
    ID_LIMIT = 1 << 20, /* of what is filtered */
    HEAD = 2,
};

struct w_id_filter {
    u32 id_bytes;
    void *lists; /* LISTS of PLACES ids, the latest first */
    u32 used;    /* lists and counts of ids from here on are empty */
    /* for applying: */
    u32 id_limit; /* ids are below it */
    u8 *places;   /* of the ids of a frame */
    u32 *counts;  /* by id: how often it is in no list */
    u8 *codes;    /* by id: of one that is in no list, less PLACES */
};

enum w_status w_id_filter_new(struct w_id_filter **out, u32 id_bytes, u32 count, struct w_err *err)
{
    struct w_id_filter *f = calloc(1, sizeof *f);

    *out = f;
    if (!f)
        return w_fail(err, W_NOMEM, "no memory to filter ids");
    f->id_bytes = id_bytes;
    f->id_limit = id_bytes == 2 ? 1 << 16 : ID_LIMIT;
    f->lists = malloc((size_t)LISTS * PLACES * id_bytes);
    f->used = f->id_limit;
    if (count) {
        f->places = malloc(count);
        f->counts = malloc(f->id_limit * sizeof *f->counts);
        f->codes = malloc(f->id_limit);
    }
    if (f->lists && (!count || (f->places && f->counts && f->codes)))
        return W_DONE;
    w_id_filter_free(f);
    *out = NULL;
    return w_fail(err, W_NOMEM, "no memory to filter ids");
}

void w_id_filter_free(struct w_id_filter *f)
{
    if (!f)
        return;
    free(f->lists);
    free(f->places);
    free(f->counts);
    free(f->codes);
    free(f);
}

/* ---- lists ---- */

/* Empty what the frame before has filled. */
static void empty(struct w_id_filter *f)
{
    memset(f->lists, 0, (size_t)W_MIN(f->used, (u32)LISTS) * PLACES * f->id_bytes);
    if (f->counts)
        memset(f->counts, 0, f->used * sizeof *f->counts);
    f->used = f->id_limit;
}

/* Ids of two bytes: a word with the latest in its lowest 16 bits. */
static inline u32 find16(u64 list, u32 id)
{
    const u64 ones = 0x0001000100010001, differ = list ^ id * ones;
    const u64 zeros = (differ - ones) & ~differ & ones << 15; /* the lowest is a zero for sure */

    /* At bit 16 k for place k, and at 63, without a branch: nobody could predict it. */
    return ((u32)__builtin_ctzll(zeros >> 15 | 1ull << 63) + 1) / 16;
}

/* The list after an id that was in a place of it, or in none. */
static inline u64 move16(u64 list, u32 place, u32 id)
{
    static const u64 before[PLACES + 1] = {0, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFF};
    static const u64 later[PLACES + 1] = {0xFFFFFFFFFFFF0000, 0xFFFFFFFF00000000,
                                          0xFFFF000000000000, 0, 0};

    return (list & later[place]) | (list & before[place]) << 16 | id;
}

static inline u32 find32(const u32 *list, u32 id)
{
    u32 place = PLACES;

    for (u32 k = PLACES; k-- > 0;)
        place = list[k] == id ? k : place;
    return place;
}

static inline void move32(u32 *list, u32 place, u32 id)
{
    for (u32 k = PLACES - 1; k > 0; k--)
        list[k] = k <= place ? list[k - 1] : list[k];
    list[0] = id;
}

/* ---- applying ---- */

/* Fill places and counts; returns the largest id that is in no list. */
static u32 find_places16(const struct w_id_filter *f, const u8 *ids, u32 count)
{
    u64 *restrict lists = f->lists;
    u32 *restrict counts = f->counts, before = 0, largest = 0;
    u8 *restrict places = f->places;

    for (u32 i = 0; i < count; i++) {
        const u32 id = w_get16(ids + 2 * i), place = find16(lists[before], id), coded = place / 4;
        lists[before] = move16(lists[before], place, id);
        places[i] = (u8)place;
        counts[id] += coded;
        largest = W_MAX(largest, id & -coded);
        before = id;
    }
    return largest;
}

/* The same; UINT32_MAX if an id is too large. */
static u32 find_places32(const struct w_id_filter *f, const u8 *ids, u32 count)
{
    u32(*lists)[PLACES] = f->lists, before = 0, largest = 0;

    for (u32 i = 0; i < count; i++) {
        const u32 id = w_get32(ids + 4 * i);
        if (id >= f->id_limit)
            return UINT32_MAX;
        u32 *list = lists[before % LISTS];
        const u32 place = find32(list, id);
        move32(list, place, id);
        f->places[i] = (u8)place;
        f->counts[id] += place == PLACES;
        largest = W_MAX(largest, place == PLACES ? id : 0);
        before = id;
    }
    return largest;
}

/* The lowest count of a frequent id, such that there are at most FREQUENT; *ties: how many that
 * have just this count belong to them. Counts from RANKED on are all the same, after a shift. */
static u32 least_count(const struct w_id_filter *f, u32 ids, u32 *shift, u32 *ties)
{
    u32 ranks[RANKED] = {0}, most = 0, taken = 0, rank = RANKED;

    for (u32 id = 0; id < ids; id++)
        most = W_MAX(most, f->counts[id]);
    for (*shift = 0; most >> *shift >= RANKED;)
        ++*shift;
    for (u32 id = 0; id < ids; id++)
        ranks[f->counts[id] >> *shift]++;
    while (rank > 1 && taken < FREQUENT && (rank - 1) << *shift >= FREQUENT_COUNT)
        taken += ranks[--rank];
    *ties = taken > FREQUENT && rank < RANKED ? ranks[rank] - (taken - FREQUENT) : UINT32_MAX;
    return rank;
}

/* List the frequent ids in out, and fill `codes` for ids below `ids`. Returns how many are listed. */
static u32 make_codes(struct w_id_filter *f, u32 ids, u32 lower_bits, u8 *out)
{
    u32 shift, ties, listed = 0;
    const u32 least = least_count(f, ids, &shift, &ties);

    for (u32 id = 0; id < ids; id++) {
        const u32 rank = f->counts[id] >> shift;
        const bool frequent = rank > least || (rank == least && ties > 0);
        ties -= rank == least && frequent;
        f->codes[id] = (u8)(frequent ? listed : NOT_LISTED);
        if (!frequent)
            continue;
        if (f->id_bytes == 2)
            w_put16(out + 2 * listed, (u16)id);
        else
            w_put32(out + 4 * listed, id);
        listed++;
    }
    for (u32 id = 0; id < ids; id++)
        if (f->codes[id] == NOT_LISTED)
            f->codes[id] = (u8)(listed + (id >> lower_bits));
    return listed;
}

/* The codes, then the lower bits of those from `upper` on; returns the end. Tables take the place of
 * branches. */
static inline u8 *put_codes(const struct w_id_filter *f, const u8 *ids, u32 id_bytes, u32 count,
                            u32 upper, u32 lower_bits, u8 *restrict out)
{
    const u8 *restrict places = f->places, *restrict codes = f->codes;
    u8 *restrict lower = out + count;
    u32 masks[256] = {0}, bits = 0;
    u8 widths[256] = {0};
    u64 waiting = 0;

    for (u32 code = upper; code < 256; code++) {
        masks[code] = (1u << lower_bits) - 1;
        widths[code] = (u8)lower_bits;
    }
    for (u32 i = 0; i < count; i++) {
        const u32 id = id_bytes == 2 ? w_get16(ids + 2 * i) : w_get32(ids + 4 * i);
        const u8 code = (u8)(places[i] + (codes[id] & -(places[i] / PLACES)));
        out[i] = code;
        waiting |= (u64)(id & masks[code]) << bits;
        bits += widths[code];
        w_put32(lower, (u32)waiting); /* at most 24 + 7 bits wait */
        lower += bits / 8;
        waiting >>= bits & ~7u;
        bits %= 8;
    }
    return lower + (bits > 0);
}

size_t w_id_filter_bound(u32 id_bytes, u32 count)
{
    return HEAD + FREQUENT * (size_t)id_bytes + (size_t)count * id_bytes + W_ID_FILTER_SLACK;
}

size_t w_id_filter_apply(struct w_id_filter *f, const u8 *ids, u32 count, u8 *out, u32 sizes[2])
{
    const u32 width = f->id_bytes;
    u32 lower_bits = 0;

    empty(f);
    /* Also the largest of all ids: each but 0 was in no list when it came first. */
    const u32 largest = width == 2 ? find_places16(f, ids, count) : find_places32(f, ids, count);
    if (largest == UINT32_MAX)
        return 0;
    f->used = largest + 1;
    while (largest >> lower_bits >= UPPER_CODES)
        lower_bits++;
    const u32 listed = make_codes(f, largest + 1, lower_bits, out + HEAD);
    out[0] = (u8)lower_bits;
    out[1] = (u8)listed;
    u8 *codes = out + HEAD + (size_t)listed * width;
    const u8 *end = width == 2 ? put_codes(f, ids, 2, count, PLACES + listed, lower_bits, codes)
                               : put_codes(f, ids, 4, count, PLACES + listed, lower_bits, codes);
    const size_t size = (size_t)(end - out);
    sizes[0] = (u32)(codes - out) + count;
    sizes[1] = (u32)size - sizes[0];
    return size <= (size_t)count * width ? size : 0;
}

/* ---- undoing ---- */

/* What the codes from PLACES on say. */
struct meanings {
    u32 ids[256];        /* the id, or its upper bits */
    u32 lower_bits[256]; /* that follow */
    u32 largest;         /* no id is larger */
    const u8 *codes, *lower;
};

/* Is every byte where it has to be? Sets what the codes mean, and where they are. */
static enum w_status read_head(const struct w_id_filter *f, const u8 *in, size_t size, u32 count,
                               struct meanings *m, struct w_err *err)
{
    const u32 width = f->id_bytes, s = size > HEAD ? in[0] : 0, t = size > HEAD ? in[1] : 0;
    const u64 limit = 1ull << 8 * width;
    const size_t head = HEAD + (size_t)t * width;
    u64 with_lower = 0, most = 0;
    u8 largest = 0;

    if (s > 24 || t > 256 - PLACES || size < head + (u64)count)
        return w_fail(err, W_CORRUPT, "ids: %zu bytes for %u of them, %u frequent ones, %u bits",
                      size, count, t, s);
    for (u32 code = PLACES; code < 256; code++) {
        const bool listed = code < PLACES + t;
        const u8 *at = in + HEAD + (size_t)(code - PLACES) * width;
        m->ids[code] = !listed ? (code - PLACES - t) << s : width == 2 ? w_get16(at) : w_get32(at);
        m->lower_bits[code] = listed ? 0 : s;
        most = listed ? W_MAX(most, m->ids[code]) : most;
    }
    m->codes = in + head;
    m->lower = m->codes + count;
    for (u32 i = 0; i < count; i++) {
        largest = W_MAX(largest, m->codes[i]);
        with_lower += m->codes[i] >= PLACES + t;
    }
    if (largest >= PLACES + t)
        most = W_MAX(most, ((u64)(largest - PLACES - t + 1) << s) - 1);
    if (most >= limit)
        return w_fail(err, W_CORRUPT, "ids: the code %u stands for none", largest);
    m->largest = (u32)most;
    const u64 lower_size = (with_lower * s + 7) / 8;
    if (size != head + count + lower_size)
        return w_fail(err, W_CORRUPT, "ids: expected %llu bytes, got %zu",
                      (unsigned long long)(head + count + lower_size), size);
    if (with_lower * s % 8 && in[size - 1] >> with_lower * s % 8)
        return w_fail(err, W_CORRUPT, "ids: bits after the last one");
    return W_DONE;
}

/* An id by a code that is no place. */
static inline u32 coded_id(const struct meanings *m, u8 code, u64 *bit)
{
    const u32 bits = m->lower_bits[code];
    const u32 id = m->ids[code] | (w_get32(m->lower + *bit / 8) >> *bit % 8 & ((1u << bits) - 1));

    *bit += bits;
    return id;
}

static void undo16(u64 *lists, const struct meanings *m, u8 *ids, u32 count)
{
    u64 bit = 0;
    u32 before = 0;

    for (u32 i = 0; i < count; i++) {
        const u64 list = lists[before];
        const u8 code = m->codes[i];
        u32 id;
        if (code < PLACES) {
            id = list >> 16 * code & 0xFFFF;
            lists[before] = move16(list, code, id);
        } else {
            id = coded_id(m, code, &bit);
            lists[before] = list << 16 | id;
        }
        w_put16(ids + 2 * i, (u16)id);
        before = id;
    }
}

static void undo32(u32 (*lists)[PLACES], const struct meanings *m, u8 *ids, u32 count)
{
    u64 bit = 0;
    u32 before = 0;

    for (u32 i = 0; i < count; i++) {
        u32 *list = lists[before % LISTS];
        const u8 code = m->codes[i];
        const u32 id = code < PLACES ? list[code] : coded_id(m, code, &bit);
        move32(list, code, id);
        w_put32(ids + 4 * i, id);
        before = id;
    }
}

enum w_status w_id_filter_undo(struct w_id_filter *f, const u8 *in, size_t size, u8 *ids, u32 count,
                               struct w_err *err)
{
    struct meanings m = {.largest = 0};
    enum w_status status = read_head(f, in, size, count, &m, err);

    if (status)
        return status;
    empty(f);
    if (f->id_bytes == 2)
        undo16(f->lists, &m, ids, count);
    else
        undo32(f->lists, &m, ids, count);
    f->used = W_MIN(m.largest, (u32)LISTS - 1) + 1;
    return W_DONE;
}
