/* The document that is open at the end of a part goes on in the next one; those that begin and end
 * within a part are each worked on by one thread. */
#include "count/count_documents.h"

#include <math.h>
#include <stdlib.h>

#include "base/grow.h"
#include "count/count_document.h"

struct worker {
    struct w_count_document *document;
    enum w_status status;
    struct w_err err;
};

struct w_count_documents {
    u32 eot, workers;
    struct w_count_document *open; /* that goes on in the next part */
    struct worker *worker;         /* [workers] */
    u64 *ends;                     /* [ended] the documents of a part, from the first end on */
    size_t end_room;
};

enum w_status w_count_documents_new(struct w_count_documents **out, u32 eot, u32 workers,
                                    struct w_err *err)
{
    struct w_count_documents *d = *out = calloc(1, sizeof *d);

    if (!d || !(d->worker = calloc(workers, sizeof *d->worker))) {
        w_count_documents_free(d);
        *out = NULL;
        return w_fail(err, W_NOMEM, "no memory for documents");
    }
    d->eot = eot;
    d->workers = workers;
    enum w_status status = w_count_document_new(&d->open, eot, err);
    for (u32 i = 0; i < workers && !status; i++)
        status = w_count_document_new(&d->worker[i].document, eot, err);
    if (status) {
        w_count_documents_free(d);
        *out = NULL;
    }
    return status;
}

void w_count_documents_free(struct w_count_documents *d)
{
    if (!d)
        return;
    for (u32 i = 0; d->worker && i < d->workers; i++)
        w_count_document_free(d->worker[i].document);
    w_count_document_free(d->open);
    free(d->worker);
    free(d->ends);
    free(d);
}

void w_count_documents_clear(struct w_count_documents *d)
{
    w_count_document_clear(d->open);
}

static enum w_status say(struct w_count_document *document, const u32 *ids, float *lp, u64 count,
                         struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++) {
        double p = exp((double)lp[i]);
        status = w_count_document_next(document, ids[i], &p, err);
        lp[i] = (float)fmin(log(p), 0); /* 1 may be rounded up */
    }
    return status;
}

struct saying {
    struct w_count_documents *documents;
    const u32 *ids;
    float *lp;
};

/* A whole document, from one end to the next. */
static void say_document(void *context, u64 item, u32 worker)
{
    const struct saying *s = context;
    struct worker *w = &s->documents->worker[worker];
    const u64 from = s->documents->ends[item], to = s->documents->ends[item + 1];

    if (!w->status)
        w->status = say(w->document, s->ids + from, s->lp + from, to - from, &w->err);
}

enum w_status w_count_documents_ends(const u32 *ids, u64 count, u32 eot, u64 **ends, size_t *room,
                                     u64 *ended, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++)
        if (ids[i] == eot) {
            status = w_grow(ends, room, *ended + 1, sizeof **ends, "documents", err);
            if (!status)
                (*ends)[(*ended)++] = i + 1;
        }
    return status;
}

enum w_status w_count_documents_say(struct w_count_documents *d, struct w_team *team,
                                    const struct w_count_text *text, float *lp, struct w_err *err)
{
    const u32 *ids = text->ids + text->from;
    struct saying saying = {d, ids, lp};
    u64 ended = 0;

    enum w_status status =
        w_count_documents_ends(ids, text->count, d->eot, &d->ends, &d->end_room, &ended, err);
    if (status)
        return status;
    /* The document that is open goes on to the first end, and one begins after the last. */
    const u64 first = ended ? d->ends[0] : text->count, last = ended ? d->ends[ended - 1] : first;
    status = say(d->open, ids, lp, first, err);
    if (!status && ended > 1)
        w_team_for(team, ended - 1, say_document, &saying);
    for (u32 i = 0; i < d->workers && !status; i++)
        if (d->worker[i].status) {
            status = d->worker[i].status;
            if (err)
                *err = d->worker[i].err;
        }
    if (!status)
        status = say(d->open, ids + last, lp + last, text->count - last, err);
    return status;
}
