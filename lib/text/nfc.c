/* Most characters change nothing and are changed by nothing before them; their first bytes show it,
 * sixteen of which are looked at at a time, and they are copied. What is left are runs: a
 * character, and those after it that may change it. A run is decomposed character by character, its
 * marks are put in order, and it is composed again. utf8proc could do all three in one call, but it
 * orders marks by swapping neighbours: for a text of marks alone the time grows with the square of
 * its length. */
#include "text/nfc.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/grow.h"
#include "base/lanes.h"
#include "base/utf8.h"

#define DECOMPOSED_MAX 4 /* characters that one is decomposed into */

/* First bytes of characters that stay as they are in NFC whatever is before them (combining class
 * 0 and NFC_Quick_Check=Yes): U+0000 to U+02FF, U+03C0 to U+047F, U+4000 to U+9FFF, U+B000 to
 * U+D7FF. 0x80 to 0xBF continue a character. */
static const u8 quiet[][2] = {{0x00, 0xcb}, {0xcf, 0xd1}, {0xe4, 0xe9}, {0xeb, 0xed}};

static bool is_quiet(u8 byte)
{
    bool found = false;

    for (size_t i = 0; i < W_COUNTOF(quiet); i++)
        found |= byte >= quiet[i][0] && byte <= quiet[i][1];
    return found;
}

/* The offset of the next byte from `at` on that is not quiet, or the size. */
static size_t skip_quiet(const u8 *text, size_t at, size_t size)
{
    for (; at + W_LANES <= size; at += W_LANES) {
        const w_lanes bytes = w_lanes_load(text + at);
        w_lanes found = {0};
        for (size_t i = 0; i < W_COUNTOF(quiet); i++)
            found |= w_lanes_within(bytes, quiet[i][0], quiet[i][1]);
        const u32 first = w_lanes_first(~found);
        if (first < W_LANES)
            return at + first;
    }
    while (at < size && is_quiet(text[at]))
        at++;
    return at;
}

/* Where the character that ends at `end` begins, not before `from`; `end` if none does. */
static size_t char_before(const u8 *text, size_t from, size_t end)
{
    size_t start = end;
    u32 code;

    while (start > from && end - start < 4 && (start == end || (text[start] & 0xc0) == 0x80))
        start--;
    return start < end && w_utf8_decode(text + start, end - start, &code) == end - start ? start
                                                                                         : end;
}

/* ---- a run ---- */

struct run {
    i32 *codes; /* characters */
    size_t count, room;
    u64 *marks; /* to be sorted */
    size_t mark_room;
};

static u8 class_of(i32 code)
{
    return (u8)utf8proc_get_property(code)->combining_class;
}

/* Decompose the run at the start of a text; *used is its length in bytes, 0 if the text begins with
 * a byte that is not valid UTF-8. */
static enum w_status decompose(struct run *r, const u8 *text, size_t size, size_t *used,
                               struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t at = 0, length;
    u32 code;

    r->count = 0;
    while (!status && at < W_MIN(size, W_NFC_RUN_BYTES) && (at == 0 || !is_quiet(text[at])) &&
           (length = w_utf8_decode(text + at, size - at, &code)) > 0) {
        status = w_grow(&r->codes, &r->room, r->count + DECOMPOSED_MAX, sizeof *r->codes,
                        "characters", err);
        if (!status)
            r->count += (size_t)utf8proc_decompose_char((i32)code, r->codes + r->count,
                                                        DECOMPOSED_MAX, UTF8PROC_DECOMPOSE, NULL);
        at += length;
    }
    *used = at;
    return status;
}

static int by_number(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;

    return (x > y) - (x < y);
}

/* Sort marks by class; those of one class keep their order. */
static enum w_status sort_marks(struct run *r, i32 *codes, size_t count, struct w_err *err)
{
    enum w_status status =
        w_grow(&r->marks, &r->mark_room, count, sizeof *r->marks, "characters", err);

    if (status)
        return status;
    for (size_t i = 0; i < count; i++) /* class, place, character: 8, 32 and 24 bits */
        r->marks[i] = (u64)class_of(codes[i]) << 56 | (u64)i << 24 | (u64)codes[i];
    qsort(r->marks, count, sizeof *r->marks, by_number);
    for (size_t i = 0; i < count; i++)
        codes[i] = (i32)(r->marks[i] & 0xffffff);
    return W_DONE;
}

/* Put the marks after each character in the order of their classes. */
static enum w_status order(struct run *r, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0, end; i < r->count && !status; i = end + 1) {
        bool sorted = true;
        u8 last = 0, class;
        for (end = i; end < r->count && (class = class_of(r->codes[end])) > 0; end++) {
            sorted &= last <= class;
            last = class;
        }
        if (!sorted)
            status = sort_marks(r, r->codes + i, end - i, err);
    }
    return status;
}

enum w_status w_nfc_append(struct w_buffer *out, const u8 *text, size_t size, struct w_err *err)
{
    struct run run = {0};
    enum w_status status = W_DONE;
    size_t done = 0, loud, used; /* done: bytes that are in the buffer */

    while (!status && (loud = skip_quiet(text, done, size)) < size) {
        const size_t start = char_before(text, done, loud);
        w_buffer_put(out, text + done, start - done);
        status = decompose(&run, text + start, size - start, &used, err);
        if (!status)
            status = order(&run, err);
        if (!status && run.count > 0)
            run.count = (size_t)utf8proc_normalize_utf32(run.codes, (utf8proc_ssize_t)run.count,
                                                         UTF8PROC_COMPOSE | UTF8PROC_STABLE);
        for (size_t i = 0; i < run.count && !status; i++)
            w_buffer_code(out, (u32)run.codes[i]);
        if (!status && used == 0) /* no UTF-8 */
            w_buffer_byte(out, text[start + used++]);
        done = start + used;
    }
    if (!status)
        w_buffer_put(out, text + done, size - done);
    if (!status && out->failed)
        status = w_fail(err, W_NOMEM, "no memory for a text in NFC");
    free(run.codes);
    free(run.marks);
    return status;
}

size_t w_nfc_cut(const u8 *text, size_t size)
{
    size_t cut = size ? size - 1 : 0;

    while (cut > 0 && ((text[cut] & 0xc0) == 0x80 || !is_quiet(text[cut])))
        cut--;
    if (cut > 0 || size < W_NFC_RUN_BYTES + 4)
        return cut;
    cut = W_NFC_RUN_BYTES;
    while (cut < W_NFC_RUN_BYTES + 3 && (text[cut] & 0xc0) == 0x80)
        cut++;
    return cut;
}
