/* count_learn_body.h - the n-grams after one token, sorted and counted; for a type of keys.
 *
 * Included by count_learn.c once for each, after count_sort_body.h: KEY is the type; the names of
 * the functions are macros, too.
 *
 * A key of order n has the n - 2 older tokens of the context, the newest first, then the token that
 * follows: `bits` each, so that sorted keys stand in the order of the arrays. Dropping the oldest
 * token of the context from the different keys of order n gives those of order n - 1, each as often
 * as it has company to the left; and they need sorting only within their contexts. */

/* Write the contexts and n-grams of order n, and make keys the different ones of order n - 1,
 * sorted by context. below, *below_count: the contexts of order n + 1; above becomes those of order
 * n, and *below_count their number. Returns the number of keys left. */
static u32 write_order(const struct learning *l, struct count_job *job, u32 n, KEY *keys, u32 count,
                       const KEY *below, u32 *below_count, KEY *above)
{
    const u32 bits = l->groups.word_bits, mask = (1u << bits) - 1, id_bytes = l->image->id_bytes;
    struct w_buffer *part = job->part[n];
    u32 left = 0, child = 0, contexts = 0;

    for (u32 i = 0; i < count;) {
        const KEY context = keys[i] >> bits;
        /* Before the text begins there are no tokens: company to the left, but no context. */
        const bool whole = n == 2 || ((u32)context & mask) != l->image->vocab;
        u32 followers = 0, children = 0;
        while (i < count && keys[i] >> bits == context) {
            const KEY key = keys[i];
            const u32 word = (u32)key & mask, first = i;
            while (++i < count && keys[i] == key)
                ;
            if (whole) {
                w_count_put_word(&part[W_GRAM_WORD], id_bytes, word);
                w_count_put(&part[W_GRAM_COUNT], &part[W_GRAM_COUNT_LARGE], i - first);
                if (i - first <= W_COUNT_SPECTRUM)
                    job->spectrum[n][i - first - 1]++;
            }
            keys[left++] = n == 2 ? (KEY)word : (context >> bits << bits) | word;
            followers++;
        }
        if (!whole)
            continue;
        for (; child < *below_count && (n == 2 || below[child] >> bits == context); child++)
            children++;
        if (n > 2)
            w_count_put_word(&part[W_CONTEXT_WORD], id_bytes, (u32)context & mask);
        w_count_put(&part[W_CONTEXT_GRAMS], &part[W_CONTEXT_GRAMS_LARGE], followers);
        if (n < l->image->order)
            w_count_put(&part[W_CONTEXT_CHILDREN], &part[W_CONTEXT_CHILDREN_LARGE], children);
        above[contexts++] = context;
    }
    *below_count = contexts;
    return left;
}

/* Sort keys that are in the order of their contexts by the token that follows. */
static void sort_followers(KEY *keys, KEY *spare, u32 count, u32 bits)
{
    for (u32 first = 0, end; first < count; first = end) {
        const KEY context = keys[first] >> bits;
        for (end = first + 1; end < count && keys[end] >> bits == context; end++)
            ;
        if (end - first > 1)
            sort_items(keys + first, spare, end - first, bits);
    }
}

/* Everything whose newest context token is `word`; positions: where its followers stand. */
static void count_word(const struct learning *l, struct count_job *job,
                       struct count_scratch *scratch, u32 word)
{
    const u32 *positions = l->positions + l->first[word];
    const u32 bits = l->groups.word_bits, order = l->image->order, none = l->image->vocab;
    u32 count = l->first[word + 1] - l->first[word], below_count = 0;
    KEY *keys = scratch->keys, *spare = scratch->spare, *below = scratch->below;

    for (u32 i = 0; i < count; i++) {
        const u32 *at = l->ids + positions[i];
        KEY key = 0;
        for (u32 back = 2; back < order; back++)
            key = key << bits | (back <= positions[i] ? *(at - back) : none);
        keys[i] = key << bits | *at;
    }
    sort_items(keys, spare, count, bits * (order - 1));
    for (u32 n = order; n >= 2; n--) {
        if (n < order)
            sort_followers(keys, spare, count, bits);
        count = write_order(l, job, n, keys, count, below, &below_count, spare);
        KEY *swap = below;
        below = spare, spare = swap;
    }
    for (u32 i = 0; i < count; i++)
        scratch->unigrams[(u32)keys[i]]++;
}

#undef KEY
#undef sort_items
#undef sort_followers
#undef write_order
#undef count_word
