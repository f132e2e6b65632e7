/* Any text through each splitter and an encoder. The first byte of the input says which rule, the
 * second where the text is cut. Words must be those of the published pattern; a text that is cut
 * must have the words and ids of the whole; ids must be those of plain merging and decode to the
 * text. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/pattern.h"
#include "tests/unit/plain_encoding.h"
#include "text/bpe_encode.h"

#define TEXT_MAX 4096

static void need(bool what)
{
    if (!what)
        abort();
}

/* All words of a text of at most TEXT_MAX bytes. */
static size_t split(enum w_split rule, const u8 *text, size_t size, size_t *ends)
{
    size_t count = 0, at = 0, n;

    while (at < size) {
        n = w_split_words(rule, text + at, size - at, ends + count, TEXT_MAX - count);
        need(n > 0);
        for (size_t i = 0; i < n; i++)
            ends[count + i] += at;
        count += n;
        at = ends[count - 1];
    }
    return count;
}

static void check_words(enum w_split rule, const u8 *text, size_t size, size_t cut)
{
    static size_t ends[TEXT_MAX], expected[TEXT_MAX], parts[TEXT_MAX];
    size_t count = split(rule, text, size, ends), front = split(rule, text, cut, parts);

    for (size_t i = 0; i < count; i++)
        need(ends[i] > (i ? ends[i - 1] : 0) && ends[i] <= size);
    need(count == 0 ? size == 0 : ends[count - 1] == size);
    need(count == split_by_patterns(rule, text, size, expected));
    need(memcmp(ends, expected, count * sizeof *ends) == 0);
    size_t back = split(rule, text + cut, size - cut, parts + front);
    for (size_t i = 0; i < back; i++)
        parts[front + i] += cut;
    need(front + back == count && memcmp(ends, parts, count * sizeof *ends) == 0);
}

/* The encoders are kept from input to input, so that their caches fill. */
static void check_ids(enum w_split rule, const u8 *text, size_t size, size_t cut)
{
    static struct w_vocab *vocabs[W_SPLITS];
    static struct w_encoder *encoders[W_SPLITS];
    static u32 plain[TEXT_MAX];
    struct w_ids ids = {0}, parts = {0};
    struct w_err err;

    if (!encoders[rule]) {
        vocabs[rule] = sample_vocab(rule);
        need(vocabs[rule] && !w_encoder_new(&encoders[rule], vocabs[rule], &err));
    }
    struct w_encoder *e = encoders[rule];
    need(!w_encode(e, text, size, &ids, &err));
    need(!w_encode(e, text, cut, &parts, &err));
    need(!w_encode(e, text + cut, size - cut, &parts, &err));
    size_t bytes = ids.count * sizeof *plain;
    need(parts.count == ids.count && (bytes == 0 || memcmp(parts.ids, ids.ids, bytes) == 0));
    need(encode_plainly(vocabs[rule], text, size, plain) == ids.count);
    need(bytes == 0 || memcmp(plain, ids.ids, bytes) == 0);
    need(decodes_to(vocabs[rule], ids.ids, ids.count, text, size));
    free(ids.ids);
    free(parts.ids);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    if (size < 2)
        return 0;
    enum w_split rule = bytes[0] % W_SPLITS;
    const u8 *text = bytes + 2;
    size = W_MIN(size - 2, (size_t)TEXT_MAX);
    size_t seen = size * (bytes[1] + 1u) / 256, cut = w_split_cut(rule, text, seen);
    need(cut <= seen);
    check_words(rule, text, size, cut);
    check_ids(rule, text, size, cut);
    return 0;
}
