#include "text/text_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static enum w_status append(struct w_text_batch *b, const struct w_text_piece *piece,
                            struct w_err *err)
{
    enum w_status status =
        w_grow(&b->text, &b->room, W_MAX(b->size + piece->size, 2 * W_TEXT_BATCH_BYTES), 1,
               "bytes of text", err);

    if (!status)
        status = w_grow(&b->parts, &b->part_room, b->part_count + 1u, sizeof *b->parts, "documents",
                        err);
    if (status)
        return status;
    memcpy(b->text + b->size, piece->text, piece->size);
    b->size += piece->size;
    b->documents += piece->ends;
    b->parts[b->part_count++] = (struct w_text_part){.end = b->size, .ends = piece->ends};
    return W_DONE;
}

enum w_status w_text_batch_fill(struct w_text_batch *b, struct w_documents *documents,
                                struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_text_piece piece;

    b->size = 0;
    b->part_count = 0;
    b->documents = 0;
    while (!status && b->size < W_TEXT_BATCH_BYTES) {
        status = w_documents_next(documents, &piece, err);
        if (!status)
            status = append(b, &piece, err);
    }
    return status == W_END && b->part_count > 0 ? W_DONE : status;
}

void w_text_batch_release(struct w_text_batch *b)
{
    free(b->text);
    free(b->parts);
    memset(b, 0, sizeof *b);
}
