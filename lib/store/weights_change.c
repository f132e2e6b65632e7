/* Models of another size, and the mean of models.
 *
 * A model of another size is made beside the old one, with all tensors of the same shape copied;
 * then the one whose shape changes gets the rows that both have, and new rows after these. */
#include "store/weights_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/token_header.h"

/* ---- other sizes ---- */

/* Put weights of another configuration in the place of *w; vocabulary, header and state stay. */
static void replace(struct w_weights *w, struct w_weights *by)
{
    w_tensors_free(&w->tensors);
    free(w->values);
    w->conf = by->conf;
    w->tensors = by->tensors;
    w->values = by->values;
}

/* The first rows of a matrix that both have, under `name`. Returns how many. */
static u64 copy_rows(struct w_weights *to, const struct w_weights *from, const char *name)
{
    const struct w_tensor *a = w_tensors_find(&to->tensors, name);
    const struct w_tensor *b = w_tensors_find(&from->tensors, name);
    const u64 rows = W_MIN(a->shape[0], b->shape[0]);

    memcpy(to->values + a->offset, from->values + b->offset,
           rows * a->shape[1] * sizeof *to->values);
    return rows;
}

void w_repeat_rows(float *rows, u64 have, u64 count, u64 width)
{
    for (u64 i = have; i < count; i++)
        memcpy(rows + i * width, rows + (i - have) * width, width * sizeof *rows);
}

enum w_status w_weights_set_positions(struct w_weights *w, u64 positions, struct w_err *err)
{
    struct w_conf conf = w->conf;
    struct w_weights to = {0};

    conf.max_length = positions;
    enum w_status status = w_conf_check(&conf, err);
    if (!status)
        status = w_weights_reshape(&to, &conf, w, err);
    if (status) {
        w_weights_release(&to);
        return status;
    }
    const struct w_tensor *row = w_tensors_find(&to.tensors, "wpe.weight");
    const u64 have = copy_rows(&to, w, row->name);
    w_repeat_rows(to.values + row->offset, have, row->shape[0], row->shape[1]);
    replace(w, &to);
    return W_DONE;
}

/* New rows of the table: the mean of those that it has. */
static void fill_rows(float *rows, u64 have, u64 count, u64 width, double *mean)
{
    for (u64 i = 0; i < have; i++)
        for (u64 j = 0; j < width; j++)
            mean[j] += (double)rows[i * width + j] / (double)have;
    for (u64 i = have; i < count; i++)
        for (u64 j = 0; j < width; j++)
            rows[i * width + j] = (float)mean[j];
}

/* Does the vocabulary use an id from `ids` on? */
static enum w_status check_ids(const struct w_weights *w, u64 ids, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    enum w_status status = w_weights_vocab(w, &vocab, err);
    if (vocab && w_vocab_size(vocab) > ids)
        status = w_fail(err, W_MISMATCH,
                        "the vocabulary has %u ids, so the table cannot have fewer: a smaller "
                        "vocabulary needs a training of its own",
                        w_vocab_size(vocab));
    w_vocab_free(vocab);
    return status;
}

enum w_status w_weights_set_ids(struct w_weights *w, u64 ids, struct w_err *err)
{
    struct w_conf conf = w->conf;
    struct w_weights to = {0};
    double *mean = calloc(conf.d_model, sizeof *mean);

    conf.vocab_size = ids;
    enum w_status status = mean ? w_conf_check(&conf, err) : w_fail(err, W_NOMEM, "no memory");
    if (!status)
        status = check_ids(w, ids, err);
    if (!status)
        status = w_weights_reshape(&to, &conf, w, err);
    if (!status) {
        const struct w_tensor *row = w_tensors_find_table(&to.tensors);
        const u64 have = copy_rows(&to, w, row->name);
        fill_rows(to.values + row->offset, have, row->shape[0], row->shape[1], mean);
        replace(w, &to);
    } else {
        w_weights_release(&to);
    }
    free(mean);
    return status;
}

/* ---- the mean ---- */

static bool same_shape(const struct w_conf *a, const struct w_conf *b)
{
    return a->d_model == b->d_model && a->num_heads == b->num_heads &&
           a->num_layers == b->num_layers && a->d_ff == b->d_ff && a->vocab_size == b->vocab_size &&
           a->max_length == b->max_length && a->counts == b->counts;
}

enum w_status w_weights_mean_add(struct w_weights_mean *mean, const struct w_weights *w,
                                 struct w_err *err)
{
    const char *sha256 = w_tok_sha256(w->tok);

    if (!mean->sums) {
        mean->conf = w->conf;
        snprintf(mean->sha256, sizeof mean->sha256, "%s", sha256 ? sha256 : "");
        mean->sums = calloc(w->tensors.floats, sizeof *mean->sums);
        if (!mean->sums)
            return w_fail(err, W_NOMEM, "no memory for the mean of the weights");
    }
    if (!same_shape(&mean->conf, &w->conf))
        return w_fail(err, W_MISMATCH, "has another shape than the first model");
    if (sha256 && mean->sha256[0] && strcmp(sha256, mean->sha256))
        return w_fail(err, W_MISMATCH, "has another vocabulary than the first model");
    for (u64 i = 0; i < w->tensors.floats; i++)
        mean->sums[i] += (double)w->values[i];
    mean->count++;
    return W_DONE;
}

void w_weights_mean_take(const struct w_weights_mean *mean, struct w_weights *w)
{
    for (u64 i = 0; i < w->tensors.floats; i++)
        w->values[i] = (float)(mean->sums[i] / (double)mean->count);
}

void w_weights_mean_release(struct w_weights_mean *mean)
{
    free(mean->sums);
    mean->sums = NULL;
}
