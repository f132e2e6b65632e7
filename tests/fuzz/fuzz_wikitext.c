/* Any bytes as a page: some text, of bounded size, in bounded time; valid UTF-8 if the page was.
 * The first byte chooses the options. The mutator puts pieces of markup in, which nobody finds by
 * chance. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "wiki/wikitext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

static const char *const pieces[] = {
    "{{",
    "}}",
    "{{{",
    "}}}",
    "[[",
    "]]",
    "|",
    "=",
    "[http://a ",
    "]",
    "{|",
    "\n{|",
    "\n|-",
    "\n|}",
    "\n| ",
    "||",
    "\n! ",
    "!!",
    "{{!}}",
    "{{nowrap|",
    "{{lang|en|",
    "{{convert|1|",
    "{{hlist|a|",
    "{{quote|\n*",
    "{{val|1|e=",
    "{{val|1.5e3|2|-3|u=m2|up=s-1",
    "{{convert|6|ft|2|in|m|2",
    "{{coord|1|2|N|3|E",
    "{{coord|1.5|-2",
    "{{music|flat",
    "{{zh|s=a|t=b|p=c",
    "{{langx|de|",
    "{{lang-ru|a|b",
    "{{Template:tmath|x^2",
    "{{date|1|2|3",
    "{{unité|1234.5|m|2",
    "{{unité|1e5|",
    "{{Louis XIV}}",
    "{{1er mai}}",
    "{{2e|",
    "{{DEU|#",
    "{{Coordinate|text=DMS|NS=1.5|EW=1/2/3/W",
    "[[X:a.png|9px|",
    "{{birth date|1|2|",
    "{{lc:",
    "{{PAGENAME}}",
    "{{cite|",
    "File:",
    "File:a|",
    "Category:",
    "de:",
    "<ref>",
    "</ref>",
    "<ref name=\"",
    "/>",
    "<ref ",
    "<br>",
    "<sup>",
    "1",
    "</sup>",
    "<poem>",
    "</poem>",
    "<nowiki>",
    "</nowiki>",
    "<pre>",
    "</pre>",
    "<math>",
    "</math>",
    "<table>",
    "<td>",
    "</table>",
    "<span style=\"display:none\">",
    "<span>",
    "</span>",
    "<!--",
    "-->",
    "<b",
    ">",
    "\"",
    "'",
    "''",
    "'''",
    "'''''",
    "\n",
    "\n\n",
    "\n== ",
    " ==",
    "\n=",
    "== References ==\n",
    "\n* ",
    "\n; ",
    ":",
    "\n ",
    "----",
    "&amp;",
    "&nbsp;",
    "&#x41;",
    "__TOC__",
    "__",
    "-{",
    "}-",
    ";",
    "zh:",
    "(",
    ")",
    ",",
    ".",
    " ",
    "a",
    "\xC2\xA0",
    "\xC3\xA9",
    "\xE4\xB8\x80",
    "\xF0\x9F\x98\x80",
    "\x01",
    "\x06",
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    const char *piece = pieces[seed / 2 % W_COUNTOF(pieces)];
    size_t length = strlen(piece), at = size ? seed / 256 % (size + 1) : 0;

    if (seed % 2 == 0 || room - size < length)
        return LLVMFuzzerMutate(data, size, room);
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, piece, length);
    return size + length;
}

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void render(unsigned flags, const uint8_t *page, size_t size)
{
    struct w_wikitext_options options = {
        .headings = flags & 3 ? (enum w_wiki_headings)((flags & 3) - 1) : W_HEADINGS_PLAIN,
        .math = flags & 4 ? "" : NULL,
        .item = flags & 8 ? "- " : NULL,
        .sections = flags & 16 ? "" : NULL,
        .tables = flags & 32,
    };
    static const char *const languages[] = {"en", "zh", "fr", "de"};
    static struct w_wiki_site *sites[W_COUNTOF(languages)];
    static struct w_inline_table *tables[W_COUNTOF(languages)];
    const unsigned language = flags >> 6 & 3;
    struct w_wikitext *r = NULL;
    struct w_err err = {0};
    struct w_span text;

    if (!tables[language] &&
        (w_wiki_site_new(&sites[language], &err) ||
         w_wiki_site_set_language(sites[language], w_span_of(languages[language]), &err) ||
         w_inline_table_new(&tables[language], sites[language], &err)))
        abort();
    options.site = sites[language];
    options.inlines = tables[language];
    double start = cpu_s();
    if (w_wikitext_new(&r, &options, &err) ||
        w_wikitext_render(r, W_SPAN("Title"), (struct w_span){page, size}, &text, &err))
        abort();
    /* The longest name of a country, for {{SGS}}, has six times as many bytes. */
    if (text.size > 8 * size + 256)
        abort();
    if (w_utf8_valid(page, size) && !w_utf8_valid(text.at, text.size))
        abort();
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < ' ' && text.at[i] != '\n' && text.at[i] != '\t')
            abort();
    /* Ten times what the slowest page takes under sanitizers; were time quadratic, a page that is
     * one piece again and again would take minutes. */
    if (cpu_s() - start > 2 + 2e-5 * (double)size)
        abort();
    w_wikitext_free(r);
}

/* The same again and again, which shows what is not linear. */
static void render_repeated(unsigned flags, const uint8_t *page, size_t size)
{
    enum { BYTES = 1 << 16 };
    static uint8_t many[BYTES];

    for (size_t at = 0; at < BYTES; at++)
        many[at] = page[at % size];
    render(flags, many, BYTES / size * size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned count;

    if (size < 2)
        return 0;
    render(data[0], data + 1, size - 1);
    if (size < 64 && count++ % 16 == 0)
        render_repeated(data[0], data + 1, size - 1);
    return 0;
}
