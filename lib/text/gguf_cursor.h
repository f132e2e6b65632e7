/* gguf_cursor.h - the head of a GGUF file of llama.cpp (versions 2 and 3, little-endian), value by
 * value:
 *
 *     "GGUF" | u32 version | u64 tensors | u64 pairs | pairs: key, u32 type, value | tensors ...
 *
 * where a string is a u64 length and bytes, and an array a u32 type, a u64 count and the elements.
 *
 *     struct w_gguf_cursor c = {.in = &in, .err = err};      // on the heap: it holds a buffer
 *     status = w_gguf_begin(&c, &tensors, &pairs);
 *     status = w_gguf_text(&c, key, sizeof key, "a key");    // for each pair
 *     status = w_gguf_u32(&c, &type);
 *     status = w_gguf_skip_value(&c, type);
 *
 * No length is trusted: what is taken fits into the caller's room, and what is skipped into the
 * limit or the file. All fail with W_TRUNCATED where the file ends, and as w_input_some(); further
 * statuses are named at the functions. */
#ifndef W_GGUF_CURSOR_H
#define W_GGUF_CURSOR_H

#include "sys/input.h"

#define W_GGUF_KEY 256 /* bytes of a key that is read, with the NUL */

/* Types of values, in the pairs of keys and values. */
enum w_gguf_pair_type {
    W_GGUF_U8,
    W_GGUF_I8,
    W_GGUF_U16,
    W_GGUF_I16,
    W_GGUF_U32,
    W_GGUF_I32,
    W_GGUF_F32,
    W_GGUF_BOOL,
    W_GGUF_STRING,
    W_GGUF_ARRAY,
    W_GGUF_U64,
    W_GGUF_I64,
    W_GGUF_F64,
    W_GGUF_PAIR_TYPES
};

/* Kinds of tokens, in "tokenizer.ggml.token_type". */
enum w_gguf_token_kind {
    W_GGUF_NORMAL = 1,
    W_GGUF_UNKNOWN,
    W_GGUF_CONTROL,
    W_GGUF_USER_DEFINED,
    W_GGUF_UNUSED
};

struct w_gguf_cursor {
    struct w_input *in; /* at its first byte */
    struct w_err *err;
    u64 skip_max; /* bytes of all values that are skipped; 0: as many as the file has */

    u64 taken, skipped; /* bytes so far; what is skipped counts in both */
    u8 buffer[65536];
    size_t at, end; /* in the buffer */
};

/* What the file begins with, and how many tensors and pairs it promises. W_CORRUPT: no GGUF file;
 * W_NEWER: another version. */
enum w_status w_gguf_begin(struct w_gguf_cursor *, u64 *tensors, u64 *pairs) W_MUST_CHECK;
/* The next bytes; NULL: drop them. */
enum w_status w_gguf_take(struct w_gguf_cursor *, void *bytes, u64 size) W_MUST_CHECK;
/* 0 after a failure. */
enum w_status w_gguf_u32(struct w_gguf_cursor *, u32 *value) W_MUST_CHECK;
enum w_status w_gguf_u64(struct w_gguf_cursor *, u64 *value) W_MUST_CHECK;
/* A string of fewer than `room` bytes, made printable, with a NUL; empty after a failure. what: its
 * name in messages. W_LIMIT: it is longer; W_CORRUPT: it holds a byte 0. */
enum w_status w_gguf_text(struct w_gguf_cursor *, char *text, u64 room,
                          const char *what) W_MUST_CHECK;
/* Pass over a value. W_CORRUPT: no such type, or arrays nested too deeply; W_LIMIT: above
 * skip_max. */
enum w_status w_gguf_skip_value(struct w_gguf_cursor *, u32 type) W_MUST_CHECK;

#endif
