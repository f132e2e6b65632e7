/* split_chars.h - characters and runs of them, for the words of splitting rules: split.c and
 * split_kinds.c alone. */
#ifndef W_SPLIT_CHARS_H
#define W_SPLIT_CHARS_H

#include "base/utf8.h"
#include "text/split.h"
#include "text/unicode.h"

/* Kinds of the ASCII characters; others have to be decoded. */
#define L W_KIND_LOWER
#define U W_KIND_UPPER
#define N W_KIND_NUMBER
#define S W_KIND_SPACE
#define P W_KIND_PUNCTUATION
#define Y W_KIND_SYMBOL
static const u8 ascii_kind[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S, S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, P, P, P, Y, P, P, P, P, P, P, Y, P, P, P, P, N, N, N, N, N, N, N, N, N, N, P, P, Y, Y, Y, P,
    P, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, P, P, P, Y, P,
    Y, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, Y, P, Y, 0,
};
#undef L
#undef U
#undef N
#undef S
#undef P
#undef Y

/* Kind and length of the character at p. */
static inline enum w_char_kind kind_at(const u8 *p, size_t left, size_t *length)
{
    u32 code;

    *length = 1;
    if (*p < 0x80)
        return ascii_kind[*p];
    size_t n = w_utf8_decode(p, left, &code);
    if (n == 0)
        return W_KIND_NONE;
    *length = n;
    return w_char_kind(code);
}

static inline enum w_char_class class_at(const u8 *p, size_t left, size_t *length)
{
    return w_char_class_of(kind_at(p, left, length));
}

/* ---- eight bytes at a time ---- */

#define ONES 0x0101010101010101ull
#define TOPS (ONES << 7)

/* Which of eight bytes, of seven bits each, are at least c: the top bit of each. Adding carries
 * into a byte's top bit exactly from c on, and never into the next byte. */
static inline u64 at_least(u64 bytes, u8 c)
{
    return bytes + ONES * (u8)(0x80 - c);
}

/* Which are letters: those that lie in 'a' to 'z' with the bit of lower case set. */
static inline u64 letters_of(u64 bytes)
{
    return at_least(bytes | ONES * 0x20, 'a') & ~at_least(bytes | ONES * 0x20, 'z' + 1);
}

/* The end of the ASCII letters from i on, eight at a time. */
static inline size_t skip_ascii_letters(const u8 *text, size_t i, size_t limit)
{
    for (; i + 8 <= limit; i += 8) {
        u64 v = w_get64(text + i), others = (~letters_of(v & ~TOPS) | v) & TOPS;
        if (others)
            return i + (size_t)__builtin_ctzll(others) / 8;
    }
    while (i < limit && text[i] < 0x80 && w_char_class_of(ascii_kind[text[i]]) == W_CHAR_LETTER)
        i++;
    return i;
}

/* The end of the characters of a class from i on. */
static inline size_t skip_class(enum w_char_class class, const u8 *text, size_t i, size_t limit,
                                size_t size)
{
    size_t length;

    while (i < limit) {
        if (class == W_CHAR_LETTER) {
            i = skip_ascii_letters(text, i, limit);
            if (i >= limit || text[i] < 0x80)
                break;
        }
        if (class_at(text + i, size - i, &length) != class)
            break;
        i += length;
    }
    return i;
}

/* Where a word that begins at i < size has to end at the latest. */
static inline size_t word_limit(size_t i, size_t size)
{
    return size - i > W_WORD_BYTES_MAX ? i + W_WORD_BYTES_MAX : size;
}

/* ---- what several rules have ---- */

/* The length of 's 'd 'm 't 'll 've 're at p, or 0. */
static inline size_t contraction(const u8 *p, size_t left)
{
    if (left >= 2 && (p[1] == 's' || p[1] == 'd' || p[1] == 'm' || p[1] == 't'))
        return 2;
    if (left >= 3 && ((p[1] == 'l' && p[2] == 'l') || (p[1] == 'v' && p[2] == 'e') ||
                      (p[1] == 'r' && p[2] == 'e')))
        return 3;
    return 0;
}

static inline bool is_newline(u8 byte)
{
    return byte == '\n' || byte == '\r';
}

/* The length of a contraction of any case at p, or 0. */
static inline size_t any_contraction(const u8 *p, size_t left)
{
    u8 lower[3] = {p[0], left > 1 ? p[1] | 0x20 : 0, left > 2 ? p[2] | 0x20 : 0};

    if (left >= 3 && p[1] == 0xc5 && p[2] == 0xbf) /* U+017F folds to s */
        return 3;
    return contraction(lower, left);
}

/* The end of white space that begins at i: \s*[\r\n]+|\s+(?!\S)|\s+. */
static inline size_t gpt4_space(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t end = i, last = i, after_newline = i, length;

    while (end < limit && class_at(text + end, size - end, &length) == W_CHAR_SPACE) {
        last = end, end += length;
        if (is_newline(text[last]))
            after_newline = end;
    }
    if (after_newline > i)
        return after_newline;
    return end < limit && last > i ? last : end;
}

/* The end of the word that begins at i < size, by the rules o200k, deepseek and falcon. */
size_t w_kind_word(enum w_split rule, const u8 *text, size_t i, size_t size);

#endif
