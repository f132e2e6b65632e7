/* span.h - a view of text that is owned elsewhere, and the few operations on it.
 *
 * Letters are compared and changed as ASCII; other bytes are themselves, but for the first letter
 * of a name. */
#ifndef W_SPAN_H
#define W_SPAN_H

#include "base/buffer.h"

struct w_span {
    const u8 *at;
    size_t size; /* bytes */
};

/* A string literal as a span. */
#define W_SPAN(literal) ((struct w_span){(const u8 *)(literal), sizeof(literal) - 1})

struct w_span w_span_of(const char *text);          /* NULL gives the empty span */
struct w_span w_span_trim(struct w_span);           /* without space, tab and line ends around it */
struct w_span w_span_unmarked(struct w_span);       /* without a byte order mark at its start */
bool w_span_is(struct w_span, struct w_span other); /* byte for byte */
bool w_span_is_word(struct w_span, struct w_span other); /* in any case, '_' as a space */

/* The first letter of a name may be of either case in MediaWiki. For one of two bytes, in Latin-1,
 * Greek and Cyrillic, the code of its small form; 0 for any other. */
u32 w_first_letter(struct w_span);
bool w_span_is_name(struct w_span, struct w_span other); /* as a word, but for that letter */

/* The rest of a text from an offset on. */
static inline struct w_span w_span_from(struct w_span s, size_t offset)
{
    return (struct w_span){s.at + offset, s.size - offset};
}

static inline void w_buffer_span(struct w_buffer *b, struct w_span s)
{
    w_buffer_put(b, s.at, s.size);
}

static inline bool w_is_blank(u8 c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool w_is_digit(u8 c)
{
    return c >= '0' && c <= '9';
}

static inline bool w_is_letter(u8 c)
{
    return (u8)((c | 0x20) - 'a') < 26;
}

static inline u8 w_lower(u8 c)
{
    return (u8)(c - 'A') < 26 ? (u8)(c | 0x20) : c;
}

#endif
