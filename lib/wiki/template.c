/* {{templates}} and {{{arguments}}}. A template that is not in the table of inlines.h leaves a
 * hole; its content is not read.
 *
 * Arguments are cut at the bars that are in no other markup; each is a range of the page, not yet
 * text. Then the first alternative of the pattern whose arguments are all present is written piece
 * by piece. An argument becomes text only at its place in the pattern, by a walk over its range. A
 * filter changes the text that this walk appended. */
#include "wiki/inline_pattern.h"
#include "wiki/render_private.h"

#define NUMBER_DIGITS 9 /* fits into 32 bits */

/* A value without the space around it. */
static struct w_range trimmed(const struct w_wikitext *r, struct w_range g)
{
    while (g.begin < g.end && w_is_blank(r->source[g.end - 1]))
        g.end--;
    while (g.begin < g.end && w_is_blank(r->source[g.begin]))
        g.begin++;
    return g;
}

/* The value of a name that is a number, else 0. */
static u32 number_of(struct w_span name)
{
    u32 number = 0;

    if (name.size == 0 || name.size > NUMBER_DIGITS || *name.at == '0')
        return 0;
    for (size_t i = 0; i < name.size; i++) {
        if (!w_is_digit(name.at[i]))
            return 0;
        number = number * 10 + (u32)(name.at[i] - '0');
    }
    return number;
}

/* Cut the text after the name's bar into arguments. */
static void read_arguments(const struct w_wikitext *r, struct w_range g, struct w_arguments *all)
{
    u32 number = 0;

    all->count = 0;
    while (all->count < W_ARGUMENTS_MAX) {
        struct w_range value = g;
        value.end = w_wiki_find(r, &g, '|');
        struct w_range rest = value;
        u32 equals = w_wiki_find(r, &rest, '=');
        struct w_argument *a = &all->items[all->count++];
        *a = (struct w_argument){0};
        if (equals < value.end) {
            a->name = w_span_trim(w_wiki_source(r, value.begin, equals));
            a->number = number_of(a->name);
            rest.begin = equals + 1;
            a->value = trimmed(r, rest);
        } else {
            a->number = ++number;
            a->value = trimmed(r, value);
        }
        if (value.end == g.end)
            break;
        g.begin = value.end + 1;
    }
}

const struct w_range *w_wiki_argument_find(const struct w_arguments *all, struct w_span name)
{
    u32 number = number_of(name);

    for (u32 i = all->count; i-- > 0;) { /* the last of equal names holds */
        const struct w_argument *a = &all->items[i];
        bool same = a->number ? a->number == number : w_span_is(a->name, name);
        if (same && a->value.begin < a->value.end)
            return &a->value;
    }
    return NULL;
}

const struct w_range *w_wiki_argument_next(const struct w_arguments *all, u32 *number)
{
    const struct w_argument *next = NULL;

    for (u32 i = 0; i < all->count; i++) {
        const struct w_argument *a = &all->items[i];
        if (a->number > *number && (!next || a->number <= next->number) &&
            a->value.begin < a->value.end)
            next = a;
    }
    *number = next ? next->number : *number;
    return next ? &next->value : NULL;
}

/* The first of some names that is an argument. */
static const struct w_range *find_any(const struct w_arguments *all, struct w_span names)
{
    const struct w_range *value = NULL;
    struct w_span name;

    while (!value && w_pattern_name(&names, &name))
        value = w_wiki_argument_find(all, name);
    return value;
}

/* What a template is given: its arguments, and what of its name the row's "*" stands for. */
struct given {
    const struct w_arguments *all;
    struct w_span ending;
};

static struct w_span source_of(const struct w_wikitext *r, const struct w_range *value)
{
    return value ? w_wiki_source(r, value->begin, value->end) : (struct w_span){0};
}

/* What the language or country is called whose code a piece names; the code is compared as it
 * stands in the page. Empty if it is not known. */
static struct w_span name_of(const struct w_wikitext *r, const struct given *given,
                             struct w_pattern_piece piece)
{
    struct w_span code = piece.kind == W_PATTERN_ENDING
                             ? given->ending
                             : source_of(r, find_any(given->all, piece.text));

    return piece.filter == W_INLINE_COUNTRY ? w_wiki_country_name(&r->language, code)
                                            : w_wiki_language_name(&r->language, code);
}

