/* Words of the rules that tell kinds of characters apart, by the characters from the start of a
 * word on. The patterns are in split.h. */
#include "text/split_chars.h"

/* ---- o200k ---- */

static bool is_first(enum w_char_kind kind) /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
{
    return kind == W_KIND_UPPER || kind == W_KIND_LETTER || kind == W_KIND_MARK;
}

static bool is_second(enum w_char_kind kind) /* [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
{
    return kind == W_KIND_LOWER || kind == W_KIND_LETTER || kind == W_KIND_MARK;
}

/* The end of first*second+ from i on, or i if it does not match. The firsts take what they can; if
 * no second follows, they give back as much as it takes to leave one, which is then the last
 * character. *firsts is the end of the firsts alone. */
static size_t cased_word(const u8 *text, size_t i, size_t limit, size_t size, size_t *firsts)
{
    enum w_char_kind kind = W_KIND_NONE;
    size_t end = i, last = i, length;

    for (; end < limit && is_first(kind = kind_at(text + end, size - end, &length)); end += length)
        if (is_second(kind))
            last = end + length;
    *firsts = end;
    if (end >= limit || kind != W_KIND_LOWER)
        return last;
    while (end < limit && is_second(kind_at(text + end, size - end, &length)))
        end += length;
    return end;
}

/* Words with letters; i if there is none. */
static size_t o200k_letters(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t length, end = i, firsts = i, own_firsts = i;
    enum w_char_kind kind = kind_at(text + i, size - i, &length);
    size_t next = i + length;
    bool prefix = w_char_class_of(kind) != W_CHAR_LETTER && kind != W_KIND_NUMBER &&
                  !is_newline(text[i]) && next < limit;

    if (prefix)
        end = cased_word(text, next, limit, size, &firsts);
    if (!prefix || end == next)
        end = cased_word(text, i, limit, size, &own_firsts);
    /* Capitals alone, with the character before them or not. */
    if (end == i)
        end = prefix && firsts > next ? firsts : own_firsts;
    if (end > i && end < limit && text[end] == '\'')
        end += any_contraction(text + end, size - end);
    return end;
}

static size_t o200k_word(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t length, end = o200k_letters(text, i, limit, size);
    enum w_char_class class = class_at(text + i, size - i, &length);

    if (end > i)
        return end;
    if (class == W_CHAR_NUMBER) {
        for (unsigned n = 0; n < 3 && i < size && class_at(text + i, size - i, &length) == class;
             n++)
            i += length;
        return i;
    }
    end = i + (text[i] == ' ');
    if (end < size && class_at(text + end, size - end, &length) == W_CHAR_OTHER) {
        end = skip_class(W_CHAR_OTHER, text, end, limit, size);
        while (end < limit && (is_newline(text[end]) || text[end] == '/'))
            end++;
        return end;
    }
    return gpt4_space(text, i, limit, size);
}

/* ---- deepseek ---- */

/* Its classes: pieces end at numbers and at characters of Chinese and Japanese. */
enum part { NONE, LETTERS, SIGNS, SPACE, NUMBER, EASTERN };

static enum part part_at(const u8 *p, size_t left, size_t *length)
{
    u32 code;

    if (*p >= 0xe3 && *p <= 0xe9 && w_utf8_decode(p, left, &code) == 3 &&
        ((code >= 0x4e00 && code <= 0x9fa5) || (code >= 0x3040 && code <= 0x30ff))) {
        *length = 3;
        return EASTERN;
    }
    switch (kind_at(p, left, length)) {
    case W_KIND_LETTER:
    case W_KIND_LOWER:
    case W_KIND_UPPER:
    case W_KIND_MARK: return LETTERS;
    case W_KIND_PUNCTUATION:
    case W_KIND_SYMBOL: return SIGNS;
    case W_KIND_SPACE: return SPACE;
    case W_KIND_NUMBER: return NUMBER;
    default: return NONE;
    }
}

static size_t skip_part(enum part part, const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t length;

    while (i < limit && part_at(text + i, size - i, &length) == part)
        i += length;
    return i;
}

static bool part_is(enum part part, const u8 *text, size_t i, size_t size)
{
    size_t length;

    return i < size && part_at(text + i, size - i, &length) == part;
}

