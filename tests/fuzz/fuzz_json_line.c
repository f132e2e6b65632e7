/* Any bytes as JSON Lines. The same texts, places and failures come whether the bytes are fed at
 * once or in small pieces, whose size the first byte chooses. A line that the strict parser takes
 * gives the text that this one sees, and the text is written where the line says. */
#include <stdlib.h>
#include <string.h>

#include "sys/json.h"
#include "sys/json_line.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

#define NAME "text"

/* Does the strict parser see the same text? */
static void compare(const struct w_json_line *j, const u8 *line, size_t size)
{
    struct w_json *json = NULL;
    struct w_err err = {0};

    if (w_json_parse(&json, (const char *)line, size, &err))
        return;
    const char *text = w_json_string(w_json_get(json, NAME));
    if (!j->has_text || !text || strlen(text) != j->text.size ||
        (j->text.size && memcmp(text, j->text.at, j->text.size)))
        abort();
    if (line[j->value_at] != '"' || j->value_at + j->value_size > size ||
        line[j->value_at + j->value_size - 1] != '"')
        abort();
    w_json_free(json);
}

/* Read all lines; texts and failures come into `out`. */
static enum w_status read_all(struct w_buffer *out, const u8 *bytes, size_t size, size_t step,
                              bool compares)
{
    static struct w_json_line j;
    struct w_err err = {0};
    size_t begin = 0, used = 0;
    enum w_status status = W_DONE;

    w_json_line_init(&j, NAME);
    for (size_t at = 0; status != W_END && w_exit_code(status) != 3; at += used) {
        used = 0;
        status = at < size ? w_json_line_feed(&j, bytes + at, W_MIN(step, size - at), &used, &err)
                           : w_json_line_end(&j, &err);
        if (status == W_NO)
            continue;
        if (!status && j.has_text) {
            w_buffer_put(out, j.text.at, j.text.size);
            w_buffer_put(out, &j.value_at, sizeof j.value_at);
            w_buffer_put(out, &j.value_size, sizeof j.value_size);
        }
        if (!status && compares && j.has_text)
            compare(&j, bytes + begin, at + used - begin);
        begin = at + used;
    }
    if (status != W_END)
        w_buffer_text(out, err.text);
    w_json_line_release(&j);
    return status;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_buffer whole = {0}, parts = {0};

    if (size == 0)
        return 0;
    enum w_status status = read_all(&whole, bytes + 1, size - 1, size, true);
    if (read_all(&parts, bytes + 1, size - 1, 1 + bytes[0] % 32, false) != status ||
        parts.size != whole.size || (whole.size && memcmp(parts.at, whole.at, whole.size)))
        abort();
    w_buffer_free(&whole);
    w_buffer_free(&parts);
    return 0;
}
