/* The bytes: s and t, one byte each; t frequent ids; a code for each id; the lower s bits of those
 * ids whose code gives the upper ones, packed.
 *
 *     code 0 to 3           the place in the list of the id before
 *     4 to 3 + t            a frequent id
 *     4 + t to 255          the upper bits
 *
 * Applying looks at a sample of the ids first, for the frequent ones. Then it writes the codes, and
 * puts the ids aside of which lower bits follow, without a branch that depends on an id: nobody
 * could predict it. These are two loops, over PART ids in turn, which stay in the cache: where a
 * loop stores at a place that depends on what it has loaded, the CPU waits for that before it loads
 * more. Both have a form for AVX, with the same result.
 *
 * Lists are one 64-bit word each for ids of two bytes, the latest lowest; the id before 0 is the
 * first one's. */
#include "wire/id_filter.h"

#include <stdlib.h>
#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

#include "base/lanes.h"

enum {
    PLACES = 4,       /* ids in a list */
    LISTS = 1 << 16,  /* the list of an id is that of its lower 16 bits */
    UPPER_CODES = 64, /* at most, as this program writes: the more, the fewer frequent ids */
    FREQUENT = 256 - PLACES - UPPER_CODES,
    SAMPLE = 1 << 14,   /* ids, at most: with all of them a frame gets 0.2 % smaller */
    RANKED = 128,       /* counts that are told apart: SAMPLE has no FREQUENT ids with more */
    ID_LIMIT = 1 << 20, /* of what is filtered */
    LOWER_BITS = 14,    /* at most: UPPER_CODES << LOWER_BITS is ID_LIMIT */
    HEAD = 2,
    NOTHING = 0x80, /* as the number of a byte to move: a zero */
    PART = 4096,    /* ids that are coded, then put aside */
    OCTET = 8,      /* ids that are put aside, and whose lower bits are packed, together */
    OVERHANG = 16,  /* bytes written after the last lower bits: those of an OCTET */
};

/* How pairs of bytes move: the byte that comes to each place, or NOTHING. */
struct moves {
    u8 aside[256][2 * OCTET]; /* by a bit for each id: those with a bit to the front */
    /* By a bit for each byte of a list that is equal: the places after the id that comes to its
     * front; and one more, since they are read by twos. */
    u8 list[256 + 1][2 * PLACES];
    u8 place[256]; /* where that id was; not used without a bit */
};

struct w_id_filter {
    u32 id_bytes;
    void *lists; /* LISTS of PLACES ids, the latest first */
    u32 used;    /* lists of ids from here on are empty */
    /* for applying: */
    u32 id_limit; /* ids are below it */
    u8 *aside;    /* the lower 16 bits of ids whose lower bits follow */
    u8 *codes;    /* by id: of one that is in no list */
    u32 *counts;  /* by id: how often it is in the sample; all 0 between frames */
    u32 *sample;  /* its ids, each once */
    bool has_avx;
    struct moves moves;
};

static void make_moves(struct moves *m)
{
    memset(m, NOTHING, sizeof *m);
    for (u32 mask = 0; mask < 256; mask++) {
        const u32 place = mask ? (u32)__builtin_ctz(mask) / 2 % PLACES : PLACES - 1;
        u32 aside = 0, list = 1;
        m->place[mask] = (u8)place;
        for (u32 k = 0; k < OCTET; k++)
            if (mask >> k & 1)
                w_put16(m->aside[mask] + 2 * aside++, (u16)(2 * k | (2 * k + 1) << 8));
        for (u32 k = 0; k < PLACES; k++)
            if (k != place)
                w_put16(m->list[mask] + 2 * list++, (u16)(2 * k | (2 * k + 1) << 8));
    }
}

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
        f->aside = malloc(2 * (PART + 2 * OCTET));
        f->codes = malloc(f->id_limit);
        f->counts = calloc(f->id_limit, sizeof *f->counts);
        f->sample = malloc(SAMPLE * sizeof *f->sample);
    }
#if defined __x86_64__
    f->has_avx = __builtin_cpu_supports("avx") && __builtin_cpu_supports("popcnt");
#endif
    make_moves(&f->moves);
    if (f->lists && (!count || (f->aside && f->codes && f->counts && f->sample)))
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
    free(f->aside);
    free(f->codes);
    free(f->counts);
    free(f->sample);
    free(f);
}

void w_id_filter_portable(struct w_id_filter *f)
{
    f->has_avx = false;
}

