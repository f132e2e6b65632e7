/* pattern.h - a matcher for the patterns in split.h: slow, and as plain as their definition. It reads
 * the pattern's own text, so that a rule is tested against the published one and not against another
 * reading of it.
 *
 * It knows what those patterns use: alternatives, of which the first that matches counts; characters,
 * escapes and [sets]; the greedy quantifiers ? + * {1,3}; (?!\S); and groups (?:...) and (?i:...) that
 * stand at the end of their alternative. */
#ifndef W_TEST_PATTERN_H
#define W_TEST_PATTERN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/split.h"
#include "text/unicode.h"

/* As published; see split.h. smollm's is gpt2's for the text between numbers. */
static const char *const published_patterns[] = {
    [W_SPLIT_GPT2] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                     "\\s+(?!\\S)|\\s+",
    [W_SPLIT_CL100K] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                       " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [W_SPLIT_QWEN2] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [W_SPLIT_SMOLLM] = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                       "\\s+(?!\\S)|\\s+",
};

#define NO_MATCH SIZE_MAX
#define INVALID_BYTE 0x110000 /* the code of one */

struct subject {
    const u32 *codes;
    size_t count;
    bool fold; /* inside (?i:...) */
};

/* The end of the atom that begins at p. */
static inline const char *atom_end(const char *p)
{
    if (*p == '\\')
        return p[1] == 'p' ? p + 5 : p + 2; /* \p{L} */
    if (*p == '[') {
        while (*p != ']')
            p++;
    } else if (*p == '(') {
        for (int depth = 0;; p++) {
            depth += (*p == '(') - (*p == ')');
            if (depth == 0)
                break;
        }
    }
    return p + 1;
}

/* Does the atom at p, no group, match this character? */
static inline bool atom_matches(const char *p, u32 code, bool fold)
{
    if (*p == '[') {
        bool negated = p[1] == '^', found = false;
        for (p += 1 + negated; *p != ']'; p = atom_end(p))
            found |= atom_matches(p, code, fold);
        return found != negated;
    }
    if (*p == '\\')
        switch (p[1]) {
        case 'n': return code == '\n';
        case 'r': return code == '\r';
        case 's': return w_char_class(code) == W_CHAR_SPACE;
        case 'S': return w_char_class(code) != W_CHAR_SPACE;
        default: return w_char_class(code) == (p[3] == 'L' ? W_CHAR_LETTER : W_CHAR_NUMBER);
        }
    if (fold && code >= 'A' && code <= 'Z')
        code += 'a' - 'A';
    if (fold && code == 0x17f) /* CaseFolding.txt: 017F; C; 0073 */
        code = 's';
    return code == (u32)(u8)*p;
}

static inline size_t match_any(const char *p, const char *end, struct subject s, size_t at);

/* The end of what the sequence of atoms in [p, end) matches at `at`, or NO_MATCH. */
static inline size_t match_sequence(const char *p, const char *end, struct subject s, size_t at)
{
    if (p == end)
        return at;
    const char *next = atom_end(p);
    if (!strncmp(p, "(?!\\S)", 6))
        return at < s.count && atom_matches("\\S", s.codes[at], false)
                   ? NO_MATCH
                   : match_sequence(next, end, s, at);
    if (*p == '(') {
        if (next != end)
            abort(); /* nothing follows a group */
        s.fold = p[2] == 'i';
        return match_any(p + (s.fold ? 4 : 3), next - 1, s, at);
    }
    size_t least = 1, most = 1, n = 0;
    const char *atom = p;
    switch (next < end ? *next : 0) {
    case '?': least = 0, next++; break;
    case '+': most = SIZE_MAX, next++; break;
    case '*': least = 0, most = SIZE_MAX, next++; break;
    case '{': most = (size_t)(next[3] - '0'), next += 5; break;
    default: break;
    }
    while (n < most && at + n < s.count && atom_matches(atom, s.codes[at + n], s.fold))
        n++;
    for (size_t result; n + 1 > least; n--) {
        result = match_sequence(next, end, s, at + n);
        if (result != NO_MATCH || n == 0)
            return result;
    }
    return NO_MATCH;
}

/* The same for alternatives, of which the first that matches counts. */
static inline size_t match_any(const char *p, const char *end, struct subject s, size_t at)
{
    for (const char *bar = p; p <= end; p = bar + 1) {
        for (bar = p; bar < end && *bar != '|'; bar = atom_end(bar))
            ;
        size_t result = match_sequence(p, bar, s, at);
        if (result != NO_MATCH)
            return result;
    }
    return NO_MATCH;
}

/* Split a text of at most 4096 bytes by a pattern; with numbers_apart, each number character is a word
 * and ends the text before it. Returns the number of words, whose ends are given. */
static inline size_t split_by_pattern(const char *pattern, bool numbers_apart, const u8 *text,
                                      size_t size, size_t *ends)
{
    u32 codes[4096];
    size_t offsets[4097], count = 0, words = 0;

    for (size_t i = 0; i < size; count++) {
        size_t n = w_utf8_decode(text + i, size - i, &codes[count]);
        offsets[count] = i;
        if (n == 0)
            codes[count] = INVALID_BYTE;
        i += n ? n : 1;
    }
    offsets[count] = size;
    for (size_t at = 0; at < count; words++) {
        struct subject s = {.codes = codes, .count = count};
        for (size_t i = at; numbers_apart && i < s.count; i++)
            if (w_char_class(codes[i]) == W_CHAR_NUMBER)
                s.count = i;
        size_t end = s.count > at ? match_any(pattern, pattern + strlen(pattern), s, at) : at + 1;
        if (end == NO_MATCH || end <= at)
            abort(); /* a pattern matches everywhere */
        ends[words] = offsets[end];
        at = end;
    }
    return words;
}

#endif