static bool is_named(struct w_pattern_piece piece)
{
    return piece.filter == W_INLINE_LANGUAGE || piece.filter == W_INLINE_COUNTRY;
}

/* Is what a piece needs present? */
static bool has(const struct w_wikitext *r, const struct given *given, struct w_pattern_piece piece)
{
    if (is_named(piece))
        return name_of(r, given, piece).size;
    switch (piece.kind) {
    case W_PATTERN_NEEDED:
        if (piece.filter == W_INLINE_MONTH)
            return w_wiki_month_of(&r->language, source_of(r, find_any(given->all, piece.text)));
        if (piece.value.size)
            return w_span_is_word(source_of(r, find_any(given->all, piece.text)), piece.value);
        return find_any(given->all, piece.text);
    case W_PATTERN_ARGUMENT: return find_any(given->all, piece.text);
    case W_PATTERN_ALL: return w_wiki_argument_next(given->all, &(u32){0});
    default: return true;
    }
}

/* Is all of an alternative or of a group present, which begins at the pattern? */
static bool has_all(const struct w_wikitext *r, const struct given *given, struct w_span pattern,
                    bool group)
{
    bool in_group = false, group_has = false, other = false, groups = false, any = false;

    for (;;) {
        struct w_pattern_piece piece = w_pattern_next(&pattern);
        switch (piece.kind) {
        case W_PATTERN_GROUP: in_group = group_has = groups = true; break;
        case W_PATTERN_GROUP_END:
            if (group)
                return true;
            any |= group_has;
            in_group = false;
            break;
        case W_PATTERN_OR:
        case W_PATTERN_END: return other || any || !groups;
        default:
            if (in_group) {
                group_has = group_has && has(r, given, piece);
                break;
            }
            if (!has(r, given, piece))
                return false;
            other |= piece.kind != W_PATTERN_NEEDED &&
                     (piece.kind != W_PATTERN_TEXT || w_span_trim(piece.text).size);
        }
    }
}

/* Go to the next alternative; false if there is none. */
static bool next_alternative(struct w_span *pattern)
{
    enum w_pattern_kind kind;

    do
        kind = w_pattern_next(pattern).kind;
    while (kind != W_PATTERN_OR && kind != W_PATTERN_END);
    return kind == W_PATTERN_OR;
}

/* ---- writing ---- */

static void month(struct w_wikitext *r, size_t from)
{
    struct w_buffer *b = &r->marked;
    u32 number = w_wiki_month_of(&r->language, (struct w_span){b->at + from, b->size - from});

    if (number && r->language.months) {
        b->size = from;
        w_buffer_text(b, r->language.months[number - 1]);
    }
}

static void filter(struct w_wikitext *r, enum w_inline_filter filter, size_t from)
{
    struct w_buffer *b = &r->marked;

    switch (filter) {
    case W_INLINE_NONE:
    case W_INLINE_LINES: break;
    case W_INLINE_MONTH: month(r, from); break;
    case W_INLINE_NUMBER: w_wiki_group_digits(r, from); break;
    case W_INLINE_POWER: w_wiki_group_power(r, from, " × 10"); break;
    case W_INLINE_UNIT: w_wiki_raise_digits(r, from); break;
    case W_INLINE_DECIMAL:
        for (size_t i = from; i < b->size; i++)
            b->at[i] = b->at[i] == '.' ? (u8)r->language.decimal : b->at[i];
        break;
    case W_INLINE_SUP: w_wiki_superscript(r, from); break;
    case W_INLINE_SUB: w_wiki_subscript(r, from); break;
    case W_INLINE_LANGUAGE:
    case W_INLINE_COUNTRY: break; /* the name is written already */
    default:
        for (size_t i = from; i < b->size && (i == from || filter != W_INLINE_CAPITAL); i++)
            if (w_is_letter(b->at[i]))
                b->at[i] = (u8)(filter == W_INLINE_LOWER ? b->at[i] | 0x20 : b->at[i] & ~0x20);
    }
}

/* Write a value. Where it begins a line, in the page or by its pattern, "*" begins a list. */
static void put_value(struct w_wikitext *r, struct w_range value, bool at_line)
{
    u32 at = value.begin;

    while (at && (r->source[at - 1] == ' ' || r->source[at - 1] == '\t'))
        at--;
    w_wiki_walk(r, value, at_line || (at && r->source[at - 1] == '\n'));
}

