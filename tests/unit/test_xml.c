/* The XML reader beside expat: what expat accepts gives the same elements, attributes and text; and
 * what is refused, with its place. Expat also reads the pictures of README. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <expat.h>
#include <sys/mman.h>

#include "base/rng.h"
#include "sys/utf16.h"
#include "sys/xml.h"

/* What was seen, as text: "<name a=v>text<inside></>...". Of an element the text up to the next
 * tag. */
struct seen {
    struct w_buffer log;
    struct w_xml *xml;
    bool collects, doctype;
};

static void put(struct seen *s, const char *text)
{
    w_buffer_text(&s->log, text);
}

static void put_start(struct seen *s, const char *name, const char *const *attributes)
{
    put(s, "<");
    put(s, name);
    for (; *attributes; attributes += 2) {
        put(s, " ");
        put(s, attributes[0]);
        put(s, "=");
        size_t from = s->log.size;
        put(s, attributes[1]);
        for (size_t i = from; i < s->log.size; i++) /* expat does so */
            if (memchr("\t\n\r", s->log.at[i], 3))
                s->log.at[i] = ' ';
    }
    put(s, ">");
}

static enum w_status on_start(void *context, const char *name, const char *const *attributes,
                              struct w_err *err)
{
    struct seen *s = context;
    (void)err;
    put_start(s, name, attributes);
    w_xml_collect(s->xml, &s->log, 1 << 20);
    return name[0] == 'p' ? W_END : W_DONE; /* a pause changes nothing */
}

static enum w_status on_end(void *context, struct w_err *err)
{
    (void)err;
    put(context, "</>");
    return W_DONE;
}

/* Read all documents of some bytes. */
static enum w_status read_ours(struct seen *s, const void *bytes, size_t size, struct w_err *err)
{
    static const struct w_xml_handlers handlers = {on_start, on_end};
    struct w_input in = {.fd = memfd_create("xml", 0), .owned = true, .name = "xml"};
    struct w_unpack *unpack = NULL;

    assert_true(in.fd >= 0);
    assert_int_equal(write(in.fd, bytes, size), size);
    assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
    assert_int_equal(w_unpack_open(&unpack, &in, 1, err), W_DONE);
    assert_int_equal(w_xml_new(&s->xml, unpack, "test", &handlers, s, err), W_DONE);
    enum w_status status;
    while (!(status = w_xml_begin(s->xml, err))) {
        while (!(status = w_xml_run(s->xml, err)))
            ;
        if (status != W_END)
            break;
    }
    w_xml_free(s->xml);
    w_unpack_close(&unpack);
    w_input_close(&in);
    return status;
}

static void expat_start(void *context, const char *name, const char **attributes)
{
    struct seen *s = context;
    put_start(s, name, (const char *const *)attributes);
    s->collects = true;
}

static void expat_end(void *context, const char *name)
{
    struct seen *s = context;
    (void)name;
    put(s, "</>");
    s->collects = false;
}

static void expat_text(void *context, const char *text, int size)
{
    struct seen *s = context;
    if (s->collects)
        w_buffer_put(&s->log, text, (size_t)size);
}

static void expat_doctype(void *context, const char *name, const char *system, const char *public,
                          int internal)
{
    struct seen *s = context;
    (void)name, (void)system, (void)public, (void)internal;
    s->doctype = true;
}

static bool read_expat(struct seen *s, const u8 *bytes, size_t size)
{
    XML_Parser p = XML_ParserCreate(NULL);
    XML_SetUserData(p, s);
    XML_SetElementHandler(p, expat_start, expat_end);
    XML_SetCharacterDataHandler(p, expat_text);
    XML_SetStartDoctypeDeclHandler(p, expat_doctype);
    bool ok = XML_Parse(p, (const char *)bytes, (int)size, 1) == XML_STATUS_OK && !s->doctype;
    XML_ParserFree(p);
    return ok;
}

