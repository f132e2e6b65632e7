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

/* Which bytes of v are no ASCII letters: the top bit of each. A byte is a letter if, with the bit of
 * lower case set, it lies in 'a' to 'z'. Adding to the low seven bits of each byte carries into its
 * top bit exactly from a limit on, and never into the next byte. */
static inline u64 other_than_ascii_letters(u64 v)
{
    const u64 ones = 0x0101010101010101ull, tops = ones << 7;
    u64 low = (v | ones * 0x20) & ~tops;
    u64 from_a = low + ones * (0x80 - 'a'), behind_z = low + ones * (0x7f - 'z');

    return ~(from_a & ~behind_z & ~v) & tops;
}

/* The end of the ASCII letters from i on, eight at a time. */
static inline size_t skip_ascii_letters(const u8 *text, size_t i, size_t limit)
{
    for (; i + 8 <= limit; i += 8) {
        u64 others = other_than_ascii_letters(w_get64(text + i));
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

/* Where a word that begins at i < size has to end at the latest. */
static inline size_t word_limit(size_t i, size_t size)
{
    return size - i > W_WORD_BYTES_MAX ? i + W_WORD_BYTES_MAX : size;
}

/* ---- gpt2 and smollm: '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ ---- */

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

/* The end of white space that begins at i: \s+(?!\S)|\s+. The last character stays behind for the word
 * that follows, unless it is all there is. With numbers apart, a text ends before a number. */
static size_t gpt2_space(const u8 *text, size_t i, size_t limit, size_t size, bool numbers_apart)
{
    enum w_char_class class = W_CHAR_SPACE;
    size_t end = i, last = i, length;

    while (end < limit && (class = class_at(text + end, size - end, &length)) == W_CHAR_SPACE)
        last = end, end += length;
    bool at_end = end >= limit || (numbers_apart && class == W_CHAR_NUMBER);
    return !at_end && last > i ? last : end;
}

/* The end of the word that begins at i < size. */
static inline size_t gpt2_word(const u8 *text, size_t i, size_t size, bool numbers_apart)
{
    size_t limit = word_limit(i, size);
    size_t at = i + (text[i] == ' ' && i + 1 < size), length;
    enum w_char_class class = class_at(text + at, size - at, &length);

    /* One comparison for the most frequent word: letters, with or without a space. */
    if (class == W_CHAR_LETTER)
        return skip_class(W_CHAR_LETTER, text, at + length, limit, size);
    if (class == W_CHAR_SPACE)
        return gpt2_space(text, i, limit, size, numbers_apart);
    if (class == W_CHAR_NUMBER && numbers_apart)
        return at > i ? at : at + length;
    if (text[i] == '\'' && (length = contraction(text + i, size - i)) > 0)
        return i + length;
    return skip_class(class, text, at, limit, size);
}

/* ---- cl100k and qwen2: (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * [ ]?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ ---- */

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
static size_t gpt4_space(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t end = i, last = i, behind_newline = i, length;

    while (end < limit && class_at(text + end, size - end, &length) == W_CHAR_SPACE) {
        last = end, end += length;
        if (is_newline(text[last]))
            behind_newline = end;
    }
    if (behind_newline > i)
        return behind_newline;
    return end < limit && last > i ? last : end;
}

/* The end of the word that begins at i < size; a word has at most `digits` number characters. */
static inline size_t gpt4_word(const u8 *text, size_t i, size_t size, unsigned digits)
{
    size_t limit = word_limit(i, size), length, next_length;
    enum w_char_class class = class_at(text + i, size - i, &length), next_class = W_CHAR_SPACE;
    size_t next = i + length;

    if (class == W_CHAR_LETTER)
        return skip_class(W_CHAR_LETTER, text, next, limit, size);
    if (class == W_CHAR_NUMBER) {
        while (--digits && next < size &&
               class_at(text + next, size - next, &length) == W_CHAR_NUMBER)
            next += length;
        return next;
    }
    if (text[i] == '\'' && (length = any_contraction(text + i, size - i)) > 0)
        return i + length;
    if (next < size)
        next_class = class_at(text + next, size - next, &next_length);
    if (next_class == W_CHAR_LETTER && !is_newline(text[i]))
        return skip_class(W_CHAR_LETTER, text, next + next_length, limit, size);
    if (class == W_CHAR_OTHER || (text[i] == ' ' && next_class == W_CHAR_OTHER)) {
        size_t end = skip_class(W_CHAR_OTHER, text, next, limit, size);
        while (end < limit && is_newline(text[end]))
            end++;
        return end;
    }
    return gpt4_space(text, i, limit, size);
}

/* ---- the table of rules ---- */

/* One loop for each rule, so that the compiler makes each from its constants. */
#define DEFINE_WORDS(rule, word)                                                                   \
    static size_t rule##_words(const u8 *text, size_t size, size_t *ends, size_t room)             \
    {                                                                                              \
        size_t count = 0;                                                                          \
                                                                                                   \
        for (size_t i = 0; i < size && count < room; count++)                                      \
            ends[count] = i = (word);                                                              \
        return count;                                                                              \
    }
DEFINE_WORDS(gpt2, gpt2_word(text, i, size, false))
DEFINE_WORDS(cl100k, gpt4_word(text, i, size, 3))
DEFINE_WORDS(qwen2, gpt4_word(text, i, size, 1))
DEFINE_WORDS(smollm, gpt2_word(text, i, size, true))

static const struct rule {
    const char *name;
    size_t (*words)(const u8 *text, size_t size, size_t *ends, size_t room);
} rules[] = {
    [W_SPLIT_GPT2] = {"gpt2", gpt2_words},
    [W_SPLIT_CL100K] = {"cl100k", cl100k_words},
    [W_SPLIT_QWEN2] = {"qwen2", qwen2_words},
    [W_SPLIT_SMOLLM] = {"smollm", smollm_words},
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

/* ---- cutting ---- */

/* The last place between a visible ASCII character and a space, or 0: every rule ends a word there,
 * whatever comes before and after, since no word has white space behind anything visible other than
 * newlines. */
static size_t plain_cut(const u8 *text, size_t size)
{
    for (size_t i = size; i-- > 1;)
        if (text[i] == ' ' && text[i - 1] > ' ' && text[i - 1] < 0x7f)
            return i;
    return 0;
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
    size_t ends[256], at = 0, cut = plain_cut(text, size), count;

    if (cut > 0)
        return cut;
    /* No such place: split it all. A word is certain if everything that it could depend on is there,
     * or if it ends well before the end; but not in white space, of which more may follow. */
    while ((count = w_split_words(rule, text + at, size - at, ends, W_COUNTOF(ends))) > 0) {
        for (size_t i = 0; i < count; i++) {
            size_t start = at + (i ? ends[i - 1] : 0), end = at + ends[i];
            if (start + W_WORD_BYTES_MAX + LOOKAHEAD <= size ||
                (end + LOOKAHEAD <= size && !ends_in_space(text, end)))
                cut = end;
        }
        at += ends[count - 1];
    }
    return cut;
}
