/* The patterns are written out as code, in two forms. word_end() finds the end of one word by
 * the classes of its characters and handles every case; the rules that need kinds of characters
 * have theirs in split_kinds.c. split_words() takes 64 bytes of ASCII at a time: from masks with
 * one bit a byte it computes where words begin, and leaves to word_end() the words at bytes that
 * the masks do not decide. Both read a byte a bounded number of times: linear.
 *
 * Masks are made, and places written, in two ways with the same result: on any CPU, and with
 * AVX-512, which splits 1.4 times as fast (by gpt2 2,400 instead of 1,700 MB/s of text in L2, Intel
 * Xeon). The first way compiled for AVX2 and BMI2 gained 3 %, and was dropped. */
#include "text/split.h"

#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

#include "base/lanes.h"
#include "text/split_chars.h"

/* How far after a word's end a rule looks: the rest of a character that began before
 * W_WORD_BYTES_MAX, a last white-space character that is left to the next word, and one character
 * more. */
#define LOOKAHEAD 16

/* ---- gpt2 and smollm: '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * ---- */

/* The end of white space that begins at i: \s+(?!\S)|\s+. The last character is left to the word
 * that follows, unless it is the only one. With numbers_apart, a number counts as the end of the
 * text. */
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

/* ---- sixty-four bytes at a time ---- */

/* Most text is ASCII. There the starts of words are computed for a block of bytes at once, from one
 * bit a byte, without a branch for each word and without waiting for the end of one to begin the
 * next. */
#define BLOCK 64

/* A bit for each byte of a block. */
struct block {
    u64 letters, numbers, others; /* ASCII; others are neither these nor white space */
    u64 quotes;                   /* others that may begin a contraction */
    u64 upper, slashes, controls; /* letters; others */
    u64 spaces, newlines, whites; /* U+0020; white space of any kind */
    u64 hard;                     /* not ASCII */
};

/* Inlined for each rule, which leaves out the bits that it does not use. */
static inline __attribute__((always_inline)) struct block look_at_block(const u8 *text)
{
    struct block b = {0};

#pragma GCC unroll 4
    for (unsigned i = 0; i < BLOCK; i += W_LANES) {
        w_lanes c = w_lanes_load(text + i), lower = c | 0x20;
        b.letters |= w_lanes_bits(w_lanes_within(lower, 'a', 'z')) << i;
        b.numbers |= w_lanes_bits(w_lanes_within(c, '0', '9')) << i;
        b.quotes |= w_lanes_bits((w_lanes)(c == '\'')) << i;
        b.upper |= w_lanes_bits(w_lanes_within(c, 'A', 'Z')) << i;
        b.slashes |= w_lanes_bits((w_lanes)(c == '/')) << i;
        b.controls |= w_lanes_bits((w_lanes)(c < ' ') | (w_lanes)(c == 0x7f)) << i;
        b.spaces |= w_lanes_bits((w_lanes)(c == ' ')) << i;
        b.newlines |= w_lanes_bits((w_lanes)((c == '\n') | (c == '\r'))) << i;
        b.whites |= w_lanes_bits((w_lanes)(c == ' ') | w_lanes_within(c, '\t', '\r')) << i;
        b.hard |= w_lanes_bits(c) << i;
    }
    b.controls &= ~b.whites;
    b.others = ~(b.letters | b.numbers | b.whites | b.hard);
    return b;
}

/* Where runs of a class begin. */
static inline u64 runs(u64 class)
{
    return class & ~(class << 1);
}

/* Where runs end. The byte after the last bit is not known: bit 63 may be wrong. */
static inline u64 lasts(u64 class)
{
    return class & ~(class >> 1);
}

/* Where words begin: where a run of a class does, and at the last character of a run of white
 * space. If that is a space, it joins the word that follows. */
static inline u64 gpt2_starts(const struct block *b, bool numbers_apart)
{
    u64 last = lasts(b->whites) & (numbers_apart ? ~(b->numbers >> 1) : ~0ull);
    u64 starts = runs(b->letters) | runs(b->numbers) | runs(b->others) | runs(b->whites) | last;

    return (numbers_apart ? starts | b->numbers : starts) & ~((last & b->spaces) << 1);
}

