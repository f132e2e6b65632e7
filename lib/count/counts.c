/* The model in memory: the arrays of a file, with prefix sums in the place of lengths. A place of a
 * text is looked up order by order: the context of the next order is found among the children of
 * the present one, the token among its followers, by binary search. Nearly all contexts have a few
 * of either, so that a search is one line of memory, which is asked for beforehand for many places
 * at a time. The counts of a context are summed as they are read; only where it has many followers
 * the sums are kept in a table. */
#include "count/counts.h"

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are used as they are in the stream, which is little-endian");

enum {
    LONG = 24,        /* followers from which on sums are kept */
    WALK_PLACES = 64, /* looked up together */
    CONTEXTS_MAX = 1u << 31,
};

struct w_count_long {
    u32 key; /* context + 1; 0: empty */
    u32 total, n[3];
};

struct w_counts {
    struct w_count_facts facts;
    u32 *unigrams;
    struct w_count_node root; /* the sums of order 1 */
    struct w_count_level level[W_COUNT_ORDER_MAX + 1];
};

/* ---- counts ---- */

/* A count that has no code, by its n-gram. */
static u32 large_count(const struct w_count_level *level, u32 gram)
{
    u32 low = 0, high = level->large_count;

    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (level->large_at[middle] <= gram)
            low = middle;
        else
            high = middle;
    }
    return ((const u32 *)(const void *)level->large.at)[low];
}

static inline u32 count_of(const struct w_count_level *level, u32 gram)
{
    const u8 code = level->gram_codes.at[gram];

    return code == W_COUNT_LARGE ? large_count(level, gram) : code;
}

u32 w_counts_gram_count(const struct w_counts *c, u32 order, u32 gram)
{
    return count_of(&c->level[order], gram);
}

static inline u32 class_of(u32 count)
{
    return W_MIN(count, 3u) - 1;
}

/* The sums of followers [first, end). The total may need more than 32 bits while it is checked. */
static u64 sum(const struct w_count_level *level, u32 first, u32 end, u32 n[3])
{
    u64 total = 0;

    n[0] = n[1] = n[2] = 0;
    for (u32 gram = first; gram < end; gram++) {
        u32 count = count_of(level, gram);
        total += count;
        n[class_of(count)]++;
    }
    return total;
}

static u32 long_slot(const struct w_count_level *level, u32 context)
{
    u32 slot = (context * 2654435769u) >> 7;

    while (level->longs[slot & level->long_mask].key &&
           level->longs[slot & level->long_mask].key != context + 1)
        slot++;
    return slot & level->long_mask;
}

static inline void fill_sums(const struct w_count_level *level, u32 context,
                             struct w_count_node *node)
{
    const u32 first = level->first_gram[context], end = level->first_gram[context + 1];

    node->context = level->base + context;
    node->pruned = level->pruned ? level->pruned[context] : 0;
    if (end - first >= LONG) {
        const struct w_count_long *l = &level->longs[long_slot(level, context)];
        node->total = l->total;
        memcpy(node->n, l->n, sizeof node->n);
    } else {
        node->total = (u32)sum(level, first, end, node->n) + node->pruned;
    }
}

/* ---- opening ---- */

static enum w_status corrupt(u32 order, const char *what, struct w_err *err)
{
    return w_fail(err, W_CORRUPT, "counts of order %u: %s", order, what);
}

/* The number of a code; *at: bytes of the large numbers that are used so far. */
static inline enum w_status take_number(u8 code, const struct w_buffer *large, u64 *at, u32 order,
                                        u32 *number, struct w_err *err)
{
    *number = code;
    if (code != W_COUNT_LARGE)
        return W_DONE;
    if (large->size - *at < 4)
        return corrupt(order, "large numbers are missing", err);
    *number = w_get32(large->at + *at);
    *at += 4;
    return W_DONE;
}

