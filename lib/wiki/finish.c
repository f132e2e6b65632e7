/* The third step: from text with marks to text, in one pass.
 *
 * White space is not copied but remembered as a gap, and written with the next character: one
 * space, a line end or an empty line, whichever is the largest that occurred. So none is left at
 * the ends of lines and none is doubled. Around a hole, where markup was left out, punctuation is
 * mended: "Rome ( ; born 1950)" becomes "Rome (born 1950)", and "with , ." "with.". Elsewhere it
 * stays, and so does a blank that the author wrote after the hole, before ":", ";", "!" or "?".
 * Linear: looking back is bounded or drops what it reads. */
#include <stdio.h>

#include "base/lanes.h"
#include "base/utf8.h"
#include "text/unicode.h"
#include "wiki/marks.h"

/* The white space before the next character. */
enum gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_BLOCK };

#define LEVELS 6

static const char left_out_by_default[] =
    "See also|References|External links|External link|Further reading|Notes|Footnotes|Citations|"
    "Sources|Bibliography|Notes and references|References and notes|Notes and citations|"
    "Citations and notes|References and further reading|Works cited|Literature cited|Cited sources|"
    "Gallery";

struct finish {
    const struct w_wikitext_options *options;
    struct w_buffer *out;
    const u8 *at, *end;
    enum gap gap;
    bool hole;         /* markup was left out since the last character */
    bool hole_seen;    /* such that a reader of the page sees something there */
    bool hole_first;   /* at the beginning of the line */
    bool hole_last;    /* after a blank in the line of the last character */
    bool blank_after;  /* and before one */
    bool block_ended;  /* the mark of a line or block was the last thing */
    bool line_text;    /* the line of the source has text */
    bool line_marked;  /* or at least a mark */
    bool line_alone;   /* it is not joined with the next one */
    bool after_item;   /* the last line with text was an item or row */
    const char *first; /* to be written before the line's first character, or NULL */
    u8 heading;        /* the level of the heading that this line is; 0: none */
    u8 skipping;       /* a section of this level is left out; 0: none */
    /* The headings since the last text. They are dropped if the next one is of the same or a higher
     * level. */
    struct {
        u8 level;
        size_t begin; /* in out */
    } headings[LEVELS];
    u32 heading_count;
};

static void widen(struct finish *f, enum gap gap)
{
    if (f->heading)
        gap = W_MIN(gap, GAP_SPACE);
    f->gap = W_MAX(f->gap, gap);
}

static void blank(struct finish *f)
{
    widen(f, GAP_SPACE);
    f->blank_after = f->hole;
    f->block_ended = false;
}

static void drop_blanks(struct w_buffer *out)
{
    while (w_is_blank(w_buffer_last(out)))
        out->size--;
}

static void drop_signs(struct w_buffer *out, const char *signs)
{
    u8 last;

    while ((last = w_buffer_last(out)) && strchr(signs, last))
        out->size--;
}

/* Where the opening bracket of the one that ends here stands, if between them there are only words
 * that introduced or separated markup that was left out; else SIZE_MAX. */
static size_t idle_brackets(const struct w_buffer *out, u8 open)
{
    static const char words[] = " or and also pronounced occasionally sometimes locally ";
    size_t begin = out->size, word = 0;
    char key[16];

    while (begin && out->size - begin < 40 && out->at[begin - 1] != open &&
           (w_is_letter(out->at[begin - 1]) || memchr(" ,;:/", out->at[begin - 1], 5)))
        begin--;
    if (!begin || out->at[begin - 1] != open)
        return SIZE_MAX;
    for (size_t i = begin; i <= out->size; i++) {
        if (i < out->size && w_is_letter(out->at[i])) {
            word++;
            continue;
        }
        if (word > sizeof key - 3)
            return SIZE_MAX;
        if (word) {
            snprintf(key, sizeof key, " %.*s ", (int)word, (const char *)out->at + i - word);
            if (!strstr(words, key))
                return SIZE_MAX;
        }
        word = 0;
    }
    return begin - 1;
}

/* At the end of a line or of the text: drop commas and semicolons that only separated removed
 * markup. */
static void end_written_line(struct finish *f)
{
    if (f->hole_last)
        drop_signs(f->out, ",;");
    f->hole_last = false;
    drop_blanks(f->out);
}