/* The same, but a space does not join numbers; newlines belong to others before them; and a single
 * character, space or tab or other, joins letters. */
static inline u64 gpt4_starts(const struct block *b, unsigned digits)
{
    u64 blanks = b->whites & ~b->newlines, last = lasts(blanks);
    u64 lone = runs(b->others) & lasts(b->others) & ~(b->spaces << 1);
    u64 starts = runs(b->letters) | runs(b->others) | runs(blanks) | last |
                 (runs(b->newlines) & ~(b->others << 1));

    return (starts & ~((last & b->spaces) << 1 & b->others) & ~((last | lone) << 1 & b->letters)) |
           (digits == 1 ? b->numbers : runs(b->numbers));
}

/* Quotes that begin a word and may begin a contraction. */
static inline u64 contractions(const struct block *b)
{
    return b->quotes & ~(b->others << 1) & ~(b->spaces << 1) & b->letters >> 1;
}

/* What gpt4_starts() does not handle: newlines beside other white space, and more than three
 * numbers. */
static inline u64 gpt4_hard(const struct block *b, unsigned digits)
{
    u64 blanks = b->whites & ~b->newlines, n = b->numbers;

    return (b->newlines & (blanks << 1 | blanks >> 1)) |
           (digits == 1 ? 0 : n & n << 1 & n << 2 & n << 3);
}

static inline size_t count_bits(u64 bits)
{
    bits -= bits >> 1 & 0x5555555555555555ull;
    bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
    return ((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0full) * ONES >> 56;
}

/* Write the places of the bits of `starts`, which is not 0; returns how many. Writes in groups of
 * sixteen, so up to fifteen more: few blocks have more words than that, and the number of groups is
 * easy to predict. */
static inline size_t put_places(u64 starts, size_t base, size_t *ends)
{
    size_t count = count_bits(starts);

    for (size_t n = 0; n < count; n += 16)
#pragma GCC unroll 16
        for (size_t k = 0; k < 16; k++, starts &= starts - 1)
            ends[n + k] = base + (size_t)__builtin_ctzll(starts | 1ull << 63);
    return count;
}

/* The two for an instruction set. */
struct way {
    struct block (*look_at_block)(const u8 *text);
    size_t (*put_places)(u64 starts, size_t base, size_t *ends);
};

#if defined __x86_64__
/* ---- the same with AVX-512 ---- */

#define AVX512 __attribute__((target("avx512bw,avx512vbmi2,popcnt")))

AVX512 static inline __attribute__((always_inline)) u64 equal(__m512i bytes, char c)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(c));
}

AVX512 static inline __attribute__((always_inline)) u64 within(__m512i bytes, char first, char last)
{
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8((char)(last - first)));
}

AVX512 static inline __attribute__((always_inline)) struct block look_at_block_avx512(
    const u8 *text)
{
    const __m512i c = _mm512_loadu_si512(text);
    struct block b = {.numbers = within(c, '0', '9'),
                      .quotes = equal(c, '\''),
                      .upper = within(c, 'A', 'Z'),
                      .slashes = equal(c, '/'),
                      .spaces = equal(c, ' '),
                      .newlines = equal(c, '\n') | equal(c, '\r'),
                      .hard = _mm512_movepi8_mask(c)};

    b.letters = b.upper | within(c, 'a', 'z');
    b.whites = b.spaces | within(c, '\t', '\r');
    b.controls = (within(c, 0, ' ' - 1) | equal(c, 0x7f)) & ~b.whites;
    b.others = ~(b.letters | b.numbers | b.whites | b.hard);
    return b;
}

