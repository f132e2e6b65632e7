/* stream.h - WTS v1, the one container of wtools: tokens, batches and tensors in checked frames.
 * man/wstream.5 has the bytes; this header how to write and read them.
 *
 * A file is one or more members. A member is a header (one line of JSON), frames of data records,
 * and an end frame. Without its end frame a member is an error, never a shorter file. What is in a
 * pipe is byte for byte what is in a file; nothing is patched afterwards.
 *
 *     w_writer_open(&w, &out, header, &options, &err)   // header: a w_header, built or copied
 *     w_writer_records(w, ids, count, &err)             // as often as you like
 *     w_writer_close(&w, stats, &err)                   // the end frame; or w_writer_abort()
 *
 *     w_reader_open(&r, &in, &err)
 *     while (!(status = w_reader_member(r, &header, &err)))          // W_END after the last member
 *         while (!(status = w_reader_records(r, &bytes, &count, &err)))  // W_END after each member
 *             use(bytes, count);
 *
 * Memory: a reader holds three frames (at most 16 MiB each) and the header, whatever the file says;
 * a writer holds 2 * threads + 1 frames.
 *
 * Reading anything may give W_CORRUPT, W_TRUNCATED (no end frame), W_ABORTED (the producer's own
 * message), W_NEWER (made for a newer reader), W_LIMIT, W_NOMEM, and what w_input_read() gives;
 * after a failure every later call returns the same. Writing may give W_NOMEM, what
 * w_output_write() gives, and W_LIMIT for more than a stream can hold; a failure is kept in the
 * same way. */
#ifndef W_STREAM_H
#define W_STREAM_H

#include "base/status.h"
#include "base/type.h"
#include "sys/input.h"
#include "sys/output.h"
#include "sys/json.h"

enum w_kind { W_TOKENS, W_BATCH, W_TENSORS, W_COUNTS };
const char *w_kind_name(enum w_kind kind); /* "tokens", "batch", "tensors", "counts" */

/* Is a record one byte of a blob of arrays, and not a row of columns? */
static inline bool w_kind_is_blob(enum w_kind kind)
{
    return kind >= W_TENSORS;
}

#define W_DIMS_MAX 8
#define W_TENSOR_ALIGN 64 /* bytes: every tensor begins at a multiple in the blob */
#define W_FEATURES_MAX 64 /* of the counts, for a token: column ctx of wstream(5) */
#define W_NAME_BYTES 256  /* with the NUL; [A-Za-z0-9_./-] */

/* A column of a record, or a tensor: a name, a type, a shape (ndim 0: one number). */
struct w_array {
    char name[W_NAME_BYTES];
    enum w_type dtype;
    u32 ndim;
    u64 shape[W_DIMS_MAX];
    u64 bytes;  /* computed: product of the shape times the size of the type */
    u64 offset; /* computed: in the record (column), or in the blob (tensor, aligned) */
};

/* The header of a member, checked. For tensors and counts a record is one byte of the blob. */
struct w_header {
    enum w_kind kind;
    u64 record_bytes;
    u64 blob_bytes; /* tensors, counts: of the whole blob */
    struct w_array *arrays;
    u32 array_count;
    struct w_json *json; /* the whole header, owned: other keys are read from here */
};

/* Build: begin with a kind, add arrays in order, then set further keys in header.json ("vocab",
 * "eot", "tok", "src", "state", ...; see wstream(5)). "wts", "kind", "rec"/"tensors" are written by
 * these functions. `by` is the program and its version. W_CORRUPT: a name, shape, type or order
 * that wstream(5) does not allow; W_LIMIT: too many or too large; W_NOMEM. */
enum w_status w_header_begin(struct w_header *, enum w_kind kind, const char *by,
                             struct w_err *) W_MUST_CHECK;
enum w_status w_header_add(struct w_header *, const char *name, enum w_type dtype, u32 ndim,
                           const u64 *shape, struct w_err *) W_MUST_CHECK;
/* Check a parsed header and fill the struct; takes over json, also when it fails. W_CORRUPT,
 * W_NEWER (an unknown kind, type, version or key in "must"), W_LIMIT, W_NOMEM; the last also for a
 * json of NULL, a copy that w_json_copy() could not make. */
enum w_status w_header_from_json(struct w_header *, struct w_json *json,
                                 struct w_err *) W_MUST_CHECK;
void w_header_free(struct w_header *); /* harmless on zeroes */
const struct w_array *w_header_find(const struct w_header *, const char *name); /* or NULL */
/* Bytes of an id, 2 or 4, where the records hold ids and nothing else: these have a filter of their
 * own (wire/id_filter.h). 0 where not. */
u32 w_header_only_ids(const struct w_header *);

/* ---- writing ---- */

