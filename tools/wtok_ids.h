/* wtok_ids.h - files of ids of other trainers.
 *
 *     nanogpt   ids alone, u16, as numpy.memmap reads train.bin; u32 with more than 65,536 ids
 *     llmc      shards of llm.c: 256 i32 (a magic number, a version, how many ids, zeros), then
 *               ids: u16 (20240520, version 1), or with more than 65,536 ids u32 (20240801,
 *               version 7)
 *
 * llm.c puts the id that ends documents before each document, and here it stands after each: that
 * of the first document moves to the end of the last, and back. */
#ifndef W_WTOK_IDS_H
#define W_WTOK_IDS_H

enum { WTOK_LLMC_HEAD = 1024, WTOK_LLMC_MAGIC_U16 = 20240520, WTOK_LLMC_MAGIC_U32 = 20240801 };

#endif