AVX512 static inline __attribute__((always_inline)) size_t put_places_avx512(u64 starts,
                                                                             size_t base,
                                                                             size_t *ends)
{
    static const u8 numbers[BLOCK] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i bases = _mm512_set1_epi64((long long)base);
    const size_t count = (size_t)__builtin_popcountll(starts);
    __m512i left = _mm512_maskz_compress_epi8(starts, _mm512_loadu_si512(numbers));

    for (size_t n = 0; n < count; n += 16) {
        const __m128i next = _mm512_castsi512_si128(left);
        const __m512i first = _mm512_cvtepu8_epi64(next);
        const __m512i second = _mm512_cvtepu8_epi64(_mm_srli_si128(next, 8));
        _mm512_storeu_si512(ends + n, _mm512_add_epi64(bases, first));
        _mm512_storeu_si512(ends + n + 8, _mm512_add_epi64(bases, second));
        left = _mm512_alignr_epi32(left, left, 4);
    }
    return count;
}
#endif

/* ---- the rules ---- */

static const char *const names[] = {
    [W_SPLIT_GPT2] = "gpt2",     [W_SPLIT_CL100K] = "cl100k", [W_SPLIT_QWEN2] = "qwen2",
    [W_SPLIT_SMOLLM] = "smollm", [W_SPLIT_O200K] = "o200k",   [W_SPLIT_DEEPSEEK] = "deepseek",
    [W_SPLIT_FALCON] = "falcon",
};

/* The end of the word that begins at i < size. */
static inline size_t word_end(enum w_split rule, const u8 *text, size_t i, size_t size)
{
    switch (rule) {
    case W_SPLIT_CL100K: return gpt4_word(text, i, size, 3);
    case W_SPLIT_QWEN2: return gpt4_word(text, i, size, 1);
    case W_SPLIT_O200K:
    case W_SPLIT_DEEPSEEK:
    case W_SPLIT_FALCON: return w_kind_word(rule, text, i, size);
    default: return gpt2_word(text, i, size, rule == W_SPLIT_SMOLLM);
    }
}

/* The same for o200k: an upper-case letter after a lower-case one begins a word; quotes may belong
 * to the letters before them, and slashes to newlines before them. */
static inline u64 o200k_starts(const struct block *b, u64 *hard)
{
    u64 lower = b->letters & ~b->upper;

    *hard =
        b->hard | gpt4_hard(b, 3) | (b->quotes & b->letters << 1) | (b->slashes & b->newlines << 1);
    return gpt4_starts(b, 3) | (b->upper & lower << 1);
}

/* For deepseek: white space before a number keeps its last character; controls are left to
 * word_end(). */
static inline u64 deepseek_starts(const struct block *b, u64 *hard)
{
    u64 kept = lasts(b->whites & ~b->newlines) & b->numbers >> 1;

    *hard = b->hard | gpt4_hard(b, 3) | b->controls;
    return gpt4_starts(b, 3) & ~(kept & ~runs(b->whites & ~b->newlines));
}

/* Where words begin in a block, and the bytes whose words are left to word_end(). */
static inline u64 block_starts(enum w_split rule, const struct block *b, u64 *hard)
{
    *hard = b->hard | contractions(b);
    switch (rule) {
    case W_SPLIT_O200K: return o200k_starts(b, hard);
    case W_SPLIT_DEEPSEEK: return deepseek_starts(b, hard);
    case W_SPLIT_CL100K: *hard |= gpt4_hard(b, 3); return gpt4_starts(b, 3);
    case W_SPLIT_QWEN2: *hard |= gpt4_hard(b, 1); return gpt4_starts(b, 1);
    default: return gpt2_starts(b, rule == W_SPLIT_SMOLLM);
    }
}

/* In a block the starts before the first hard byte are known, except at the byte next to it, which
 * depends on it. Words that touch the hard byte are split one by one. Inlined for each rule and
 * way, so that the compiler specializes it. */
