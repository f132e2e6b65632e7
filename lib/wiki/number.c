/* Numbers as a language writes them, and {{val|1.5|0.3|e=6|u=km}}, "(1.5±0.3)×10⁶ km": a number,
 * how uncertain it is, a power of ten and a unit, as the documentation of Template:Val describes
 * them. */
#include "wiki/render_private.h"

#define DIGITS_MAX 40 /* of a number that is cut into thousands */

void w_wiki_group_digits(struct w_wikitext *r, size_t from)
{
    const struct w_wiki_language *l = &r->language;
    struct w_buffer *b = &r->marked;
    size_t begin = from, end;

    if (begin < b->size && (b->at[begin] == '-' || b->at[begin] == '+'))
        begin++;
    end = begin;
    while (end < b->size && w_is_digit(b->at[end]))
        end++;
    if (end < b->size && b->at[end] != '.' && b->at[end] != (u8)l->decimal &&
        (b->at[end] != ' ' || (end + 1 < b->size && w_is_digit(b->at[end + 1]))))
        return; /* not a plain number, nor one before a unit */
    if (end < b->size && end > begin && b->at[end] == '.')
        b->at[end] = (u8)l->decimal;
    if (end - begin < l->least || end - begin >= DIGITS_MAX)
        return;
    for (size_t at = end; at > begin + 3;) {
        at -= 3;
        w_buffer_insert(b, at, l->thousands, strlen(l->thousands));
    }
}

/* The arguments of {{val}} as text; of one that is missing the size is 0. */
struct number {
    struct w_wikitext *r;
    const struct w_arguments *all;
    struct w_span first, second, third;
    bool power; /* e= */
};

static bool put_named(const struct number *n, const char *name, const char *other)
{
    const struct w_range *value = w_wiki_argument_find(n->all, w_span_of(name));
    size_t from = n->r->marked.size;

    if (!value && other)
        value = w_wiki_argument_find(n->all, w_span_of(other));
    if (value)
        w_wiki_walk(n->r, *value, false);
    return n->r->marked.size > from;
}

/* One number, "1.5e6" too. */
static void put_one(const struct number *n, struct w_span text)
{
    struct w_buffer *b = &n->r->marked;
    const u8 *power = text.size ? memchr(text.at, 'e', text.size) : NULL;
    size_t from = b->size;

    if (power && power > text.at && w_is_digit(power[-1])) {
        struct w_span exponent = w_span_from(text, (size_t)(power + 1 - text.at));
        text.size = (size_t)(power - text.at);
        w_buffer_span(b, text);
        w_wiki_group_digits(n->r, from);
        w_buffer_text(b, "×10");
        from = b->size;
        w_buffer_span(b, exponent);
        w_wiki_superscript(n->r, from);
        return;
    }
    w_buffer_span(b, text);
    w_wiki_group_digits(n->r, from);
}

/* "km2" is km², "s-1" is s⁻¹. */
static void raise_digits(struct w_wikitext *r, size_t from)
{
    for (size_t i = from + 1; i < r->marked.size; i++) {
        const struct w_buffer *b = &r->marked;
        size_t sign = b->at[i] == '-' ? 1 : 0, end = i + sign;
        u8 tail[W_WORD_MAX];
        while (end < b->size && w_is_digit(b->at[end]))
            end++;
        size_t rest = b->size - end;
        if (!w_is_letter(b->at[i - 1]) || end == i + sign || rest > sizeof tail)
            continue;
        memcpy(tail, b->at + end, rest);
        r->marked.size = end;
        w_wiki_superscript(r, i);
        i = r->marked.size;
        w_buffer_put(&r->marked, tail, rest);
    }
}

static void put_unit(const struct number *n)
{
    static const char *const signs[][2] = {
        {"deg", "°"}, {"°", "°"}, {"arcmin", "′"}, {"arcsec", "″"}, {"%", "%"}};
    struct w_buffer *b = &n->r->marked;
    size_t from = b->size, per;

    w_buffer_byte(b, ' ');
    bool unit = put_named(n, "u", "ul");
    if (b->size == from)
        return; /* no memory */
    struct w_span text = {b->at + from + 1, b->size - from - 1};
    for (size_t i = 0; i < W_COUNTOF(signs); i++)
        if (w_span_is(text, w_span_of(signs[i][0]))) {
            b->size = from; /* no blank before these */
            w_buffer_text(b, signs[i][1]);
            return;
        }
    per = b->size;
    w_buffer_byte(b, '/');
    if (!put_named(n, "up", "upl"))
        b->size = per;
    if (!unit && b->size == per)
        b->size = from;
    else
        raise_digits(n->r, from + 1);
}

static struct w_span without_sign(struct w_span text)
{
    return w_span_from(text, text.size && (*text.at == '+' || *text.at == '-'));
}

static void put_uncertain(const struct number *n)
{
    struct w_buffer *b = &n->r->marked;
    bool digits = n->second.size && *n->second.at == '('; /* "1.234(5)" */
    bool parentheses = n->power && n->second.size && !digits;

    w_buffer_put(b, "(", parentheses);
    put_one(n, n->first);
    if (digits) {
        w_buffer_span(b, n->second);
    } else if (n->second.size && n->third.size) {
        w_buffer_text(b, "+");
        put_one(n, without_sign(n->second));
        w_buffer_text(b, "−");
        put_one(n, without_sign(n->third));
    } else if (n->second.size) {
        w_buffer_text(b, "±");
        put_one(n, n->second);
    }
    put_named(n, "end", NULL);
    w_buffer_put(b, ")", parentheses);
}

static void put_power(const struct number *n)
{
    struct w_buffer *b = &n->r->marked;

    if (!n->power)
        return;
    w_buffer_text(b, n->first.size ? "×10" : "10");
    size_t from = b->size;
    put_named(n, "e", NULL);
    w_wiki_superscript(n->r, from);
}

void w_wiki_put_number(struct w_wikitext *r, const struct w_arguments *all)
{
    u8 bytes[3][W_WORD_MAX];
    struct number n = {
        .r = r,
        .all = all,
        .first = w_wiki_word_of(r, w_wiki_argument_find(all, W_SPAN("1")), bytes[0]),
        .second = w_wiki_word_of(r, w_wiki_argument_find(all, W_SPAN("2")), bytes[1]),
        .third = w_wiki_word_of(r, w_wiki_argument_find(all, W_SPAN("3")), bytes[2]),
        .power = w_wiki_argument_find(all, W_SPAN("e")),
    };
    const char *range = n.third.size ? w_wiki_range_word(n.second) : NULL;

    if (!n.first.size && !n.power && !w_wiki_argument_find(all, W_SPAN("u")) &&
        !w_wiki_argument_find(all, W_SPAN("ul"))) {
        w_wiki_put_mark(r, W_MARK_HOLE);
        return;
    }
    put_named(&n, "p", NULL);
    if (range) {
        put_one(&n, n.first);
        w_buffer_text(&r->marked, range);
        put_one(&n, n.third);
    } else {
        put_uncertain(&n);
    }
    put_power(&n);
    put_named(&n, "s", NULL);
    put_unit(&n);
}
