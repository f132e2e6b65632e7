#include "sys/deflate.h"

#include <libdeflate.h>
#include <stdlib.h>

struct w_deflater {
    struct libdeflate_compressor *z;
};
struct w_inflater {
    struct libdeflate_decompressor *z;
};

u32 w_crc32(u32 crc, const void *bytes, size_t size)
{
    return libdeflate_crc32(crc, bytes, size);
}

u32 w_adler32(const void *bytes, size_t size)
{
    return libdeflate_adler32(1, bytes, size);
}

enum w_status w_deflater_new(struct w_deflater **out, int level, struct w_err *err)
{
    struct w_deflater *d = calloc(1, sizeof *d);

    if (d)
        d->z = libdeflate_alloc_compressor(level);
    if (!d || !d->z) {
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
        libdeflate_free_compressor(d->z);
    free(d);
}

size_t w_deflate_bound(size_t size)
{
    return libdeflate_zlib_compress_bound(NULL, size);
}

enum w_status w_deflate(struct w_deflater *d, const void *in, size_t size, void *out,
                        size_t *out_size, struct w_err *err)
{
    *out_size = libdeflate_zlib_compress(d->z, in, size, out, w_deflate_bound(size));
    if (*out_size == 0)
        return w_fail(err, W_NOMEM, "the compressor failed on %zu bytes", size);
    return W_DONE;
}

enum w_status w_inflater_new(struct w_inflater **out, struct w_err *err)
{
    struct w_inflater *d = calloc(1, sizeof *d);

    if (d)
        d->z = libdeflate_alloc_decompressor();
    if (!d || !d->z) {
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
        libdeflate_free_decompressor(d->z);
    free(d);
}

enum w_status w_inflate_upto(struct w_inflater *d, const void *in, size_t size, void *raw,
                             size_t room, size_t *raw_size, struct w_err *err)
{
    size_t used = 0;

    if (libdeflate_zlib_decompress_ex(d->z, in, size, raw, room, &used, raw_size) !=
            LIBDEFLATE_SUCCESS ||
        used != size)
        return w_fail(err, W_CORRUPT, "compressed data is damaged");
    return W_DONE;
}

enum w_status w_inflate(struct w_inflater *d, const void *in, size_t size, void *raw,
                        size_t raw_size, struct w_err *err)
{
    size_t got = 0;
    enum w_status status = w_inflate_upto(d, in, size, raw, raw_size, &got, err);

    if (!status && got != raw_size)
        status = w_fail(err, W_CORRUPT, "compressed data is damaged");
    return status;
}

const char *w_deflate_version(void)
{
    return LIBDEFLATE_VERSION_STRING;
}
