/* vocab_formats.h - vocabularies of other programs: reading and writing.
 *
 *     hf         tokenizer.json of Hugging Face tokenizers: model BPE over bytes
 *     gpt2       vocab.json and merges.txt, as GPT-2 published them
 *     tiktoken   lines "base64(bytes) rank"
 *     gguf       the metadata of a model of llama.cpp (reading only)
 *
 * A text gets the same ids from the format's own program as from the vocabulary here; one that
 * cannot be converted so exactly is refused with W_MISMATCH and the reason.
 *
 * Readers also fail with W_CORRUPT for a broken text, W_USAGE where the options have to say
 * something that the format does not, W_LIMIT and W_NOMEM; *vocab is the caller's after success,
 * else NULL. */
#ifndef W_VOCAB_FORMATS_H
#define W_VOCAB_FORMATS_H

#include "sys/input.h"
#include "text/draft.h"
#include "text/import.h"

#define W_VOCAB_FILE_BYTES_MAX (128u << 20) /* largest text to read */

/* The normalizer must be NFC or do nothing, and the pre_tokenizer be one of the rules of split.h.
 * Added tokens become special. */
enum w_status w_vocab_read_hf(struct w_vocab **, const char *text, size_t size,
                              const struct w_import_options *, struct w_err *) W_MUST_CHECK;
/* The format does not say how it splits: as gpt2, if the options do not either. A token that no
 * merge makes is special. */
enum w_status w_vocab_read_gpt2(struct w_vocab **, const char *tokens, size_t tokens_size,
                                const char *merges, size_t merges_size,
                                const struct w_import_options *, struct w_err *) W_MUST_CHECK;
/* The format says neither how it splits nor what is special. It is known for a `name` (without a
 * folder) of o200k_base, cl100k_base, r50k_base or p50k_base; else the options have to say it. */
enum w_status w_vocab_read_tiktoken(struct w_vocab **, const char *text, size_t size,
                                    const char *name, const struct w_import_options *,
                                    struct w_err *) W_MUST_CHECK;
/* From an input that is at its first byte; nothing after the metadata is used. Also W_TRUNCATED,
 * W_NEWER for an unknown version, and as w_input_some(). */
enum w_status w_vocab_read_gguf(struct w_vocab **, struct w_input *,
                                const struct w_import_options *, struct w_err *) W_MUST_CHECK;

/* How llama.cpp names a splitting rule, "tokenizer.ggml.pre", and whether a word that is a token
 * takes no merges; NULL: it has no such rule. */
const char *w_vocab_gguf_pre(enum w_split, bool whole_words);

/* Append to texts of the caller. Also W_NOMEM, and W_LIMIT where tiktoken's ranks are checked. */
enum w_status w_vocab_write_hf(const struct w_vocab *, struct w_draft *,
                               struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_write_gpt2(const struct w_vocab *, struct w_draft *tokens,
                                 struct w_draft *merges, struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_write_tiktoken(const struct w_vocab *, struct w_draft *,
                                     struct w_err *) W_MUST_CHECK;

#endif