/* Codes and large numbers as the sums before each: [count + 1]. */
static enum w_status unpack_sums(struct w_buffer *codes, struct w_buffer *large, u32 order,
                                 u64 limit, u32 **sums, struct w_err *err)
{
    const u64 count = codes->size;
    u64 at = 0, total = 0;
    u32 *out = *sums = malloc((count + 1) * sizeof *out);

    if (!out)
        return w_fail(err, W_NOMEM, "no memory for %llu contexts", (unsigned long long)count);
    for (u64 i = 0; i < count; i++) {
        u32 number;
        enum w_status status = take_number(codes->at[i], large, &at, order, &number, err);
        if (status)
            return status;
        out[i] = (u32)total;
        total += number;
        if (total > limit)
            return corrupt(order, "more followers or children than there are", err);
    }
    out[count] = (u32)total;
    if (at != large->size || total != limit)
        return corrupt(order, "fewer followers or children than there are", err);
    w_buffer_free(codes);
    w_buffer_free(large);
    return W_DONE;
}

/* Pruned sums: number by number. */
static enum w_status unpack_pruned(struct w_buffer *codes, struct w_buffer *large, u32 order,
                                   u32 **pruned, struct w_err *err)
{
    u64 at = 0;
    u32 *out = *pruned = malloc(W_MAX(codes->size, 1u) * sizeof *out);

    if (!out)
        return w_fail(err, W_NOMEM, "no memory for %zu contexts", codes->size);
    for (u64 i = 0; i < codes->size; i++) {
        enum w_status status = take_number(codes->at[i], large, &at, order, &out[i], err);
        if (status)
            return status;
    }
    if (at != large->size)
        return corrupt(order, "more large numbers than are used", err);
    w_buffer_free(codes);
    w_buffer_free(large);
    return W_DONE;
}

/* Where the counts stand that have no code. */
static enum w_status find_large(struct w_count_level *level, u32 order, struct w_err *err)
{
    const u64 room = level->large.size / 4;
    u32 found = 0;

    level->large_at = malloc(W_MAX(room, 1u) * sizeof *level->large_at);
    if (!level->large_at)
        return w_fail(err, W_NOMEM, "no memory for %llu counts", (unsigned long long)room);
    for (u32 gram = 0; gram < level->grams; gram++)
        if (level->gram_codes.at[gram] == W_COUNT_LARGE) {
            if (found == room || w_get32(level->large.at + 4ull * found) < W_COUNT_LARGE)
                return corrupt(order, "large counts are missing", err);
            level->large_at[found++] = gram;
        }
    level->large_count = found;
    return found == room && level->large.size % 4 == 0
               ? W_DONE
               : corrupt(order, "more large counts than are used", err);
}

/* Words of a range rise and are below the vocabulary. */
static bool rising(const struct w_counts *c, const struct w_buffer *words, u32 first, u32 end)
{
    u32 before = 0;

    for (u32 i = first; i < end; i++) {
        u32 word = w_count_word(words, c->facts.id_bytes, i);
        if (word >= c->facts.vocab || (i > first && word <= before))
            return false;
        before = word;
    }
    return true;
}

/* Check every context of an order and keep the sums of the long ones. */
static enum w_status check_level(struct w_counts *c, u32 order, struct w_err *err)
{
    struct w_count_level *level = &c->level[order];
    u32 longs = 0, room = 16;

    for (u32 code = 0; code < level->grams; code++)
        if (level->gram_codes.at[code] == 0)
            return corrupt(order, "a count of 0", err);
    for (u32 i = 0; i < level->contexts; i++)
        longs += level->first_gram[i + 1] - level->first_gram[i] >= LONG;
    while (room < 2ull * longs)
        room *= 2;
    level->long_mask = room - 1;
    level->longs = calloc(room, sizeof *level->longs);
    if (!level->longs)
        return w_fail(err, W_NOMEM, "no memory for the sums of %u contexts", longs);
    for (u32 i = 0; i < level->contexts; i++) {
        const u32 first = level->first_gram[i], end = level->first_gram[i + 1];
        if (!rising(c, &level->gram_words, first, end))
            return corrupt(order, "followers that do not rise, or are not in the vocabulary", err);
        if (level->first_child && !rising(c, &c->level[order + 1].words, level->first_child[i],
                                          level->first_child[i + 1]))
            return corrupt(order + 1, "contexts that do not rise, or are not in the vocabulary",
                           err);
        struct w_count_long l = {.key = i + 1};
        u64 total = sum(level, first, end, l.n) + (level->pruned ? level->pruned[i] : 0);
        if (total > INT32_MAX) /* as many may be added */
            return w_fail(err, W_LIMIT, "counts of order %u: 2^31 or more after one context",
                          order);
        l.total = (u32)total;
        if (end - first >= LONG)
            level->longs[long_slot(level, i)] = l;
    }
    return W_DONE;
}

