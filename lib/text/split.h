/* split.h - the pre-tokenizer: cut text into words, inside which merges happen and which none
 * crosses.
 *
 * A rule is a pattern that was published with a vocabulary. It applies to any bytes: the first
 * alternative that matches gives the next word, and one always matches.
 *
 *   gpt2    '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 *   cl100k  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *           [ ]?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+              (GPT-4, Llama 3)
 *
 *   qwen2   as cl100k, but a number character is a word of its own: \p{N}     (Qwen2, Qwen3)
 *
 *   smollm  the characters \p{N} are words of their own; the text between two of them is split as
 *           gpt2 splits a whole text, so that it ends there for (?!\S) too        (SmolLM)
 *
 *   o200k   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+C?|
 *           [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*C?|
 *           \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *           where C is (?i:'s|'t|'re|'ve|'m|'ll|'d)                     (GPT-4o, gpt-oss, Llama 4)
 *
 *   deepseek  three patterns, one after the other; each splits the pieces that the one before left,
 *           and the text between two matches is a piece, too:                         (DeepSeek V3)
 *           \p{N}{1,3}
 *           [U+4E00-U+9FA5 U+3040-U+309F U+30A0-U+30FF]+
 *           [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
 *           [ ]?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 *   falcon  likewise: [\p{P}$+<=>\^`|~]+, \p{P} of Unicode 8.0; then gpt2, then [0-9][0-9][0-9]
 *           (Falcon)
 *
 * In words: a word is an English contraction (in cl100k and qwen2 of any case); a run of letters or
 * of other characters, with at most one character before it, which is U+0020, or in cl100k and
 * qwen2 before letters anything but a newline, a letter or a number; or white space, which leaves
 * its last character to the word that follows. cl100k and qwen2 end white space after its last
 * newline.
 *
 * Where regular expression engines disagree:
 * - \s is the property White_Space, as in Rust's regex (tiktoken) and Oniguruma (Hugging Face):
 *   U+0085 is in it; U+001C to U+001F, U+180E and U+200B are not.
 * - (?i:'s) matches U+017F too, the long s, as it does there by Unicode's case folding. llama.cpp,
 *   which is alone in this, folds ASCII only.
 * - cl100k is the pattern as published. tiktoken's later form of it has \s++$ in front, by which
 *   white space at the very end of a text is one word even if a newline is inside; no other program
 *   has it.
 * - Characters are those of valid UTF-8. A byte that is not part of it is an "other" character.
 * - A word ends at W_WORD_BYTES_MAX at the latest, so that its memory is bounded for any text. */
#ifndef W_SPLIT_H
#define W_SPLIT_H

#include "base/base.h"

enum w_split {
    W_SPLIT_GPT2,
    W_SPLIT_CL100K,
    W_SPLIT_QWEN2,
    W_SPLIT_SMOLLM,
    W_SPLIT_O200K,
    W_SPLIT_DEEPSEEK,
    W_SPLIT_FALCON,
    W_SPLITS,
};

/* In the order of the enum, for option tables. */
#define W_SPLIT_NAMES "gpt2|cl100k|qwen2|smollm|o200k|deepseek|falcon"
/* Those by which merges are learned. Falcon's program splits the bytes of a word once more, between
 * those that are digits in letters (byte_letters.h) and others, which here is left to the
 * vocabulary: it has no merge that would cross such a place. */
#define W_SPLIT_LEARNED_NAMES "gpt2|cl100k|qwen2|smollm|o200k|deepseek"

/* In the letters of bytes, is this byte's a number? */
bool w_split_is_number_letter(u8 byte);

#define W_WORD_BYTES_MAX ((size_t)1 << 20) /* a character that begins before it may end after it */

/* The name of a rule in vocabularies, and the rule of a name; false if there is none. */
const char *w_split_name(enum w_split);
bool w_split_find(const char *name, enum w_split *rule);

/* The first words of a text: their ends as offsets into the text. Returns how many, which may be
 * less than there is room for; 0 only for an empty text or no room. */
size_t w_split_words(enum w_split, const u8 *text, size_t size, size_t *ends, size_t room);
/* The same without the instructions that only some CPUs have: for tests. */
size_t w_split_words_portably(enum w_split, const u8 *text, size_t size, size_t *ends, size_t room);

/* The largest offset known to be the end of a word whatever bytes follow the size given: cutting a
 * text there changes no word. The text has to begin at the start of a word. 0 if there is none,
 * which does not happen from 2 * W_WORD_BYTES_MAX on. */
size_t w_split_cut(enum w_split, const u8 *text, size_t size);

#endif
