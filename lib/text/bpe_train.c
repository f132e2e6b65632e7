/* Each pair knows its count and the words it occurs in, so that a merge visits these words only and
 * corrects the counts of the pairs around each occurrence. Cost: counting is linear in the bytes of
 * the different words; a merge takes the lengths of its words, and O(log pairs) for each entry
 * pushed to or popped from a heap.
 *
 * The next merge is the first pair of the heap. Its entries may be stale, which is sound: a merge
 * adds occurrences only to pairs that hold its new id, and those are pushed after it with their
 * full counts. So once a pair is in the heap its count only falls, and no entry is below its pair's
 * count. The first entry is compared with its pair when popped. If they agree, no other pair comes
 * before it; if not, the pair is pushed again with its present count. */
#include "text/bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "text/byte_letters.h"
#include "text/pair_map.h"
#include "text/token_set.h"

/* One of the different words, as its present tokens. Words are stored one after another, each
 * with its ids, because every visit is a cache miss. A word's number is its offset in units of 8
 * bytes. */
struct word {
    u64 count; /* occurrences in the text */
    u32 length;
    u32 ids[];
};

/* A pair of adjacent tokens: how often it occurs, and in which words. Words are only added to the
 * list: it may hold one that no longer has the pair, and a merge then changes nothing there. */
struct pair {
    u32 left, right;
    u64 count;
    u32 *words;
    u32 word_count, word_room;
};

/* An entry of the heap; the count may be an earlier, higher one. */
struct item {
    u64 count;
    u32 pair;
};

struct trainer {
    enum w_tie tie;
    u64 min_count;
    u32 place[256]; /* of each byte in the order that decides ties */
    struct w_token_set tokens;
    u64 *words; /* the storage of the words, in units of 8 bytes */
    struct pair *pairs;
    u32 pair_count;
    size_t pair_room;
    struct w_pair_map index; /* (left, right) -> number of the pair */
    struct item *heap;
    size_t heap_count, heap_room;
    struct w_err *err;
};

static struct word *word_at(const struct trainer *t, u32 w)
{
    return (struct word *)&t->words[w];
}

/* Units for a word of so many bytes, each of which is an id at first. */
static u64 word_units(u32 size)
{
    return (offsetof(struct word, ids) + size * sizeof(u32) + 7) / 8;
}

/* ---- which pair is first ---- */

