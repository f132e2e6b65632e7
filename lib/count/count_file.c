/* Arrays are named "ORDER.ARRAY", such as "3.gram.word"; empty ones are left out. "1.count" has the
 * counts of order 1, "spectrum" the counts of counts. */
#include "count/count_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/prov.h"
#include "wire/token_header.h"

static const struct {
    const char *name;
    u32 bytes; /* of a number; 0: those of an id */
} arrays[W_COUNT_ARRAYS] = {
    [W_CONTEXT_WORD] = {"context.word", 0},
    [W_CONTEXT_GRAMS] = {"context.grams", 1},
    [W_CONTEXT_GRAMS_LARGE] = {"context.grams.large", 4},
    [W_CONTEXT_CHILDREN] = {"context.children", 1},
    [W_CONTEXT_CHILDREN_LARGE] = {"context.children.large", 4},
    [W_CONTEXT_PRUNED] = {"context.pruned", 1},
    [W_CONTEXT_PRUNED_LARGE] = {"context.pruned.large", 4},
    [W_GRAM_WORD] = {"gram.word", 0},
    [W_GRAM_COUNT] = {"gram.count", 1},
    [W_GRAM_COUNT_LARGE] = {"gram.count.large", 4},
};

/* Bytes of memory to begin with for an array, whatever its header says. */
#define READ_AHEAD (1u << 20)

/* What was among the arrays. */
enum { SPECTRUM_SEEN = 1, UNIGRAMS_SEEN = 2 };

static enum w_type type_of(u32 bytes)
{
    return bytes == 1 ? W_TYPE_U8 : bytes == 2 ? W_TYPE_U16 : W_TYPE_U32;
}

static u32 bytes_of(const struct w_count_image *image, u32 array)
{
    return arrays[array].bytes ? arrays[array].bytes : image->id_bytes;
}

/* ---- writing ---- */

static enum w_status add_arrays(struct w_header *header, const struct w_count_image *image,
                                struct w_err *err)
{
    const u64 spectrum[2] = {image->order, W_COUNT_SPECTRUM};
    const u64 vocab = image->vocab;

    enum w_status status = w_header_add(header, "spectrum", W_TYPE_U64, 2, spectrum, err);
    if (!status)
        status = w_header_add(header, "1.count", W_TYPE_U32, 1, &vocab, err);
    for (u32 n = 2; n <= image->order && !status; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS && !status; a++) {
            const u32 bytes = bytes_of(image, a);
            const u64 count = image->part[n][a].size / bytes;
            char name[64];
            snprintf(name, sizeof name, "%u.%s", n, arrays[a].name);
            if (count)
                status = w_header_add(header, name, type_of(bytes), 1, &count, err);
        }
    return status;
}

static enum w_status build_header(struct w_header *header, const struct w_count_image *image,
                                  const struct w_count_write *write, struct w_err *err)
{
    enum w_status status = w_header_begin(header, W_COUNTS, write->by, err);

    if (!status)
        status = add_arrays(header, image, err);
    if (status)
        return status;
    w_json_set_u64(header->json, "order", image->order);
    w_json_set_u64(header->json, "counted", image->tokens);
    w_json_set_bool(header->json, "pruned", image->pruned);
    if (image->document)
        w_json_set_bool(header->json, "document", true);
    w_token_header_write(header, image->vocab, image->eot);
    if (write->tok)
        w_header_set_tok(header, w_json_copy(write->tok));
    return write->argv || write->upstream ? w_prov_add(header, write->argv, write->upstream, err)
                                          : W_DONE;
}