static bool is_ascii_letter(u8 byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* White space: \s*[\r\n]+|\s+(?!\S)|\s+; the piece ends at numbers and eastern characters. */
static size_t deepseek_space(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t end = i, last = i, after_newline = i, length;
    enum part part = SPACE;

    while (end < limit && (part = part_at(text + end, size - end, &length)) == SPACE) {
        last = end, end += length;
        if (is_newline(text[last]))
            after_newline = end;
    }
    if (after_newline > i)
        return after_newline;
    bool at_end = end >= limit || part == NUMBER || part == EASTERN;
    return !at_end && last > i ? last : end;
}

static size_t deepseek_word(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t length, end;
    enum part part = part_at(text + i, size - i, &length);
    size_t next = i + length;

    switch (part) {
    case NUMBER:
        for (unsigned n = 1;
             n < 3 && next < size && part_at(text + next, size - next, &length) == NUMBER; n++)
            next += length;
        return next;
    case EASTERN:
    case LETTERS: return skip_part(part, text, i, limit, size);
    case SIGNS:
        if (text[i] < 0x80 && next < limit && is_ascii_letter(text[next])) {
            while (next < limit && is_ascii_letter(text[next]))
                next++;
            return next;
        }
        break;
    case NONE:
        if (part_is(LETTERS, text, next, size))
            return skip_part(LETTERS, text, next, limit, size);
        /* What no alternative matches is one word, up to the next match. */
        while (next < limit && part_at(text + next, size - next, &length) == NONE &&
               !part_is(LETTERS, text, next + length, size))
            next += length;
        return next;
    default:
        if (!is_newline(text[i]) && part_is(LETTERS, text, next, size))
            return skip_part(LETTERS, text, next, limit, size);
        if (text[i] != ' ' || !part_is(SIGNS, text, next, size))
            return deepseek_space(text, i, limit, size);
    }
    end = skip_part(SIGNS, text, next, limit, size);
    while (end < limit && is_newline(text[end]))
        end++;
    return end;
}

/* ---- falcon ---- */

/* 0 to 9, and the letters of these bytes, which are those of U+00B2, U+00B3, U+00B9 and U+00BC to
 * U+00BE. */
bool w_split_is_number_letter(u8 byte)
{
    return (byte >= '0' && byte <= '9') || byte == 0xb2 || byte == 0xb3 || byte == 0xb9 ||
           (byte >= 0xbc && byte <= 0xbe);
}

/* Punctuation, and the symbols of ASCII. */
static bool is_punctuation(const u8 *p, size_t left, size_t *length)
{
    enum w_char_kind kind = kind_at(p, left, length);
    u32 code;

    if (kind != W_KIND_PUNCTUATION && kind != W_KIND_SYMBOL)
        return false;
    return *p < 0x80 || (w_utf8_decode(p, left, &code) && w_char_was_punctuation(code));
}

static bool three_digits(const u8 *p, size_t left)
{
    return left >= 3 && (u8)(p[0] - '0') < 10 && (u8)(p[1] - '0') < 10 && (u8)(p[2] - '0') < 10;
}

/* Numbers: three digits of ASCII, or what lies between those. */
static size_t falcon_number(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t end = i, length;

    if (three_digits(text + i, size - i))
        return i + 3;
    while (end < limit && class_at(text + end, size - end, &length) == W_CHAR_NUMBER &&
           !three_digits(text + end, size - end))
        end += length;
    return end;
}

/* The characters of a class that are no punctuation. */
static size_t falcon_run(enum w_char_class class, const u8 *text, size_t i, size_t limit,
                         size_t size)
{
    size_t length;

    while (i < limit && !is_punctuation(text + i, size - i, &length) &&
           class_at(text + i, size - i, &length) == class)
        i += length;
    return i;
}

static size_t falcon_word(const u8 *text, size_t i, size_t limit, size_t size)
{
    size_t length, end = i, last = i;

    while (end < limit && is_punctuation(text + end, size - end, &length))
        end += length;
    if (end > i)
        return end;
    size_t at = i + (text[i] == ' ' && i + 1 < size &&
                     !is_punctuation(text + i + 1, size - i - 1, &length));
    enum w_char_class class = class_at(text + at, size - at, &length);
    if (class == W_CHAR_NUMBER)
        return at > i && three_digits(text + at, size - at) ? at
                                                            : falcon_number(text, at, limit, size);
    if (class != W_CHAR_SPACE)
        return falcon_run(class, text, at, limit, size);
    for (end = i; end < limit && class_at(text + end, size - end, &length) == W_CHAR_SPACE;
         end += length)
        last = end;
    bool at_end = end >= limit || is_punctuation(text + end, size - end, &length);
    return !at_end && last > i ? last : end;
}

size_t w_kind_word(enum w_split rule, const u8 *text, size_t i, size_t size)
{
    size_t limit = word_limit(i, size);

    return rule == W_SPLIT_O200K      ? o200k_word(text, i, limit, size)
           : rule == W_SPLIT_DEEPSEEK ? deepseek_word(text, i, limit, size)
                                      : falcon_word(text, i, limit, size);
}
