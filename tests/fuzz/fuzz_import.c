/* fuzz_import.c - any bytes as a vocabulary of another program: the first byte says which format,
 * the rest is the file. What is accepted must save and load as itself; and what can be written in a
 * format must come back from it giving the same ids, which is tried on the bytes of the file. */
#include "tests/fuzz/import_sample.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

/* Nobody finds a vocabulary by chance: begin with a whole one. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    struct w_vocab *v = sample_vocab();
    struct w_draft text = {0};
    if (write_format(v, seed % FORMATS, &text, NULL))
        abort();
    size = W_MIN(text.count + 1, room);
    data[0] = (u8)(seed % FORMATS);
    memcpy(data + 1, text.bytes, size - 1);
    free(text.bytes);
    w_vocab_free(v);
    return size;
}

static void check_json(const struct w_vocab *v)
{
    struct w_vocab *again = NULL;
    struct w_json *json = w_vocab_json(v);

    if (!json || w_vocab_from_json(&again, json, NULL) ||
        strcmp(w_vocab_sha256(v), w_vocab_sha256(again)))
        abort();
    w_json_free(json);
    w_vocab_free(again);
}

/* Out and in again. A format may refuse what it cannot say, but not read it as something else. */
static void check_format(const struct w_vocab *v, enum sample_format format, const u8 *text,
                         size_t size)
{
    struct w_vocab *again = NULL;
    struct w_draft out = {0};
    struct w_err err = {0};
    u32 end_size;
    const u8 *end = w_vocab_bytes(v, w_vocab_eot_id(v), &end_size);
    char *name = strndup((const char *)end, end_size);
    struct w_import_options options = {.has_split = format != HF, .end = name};

    if (!write_format(v, format, &out, &err)) {
        if (read_format(&again, format, out.bytes, out.count, &options, &err) ||
            !same_ids(v, again, text, size))
            abort();
    } else if (!err.text[0]) {
        abort();
    }
    w_vocab_free(again);
    free(out.bytes);
    free(name);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_vocab *v = NULL;
    struct w_err err = {0};
    struct w_import_options options = {.has_split = true};

    if (size == 0)
        return 0;
    options.has_split = bytes[0] % FORMATS == TIKTOKEN; /* which cannot say it */
    enum w_status status =
        read_format(&v, bytes[0] % FORMATS, (const char *)bytes + 1, size - 1, &options, &err);
    if (status) {
        if (!err.text[0] || w_exit_code(status) == 0)
            abort();
        return 0;
    }
    check_json(v);
    for (enum sample_format format = HF; format < GGUF; format++)
        check_format(v, format, bytes, size);
    w_vocab_free(v);
    return 0;
}