enum w_status w_count_image_write(const struct w_count_image *image, struct w_output *out,
                                  const struct w_count_write *write, struct w_err *err)
{
    struct w_header header = {0};
    struct w_writer *writer = NULL;

    enum w_status status = build_header(&header, image, write, err);
    if (!status)
        status = w_output_reserve(out, header.blob_bytes, err);
    if (!status)
        status = w_writer_open(&writer, out, &header, &write->stream, err);
    if (!status)
        status = w_writer_tensor(writer, image->spectrum[1],
                                 image->order * sizeof image->spectrum[1], err);
    if (!status)
        status =
            w_writer_tensor(writer, image->unigrams, image->vocab * sizeof *image->unigrams, err);
    for (u32 n = 2; n <= image->order && !status; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS && !status; a++)
            if (image->part[n][a].size)
                status = w_writer_tensor(writer, image->part[n][a].at, image->part[n][a].size, err);
    if (!status)
        status = w_writer_close(&writer, NULL, err);
    w_writer_abort(&writer, write->by, err);
    w_header_free(&header);
    return status;
}

/* ---- reading ---- */

static enum w_status read_facts(struct w_count_image *image, const struct w_header *header,
                                struct w_err *err)
{
    const struct w_json *document;
    u64 order = 0, vocab = 0, eot = 0;

    if (header->kind != W_COUNTS)
        return w_fail(err, W_MISMATCH, "holds %s, not counts: make counts with 'wgram learn'",
                      w_kind_name(header->kind));
    enum w_status status =
        w_json_need_u64(header->json, "order", W_COUNT_ORDER_MIN, W_COUNT_ORDER_MAX, &order, err);
    if (!status)
        status = w_json_need_u64(header->json, "vocab", 1, W_COUNT_VOCAB_MAX, &vocab, err);
    if (!status)
        status = w_json_need_u64(header->json, "eot", 0, vocab - 1, &eot, err);
    if (!status)
        status = w_json_need_u64(header->json, "counted", 1, INT32_MAX, &image->tokens, err);
    if (!status && !w_json_bool(w_json_get(header->json, "pruned"), &image->pruned))
        status = w_fail(err, W_CORRUPT, "header: \"pruned\" is not true or false");
    document = w_json_get(header->json, "document");
    if (!status && document && !w_json_bool(document, &image->document))
        status = w_fail(err, W_CORRUPT, "header: \"document\" is not true or false");
    image->order = (u32)order;
    image->vocab = (u32)vocab;
    image->eot = (u32)eot;
    image->id_bytes = w_id_bytes(vocab);
    return status;
}

/* Where an array goes: the order and the number of a part. */
static bool part_of(const struct w_count_image *image, const char *name, u32 *order, u32 *array)
{
    if (name[0] < '2' || name[0] > '0' + (int)image->order || name[1] != '.')
        return false;
    *order = (u32)(name[0] - '0');
    for (*array = 0; *array < W_COUNT_ARRAYS; ++*array)
        if (!strcmp(name + 2, arrays[*array].name))
            return true;
    return false;
}

/* Where arrays are read from; what the reader reports has the name already. */
struct array_source {
    struct w_reader *reader;
    const char *name;
};

/* Read bytes into a buffer, whose memory grows as they come. */
static enum w_status read_growing(const struct array_source *from, struct w_buffer *b, u64 bytes,
                                  struct w_err *err)
{
    enum w_status status = W_DONE;

    while (b->size < bytes && !status) {
        const u64 some = W_MIN(bytes - b->size, W_MAX((u64)b->size, READ_AHEAD));
        if (!w_buffer_room(b, some))
            return w_fail(err, W_NOMEM, "%s: no memory for %llu bytes of counts", from->name,
                          (unsigned long long)bytes);
        status = w_reader_exactly(from->reader, b->at + b->size, some, err);
        b->size += some;
    }
    return status;
}

