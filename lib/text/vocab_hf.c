/* tokenizer.json. Members that change text or split it in another way than the rules of split.h are
 * refused; those that only add or remove special tokens around it (post_processor, truncation,
 * padding) are ignored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/vocab_formats.h"
#include "text/vocab_letters.h"

#define BYTE_LEVEL                                                                                 \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":"

/* Steps of pre_tokenizers of published files, in the words of step_of(), and the rules that they
 * make. Patterns of one rule are equivalent; the first is the one that is written. */
#define STEPS_MAX 4
static const struct {
    enum w_split rule;
    const char *steps[STEPS_MAX];
} pipelines[] = {
    {W_SPLIT_GPT2, {"ByteLevel with its pattern"}},
    {W_SPLIT_GPT2,
     {"Split '(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_GPT2,
     {"Split 's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_CL100K,
     {"Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_CL100K,
     {"Split '(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
      "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_QWEN2,
     {"Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_O200K,
     {"Split "
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|"
      "\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_DEEPSEEK,
     {"Split \\p{N}{1,3}", "Split [\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
      "Split [!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
      "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|"
      "\\s+(?!\\S)|\\s+",
      "ByteLevel"}},
    {W_SPLIT_FALCON,
     {"Punctuation Contiguous", "ByteLevel with its pattern", "Digits in runs",
      "Split [0-9][0-9][0-9]"}},
    {W_SPLIT_SMOLLM, {"Digits", "ByteLevel with its pattern"}},
    {W_SPLIT_SMOLLM, {"Split \\p{N}", "ByteLevel with its pattern"}},
};

/* ---- reading ---- */

static bool has_type(const struct w_json *json, const char *type)
{
    const char *name = w_json_string(w_json_get(json, "type"));

    return name && !strcmp(name, type);
}

/* The value of a boolean member; `absent` if it is missing. */
static bool flag(const struct w_json *json, const char *key, bool absent)
{
    bool value;

    return w_json_bool(w_json_get(json, key), &value) ? value : absent;
}

/* Append a pattern to a step. Some files have newlines themselves where others have escapes. */
static void append_pattern(char *step, size_t room, const char *pattern)
{
    size_t n = strlen(step);

    for (; *pattern && n + 3 < room; pattern++) {
        bool newline = *pattern == '\n' || *pattern == '\r';
        step[n++] = newline ? '\\' : *pattern;
        if (newline)
            step[n++] = *pattern == '\n' ? 'n' : 'r';
    }
    step[n] = 0;
}

/* One step of a pre_tokenizer in words, cut to the room there is. A Split keeps what its pattern
 * matches as pieces. "Isolated" keeps the text between as pieces too; "Removed" with "invert" drops
 * it, which is no difference for a pattern that matches everything (`dropped`). */
static enum w_status step_of(const struct w_json *json, char *step, size_t room, bool *dropped,
                             struct w_err *err)
{
    const char *type = w_json_string(w_json_get(json, "type"));
    const char *behavior = w_json_string(w_json_get(json, "behavior"));
    const char *regex = w_json_string(w_json_get(w_json_get(json, "pattern"), "Regex"));

    snprintf(step, room, "%s", type ? type : "there is none");
    if (!strcmp(step, "ByteLevel")) {
        if (flag(json, "add_prefix_space", true))
            return w_fail(err, W_MISMATCH,
                          "pre_tokenizer: add_prefix_space puts a blank before every text, which "
                          "would be lost in decoding");
        if (flag(json, "use_regex", true))
            snprintf(step, room, "ByteLevel with its pattern");
    } else if (!strcmp(step, "Digits") && !flag(json, "individual_digits", false)) {
        snprintf(step, room, "Digits in runs");
    } else if (!strcmp(step, "Punctuation")) {
        snprintf(step, room, "Punctuation %s", behavior ? behavior : "Isolated");
    } else if (!strcmp(step, "Split")) {
        *dropped = behavior && !strcmp(behavior, "Removed") && flag(json, "invert", false);
        if (!regex || !behavior || (strcmp(behavior, "Isolated") && !*dropped))
            return w_fail(err, W_MISMATCH,
                          "pre_tokenizer: a Split that does not isolate what a Regex matches");
        snprintf(step, room, "Split ");
        append_pattern(step, room, regex);
    }
    return W_DONE;
}

#define STEP_ROOM 1024

struct steps {
    char text[STEPS_MAX][STEP_ROOM];
    u32 count; /* may exceed what there is room for */
    bool dropped;
};

/* Sequences may hold sequences; JSON has a limited depth. */
static enum w_status list_steps(const struct w_json *pre, struct steps *s, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool dropped = false;

    if (has_type(pre, "Sequence")) {
        const struct w_json *step = w_json_first(w_json_get(pre, "pretokenizers"));
        for (; step && !status; step = w_json_next(step))
            status = list_steps(step, s, err);
        return status;
    }
    if (s->count < STEPS_MAX)
        status = step_of(pre, s->text[s->count], STEP_ROOM, &dropped, err);
    s->dropped |= dropped;
    s->count++;
    return status;
}

static enum w_status read_pre_tokenizer(const struct w_json *pre, enum w_split *rule,
                                        struct w_err *err)
{
    struct steps *s = calloc(1, sizeof *s);
    enum w_status status = s ? list_steps(pre, s, err) : w_fail(err, W_NOMEM, "no memory");
    bool found = false;

    for (size_t i = 0; i < W_COUNTOF(pipelines) && !status && !found; i++) {
        const char *const *steps = pipelines[i].steps;
        u32 same = 0;
        while (same < STEPS_MAX && same < s->count && steps[same] &&
               !strcmp(s->text[same], steps[same]))
            same++;
        /* A pattern with which text may be dropped matches everything where it alone is the
         * rule. */
        found = same > 0 && same == s->count && (same == STEPS_MAX || !steps[same]) &&
                (!s->dropped || (same == 2 && !strcmp(steps[1], "ByteLevel")));
        *rule = pipelines[i].rule;
    }
    if (!status && !found)
        status =
            w_fail(err, W_MISMATCH,
                   "pre_tokenizer: %u steps, the first of which is \"%.200s\": they make none of "
                   "the splitting rules known here",
                   s->count, s->count ? s->text[0] : "");
    free(s);
    return status;
}

/* The first step of a normalizer that is not NFC, or NULL. *nfc becomes true if there is NFC before
 * it. */
static const struct w_json *unknown_step(const struct w_json *normalizer, bool *nfc)
{
    const struct w_json *step = w_json_first(w_json_get(normalizer, "normalizers")), *found = NULL;

    if (!normalizer || w_json_is_null(normalizer))
        return NULL;
    if (has_type(normalizer, "NFC"))
        *nfc = true;
    else if (!has_type(normalizer, "Sequence"))
        found = normalizer;
    else
        for (; step && !found; step = w_json_next(step))
            found = unknown_step(step, nfc);
    return found;
}

static enum w_status read_split(struct w_import *f, const struct w_json *json,
                                const struct w_import_options *options, struct w_err *err)
{
    const struct w_json *unknown =
        options->no_normalizer ? NULL : unknown_step(w_json_get(json, "normalizer"), &f->nfc);
    const char *type = w_json_string(w_json_get(unknown, "type"));

    if (unknown)
        return w_fail(
            err, W_MISMATCH,
            "normalizer: %.40s changes text in a way unknown here (NFC is known): if your "
            "text is as it makes it, say --normalizer none",
            type ? type : "it");
    f->split = options->split;
    return options->has_split
               ? W_DONE
               : read_pre_tokenizer(w_json_get(json, "pre_tokenizer"), &f->split, err);
}

/* Refuse settings with which the same merges give other tokens. */
static enum w_status check_model(const struct w_json *model, struct w_err *err)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const char *type = w_json_string(w_json_get(model, "type"));
    double dropout;

    if (!w_json_is_object(model))
        return w_fail(err, W_CORRUPT, "there is no \"model\" in it");
    if (type && strcmp(type, "BPE"))
        return w_fail(err, W_MISMATCH, "model: of type %.40s, not BPE", type);
    for (size_t i = 0; i < W_COUNTOF(affixes); i++) {
        const char *affix = w_json_string(w_json_get(model, affixes[i]));
        if (affix && *affix)
            return w_fail(err, W_MISMATCH,
                          "model: it has a %s, which byte-level tokens do not have", affixes[i]);
    }
    if (w_json_real(w_json_get(model, "dropout"), &dropout) && dropout > 0)
        return w_fail(err, W_MISMATCH, "model: with dropout, ids are a matter of chance");
    return W_DONE;
}

static enum w_status read_added(struct w_import *f, const struct w_json *list, struct w_err *err)
{
    enum w_status status = W_DONE;
    u64 id;

    for (const struct w_json *t = w_json_first(list); t && !status; t = w_json_next(t)) {
        const char *name = w_json_string(w_json_get(t, "content"));
        if (!name || !w_json_u64(w_json_get(t, "id"), 0, W_TOKENS_MAX - 1, &id))
            return w_fail(err, W_CORRUPT, "added_tokens: one without \"content\" or \"id\"");
        status = w_import_token(f, (u32)id, (const u8 *)name, strlen(name), W_IMPORT_SPECIAL, err);
        if (status)
            status = w_fail_at(err, status, "added_tokens");
    }
    return status;
}

/* Merges are "left right", or ["left", "right"]. */
static enum w_status read_merges(struct w_import *f, const struct w_json *list, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (!w_json_is_array(list))
        return w_fail(err, W_CORRUPT, "model: \"merges\" is no list");
    for (const struct w_json *m = w_json_first(list); m && !status; m = w_json_next(m)) {
        const struct w_json *first = w_json_is_array(m) ? w_json_first(m) : NULL;
        const char *text = w_json_string(m), *left = first ? w_json_string(first) : NULL;
        const char *right = left && w_json_next(first) ? w_json_string(w_json_next(first)) : NULL;
        if (text)
            status = w_import_merge_line(f, text, strlen(text), err);
        else if (right && !w_json_next(w_json_next(first)))
            status = w_import_merge_letters(f, left, strlen(left), right, strlen(right), err);
        else
            status = w_fail(err, W_CORRUPT, "merge %u is not two tokens", f->merge_count);
    }
    return status ? w_fail_at(err, status, "model") : W_DONE;
}

static enum w_status read_parts(struct w_import *f, const struct w_json *json,
                                const struct w_import_options *options, struct w_err *err)
{
    const struct w_json *model = w_json_get(json, "model");

    enum w_status status = check_model(model, err);
    if (!status)
        status = read_split(f, json, options, err);
    f->whole_words = flag(model, "ignore_merges", false);
    if (!status) /* first: the vocabulary has their names as they are, not in letters */
        status = read_added(f, w_json_get(json, "added_tokens"), err);
    if (!status)
        status = w_letters_read_vocab(f, w_json_get(model, "vocab"), W_IMPORT_NORMAL, err);
    if (!status)
        status = read_merges(f, w_json_get(model, "merges"), err);
    return status;
}

enum w_status w_vocab_read_hf(struct w_vocab **vocab, const char *text, size_t size,
                              const struct w_import_options *options, struct w_err *err)
{
    struct w_import f = {0};
    struct w_json *json = NULL;

    *vocab = NULL;
    enum w_status status = w_json_parse_large(&json, text, size, W_VOCAB_VALUES_MAX, err);
    if (!status)
        status = w_import_init(&f, err);
    if (!status)
        status = read_parts(&f, json, options, err);
    if (!status)
        status = w_import_finish(&f, options, vocab, err);
    w_import_release(&f);
    w_json_free(json);
    return status;
}

/* ---- writing ---- */

static enum w_status append(struct w_draft *out, const char *text, struct w_err *err)
{
    return w_draft_append(out, text, strlen(text), err);
}

static enum w_status write_added(const struct w_vocab *v, struct w_draft *out, struct w_err *err)
{
    enum w_status status = append(out,
                                  "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"
                                  "\"added_tokens\":[",
                                  err);
    bool first = true;
    char number[40];

    for (u32 id = 0; id < w_vocab_size(v) && !status; id++) {
        if (!w_vocab_is_special(v, id))
            continue;
        sprintf(number, "%s{\"id\":%u,\"content\":\"", first ? "" : ",", id);
        first = false;
        status = append(out, number, err);
        if (!status)
            status = w_letters_write(v, id, true, out, err);
        if (!status)
            status = append(out,
                            "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                            "\"normalized\":false,\"special\":true}",
                            err);
    }
    return status;
}

/* A pattern as a string of JSON, in which alone a quote and a backslash need one before them. */
static enum w_status write_pattern(const char *pattern, struct w_draft *out, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (; *pattern && !status; pattern++) {
        if (*pattern == '"' || *pattern == '\\')
            status = append(out, "\\", err);
        if (!status)
            status = w_draft_append(out, pattern, 1, err);
    }
    return status;
}

/* What step_of() reads as these words. */
static enum w_status write_step(const char *step, struct w_draft *out, struct w_err *err)
{
    static const struct {
        const char *step, *json;
    } fixed[] = {
        {"ByteLevel", BYTE_LEVEL "false}"},
        {"ByteLevel with its pattern", BYTE_LEVEL "true}"},
        {"Digits", "{\"type\":\"Digits\",\"individual_digits\":true}"},
        {"Digits in runs", "{\"type\":\"Digits\",\"individual_digits\":false}"},
        {"Punctuation Contiguous", "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}"},
    };

    for (size_t i = 0; i < W_COUNTOF(fixed); i++)
        if (!strcmp(step, fixed[i].step))
            return append(out, fixed[i].json, err);
    enum w_status status = append(out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"", err);
    if (!status)
        status = write_pattern(step + strlen("Split "), out, err);
    return status ? status : append(out, "\"},\"behavior\":\"Isolated\",\"invert\":false}", err);
}

static enum w_status write_pre_tokenizer(enum w_split rule, struct w_draft *out, struct w_err *err)
{
    size_t row = 0;

    while (pipelines[row].rule != rule)
        row++;
    const char *const *steps = pipelines[row].steps;
    const bool several = steps[1] != NULL;
    enum w_status status =
        append(out, several ? "{\"type\":\"Sequence\",\"pretokenizers\":[" : "", err);
    for (u32 i = 0; i < STEPS_MAX && steps[i] && !status; i++) {
        status = append(out, i ? "," : "", err);
        if (!status)
            status = write_step(steps[i], out, err);
    }
    return status ? status : append(out, several ? "]}" : "", err);
}

static enum w_status write_split(const struct w_vocab *v, struct w_draft *out, struct w_err *err)
{
    enum w_status status = append(out, "],\"normalizer\":", err);

    if (!status)
        status = append(out, w_vocab_nfc(v) ? "{\"type\":\"NFC\"}" : "null", err);
    if (!status)
        status = append(out, ",\"pre_tokenizer\":", err);
    if (!status)
        status = write_pre_tokenizer(w_vocab_split(v), out, err);
    if (!status)
        status = append(out, ",\"post_processor\":null,\"decoder\":" BYTE_LEVEL "true}", err);
    return status;
}

/* Merges as strings, which every version reads. */
static enum w_status write_model(const struct w_vocab *v, struct w_draft *out, struct w_err *err)
{
    const struct w_merge *merges = w_vocab_merges(v);

    enum w_status status =
        append(out,
               ",\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
               "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
               "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":",
               err);
    if (!status)
        status = append(out, w_vocab_whole_words(v) ? "true" : "false", err);
    if (!status)
        status = append(out, ",\"vocab\":", err);
    if (!status)
        status = w_letters_write_vocab(v, true, out, err);
    if (!status)
        status = append(out, ",\"merges\":[", err);
    for (u32 i = 0; i < w_vocab_merge_count(v) && !status; i++) {
        status = append(out, i ? ",\"" : "\"", err);
        if (!status)
            status = w_letters_write(v, merges[i].left, true, out, err);
        if (!status)
            status = append(out, " ", err);
        if (!status)
            status = w_letters_write(v, merges[i].right, true, out, err);
        if (!status)
            status = append(out, "\"", err);
    }
    return status ? status : append(out, "]}}\n", err);
}

/* Special tokens are written to the list of added tokens and to the model's vocabulary: only there
 * do they keep their ids where other ids are unused. */
enum w_status w_vocab_write_hf(const struct w_vocab *v, struct w_draft *out, struct w_err *err)
{
    enum w_status status = write_added(v, out, err);

    if (!status)
        status = write_split(v, out, err);
    return status ? status : write_model(v, out, err);
}
