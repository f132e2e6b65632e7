/* The scan goes over the page once, from left to right, with a stack of open markup. An opening
 * mark takes the next place of the list, so that the list is in the order of begins; a closing mark
 * ends the innermost markup of its kind, and the markup above it on the stack stays without an
 * end.
 *
 * Why it is linear: the stack is at most W_MARKUP_DEPTH deep, and what is pushed is dropped once.
 * Only comments and elements without markup inside, such as <nowiki>, look ahead. They jump to the
 * end that they find; where there is none, never_closed says so for the rest of the page, and that
 * name is not searched again. */
#include "wiki/markup.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define KIND(kind) (1u << W_MARKUP_##kind)

/* Markup that is open. What a run of braces opens is known only when it is closed: "{{{{a}}}}" is a
 * template in a template, "{{{{{a}}}}}" one whose name is an argument. The run reserves a place in
 * the list for each pair that it can open, and uses them from the last to the first. */
struct open {
    u32 item; /* index into the list: its place, or the last one not yet used */
    u8 kind, tag;
    u8 places;  /* left */
    u32 braces; /* left; they begin at begin */
    u32 begin;
};

struct scanner {
    struct w_markup_list *list;
    const u8 *text;
    u32 size, at;
    struct open stack[W_MARKUP_DEPTH];
    u32 depth;
    u32 places;               /* of all open markup together: how deep it may be nested */
    u32 too_deep;             /* pairs opened and not closed beyond the depth */
    u16 open[W_MARKUP_KINDS]; /* how many of a kind are on the stack */
    u16 open_tags[W_TAGS_MAX];
    bool never_closed[W_TAGS_MAX]; /* no closing tag of this name is in the rest of the page */
    bool variants;                 /* -{ }- is markup */
    bool failed;
};

/* ---- the list and the stack ---- */

static void append(struct scanner *s, struct w_markup item)
{
    struct w_markup_list *l = s->list;

    if (w_grow(&l->items, &l->room, l->count + 1u, sizeof *l->items, "markup", NULL))
        s->failed = true;
    else
        l->items[l->count++] = item;
}

/* A markup with nothing inside it, or not yet. */
static void append_whole(struct scanner *s, struct w_markup item)
{
    item.next = s->list->count + 1;
    append(s, item);
}

static void push(struct scanner *s, struct w_markup item)
{
    if (s->places == W_MARKUP_DEPTH) {
        s->too_deep++;
        return;
    }
    s->stack[s->depth++] =
        (struct open){.item = s->list->count, .kind = item.kind, .tag = item.tag, .places = 1};
    s->places++;
    s->open[item.kind]++;
    s->open_tags[item.tag]++;
    append_whole(s, item);
}

static void drop_from(struct scanner *s, u32 level)
{
    while (s->depth > level) {
        const struct open *o = &s->stack[--s->depth];
        s->places -= o->places;
        s->open[o->kind]--;
        s->open_tags[o->tag]--;
    }
}

/* Drop the open markup of some kinds; it stays without an end. */
static void abandon(struct scanner *s, u32 kinds)
{
    u32 kept = 0, depth = s->depth;

    for (u32 i = 0; i < depth; i++) {
        struct open o = s->stack[i];
        if (kinds >> o.kind & 1) {
            s->places -= o.places;
            s->open[o.kind]--;
            s->open_tags[o.tag]--;
        } else {
            s->stack[kept++] = o;
        }
    }
    s->depth = kept;
}

/* Close the markup at a level of the stack; markup above it stays without an end. */
static void close_level(struct scanner *s, u32 level, u32 body_end, u32 end)
{
    struct w_markup *item = &s->list->items[s->stack[level].item];

    drop_from(s, level);
    item->body_end = body_end;
    item->end = end;
    item->next = s->list->count;
}

/* The level of the innermost of some kinds; there has to be one. */
static u32 innermost(const struct scanner *s, u32 kinds)
{
    u32 level = s->depth - 1;

    while (!(kinds >> s->stack[level].kind & 1))
        level--;
    return level;
}