static void assert_same_if_accepted(const u8 *bytes, size_t size, bool *accepted)
{
    struct seen theirs = {0}, ours = {0};
    struct w_err err = {0};
    *accepted = read_expat(&theirs, bytes, size);
    enum w_status status = read_ours(&ours, bytes, size, &err);
    if (*accepted) {
        if (status != W_END || ours.log.size != theirs.log.size ||
            memcmp(ours.log.at, theirs.log.at, ours.log.size))
            fail_msg("%s\n%.*s\nours:   %.*s\nexpat:  %.*s\n", err.text, (int)size, bytes,
                     (int)ours.log.size, ours.log.at, (int)theirs.log.size, theirs.log.at);
    }
    w_buffer_free(&ours.log);
    w_buffer_free(&theirs.log);
}

/* ---- documents ---- */

static const char *pick(struct w_rng *rng, const char *const *from, size_t count)
{
    return from[w_rng_below(rng, count)];
}

static void make_text(struct w_buffer *out, struct w_rng *rng)
{
    static const char *const pieces[] = {"word ",      "&lt;b&gt;",
                                         "&amp;amp;",  "&quot;",
                                         "&#233;",     "&#x1F600;",
                                         "&#x000041;", "&#00000000000000065;",
                                         "&apos;",     "é",
                                         "中文 ",      "\xf0\x9f\x98\x80",
                                         "\r\n",       "\r",
                                         "\n\n",       "\t",
                                         "&#13;",      "<!-- a <b> -->",
                                         "<?php x?>",  "<![CDATA[<x>&amp;é]]>",
                                         "\"",         "'",
                                         "] ",         ">"};
    for (u64 n = w_rng_below(rng, 12); n > 0; n--)
        w_buffer_text(out, pick(rng, pieces, W_COUNTOF(pieces)));
}

static void make_element(struct w_buffer *out, struct w_rng *rng, unsigned depth)
{
    static const char *const starts[] = {
        "<page",           "<a:b", "<text xml:space=\"preserve\"", "<t a='1' b=\"&amp;'\"", "<é",
        "<p\n k = '&#65;'"};
    static const char *const ends[] = {"</page>", "</a:b>", "</text >", "</t\n>", "</é>", "</p>"};
    size_t which = (size_t)w_rng_below(rng, W_COUNTOF(starts));

    w_buffer_text(out, starts[which]);
    if (w_rng_below(rng, 5) == 0) {
        w_buffer_text(out, " />");
        return;
    }
    w_buffer_text(out, ">");
    make_text(out, rng);
    for (u64 n = depth < 5 ? w_rng_below(rng, 4) : 0; n > 0; n--) {
        make_element(out, rng, depth + 1);
        make_text(out, rng);
    }
    w_buffer_text(out, ends[which]);
}

static void make_document(struct w_buffer *out, struct w_rng *rng)
{
    static const char *const heads[] = {"", "<?xml version=\"1.0\"?>\n", "\xef\xbb\xbf",
                                        "<!-- c -->\n"};
    static const char *const tails[] = {"", "\n", "\n<!-- <x> -->\n", "<?p x?> "};
    out->size = 0;
    w_buffer_text(out, pick(rng, heads, W_COUNTOF(heads)));
    make_element(out, rng, 0);
    w_buffer_text(out, pick(rng, tails, W_COUNTOF(tails)));
}

static void what_expat_accepts_is_the_same(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 7};
    struct w_buffer document = {0};
    unsigned accepted_changes = 0;
    for (unsigned round = 0; round < 400; round++) {
        bool accepted;
        make_document(&document, &rng);
        assert_same_if_accepted(document.at, document.size, &accepted);
        assert_true(accepted);
        for (unsigned change = 0; change < 20; change++) {
            static const char bytes[] = "<>&;\"'/=!-[]? \n\rax\x80\xe4";
            size_t at = (size_t)w_rng_below(&rng, document.size);
            u8 before = document.at[at];
            document.at[at] = (u8)bytes[w_rng_below(&rng, sizeof bytes - 1)];
            assert_same_if_accepted(document.at, document.size, &accepted);
            accepted_changes += accepted;
            document.at[at] = before;
        }
    }
    assert_in_range(accepted_changes, 500, 7500); /* both kinds were seen */
    w_buffer_free(&document);
}

/* Text and tags across the borders of chunks. */
static void long_documents_are_the_same(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 8};
    struct w_buffer document = {0}, element = {0};
    bool accepted;
    w_buffer_text(&document, "<all>");
    while (document.size < 1500000) {
        element.size = 0;
        make_element(&element, &rng, 0);
        w_buffer_put(&document, element.at, element.size);
    }
    w_buffer_text(&document, "</all>");
    assert_same_if_accepted(document.at, document.size, &accepted);
    assert_true(accepted);
    w_buffer_free(&document);
    w_buffer_free(&element);
}