struct w_write_options {
    u32 threads;     /* that compress, with the caller's, which does where it would wait; 0 or 1: it
                        alone does */
    int level;       /* of compression, 1 to 9; 0 stores */
    u64 frame_bytes; /* raw bytes of a data frame; 0: 1 MiB of tokens and tensors, 256 KiB of batches
                        (at least one record) */
};

/* The line of a header that is being built, with its newline, and the header as a reader will parse
 * it: a header that readers would refuse fails here, with their status. The caller frees both, also
 * after a failure. */
enum w_status w_header_line(const struct w_header *, char **line, size_t *size,
                            struct w_header *as_read, struct w_err *) W_MUST_CHECK;

struct w_writer;

/* Write a header frame. The output stays the caller's: commit or abort it after the writer. */
enum w_status w_writer_open(struct w_writer **, struct w_output *out, const struct w_header *header,
                            const struct w_write_options *, struct w_err *) W_MUST_CHECK;
/* Append records. They are copied; frames go out when full. */
enum w_status w_writer_records(struct w_writer *, const void *records, u64 count,
                               struct w_err *) W_MUST_CHECK;
/* Append the next tensor of a blob: the padding before it, and its bytes. */
enum w_status w_writer_tensor(struct w_writer *, const void *data, u64 bytes,
                              struct w_err *) W_MUST_CHECK;
/* Append one line of JSON, a measurement, as a note frame (type m). W_CORRUPT: not such a line. */
enum w_status w_writer_note(struct w_writer *, const char *json_line, struct w_err *) W_MUST_CHECK;
/* Write out what is buffered, so that a live reader sees it. */
enum w_status w_writer_flush(struct w_writer *, struct w_err *) W_MUST_CHECK;
/* Write index and end frame, with the members of `stats` (an object or NULL, not taken over) in the
 * end frame; release. After an earlier failure nothing more is written. W_CORRUPT: fewer bytes of
 * tensors than the header says. */
enum w_status w_writer_close(struct w_writer **, const struct w_json *stats,
                             struct w_err *) W_MUST_CHECK;
/* Write an abort frame with the reason, unless the output itself failed; release. Accepts NULL. */
void w_writer_abort(struct w_writer **, const char *tool, const struct w_err *why);
/* Records accepted so far. */
u64 w_writer_count(const struct w_writer *);

/* ---- reading ---- */

struct w_reader;

enum w_status w_reader_open(struct w_reader **, struct w_input *in, struct w_err *) W_MUST_CHECK;
/* Go to the next member: skips (and checks) the rest of the present one. *header is valid until
 * the next call. W_END at the end of the file. */
enum w_status w_reader_member(struct w_reader *, const struct w_header **header,
                              struct w_err *) W_MUST_CHECK;
/* The next frame of records; the bytes are valid until the next call. W_END at the end frame, which
 * has been checked. */
enum w_status w_reader_records(struct w_reader *, const void **records, u64 *count,
                               struct w_err *) W_MUST_CHECK;
/* Exactly count records into out; W_CORRUPT if the member ends before. */
enum w_status w_reader_exactly(struct w_reader *, void *out, u64 count,
                               struct w_err *) W_MUST_CHECK;
/* Up to count records into out, fewer only at the end of the member; *got says how many. */
enum w_status w_reader_upto(struct w_reader *, void *out, u64 count, u64 *got,
                            struct w_err *) W_MUST_CHECK;
/* Move to record `pos` of the present member. A regular file is read through its index; a pipe is
 * skipped frame by frame (forward only). W_MISMATCH: there are fewer records; W_IO: backwards in a
 * pipe. */
enum w_status w_reader_seek(struct w_reader *, u64 pos, struct w_err *) W_MUST_CHECK;
/* The header line of the member, without its newline, right after w_reader_member() and no
 * later. */
const char *w_reader_header_line(const struct w_reader *, size_t *size);
/* Records of the present member, if its end frame can be read in advance (in a regular file, where
 * few members follow), else 0. */
u64 w_reader_known_count(struct w_reader *);
/* The same for the present member and all that follow it. */
u64 w_reader_known_total(struct w_reader *);
/* The end frame's object, after W_END of the records; valid until the next member. */
const struct w_json *w_reader_end(const struct w_reader *);
/* Set the function that is called for each note that is read; NULL ignores them. */
void w_reader_on_note(struct w_reader *, void (*note)(void *context, const struct w_json *line),
                      void *context);
/* Set the function that is called for each frame after its checksums were verified; NULL for none.
 * `offset`: of its first byte in the file. wire/frame.h has struct w_frame. */
struct w_frame;
void w_reader_on_frame(struct w_reader *,
                       void (*frame)(void *context, u64 offset, const struct w_frame *frame),
                       void *context);
void w_reader_close(struct w_reader **); /* accepts NULL; the input stays the caller's */

#endif
