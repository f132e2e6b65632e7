#include "wire/origin.h"

#include <stdlib.h>
#include <string.h>

#include "wire/token_header.h"

/* What is compared, by its key in an origin, and what it is called in messages. `asked`: the key is
 * there if it was asked for; of the others, a stream may not know them. */
static const struct row {
    const char *key, *name;
    bool asked;
} rows[] = {
    {"vocab", "size of the vocabulary", false},
    {"eot", "end of documents", false},
    {"tok", "vocabulary", false},
    {"split", "split", true},
    {"shard", "shard", true},
    {"shuffle", "shuffle", false},
    {"seed", "seed", true},
    {"data_crc", "text", false},
};

struct w_batch_place w_origin_start(const struct w_header *header)
{
    struct w_batch_place place = {0};

    if (!w_json_u64(w_json_get(header->json, "start"), 0, W_JSON_INT_MAX, &place.pos) ||
        !w_json_hex32(w_json_get(header->json, "start_crc"), &place.crc))
        place.crc = 0; /* that of no batches; of others, a place that is never the same */
    return place;
}

void w_origin_set_start(struct w_header *header, struct w_batch_place place)
{
    w_json_set_u64(header->json, "start", place.pos);
    if (place.pos)
        w_json_set_hex32(header->json, "start_crc", place.crc);
}

/* Does a key of the header decide records? Not the seed of no shuffling, nor a split that takes
 * all. */
static bool decides(const struct w_header *header, const char *key)
{
    const char *part = w_json_string(w_json_get(w_json_get(header->json, "split"), "part"));
    bool shuffle = true;

    if (!strcmp(key, "seed"))
        return !w_json_bool(w_json_get(header->json, "shuffle"), &shuffle) || shuffle;
    return strcmp(key, "split") || !part || strcmp(part, "all");
}

struct w_json *w_origin_make(const struct w_header *header)
{
    const char *sha256 = w_tok_sha256(w_header_tok(header));
    struct w_json *origin = w_json_object();

    for (const struct row *row = rows; row < rows + W_COUNTOF(rows); row++) {
        const struct w_json *value = w_json_get(header->json, row->key);
        if (!strcmp(row->key, "tok") && sha256)
            w_json_set_string(origin, row->key, sha256);
        else if (strcmp(row->key, "tok") && value && decides(header, row->key))
            w_json_set(origin, row->key, w_json_copy(value));
    }
    return origin;
}

/* The text of a value, "none" for NULL. The caller frees it; NULL without memory. */
static char *text_of(const struct w_json *value, struct w_err *err)
{
    char *text = value ? w_json_text(value, err) : strdup("none");

    if (!text)
        w_fail(err, W_NOMEM, "no memory to compare batches");
    return text;
}

enum w_status w_origin_same(const struct w_json *now, const struct w_json *before,
                            struct w_err *err)
{
    /* Streams that wbatch did not write, or that other programs copied, may say nothing of the
     * choice. */
    const bool say = w_json_get(now, "shuffle") && w_json_get(before, "shuffle");
    enum w_status status = W_DONE;

    for (const struct row *row = rows; row < rows + W_COUNTOF(rows) && !status; row++) {
        const struct w_json *a = w_json_get(now, row->key), *b = w_json_get(before, row->key);
        if (!(row->asked && say) && (!a || !b))
            continue;
        char *ours = text_of(a, err), *theirs = text_of(b, err);
        if (!ours || !theirs)
            status = W_NOMEM;
        else if (strcmp(ours, theirs) != 0)
            status = w_fail(err, W_MISMATCH, "%s %.60s, not %.60s", row->name, ours, theirs);
        free(ours);
        free(theirs);
    }
    return status;
}