/* Is the character at p, of `left` bytes, a letter or number of a script that separates words by
 * blanks? Those before Thai do. */
static bool is_word_character(const u8 *p, size_t left)
{
    u32 code;

    if (!left || !w_utf8_decode(p, left, &code) || code >= 0xE00)
        return false;
    enum w_char_class class = w_char_class(code);
    return class == W_CHAR_LETTER || class == W_CHAR_NUMBER;
}

/* Do two words meet at the hole? */
static bool words_meet(const struct finish *f)
{
    const struct w_buffer *out = f->out;
    size_t size = 1;

    while (size < 4 && size < out->size && (out->at[out->size - size] & 0xC0) == 0x80)
        size++;
    return f->gap == GAP_NONE && out->size >= size &&
           is_word_character(out->at + out->size - size, size) &&
           is_word_character(f->at, (size_t)(f->end - f->at));
}

/* Signs after a hole, which may only have separated removed markup. */
static const struct sign {
    char sign;
    bool ends;          /* only at the end of a word: not ".5" and ":-)" */
    bool apart;         /* a blank before it is meant, in French */
    const char *weaker; /* signs before the hole that it replaces, and blanks */
    const char *after;  /* signs before the hole after which it is dropped */
    /* And those after which it is dropped if a blank stands between them and the hole: in
     * "Jr.<ref/>, b" the comma stays, in "a. {{b}}, c" it does not. */
    const char *after_stop;
} signs[] = {
    {',', false, false, "", "([,;:", ".!?"}, {';', false, true, "", "([,;:", ".!?"},
    {':', true, true, " ,;", "([:", ".!?"},  {'.', true, false, " ,;:", "([.!?", ""},
    {'!', true, true, " ,;:", "([", ".!?"},  {'?', true, true, " ,;:", "([", ".!?"},
};

/* The size of the one of some texts that begins here, or 0. The last one is NULL. */
static size_t size_of_any(const u8 *p, const u8 *end, const char *const texts[])
{
    for (; *texts; texts++) {
        size_t size = strlen(*texts);
        if ((size_t)(end - p) >= size && !memcmp(p, *texts, size))
            return size;
    }
    return 0;
}

/* Drop what is idle before a closing bracket. Returns the bracket's size if it and its opening one
 * go as well, else 0. */
static size_t idle_closing(struct finish *f, u8 open)
{
    size_t begin = idle_brackets(f->out, open);

    drop_signs(f->out, " ,;:");
    f->gap = GAP_NONE;
    if (begin == SIZE_MAX)
        return 0;
    f->out->size = begin;
    if (w_buffer_last(f->out) == ' ') {
        f->gap = GAP_SPACE;
        f->out->size--;
    }
    return 1;
}

/* After a hole: the size of the sign that begins here, if it only separated removed markup; else
 * 0. Also mends what is written already. */
static size_t idle_sign(struct finish *f)
{
    static const char *const dashes[] = {"-", "–", "—", NULL};
    static const char *const closing_quotes[] = {"»", "”", "“", NULL}; /* the last one in German */
    const u8 *p = f->at;
    const size_t dash = size_of_any(p, f->end, dashes), size = dash ? dash : 1;
    const bool ends = p + size == f->end || p[size] <= ' ' || p[size] == '\'' || p[size] == '"';

    if (f->hole_first && (*p == ',' || *p == ';' || (ends && (dash || memchr(".:/!?", *p, 5)))))
        return size;
    if (f->gap >= GAP_LINE)
        return 0;
    if (*p == ')' || *p == ']')
        return idle_closing(f, *p == ')' ? '(' : '[');
    for (size_t i = 0; i < W_COUNTOF(signs); i++) {
        const struct sign *s = &signs[i];
        if (s->sign != (char)*p || (s->ends && !ends))
            continue;
        drop_signs(f->out, s->weaker);
        u8 last = w_buffer_last(f->out);
        if (last && (strchr(s->after, last) || (f->hole_last && strchr(s->after_stop, last))))
            return size;
        if (!s->apart || !f->blank_after) /* else the blank is the author's */
            f->gap = GAP_NONE;
    }
    if (w_buffer_last(f->out) == '(' || (!f->blank_after && size_of_any(p, f->end, closing_quotes)))
        f->gap = GAP_NONE;
    return 0;
}