/* ---- lists ---- */

/* Empty what the frame before has filled. */
static void empty(struct w_id_filter *f)
{
    memset(f->lists, 0, (size_t)W_MIN(f->used, (u32)LISTS) * PLACES * f->id_bytes);
    f->used = f->id_limit;
}

/* The list after an id that comes to its front. moving: all bits of the places that move by one,
 * the last of which drops out. */
static inline u64 move16(u64 list, u64 moving, u32 id)
{
    return ((list << 16 | id) & moving) | (list & ~moving);
}

static inline void move32(u32 *list, u32 place, u32 id)
{
    for (u32 k = PLACES - 1; k > 0; k--)
        list[k] = k <= place ? list[k - 1] : list[k];
    list[0] = id;
}

/* The code of an id: its place in the list, to whose front it comes, or `other` if it is in
 * none. */
static inline u32 code16(u64 *list, u32 id, u32 other)
{
    const u64 ones = 0x0001000100010001, differ = *list ^ id * ones;
    /* The highest bit of places that are equal: of the first one for sure, of later ones
     * perhaps. */
    const u64 equal = (differ - ones) & ~differ & ones << 15;
    const u32 place = (u32)__builtin_ctzll(equal | 1ull << 63) / 16, none = -(u32)(equal == 0);

    *list = move16(*list, equal ^ (equal - 1), id); /* up to the first equal bit; all, if none is */
    return (place & ~none) | (other & none);
}

static inline u32 code32(u32 *list, u32 id, u32 other)
{
    u32 place = 0, coming = id, moving = ~0u; /* 0 after the id's own place */

#pragma GCC unroll 4
    for (u32 k = 0; k < PLACES; k++) {
        const u32 old = list[k];
        list[k] = (coming & moving) | (old & ~moving);
        coming = old;
        moving &= -(u32)(old != id);
        place += moving & 1;
    }
    return (place & ~moving) | (other & moving);
}

/* ---- applying ---- */

static inline u32 get_id(const u8 *ids, u32 width, u32 index)
{
    return width == 2 ? w_get16(ids + 2 * (size_t)index) : w_get32(ids + 4 * (size_t)index);
}

/* How many lower bits of ids are apart, so that there are at most UPPER_CODES upper ones; more than
 * LOWER_BITS if an id is too large. */
static u32 count_lower_bits(const u8 *ids, u32 width, u32 count)
{
    const size_t size = (size_t)count * width;
    w_lanes lanes = {0}, more = {0}; /* ids, or'd */
    u8 bytes[W_LANES];
    size_t i = 0;
    u32 all = 0, bits = 0;

    for (; i + 2 * W_LANES <= size; i += 2 * W_LANES) {
        lanes |= w_lanes_load(ids + i);
        more |= w_lanes_load(ids + i + W_LANES);
    }
    lanes |= more;
    memcpy(bytes, &lanes, sizeof bytes);
    for (; i < size; i++)
        bytes[i % W_LANES] |= ids[i];
    for (i = 0; i < W_LANES; i++)
        all |= (u32)bytes[i] << 8 * (i % width);
    while (all >> bits >= UPPER_CODES)
        bits++;
    return bits;
}

/* List the ids in out that are most frequent in a sample of evenly spaced ones, as far as listing
 * them saves more lower bits than it takes. Of ids with the same count all or none are listed.
 * Returns how many are. */
static u32 list_frequent(struct w_id_filter *f, const u8 *ids, u32 count, u32 lower_bits, u8 *out)
{
    const u32 width = f->id_bytes, distance = (count / SAMPLE + 1) | 1;
    u32 ranks[RANKED] = {0}, different = 0, taken = 0, rank = RANKED, listed = 0;

    for (u32 i = 0; i < count; i += distance) {
        const u32 id = get_id(ids, width, i);
        f->sample[different] = id;
        different += f->counts[id]++ == 0;
    }
    for (u32 i = 0; i < different; i++) {
        u32 *of_id = &f->counts[f->sample[i]];
        *of_id = W_MIN(*of_id, RANKED - 1u);
        ranks[*of_id]++;
    }
    while ((u64)(rank - 1) * distance * lower_bits > 8 * width &&
           taken + ranks[rank - 1] <= FREQUENT)
        taken += ranks[--rank];
    for (u32 i = 0; i < different; i++) {
        const u32 id = f->sample[i];
        if (f->counts[id] >= rank) {
            if (width == 2)
                w_put16(out + 2 * listed, (u16)id);
            else
                w_put32(out + 4 * listed, id);
            listed++;
        }
        f->counts[id] = 0;
    }
    return listed;
}

