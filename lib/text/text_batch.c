#include "text/text_batch.h"

#include <stdlib.h>
#include <string.h>

static enum w_status append(struct w_text_batch *b, const struct w_text_piece *piece,
                            struct w_err *err)
{
    if (b->size + piece->size > b->room) {
        size_t room = W_MAX(b->size + piece->size, 2 * W_TEXT_BATCH_BYTES);
        u8 *text = realloc(b->text, room);
        if (!text)
            return w_fail(err, W_NOMEM, "no memory for %zu bytes of text", room);
        b->text = text;
        b->room = room;
    }
    if (b->part_count == b->part_room) {
        u32 room = b->part_room ? b->part_room * 2 : 64;
        struct w_text_part *parts = realloc(b->parts, room * sizeof *parts);
        if (!parts)
            return w_fail(err, W_NOMEM, "no memory for %u documents", room);
        b->parts = parts;
        b->part_room = room;
    }
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
