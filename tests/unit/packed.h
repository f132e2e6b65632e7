/* packed.h - data compressed by the libraries themselves, for tests of what unpacks it. */
#ifndef PACKED_H
#define PACKED_H

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"

static inline void pack_gzip(struct w_buffer *out, const void *data, size_t size)
{
    z_stream z = {0};

    if (deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        !w_buffer_room(out, deflateBound(&z, size) + 64))
        abort();
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = out->at + out->size;
    z.avail_out = (uInt)(out->room - out->size);
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    out->size += z.total_out;
    deflateEnd(&z);
}

static inline void pack_bzip2(struct w_buffer *out, const void *data, size_t size)
{
    unsigned room = (unsigned)(size + size / 100 + 700);

    if (!w_buffer_room(out, room) ||
        BZ2_bzBuffToBuffCompress((char *)out->at + out->size, &room, (char *)(uintptr_t)data,
                                 (unsigned)size, 1, 0, 0) != BZ_OK)
        abort();
    out->size += room;
}

static inline void pack_xz(struct w_buffer *out, const void *data, size_t size)
{
    size_t at = out->size;

    if (!w_buffer_room(out, lzma_stream_buffer_bound(size)) ||
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, data, size, out->at, &at, out->room) !=
            LZMA_OK)
        abort();
    out->size = at;
}

/* Blocks that say their sizes, which may be decoded on threads. */
static inline void pack_xz_blocks(struct w_buffer *out, const void *data, size_t size)
{
    lzma_stream z = LZMA_STREAM_INIT;
    const lzma_mt how = {
        .threads = 2, .block_size = 1 << 16, .preset = 1, .check = LZMA_CHECK_CRC64};

    if (lzma_stream_encoder_mt(&z, &how) != LZMA_OK || !w_buffer_room(out, 2 * size + 4096))
        abort();
    z.next_in = data;
    z.avail_in = size;
    z.next_out = out->at + out->size;
    z.avail_out = out->room - out->size;
    if (lzma_code(&z, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    out->size += z.total_out;
    lzma_end(&z);
}

static inline void pack_zstd(struct w_buffer *out, const void *data, size_t size)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();

    if (!z || !w_buffer_room(out, ZSTD_compressBound(size)))
        abort();
    (void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    size_t packed = ZSTD_compress2(z, out->at + out->size, out->room - out->size, data, size);
    if (ZSTD_isError(packed))
        abort();
    out->size += packed;
    ZSTD_freeCCtx(z);
}

/* How often each format can be cut: bytes before it is recognized pass as they are. */
static const struct packer {
    const char *name;
    void (*pack)(struct w_buffer *, const void *, size_t);
    size_t recognized;
} packers[] = {
    {"gzip", pack_gzip, 3},    {"bzip2", pack_bzip2, 10}, {"xz", pack_xz, 6},
    {"xz", pack_xz_blocks, 6}, {"zstd", pack_zstd, 4},
};

#endif