static enum w_status read_array(struct w_count_image *image, const struct array_source *from,
                                const struct w_array *a, u32 *seen, struct w_err *err)
{
    u32 order = 0, array = 0;
    const char *expected = NULL;
    enum w_status status = W_DONE;

    if (!strcmp(a->name, "spectrum")) {
        if (a->dtype != W_TYPE_U64 || a->bytes != image->order * sizeof image->spectrum[1])
            expected = "u64 [order, 4]";
        else
            status = w_reader_exactly(from->reader, image->spectrum[1], a->bytes, err);
        *seen |= SPECTRUM_SEEN;
    } else if (!strcmp(a->name, "1.count")) {
        struct w_buffer b = {0};
        if (a->dtype != W_TYPE_U32 || a->bytes != 4ull * image->vocab)
            expected = "u32 [vocab]";
        else
            status = read_growing(from, &b, a->bytes, err);
        image->unigrams = (u32 *)(void *)b.at;
        *seen |= UNIGRAMS_SEEN;
    } else if (part_of(image, a->name, &order, &array)) {
        if (a->dtype != type_of(bytes_of(image, array)) || a->ndim != 1)
            expected = "another type or shape";
        else
            status = read_growing(from, &image->part[order][array], a->bytes, err);
    } else {
        return w_fail(err, W_NEWER, "%s: array %s is not known to this program", from->name,
                      a->name);
    }
    if (expected)
        status = w_fail(err, W_CORRUPT, "%s: array %s: expected %s", from->name, a->name, expected);
    return status;
}

/* All arrays, or up to the spectrum. */
static enum w_status read_arrays(struct w_count_image *image, const struct array_source *from,
                                 const struct w_header *header, bool all, struct w_err *err)
{
    const u32 wanted = all ? SPECTRUM_SEEN | UNIGRAMS_SEEN : SPECTRUM_SEEN;
    u8 gap[W_TENSOR_ALIGN];
    const void *rest;
    u64 at = 0, count;
    u32 seen = 0;
    enum w_status status = W_DONE;

    for (u32 i = 0; i < header->array_count && !status && (all || seen != wanted); i++) {
        const struct w_array *a = &header->arrays[i];
        status = w_reader_exactly(from->reader, gap, a->offset - at, err);
        if (!status)
            status = read_array(image, from, a, &seen, err);
        at = a->offset + a->bytes;
    }
    if (!status && (seen & wanted) != wanted)
        status =
            w_fail(err, W_CORRUPT, "%s: counts without \"spectrum\" or \"1.count\"", from->name);
    if (!status && all) /* the end frame, checked */
        status = w_reader_records(from->reader, &rest, &count, err);
    return status == W_END ? W_DONE : status;
}

static enum w_status read_file(struct w_count_image *image, struct w_header *header,
                               const char *path, bool all, struct w_err *err)
{
    struct w_input in = {.fd = -1};
    struct w_reader *reader = NULL;
    const struct w_header *read = NULL;

    memset(image, 0, sizeof *image);
    memset(header, 0, sizeof *header);
    enum w_status status = w_input_open(&in, path, err);
    if (!status)
        status = w_reader_open(&reader, &in, err);
    if (!status)
        status = w_reader_member(reader, &read, err);
    if (status == W_END)
        status = w_fail(err, W_TRUNCATED, "%s: empty: no counts", in.name);
    else if (!status) {
        status = w_header_from_json(header, w_json_copy(read->json), err);
        if (!status)
            status = read_facts(image, header, err);
        if (status)
            status = w_fail_at(err, status, "%s", in.name);
    }
    if (!status)
        status = read_arrays(image, &(struct array_source){reader, in.name}, header, all, err);
    w_reader_close(&reader);
    w_input_close(&in);
    return status;
}

enum w_status w_count_image_read(struct w_count_image *image, struct w_header *header,
                                 const char *path, struct w_err *err)
{
    return read_file(image, header, path, true, err);
}

enum w_status w_count_facts_read(struct w_count_image *image, struct w_header *header,
                                 const char *path, struct w_err *err)
{
    return read_file(image, header, path, false, err);
}

enum w_status w_counts_load(struct w_counts **counts, struct w_header *header, const char *path,
                            struct w_err *err)
{
    const char *name = path && strcmp(path, "-") ? path : "standard input";
    struct w_count_image image = {0};

    *counts = NULL;
    enum w_status status = w_count_image_read(&image, header, path, err);
    if (!status) {
        status = w_counts_open(counts, &image, err);
        if (status)
            status = w_fail_at(err, status, "%s", name);
    }
    w_count_image_release(&image);
    return status;
}
