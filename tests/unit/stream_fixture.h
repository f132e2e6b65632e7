/* stream_fixture.h - small streams in memory (a memfd), for the tests of the stream. */
#ifndef W_STREAM_FIXTURE_H
#define W_STREAM_FIXTURE_H

#include <stdio.h>
#include <sys/mman.h>

#include "wire/stream.h"

struct fixture {
    struct w_output out; /* a memfd */
    struct w_input in;   /* the same memfd */
    struct w_err err;
};

static inline void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->out.fd = memfd_create("stream", 0);
    assert_true(f->out.fd >= 0);
    snprintf(f->out.name, sizeof f->out.name, "memory");
}

static inline void fixture_free(struct fixture *f)
{
    close(f->out.fd);
}

/* Ids that compress like text does: a few of them often. */
static inline u16 *make_ids(size_t count)
{
    u16 *ids = malloc(count * sizeof *ids);
    u32 x = 12345;
    for (size_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (u16)((x >> 16) % ((x >> 30) ? 50 : 5000));
    }
    return ids;
}

/* tokens: u16; batch: 4 x 5 of u16; tensors: whatever the caller's header says. */
static inline void make_header(struct w_header *h, enum w_kind kind, u64 blob_bytes)
{
    struct w_err err = {0};
    u64 shape[2] = {4, 5};
    assert_int_equal(w_header_begin(h, kind, "test 1", &err), W_DONE);
    if (kind == W_TOKENS)
        assert_int_equal(w_header_add(h, "tok", W_TYPE_U16, 0, NULL, &err), W_DONE);
    else if (kind == W_BATCH)
        assert_int_equal(w_header_add(h, "x", W_TYPE_U16, 2, shape, &err), W_DONE);
    else
        assert_int_equal(w_header_add(h, "w", W_TYPE_U8, 1, &blob_bytes, &err), W_DONE);
}

/* Append a member with these records. */
static inline void add_member(struct fixture *f, enum w_kind kind, const void *records, u64 count,
                              struct w_write_options options)
{
    struct w_header h;
    struct w_writer *w = NULL;
    make_header(&h, kind, count);
    assert_int_equal(w_writer_open(&w, &f->out, &h, &options, &f->err), W_DONE);
    w_header_free(&h);
    assert_int_equal(w_writer_records(w, records, count, &f->err), W_DONE);
    assert_int_equal(w_writer_close(&w, NULL, &f->err), W_DONE);
    assert_null(w);
}

static inline void make_stream(struct fixture *f, enum w_kind kind, const void *records, u64 count,
                               struct w_write_options options)
{
    fixture_open(f);
    add_member(f, kind, records, count, options);
}

/* Read the same bytes from their beginning. */
static inline void reader_of(struct fixture *f, struct w_reader **r)
{
    memset(&f->in, 0, sizeof f->in);
    f->in.fd = f->out.fd;
    f->in.seekable = true;
    f->in.size_bytes = f->out.bytes;
    snprintf(f->in.name, sizeof f->in.name, "memory");
    assert_int_equal(lseek(f->in.fd, 0, SEEK_SET), 0);
    assert_int_equal(w_reader_open(r, &f->in, &f->err), W_DONE);
}

#endif
