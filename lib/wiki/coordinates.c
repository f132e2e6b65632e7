/* {{coord|57|18|22|N|4|27|32|W|display=inline}}: "57°18′22″N 4°27′32″W". Numbers up to a letter are
 * degrees, minutes and seconds; without letters two numbers are degrees north and east. */
#include "wiki/render_private.h"

#define NUMBERS_MAX 3 /* before a letter */

/* Are the coordinates to be shown where they stand, and not beside the title? */
static bool is_shown(struct w_wikitext *r, const struct w_arguments *all)
{
    static const char *const places[] = {"i", "it", "ti"};
    u8 bytes[W_WORD_MAX];
    struct w_span display = w_wiki_word_of(r, w_wiki_argument_find(all, W_SPAN("display")), bytes);

    for (size_t i = 0; i < W_COUNTOF(places); i++)
        if (w_span_is(display, w_span_of(places[i])))
            return true;
    return !display.size || memmem(display.at, display.size, "inline", 6);
}

static bool is_number(struct w_span text)
{
    bool digit = false;

    for (size_t i = 0; i < text.size; i++) {
        digit |= w_is_digit(text.at[i]);
        if (!w_is_digit(text.at[i]) && !strchr("+-.", text.at[i]))
            return false;
    }
    return digit;
}

static bool is_direction(struct w_span text)
{
    return text.size == 1 && memchr("NSEWO", *text.at, 5);
}

static void put_number(struct w_wikitext *r, struct w_span number, const char *sign)
{
    w_buffer_span(&r->marked, number);
    w_buffer_text(&r->marked, sign);
}

/* Degrees without a letter. */
static void put_signed(struct w_wikitext *r, struct w_span number, const char *positive,
                       const char *negative)
{
    bool below = *number.at == '-';

    put_number(r, w_span_from(number, below || *number.at == '+'), "°");
    w_buffer_text(&r->marked, below ? negative : positive);
}

void w_wiki_put_coordinates(struct w_wikitext *r, const struct w_arguments *all)
{
    static const char *const signs[NUMBERS_MAX] = {"°", "′", "″"};
    u8 bytes[NUMBERS_MAX][W_WORD_MAX];
    struct w_span numbers[NUMBERS_MAX];
    const size_t from = r->marked.size;
    u32 at = 0, count = 0, directions = 0;
    const struct w_range *value;

    while (is_shown(r, all) && directions < 2 && (value = w_wiki_argument_next(all, &at))) {
        u8 word[W_WORD_MAX];
        struct w_span text = w_wiki_word_of(r, value, word);
        if (is_number(text) && count < NUMBERS_MAX) {
            memcpy(bytes[count], word, text.size);
            numbers[count] = (struct w_span){bytes[count], text.size};
            count++;
        } else if (is_direction(text) && count) {
            w_buffer_put(&r->marked, " ", directions);
            for (u32 i = 0; i < count; i++)
                put_number(r, numbers[i], signs[i]);
            w_buffer_span(&r->marked, text);
            directions++;
            count = 0;
        } else {
            break;
        }
    }
    if (!directions && count == 2) {
        put_signed(r, numbers[0], "N", "S");
        w_buffer_byte(&r->marked, ' ');
        put_signed(r, numbers[1], "E", "W");
    } else if (directions != 2) {
        r->marked.size = from;
        w_wiki_put_mark(r, W_MARK_HOLE);
    }
}
