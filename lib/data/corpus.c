/* Members of files, read one after another and checked to belong together: the first one sets the
 * facts, the others must have the same vocabulary (size, end id, hash), id type and columns. Every
 * id is compared with the vocabulary's size as it passes, and every lp is looked at, so that no
 * later step has to. */
#include "data/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "sys/fdio.h"
#include "sys/input.h"

struct w_corpus {
    char *const *paths;
    size_t path_count, next_path;
    struct w_input in;
    struct w_reader *reader;
    struct w_header first; /* a copy: the reader's own goes with its member */
    struct w_corpus_facts facts;
    struct w_token_header said; /* by the first member */
    u64 member, position;       /* the member of this file, the record of it: for messages */
};

static const char *sha256_of(const struct w_header *header)
{
    const char *text = w_tok_sha256(w_header_tok(header));
    return text ? text : "unknown";
}

/* The facts that a member of tokens must have in its header. */
static enum w_status read_facts(const struct w_header *header, struct w_token_header *said,
                                struct w_corpus_facts *facts, struct w_err *err)
{
    if (header->kind != W_TOKENS)
        return w_fail(err, W_MISMATCH, "holds %s, not tokens: make tokens with 'wtok encode'",
                      w_kind_name(header->kind));
    w_token_header_read(said, header);
    if (said->vocab > UINT32_MAX || said->eot >= said->vocab)
        return w_fail(err, W_CORRUPT, "its header lacks a valid \"vocab\" or \"eot\"");
    facts->record_bytes = said->record_bytes;
    facts->id_at = said->ids_at;
    facts->id_bytes = said->id_bytes;
    facts->vocab = (u32)said->vocab;
    facts->eot = (u32)said->eot;
    w_columns_read(&facts->columns, said);
    return W_DONE;
}

/* Does a member agree with the first one? */
static enum w_status compare(const struct w_corpus *c, const struct w_header *header,
                             const struct w_corpus_facts *facts, struct w_err *err)
{
    const struct w_corpus_facts *first = &c->facts;

    if (facts->vocab != first->vocab || facts->eot != first->eot ||
        facts->id_bytes != first->id_bytes || strcmp(sha256_of(header), sha256_of(&c->first)) != 0)
        return w_fail(err, W_MISMATCH,
                      "another vocabulary than the first stream's: %u ids, sha256 %.16s, not %u, "
                      "%.16s; encode all of it with one vocabulary",
                      facts->vocab, sha256_of(header), first->vocab, sha256_of(&c->first));
    if (facts->record_bytes != first->record_bytes ||
        !w_columns_same(&facts->columns, &first->columns))
        return w_fail(err, W_MISMATCH,
                      "other columns than the first stream: %llu bytes a token, not %llu; add "
                      "columns to all of them or to none",
                      (unsigned long long)facts->record_bytes,
                      (unsigned long long)first->record_bytes);
    return W_DONE;
}

/* Check a member's header: the first one sets the facts, the others have to agree. */
static enum w_status accept_member(struct w_corpus *c, const struct w_header *header,
                                   struct w_err *err)
{
    struct w_corpus_facts facts = c->facts;
    struct w_token_header said;
    enum w_status status = read_facts(header, &said, &facts, err);

    if (!status && !c->first.json) {
        status = w_header_from_json(&c->first, w_json_copy(header->json), err);
        facts.header = &c->first;
        c->facts = facts;
        c->said = said;
    } else if (!status) {
        status = compare(c, header, &facts, err);
    }
    if (status)
        status =
            w_fail_at(err, status, "%s: member %llu", c->in.name, (unsigned long long)c->member);
    return status;
}

static enum w_status next_file(struct w_corpus *c, struct w_err *err)
{
    const char *path = c->path_count ? c->paths[c->next_path] : NULL;

    w_reader_close(&c->reader);
    w_input_close(&c->in);
    c->next_path++;
    c->member = 0;
    enum w_status status = w_input_open(&c->in, path, err);
    if (!status)
        status = w_reader_open(&c->reader, &c->in, err);
    return status;
}

/* Go to the next member, of this file or of the next one. */
static enum w_status next_member(struct w_corpus *c, struct w_err *err)
{
    const struct w_header *header = NULL;
    enum w_status status = c->reader ? W_DONE : next_file(c, err);

    while (!status && (status = w_reader_member(c->reader, &header, err)) == W_END) {
        if (c->next_path >= c->path_count)
            return W_END;
        status = next_file(c, err);
    }
    if (status)
        return status;
    c->position = 0;
    c->member++;
    return accept_member(c, header, err);
}

static enum w_status look_at_paths(struct w_corpus *c, struct w_err *err)
{
    c->facts.regular_files = c->path_count > 0 || w_path_kind(NULL) == W_PATH_FILE;
    for (size_t i = 0; i < c->path_count; i++) {
        enum w_path_kind kind = w_path_kind(c->paths[i]);
        if (kind == W_PATH_NONE)
            return w_fail_errno(err, "%s: cannot open", c->paths[i]);
        c->facts.regular_files &= kind == W_PATH_FILE;
    }
    return W_DONE;
}

enum w_status w_corpus_open(struct w_corpus **corpus, char *const *paths, size_t count,
                            struct w_err *err)
{
    struct w_corpus *c = *corpus = calloc(1, sizeof *c);

    if (!c)
        return w_fail(err, W_NOMEM, "no memory to read tokens");
    c->in.fd = -1;
    c->paths = paths;
    c->path_count = count;
    enum w_status status = look_at_paths(c, err);
    if (!status)
        status = next_member(c, err);
    if (status == W_END)
        status = w_fail(err, W_TRUNCATED, "%s: empty: no stream of tokens", c->in.name);
    if (status)
        w_corpus_close(corpus);
    return status;
}

void w_corpus_close(struct w_corpus **corpus)
{
    struct w_corpus *c = *corpus;

    if (!c)
        return;
    w_reader_close(&c->reader);
    w_input_close(&c->in);
    w_header_free(&c->first);
    free(c);
    *corpus = NULL;
}

const struct w_corpus_facts *w_corpus_facts(const struct w_corpus *c)
{
    return &c->facts;
}

static enum w_status check_records(const struct w_corpus *c, const u8 *records, u64 count,
                                   struct w_err *err)
{
    const struct w_token_header *said = &c->said;

    for (u64 i = 0; i < count; i++, records += said->record_bytes) {
        const u32 id = w_id_at(records + said->ids_at, said->id_bytes, 0);
        const float lp = said->features ? w_lp_at(records + said->lp_at, 0) : 0;
        if (id >= said->vocab)
            return w_fail(err, W_CORRUPT,
                          "%s: member %llu, record %llu: id %u is not in its vocabulary of %u",
                          c->in.name, (unsigned long long)c->member,
                          (unsigned long long)(c->position + i), id, c->facts.vocab);
        if (!w_lp_ok(lp))
            return w_fail(err, W_CORRUPT,
                          "%s: member %llu, record %llu: lp %g is no log-probability", c->in.name,
                          (unsigned long long)c->member, (unsigned long long)(c->position + i),
                          (double)lp);
    }
    return W_DONE;
}

enum w_status w_corpus_read(struct w_corpus *c, const u8 **records, u64 *count, struct w_err *err)
{
    const void *bytes = NULL;
    enum w_status status;

    while ((status = w_reader_records(c->reader, &bytes, count, err)) == W_END) {
        status = next_member(c, err);
        if (status)
            return status;
    }
    if (status)
        return status;
    *records = bytes;
    status = check_records(c, *records, *count, err);
    c->position += *count;
    return status;
}
