#include "text/vocab_letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/byte_letters.h"

enum w_status w_letters_read_vocab(struct w_import *f, const struct w_json *object,
                                   enum w_import_kind kind, struct w_err *err)
{
    enum w_status status = W_DONE;
    u64 id;

    if (!w_json_is_object(object))
        return w_fail(err, W_CORRUPT, "the vocabulary is no JSON object of tokens and ids");
    for (const struct w_json *t = w_json_first(object); t && !status; t = w_json_next(t)) {
        const char *token = w_json_key(t);
        status = w_json_u64(t, 0, W_TOKENS_MAX - 1, &id)
                     ? w_import_letters(f, (u32)id, token, strlen(token), kind, err)
                     : w_fail(err, W_CORRUPT, "the token \"%.60s\" has no id below %u", token,
                              W_TOKENS_MAX);
    }
    return status;
}

/* Append text, valid UTF-8 without NUL, as the inside of a JSON string. */
static enum w_status append_escaped(struct w_draft *out, const char *text, size_t size,
                                    struct w_err *err)
{
    enum w_status status = W_DONE;
    char code[8];

    for (size_t i = 0; i < size && !status; i++) {
        u8 c = (u8)text[i];
        if (c == '"' || c == '\\')
            status = w_draft_append(out, (char[]){'\\', (char)c}, 2, err);
        else if (c < 0x20)
            status = w_draft_append(out, code, (size_t)sprintf(code, "\\u%04x", c), err);
        else
            status = w_draft_append(out, &c, 1, err);
    }
    return status;
}

enum w_status w_letters_write(const struct w_vocab *v, u32 id, bool escaped, struct w_draft *out,
                              struct w_err *err)
{
    u32 size;
    const u8 *bytes = w_vocab_bytes(v, id, &size);
    char *letters = NULL;
    const char *text = (const char *)bytes;
    size_t length = size;

    if (!w_vocab_is_special(v, id)) {
        text = letters = malloc((size_t)size * W_BYTE_LETTER_MAX + 1);
        if (!letters)
            return w_fail(err, W_NOMEM, "no memory for a token");
        length = w_bytes_to_letters(bytes, size, letters);
    }
    enum w_status status =
        escaped ? append_escaped(out, text, length, err) : w_draft_append(out, text, length, err);
    free(letters);
    return status;
}

/* Refuse a name of a special token that would be read as another token or as other bytes. */
static enum w_status check_name(const struct w_vocab *v, u32 id, bool lists_specials,
                                struct w_err *err)
{
    u32 size, other;
    const u8 *name = w_vocab_bytes(v, id, &size);
    u8 *bytes = malloc((size_t)size + 1);
    size_t count;

    if (!bytes)
        return w_fail(err, W_NOMEM, "no memory for a token");
    bool letters = w_letters_to_bytes((const char *)name, size, bytes, &count);
    bool taken = letters && w_vocab_find(v, bytes, count, &other) && other != id;
    bool changed = letters && (count != size || memcmp(bytes, name, size));
    free(bytes);
    if (taken)
        return w_fail(err, W_MISMATCH,
                      "the name of special token %u is that of token %u in this format", id, other);
    return changed && !lists_specials
               ? w_fail(err, W_MISMATCH,
                        "the name of special token %u would be read as other bytes in this format: "
                        "export it as tokenizer.json",
                        id)
               : W_DONE;
}

enum w_status w_letters_write_vocab(const struct w_vocab *v, bool lists_specials,
                                    struct w_draft *out, struct w_err *err)
{
    enum w_status status = w_draft_append(out, "{", 1, err);
    const char *before = "\"";
    char number[24];

    for (u32 id = 0; id < w_vocab_size(v) && !status; id++) {
        if (w_vocab_kind(v, id) == W_TOKEN_UNUSED)
            continue;
        if (w_vocab_is_special(v, id))
            status = check_name(v, id, lists_specials, err);
        if (!status)
            status = w_draft_append(out, before, strlen(before), err);
        if (!status)
            status = w_letters_write(v, id, true, out, err);
        if (!status)
            status = w_draft_append(out, number, (size_t)sprintf(number, "\":%u", id), err);
        before = ",\"";
    }
    return status ? status : w_draft_append(out, "}", 1, err);
}
