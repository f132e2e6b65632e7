/* count_leave_out_body.h - the positions after one token, order by order, with and without their
 * documents; for a type of keys.
 *
 * Included by count_leave_out.c once for each: KEY is the type; ITEM is a struct of a key, a
 * position and its document; the names of the functions are macros, too. Keys are those of
 * count_learn_body.h, but each position keeps its own through all orders. */

/* An n-gram: items that have one key. Counts it, with and without each of the documents, notes
 * these in the context, if that is whole, and marks the items for the order below. Returns its
 * count. */
static u32 take_gram(struct left_out *l, struct leaving *w, u32 n, ITEM *items, u32 count,
                     u32 *counts, bool whole)
{
    u32 companies = 0;
    bool one_document = true;

    if (count == 1) { /* as most are; its marks say so already */
        counts[0] = 0;
        if (whole)
            note(l, w, n, items[0].mark & DOCUMENT, 1, 1);
        return 1;
    }
    w->gram_stamp += 2;
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
        const u32 of_document = own->gram_stamp >= w->gram_stamp ? own->count : 0;
        counts[i] = companies - of_document;
        if (own->gram_stamp == w->gram_stamp && whole) {
            note(l, w, n, items[i].mark & DOCUMENT, companies, of_document);
            own->gram_stamp++; /* noted */
        }
        items[i].mark =
            (items[i].mark & DOCUMENT) | (i == 0 ? FIRST : 0) | (one_document ? ALONE : 0);
    }
    return companies;
}

/* A context: its items, token by token. whole: it does not reach back to before the text. */
static void take_context(struct left_out *l, struct leaving *w, u32 n, ITEM *items, u32 count,
                         bool whole)
{
    const u32 mask = (1u << l->groups.word_bits) - 1;
    u64 total = 0;
    u32 classes[4] = {0};

    w->context_stamp++;
    for (u32 gram = 0, end; gram < count; gram = end) {
        for (end = gram + 1; end < count && items[end].key == items[gram].key; end++)
            ;
        const u32 c = take_gram(l, w, n, items + gram, end - gram, w->counts + gram, whole);
        total += c;
        classes[W_MIN(c, 3u)]++;
        if (n == 2 && !l->say)
            take_pair(w, (u32)items[gram].key & mask, items[gram].mark);
        if (!l->say && whole && c <= W_COUNT_SPECTRUM)
            w->spectrum[n][c - 1]++;
    }
    for (u32 i = 0; i < count && l->say && whole; i++)
        say_order(l, w, n, items[i].at, items[i].mark & DOCUMENT, w->counts[i], (u32)total,
                  classes);
}

/* The contexts of an order, of items that are sorted by context and marked: the first of each
 * company, and those of a company that one document has alone. drop: bits of the keys that are of
 * the order above, its oldest token. */
static void take_order(struct left_out *l, struct leaving *w, u32 n, ITEM *items, u32 count,
                       u32 drop)
{
    const u32 bits = l->groups.word_bits, mask = (1u << bits) - 1;

    for (u32 first = 0, end; first < count; first = end) {
        const KEY context = items[first].key >> bits >> drop;
        const bool whole = n == 2 || ((u32)context & mask) != l->text->vocab;
        for (end = first; end < count && items[end].key >> bits >> drop == context; end++)
            items[end].key = context << bits | ((u32)items[end].key & mask);
        if (end - first == 1 && l->say)
            continue;                /* without its document, the context is not known */
        if (drop && end - first > 2) /* equal ones of two are neighbours */
            sort_items(items + first, w->spare, end - first, bits);
        take_context(l, w, n, items + first, end - first, whole);
    }
}

/* The positions of a part, but 0, as items of the highest order, into the groups. */
static void fill_part(void *context, u64 part, u32 worker)
{
    struct left_out *l = context;
    const u32 bits = l->groups.word_bits, order = l->text->order, *ids = l->text->ids;
    const u64 begin = w_count_part_begin(l->part_end, part), end = l->part_end[part];
    u32 *places = w_count_places(&l->groups, part + 1), d = (u32)l->part_document[part];
    KEY older = 0; /* the context but its newest token */

    (void)worker;
    for (u32 back = 2; back < order; back++)
        older = older << bits | (back <= begin ? ids[begin - back] : l->text->vocab);
    for (u64 i = begin; i < end; i++) {
        const u32 newest = ids[i - 1], place = places[newest]++;
        while (l->text->ends[d] <= i)
            d++;
        ((ITEM *)l->items)[place] =
            (ITEM){older << bits | ids[i], place - l->first[newest], d | FIRST | ALONE};
        if (order > 2)
            older = older >> bits | (KEY)newest << bits * (order - 3);
    }
}

/* Everything whose newest context token is `word`. The first pass leaves the group sorted for the
 * highest order, and takes a copy of it through the lower ones. */
static void take_word(struct left_out *l, struct leaving *w, u32 word)
{
    const u32 bits = l->groups.word_bits, order = l->text->order, first = l->first[word];
    const u32 count = l->first[word + 1] - first;
    ITEM *items = (ITEM *)l->items + first;

    if (l->say) {
        begin_saying(w, count);
        for (u32 i = 0; i < count; i++) {
            w->sorted[items[i].at] = i;
            items[i].at = i;
        }
    } else {
        sort_items(items, w->spare, count, bits * (order - 1));
        items = memcpy(w->items, items, count * sizeof *items);
    }
    for (u32 n = order; n >= 2; n--)
        take_order(l, w, n, items, count, n < order ? bits : 0);
    if (l->say)
        end_saying(l, w, first, count);
}

#undef KEY
#undef ITEM
#undef sort_items
#undef take_gram
#undef take_context
#undef take_order
#undef fill_part
#undef take_word