static int compare_bytes(const struct trainer *t, u32 a, u32 b)
{
    u32 a_size, b_size;
    const u8 *a_bytes = w_token_bytes(&t->tokens, a, &a_size);
    const u8 *b_bytes = w_token_bytes(&t->tokens, b, &b_size);
    int order = memcmp(a_bytes, b_bytes, W_MIN(a_size, b_size));
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

/* The letter of a byte as a number. UTF-8 bytes compare as the characters do. */
static u32 letter_of(u32 byte)
{
    u8 one = (u8)byte;
    char letter[W_BYTE_LETTER_MAX];
    size_t size = w_bytes_to_letters(&one, 1, letter);

    return size == 1 ? (u8)letter[0] : (u32)(u8)letter[0] << 8 | (u8)letter[1];
}

/* The order of the bytes by the rule for ties. */
static void place_bytes(struct trainer *t)
{
    for (u32 a = 0; a < 256; a++)
        t->place[a] = t->tie == W_TIE_HF ? 0 : a;
    if (t->tie == W_TIE_HF)
        for (u32 a = 0; a < 256; a++)
            for (u32 b = 0; b < 256; b++)
                t->place[a] += letter_of(b) < letter_of(a);
}

static u32 place_of(const struct trainer *t, u32 id)
{
    return id < 256 ? t->place[id] : id;
}

/* Does item a come before item b? */
static bool is_before(const struct trainer *t, struct item a, struct item b)
{
    const struct pair *p = &t->pairs[a.pair], *q = &t->pairs[b.pair];

    if (a.count != b.count)
        return a.count > b.count;
    if (t->tie != W_TIE_BYTES_MAX)
        return p->left != q->left ? place_of(t, p->left) < place_of(t, q->left)
                                  : place_of(t, p->right) < place_of(t, q->right);
    int order = compare_bytes(t, p->left, q->left);
    return (order ? order : compare_bytes(t, p->right, q->right)) > 0;
}

/* Push a pair with its present count, if that is high enough. */
static enum w_status heap_push(struct trainer *t, u32 pair)
{
    struct item item = {t->pairs[pair].count, pair};

    if (item.count < t->min_count)
        return W_DONE;
    enum w_status status = w_grow(&t->heap, &t->heap_room, t->heap_count + 1, sizeof *t->heap,
                                  "pairs in a heap", t->err);
    if (status)
        return status;
    u64 i = t->heap_count++;
    for (; i > 0 && is_before(t, item, t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = item;
    return W_DONE;
}

static struct item heap_pop(struct trainer *t)
{
    struct item top = t->heap[0], item = t->heap[--t->heap_count];
    u64 i = 0;

    for (u64 child; (child = 2 * i + 1) < t->heap_count; i = child) {
        if (child + 1 < t->heap_count && is_before(t, t->heap[child + 1], t->heap[child]))
            child++;
        if (!is_before(t, t->heap[child], item))
            break;
        t->heap[i] = t->heap[child];
    }
    t->heap[i] = item;
    return top;
}

/* ---- counting ---- */

static enum w_status new_pair(struct trainer *t, u32 left, u32 right, u32 *number)
{
    enum w_status status =
        w_grow(&t->pairs, &t->pair_room, t->pair_count + 1u, sizeof *t->pairs, "pairs", t->err);
    if (status)
        return status;
    *number = t->pair_count++;
    t->pairs[*number] = (struct pair){.left = left, .right = right};
    return w_pair_map_add(&t->index, left, right, *number, t->err);
}

/* One more occurrence of a pair, in word w; it counts as often as the word does. */
static enum w_status count_pair(struct trainer *t, u32 left, u32 right, u32 w)
{
    enum w_status status = W_DONE;
    u32 number = w_pair_map_find(&t->index, left, right);

    if (number == W_PAIR_NONE)
        status = new_pair(t, left, right, &number);
    if (status)
        return status;
    struct pair *p = &t->pairs[number];
    p->count += word_at(t, w)->count;
    if (p->word_count > 0 && p->words[p->word_count - 1] == w)
        return W_DONE;
    size_t room = p->word_room;
    status =
        w_grow(&p->words, &room, p->word_count + 1u, sizeof *p->words, "words of a pair", t->err);
    if (status)
        return status;
    p->word_room = (u32)room;
    p->words[p->word_count++] = w;
    return W_DONE;
}

static void uncount_pair(struct trainer *t, u32 left, u32 right, u32 w)
{
    t->pairs[w_pair_map_find(&t->index, left, right)].count -= word_at(t, w)->count;
}

/* Write a word as ids at unit w, and count its pairs. */
static enum w_status load_word(struct trainer *t, const struct w_word *from, const u8 *bytes, u32 w)
{
    struct word *word = word_at(t, w);
    enum w_status status = W_DONE;

    word->count = from->count;
    word->length = from->size;
    for (u32 i = 0; i < from->size && !status; i++) {
        word->ids[i] = bytes[i];
        if (i > 0)
            status = count_pair(t, word->ids[i - 1], word->ids[i], w);
    }
    return status;
}

static enum w_status load_words(struct trainer *t, const struct w_word_count *counts)
{
    u64 units = 0, bytes, positions = 0;
    enum w_status status = w_token_set_init(&t->tokens, t->err);

    if (!status)
        status = w_pair_map_init(&t->index, 65536, t->err);
    for (u32 i = 0; i < counts->count && !status; i++) {
        const struct w_word *from = &counts->words[i];
        units += word_units(from->size);
        /* No pair occurs more often than the text has bytes: if their number fits, every count
         * does. */
        if (!w_mul_ok(from->count, from->size, &bytes) || !w_add_ok(positions, bytes, &positions))
            status = w_fail(t->err, W_LIMIT, "counts of words for more than 2^64 bytes of text");
    }
    t->words = units < UINT32_MAX ? malloc((units + 1) * sizeof *t->words) : NULL;
    if (!status && !t->words)
        status = w_fail(t->err, W_NOMEM, "no memory for %u words", counts->count);
    u32 w = 0;
    for (u32 i = 0; i < counts->count && !status; i++) {
        const struct w_word *from = &counts->words[i];
        status = load_word(t, from, w_word_bytes(counts, from), w);
        w += (u32)word_units(from->size);
    }
    for (u32 p = 0; p < t->pair_count && !status; p++)
        status = heap_push(t, p);
    return status;
}

/* ---- merging ---- */

/* Replace a pair by a token in one word, from left to right, and correct the counts around it. Each
 * merge takes away the pairs with the left and right neighbour and adds those with the new
 * token. */
static enum w_status merge_in_word(struct trainer *t, u32 w, u32 left, u32 right, u32 id)
{
    struct word *word = word_at(t, w);
    u32 *ids = word->ids, out = 0;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < word->length && !status; out++) {
        if (i + 1 == word->length || ids[i] != left || ids[i + 1] != right) {
            ids[out] = ids[i++];
            continue;
        }
        if (out > 0) {
            uncount_pair(t, ids[out - 1], left, w);
            status = count_pair(t, ids[out - 1], id, w);
        }
        if (i + 2 < word->length && !status) {
            uncount_pair(t, right, ids[i + 2], w);
            status = count_pair(t, id, ids[i + 2], w);
        }
        ids[out] = id;
        i += 2;
    }
    word->length = out;
    return status;
}

/* Replace pair number p by the token id in all words. */
static enum w_status merge_everywhere(struct trainer *t, u32 p, u32 id)
{
    enum { AHEAD = 16 }; /* words prefetched in advance */
    struct pair pair = t->pairs[p];
    u32 first_new = t->pair_count;
    enum w_status status = W_DONE;

    /* Take the list out of the pair: counting may move the array of pairs. */
    t->pairs[p].words = NULL;
    t->pairs[p].word_count = t->pairs[p].word_room = 0;
    for (u32 i = 0; i < pair.word_count && !status; i++) {
        if (i + AHEAD < pair.word_count)
            __builtin_prefetch(word_at(t, pair.words[i + AHEAD]), 1);
        status = merge_in_word(t, pair.words[i], pair.left, pair.right, id);
    }
    free(pair.words);
    t->pairs[p].count = 0;
    for (u32 q = first_new; q < t->pair_count && !status; q++)
        status = heap_push(t, q);
    return status;
}

/* Find the pair to merge next and add its token; W_END if no pair is frequent enough. */
static enum w_status next_merge(struct trainer *t, u32 *number)
{
    enum w_status status = W_DONE;

    while (t->heap_count > 0 && !status) {
        struct item item = heap_pop(t);
        const struct pair *p = &t->pairs[item.pair];
        if (p->count != item.count) {
            status = heap_push(t, item.pair);
            continue;
        }
        *number = item.pair;
        status = w_token_set_join(&t->tokens, p->left, p->right, NULL, t->err);
        if (status != W_LIMIT)
            return status;
        status = W_DONE; /* too long: this pair stays two tokens */
    }
    return status ? status : W_END;
}

enum w_status w_bpe_train(const struct w_word_count *counts, const struct w_train_options *options,
                          struct w_merge **merges, u32 *count, struct w_err *err)
{
    struct trainer t = {.tie = options->tie, .min_count = W_MAX(options->min_count, 1), .err = err};
    u32 room = W_MIN(options->merges, W_TOKENS_MAX - 256), p = 0;

    place_bytes(&t);
    *count = 0;
    *merges = malloc((room + 1u) * sizeof **merges);
    enum w_status status =
        *merges ? load_words(&t, counts) : w_fail(err, W_NOMEM, "no memory for %u merges", room);
    while (*count < room && !status) {
        status = next_merge(&t, &p);
        if (status)
            break;
        (*merges)[*count] = (struct w_merge){t.pairs[p].left, t.pairs[p].right};
        status = merge_everywhere(&t, p, 256 + *count);
        ++*count;
        if (!status && options->progress && !options->progress(options->context, *count))
            status = w_fail(err, W_SIGNAL, "stopped after %u merges", *count);
    }
    if (status == W_END)
        status = W_DONE;
    if (status) {
        free(*merges);
        *merges = NULL;
    }
    for (u32 i = 0; i < t.pair_count; i++)
        free(t.pairs[i].words);
    free(t.pairs);
    free(t.words);
    free(t.heap);
    w_pair_map_release(&t.index);
    w_token_set_release(&t.tokens);
    return status;
}
