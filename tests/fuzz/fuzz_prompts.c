/* fuzz_prompts.c - any bytes as a file of `wsample --prompts`. What is taken has texts that their
 * ids decode to, and is as the strict parser sees each line; what is refused is so with a line's
 * number. */
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "memory_file.h"
#include "sys/json.h"
#include "tests/unit/plain_encoding.h"
#include "tools/wsample_text.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

static void need(bool what)
{
    if (!what)
        abort();
}

/* A prompt against the line of the file that it is from. */
static void compare(const struct prompt *p, const struct loaded_model *m, const char *line,
                    size_t size)
{
    struct w_json *json = NULL;
    struct w_err err;

    need(!w_json_parse(&json, line, size, &err));
    const char *text = w_json_string(w_json_is_object(json) ? w_json_get(json, "prompt") : json);
    need(text && strlen(text) == p->text.count);
    need(p->text.count == 0 || !memcmp(text, p->text.bytes, p->text.count));
    need(p->ids.count > 0 && p->ids.ids[0] == w_vocab_eot_id(m->vocab));
    need(decodes_to(m->vocab, p->ids.ids + 1, p->ids.count - 1, (const u8 *)text, p->text.count));
    for (size_t i = 0; i < p->stops.count; i++)
        need(p->stops.items[i] && *p->stops.items[i]);
    w_json_free(json);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    static struct loaded_model m = {.conf.max_length = UINT32_MAX};
    struct memory_file file;
    struct prompts all = {0};
    struct w_err err = {0};
    const char *at = (const char *)bytes, *line;
    size_t length, prompt = 0;
    u64 number = 0;

    if (!m.encoder)
        need((m.vocab = sample_vocab(W_SPLIT_GPT2)) && !w_encoder_new(&m.encoder, m.vocab, &err));
    memory_file_open(&file, bytes, size);
    const struct settings set = {.prompts = file.path, .count = 7};
    const enum w_status status = wsample_prompts_read(&all, &set, &m, &err);
    need(status ? *err.text != 0 : all.count > 0);
    while (!status && w_line_next(&at, (const char *)bytes + size, &line, &length))
        if (prompt < all.count && all.items[prompt].line == ++number)
            compare(&all.items[prompt++], &m, line, length);
    need(status || prompt == all.count);
    wsample_prompts_release(&all);
    memory_file_close(&file);
    return 0;
}