/* Line ends of two bytes everywhere, so that some are cut by a border between chunks. */
static void line_ends_across_borders_are_one(void **state)
{
    (void)state;
    for (unsigned odd = 0; odd < 2; odd++) {
        struct w_buffer document = {0};
        bool accepted;
        w_buffer_text(&document, odd ? "<a> " : "<a>");
        while (document.size < 900000)
            w_buffer_text(&document, "\r\n");
        w_buffer_text(&document, "</a>");
        assert_same_if_accepted(document.at, document.size, &accepted);
        assert_true(accepted);
        w_buffer_free(&document);
    }
}

/* ---- what is refused ---- */

static void refuses(const char *xml, size_t size, enum w_status expected, const char *word)
{
    struct seen s = {0};
    struct w_err err = {0};
    enum w_status status = read_ours(&s, xml, size, &err);
    if (status != expected || !strstr(err.text, word))
        fail_msg("%.60s...: status %d, \"%s\"", xml, status, err.text);
    w_buffer_free(&s.log);
}

static void what_is_broken_or_hostile_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        enum w_status status;
        const char *word;
    } cases[] = {
        {"", W_TRUNCATED, "empty"},
        {"   ", W_TRUNCATED, "empty"},
        {"no xml", W_CORRUPT, "is it XML"},
        {"<a>", W_TRUNCATED, "byte 3"},
        {"<a>text", W_TRUNCATED, "byte 7"},
        {"<a b='", W_TRUNCATED, "byte 6"},
        {"<a><!-- ", W_TRUNCATED, "byte 8"},
        {"<a></b>", W_CORRUPT, "byte 3"},
        {"</a>", W_CORRUPT, "match"},
        {"<a></a></a>", W_CORRUPT, "match"},
        {"<a></a>text", W_CORRUPT, "outside"},
        {"<a/><!-- c -->text", W_CORRUPT, "outside"},
        {"<a/> <!-- c", W_TRUNCATED, "byte 11"},
        {"<a/> <", W_TRUNCATED, "byte 6"},
        {"<!-- c --> <?p?>", W_TRUNCATED, "empty"},
        {"<a>&nbsp;</a>", W_CORRUPT, "byte 3"},
        {"<a>&lt</a>", W_CORRUPT, "cut short"},
        {"<a>&#0;</a>", W_CORRUPT, "reference"},
        {"<a>&#xD800;</a>", W_CORRUPT, "reference"},
        {"<a>&#x110000;</a>", W_CORRUPT, "reference"},
        {"<a>&#xFFFE;</a>", W_CORRUPT, "reference"},
        {"<a>&#;</a>", W_CORRUPT, "reference"},
        {"<a>&#x;</a>", W_CORRUPT, "reference"},
        {"<a>&#12f;</a>", W_CORRUPT, "reference"},
        {"<a>&#99999999;</a>", W_CORRUPT, "reference"},
        {"<a>&#xFFFE;</a>", W_CORRUPT, "reference"},
        {"<a>&#65535;</a>", W_CORRUPT, "reference"},
        {"<a>&#xDFFF;</a>", W_CORRUPT, "reference"},
        {"<a>\x01</a>", W_CORRUPT, "character"},
        {"<a>\xc3</a>", W_CORRUPT, "cut short"},
        {"<a>\xff</a>", W_CORRUPT, "UTF-8"},
        {"<a>\xc0\x80</a>", W_CORRUPT, "UTF-8"},
        {"<a>\xed\xa0\x80</a>", W_CORRUPT, "UTF-8"},
        {"<a>\xef\xbf\xbf</a>", W_CORRUPT, "UTF-8"},
        {"<a>\xef\xbf\xbe</a>", W_CORRUPT, "UTF-8"},
        {"<a><![CDATA[\xff]]></a>", W_CORRUPT, "UTF-8"},
        {"<a b>x</a>", W_CORRUPT, "well-formed"},
        {"<a b=c>x</a>", W_CORRUPT, "well-formed"},
        {"<a b='<'>x</a>", W_CORRUPT, "well-formed"},
        {"< a>x</a>", W_CORRUPT, "name"},
        {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", W_CORRUPT, "DTD"},
    };
    for (size_t i = 0; i < W_COUNTOF(cases); i++)
        refuses(cases[i].xml, strlen(cases[i].xml), cases[i].status, cases[i].word);
}

