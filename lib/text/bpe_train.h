/* bpe_train.h - learn merges from word counts: byte-pair encoding.
 *
 * Repeatedly, the pair of adjacent tokens that occurs most often becomes a new token. Counts have
 * 64 bits. Equally frequent pairs have a total order, so that the result depends on the counts
 * alone:
 *
 *     id-min     the smaller left id, then the smaller right id
 *     bytes-max  the pair whose left bytes, then right bytes, are greatest (Stanford CS336's rule)
 *     hf         id-min, but single bytes in the order of their letters (byte_letters.h), as
 *                Hugging Face's trainer numbers them
 *
 * No two pairs make the same byte string. At any time a word is what encoding with the merges so
 * far gives, and encoding gives the bytes between two token boundaries the same tokens wherever
 * they occur. So once a+bc has become abc, no word has ab next to c. A pair that would be longer
 * than W_TOKEN_BYTES_MAX stays two tokens. */
#ifndef W_BPE_TRAIN_H
#define W_BPE_TRAIN_H

#include "text/vocab.h"
#include "text/word_count.h"

enum w_tie { W_TIE_ID_MIN, W_TIE_BYTES_MAX, W_TIE_HF };

struct w_train_options {
    u32 merges;    /* to learn at most */
    u64 min_count; /* a pair that occurs less often makes no token; at least 1 */
    enum w_tie tie;
    /* Called after each merge, or NULL. False stops the training: W_SIGNAL. */
    bool (*progress)(void *context, u32 merges_done);
    void *context;
};

/* Learn. The caller frees *merges; *count is less than asked for where the text has no more pairs.
 * W_LIMIT: the counts stand for 2^64 bytes of text or more; W_SIGNAL: progress() returned false;
 * W_NOMEM. */
enum w_status w_bpe_train(const struct w_word_count *, const struct w_train_options *,
                          struct w_merge **merges, u32 *count, struct w_err *) W_MUST_CHECK;

#endif