static bool top_is(const struct scanner *s, enum w_markup_kind kind)
{
    return s->depth && s->stack[s->depth - 1].kind == kind;
}

static bool looking_at(const struct scanner *s, u32 at, const char *what)
{
    size_t size = strlen(what);

    return s->size - at >= size && memcmp(s->text + at, what, size) == 0;
}

/* ---- braces and brackets ---- */

static u32 run_of(const struct scanner *s, u8 c)
{
    u32 end = s->at;

    while (end < s->size && s->text[end] == c)
        end++;
    return end - s->at;
}

static void open_braces(struct scanner *s)
{
    u32 run = run_of(s, '{'), end = s->at + run;
    u32 places = W_MIN(run / 2, W_MARKUP_DEPTH - s->places);

    if (s->variants && run == 1 && s->at && s->text[s->at - 1] == '-')
        push(s, (struct w_markup){.kind = W_MARKUP_VARIANT, .begin = s->at - 1, .body = s->at + 1});
    s->too_deep += run / 2 - places;
    s->at = end;
    if (!places)
        return;
    run = W_MIN(run, 3 * places); /* braces that are too deep are text */
    for (u32 i = 0; i < places; i++)
        append_whole(s, (struct w_markup){.kind = W_MARKUP_NOTHING,
                                          .begin = end - run,
                                          .body = end - run,
                                          .end = end - run});
    s->stack[s->depth++] = (struct open){.item = s->list->count - 1,
                                         .kind = W_MARKUP_TEMPLATE,
                                         .places = (u8)places,
                                         .braces = run,
                                         .begin = end - run};
    s->places += places;
    s->open[W_MARKUP_TEMPLATE]++;
    s->open_tags[0]++;
}

/* Close a pair of two or three braces, the last that the run at the top of the stack opened. */
static void close_pair(struct scanner *s, u32 size)
{
    struct open *o = &s->stack[s->depth - 1];
    struct w_markup *item = &s->list->items[o->item--];

    o->braces -= size;
    o->places--;
    s->places--;
    *item = (struct w_markup){.kind = size == 3 ? W_MARKUP_ARGUMENT : W_MARKUP_TEMPLATE,
                              .begin = o->begin + o->braces,
                              .body = o->begin + o->braces + size,
                              .body_end = s->at,
                              .end = s->at + size,
                              .next = s->list->count};
    if (!o->places || o->braces < 2)
        drop_from(s, s->depth - 1);
}

static void close_braces(struct scanner *s)
{
    u32 left = run_of(s, '}');

    if (left == 1 && top_is(s, W_MARKUP_VARIANT) && looking_at(s, s->at, "}-"))
        close_level(s, s->depth - 1, s->at, s->at + 2);
    while (left >= 2) {
        u32 size = 2;
        if (s->too_deep) {
            s->too_deep--;
        } else if (s->open[W_MARKUP_TEMPLATE]) {
            u32 level = innermost(s, KIND(TEMPLATE));
            drop_from(s, level + 1);
            size = W_MIN(W_MIN(left, s->stack[level].braces), 3);
            close_pair(s, size);
        }
        s->at += size;
        left -= size;
    }
    s->at += left;
}

/* Does an address begin here, as in [http://...] and [//...]? Some schemes need the slashes. */
static bool is_address(const struct scanner *s, u32 at)
{
    static const char slashed[] =
        " http https ftp ftps sftp irc ircs gopher telnet nntp svn git ssh ";
    static const char plain[] = " mailto news magnet urn geo tel sip sips bitcoin xmpp ";
    char word[12] = " ";
    size_t size = 0;

    while (at < s->size && size < sizeof word - 3 && w_is_letter(s->text[at])) {
        size++;
        word[size] = (char)w_lower(s->text[at++]);
    }
    word[size + 1] = ' ';
    if (size) {
        if (at == s->size || s->text[at] != ':')
            return false;
        at++;
    }
    bool slashes = looking_at(s, at, "//");
    if (!(slashes && (!size || strstr(slashed, word))) && !(size && strstr(plain, word)))
        return false;
    at += slashes ? 2 : 0;
    return at < s->size && s->text[at] > ' ' && s->text[at] != ']' && s->text[at] != '[';
}