/* As <poem> does. */
static void put_lines(struct w_wikitext *r, struct w_range value)
{
    r->poems++;
    put_value(r, value, true);
    if (r->poems) /* a heading ends them all */
        r->poems--;
}

static void put_text(struct w_wikitext *r, struct w_pattern_piece piece)
{
    if (piece.kind == W_PATTERN_LINE)
        w_wiki_put_mark(r, w_buffer_last(&r->marked) == W_MARK_LINE ? W_MARK_BLOCK : W_MARK_LINE);
    else if (piece.kind == W_PATTERN_DIGIT)
        w_buffer_put(&r->marked, " ", w_is_digit(w_buffer_last(&r->marked)) ? 1 : 0);
    else
        w_buffer_span(&r->marked, piece.text);
}

/* All arguments with numbers. `between` is a pattern of texts and line ends. */
static void put_all(struct w_wikitext *r, const struct w_arguments *all, struct w_span between)
{
    const struct w_range *value;
    u32 number = 0;

    for (bool first = true; (value = w_wiki_argument_next(all, &number)); first = false) {
        for (struct w_span rest = between; !first && rest.size;)
            put_text(r, w_pattern_next(&rest));
        put_value(r, *value, false); /* "*" is text: they are items already */
    }
}

/* Move a pattern past the end of the group that it is in. */
static void skip_group(struct w_span *pattern)
{
    while (w_pattern_next(pattern).kind != W_PATTERN_GROUP_END)
        ;
}

/* Drop what would separate a group from text before it. */
static void skip_separators(struct w_span *pattern)
{
    while (pattern->size && memchr(" ,;", *pattern->at, 3))
        *pattern = w_span_from(*pattern, 1);
}

static void put_argument(struct w_wikitext *r, const struct given *given,
                         struct w_pattern_piece piece, bool at_line)
{
    size_t from = r->marked.size;

    if (is_named(piece))
        w_buffer_span(&r->marked, name_of(r, given, piece));
    else if (piece.kind == W_PATTERN_ENDING)
        w_wiki_put_plain(r, given->ending);
    else if (piece.filter == W_INLINE_LINES)
        put_lines(r, *find_any(given->all, piece.text));
    else
        put_value(r, *find_any(given->all, piece.text), at_line);
    filter(r, piece.filter, from);
}

/* A pattern that is nothing but argument 1 changes how this looks. Blanks around one without a name
 * are meant, {{small| (so)}}; templates that do more, such as {{lang}}, drop them. */
static bool put_only_argument(struct w_wikitext *r, const struct given *given,
                              struct w_span pattern)
{
    struct w_pattern_piece piece = w_pattern_next(&pattern);
    enum w_pattern_kind next = w_pattern_next(&pattern).kind;
    struct w_span name = {0};

    if (piece.kind != W_PATTERN_ARGUMENT || piece.filter != W_INLINE_NONE ||
        (next != W_PATTERN_OR && next != W_PATTERN_END))
        return false;
    const struct w_range *value = find_any(given->all, piece.text);
    u32 from = value->begin;
    while (from && r->source[from - 1] == ' ')
        from--;
    const bool unnamed = w_pattern_name(&piece.text, &name) && w_span_is(name, W_SPAN("1")) &&
                         from && r->source[from - 1] == '|';
    w_buffer_put(&r->marked, " ", unnamed && from < value->begin ? 1 : 0);
    put_value(r, *value, false);
    w_buffer_put(&r->marked, " ", unnamed && r->source[value->end] == ' ' ? 1 : 0);
    return true;
}

static void put_alternative(struct w_wikitext *r, const struct given *given, struct w_span pattern)
{
    enum w_pattern_kind before = W_PATTERN_TEXT;
    const size_t begin = r->marked.size;

    for (;;) {
        struct w_pattern_piece piece = w_pattern_next(&pattern);
        switch (piece.kind) {
        case W_PATTERN_TEXT:
        case W_PATTERN_LINE:
        case W_PATTERN_DIGIT: put_text(r, piece); break;
        case W_PATTERN_ARGUMENT:
        case W_PATTERN_ENDING: put_argument(r, given, piece, before == W_PATTERN_LINE); break;
        case W_PATTERN_ALL: put_all(r, given->all, piece.text); break;
        case W_PATTERN_NEEDED:
        case W_PATTERN_GROUP_END: break;
        case W_PATTERN_GROUP:
            if (!has_all(r, given, pattern, true))
                skip_group(&pattern);
            else if (r->marked.size == begin)
                skip_separators(&pattern);
            break;
        default: return;
        }
        before = piece.kind;
    }
}

