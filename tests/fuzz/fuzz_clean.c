/* Any bytes as the text of another extractor; the first byte chooses whether it is escaped. The
 * result is not longer than the text, is valid UTF-8 if the text was, and is the same when the text
 * comes in two parts of whole lines. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wiki/clean.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

/* Clean a text in two parts: its first `cut` bytes, then the rest. */
static void clean(struct w_buffer *out, bool escaped, struct w_span text, size_t cut)
{
    struct w_clean c = {.escaped = escaped};

    w_clean_text(&c, (struct w_span){text.at, cut}, out);
    w_clean_text(&c, (struct w_span){text.at + cut, text.size - cut}, out);
    if (out->failed)
        abort();
    w_clean_release(&c);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_buffer whole = {0}, parts = {0};

    if (size == 0)
        return 0;
    struct w_span text = {bytes + 1, size - 1};
    bool escaped = w_clean_is_escaped(text) || bytes[0] % 2;
    const u8 *newline =
        text.size ? memchr(text.at + text.size / 2, '\n', (text.size + 1) / 2) : NULL;
    clean(&whole, escaped, text, 0);
    clean(&parts, escaped, text, newline ? (size_t)(newline - text.at) + 1 : 0);
    if (whole.size > text.size || whole.size != parts.size ||
        (whole.size && memcmp(whole.at, parts.at, whole.size)))
        abort();
    if (whole.size && w_utf8_valid(text.at, text.size) && !w_utf8_valid(whole.at, whole.size))
        abort();
    w_buffer_free(&whole);
    w_buffer_free(&parts);
    return 0;
}
