#include "text/special.h"

#include <stdlib.h>
#include <string.h>

#include "text/nfc.h"

struct w_specials {
    const struct w_vocab *vocab;
    bool begins[256]; /* a name begins with this byte */
    u32 count;
    struct w_token names[]; /* the longest first */
};

static int longest_first(const void *a, const void *b)
{
    const struct w_token *x = a, *y = b;

    return x->size != y->size ? (x->size < y->size) - (x->size > y->size)
                              : (x->id > y->id) - (x->id < y->id);
}

static void add(struct w_specials *s, u32 id)
{
    struct w_token *name = &s->names[s->count++];

    name->id = id;
    name->bytes = w_vocab_bytes(s->vocab, id, &name->size);
    s->begins[name->bytes[0]] = true;
}

enum w_status w_specials_new(struct w_specials **specials, const struct w_vocab *vocab,
                             const char *names, struct w_err *err)
{
    u32 room = w_vocab_special_count(vocab), id;
    bool all = !*names || !strcmp(names, "all");

    for (const char *p = names; *p; p++)
        room += *p == ',';
    struct w_specials *s = *specials = calloc(1, sizeof *s + (room + 1) * sizeof *s->names);
    if (!s)
        return w_fail(err, W_NOMEM, "no memory for names");
    s->vocab = vocab;
    for (u32 i = 0; all && i < w_vocab_special_count(vocab); i++)
        add(s, w_vocab_special_id(vocab, i));
    for (const char *name = names, *end; !all && name; name = *end ? end + 1 : NULL) {
        end = strchrnul(name, ',');
        if (!w_vocab_find_special(vocab, name, (size_t)(end - name), &id)) {
            w_specials_free(s);
            *specials = NULL;
            return w_fail(err, W_USAGE, "the vocabulary has no special token \"%.*s\"",
                          (int)W_MIN(end - name, 100), name);
        }
        add(s, id);
    }
    qsort(s->names, s->count, sizeof *s->names, longest_first);
    return W_DONE;
}

void w_specials_free(struct w_specials *s)
{
    free(s);
}

/* The first name from *at on; *at moves to it. NULL, with *at at the end, if there is none. In a
 * text that goes on after its size, a name that the end cuts is found too. */
static const struct w_token *find(const struct w_specials *s, const u8 *text, size_t size,
                                  bool goes_on, size_t *at)
{
    for (; *at < size; ++*at) {
        if (!s->begins[text[*at]])
            continue;
        for (u32 i = 0; i < s->count; i++) {
            const struct w_token *name = &s->names[i];
            size_t there = W_MIN(name->size, size - *at);
            if ((there == name->size || goes_on) && !memcmp(text + *at, name->bytes, there))
                return name;
        }
    }
    return NULL;
}

enum w_status w_specials_encode(const struct w_specials *s, struct w_encoder *encoder,
                                const u8 *text, size_t size, struct w_ids *ids, struct w_err *err)
{
    enum w_status status = W_DONE;
    const struct w_token *name;

    for (size_t at = 0; s && !status && (name = find(s, text, size, false, &at)); at = 0) {
        status = w_encode(encoder, text, at, ids, err);
        if (!status)
            status = w_ids_append(ids, name->id, err);
        text += at + name->size;
        size -= at + name->size;
    }
    return status ? status : w_encode(encoder, text, size, ids, err);
}

enum w_status w_specials_normalize(const struct w_specials *s, struct w_buffer *out, const u8 *text,
                                   size_t size, struct w_err *err)
{
    enum w_status status = W_DONE;
    const struct w_token *name;

    for (size_t at = 0; s && !status && (name = find(s, text, size, false, &at)); at = 0) {
        status = w_nfc_append(out, text, at, err);
        w_buffer_put(out, name->bytes, name->size);
        text += at + name->size;
        size -= at + name->size;
    }
    return status ? status : w_nfc_append(out, text, size, err);
}

/* Where the last whole name ends; up to *end the text after it has no part of a name. */
static size_t last_name(const struct w_specials *s, const u8 *text, size_t size, size_t *end)
{
    const struct w_token *name;
    size_t start = 0, at = 0; /* of the text after the last name; of the next name */

    for (; s && (name = find(s, text, size, true, &at)); start = at) {
        if (name->size > size - at)
            break;
        at += name->size;
    }
    *end = s ? at : size; /* of the text, or where a name may begin */
    return start;
}

size_t w_specials_cut(const struct w_specials *s, enum w_split split, const u8 *text, size_t size)
{
    size_t end, start = last_name(s, text, size, &end);

    return start + w_split_cut(split, text + start, end - start);
}

size_t w_specials_nfc_cut(const struct w_specials *s, const u8 *text, size_t size)
{
    size_t end, start = last_name(s, text, size, &end);

    return start + w_nfc_cut(text + start, end - start);
}
