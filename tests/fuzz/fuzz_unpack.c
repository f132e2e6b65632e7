/* Any bytes as a compressed file: refused with the place, or unpacked, the same with one thread and
 * with several. A file of no known format comes as it is. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sys/file_kind.h"
#include "sys/unpack.h"

#define OUT_LIMIT ((size_t)8 << 20) /* enough of a bomb */

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

/* W_LIMIT where there is more than the limit. */
static enum w_status unpack(struct w_buffer *out, int fd, u32 threads)
{
    struct w_input in = {.fd = fd, .name = "fuzz"};
    struct w_unpack *u = NULL;
    struct w_err err = {0};
    const u8 *piece = NULL;
    size_t size = 0;

    if (lseek(fd, 0, SEEK_SET))
        abort();
    enum w_status status = w_unpack_open(&u, &in, threads, &err);
    while (!status && !(status = w_unpack_next(u, &piece, &size, &err))) {
        if (size == 0)
            abort();
        w_buffer_put(out, piece, size);
        if (out->size > OUT_LIMIT) {
            status = W_LIMIT;
            out->size = OUT_LIMIT;
            w_unpack_close(&u);
            return status;
        }
    }
    if (status != W_END && (w_exit_code(status) != 3 || !strstr(err.text, "fuzz: ")))
        abort();
    w_unpack_close(&u);
    return status;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_buffer one = {0}, more = {0};
    int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    const char *format = w_unpack_known(bytes, size);
    enum w_status status = unpack(&one, fd, 1);
    if (!format && (status != W_END || one.size != size || (size && memcmp(one.at, bytes, size))))
        abort();
    /* What comes before a failure is as much as each decoder had at hand. */
    bool whole = status == W_END || status == W_LIMIT;
    enum w_status again = format ? unpack(&more, fd, 3) : W_NO;
    if (format && (again != status || (whole && (one.size != more.size ||
                                                 (one.size && memcmp(one.at, more.at, one.size))))))
        abort();
    const struct w_file_kind *kind = w_file_kind(bytes, size, true);
    if (kind && !*kind->name)
        abort();
    close(fd);
    w_buffer_free(&one);
    w_buffer_free(&more);
    return 0;
}
