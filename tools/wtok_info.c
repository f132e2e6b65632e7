/* wtok info - facts about vocabularies, and about texts in a vocabulary. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "store/vocab_open.h"
#include "sys/clock.h"
#include "text/bpe_encode.h"
#include "tools/wtok.h"

#define LONGEST 8 /* tokens to name */

struct settings {
    struct wtok_input input;
    const char *vocab;
    bool tokens, text;
};

static const struct w_option options[] = {
    {"tokens", 0, W_OPT_FLAG, AT(tokens),
     .help = "List the tokens instead, one JSON object a line: id, bytes in hexadecimal, and text "
             "where the bytes are UTF-8."},
    {"text", 0, W_OPT_FLAG, AT(text),
     .help =
         "The files are text: encode it with the vocabulary of -V, and report the bytes per token "
         "and the speed."},
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE", .help = "With --text: the vocabulary."},
    WTOK_INPUT_OPTIONS(struct settings),
    {0},
};

static const char *const examples[] = {
    "The name of the vocabulary that made these tokens",
    "wtok info wiki.tok | jq -r .sha256",
    "The tokens that hold a digit",
    "wtok info --tokens wiki.vocab | jq -c 'select(.text // \"\" | test(\"[0-9]\"))'",
    "How well a vocabulary fits another text",
    "wtok info -V wiki.vocab --text other/ | jq .bytes_per_token",
    NULL,
};

/* ---- a vocabulary ---- */

static struct w_json *token_json(const struct w_vocab *vocab, u32 id)
{
    u32 size;
    const u8 *bytes = w_vocab_bytes(vocab, id, &size);
    struct w_json *json = w_json_object();
    char *text = malloc(2 * (size_t)size + 1);

    w_json_set_u64(json, "id", id);
    for (u32 i = 0; i < size && text; i++)
        sprintf(text + 2 * (size_t)i, "%02x", bytes[i]);
    w_json_set_string(json, "hex", text);
    if (text && w_utf8_valid(bytes, size) && !memchr(bytes, 0, size)) {
        memcpy(text, bytes, size);
        text[size] = 0;
        w_json_set_string(json, "text", text);
    }
    if (w_vocab_is_special(vocab, id))
        w_json_set_bool(json, "special", true);
    free(text);
    return json;
}

/* The longest tokens, the first of equals first. */
static struct w_json *longest_json(const struct w_vocab *vocab)
{
    u32 best[LONGEST], count = 0, size, other_size;

    for (u32 id = 0; id < w_vocab_size(vocab); id++) {
        u32 i = count;
        if (w_vocab_kind(vocab, id) != W_TOKEN_MADE)
            continue;
        w_vocab_bytes(vocab, id, &size);
        for (; i > 0; i--) {
            w_vocab_bytes(vocab, best[i - 1], &other_size);
            if (other_size >= size)
                break;
            if (i < LONGEST)
                best[i] = best[i - 1];
        }
        if (i < LONGEST)
            best[i] = id;
        count = W_MIN(count + 1, LONGEST);
    }
    struct w_json *list = w_json_array();
    for (u32 i = 0; i < count; i++)
        w_json_add(list, token_json(vocab, best[i]));
    return list;
}

static enum w_status describe(const char *path, const struct settings *set, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    enum w_status status = w_vocab_open(&vocab, path, err);
    if (status)
        return status;
    if (set->tokens) {
        for (u32 id = 0; id < w_vocab_size(vocab) && !status; id++)
            if (w_vocab_kind(vocab, id) != W_TOKEN_UNUSED)
                status = w_cli_print_json(token_json(vocab, id), false, err);
    } else {
        struct w_json *json = w_json_object();
        w_json_set_string(json, "file", path);
        w_json_set_string(json, "split", w_split_name(w_vocab_split(vocab)));
        if (w_vocab_nfc(vocab))
            w_json_set_string(json, "normalizer", "nfc");
        w_json_set_u64(json, "size", w_vocab_size(vocab));
        w_json_set_u64(json, "merges", w_vocab_merge_count(vocab));
        w_json_set_string(json, "sha256", w_vocab_sha256(vocab));
        w_json_set(json, "end", token_json(vocab, w_vocab_eot_id(vocab)));
        w_json_set(json, "longest", longest_json(vocab));
        status = w_cli_print_json(json, false, err);
    }
    w_vocab_free(vocab);
    return status;
}

/* ---- a text ---- */

struct measure {
    u64 documents, bytes, tokens;
    double encode_s; /* in the encoder alone */
};

static enum w_status measure_text(struct measure *m, struct w_encoder *encoder,
                                  struct wtok_reader *reader, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_ids ids = {0};
    struct w_text_piece piece;

    while (!status) {
        status = w_documents_next(reader->documents, &piece, err);
        if (status)
            break;
        double started_s = w_now_s();
        ids.count = 0;
        status = w_encode(encoder, piece.text, piece.size, &ids, err);
        m->encode_s += w_now_s() - started_s;
        m->documents += piece.ends;
        m->bytes += piece.size;
        m->tokens += ids.count;
        wtok_reader_progress(reader, "encoded", false);
    }
    free(ids.ids);
    return status == W_END ? W_DONE : status;
}

static enum w_status describe_text(const struct settings *set, int argc, char **argv,
                                   struct w_err *err)
{
    struct w_vocab *vocab = NULL;
    struct w_encoder *encoder = NULL;
    struct wtok_reader reader = {0};
    struct measure m = {0};

    if (!set->vocab)
        return w_fail(err, W_USAGE, "--text needs a vocabulary: -V FILE");
    enum w_status status = w_vocab_open(&vocab, set->vocab, err);
    if (!status)
        status = w_encoder_new(&encoder, vocab, err);
    if (!status)
        status = wtok_reader_open(&reader,
                                  &(struct wtok_reading){.input = &set->input,
                                                         .split = w_vocab_split(vocab),
                                                         .nfc = w_vocab_nfc(vocab),
                                                         .threads = 1},
                                  argc, argv, err);
    if (!status)
        status = measure_text(&m, encoder, &reader, err);
    if (!status) {
        struct w_json *json = w_json_object();
        w_json_set_string(json, "sha256", w_vocab_sha256(vocab));
        w_json_set_u64(json, "documents", m.documents);
        w_json_set_u64(json, "bytes", m.bytes);
        w_json_set_u64(json, "tokens", m.tokens);
        w_json_set_real(json, "bytes_per_token", m.tokens ? (double)m.bytes / (double)m.tokens : 0);
        w_json_set_real(json, "encode_s", m.encode_s);
        w_json_set_real(json, "encode_mb_s",
                        m.encode_s > 0 ? (double)m.bytes / 1e6 / m.encode_s : 0);
        status = w_cli_print_json(json, false, err);
    }
    wtok_reader_close(&reader);
    w_encoder_free(encoder);
    w_vocab_free(vocab);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (set->text)
        return describe_text(set, argc, argv, err);
    if (set->vocab)
        return w_fail(err, W_USAGE, "-V goes with --text: name vocabularies without it");
    if (argc == 0)
        return w_fail(err, W_USAGE, "name a vocabulary, a token stream or a model");
    for (int i = 0; i < argc && !status; i++)
        status = describe(argv[i], set, err);
    return status;
}

const struct w_program wtok_info_program = {
    "wtok info",
    "facts about a vocabulary, as JSON",
    "FILE ...",
    "Reads vocabularies, token streams and models: everything that holds a vocabulary. Writes a "
    "JSON object for each.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
