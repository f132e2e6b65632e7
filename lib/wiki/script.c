/* Numbers above and below the line. "10<sup>6</sup>" without its tags would be another number, "106", and
 * "20<sub>16</sub>" would be "2016"; "H<sub>2</sub>O" is read as well without. */
#include "wiki/render.h"

/* The characters of a number, each as it is above or below the line. False if there are others in it. */
static bool translate(struct w_span text, bool below, u16 codes[8], size_t *count)
{
    static const u16 above[10] = {0x2070, 0xB9,   0xB2,   0xB3,   0x2074,
                                  0x2075, 0x2076, 0x2077, 0x2078, 0x2079};

    *count = 0;
    for (size_t i = 0; i < text.size; i++) {
        u8 c = text.at[i];
        if (*count == 8)
            return false;
        if (w_is_digit(c)) {
            codes[*count] = below ? (u16)(0x2080 + c - '0') : above[c - '0'];
        } else if (below) {
            return false;
        } else if (c == '+' || c == '-') {
            codes[*count] = c == '+' ? 0x207A : 0x207B;
        } else if (c == 'n') {
            codes[*count] = 0x207F;
        } else if (text.size - i >= 3 && memcmp(text.at + i, "−", 3) == 0) {
            codes[*count] = 0x207B;
            i += 2;
        } else {
            return false;
        }
        (*count)++;
    }
    return true;
}

static void put(struct w_wikitext *r, size_t from, bool below)
{
    u16 codes[8];
    size_t count;
    struct w_buffer *b = &r->marked;

    if (from >= b->size ||
        !translate((struct w_span){b->at + from, b->size - from}, below, codes, &count))
        return;
    b->size = from;
    for (size_t i = 0; i < count; i++)
        w_buffer_code(b, codes[i]);
}

void w_superscript(struct w_wikitext *r, size_t from)
{
    put(r, from, false);
}

void w_subscript(struct w_wikitext *r, size_t from)
{
    if (from && from < r->marked.size && w_is_digit(r->marked.at[from - 1]))
        put(r, from, true);
}
