#include "sys/deflate.h"

#include <stdlib.h>
#include <zlib.h>

struct w_deflater {
    z_stream z;
};
struct w_inflater {
    z_stream z;
};

u32 w_crc32(u32 crc, const void *bytes, size_t size)
{
    const Bytef *p = bytes;

    while (size > 0) {
        uInt piece = (uInt)W_MIN(size, (size_t)1 << 30);
        crc = (u32)crc32(crc, p, piece);
        p += piece, size -= piece;
    }
    return crc;
}

enum w_status w_deflater_new(struct w_deflater **out, int level, struct w_err *err)
{
    struct w_deflater *d = calloc(1, sizeof *d);

    if (!d || deflateInit(&d->z, level) != Z_OK) {
        free(d);
        *out = NULL;
        return w_fail(err, W_NOMEM, "no memory for a compressor");
    }
    *out = d;
    return W_DONE;
}

void w_deflater_free(struct w_deflater *d)
{
    if (d)
        deflateEnd(&d->z);
    free(d);
}

size_t w_deflate_bound(size_t size)
{
    return compressBound(size);
}

enum w_status w_deflate(struct w_deflater *d, const void *in, size_t size, void *out,
                        size_t *out_size, struct w_err *err)
{
    size_t bound = w_deflate_bound(size);

    if (size > UINT32_MAX / 2 || deflateReset(&d->z) != Z_OK)
        return w_fail(err, W_LIMIT, "cannot compress a frame of %zu bytes", size);
    d->z.next_in = (z_const Bytef *)in;
    d->z.avail_in = (uInt)size;
    d->z.next_out = out;
    d->z.avail_out = (uInt)bound;
    if (deflate(&d->z, Z_FINISH) != Z_STREAM_END)
        return w_fail(err, W_NOMEM, "the compressor failed on %zu bytes", size);
    *out_size = bound - d->z.avail_out;
    return W_DONE;
}

enum w_status w_inflater_new(struct w_inflater **out, struct w_err *err)
{
    struct w_inflater *d = calloc(1, sizeof *d);

    if (!d || inflateInit(&d->z) != Z_OK) {
        free(d);
        *out = NULL;
        return w_fail(err, W_NOMEM, "no memory for a decompressor");
    }
    *out = d;
    return W_DONE;
}

void w_inflater_free(struct w_inflater *d)
{
    if (d)
        inflateEnd(&d->z);
    free(d);
}

enum w_status w_inflate(struct w_inflater *d, const void *in, size_t size, void *raw,
                        size_t raw_size, struct w_err *err)
{
    if (size > UINT32_MAX || raw_size > UINT32_MAX || inflateReset(&d->z) != Z_OK)
        return w_fail(err, W_LIMIT, "compressed frame of %zu bytes", size);
    d->z.next_in = (z_const Bytef *)in;
    d->z.avail_in = (uInt)size;
    d->z.next_out = raw;
    d->z.avail_out = (uInt)raw_size;
    int result = inflate(&d->z, Z_FINISH);
    if (result == Z_MEM_ERROR)
        return w_fail(err, W_NOMEM, "no memory to decompress");
    if (result != Z_STREAM_END || d->z.avail_in || d->z.avail_out)
        return w_fail(err, W_CORRUPT, "compressed data is damaged");
    return W_DONE;
}

const char *w_zlib_version(void)
{
    return zlibVersion();
}
