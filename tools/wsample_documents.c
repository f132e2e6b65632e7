/* Documents one after the other, whole, since each is scored as a text of its own. */
#include "tools/wsample_documents.h"

#include <stdlib.h>

#include "data/corpus.h"
#include "text/document.h"
#include "wire/token_header.h"

#define TEXT_LIMIT ((size_t)1 << 30) /* bytes of a document */

struct documents {
    const struct settings *set;
    const struct loaded_model *model;
    struct w_file_list files;
    struct w_documents *reader; /* of text */
    struct w_corpus *corpus;    /* of tokens */
    const u8 *records;          /* of the corpus, not yet used */
    u64 record_count;
};

static enum w_status open_tokens(struct documents *d, struct w_err *err)
{
    char *path = (char *)(uintptr_t)d->set->score;
    enum w_status status = w_corpus_open(&d->corpus, &path, 1, err);

    if (status)
        return status;
    const struct w_corpus_facts *facts = w_corpus_facts(d->corpus);
    status = w_tok_same(w_ckpt_tok(d->model->ckpt), w_header_tok(facts->header), err);
    if (!status &&
        (facts->vocab > d->model->conf.vocab_size || facts->eot != w_vocab_eot_id(d->model->vocab)))
        status = w_fail(err, W_MISMATCH, "its vocabulary is not that of the model");
    return status ? w_fail_at(err, status, "%s", d->set->score) : W_DONE;
}

enum w_status wsample_documents_open(struct documents **out, const struct settings *set,
                                     const struct loaded_model *m, struct w_err *err)
{
    static const enum w_format formats[] = {[SCORE_AUTO] = W_FORMAT_AUTO,
                                            [SCORE_PLAIN] = W_FORMAT_PLAIN,
                                            [SCORE_LINES] = W_FORMAT_LINES,
                                            [SCORE_WIKI] = W_FORMAT_WIKI,
                                            [SCORE_JSONL] = W_FORMAT_JSONL};
    char *path = (char *)(uintptr_t)set->score;
    struct documents *d = *out = calloc(1, sizeof *d);

    if (!d)
        return w_fail(err, W_NOMEM, "no memory to read documents");
    d->set = set;
    d->model = m;
    if (set->format == SCORE_TOKENS)
        return open_tokens(d, err);
    enum w_status status = w_file_list_make(&d->files, &path, 1, err);
    if (!status)
        status = w_documents_open(&d->reader,
                                  &(struct w_document_options){.files = &d->files,
                                                               .format = formats[set->format],
                                                               .field = set->field,
                                                               .threads = w_team_size(m->team),
                                                               .split = w_vocab_split(m->vocab),
                                                               .nfc = w_vocab_nfc(m->vocab)},
                                  err);
    return status;
}

void wsample_documents_close(struct documents *d)
{
    if (!d)
        return;
    w_documents_close(&d->reader);
    w_corpus_close(&d->corpus);
    w_file_list_release(&d->files);
    free(d);
}

static enum w_status next_text(struct documents *d, struct w_ids *ids, struct w_draft *text,
                               struct w_err *err)
{
    struct w_text_piece piece = {.ends = false};
    enum w_status status = W_DONE;

    while (!status && !piece.ends) {
        status = w_documents_next(d->reader, &piece, err);
        if (!status && text->count + piece.size > TEXT_LIMIT)
            status = w_fail(err, W_LIMIT, "%s: a document of more than %zu bytes", d->set->score,
                            TEXT_LIMIT);
        if (!status)
            status = w_draft_append(text, piece.text, piece.size, err);
    }
    return status ? status
                  : w_encode(d->model->encoder, (const u8 *)text->bytes, text->count, ids, err);
}

/* A special token has no text, but its loss counts. */
static enum w_status take_id(struct documents *d, u32 id, struct w_ids *ids, struct w_draft *text,
                             struct w_err *err)
{
    enum w_status status = w_ids_append(ids, id, err);
    u32 size = 0;

    const u8 *bytes = w_vocab_text(d->model->vocab, id, &size);
    return status || !bytes ? status : w_draft_append(text, bytes, size, err);
}

/* Ids up to the one that ends a document, which is not scored. */
static enum w_status next_tokens(struct documents *d, struct w_ids *ids, struct w_draft *text,
                                 struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(d->corpus);
    enum w_status status = W_DONE;

    while (!status) {
        if (!d->record_count) {
            status = w_corpus_read(d->corpus, &d->records, &d->record_count, err);
            continue;
        }
        const u32 id = w_corpus_id(facts, d->records, 0);
        d->records += facts->record_bytes;
        d->record_count--;
        if (id != facts->eot)
            status = take_id(d, id, ids, text, err);
        else if (ids->count > 1)
            return W_DONE;
    }
    return status == W_END && ids->count > 1 ? W_DONE : status;
}

enum w_status wsample_documents_next(struct documents *d, struct w_ids *ids, struct w_draft *text,
                                     struct w_err *err)
{
    enum w_status status;

    text->count = ids->count = 0;
    status = w_ids_append(ids, w_vocab_eot_id(d->model->vocab), err);
    if (!status)
        status = d->corpus ? next_tokens(d, ids, text, err) : next_text(d, ids, text, err);
    return status;
}
