/* count_sort_body.h - sorting of n-grams as keys; for a type of keys, and of what carries them.
 *
 * Included with KEY, the unsigned type of the keys, ITEM, the type that is sorted, KEY_OF(item),
 * and the name of the function as a macro: sort_items. A key has `bits` bits for each token, the
 * one that follows the context lowest. */

/* Sort by the lowest `bits` bits of the keys: a few by insertion, others by counting, digit by
 * digit from the lowest; equal ones stay in their order. The result is in items. */
static void sort_items(ITEM *items, ITEM *spare, u32 count, u32 bits)
{
    u32 places[1 << DIGIT_BITS];

    if (count <= INSERTION_MAX) {
        const KEY mask = ((KEY)1 << (bits - 1) << 1) - 1; /* bits may be all */
        for (u32 i = 1; i < count; i++) {
            ITEM item = items[i];
            u32 k = i;
            for (; k > 0 && (KEY_OF(items[k - 1]) & mask) > (KEY_OF(item) & mask); k--)
                items[k] = items[k - 1];
            items[k] = item;
        }
        return;
    }
    const u32 digit = count < 4096 ? 8 : DIGIT_BITS, last = (1u << digit) - 1;
    ITEM *from = items, *to = spare;
    for (u32 shift = 0; shift < bits; shift += digit) {
        const u32 digits = bits - shift < digit ? (1u << (bits - shift)) - 1 : last;
        u32 sum = 0;
        memset(places, 0, (digits + 1) * sizeof *places);
        for (u32 i = 0; i < count; i++)
            places[(u32)(KEY_OF(from[i]) >> shift) & digits]++;
        if (places[(u32)(KEY_OF(from[0]) >> shift) & digits] == count)
            continue; /* all the same */
        for (u32 d = 0; d <= digits; d++) {
            u32 these = places[d];
            places[d] = sum;
            sum += these;
        }
        for (u32 i = 0; i < count; i++)
            to[places[(u32)(KEY_OF(from[i]) >> shift) & digits]++] = from[i];
        ITEM *swap = from;
        from = to, to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
}

#undef ITEM
#undef KEY_OF