/* A sign right after a block that a template or tag made ends what is before the block: it goes
 * there, and the gap stays. */
static bool attach_sign(struct finish *f)
{
    const u8 c = *f->at;
    const bool ends = f->at + 1 == f->end || f->at[1] <= ' ';

    if (!f->block_ended || !ends || !memchr(",.;:!?", c, 6) || !f->out->size)
        return false;
    if (c != '.' || !memchr(".!?", w_buffer_last(f->out), 3))
        w_buffer_byte(f->out, c);
    f->block_ended = false;
    f->at++;
    return true;
}

/* Write the gap before a character of text. False: the character was left out. */
static bool before_text(struct finish *f)
{
    size_t idle;

    if (f->after_item && !f->line_alone)
        widen(f, GAP_BLOCK); /* what follows a list is a paragraph */
    f->after_item = false;
    if (f->hole && (idle = idle_sign(f))) {
        f->at += idle;
        return false;
    }
    if (f->hole_seen && words_meet(f))
        f->gap = GAP_SPACE;
    f->hole = f->hole_seen = f->hole_first = f->block_ended = false;
    f->line_text = true;
    if (f->gap >= GAP_LINE)
        end_written_line(f);
    f->hole_last = false;
    if (f->out->size == 0)
        f->gap = GAP_NONE;
    if (f->gap)
        w_buffer_put(f->out, f->gap == GAP_SPACE ? " " : "\n\n", f->gap == GAP_BLOCK ? 2 : 1);
    f->gap = GAP_NONE;
    if (f->first) {
        w_buffer_span(f->out, w_span_of(f->first));
        f->first = NULL;
    }
    if (!f->heading)
        f->heading_count = 0;
    return true;
}

/* ---- headings ---- */

static bool is_left_out(const struct w_wikitext_options *options, struct w_span heading)
{
    struct w_span list = w_span_of(options->sections ? options->sections : left_out_by_default);

    while (list.size) {
        const u8 *bar = memchr(list.at, '|', list.size);
        struct w_span name = {list.at, bar ? (size_t)(bar - list.at) : list.size};
        if (w_span_is_word(w_span_trim(name), heading))
            return true;
        list = w_span_from(list, W_MIN(name.size + 1, list.size));
    }
    return false;
}

static const char *equals(u8 level)
{
    return &"======"[LEVELS - level];
}

static void begin_heading(struct finish *f, u8 level)
{
    while (f->heading_count && f->headings[f->heading_count - 1].level >= level)
        f->out->size = f->headings[--f->heading_count].begin;
    end_written_line(f);
    f->gap = GAP_BLOCK;
    f->heading = level;
    f->hole = f->hole_seen = f->hole_first = false;
    f->headings[f->heading_count].level = level; /* levels grow: there is room for each */
    f->headings[f->heading_count].begin = f->out->size;
}

static void end_heading(struct finish *f)
{
    size_t begin = f->headings[f->heading_count].begin;
    struct w_span text = {0};
    u8 level = f->heading;

    f->heading = 0;
    end_written_line(f);
    if (f->out->size > begin)
        text = w_span_trim((struct w_span){f->out->at + begin, f->out->size - begin});
    if (text.size && is_left_out(f->options, text))
        f->skipping = level;
    if (!text.size || f->skipping || f->options->headings == W_HEADINGS_NONE) {
        f->out->size = begin;
    } else {
        if (f->options->headings == W_HEADINGS_MARKED) {
            size_t at = (size_t)(text.at - f->out->at);
            w_buffer_insert(f->out, at, " ", 1);
            w_buffer_insert(f->out, at, equals(level), level);
            w_buffer_byte(f->out, ' ');
            w_buffer_put(f->out, equals(level), level);
        }
        f->heading_count++;
    }
    f->gap = GAP_BLOCK;
}

/* Go to the heading after a section that is left out. */
static void skip_section(struct finish *f)
{
    const u8 *p = f->at;

    while (p < f->end && (p = memchr(p, W_MARK_HEADING, (size_t)(f->end - p))) && p + 1 < f->end &&
           p[1] - '0' > f->skipping)
        p++;
    f->at = p ? p : f->end;
    f->skipping = 0;
}

/* ---- the text ---- */

