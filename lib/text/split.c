#include "text/split.h"

#include <string.h>

#include "text/unicode.h"

/* How far behind a word's end a rule looks: the rest of a character that began before
 * W_WORD_BYTES_MAX, a last white-space character left behind, and one character more. */
#define LOOKAHEAD 16

/* Classes of the ASCII bytes; the others have to be decoded. */
#define L W_CHAR_LETTER
#define N W_CHAR_NUMBER
#define S W_CHAR_SPACE
static const u8 ascii_class[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S, S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, N, N, N, N, N, N, N, N, N, N, 0, 0, 0, 0, 0, 0,
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0,
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0,
};
#undef L
#undef N
#undef S

/* Class and length of the character at p. */
static inline enum w_char_class class_at(const u8 *p, size_t left, size_t *length)
{
    u32 code;

    *length = 1;
    if (*p < 0x80)
        return ascii_class[*p];
    size_t n = w_utf8_decode(p, left, &code);
    if (n == 0)
        return W_CHAR_OTHER;
    *length = n;
    return w_char_class(code);
}

/* The end of the ASCII letters from i on, eight at a time: a byte is one if, with the bit of lower
 * case set, it lies in 'a' to 'z'. Adding to the low seven bits of each byte carries into its top
 * bit exactly from a limit on, and never into the next byte. */
static inline size_t skip_ascii_letters(const u8 *text, size_t i, size_t limit)
{
    const u64 ones = 0x0101010101010101ull, tops = ones << 7;

    for (; i + 8 <= limit; i += 8) {
        u64 v = w_get64(text + i), low = (v | ones * 0x20) & ~tops;
        u64 from_a = low + ones * (0x80 - 'a'), behind_z = low + ones * (0x7f - 'z');
        u64 others = ~(from_a & ~behind_z & ~v) & tops;
        if (others)
            return i + (size_t)__builtin_ctzll(others) / 8;
    }
    while (i < limit && text[i] < 0x80 && ascii_class[text[i]] == W_CHAR_LETTER)
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

/* The end of white space that begins at i. */
static size_t gpt2_space(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t end = i, last = i, length;

    while (end < limit && class_at(text + end, size - end, &length) == W_CHAR_SPACE)
        last = end, end += length;
    /* The last one stays behind for the word that follows, unless it is all there is. */
    return end < limit && last > i ? last : end;
}

/* The end of the word that begins at i < size. */
static inline size_t gpt2_word(const u8 *text, size_t i, size_t size)
{
    size_t limit = size - i > W_WORD_BYTES_MAX ? i + W_WORD_BYTES_MAX : size;
    size_t at = i + (text[i] == ' ' && i + 1 < size), length;
    enum w_char_class class = class_at(text + at, size - at, &length);

    /* One comparison for the most frequent word: letters, with or without a space. */
    if (class == W_CHAR_LETTER)
        return skip_class(W_CHAR_LETTER, text, at + length, limit, size);
    if (class == W_CHAR_SPACE)
        return gpt2_space(text, i, limit, size);
    if (text[i] == '\'' && (length = contraction(text + i, size - i)) > 0)
        return i + length;
    return skip_class(class, text, at, limit, size);
}

static size_t gpt2_words(const u8 *text, size_t size, size_t *ends, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < size && count < room; count++)
        ends[count] = i = gpt2_word(text, i, size);
    return count;
}

/* Between a visible ASCII character and an ASCII space, words end whatever comes before and after:
 * no word of this rule has white space behind anything else. */
static size_t gpt2_cut(const u8 *text, size_t size)
{
    for (size_t i = size; i-- > 1;)
        if ((text[i] == ' ' || text[i] == '\n') && text[i - 1] > ' ' && text[i - 1] < 0x7f)
            return i;
    return 0;
}

/* ---- the table of rules ---- */

struct rule {
    const char *name;
    size_t (*words)(const u8 *text, size_t size, size_t *ends, size_t room);
    size_t (*cut)(const u8 *text, size_t size); /* cheaply, or 0 */
};

static const struct rule rules[] = {
    [W_SPLIT_GPT2] = {"gpt2", gpt2_words, gpt2_cut},
};

const char *w_split_name(enum w_split rule)
{
    return rules[rule].name;
}

bool w_split_find(const char *name, enum w_split *rule)
{
    for (unsigned i = 0; i < W_COUNTOF(rules); i++)
        if (!strcmp(rules[i].name, name)) {
            *rule = i;
            return true;
        }
    return false;
}

size_t w_split_words(enum w_split rule, const u8 *text, size_t size, size_t *ends, size_t room)
{
    return rules[rule].words(text, size, ends, room);
}

/* Is the character that ends at `end` white space? */
static bool ends_in_space(const u8 *text, size_t end)
{
    size_t start = end - 1, length;

    while (start > 0 && end - start < 4 && (text[start] & 0xC0) == 0x80)
        start--;
    return class_at(text + start, end - start, &length) == W_CHAR_SPACE;
}

size_t w_split_cut(enum w_split rule, const u8 *text, size_t size)
{
    size_t ends[256], at = 0, cut = rules[rule].cut(text, size), count;

    if (cut > 0)
        return cut;
    /* No such place: split it all, and trust a word that ends well before the end. White space is no
     * place for a cut, since how much of it is a word depends on what follows. */
    while ((count = w_split_words(rule, text + at, size - at, ends, W_COUNTOF(ends))) > 0) {
        for (size_t i = 0; i < count; i++) {
            size_t word_size = ends[i] - (i ? ends[i - 1] : 0);
            if (at + ends[i] + LOOKAHEAD <= size &&
                (word_size >= W_WORD_BYTES_MAX || !ends_in_space(text, at + ends[i])))
                cut = at + ends[i];
        }
        at += ends[count - 1];
    }
    return cut;
}