/* Fill `codes`. */
static void make_codes(const struct w_id_filter *f, const u8 *frequent, u32 listed, u32 lower_bits)
{
    for (u32 upper = 0; upper < UPPER_CODES; upper++)
        memset(f->codes + (upper << lower_bits), (int)(PLACES + listed + upper), 1u << lower_bits);
    for (u32 i = 0; i < listed; i++)
        f->codes[get_id(frequent, f->id_bytes, i)] = (u8)(PLACES + i);
}

/* The codes of `count` ids, of which the first one follows the id `before`. */
static inline void put_codes(const struct w_id_filter *f, const u8 *ids, u32 width, u32 count,
                             u32 before, u8 *restrict out)
{
    const u8 *restrict codes = f->codes;
    u64 *restrict lists16 = f->lists;
    u32(*restrict lists32)[PLACES] = f->lists;

    for (u32 i = 0; i < count; i++) {
        const u32 id = get_id(ids, width, i);
        out[i] = (u8)(width == 2 ? code16(&lists16[before], id, codes[id])
                                 : code32(lists32[before % LISTS], id, codes[id]));
        before = id;
    }
}

/* Put the ids aside whose code is from `upper` on. Returns how many. */
static inline u32 put_aside(const u8 *ids, u32 width, u32 count, u32 upper,
                            const u8 *restrict codes, u8 *restrict aside)
{
    u32 put = 0;

    for (u32 i = 0; i < count; i++) {
        w_put16(aside + 2 * (size_t)put, (u16)get_id(ids, width, i));
        put += codes[i] >= upper;
    }
    return put;
}

#if defined __x86_64__
/* The same two for ids of two bytes. */

__attribute__((target("avx"))) static void put_codes_avx(const struct w_id_filter *f, const u8 *ids,
                                                         u32 count, u32 before, u8 *restrict out)
{
    const struct moves *restrict moves = &f->moves;
    const u8 *restrict codes = f->codes;
    u64 *restrict lists = f->lists;
    size_t from = before, id; /* of one width, so that none is made longer for an address */

#pragma GCC unroll 2
    for (size_t i = 0; i < count; i++, from = id) {
        id = w_get16(ids + 2 * i);
        const __m128i list = _mm_loadl_epi64((const __m128i *)&lists[from]);
        const __m128i front = _mm_cvtsi32_si128((int)id);
        const size_t equal =
            (u8)_mm_movemask_epi8(_mm_cmpeq_epi16(list, _mm_shufflelo_epi16(front, 0)));
        const __m128i move = _mm_loadu_si128((const __m128i *)moves->list[equal]);
        const u8 place = moves->place[equal], other = codes[id];
        _mm_storel_epi64((__m128i *)&lists[from],
                         _mm_or_si128(front, _mm_shuffle_epi8(list, move)));
        out[i] = equal ? place : other;
    }
}

/* Eight ids at a time; writes up to an OCTET more than it puts aside. */
__attribute__((target("avx,popcnt"))) static u32 put_aside_avx(const struct w_id_filter *f,
                                                               const u8 *ids, u32 count, u32 upper,
                                                               const u8 *restrict codes,
                                                               u8 *restrict aside)
{
    const __m128i uppers = _mm_set1_epi8((char)upper);
    u32 put = 0, i = 0;

    for (; i + OCTET <= count; i += OCTET) {
        const __m128i eight = _mm_loadl_epi64((const __m128i *)(codes + i));
        const u32 mask = (u8)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(eight, uppers), eight));
        const __m128i from = _mm_loadu_si128((const __m128i *)(ids + 2 * (size_t)i));
        const __m128i move = _mm_loadu_si128((const __m128i *)f->moves.aside[mask]);
        _mm_storeu_si128((__m128i *)(aside + 2 * (size_t)put), _mm_shuffle_epi8(from, move));
        put += (u32)__builtin_popcount(mask);
    }
    return put +
           put_aside(ids + 2 * (size_t)i, 2, count - i, upper, codes + i, aside + 2 * (size_t)put);
}
#endif