/* Take the arrays of an order out of the image. */
static enum w_status take_level(struct w_counts *c, struct w_count_image *image, u32 order,
                                struct w_err *err)
{
    struct w_count_level *level = &c->level[order];
    struct w_buffer *part = image->part[order];
    const u64 contexts = part[W_CONTEXT_GRAMS].size, grams = part[W_GRAM_COUNT].size;
    const u32 id_bytes = c->facts.id_bytes;

    if (contexts > CONTEXTS_MAX - level->base || grams > UINT32_MAX)
        return w_fail(err, W_LIMIT, "counts of order %u: more than 2^31 contexts or 2^32 n-grams",
                      order);
    level->contexts = c->facts.contexts[order] = (u32)contexts;
    level->grams = c->facts.grams[order] = (u32)grams;
    if (order < image->order)
        c->level[order + 1].base = level->base + level->contexts;
    if (order == 2 ? contexts != c->facts.vocab || part[W_CONTEXT_WORD].size
                   : part[W_CONTEXT_WORD].size != contexts * id_bytes)
        return corrupt(order, "not a token for each context", err);
    if (part[W_GRAM_WORD].size != grams * id_bytes)
        return corrupt(order, "not a token for each count", err);
    if (part[W_CONTEXT_CHILDREN].size != (order < image->order ? contexts : 0))
        return corrupt(order, "not a number of children for each context", err);
    if (part[W_CONTEXT_PRUNED].size != (c->facts.pruned ? contexts : 0))
        return corrupt(order, "not a pruned sum for each context", err);
    enum w_status status = unpack_sums(&part[W_CONTEXT_GRAMS], &part[W_CONTEXT_GRAMS_LARGE], order,
                                       grams, &level->first_gram, err);
    if (!status && order < image->order)
        status =
            unpack_sums(&part[W_CONTEXT_CHILDREN], &part[W_CONTEXT_CHILDREN_LARGE], order,
                        image->part[order + 1][W_CONTEXT_GRAMS].size, &level->first_child, err);
    if (!status && c->facts.pruned)
        status = unpack_pruned(&part[W_CONTEXT_PRUNED], &part[W_CONTEXT_PRUNED_LARGE], order,
                               &level->pruned, err);
    struct w_buffer *const to[] = {&level->words, &level->gram_words, &level->gram_codes,
                                   &level->large};
    static const u32 from[] = {W_CONTEXT_WORD, W_GRAM_WORD, W_GRAM_COUNT, W_GRAM_COUNT_LARGE};
    for (u32 i = 0; i < W_COUNTOF(to); i++) {
        *to[i] = part[from[i]];
        part[from[i]] = (struct w_buffer){0};
    }
    return status ? status : find_large(level, order, err);
}

static enum w_status take_unigrams(struct w_counts *c, struct w_count_image *image,
                                   struct w_err *err)
{
    u64 total = 0;

    c->unigrams = image->unigrams;
    image->unigrams = NULL;
    for (u32 word = 0; word < c->facts.vocab; word++)
        if (c->unigrams[word]) {
            total += c->unigrams[word];
            c->root.n[class_of(c->unigrams[word])]++;
            c->facts.grams[1]++;
        }
    if (total > INT32_MAX || total == 0)
        return corrupt(1, total ? "2^31 or more" : "all are 0", err);
    c->root.total = (u32)total;
    c->facts.contexts[1] = 1;
    return W_DONE;
}

static u64 memory_of(const struct w_counts *c)
{
    u64 bytes = 4ull * c->facts.vocab;

    for (u32 n = 2; n <= c->facts.order; n++) {
        const struct w_count_level *l = &c->level[n];
        bytes += l->words.size + l->gram_words.size + l->gram_codes.size + 2 * l->large.size;
        const u32 numbers = 1u + (l->first_child != NULL) + (l->pruned != NULL);
        bytes += 4ull * (l->contexts + 1) * numbers;
        bytes += (l->long_mask + 1ull) * sizeof *l->longs;
    }
    return bytes;
}

