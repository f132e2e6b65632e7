/* The writer of wts.h: that of wire/stream.h, with its output. One thread compresses, the caller's,
 * where a filter gains much for little: tokens and batches, as the programs do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/outcome.h"
#include "wire/stream.h"

struct wts_writer {
    struct w_output out;
    struct w_writer *stream;
    char by[64]; /* who gives up, in an abort frame */
};

/* What is wrong with a stream that is being written, the caller gave. */
static enum wts_status outcome(enum w_status status)
{
    const enum wts_status of_data = w_outcome(status);
    return of_data == WTS_DATA ? WTS_USAGE : of_data;
}

/* The keys of a caller, without those that make_header() sets. */
static void add_keys(struct w_header *h, const struct w_json *given)
{
    static const char *const made[] = {"wts", "kind", "by", "rec", "tensors"};

    for (const struct w_json *j = w_json_first(given); j; j = w_json_next(j)) {
        size_t i = 0;
        while (i < W_COUNTOF(made) && strcmp(made[i], w_json_key(j)))
            i++;
        if (i == W_COUNTOF(made))
            w_json_set(h->json, w_json_key(j), w_json_copy(j));
    }
}

static enum w_status add_array(struct w_header *h, const struct wts_array *a, struct w_err *err)
{
    enum w_type type = 0;

    while (type < W_TYPES && strcmp(w_type_name(type), a->type))
        type++;
    if (type == W_TYPES)
        return w_fail(err, W_USAGE, "header: %s is no type of numbers", a->type);
    return w_header_add(h, a->name, type, a->ndim, a->shape, err);
}

static enum w_status make_header(struct w_header *h, const struct wts_member *m, struct w_err *err)
{
    enum w_kind kind = W_TOKENS;
    struct w_json *given = NULL;

    while (kind < W_COUNTS && strcmp(w_kind_name(kind), m->kind))
        kind++;
    if (strcmp(w_kind_name(kind), m->kind))
        return w_fail(err, W_USAGE, "header: %s is no kind of stream", m->kind);
    enum w_status status = m->json ? w_json_parse(&given, m->json, strlen(m->json), err) : W_DONE;
    if (!status && m->json && !w_json_is_object(given))
        status = w_fail(err, W_USAGE, "the keys of a header are no JSON object");
    const char *by = w_json_string(w_json_get(given, "by"));
    if (!status)
        status = w_header_begin(h, kind, by ? by : "libwts " W_VERSION_TEXT, err);
    for (u32 i = 0; i < m->array_count && !status; i++)
        status = add_array(h, &m->arrays[i], err);
    if (!status)
        add_keys(h, given);
    w_json_free(given);
    return status;
}

static void release(struct wts_writer **writer)
{
    w_output_abort(&(*writer)->out); /* harmless where it was committed */
    free(*writer);
    *writer = NULL;
}

enum wts_status wts_writer_open(struct wts_writer **writer, const char *path,
                                const struct wts_member *member)
{
    struct w_err *err = w_outcome_err();
    struct w_header header = {0};
    struct wts_writer *w = *writer = calloc(1, sizeof *w);

    if (!w)
        return w_outcome(w_fail(err, W_NOMEM, "no memory for a stream writer"));
    w->out.fd = -1;
    enum w_status status = w_output_open(&w->out, path, err);
    if (!status && (status = make_header(&header, member, err)) != W_DONE)
        w_fail_at(err, status, "%s", w->out.name);
    if (!status) {
        const struct w_write_options options = {.level = w_kind_is_blob(header.kind) ? 0 : 1};
        const char *by = w_json_string(w_json_get(header.json, "by"));
        snprintf(w->by, sizeof w->by, "%s", by ? by : "");
        status = w_writer_open(&w->stream, &w->out, &header, &options, err);
    }
    if (status)
        release(writer);
    w_header_free(&header);
    return outcome(status);
}

enum wts_status wts_writer_records(struct wts_writer *w, const void *records, uint64_t count)
{
    return outcome(w_writer_records(w->stream, records, count, w_outcome_err()));
}

enum wts_status wts_writer_finish(struct wts_writer **writer)
{
    struct w_err *err = w_outcome_err();
    struct wts_writer *w = *writer;

    enum w_status status = w_writer_close(&w->stream, NULL, err);
    if (!status)
        status = w_output_commit(&w->out, err);
    release(writer);
    return outcome(status);
}

void wts_writer_abort(struct wts_writer **writer, const char *why)
{
    struct w_err reason = {0};

    if (!*writer)
        return;
    w_fail(&reason, W_IO, "%s", why ? why : "stopped");
    w_writer_abort(&(*writer)->stream, (*writer)->by, &reason);
    release(writer);
}
