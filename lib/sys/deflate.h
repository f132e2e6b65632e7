/* deflate.h - checksums and one-shot compression of frames, in zlib's format. The only user of
 * libdeflate.h: for whole buffers it is two to three times as fast as zlib, both ways, and makes
 * them smaller. */
#ifndef W_DEFLATE_H
#define W_DEFLATE_H

#include "base/status.h"

/* CRC-32 (ISO 3309, as in zlib) of bytes, continued from `crc`; start with 0. */
u32 w_crc32(u32 crc, const void *bytes, size_t size);

/* Adler-32 (RFC 1950), by which a zlib stream ends. */
u32 w_adler32(const void *bytes, size_t size);

/* A compressor or decompressor, one per thread, used for any number of frames. */
struct w_deflater;
struct w_inflater;

/* level: 1 fast to 9 small. W_NOMEM. */
enum w_status w_deflater_new(struct w_deflater **, int level, struct w_err *err) W_MUST_CHECK;
void w_deflater_free(struct w_deflater *); /* accepts NULL */

/* Most bytes that deflating size bytes can give. */
size_t w_deflate_bound(size_t size);

/* Deflate a whole buffer (RFC 1950) into out, of at least w_deflate_bound(size) bytes. The bytes
 * depend on the input and level alone. W_NOMEM. */
enum w_status w_deflate(struct w_deflater *, const void *in, size_t size, void *out,
                        size_t *out_size, struct w_err *err) W_MUST_CHECK;

/* W_NOMEM. */
enum w_status w_inflater_new(struct w_inflater **, struct w_err *err) W_MUST_CHECK;
void w_inflater_free(struct w_inflater *); /* accepts NULL */

/* Inflate a whole buffer that must give exactly raw_size bytes and end there; W_CORRUPT if not. */
enum w_status w_inflate(struct w_inflater *, const void *in, size_t size, void *raw,
                        size_t raw_size, struct w_err *err) W_MUST_CHECK;

/* The same for a size that is not known before: at most `room` bytes, *raw_size says how many. */
enum w_status w_inflate_upto(struct w_inflater *, const void *in, size_t size, void *raw,
                             size_t room, size_t *raw_size, struct w_err *err) W_MUST_CHECK;

/* The version of libdeflate, for --version. */
const char *w_deflate_version(void);

#endif
