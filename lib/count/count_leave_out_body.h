/* count_leave_out_body.h - the positions after one token, order by order, with and without their
 * documents; for a type of keys.
 *
 * Included by count_leave_out.c once for each: KEY is the type; ITEM is a struct of a key, a
 * position and its document; the names of the functions are macros, too. Keys are those of
 * count_learn_body.h, but each position keeps its own through all orders. */

/* An n-gram: items that have one key. Counts it, with and without each of the documents, notes
 * these in the context, and marks the items for the order below. Returns its count. */
static u32 take_gram(struct left_out *l, struct leaving *w, u32 n, ITEM *items, u32 count,
                     u32 *counts, bool whole)
{
    u32 companies = 0;
    bool one_document = true;

    w->gram_stamp++;
    for (u32 i = 0; i < count; i++) {
        const u32 d = items[i].mark & DOCUMENT;
        struct own *own = &w->own[d];
        one_document &= d == (items[0].mark & DOCUMENT);
        companies += (items[i].mark & FIRST) != 0;
        if ((items[i].mark & (FIRST | ALONE)) == (FIRST | ALONE)) {
            if (own->gram_stamp != w->gram_stamp)
                own->gram_stamp = w->gram_stamp, own->count = 0;
            own->count++;
        }
    }
    for (u32 i = 0; i < count; i++) {
        struct own *own = &w->own[items[i].mark & DOCUMENT];
        const u32 of_document = own->gram_stamp == w->gram_stamp ? own->count : 0;
        counts[i] = companies - of_document;
        if (of_document && !own->noted && whole)
            note(l, w, n, items[i].mark & DOCUMENT, companies, of_document);
    }
    for (u32 i = 0; i < count; i++) {
        w->own[items[i].mark & DOCUMENT].noted = false;
        items[i].mark =
            (items[i].mark & DOCUMENT) | (i == 0 ? FIRST : 0) | (one_document ? ALONE : 0);
    }
    return companies;
}

/* The contexts of an order. Items are sorted by context and token, and marked: the first of each
 * company, and those of a company that one document has alone. */
static void take_order(struct left_out *l, struct leaving *w, u32 n, ITEM *items, u32 count)
{
    const u32 bits = l->groups.word_bits, mask = (1u << bits) - 1;

    for (u32 first = 0, end; first < count; first = end) {
        const KEY context = items[first].key >> bits;
        const bool whole = n == 2 || ((u32)context & mask) != l->text->vocab;
        u64 total = 0;
        u32 classes[4] = {0};
        w->context_stamp++;
        for (end = first; end < count && items[end].key >> bits == context;) {
            const u32 gram = end;
            while (++end < count && items[end].key == items[gram].key)
                ;
            const u32 c = take_gram(l, w, n, items + gram, end - gram, w->counts + gram, whole);
            total += c;
            classes[W_MIN(c, 3u)]++;
            if (n == 2 && !l->say)
                take_pair(w, (u32)items[gram].key & mask, items[gram].mark);
            if (!l->say && whole && c <= W_COUNT_SPECTRUM)
                w->spectrum[n][c - 1]++;
        }
        for (u32 i = first; i < end && l->say && whole; i++)
            say_order(l, w, n, items[i].at, items[i].mark & DOCUMENT, w->counts[i], (u32)total,
                      classes);
    }
}

/* Everything whose newest context token is `word`. */
static void take_word(struct left_out *l, struct leaving *w, u32 word)
{
    const u32 *positions = l->groups.positions + l->groups.first[word];
    const u32 bits = l->groups.word_bits, order = l->text->order, none = l->text->vocab;
    const u32 count = l->groups.first[word + 1] - l->groups.first[word];
    ITEM *items = w->items;
    u32 documents = 0;

    for (u32 i = 0; i < count; i++) {
        const u32 *at = l->text->ids + positions[i];
        KEY key = 0;
        for (u32 back = 2; back < order; back++)
            key = key << bits | (back <= positions[i] ? *(at - back) : none);
        if (documents == 0 || w->document[documents - 1] != l->document[positions[i]]) {
            w->document[documents] = l->document[positions[i]];
            w->own[documents++] = (struct own){0};
        }
        items[i] = (ITEM){key << bits | *at, i, (documents - 1) | FIRST | ALONE};
    }
    w->gram_stamp = w->context_stamp = 0;
    if (l->say)
        begin_saying(w, count);
    sort_items(items, w->spare, count, bits * (order - 1));
    for (u32 n = order; n >= 2; n--) {
        if (n < order) { /* drop the oldest token of the context */
            for (u32 i = 0; i < count; i++)
                items[i].key = (items[i].key >> bits >> bits << bits) |
                               ((u32)items[i].key & ((1u << bits) - 1));
            sort_followers(items, w->spare, count, bits);
        }
        take_order(l, w, n, items, count);
    }
    if (l->say)
        end_saying(l, w, positions, count);
}

#undef KEY
#undef sort_items
#undef sort_followers
#undef take_gram
#undef take_order
#undef take_word