static void put_title(struct w_wikitext *r)
{
    for (size_t i = 0; i < r->title.size; i++)
        if (r->title.at[i] >= ' ')
            w_buffer_byte(&r->marked, r->title.at[i]);
}

static void apply(struct w_wikitext *r, struct w_span pattern, const struct given *given)
{
    const size_t from = r->marked.size;

    switch (w_pattern_rule(pattern)) {
    case W_RULE_CONVERT: w_wiki_put_measure(r, given->all, false); return;
    case W_RULE_CVT: w_wiki_put_measure(r, given->all, true); return;
    case W_RULE_COORD: w_wiki_put_coordinates(r, given->all); return;
    case W_RULE_COORDINATE: w_wiki_put_coordinate(r, given->all); return;
    case W_RULE_MATH:
        w_wiki_put_mathematics(r, source_of(r, w_wiki_argument_find(given->all, W_SPAN("1"))));
        return;
    case W_RULE_TITLE: put_title(r); return;
    case W_RULE_VAL: w_wiki_put_number(r, given->all); return;
    case W_RULE_NONE: break;
    }
    do {
        if (has_all(r, given, pattern, false)) {
            if (!put_only_argument(r, given, pattern))
                put_alternative(r, given, pattern);
            break;
        }
    } while (next_alternative(&pattern));
    if (r->marked.size == from) /* a flag, of which nothing is written */
        w_wiki_put_mark(r, W_MARK_HOLE);
}

/* ---- templates ---- */

/* {{Template:Convert|...}} is {{Convert|...}}. */
static struct w_span unprefixed(const struct w_wikitext *r, struct w_span name)
{
    const u8 *colon = name.size ? memchr(name.at, ':', name.size) : NULL;
    size_t size = colon ? (size_t)(colon - name.at) : 0;

    if (size &&
        w_wiki_site_is_template(r->options.site, w_span_trim((struct w_span){name.at, size})))
        return w_span_from(name, size + 1);
    return name;
}

/* The pattern of a template, and where its arguments begin: after the bar of its name, or after the
 * colon of a function. */
static bool find_pattern(struct w_wikitext *r, struct w_range *inside, struct w_span *pattern,
                         struct w_span *ending)
{
    struct w_range rest = *inside;
    u32 bar = w_wiki_find(r, &rest, '|');
    struct w_span name = unprefixed(r, w_wiki_source(r, inside->begin, bar));
    const u8 *colon = name.size ? memchr(name.at, ':', name.size) : NULL;
    bool found = w_inline_table_find(r->options.inlines, name, pattern, ending);

    if (!found && colon) {
        name.size = (size_t)(colon + 1 - name.at);
        if (!w_inline_table_find(r->options.inlines, name, pattern, ending))
            return false;
        inside->begin = (u32)(colon + 1 - r->source);
        return true;
    }
    rest.begin = W_MIN(bar + 1, inside->end);
    *inside = rest;
    return found;
}

void w_wiki_put_template(struct w_wikitext *r, u32 index)
{
    struct w_range inside = w_wiki_inside(r, index);
    struct w_arguments all = {0};
    struct given given = {.all = &all};
    struct w_span pattern;

    if (!find_pattern(r, &inside, &pattern, &given.ending)) {
        w_wiki_put_mark(r, W_MARK_HOLE);
        return;
    }
    if (!pattern.size) { /* {{shy}} */
        w_wiki_put_mark(r, W_MARK_NOTHING);
        return;
    }
    if (inside.begin < inside.end)
        read_arguments(r, inside, &all);
    apply(r, pattern, &given);
}

void w_wiki_put_argument(struct w_wikitext *r, u32 index)
{
    struct w_range value = w_wiki_inside(r, index), rest = value;
    u32 bar = w_wiki_find(r, &rest, '|');

    if (bar == value.end) {
        w_wiki_put_mark(r, W_MARK_HOLE);
        return;
    }
    rest.begin = bar + 1;
    w_wiki_walk(r, trimmed(r, rest), false);
}
