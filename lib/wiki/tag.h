/* tag.h - the tags of wikitext: those of HTML and those of MediaWiki's extensions. Anything else in
 * angle brackets is text. */
#ifndef W_TAG_H
#define W_TAG_H

#include "wiki/span.h"

/* How a tag is rendered, or everything from it to its closing tag. */
enum w_tag_kind {
    W_TAG_INLINE, /* removed */
    W_TAG_BREAK,  /* the text goes on in a new line */
    W_TAG_LINE,   /* begins and ends a line: <li> */
    W_TAG_BLOCK,  /* begins and ends a paragraph: <p> */
    W_TAG_CELL,   /* of a table */
    W_TAG_SUP,    /* numbers become superscripts */
    W_TAG_SUB,    /* numbers become subscripts after other numbers */
    W_TAG_POEM,   /* lines stay lines until its end */
    /* From here on a kind is for everything up to the closing tag. */
    W_TAG_HIDDEN, /* left out, and may hold markup: <ref> */
    W_TAG_TABLE,  /* left out unless the options keep tables */
    /* From here on markup inside is text. */
    W_TAG_OPAQUE, /* left out: <gallery> */
    W_TAG_NOWIKI, /* kept as it is */
    W_TAG_PRE,    /* kept as it is, with its line ends */
    W_TAG_MATH,
};

#define W_TAGS_MAX 128

/* The number of a tag's name, less than W_TAGS_MAX; 0 if the name is that of no tag. */
u8 w_tag_find(struct w_span name);
enum w_tag_kind w_tag_kind(u8 tag);

/* A tag as it stands in the text. */
struct w_tag {
    size_t size; /* bytes from '<' to '>'; 0: not a tag */
    u8 tag;
    bool closing; /* </b> */
    bool empty;   /* <br/>; or </b x>, which closes nothing */
    bool hidden;  /* style="display:none" */
};

/* The tag that begins with the '<' at text[0]. A quoted value may hold '>' and '/', but no '<'
 * and no line end: a quote that is not closed ends with the tag. */
struct w_tag w_tag_parse(struct w_span text);

#endif
