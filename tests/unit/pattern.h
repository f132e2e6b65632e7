/* pattern.h - a matcher for the patterns in split.h: slow, and as plain as their definition. It
 * reads the pattern's own text, so that a rule is tested against the published one and not against
 * another reading of it.
 *
 * It knows what those patterns use: alternatives, of which the first that matches counts;
 * characters, escapes and [sets] with ranges; the greedy quantifiers ? + * {1,3}; (?!\S); and
 * groups (?:...) and (?i:...), optional ones too, that stand at the end of their alternative. */
#ifndef W_TEST_PATTERN_H
#define W_TEST_PATTERN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/split.h"
#include "text/unicode.h"

/* As published; see split.h. A rule is one pattern or several, of which each splits the pieces that
 * the one before left: its matches and the text between them. */
#define GPT2_PATTERN                                                                               \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define FIRSTS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SECONDS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
static const char *const published_patterns[W_SPLITS][4] = {
    [W_SPLIT_GPT2] = {GPT2_PATTERN},
    [W_SPLIT_CL100K] = {CONTRACTIONS
                        "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    [W_SPLIT_QWEN2] = {CONTRACTIONS
                       "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                       " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    [W_SPLIT_SMOLLM] = {"\\p{N}", GPT2_PATTERN},
    [W_SPLIT_O200K] = {"[^\\r\\n\\p{L}\\p{N}]?" FIRSTS "*" SECONDS "+" CONTRACTIONS "?|"
                       "[^\\r\\n\\p{L}\\p{N}]?" FIRSTS "+" SECONDS "*" CONTRACTIONS "?|\\p{N}{1,3}|"
                       " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    [W_SPLIT_DEEPSEEK] = {"\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                          "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
                          "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|"
                          "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    [W_SPLIT_FALCON] = {"[\\p{P8}$+<=>\\^`|~]+", GPT2_PATTERN, "[0-9][0-9][0-9]"},
};

#define NO_MATCH SIZE_MAX
#define INVALID_BYTE 0x110000 /* the code of one */

struct subject {
    const u32 *codes;
    size_t count;
    bool fold; /* inside (?i:...) */
};

/* The code of a character of the pattern. */
static inline u32 code_at(const char *p)
{
    u32 code;
    return w_utf8_decode((const u8 *)p, strlen(p), &code) ? code : (u32)(u8)*p;
}

/* The end of the character or escape that begins at p: all that a class can hold. */
static inline const char *char_end(const char *p)
{
    if (*p == '\\')
        return p[1] == 'p' ? strchr(p, '}') + 1 : p + 2; /* \p{L} */
    for (p++; (*p & 0xC0) == 0x80;)
        p++;
    return p;
}

/* The end of the atom that begins at p. */
static inline const char *atom_end(const char *p)
{
    if (*p == '[') {
        for (p++; *p != ']';)
            p = char_end(p);
        return p + 1;
    }
    if (*p != '(')
        return char_end(p);
    for (int depth = 0;; p++) {
        depth += (*p == '(') - (*p == ')');
        if (depth == 0)
            return p + 1;
    }
}

/* \p{...}: a general category, or all that begin with its letter. P8 is P of Unicode 8.0. */
static inline bool has_property(const char *name, u32 code)
{
    enum w_char_kind kind = w_char_kind(code);
    switch (name[0]) {
    case 'N': return kind == W_KIND_NUMBER;
    case 'M': return kind == W_KIND_MARK;
    case 'P': return name[1] == '8' ? w_char_was_punctuation(code) : kind == W_KIND_PUNCTUATION;
    case 'S': return kind == W_KIND_SYMBOL;
    default: break;
    }
    switch (name[1]) {
    case 'u':
    case 't': return kind == W_KIND_UPPER; /* the table has one kind for both */
    case 'l': return kind == W_KIND_LOWER;
    case 'm':
    case 'o': return kind == W_KIND_LETTER;
    default: return w_char_class(code) == W_CHAR_LETTER;
    }
}

/* Does the atom at p, no group, match this character? */
static inline bool atom_matches(const char *p, u32 code, bool fold)
{
    if (*p == '[') {
        bool negated = p[1] == '^', found = false;
        for (p += 1 + negated; *p != ']'; p = char_end(p)) {
            const char *next = char_end(p);
            if (*p != '\\' && *next == '-') {
                found |= code >= code_at(p) && code <= code_at(next + 1);
                p = next + 1;
            } else {
                found |= atom_matches(p, code, fold);
            }
        }
        return found != negated;
    }
    if (*p == '\\')
        switch (p[1]) {
        case 'n': return code == '\n';
        case 'r': return code == '\r';
        case 's': return w_char_class(code) == W_CHAR_SPACE;
        case 'S': return w_char_class(code) != W_CHAR_SPACE;
        case 'p': return has_property(p + 3, code);
        default: return code == (u32)(u8)p[1];
        }
    if (fold && code >= 'A' && code <= 'Z')
        code += 'a' - 'A';
    if (fold && code == 0x17f) /* CaseFolding.txt: 017F; C; 0073 */
        code = 's';
    return code == code_at(p);
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
        bool optional = *next == '?' && next < end;
        if (next + optional != end)
            abort(); /* nothing follows a group */
        s.fold = p[2] == 'i';
        size_t result = match_any(p + (s.fold ? 4 : 3), next - 1, s, at);
        return result == NO_MATCH && optional ? at : result;
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

/* The text of a splitting, in characters, and the ends of its words, in bytes. */
struct splitting {
    u32 codes[4096];
    size_t offsets[4097], count;
    size_t *ends, words;
};

/* Split the characters from `from` to `to` by the patterns from `stage` on. */
static inline void split_piece(struct splitting *s, const char *const *patterns, unsigned stage,
                               size_t from, size_t to)
{
    struct subject subject = {.codes = s->codes, .count = to};

    if (from == to)
        return;
    if (stage == 4 || !patterns[stage]) {
        s->ends[s->words++] = s->offsets[to];
        return;
    }
    const char *pattern = patterns[stage];
    size_t gap = from;
    for (size_t at = from; at < to;) {
        size_t end = match_any(pattern, pattern + strlen(pattern), subject, at);
        if (end == NO_MATCH) {
            at++;
            continue;
        }
        if (end <= at)
            abort(); /* no pattern matches nothing */
        split_piece(s, patterns, stage + 1, gap, at);
        split_piece(s, patterns, stage + 1, at, end);
        gap = at = end;
    }
    split_piece(s, patterns, stage + 1, gap, to);
}

/* Split a text of at most 4096 bytes by the patterns of a rule. Returns the number of words, whose
 * ends are given. */
static inline size_t split_by_patterns(enum w_split rule, const u8 *text, size_t size, size_t *ends)
{
    static struct splitting s;

    s.count = s.words = 0;
    s.ends = ends;
    for (size_t i = 0; i < size; s.count++) {
        size_t n = w_utf8_decode(text + i, size - i, &s.codes[s.count]);
        s.offsets[s.count] = i;
        if (n == 0)
            s.codes[s.count] = INVALID_BYTE;
        i += n ? n : 1;
    }
    s.offsets[s.count] = size;
    split_piece(&s, published_patterns[rule], 0, 0, s.count);
    return s.words;
}

#endif
