/* hf_folder.h - what the folders of Hugging Face's transformers hold beside the weights:
 * config.json and the vocabulary. Those of .npy files have the same. */
#ifndef W_HF_FOLDER_H
#define W_HF_FOLDER_H

#include "exchange/exchange_private.h"
#include "sys/folder_output.h"

#define W_HF_PATH 4400 /* bytes of the path of a file in a folder, with the NUL */

/* The path of a file in a folder. Returns path. */
const char *w_hf_path(char path[W_HF_PATH], const char *folder, const char *name);
/* Is there a file of that name in a folder? False where `folder` is none. */
bool w_hf_has(const char *folder, const char *name);

/* Read config.json of a GPT2LMHeadModel. W_MISMATCH: a model that would compute something else
 * here, with the reason; W_CORRUPT: a key is wrong; else as w_input_slurp() and w_json_parse(). */
enum w_status w_hf_read_config(struct w_conf *, const char *folder, struct w_err *) W_MUST_CHECK;
/* The same from its text. */
enum w_status w_hf_parse_config(struct w_conf *, const char *text, size_t size,
                                struct w_err *) W_MUST_CHECK;
/* Give weights the vocabulary of tokenizer.json, or of vocab.json with merges.txt; none of them: it
 * is told, and they have none. As w_vocab_import() and w_weights_set_vocab(). */
enum w_status w_hf_read_vocab(struct w_weights *, const char *folder, w_exchange_tell *,
                              struct w_err *) W_MUST_CHECK;

/* Write config.json, and if the weights have a vocabulary tokenizer.json, tokenizer_config.json and
 * generation_config.json. As w_vocab_write_hf(); W_IO, W_NOMEM. */
enum w_status w_hf_write(struct w_folder_output *, const struct w_weights *, enum w_weight_type,
                         w_exchange_tell *, struct w_err *) W_MUST_CHECK;

#endif
