/* What is in a stream, for people: what `wcat FILE` shows on a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "sys/printed.h"
#include "tools/wcat.h"
#include "tools/wrap.h"

#define LABEL 14  /* columns before a fact */
#define FACT 2000 /* bytes of a fact; a longer one, such as a command line of many files, is cut */
#define SOURCES_MAX 8 /* programs upstream of the last one that are named */

/* Facts of a kind with ", " between them. */
struct facts {
    char text[FACT];
    size_t size;
};

static void W_PRINTF(2, 3) add(struct facts *f, const char *format, ...)
{
    va_list args;

    if (f->size && f->size + 2 < sizeof f->text)
        f->size += (size_t)snprintf(f->text + f->size, sizeof f->text - f->size, ", ");
    va_start(args, format);
    const int n = vsnprintf(f->text + f->size, sizeof f->text - f->size, format, args);
    va_end(args);
    f->size = W_MIN(f->size + (size_t)n, sizeof f->text - 1);
}

/* "key value", or that of each member of an object. */
static enum w_status add_member(struct facts *f, const struct w_json *member, struct w_err *err)
{
    const char *string = w_json_string(member);
    enum w_status status = W_DONE;

    if (w_json_is_object(member)) {
        for (const struct w_json *m = w_json_first(member); m && !status; m = w_json_next(m))
            status = add_member(f, m, err);
        return status;
    }
    char *text = w_json_text(member, err);
    if (!text)
        return W_NOMEM;
    add(f, "%s %s", w_json_key(member), string ? string : text);
    free(text);
    return W_DONE;
}

/* A file may say anything: control characters of its texts do not reach the terminal. */
static void put(FILE *out, const char *label, struct facts *f)
{
    if (f->size == 0)
        return;
    w_utf8_hide_controls(f->text);
    fprintf(out, "  %-*s", LABEL - 2, label);
    w_wrap(out, f->text, LABEL, LABEL);
    fputc('\n', out);
    f->size = 0;
}

/* ---- what the header says ---- */

static void put_contents(FILE *out, const char *path, const struct totals *t,
                         const struct w_header *h)
{
    const struct w_array *first = h->array_count ? &h->arrays[0] : NULL;
    const unsigned long long records = t->records;
    char counted[W_COUNTED];

    fprintf(out, "%s: ", path);
    if (h->kind == W_TOKENS)
        fprintf(out, "%llu ids in %s", records, w_counted(counted, t->ids.docs, "document"));
    else if (h->kind == W_BATCH && first && first->ndim == 2)
        fprintf(out, "%s of %llu x %llu ids", w_counted(counted, records, "batch"),
                (unsigned long long)first->shape[0], (unsigned long long)first->shape[1]);
    else
        fprintf(out, "%u %s, %llu bytes", h->array_count,
                h->kind == W_TENSORS ? "tensors" : "arrays of counts", records);
    fputc('\n', out);
}

static void put_vocabulary(FILE *out, struct facts *f, const struct totals *t,
                           const struct w_header *h)
{
    const struct w_json *tok = w_header_tok(h);
    const char *type = w_json_string(w_json_get(tok, "type"));
    const char *split = w_json_string(w_json_get(tok, "split")), *sha256 = w_tok_sha256(tok);
    u64 ids;

    if (w_json_u64(w_json_get(tok, "size"), 0, UINT32_MAX, &ids))
        add(f, "%llu ids", (unsigned long long)ids);
    if (t->ids.said.id_bytes)
        add(f, "%llu of them occur", (unsigned long long)t->ids.distinct);
    if (type && split)
        add(f, "%s, split as %s", type, split);
    if (sha256)
        add(f, "%.12s", sha256);
    put(out, "vocabulary", f);
}

/* The programs that made it, the last one first. */
static void put_programs(FILE *out, struct facts *f, const struct w_json *header)
{
    for (u32 i = 0; header && i < SOURCES_MAX; i++, header = w_json_get(header, "src")) {
        const char *by = w_json_string(w_json_get(header, "by"));
        const char *argv = w_json_string(w_json_get(header, "argv"));
        if (by)
            add(f, "%s%s%s", by, argv ? ": " : "", argv ? argv : "");
        put(out, i == 0 ? "made by" : "from", f);
    }
}

/* All else that the header says: of objects a line each, of the rest one together. */
static enum w_status put_rest(FILE *out, struct facts *f, const struct w_json *header,
                              struct w_err *err)
{
    static const char *const said[] = {"wts", "kind", "rec", "tensors", "tok", "src", "argv", "by"};
    enum w_status status = W_DONE;

    for (u32 objects = 0; objects < 2; objects++) {
        for (const struct w_json *m = w_json_first(header); m && !status; m = w_json_next(m)) {
            bool skip = w_json_is_object(m) != objects;
            for (size_t i = 0; i < W_COUNTOF(said); i++)
                skip |= !strcmp(w_json_key(m), said[i]);
            if (!skip)
                status = add_member(f, m, err);
            if (!skip && objects)
                put(out, w_json_key(m), f);
        }
        put(out, "header", f);
    }
    return status;
}

static void put_size(FILE *out, struct facts *f, const struct totals *t)
{
    add(f, "whole: every checksum holds");
    add(f, "%.1f MB in %llu frames", (double)t->bytes / 1e6, (unsigned long long)t->frames);
    if (t->members > 1)
        add(f, "%llu members (this is the first)", (unsigned long long)t->members);
    if (t->stored < t->raw)
        add(f, "%.3f of the size without compression", (double)t->stored / (double)t->raw);
    put(out, "file", f);
}

enum w_status wcat_summary(const char *path, struct w_output *to, struct w_err *err)
{
    struct w_printed text = {0};
    struct w_header first = {0};
    struct facts facts = {0};
    struct totals totals;

    enum w_status status = wcat_count(path, &totals, &first, err);
    if (!status)
        status = w_printed_open(&text, err);
    if (!status) {
        put_contents(text.file, strcmp(path, "-") ? path : "standard input", &totals, &first);
        put_vocabulary(text.file, &facts, &totals, &first);
        status = put_rest(text.file, &facts, first.json, err);
        put_programs(text.file, &facts, first.json);
        put_size(text.file, &facts, &totals);
    }
    if (!status)
        status = w_printed_close(&text, err);
    if (!status)
        status = w_output_write(to, text.text, text.size, err);
    w_printed_release(&text);
    w_header_free(&first);
    return status;
}