static void open_brackets(struct scanner *s)
{
    u32 run = run_of(s, '['), last = s->at + run;

    s->at = last;
    if (is_address(s, last))
        push(s, (struct w_markup){.kind = W_MARKUP_URL, .begin = last - 1, .body = last});
    else if (run >= 2)
        push(s, (struct w_markup){.kind = W_MARKUP_LINK, .begin = last - 2, .body = last});
}

static void close_brackets(struct scanner *s)
{
    u32 left = run_of(s, ']');

    while (left) {
        u32 size = 1;
        if (top_is(s, W_MARKUP_URL)) {
            close_level(s, s->depth - 1, s->at, s->at + 1);
        } else if (left >= 2) {
            size = 2;
            if (s->too_deep)
                s->too_deep--;
            else if (s->open[W_MARKUP_LINK])
                close_level(s, innermost(s, KIND(LINK)), s->at, s->at + 2);
        }
        s->at += size;
        left -= size;
    }
}

/* ---- angle brackets ---- */

static void comment(struct scanner *s)
{
    const u8 *from = s->text + s->at + 4;
    size_t left = s->size - s->at - 4;
    const u8 *end = s->never_closed[0] ? NULL : memmem(from, left, "-->", 3);

    if (end) {
        end += 3;
    } else { /* hides the rest of its line */
        s->never_closed[0] = true;
        end = left ? memchr(from, '\n', left) : NULL;
        end = end ? end : from + left;
    }
    append_whole(s, (struct w_markup){.kind = W_MARKUP_COMMENT,
                                      .begin = s->at,
                                      .body = (u32)(end - s->text),
                                      .end = (u32)(end - s->text)});
    s->at = (u32)(end - s->text);
}

/* The closing tag of an element inside which markup is not looked at. Another opening tag of the
 * name before it means that this one was never closed. Returns the tag's size and its place, or
 * 0. */
static size_t find_closing(struct scanner *s, u8 tag, u32 from, u32 *place)
{
    const u8 *p = s->text + from, *end = s->text + s->size;

    while (!s->never_closed[tag] && p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
        struct w_tag found = w_tag_parse((struct w_span){p, (size_t)(end - p)});
        if (found.size && found.tag == tag && !found.empty) {
            *place = (u32)(p - s->text);
            return found.closing ? found.size : 0;
        }
        p++;
    }
    s->never_closed[tag] = true;
    return 0;
}

static void closing_tag(struct scanner *s, struct w_tag tag)
{
    u32 end = s->at + (u32)tag.size, level = s->depth;

    if (!s->open_tags[tag.tag] || tag.empty) {
        append_whole(
            s,
            (struct w_markup){
                .kind = W_MARKUP_TAG, .begin = s->at, .end = end, .tag = tag.tag, .closing = true});
        return;
    }
    do
        level--;
    while (s->stack[level].tag != tag.tag);
    close_level(s, level, s->at, end);
}

static void opening_tag(struct scanner *s, struct w_tag tag)
{
    enum w_tag_kind kind = w_tag_kind(tag.tag);
    u32 end = s->at + (u32)tag.size, place;
    struct w_markup item = {.begin = s->at, .body = end, .tag = tag.tag};

    if (kind >= W_TAG_OPAQUE && !tag.empty) {
        size_t closing = find_closing(s, tag.tag, end, &place);
        if (closing) {
            item.kind = W_MARKUP_ELEMENT;
            item.body_end = place;
            item.end = place + (u32)closing;
            append_whole(s, item);
            s->at = item.end;
            return;
        }
    }
    if (kind == W_TAG_HIDDEN && top_is(s, W_MARKUP_ELEMENT) &&
        s->stack[s->depth - 1].tag == tag.tag && !tag.empty)
        drop_from(s, s->depth - 1); /* <ref> in <ref>: the first one was never closed */
    /* Inside a hidden <span> the others have to be counted, to find which </span> is its own. */
    item.kind = W_MARKUP_TAG;
    if (!tag.empty && (kind == W_TAG_HIDDEN || kind == W_TAG_TABLE || s->open_tags[tag.tag] ||
                       (tag.hidden && kind != W_TAG_BREAK)))
        item.kind = W_MARKUP_ELEMENT;
    s->at = end;
    if (item.kind == W_MARKUP_ELEMENT) {
        push(s, item);
    } else {
        item.end = end;
        append_whole(s, item);
    }
}