enum w_status w_counts_open(struct w_counts **out, struct w_count_image *image, struct w_err *err)
{
    struct w_counts *c = *out = calloc(1, sizeof *c);
    enum w_status status = c ? W_DONE : w_fail(err, W_NOMEM, "no memory for counts");

    if (!status) {
        c->facts = (struct w_count_facts){.order = image->order,
                                          .vocab = image->vocab,
                                          .eot = image->eot,
                                          .id_bytes = image->id_bytes,
                                          .tokens = image->tokens,
                                          .document = image->document,
                                          .pruned = image->pruned,
                                          .image_bytes = w_count_image_bytes(image)};
        memcpy(c->facts.spectrum, image->spectrum, sizeof c->facts.spectrum);
        for (u32 n = 1; n <= image->order; n++)
            w_count_discounts(image->spectrum[n], c->facts.discount[n]);
        c->level[2].base = 1;
        status = take_unigrams(c, image, err);
    }
    for (u32 n = 2; n <= image->order && !status; n++)
        status = take_level(c, image, n, err);
    for (u32 n = 2; n <= image->order && !status; n++)
        status = check_level(c, n, err);
    if (!status)
        c->facts.memory_bytes = memory_of(c);
    w_count_image_release(image);
    if (status) {
        w_counts_free(c);
        *out = NULL;
    }
    return status;
}

void w_counts_free(struct w_counts *c)
{
    if (!c)
        return;
    for (u32 n = 2; n <= W_COUNT_ORDER_MAX; n++) {
        struct w_count_level *level = &c->level[n];
        w_buffer_free(&level->words);
        w_buffer_free(&level->gram_words);
        w_buffer_free(&level->gram_codes);
        w_buffer_free(&level->large);
        free(level->first_gram);
        free(level->first_child);
        free(level->large_at);
        free(level->pruned);
        free(level->longs);
    }
    free(c->unigrams);
    free(c);
}

const struct w_count_facts *w_counts_facts(const struct w_counts *c)
{
    return &c->facts;
}

const struct w_count_level *w_counts_level(const struct w_counts *c, u32 order)
{
    return &c->level[order];
}

const u32 *w_counts_unigrams(const struct w_counts *c)
{
    return c->unigrams;
}

void w_count_discounts(const u64 spectrum[W_COUNT_SPECTRUM], double discount[4])
{
    const double n1 = (double)spectrum[0], n2 = (double)spectrum[1];
    const double n3 = (double)spectrum[2], n4 = (double)spectrum[3];

    discount[0] = 0, discount[1] = 0.7, discount[2] = 1, discount[3] = 1.3;
    if (n1 < 1 || n2 < 1 || n3 < 1)
        return;
    const double y = n1 / (n1 + 2 * n2);
    const double found[4] = {0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3};
    static const double instead[4] = {0, 0.7, 1.1, 1.4};
    for (u32 k = 1; k < 4; k++)
        discount[k] = found[k] > 0.05 && found[k] < k ? found[k] : instead[k];
}

/* ---- looking up ---- */

/* The index of a word in a rising range, or end. */
static inline u32 search(const struct w_buffer *words, u32 id_bytes, u32 first, u32 end, u32 word)
{
    u32 low = first, size = end - first;

    while (size > 1) { /* the last that is at most the word */
        u32 half = size / 2;
        low = w_count_word(words, id_bytes, low + half) <= word ? low + half : low;
        size -= half;
    }
    return size && w_count_word(words, id_bytes, low) == word ? low : end;
}

struct step {
    u32 context, first, end, child, child_end;
};

/* One order of some places: ranges of memory first, then what is in them. `step[i].context`: the
 * context of this order, UINT32_MAX without one; becomes that of the next. */
static void walk_order(const struct w_counts *c, const u32 *ids, u64 from, u32 count, u32 order,
                       struct step *step, struct w_count_walk *walk)
{
    const struct w_count_level *level = &c->level[order], *next = level + 1;
    const u32 id_bytes = c->facts.id_bytes;

