/* The reader of wts.h: that of wire/stream.h, with the header as structs of the API. */
#include <stdlib.h>
#include <string.h>

#include "api/outcome.h"
#include "wire/stream.h"

struct wts_reader {
    struct w_input in;
    struct w_reader *stream;
    struct wts_member member; /* with the two below; zeroes: at none */
    struct wts_array *arrays;
    char *json;
    bool has_tensors;
};

static void forget_member(struct wts_reader *r)
{
    free(r->arrays);
    free(r->json);
    r->arrays = NULL;
    r->json = NULL;
    r->member = (struct wts_member){0};
    r->has_tensors = false;
}

void wts_reader_close(struct wts_reader **reader)
{
    struct wts_reader *r = *reader;

    *reader = NULL;
    if (!r)
        return;
    forget_member(r);
    w_reader_close(&r->stream);
    w_input_close(&r->in);
    free(r);
}

/* A reader of `path`, or, where there is none, of a descriptor. */
static enum wts_status open_reader(struct wts_reader **reader, const char *path, int fd,
                                   const char *name)
{
    struct w_err *err = w_outcome_err();
    struct wts_reader *r = *reader = calloc(1, sizeof *r);

    if (!r)
        return w_outcome(w_fail(err, W_NOMEM, "no memory for a stream reader"));
    enum w_status status =
        path ? w_input_open(&r->in, path, err) : w_input_from_fd(&r->in, fd, name, err);
    if (!status)
        status = w_reader_open(&r->stream, &r->in, err);
    if (status)
        wts_reader_close(reader);
    return w_outcome(status);
}

enum wts_status wts_reader_open(struct wts_reader **reader, const char *path)
{
    return open_reader(reader, path, -1, NULL);
}

enum wts_status wts_reader_open_fd(struct wts_reader **reader, int fd, const char *name)
{
    return open_reader(reader, NULL, fd, name);
}

static enum w_status take_member(struct wts_reader *r, const struct w_header *h, struct w_err *err)
{
    size_t size = 0;
    const char *line = w_reader_header_line(r->stream, &size);

    r->json = strndup(line, size);
    r->arrays = calloc(h->array_count, sizeof *r->arrays);
    if (!r->json || !r->arrays)
        return w_fail(err, W_NOMEM, "%s: no memory for a header of %zu bytes", r->in.name, size);
    for (u32 i = 0; i < h->array_count; i++) {
        const struct w_array *a = &h->arrays[i];
        r->arrays[i] = (struct wts_array){.name = a->name,
                                          .type = w_type_name(a->dtype),
                                          .ndim = a->ndim,
                                          .number_bytes = w_type_bytes(a->dtype),
                                          .offset = a->offset,
                                          .bytes = a->bytes};
        memcpy(r->arrays[i].shape, a->shape, sizeof a->shape);
    }
    r->has_tensors = w_kind_is_blob(h->kind);
    r->member = (struct wts_member){.kind = w_kind_name(h->kind),
                                    .arrays = r->arrays,
                                    .array_count = h->array_count,
                                    .record_bytes = (u32)h->record_bytes,
                                    .records = r->has_tensors ? h->blob_bytes
                                                              : w_reader_known_count(r->stream),
                                    .json = r->json};
    return W_DONE;
}

enum wts_status wts_reader_member(struct wts_reader *r, const struct wts_member **member)
{
    struct w_err *err = w_outcome_err();
    const struct w_header *header = NULL;

    forget_member(r);
    *member = NULL;
    enum w_status status = w_reader_member(r->stream, &header, err);
    if (!status)
        status = take_member(r, header, err);
    if (!status)
        *member = &r->member;
    return w_outcome(status);
}

const struct wts_array *wts_member_find(const struct wts_member *m, const char *name)
{
    for (u32 i = 0; i < m->array_count; i++)
        if (!strcmp(m->arrays[i].name, name))
            return &m->arrays[i];
    return NULL;
}

enum wts_status wts_reader_records(struct wts_reader *r, const void **records, uint64_t *count)
{
    return w_outcome(w_reader_records(r->stream, records, count, w_outcome_err()));
}

enum wts_status wts_reader_tensor(struct wts_reader *r, const struct wts_array *tensor,
                                  void *numbers)
{
    struct w_err *err = w_outcome_err();

    if (!r->has_tensors)
        return w_outcome(w_fail(err, W_USAGE, "%s: is at no member with tensors", r->in.name));
    enum w_status status = w_reader_seek(r->stream, tensor->offset, err);
    if (!status)
        status = w_reader_exactly(r->stream, numbers, tensor->bytes, err);
    return w_outcome(status);
}
