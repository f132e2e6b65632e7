/* wts.h - streams of wtools in C: tokens, batches, tensors and counts, in files and pipes.
 * wstream(5) says what they hold, wts(3) how to compile and link:
 *
 *     cc program.c $(pkg-config --cflags --libs wts)
 *
 * Reading, from a path or from standard input ("-"):
 *
 *     struct wts_reader *r;
 *     const struct wts_member *member;
 *     const void *records;
 *     uint64_t count;
 *     enum wts_status status = wts_reader_open(&r, "wiki.tok");
 *     while (r && !(status = wts_reader_member(r, &member)))
 *         while (!(status = wts_reader_records(r, &records, &count)))
 *             use(member, records, count);
 *     wts_reader_close(&r);
 *     if (status != WTS_END)
 *         fprintf(stderr, "%s\n", wts_error());
 *
 * Only WTS_END from wts_reader_member() means that the whole stream was there and undamaged: what
 * was read before any other end must not be trusted to be complete.
 *
 * Writing tokens of 16 bits:
 *
 *     const struct wts_array column = {.name = "tok", .type = "u16"};
 *     const struct wts_member member = {
 *         .kind = "tokens", .arrays = &column, .array_count = 1, .json = "{\"vocab\":300}"};
 *     struct wts_writer *w;
 *     enum wts_status status = wts_writer_open(&w, "new.tok", &member);
 *     if (!status)
 *         status = wts_writer_records(w, ids, count);        // as often as you like
 *     if (!status)
 *         status = wts_writer_finish(&w);                    // new.tok appears
 *     wts_writer_abort(&w, NULL);                            // after a failure: nothing appears
 *
 * Threads: a handle belongs to one thread at a time; different handles are independent. The library
 * starts no threads, prints nothing, reads no variable of the environment, and calls a read or a
 * write again that a signal interrupted.
 *
 * Memory: a reader holds a header, of at most 8 MiB, and three frames of at most 16 MiB, whatever
 * the stream says. */
#ifndef WTS_H
#define WTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns. The failures are the exit statuses of the programs of wtools. */
enum wts_status {
    WTS_OK = 0,
    WTS_END = 1,   /* no failure: there is no further member, or no further record in this one */
    WTS_USAGE = 2, /* the caller's arguments or order of calls are wrong */
    WTS_DATA =
        3, /* the stream is damaged, cut, given up by its writer, or made for a newer reader */
    WTS_SYSTEM = 4, /* the system cannot open, read, write or rename, or has no memory */
    WTS_CLOSED = 5, /* nobody reads the pipe that is written to (and SIGPIPE is ignored) */
};

/* The last failure of a call in this thread: one line for people, without a newline, that names the
 * file; "" before the first. Valid until the next call in this thread. */
const char *wts_error(void);

/* "0.1.0" */
const char *wts_version(void);

/* A column of a record, or a tensor of a blob. To a writer, the name, type and shape say all. */
struct wts_array {
    const char *name;
    const char *type; /* of a number: "u8" "u16" "u32" "u64" "i32" "i64" "f16" "bf16" "f32" "f64" */
    uint32_t ndim;    /* 0: one number */
    uint32_t number_bytes; /* of a number */
    uint64_t shape[8];     /* the last dimension varies fastest */
    uint64_t offset;       /* bytes before it in the record, or in the blob */
    uint64_t bytes;        /* of all its numbers */
};

/* One of the streams of a file, which may hold several: how its records look. */
struct wts_member {
    const char *kind;               /* "tokens" "batch" "tensors" "counts" */
    const struct wts_array *arrays; /* columns of tokens and batches, tensors of the others */
    uint32_t array_count;
    uint32_t record_bytes; /* tensors and counts: 1, a byte of the blob */
    uint64_t records;      /* of the member; 0: not known before the end, as in a pipe */
    const char *json;      /* its header, a JSON object; to a writer, see there */
};

/* The array of that name, or NULL. */
const struct wts_array *wts_member_find(const struct wts_member *member, const char *name);

/* ---- reading ---- */

struct wts_reader;

/* Open a path; "-" is standard input. WTS_SYSTEM, and *reader is NULL. */
enum wts_status wts_reader_open(struct wts_reader **reader, const char *path);

/* The same for a descriptor, which stays the caller's and must not move meanwhile; a regular file
 * is read from where it stands. `name` is for messages. */
enum wts_status wts_reader_open_fd(struct wts_reader **reader, int fd, const char *name);

/* Go to the first member, or to the next one after what is left of the present one has been
 * checked. *member is the reader's, until this is called again or the reader is closed; NULL unless
 * WTS_OK. WTS_END: the stream was whole, and this is its end. WTS_DATA; WTS_SYSTEM: every later
 * call fails in the same way, unless it was for lack of memory. */
enum wts_status wts_reader_member(struct wts_reader *reader, const struct wts_member **member);

/* The next records of the member, as many as a frame holds: count * record_bytes bytes in memory of
 * the reader, valid until its next call. Their numbers are little-endian and may lie at any
 * address: copy them with memcpy(). WTS_END: there are no more. WTS_DATA, WTS_SYSTEM: as above. */
enum wts_status wts_reader_records(struct wts_reader *reader, const void **records,
                                   uint64_t *count);

/* Copy a tensor of the present member, tensor->bytes bytes, to memory of the caller. Records go on
 * after it. In a regular file tensors may be read in any order, and the frames between are passed
 * unread; in a pipe only in the order of the list. WTS_USAGE: the member has no tensors. WTS_DATA;
 * WTS_SYSTEM, also for going back in a pipe. */
enum wts_status wts_reader_tensor(struct wts_reader *reader, const struct wts_array *tensor,
                                  void *numbers);

/* Release the reader and set *reader to NULL; NULL is harmless. */
void wts_reader_close(struct wts_reader **reader);

/* ---- writing ---- */

struct wts_writer;

/* Begin a stream of one member. Its kind and the names, types and shapes of its arrays are taken
 * from *member, and from json, if that is not NULL, the other keys of the header, such as vocab,
 * eot, tok and by (the program); the member of a reader will do. A file appears under the path when
 * it is finished; "-" is standard output. WTS_USAGE: wstream(5) does not allow such a header;
 * WTS_SYSTEM; WTS_CLOSED. *writer is NULL then. */
enum wts_status wts_writer_open(struct wts_writer **writer, const char *path,
                                const struct wts_member *member);

/* Append records, of as many bytes as the header's columns have, or bytes of the blob: the tensors
 * in their order, each at the next multiple of 64, with zeroes between. WTS_USAGE: more than there
 * are tensors; WTS_SYSTEM, WTS_CLOSED. After a failure every later call fails in the same way, and
 * wts_writer_finish() too. */
enum wts_status wts_writer_records(struct wts_writer *writer, const void *records, uint64_t count);

/* Write the end, put the file in its place (or close standard output), and release the writer:
 * *writer is NULL afterwards, whatever happened. After a failure there is no file. WTS_USAGE: fewer
 * bytes than there are tensors; WTS_SYSTEM, WTS_CLOSED. */
enum wts_status wts_writer_finish(struct wts_writer **writer);

/* Give the stream up, and release the writer; NULL is harmless. No file appears; who reads a pipe
 * is told why (NULL: "stopped"), in one line, and fails. */
void wts_writer_abort(struct wts_writer **writer, const char *why);

#ifdef __cplusplus
}
#endif

#endif
