#include "data/columns.h"

static void append(struct w_columns *c, const char *name, enum w_type dtype, u64 features, u64 at)
{
    const u64 bytes = w_type_bytes(dtype) * W_MAX(features, 1);

    c->column[c->count++] = (struct w_column){
        .name = name, .dtype = dtype, .features = features, .bytes = bytes, .at = at};
    c->token_bytes += bytes;
}

void w_columns_read(struct w_columns *c, const struct w_token_header *said)
{
    *c = (struct w_columns){0};
    if (said->features)
        append(c, "lp", W_TYPE_F32, 0, said->lp_at);
    append(c, "x", said->id_bytes == 2 ? W_TYPE_U16 : W_TYPE_U32, 0, said->ids_at);
    if (said->features)
        append(c, "ctx", W_TYPE_U8, said->features, said->ctx_at);
}

bool w_columns_same(const struct w_columns *a, const struct w_columns *b)
{
    bool same = a->count == b->count;

    for (u32 i = 0; same && i < a->count; i++)
        same = a->column[i].dtype == b->column[i].dtype &&
               a->column[i].features == b->column[i].features && a->column[i].at == b->column[i].at;
    return same;
}

enum w_status w_columns_add(const struct w_columns *c, struct w_header *header, u64 batch, u64 room,
                            struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u32 i = 0; i < c->count && !status; i++) {
        const struct w_column *column = &c->column[i];
        const u64 shape[] = {batch, room, column->features};
        status =
            w_header_add(header, column->name, column->dtype, column->features ? 3 : 2, shape, err);
    }
    return status;
}

void w_columns_gather(const struct w_columns *c, u8 *sequence, u64 room, u64 from,
                      const u8 *records, u64 record_bytes, u64 n)
{
    for (const struct w_column *column = c->column; column < c->column + c->count; column++) {
        const u64 bytes = column->bytes;
        u8 *plane = sequence + from * bytes;
        if (bytes == record_bytes)
            memcpy(plane, records, n * bytes);
        else
            for (u64 i = 0; i < n; i++)
                memcpy(plane + i * bytes, records + i * record_bytes + column->at, bytes);
        sequence += room * bytes;
    }
}

void w_columns_carry(const struct w_columns *c, u8 *sequence, u64 room)
{
    for (const struct w_column *column = c->column; column < c->column + c->count; column++) {
        if (room > 1)
            memcpy(sequence, sequence + (room - 1) * column->bytes, column->bytes);
        sequence += room * column->bytes;
    }
}

void w_columns_put(const struct w_columns *c, u8 *batch, u64 rows, u64 row, const u8 *sequence,
                   u64 room)
{
    for (const struct w_column *column = c->column; column < c->column + c->count; column++) {
        const u64 bytes = room * column->bytes;
        memcpy(batch + row * bytes, sequence, bytes);
        batch += rows * bytes;
        sequence += bytes;
    }
}