static inline __attribute__((always_inline)) size_t split_words(struct way way, enum w_split rule,
                                                                const u8 *text, size_t size,
                                                                size_t *ends, size_t room)
{
    size_t count = 0, i = 0, enough = room < 2 * BLOCK ? room : room - BLOCK;

    while (i < size && count < enough) {
        size_t one_by_one = i; /* words that begin up to here */
        if (rule != W_SPLIT_FALCON && size - i >= BLOCK && room - count >= BLOCK &&
            !(w_get64(text + i) & TOPS)) {
            struct block b = way.look_at_block(text + i);
            u64 hard, starts = block_starts(rule, &b, &hard);
            u64 stop = hard | 1ull << 63, before_stop = (stop & -stop) - 1;
            starts &= before_stop >> 1 & ~1ull;
            if (hard)
                one_by_one += (size_t)__builtin_ctzll(hard);
            if (starts) {
                count += way.put_places(starts, i, ends + count);
                /* not from `ends`: the next block does not wait for it */
                i += 63 - (size_t)__builtin_clzll(starts);
            }
        }
        while (i <= one_by_one && i < size && count < enough)
            ends[count++] = i = word_end(rule, text, i, size);
    }
    return count;
}

static inline __attribute__((always_inline)) size_t split_by(struct way way, enum w_split rule,
                                                             const u8 *text, size_t size,
                                                             size_t *ends, size_t room)
{
    switch (rule) {
    case W_SPLIT_GPT2: return split_words(way, W_SPLIT_GPT2, text, size, ends, room);
    case W_SPLIT_CL100K: return split_words(way, W_SPLIT_CL100K, text, size, ends, room);
    case W_SPLIT_QWEN2: return split_words(way, W_SPLIT_QWEN2, text, size, ends, room);
    case W_SPLIT_O200K: return split_words(way, W_SPLIT_O200K, text, size, ends, room);
    case W_SPLIT_DEEPSEEK: return split_words(way, W_SPLIT_DEEPSEEK, text, size, ends, room);
    case W_SPLIT_FALCON: return split_words(way, W_SPLIT_FALCON, text, size, ends, room);
    default: return split_words(way, W_SPLIT_SMOLLM, text, size, ends, room);
    }
}

size_t w_split_words_portably(enum w_split rule, const u8 *text, size_t size, size_t *ends,
                              size_t room)
{
    const struct way way = {look_at_block, put_places};

    return split_by(way, rule, text, size, ends, room);
}

#if defined __x86_64__
AVX512 static size_t split_words_avx512(enum w_split rule, const u8 *text, size_t size,
                                        size_t *ends, size_t room)
{
    const struct way way = {look_at_block_avx512, put_places_avx512};

    return split_by(way, rule, text, size, ends, room);
}
#endif

size_t w_split_words(enum w_split rule, const u8 *text, size_t size, size_t *ends, size_t room)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("popcnt"))
        return split_words_avx512(rule, text, size, ends, room);
#endif
    return w_split_words_portably(rule, text, size, ends, room);
}

const char *w_split_name(enum w_split rule)
{
    return names[rule];
}

bool w_split_find(const char *name, enum w_split *rule)
{
    for (unsigned i = 0; i < W_COUNTOF(names); i++)
        if (!strcmp(names[i], name)) {
            *rule = i;
            return true;
        }
    return false;
}

/* ---- cutting ---- */

/* The last place between a visible ASCII character and a space, or 0. Every rule ends a word there,
 * because in no word does white space other than newlines follow a visible character. */
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
    /* No such place: split the whole text. A word is certain if its longest possible extent and the
     * bytes after that are there, or if it ends well before the end of the text and not in white
     * space, of which more may follow. In o200k a word may end long before what decides that: a
     * letter that has no case joins capitals before it, but not those after it unless a small
     * letter follows them. These are the next word, which has to be certain. */
    while ((count = w_split_words(rule, text + at, size - at, ends, W_COUNTOF(ends))) > 0) {
        for (size_t i = 0; i < count; i++) {
            size_t start = at + (i ? ends[i - 1] : 0), end = at + ends[i];
            size_t known = end + LOOKAHEAD > size ? 0 : rule == W_SPLIT_O200K ? start : end;
            if (start + W_WORD_BYTES_MAX + LOOKAHEAD <= size)
                cut = end;
            else if (known > cut && !ends_in_space(text, known))
                cut = known;
        }
        at += ends[count - 1];
    }
    return cut;
}
