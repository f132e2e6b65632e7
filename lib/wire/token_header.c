#include "wire/token_header.h"

#include <string.h>

static u64 number_of(const struct w_header *header, const char *key)
{
    u64 value;
    return w_json_u64(w_json_get(header->json, key), 0, W_JSON_INT_MAX, &value) ? value
                                                                                : W_NOT_SAID;
}

void w_token_header_read(struct w_token_header *said, const struct w_header *header)
{
    const struct w_array *x = header->kind == W_TOKENS  ? &header->arrays[0]
                              : header->kind == W_BATCH ? w_header_find(header, "x")
                                                        : NULL;
    const struct w_array *lp = x ? w_header_find(header, "lp") : NULL;
    const struct w_array *ctx = x ? w_header_find(header, "ctx") : NULL;
    const struct w_array *targets =
        header->kind == W_BATCH ? w_header_find(header, "targets") : NULL;
    const bool ids = x && (x->dtype == W_TYPE_U16 || x->dtype == W_TYPE_U32);
    const bool counts = ids && lp && ctx; /* their types and shapes are checked with the header */

    said->id_bytes = ids ? w_type_bytes(x->dtype) : 0;
    said->ids = ids ? x->bytes / said->id_bytes : 0;
    said->ids_at = ids ? x->offset : 0;
    said->record_bytes = header->record_bytes;
    said->features = counts ? ctx->bytes / said->ids : 0;
    said->lp_at = counts ? lp->offset : 0;
    said->ctx_at = counts ? ctx->offset : 0;
    said->sequences = targets ? targets->shape[0] : 0;
    said->targets_at = targets ? targets->offset : 0;
    said->vocab = number_of(header, "vocab");
    said->eot = number_of(header, "eot");
}

void w_token_header_write(struct w_header *header, u64 vocab, u64 eot)
{
    w_json_set_u64(header->json, "vocab", vocab);
    w_json_set_u64(header->json, "eot", eot);
}

enum w_status w_targets_check(const struct w_token_header *said, const u8 *record, u64 number,
                              struct w_err *err)
{
    for (u64 b = 0; b < said->sequences; b++) {
        const u64 targets = w_targets_at(said, record, b), most = said->ids / said->sequences - 1;
        if (targets > most)
            return w_fail(err, W_CORRUPT, "record %llu: sequence %llu has %llu targets of %llu",
                          (unsigned long long)number, (unsigned long long)b,
                          (unsigned long long)targets, (unsigned long long)most);
    }
    return W_DONE;
}

const struct w_json *w_header_tok(const struct w_header *header)
{
    const struct w_json *tok = w_json_get(header->json, "tok");
    return w_json_is_object(tok) ? tok : NULL;
}

void w_header_set_tok(struct w_header *header, struct w_json *tok)
{
    w_json_set(header->json, "tok", tok);
}

const char *w_tok_sha256(const struct w_json *tok)
{
    return w_json_string(w_json_get(tok, "sha256"));
}

enum w_status w_tok_same(const struct w_json *ours, const struct w_json *theirs, struct w_err *err)
{
    const char *a = w_tok_sha256(ours), *b = w_tok_sha256(theirs);

    if (!a || !b || !strcmp(a, b))
        return W_DONE;
    return w_fail(err, W_MISMATCH, "has another vocabulary (%.12s...) than the batches (%.12s...)",
                  b, a);
}