static void limits_hold(void **state)
{
    (void)state;
    const size_t size = 3 << 20;
    char *big = malloc(size);
    assert_non_null(big);
    for (unsigned kind = 0; kind < 4; kind++) {
        static const char *const begins[] = {"<", "<a b='", "<!--", "<a><![CDATA["};
        memset(big, 'x', size);
        memcpy(big, begins[kind], strlen(begins[kind]));
        refuses(big, size, W_LIMIT, "markup");
    }
    memset(big, 'x', size);
    memcpy(big, "<a>", 3);
    refuses(big, size, W_LIMIT, "1048576 bytes of text");
    for (size_t i = 0; i < 300; i += 3)
        memcpy(big + i, "<a>", 3);
    refuses(big, 300, W_LIMIT, "nested");
    free(big);
}

static void documents_follow_each_other(void **state)
{
    (void)state;
    static const char xml[] = "<a>1</a>\n\n<?xml version='1.0'?><b>2</b> <!-- <x> --><c/>"
                              "\n<!-- end -->\n<?end?> ";
    struct seen s = {0};
    struct w_err err = {0};
    assert_int_equal(read_ours(&s, xml, sizeof xml - 1, &err), W_END);
    assert_int_equal(s.log.size, 20);
    assert_memory_equal(s.log.at, "<a>1</><b>2</><c></>", 20);
    w_buffer_free(&s.log);
}

/* The same document in UTF-16 of both orders. */
static void utf16_is_converted(void **state)
{
    (void)state;
    static const u32 codes[] = {0xfeff,  '<', 'a', '>', 0xe9, 0x4e2d,
                                0x1f600, '<', '/', 'a', '>',  '\n'};
    for (unsigned big = 0; big < 2; big++) {
        u8 bytes[64];
        size_t size = 0;
        for (size_t i = 0; i < W_COUNTOF(codes); i++) {
            u32 code = codes[i], units[2] = {code, 0};
            if (code >= 0x10000) {
                units[0] = 0xd800 + ((code - 0x10000) >> 10);
                units[1] = 0xdc00 + ((code - 0x10000) & 0x3ff);
            }
            for (unsigned u = 0; u < 2 && units[u]; u++) {
                bytes[size++] = (u8)(big ? units[u] >> 8 : units[u]);
                bytes[size++] = (u8)(big ? units[u] : units[u] >> 8);
            }
        }
        struct seen s = {0};
        struct w_err err = {0};
        assert_int_equal(read_ours(&s, bytes, size, &err), W_END);
        assert_int_equal(s.log.size, 15);
        assert_memory_equal(s.log.at, "<a>é中\xf0\x9f\x98\x80</>", 15);
        w_buffer_free(&s.log);
    }
}

static void assert_well_formed(const char *path)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is not there", path);
    const size_t size = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_in_range(size, 1000, 100000); /* small enough to be kept with the sources */
    XML_Parser parser = XML_ParserCreate(NULL);
    if (XML_Parse(parser, text, (int)size, 1) != XML_STATUS_OK)
        fail_msg("%s, line %lu: %s", path, XML_GetCurrentLineNumber(parser),
                 XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
}

static void pictures_of_the_readme_are_well_formed(void **state)
{
    (void)state;
    char line[512], path[256];
    unsigned pictures = 0;
    FILE *f = fopen("README.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "![%*[^]]](%255[^)])", path) == 1) {
            assert_well_formed(path);
            pictures++;
        }
    fclose(f);
    assert_int_equal(pictures, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_expat_accepts_is_the_same),
        cmocka_unit_test(long_documents_are_the_same),
        cmocka_unit_test(line_ends_across_borders_are_one),
        cmocka_unit_test(what_is_broken_or_hostile_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(documents_follow_each_other),
        cmocka_unit_test(utf16_is_converted),
        cmocka_unit_test(pictures_of_the_readme_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