static void end_line(struct finish *f)
{
    if (f->heading)
        end_heading(f);
    else if (f->line_text)
        widen(f, (f->after_item = f->line_alone) ? GAP_LINE : GAP_SPACE);
    else
        widen(f, f->line_marked ? GAP_LINE : GAP_BLOCK);
    f->line_text = f->line_marked = f->line_alone = f->hole_first = f->block_ended = false;
    f->first = NULL;
}

static void begin_line(struct finish *f, const char *first)
{
    widen(f, GAP_LINE);
    f->line_alone = true;
    f->line_marked = true;
    f->hole_first = false;
    f->first = first;
}

static void raw(struct finish *f)
{
    const u8 *end = memchr(f->at, W_MARK_RAW_END, (size_t)(f->end - f->at));
    size_t size = (size_t)((end ? end : f->end) - f->at);

    f->hole = f->hole_seen = f->hole_first = false;
    if (size && before_text(f))
        w_buffer_put(f->out, f->at, size);
    f->at += size + (end ? 1 : 0);
}

static void mark(struct finish *f, u8 mark)
{
    switch (mark) {
    case W_MARK_HOLE:
    case W_MARK_NOTHING:
        f->hole = true;
        f->blank_after = false;
        f->hole_seen |= mark == W_MARK_HOLE;
        f->hole_first |= f->gap >= GAP_LINE || f->out->size == 0;
        f->hole_last |= f->gap == GAP_SPACE && f->line_text;
        f->line_marked = true;
        break;
    case W_MARK_LINE:
    case W_MARK_BLOCK:
        widen(f, mark == W_MARK_LINE ? GAP_LINE : GAP_BLOCK);
        f->line_marked = true;
        f->hole_first = false;
        f->block_ended = true;
        break;
    case W_MARK_ITEM: begin_line(f, f->options->item); break;
    case W_MARK_ROW: begin_line(f, NULL); break;
    case W_MARK_RAW: raw(f); break;
    case W_MARK_HEADING:
        if (f->at < f->end)
            begin_heading(f, (u8)(*f->at++ - '0'));
        break;
    default: break;
    }
}

/* Does a byte end a run? Marks, line ends, the first byte of a no-break space, a second space. */
static bool is_special(u8 before, u8 c)
{
    return c < ' ' || c == 0xC2 || (c == ' ' && before == ' ');
}

/* The end of a run of text that is copied as it is. */
static const u8 *run_end(const u8 *p, const u8 *end)
{
    for (p++; end - p >= W_LANES; p += W_LANES) {
        w_lanes x = w_lanes_load(p), before = w_lanes_load(p - 1);
        u32 first =
            w_lanes_first((w_lanes)((x < ' ') | (x == 0xC2) | ((x == ' ') & (before == ' '))));
        if (first < W_LANES) {
            p += first;
            break;
        }
    }
    while (p < end && !is_special(p[-1], *p))
        p++;
    return p[-1] == ' ' ? p - 1 : p; /* a space at the end is a gap */
}

static void run(struct finish *f)
{
    const u8 *from = f->at, *p;

    if (attach_sign(f) || !before_text(f))
        return;
    p = run_end(from, f->end);
    w_buffer_put(f->out, from, (size_t)(p - from));
    f->at = p;
}

void w_wiki_finish(const struct w_wikitext_options *options, struct w_span marked,
                   struct w_buffer *text)
{
    struct finish f = {.options = options, .out = text, .at = marked.at};

    text->size = 0;
    if (!marked.size)
        return;
    f.end = marked.at + marked.size;
    while (f.at < f.end && !text->failed) {
        u8 c = *f.at;
        if (c > ' ' && !(c == 0xC2 && f.at + 1 < f.end && f.at[1] == 0xA0)) {
            run(&f);
        } else if (c == 0xC2) { /* a no-break space */
            blank(&f);
            f.at += 2;
        } else if (c == ' ' || c == '\t') {
            blank(&f);
            f.at++;
        } else if (c == '\n') {
            f.at++;
            end_line(&f);
            if (f.skipping)
                skip_section(&f);
        } else {
            f.at++;
            mark(&f, c);
        }
    }
    if (f.heading)
        end_heading(&f);
    if (f.heading_count)
        text->size = f.headings[0].begin;
    end_written_line(&f);
}