/* The codes of a part, and the ids put aside of which lower bits follow; returns how many. */
static inline u32 put_part(const struct w_id_filter *f, const u8 *ids, u32 width, u32 count,
                           u32 before, u32 upper, u8 *out, u8 *aside)
{
#if defined __x86_64__
    if (width == 2 && f->has_avx) {
        put_codes_avx(f, ids, count, before, out);
        return put_aside_avx(f, ids, count, upper, out, aside);
    }
#endif
    put_codes(f, ids, width, count, before, out);
    return put_aside(ids, width, count, upper, out, aside);
}

/* Four ids of two bytes each, of which only the lower bits are kept, without gaps. */
static inline u64 pack_four(u64 ids, u32 lower_bits)
{
    const u64 ones = ((1ull << lower_bits) - 1) * 0x100000001;
    const u64 pairs = (ids & ones) | (ids >> 16 & ones) << lower_bits;

    return (u32)pairs | pairs >> 32 << 2 * lower_bits;
}

/* The lower bits of whole OCTETs of ids, which take whole bytes; half of one, half a byte more. */
static void put_lower_bits(const u8 *aside, u32 octets, u32 lower_bits, u8 *out)
{
    const u32 half = lower_bits / 2, rest = 4 * (lower_bits % 2);

    for (u32 i = 0; i < octets; i++, aside += 2 * OCTET, out += lower_bits) {
        const u64 first = pack_four(w_get64(aside), lower_bits);
        const u64 second = pack_four(w_get64(aside + OCTET), lower_bits);
        w_put64(out, first);
        w_put64(out + half, first >> 8 * half | second << rest);
    }
}

/* The codes of all ids, and after them the lower bits, with zeros after the last. Returns how many
 * bytes these take: more than `room` if they would not fit into it, and then they are not all
 * there. */
static inline size_t put_all(const struct w_id_filter *f, const u8 *ids, u32 width, u32 count,
                             u32 upper, u32 lower_bits, u8 *out, size_t room)
{
    u8 *lower = out + count;
    size_t size = 0;
    u32 before = 0, waiting = 0; /* ids aside, less than an OCTET */

    for (u32 i = 0, part; i < count; i += part) {
        const u8 *from = ids + (size_t)i * width;
        part = W_MIN(count - i, (u32)PART);
        waiting += put_part(f, from, width, part, before, upper, out + i, f->aside + 2 * waiting);
        before = get_id(from, width, part - 1);
        const u32 octets = waiting / OCTET;
        if (size + (size_t)octets * lower_bits > room)
            return room + 1;
        put_lower_bits(f->aside, octets, lower_bits, lower + size);
        size += (size_t)octets * lower_bits;
        memcpy(f->aside, f->aside + 2 * OCTET * octets, 2 * OCTET);
        waiting %= OCTET;
    }
    memset(f->aside + 2 * waiting, 0, 2 * OCTET);
    put_lower_bits(f->aside, 1, lower_bits, lower + size);
    return size + (waiting * lower_bits + 7) / 8;
}

size_t w_id_filter_bound(u32 id_bytes, u32 count)
{
    return HEAD + FREQUENT * (size_t)id_bytes + (size_t)count * id_bytes + OVERHANG;
}

size_t w_id_filter_apply(struct w_id_filter *f, const u8 *ids, u32 count, u8 *out, u32 sizes[2])
{
    const u32 width = f->id_bytes, lower_bits = count_lower_bits(ids, width, count);

    if (lower_bits > LOWER_BITS)
        return 0;
    empty(f);
    f->used = UPPER_CODES << lower_bits;
    const u32 listed = list_frequent(f, ids, count, lower_bits, out + HEAD);
    out[0] = (u8)lower_bits;
    out[1] = (u8)listed;
    make_codes(f, out + HEAD, listed, lower_bits);
    u8 *codes = out + HEAD + (size_t)listed * width;
    sizes[0] = (u32)(codes - out) + count;
    if (sizes[0] > (size_t)count * width)
        return 0;
    const size_t room = (size_t)count * width - sizes[0];
    const size_t lower = width == 2
                             ? put_all(f, ids, 2, count, PLACES + listed, lower_bits, codes, room)
                             : put_all(f, ids, 4, count, PLACES + listed, lower_bits, codes, room);
    sizes[1] = (u32)lower;
    return lower > room ? 0 : sizes[0] + lower;
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
            lists[before] = move16(list, ~0ull >> (48 - 16 * code), id);
        } else {
            id = coded_id(m, code, &bit);
            lists[before] = move16(list, ~0ull, id);
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
