/* Names and patterns are in one buffer; their rows are a hash table with open addressing, at most
 * half full. A name is hashed in small letters with spaces. One without a row of its own is
 * compared with the names of families, which are few. Rows of the language come after those for
 * all, and replace them. */
#include "wiki/inlines.h"

#include <stdlib.h>

#include "base/grow.h"
#include "base/utf8.h"
#include "wiki/inline_rows.h"
#include "wiki/inline_pattern.h"
#include "wiki/name_family.h"

#define NAME_MAX_BYTES 60

/* Offsets into the table's bytes. */
struct row {
    u32 name, pattern;
    u32 pattern_size;
    u8 name_size; /* 0: the place is free */
};

/* A row for several names; later ones go first. */
struct family {
    struct w_name_family form;
    u32 name; /* as in its row */
    u8 name_size;
};

struct w_inline_table {
    struct w_wiki_language language;
    struct w_buffer bytes;
    struct row *rows; /* by the hash of the name, then the next free place */
    u32 count, room;  /* room is a power of two, and at most half is taken */
    struct family *families;
    size_t family_count, family_room;
};

/* ---- names ---- */

struct key {
    u8 bytes[NAME_MAX_BYTES];
    size_t size;
};

/* A name in small letters with spaces; false if it is longer than any in a table. */
static bool make_key(struct key *key, struct w_span name)
{
    u32 first;

    name = w_span_trim(name);
    if (name.size == 0 || name.size > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.size; i++)
        key->bytes[i] = name.at[i] == '_' ? ' ' : w_lower(name.at[i]);
    key->size = name.size;
    first = w_first_letter(name);
    if (first) {
        key->bytes[0] = (u8)(0xC0 | first >> 6);
        key->bytes[1] = (u8)(0x80 | (first & 0x3F));
    }
    return true;
}

/* The row of a key, or the free one where it would be. */
static struct row *locate(const struct w_inline_table *t, const struct key *key)
{
    u32 hash = 2166136261u; /* FNV-1a, by Fowler, Noll and Vo */

    for (size_t i = 0; i < key->size; i++)
        hash = (hash ^ key->bytes[i]) * 16777619u;
    for (u32 i = hash;; i++) {
        struct row *row = &t->rows[i & (t->room - 1)];
        if (!row->name_size || (row->name_size == key->size &&
                                memcmp(t->bytes.at + row->name, key->bytes, key->size) == 0))
            return row;
    }
}

static enum w_status grow(struct w_inline_table *t, struct w_err *err)
{
    struct w_inline_table bigger = *t;

    bigger.room = t->room ? t->room * 2 : 512;
    bigger.rows = calloc(bigger.room, sizeof *bigger.rows);
    if (!bigger.rows)
        return w_fail(err, W_NOMEM, "no memory for the table of templates");
    for (u32 i = 0; i < t->room; i++) {
        struct key key = {.size = t->rows[i].name_size};
        memcpy(key.bytes, t->bytes.at + t->rows[i].name, key.size);
        if (key.size)
            *locate(&bigger, &key) = t->rows[i];
    }
    free(t->rows);
    *t = bigger;
    return W_DONE;
}

static bool find_key(const struct w_inline_table *t, const struct key *key, struct w_span *pattern)
{
    const struct row *row = locate(t, key);

    if (!row->name_size)
        return false;
    *pattern = (struct w_span){t->bytes.at + row->pattern, row->pattern_size};
    return true;
}

/* The row of the family that a name belongs to; *part is what differs in it. */
static bool find_family(const struct w_inline_table *t, const struct key *key, struct w_span name,
                        struct w_span *pattern, struct w_span *part)
{
    for (size_t i = t->family_count; i-- > 0;) {
        const struct family *f = &t->families[i];
        const u8 *of_row = t->bytes.at + f->name;
        const size_t prefix = f->form.prefix, suffix = f->form.suffix;
        if (key->size <= prefix + suffix || memcmp(key->bytes, of_row, prefix) ||
            memcmp(key->bytes + key->size - suffix, of_row + f->name_size - suffix, suffix))
            continue;
        *part = (struct w_span){name.at + prefix, key->size - prefix - suffix};
        if (!w_name_part_is(f->form.part, &t->language, *part))
            continue;
        struct key row_key = {.size = f->name_size};
        memcpy(row_key.bytes, of_row, row_key.size);
        return find_key(t, &row_key, pattern);
    }
    return false;
}