static void angle(struct scanner *s)
{
    if (looking_at(s, s->at, "<!--")) {
        comment(s);
        return;
    }
    struct w_tag tag = w_tag_parse((struct w_span){s->text + s->at, s->size - s->at});
    if (!tag.size) {
        s->at++;
    } else if (tag.closing) {
        closing_tag(s, tag);
        s->at += (u32)tag.size;
    } else {
        opening_tag(s, tag);
    }
}

/* ---- lines ---- */

/* At the start of a line: end what a line ends; tables begin and end nowhere else. */
static void begin_line(struct scanner *s)
{
    u32 at = s->at;

    if (s->open[W_MARKUP_URL])
        abandon(s, KIND(URL));
    if (looking_at(s, at, "==")) {
        drop_from(s, 0);
        s->too_deep = 0;
        return;
    }
    while (at < s->size && (s->text[at] == ' ' || s->text[at] == '\t'))
        at++;
    if (at == s->size || s->text[at] == '\n') {
        if (s->open[W_MARKUP_LINK] + s->open[W_MARKUP_VARIANT])
            abandon(s, KIND(LINK) | KIND(VARIANT));
        return;
    }
    while (at < s->size && s->text[at] == ':')
        at++;
    while (at < s->size && (s->text[at] == ' ' || s->text[at] == '\t')) /* ": {|" is a table, too */
        at++;
    if (looking_at(s, at, "{|")) {
        push(s, (struct w_markup){.kind = W_MARKUP_TABLE, .begin = at, .body = at + 2});
        s->at = at + 2;
    } else if (looking_at(s, at, "|}") && s->open[W_MARKUP_TABLE]) {
        /* In "|}}" the bar belongs to a template that began inside the table. */
        if (looking_at(s, at, "|}}") &&
            s->stack[innermost(s, KIND(TABLE) | KIND(TEMPLATE))].kind != W_MARKUP_TABLE)
            return;
        close_level(s, innermost(s, KIND(TABLE)), at, at + 2);
        s->at = at + 2;
    }
}

enum w_status w_markup_scan(struct w_markup_list *list, struct w_span page, bool variants,
                            struct w_err *err)
{
    static const bool special[256] = {
        ['\n'] = true, ['<'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true};
    struct scanner s = {
        .list = list, .text = page.at, .size = (u32)page.size, .variants = variants};

    list->count = 0;
    begin_line(&s);
    while (!s.failed) {
        while (s.at < s.size && !special[s.text[s.at]])
            s.at++;
        if (s.at == s.size)
            break;
        switch (s.text[s.at]) {
        case '\n':
            s.at++;
            begin_line(&s);
            break;
        case '<': angle(&s); break;
        case '[': open_brackets(&s); break;
        case ']': close_brackets(&s); break;
        case '{': open_braces(&s); break;
        default: close_braces(&s);
        }
    }
    append_whole(&s, (struct w_markup){.begin = UINT32_MAX, .end = UINT32_MAX});
    if (s.failed)
        return w_fail(err, W_NOMEM, "no memory for the markup of a page of %zu bytes", page.size);
    list->count--; /* the last one is a sentinel for loops */
    return W_DONE;
}

void w_markup_free(struct w_markup_list *list)
{
    free(list->items);
    *list = (struct w_markup_list){0};
}