    for (u32 i = 0; i < count; i++)
        if (step[i].context != UINT32_MAX) {
            __builtin_prefetch(level->first_gram + step[i].context);
            if (level->first_child)
                __builtin_prefetch(level->first_child + step[i].context);
        }
    for (u32 i = 0; i < count; i++) {
        struct step *s = &step[i];
        if (s->context == UINT32_MAX)
            continue;
        s->first = level->first_gram[s->context], s->end = level->first_gram[s->context + 1];
        __builtin_prefetch(level->gram_words.at +
                           (u64)id_bytes * (s->first + (s->end - s->first) / 2));
        __builtin_prefetch(level->gram_codes.at + s->first);
        if (level->first_child) {
            s->child = level->first_child[s->context];
            s->child_end = level->first_child[s->context + 1];
            __builtin_prefetch(next->words.at +
                               (u64)id_bytes * (s->child + (s->child_end - s->child) / 2));
        }
    }
    for (u32 i = 0; i < count; i++) {
        struct step *s = &step[i];
        if (s->context == UINT32_MAX)
            continue;
        struct w_count_node *node = &walk[i].node[order - 1];
        u32 gram = search(&level->gram_words, id_bytes, s->first, s->end, ids[from + i]);
        node->count = gram < s->end ? count_of(level, gram) : 0;
        fill_sums(level, s->context, node);
        walk[i].depth = order;
        s->context = UINT32_MAX;
        if (level->first_child && from + i >= order) {
            u32 child =
                search(&next->words, id_bytes, s->child, s->child_end, ids[from + i - order]);
            s->context = child < s->child_end ? child : UINT32_MAX;
        }
    }
}

void w_counts_walk(const struct w_counts *c, const u32 *ids, u64 from, u32 count,
                   struct w_count_walk *walk)
{
    for (u32 done = 0; done < count; done += WALK_PLACES) {
        const u32 some = W_MIN(count - done, (u32)WALK_PLACES);
        struct step step[WALK_PLACES];
        for (u32 i = 0; i < some; i++) {
            struct w_count_node *root = &walk[done + i].node[0];
            const u64 place = from + done + i;
            *root = c->root;
            root->count = c->unigrams[ids[place]];
            walk[done + i].depth = 1;
            step[i].context = place > 0 ? ids[place - 1] : UINT32_MAX;
        }
        for (u32 n = 2; n <= c->facts.order; n++)
            walk_order(c, ids, from + done, some, n, step, walk + done);
    }
}

void w_counts_context(const struct w_counts *c, u32 order, u32 context, struct w_count_node *node)
{
    memset(node, 0, sizeof *node);
    fill_sums(&c->level[order], context, node);
}

double w_count_p(const struct w_counts *c, const double (*discount)[4],
                 const struct w_count_walk *walk)
{
    double p = 1.0 / c->facts.vocab;

    for (u32 n = 1; n <= walk->depth && walk->node[n - 1].total; n++) {
        const struct w_count_node *node = &walk->node[n - 1];
        const double *d = discount[n];
        double mass = w_count_mass(d, node->n) + node->pruned;
        p = (w_count_discounted(d, node->count) + mass * p) / node->total;
    }
    return p;
}

struct w_count_range w_counts_followers(const struct w_counts *c, u32 order, u32 context)
{
    const struct w_count_level *level = &c->level[order];

    if (order == 1)
        return (struct w_count_range){1, 0, c->facts.vocab};
    return (struct w_count_range){order, level->first_gram[context - level->base],
                                  level->first_gram[context - level->base + 1]};
}

bool w_counts_next(const struct w_counts *c, struct w_count_range *range,
                   struct w_count_follower *follower)
{
    const struct w_count_level *level = &c->level[range->order];

    if (range->order == 1) {
        while (range->at < range->end && c->unigrams[range->at] == 0)
            range->at++;
        if (range->at == range->end)
            return false;
        *follower = (struct w_count_follower){range->at, c->unigrams[range->at]};
    } else {
        if (range->at == range->end)
            return false;
        *follower = (struct w_count_follower){
            w_count_word(&level->gram_words, c->facts.id_bytes, range->at),
            count_of(level, range->at)};
    }
    range->at++;
    return true;
}
