/* Superscripts and subscripts. "10<sup>6</sup>" without its tags would be another number, "106",
 * and "20<sub>16</sub>" would be "2016"; "H<sub>2</sub>O" reads well without. Text that begins as a
 * number but has other characters gets "^" or "_": 10^2.5. */
#include "wiki/render_private.h"

#define NUMBER_MAX 40 /* digits that are looked at */
#define SCRIPT_MAX 80 /* longest text that gets a sign, in bytes */

/* The superscripts or subscripts for a number. False if the text has characters without one. */
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

/* Write "^" and a number, or an expression in parentheses. Text with line ends, and long text,
 * stays: there a tag was not closed. */
static void put_sign(struct w_buffer *b, size_t from, bool below)
{
    bool number = true;

    if (b->size - from > SCRIPT_MAX)
        return;
    for (size_t i = from; i < b->size; i++) {
        if (b->at[i] < ' ' && b->at[i] != W_MARK_HOLE)
            return;
        number &= w_is_digit(b->at[i]) || memchr("+-.,\xE2\x88\x92", b->at[i], 7);
    }
    if (!number)
        w_buffer_byte(b, ')');
    w_buffer_insert(b, from, below ? "_(" : "^(", number ? 1 : 2);
}

/* Does a text begin with a digit, or with a sign and a digit? */
static bool begins_number(struct w_span text)
{
    size_t sign = 0;

    if (text.size && (*text.at == '+' || *text.at == '-'))
        sign = 1;
    else if (text.size >= 3 && memcmp(text.at, "−", 3) == 0)
        sign = 3;
    return text.size > sign && w_is_digit(text.at[sign]);
}

static void put(struct w_wikitext *r, size_t from, bool below)
{
    u16 codes[8];
    size_t count;
    struct w_buffer *b = &r->marked;
    bool hole = false;
    struct w_span text;

    while (b->size > from && w_buffer_last(b) == W_MARK_HOLE) { /* a reference to the number */
        hole = true;
        b->size--;
    }
    text = (struct w_span){b->at + from, b->size - from};
    if (translate(text, below, codes, &count)) {
        b->size = from;
        for (size_t i = 0; i < count; i++)
            w_buffer_code(b, codes[i]);
    } else if (from && begins_number(text)) {
        u8 base = b->at[from - 1];
        if (w_is_digit(base) || w_is_letter(base) || base >= 0x80)
            put_sign(b, from, below);
    }
    if (hole)
        w_wiki_put_mark(r, W_MARK_HOLE);
}

void w_wiki_superscript(struct w_wikitext *r, size_t from)
{
    if (from < r->marked.size)
        put(r, from, false);
}

/* Does a text end with a number? 7E is one too, in base 16; C12H does not end with one. */
static bool ends_number(struct w_span text)
{
    size_t i = text.size, least = text.size - W_MIN(text.size, NUMBER_MAX);

    if (i && w_is_digit(text.at[i - 1]))
        return true;
    while (i > least && (w_is_digit(text.at[i - 1]) || (u8)(w_lower(text.at[i - 1]) - 'a') < 6))
        i--;
    if (i > least && (w_is_letter(text.at[i - 1]) || text.at[i - 1] >= 0x80))
        return false;
    return i < text.size && w_is_digit(text.at[i]);
}

void w_wiki_subscript(struct w_wikitext *r, size_t from)
{
    if (from < r->marked.size && ends_number((struct w_span){r->marked.at, from}))
        put(r, from, true);
}
