/* markup.h - where the markup of a page begins and ends: the first of the three steps to its text.
 *
 * One pass finds every pair that encloses something - {{ }}, [[ ]], {| |}, <ref> </ref> - with a
 * stack of those that are open. The next step can skip a template, or look at its arguments,
 * without searching its end again; so the time for a page is linear in its size however it is
 * nested.
 *
 * A closing mark that has an opening mark closes it, and what is open inside ends there without
 * having been closed. A line end ends [http://...], the end of a paragraph [[links]], a heading
 * everything: so unclosed markup affects no more than that. Where more than W_MARKUP_DEPTH pairs
 * are open, the inner ones are text. */
#ifndef W_MARKUP_H
#define W_MARKUP_H

#include "base/status.h"
#include "wiki/tag.h"

#define W_MARKUP_DEPTH 64

enum w_markup_kind {
    W_MARKUP_TEMPLATE, /* {{name|...}} */
    W_MARKUP_ARGUMENT, /* {{{name|default}}} */
    W_MARKUP_LINK,     /* [[page|label]] */
    W_MARKUP_URL,      /* [http://... label] */
    W_MARKUP_TABLE,    /* {| ... |} */
    W_MARKUP_VARIANT,  /* -{ ... }- */
    W_MARKUP_ELEMENT,  /* <ref ...> ... </ref> */
    W_MARKUP_TAG,      /* <b>, </b>, <ref/> */
    W_MARKUP_COMMENT,  /* <!-- ... --> */
    W_MARKUP_NOTHING,  /* a place that braces reserved and did not use: empty and closed */
    W_MARKUP_KINDS
};

/* Offsets into the page, in bytes. */
struct w_markup {
    u32 begin, end;     /* from the first byte of the opening mark to the end of the closing one; 0
                           where it was not closed */
    u32 body, body_end; /* what the marks enclose; of a TAG and a COMMENT the body is its end */
    u32 next;           /* index of the first markup after it */
    u8 kind;            /* enum w_markup_kind */
    u8 tag;             /* TAG, ELEMENT: see tag.h */
    bool closing;       /* TAG: </b> */
};

struct w_markup_list {
    struct w_markup *items; /* in the order of begin; after the last one, one at UINT32_MAX */
    u32 count;
    size_t room;
};

/* Find the markup of a page of less than 4 GiB; replaces the list. variants: -{ }- is markup, as in
 * wikis that convert between scripts; elsewhere it is text. Fails with W_NOMEM. */
enum w_status w_markup_scan(struct w_markup_list *, struct w_span page, bool variants,
                            struct w_err *) W_MUST_CHECK;
void w_markup_free(struct w_markup_list *);

#endif
