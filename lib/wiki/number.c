/* Numbers as a language writes them, and {{val|1.5|0.3|e=6|u=km}}, "(1.5±0.3)×10⁶ km": a number,
 * how uncertain it is, a power of ten and a unit, as the documentation of Template:Val describes
 * them. */
#include "wiki/render_private.h"

#define DIGITS_MAX 40  /* of a number that is cut into thousands */
#define EXPONENT_MAX 8 /* bytes */

/* The size of the sign that a number begins with, or 0. */
static size_t sign_size(struct w_span text)
{
    static const char *const signs[] = {"-", "+", "−", "±"};

    for (size_t i = 0; i < W_COUNTOF(signs); i++) {
        size_t size = strlen(signs[i]);
        if (text.size >= size && !memcmp(text.at, signs[i], size))
            return size;
    }
    return 0;
}

void w_wiki_group_digits(struct w_wikitext *r, size_t from)
{
    const struct w_wiki_language *l = &r->language;
    struct w_buffer *b = &r->marked;
    size_t begin = from, end;

    begin += sign_size((struct w_span){b->at + begin, b->size - begin});
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

/* Is a text an exponent, such as "6" and "-3"? */
static bool is_exponent(struct w_span text)
{
    const size_t sign = sign_size(text);
    size_t at = sign;

    while (at < text.size && w_is_digit(text.at[at]))
        at++;
    return at > sign && at == text.size && text.size <= EXPONENT_MAX;
}

void w_wiki_group_power(struct w_wikitext *r, size_t from, const char *times)
{
    struct w_buffer *b = &r->marked;
    struct w_span text = {b->at + from, b->size - from}, exponent = {0};
    const u8 *e = text.size ? memchr(text.at, 'e', text.size) : NULL;
    u8 copy[EXPONENT_MAX];

    if (e && e > text.at && w_is_digit(e[-1]))
        exponent = w_span_from(text, (size_t)(e + 1 - text.at));
    if (!is_exponent(exponent)) {
        w_wiki_group_digits(r, from);
        return;
    }
    memcpy(copy, exponent.at, exponent.size);
    b->size -= exponent.size + 1;
    w_wiki_group_digits(r, from);
    w_buffer_text(b, times);
    from = b->size;
    w_buffer_put(b, copy, exponent.size);
    w_wiki_superscript(r, from);
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

static void put_one(const struct number *n, struct w_span text)
{
    const size_t from = n->r->marked.size;

    w_buffer_span(&n->r->marked, text);
    w_wiki_group_power(n->r, from, "×10");
}

void w_wiki_raise_digits(struct w_wikitext *r, size_t from)
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
        w_wiki_raise_digits(n->r, from + 1);
}

static struct w_span without_sign(struct w_span text)
{
    return w_span_from(text, sign_size(text));
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
