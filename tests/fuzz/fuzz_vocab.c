/* A vocabulary from any JSON, then any text through it. The input is the JSON, a NUL, the text.
 * What is accepted must save to the same hash, and text must decode to itself. */
#include <stdlib.h>
#include <string.h>

#include "text/bpe_encode.h"

static void check_text(const struct w_vocab *vocab, const u8 *text, size_t size)
{
    struct w_encoder *encoder = NULL;
    struct w_ids ids = {0};
    struct w_err err = {0};
    size_t at = 0;

    if (w_encoder_new(&encoder, vocab, &err) || w_encode(encoder, text, size, &ids, &err))
        abort();
    for (size_t i = 0; i < ids.count; i++) {
        u32 length;
        const u8 *token = w_vocab_bytes(vocab, ids.ids[i], &length);
        if (!token || w_vocab_is_special(vocab, ids.ids[i]) || length > size - at ||
            memcmp(token, text + at, length))
            abort();
        at += length;
    }
    if (at != size)
        abort();
    free(ids.ids);
    w_encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    const u8 *end = memchr(bytes, 0, size);
    size_t json_size = end ? (size_t)(end - bytes) : size;
    struct w_vocab *vocab = NULL, *again = NULL;
    struct w_json *json = NULL, *saved = NULL;
    struct w_err err = {0};

    if (w_json_parse(&json, (const char *)bytes, json_size, &err))
        return 0;
    if (!w_vocab_from_json(&vocab, json, &err)) {
        saved = w_vocab_json(vocab);
        if (!saved || w_vocab_from_json(&again, saved, &err) ||
            strcmp(w_vocab_sha256(vocab), w_vocab_sha256(again)))
            abort();
        if (end)
            check_text(vocab, end + 1, size - json_size - 1);
    }
    w_json_free(saved);
    w_json_free(json);
    w_vocab_free(vocab);
    w_vocab_free(again);
    return 0;
}
