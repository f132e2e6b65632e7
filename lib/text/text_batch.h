/* text_batch.h - documents gathered into batches that are large enough for a thread. */
#ifndef W_TEXT_BATCH_H
#define W_TEXT_BATCH_H

#include "text/document.h"

/* A batch is full from here on. With the ids and what encoding needs it stays in an L2 of 2 MiB:
 * 512 KiB takes 4 % longer. With 64 KiB two threads wait for each other more often: 15 % longer. */
#define W_TEXT_BATCH_BYTES ((size_t)256 << 10)

/* A piece of a document as the reader gave it: it ends at text[end] and begins where the last one
 * ends. */
struct w_text_part {
    size_t end;
    bool ends; /* the document ends here */
};

struct w_text_batch {
    u8 *text;
    size_t size, room;
    struct w_text_part *parts;
    size_t part_count, part_room;
    u64 documents; /* that end in this batch */
};

/* Replace a batch's text by the next pieces of the reader. W_END if there are none; W_NOMEM; else
 * fails as w_documents_next(). */
enum w_status w_text_batch_fill(struct w_text_batch *, struct w_documents *,
                                struct w_err *) W_MUST_CHECK;
void w_text_batch_release(struct w_text_batch *); /* harmless on zeroes */

#endif
