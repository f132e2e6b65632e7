/* fuzz_stream.c - any bytes as a stream. Checksums stay on, as in every build of the reader: the
 * mutator makes them right again after a change, or nothing would get past them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/right_frames.h"
#include "wire/frame.h"
#include "wire/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

/* A small whole stream, to begin with: nobody finds 16 right bytes by chance. */
static size_t seed_stream(uint8_t *data, size_t room, unsigned seed)
{
    struct w_output out = {.fd = memfd_create("seed", 0), .name = "seed"};
    struct w_write_options options = {.level = (int)(seed % 2), .frame_bytes = 200};
    struct w_header h;
    struct w_writer *w = NULL;
    struct w_err err;
    u8 records[400] = {0};
    u64 shape[2] = {3, 4};
    size_t size = 0;

    for (size_t i = 64; i < sizeof records; i++) /* after the padding of tensors */
        records[i] = (u8)(i % 5 ? 0 : i % 3);
    for (enum w_kind kind = W_TOKENS; kind <= W_TENSORS; kind++) {
        u64 count = kind == W_TOKENS ? 190 : kind == W_BATCH ? 9 : 64 + 12;
        if (seed % 4 != 3 && kind != (enum w_kind)(seed % 4))
            continue; /* one kind, or a member of each */
        if (w_header_begin(&h, kind, "seed", &err) ||
            w_header_add(&h, "x", kind == W_TENSORS ? W_TYPE_U8 : W_TYPE_U16,
                         kind == W_TOKENS ? 0 : 2, shape, &err) ||
            (kind == W_BATCH && w_header_add(&h, "n", W_TYPE_U8, 2, shape, &err)) ||
            (kind == W_TENSORS && w_header_add(&h, "y", W_TYPE_F32, 1, shape, &err)) ||
            w_writer_open(&w, &out, &h, &options, &err) ||
            w_writer_records(w, records, count, &err) || w_writer_note(w, "{\"n\":1}", &err) ||
            w_writer_close(&w, NULL, &err))
            abort();
        w_header_free(&h);
    }
    if (out.bytes <= room && pread(out.fd, data, out.bytes, 0) == (ssize_t)out.bytes)
        size = out.bytes;
    close(out.fd);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (size < W_FRAME_BYTES) {
        size_t made = seed_stream(data, room, seed / 8);
        return made ? made : LLVMFuzzerMutate(data, size, room);
    }
    size = LLVMFuzzerMutate(data, size, room);
    if (seed % 8)
        make_frames_right(data, size);
    return size;
}

static void read_stream(struct w_input *in, bool seek)
{
    struct w_reader *r = NULL;
    struct w_err err = {0};
    const struct w_header *h;
    const void *records;
    u64 count, sum = 0;

    lseek(in->fd, 0, SEEK_SET);
    enum w_status status = w_reader_open(&r, in, &err);
    while (!status && !(status = w_reader_member(r, &h, &err))) {
        u64 known = w_reader_known_count(r);
        if (seek && known > 0)
            status = w_reader_seek(r, known / 2, &err);
        while (!status && !(status = w_reader_records(r, &records, &count, &err)))
            for (u64 i = 0; i < count * h->record_bytes; i++)
                sum += ((const u8 *)records)[i]; /* a sanitizer sees that they are there */
        if (status == W_END)
            status = W_DONE;
    }
    /* An answer is the end, or a reason; sum is used so that the loop stays. */
    if ((status != W_END && (!err.text[0] || w_exit_code(status) == 0)) || sum == UINT64_MAX)
        abort();
    w_reader_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", 0);
    if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    struct w_input file = {.fd = fd, .seekable = true, .size_bytes = size, .name = "file"};
    struct w_input pipe = {.fd = fd, .name = "pipe"};
    read_stream(&pipe, false);
    read_stream(&file, true);
    return 0;
}
