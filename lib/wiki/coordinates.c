/* {{coord|57|18|22|N|4|27|32|W|display=inline}}: "57°18′22″N 4°27′32″W". Numbers up to a letter are
 * degrees, minutes and seconds; without letters two numbers are degrees north and east.
 *
 * The German {{Coordinate|text=DMS|NS=50/56/55|EW=-10.5}}: "50° 56′ 55″ N, 10° 30′ 0″ W". */
#include <stdio.h>

#include "base/strnum.h"
#include "wiki/render_private.h"

#define NUMBERS_MAX 3 /* before a letter */

static const char *const signs[NUMBERS_MAX] = {"°", "′", "″"};

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
            w_buffer_span(&r->marked, *text.at == 'W' ? w_span_of(r->language.west) : text);
            directions++;
            count = 0;
        } else {
            break;
        }
    }
    if (!directions && count == 2) {
        put_signed(r, numbers[0], "N", "S");
        w_buffer_byte(&r->marked, ' ');
        put_signed(r, numbers[1], "E", r->language.west);
    } else if (directions != 2) {
        r->marked.size = from;
        w_wiki_put_mark(r, W_MARK_HOLE);
    }
}

/* Degrees with a fraction, not negative. */
static bool put_decimal(struct w_wikitext *r, struct w_span number)
{
    char text[W_WORD_MAX + 1];
    double degrees;

    memcpy(text, number.at, number.size);
    text[number.size] = 0;
    if (w_parse_real(text, 0, 180, &degrees, NULL))
        return false;
    u32 seconds = (u32)(degrees * 3600 + 0.5);
    snprintf(text, sizeof text, "%u° %u′ %u″", seconds / 3600, seconds / 60 % 60, seconds % 60);
    w_buffer_text(&r->marked, text);
    return true;
}

/* "50/56/55", "50/56//N", "-50.9"; false: it is none of these. */
static bool put_angle(struct w_wikitext *r, const struct w_range *value, const char *positive,
                      const char *negative)
{
    u8 bytes[W_WORD_MAX];
    struct w_span rest = w_wiki_word_of(r, value, bytes), part;
    bool below = rest.size && *rest.at == '-';
    u32 count = 0;

    for (rest = w_span_from(rest, below); rest.size;
         rest = w_span_from(rest, W_MIN(part.size + 1, rest.size))) {
        const u8 *slash = memchr(rest.at, '/', rest.size);
        part = (struct w_span){rest.at, slash ? (size_t)(slash - rest.at) : rest.size};
        if (count && is_direction(part)) {
            below = *part.at == 'S' || *part.at == 'W';
            continue;
        }
        if (!part.size)
            continue;
        if (!is_number(part) || count == NUMBERS_MAX)
            return false;
        w_buffer_put(&r->marked, " ", count ? 1 : 0);
        if (count || slash || !memchr(part.at, '.', part.size))
            put_number(r, part, signs[count]);
        else if (!put_decimal(r, part))
            return false;
        count++;
    }
    w_buffer_byte(&r->marked, ' ');
    w_buffer_text(&r->marked, below ? negative : positive);
    return count;
}

void w_wiki_put_coordinate(struct w_wikitext *r, const struct w_arguments *all)
{
    static const char *const forms[] = {"DMS", "DM", "DEC", "/"}; /* others are signs, or none */
    u8 bytes[W_WORD_MAX];
    struct w_span form = w_wiki_word_of(r, w_wiki_argument_find(all, W_SPAN("text")), bytes);
    const size_t from = r->marked.size;
    bool shown = false;

    for (size_t i = 0; i < W_COUNTOF(forms); i++)
        shown |= w_span_is(form, w_span_of(forms[i]));
    shown = shown && put_angle(r, w_wiki_argument_find(all, W_SPAN("NS")), "N", "S");
    w_buffer_text(&r->marked, ", ");
    if (!shown || !put_angle(r, w_wiki_argument_find(all, W_SPAN("EW")), "O", "W")) {
        r->marked.size = from;
        w_wiki_put_mark(r, W_MARK_HOLE);
    }
}
