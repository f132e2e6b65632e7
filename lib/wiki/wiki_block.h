/* wiki_block.h - write a document: as a line of JSON, as WikiExtractor's block, or as plain
 * text. */
#ifndef W_WIKI_BLOCK_H
#define W_WIKI_BLOCK_H

#include "wiki/span.h"

enum w_wiki_form {
    W_WIKI_JSONL,  /* {"id":"12","url":"...","title":"...","text":"..."} */
    W_WIKI_BLOCKS, /* <doc id="12" url="..." title="...">, title, empty line, text, </doc> */
    W_WIKI_PLAIN,  /* the text and a separator */
};

struct w_wiki_style {
    enum w_wiki_form form;
    const char *address;   /* the url without the id at its end; "": none is written */
    const char *separator; /* plain: after each text */
    bool with_title;       /* jsonl and plain: the title and an empty line begin the text */
};

/* Append a document, whose title and text are valid UTF-8. Memory that was missing sets
 * out->failed, here and below. */
void w_wiki_block_add(struct w_buffer *out, const struct w_wiki_style *, u64 id,
                      struct w_span title, struct w_span text);

/* Append the inside of a JSON string that stands for a text. */
void w_wiki_json_text(struct w_buffer *out, struct w_span text);

/* Append whole lines of the inside of a block: one that would end it gets a blank before it. */
void w_wiki_block_text(struct w_buffer *out, struct w_span lines);

#endif