bool w_inline_table_find(const struct w_inline_table *t, struct w_span name, struct w_span *pattern,
                         struct w_span *part)
{
    struct key key;

    *part = (struct w_span){0};
    return make_key(&key, name) &&
           (find_key(t, &key, pattern) || find_family(t, &key, w_span_trim(name), pattern, part));
}

/* ---- rows ---- */

static enum w_status add_family(struct w_inline_table *t, const struct row *row,
                                struct w_name_family form, struct w_err *err)
{
    enum w_status status = w_grow(&t->families, &t->family_room, t->family_count + 1,
                                  sizeof *t->families, "families of templates", err);

    if (!status)
        t->families[t->family_count++] = (struct family){form, row->name, row->name_size};
    return status;
}

static enum w_status add_row(struct w_inline_table *t, struct w_span name, struct w_span pattern,
                             struct w_err *err)
{
    struct key key;
    struct w_name_family form;
    enum w_status status = w_pattern_check(pattern, err);

    if (status)
        return status;
    if (!make_key(&key, name))
        return w_fail(err, W_USAGE, "a name has 1 to %d bytes", NAME_MAX_BYTES);
    if ((status = w_name_family_of((struct w_span){key.bytes, key.size}, &form, err)))
        return status;
    if (t->count >= t->room / 2 && (status = grow(t, err)))
        return status;
    struct row *row = locate(t, &key);
    const bool is_new = !row->name_size;
    if (is_new) {
        row->name = (u32)t->bytes.size;
        w_buffer_put(&t->bytes, key.bytes, key.size);
    }
    u32 at = (u32)t->bytes.size;
    w_buffer_span(&t->bytes, pattern);
    if (t->bytes.failed)
        return w_fail(err, W_NOMEM, "no memory for the table of templates");
    t->count += is_new;
    row->name_size = (u8)key.size;
    row->pattern = at;
    row->pattern_size = (u32)pattern.size;
    return is_new && form.part != W_PART_NONE ? add_family(t, row, form, err) : W_DONE;
}

enum w_status w_inline_table_add(struct w_inline_table *t, struct w_span text, struct w_err *err)
{
    u32 number = 0;

    text = w_span_unmarked(text);
    if (text.size > UINT32_MAX / 4)
        return w_fail(err, W_LIMIT, "a table of templates of more than 1 GiB");
    if (!w_utf8_valid(text.at, text.size))
        return w_fail(err, W_USAGE, "the table is not UTF-8");
    while (text.size) {
        const u8 *end = memchr(text.at, '\n', text.size);
        struct w_span line = {text.at, end ? (size_t)(end - text.at) : text.size};
        number++;
        text = w_span_from(text, W_MIN(line.size + 1, text.size));
        line = w_span_trim(line);
        if (!line.size || *line.at == '#')
            continue;
        const u8 *equals = memchr(line.at + 1, '=', line.size - 1); /* {{=}} has a name too */
        if (!equals)
            return w_fail(err, W_USAGE, "line %u: no '=' between a name and a pattern", number);
        struct w_span name = {line.at, (size_t)(equals - line.at)};
        struct w_span pattern = {equals + 1, line.size - name.size - 1};
        enum w_status status = add_row(t, name, w_span_trim(pattern), err);
        if (status)
            return w_fail_at(err, status, "line %u", number);
    }
    return W_DONE;
}

enum w_status w_inline_table_new(struct w_inline_table **table, const struct w_wiki_site *site,
                                 struct w_err *err)
{
    const char *language = w_wiki_site_language(site);
    struct w_inline_table *t = calloc(1, sizeof *t);
    enum w_status status;

    *table = NULL;
    if (!t)
        return w_fail(err, W_NOMEM, "no memory for the table of templates");
    t->language = w_wiki_language_of(language);
    status = grow(t, err);
    for (size_t i = 0; i < w_inline_rows_count && !status; i++) {
        const struct w_inline_rows *rows = &w_inline_rows[i];
        if ((!rows->language || w_wiki_language_is(language, rows->language)) &&
            (!rows->wiktionary || w_wiki_site_is_wiktionary(site)))
            status = w_inline_table_add(t, w_span_of(rows->rows), err);
    }
    if (status)
        w_inline_table_free(t);
    else
        *table = t;
    return status;
}

void w_inline_table_free(struct w_inline_table *t)
{
    if (!t)
        return;
    w_buffer_free(&t->bytes);
    free(t->rows);
    free(t->families);
    free(t);
}
