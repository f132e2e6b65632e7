/* vocab_formats.h - vocabularies of other programs: in and out.
 *
 *     hf         tokenizer.json of Hugging Face tokenizers: model BPE over bytes
 *     gpt2       vocab.json and merges.txt, as GPT-2 published them
 *     tiktoken   lines "base64(bytes) rank"
 *     gguf       the metadata of a model of llama.cpp (in only)
 *
 * Readers take whole texts, writers make them; what they cannot keep exactly they refuse, and say why.
 * Text that went through a vocabulary before gets the same ids from what was written, read by the
 * format's own program. */
#ifndef W_VOCAB_FORMATS_H
#define W_VOCAB_FORMATS_H

#include "sys/fdio.h"
#include "text/draft.h"
#include "text/import.h"

#define W_VOCAB_FILE_BYTES_MAX (128u << 20) /* of a text */

/* normalizer must be null; the pre_tokenizer one that is a splitting rule of ours. Added tokens become
 * special. */
enum w_status w_vocab_read_hf(struct w_vocab **, const char *text, size_t size,
                              const struct w_import_options *, struct w_err *) W_MUST_CHECK;
/* The format does not say how it splits: gpt2, if the options do not. A token that no merge makes is
 * special. */
enum w_status w_vocab_read_gpt2(struct w_vocab **, const char *tokens, size_t tokens_size,
                                const char *merges, size_t merges_size,
                                const struct w_import_options *, struct w_err *) W_MUST_CHECK;
/* The format says neither how it splits nor what is special. `name` (without a folder) may tell:
 * cl100k_base, r50k_base, p50k_base; else the options have to. */
enum w_status w_vocab_read_tiktoken(struct w_vocab **, const char *text, size_t size,
                                    const char *name, const struct w_import_options *,
                                    struct w_err *) W_MUST_CHECK;
/* From an input that is at its first byte; nothing behind the metadata is read. */
enum w_status w_vocab_read_gguf(struct w_vocab **, struct w_input *,
                                const struct w_import_options *, struct w_err *) W_MUST_CHECK;

/* Append to texts of the caller. */
enum w_status w_vocab_write_hf(const struct w_vocab *, struct w_draft *,
                               struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_write_gpt2(const struct w_vocab *, struct w_draft *tokens,
                                 struct w_draft *merges, struct w_err *) W_MUST_CHECK;
enum w_status w_vocab_write_tiktoken(const struct w_vocab *, struct w_draft *,
                                     struct w_err *) W_MUST_CHECK;

#endif
