/* Each n-gram gets a rank, and each context the highest rank among its followers and those of all
 * contexts below it. From a lowest rank on they are kept; what each rank takes is added up, so that
 * the lowest rank for a size is read from the sums. Ranks come from a walk down the trie, in which
 * the probabilities of a context's followers are those of its parent's followers, found side by
 * side in their order.
 *
 * The rank is first that of the discounted count, k - D(k): all n-grams of the highest order that
 * occur once come first, then those of the order below, and so on to those that occur twice. Among
 * equal ones it is the logarithm of what the n-gram adds to the probability of its token. Ranking
 * by the product of both, the weighted difference of Seymore and Rosenfeld (1996), loses more: on
 * Wikipedia, order 5 at 76 MB, 0.024 bits a byte instead of 0.006, since what occurs once adds much
 * to an estimate and is mostly noise. */
#include "count/count_prune.h"

#include <math.h>
#include <stdlib.h>

#include "count/count_score.h"

enum { RANKS = 1 << 16, SAME_COUNT = 64 };

/* Of a worker. */
struct ranking {
    double *p[W_COUNT_ORDER_MAX + 1]; /* [vocab] of the followers of a context of each order */
    u64 *bytes;                       /* [RANKS] that n-grams and contexts of a rank take */
};

struct pruning {
    const struct w_counts *counts;
    const struct w_count_facts *facts;
    const struct w_count_prune *wanted;
    u16 *rank[W_COUNT_ORDER_MAX + 1];         /* [grams]; 0: below the lowest count */
    u16 *context_rank[W_COUNT_ORDER_MAX + 1]; /* [contexts] */
    double *unigrams;                         /* [vocab] p of order 1 */
    struct ranking *workers;
    u32 worker_count;
};

static u16 rank_of(double discounted, double gain)
{
    const double count = 128 + 16 * log2(discounted), more = 5 * log(gain);
    const double class = floor(W_MAX(0, W_MIN(count, (double)RANKS / SAME_COUNT - 1)));

    return (u16)(class * SAME_COUNT + W_MAX(1, W_MIN(more, SAME_COUNT - 1)));
}

/* Rank the n-grams of a context and of all contexts below it. above, first_above: p of the parent's
 * followers and the first of these; of order 1 by token. Returns the rank of the context. */
static u16 rank_context(struct pruning *r, struct ranking *w, u32 n, u32 context,
                        const double *above, u32 first_above)
{
    const struct w_count_level *level = w_counts_level(r->counts, n), *parent = level - 1;
    const u32 first = level->first_gram[context], end = level->first_gram[context + 1];
    const u32 id_bytes = r->facts->id_bytes;
    const double *d = r->facts->discount[n];
    struct w_count_node node;
    u32 at = first_above;
    u16 highest = n == 2 ? RANKS - 1 : 0; /* of order 2 all are kept */

    w_counts_context(r->counts, n, context, &node);
    const double mass = w_count_mass(d, node.n);
    for (u32 gram = first; gram < end; gram++) {
        const u32 word = w_count_word(&level->gram_words, id_bytes, gram);
        const u32 count = w_counts_gram_count(r->counts, n, gram);
        if (n > 2)
            while (w_count_word(&parent->gram_words, id_bytes, at) < word)
                at++; /* what follows a context follows its parent */
        const double lower = n > 2 ? above[at - first_above] : above[word];
        const double kept = w_count_discounted(d, count), p = (kept + mass * lower) / node.total;
        w->p[n][gram - first] = p;
        r->rank[n][gram] = count < r->wanted->min_count[n] ? 0 : rank_of(kept, p / lower);
        w->bytes[r->rank[n][gram]] += id_bytes + 1;
        highest = W_MAX(highest, r->rank[n][gram]);
    }
    if (level->first_child)
        for (u32 c = level->first_child[context]; c < level->first_child[context + 1]; c++) {
            const u16 below = rank_context(r, w, n + 1, c, w->p[n], first);
            highest = W_MAX(highest, below);
        }
    /* Its token, and the numbers of its followers and children, and what was pruned. */
    w->bytes[highest] += (n > 2 ? id_bytes : 0) + (level->first_child ? 3 : 2);
    r->context_rank[n][context] = highest;
    return highest;
}

static void rank_token(void *context, u64 item, u32 worker)
{
    struct pruning *r = context;

    (void)rank_context(r, &r->workers[worker], 2, (u32)item, r->unigrams, 0);
}

static enum w_status rank_all(struct pruning *r, struct w_team *team, struct w_err *err)
{
    const struct w_count_facts *f = r->facts;

    r->worker_count = w_team_size(team);
    r->unigrams = malloc(f->vocab * sizeof *r->unigrams);
    r->workers = calloc(r->worker_count, sizeof *r->workers);
    bool ok = r->unigrams && r->workers;
    for (u32 w = 0; w < r->worker_count && ok; w++) {
        ok = (r->workers[w].bytes = calloc(RANKS, sizeof(u64))) != NULL;
        for (u32 n = 2; n <= f->order && ok; n++)
            ok = (r->workers[w].p[n] = malloc(f->vocab * sizeof(double))) != NULL;
    }
    for (u32 n = 2; n <= f->order && ok; n++) {
        r->rank[n] = malloc((f->grams[n] + 1ull) * sizeof(u16));
        r->context_rank[n] = malloc((f->contexts[n] + 1ull) * sizeof(u16));
        ok = r->rank[n] && r->context_rank[n];
    }
    if (!ok)
        return w_fail(err, W_NOMEM, "no memory to prune counts");
    w_count_distribution(r->counts, NULL, NULL, 0, r->unigrams, NULL);
    w_team_for(team, f->vocab, rank_token, r);
    return W_DONE;
}

/* The lowest rank to keep for the size that is wanted, at least 1. */
static enum w_status choose(const struct pruning *r, u32 *lowest, struct w_err *err)
{
    u64 bytes = 4ull * r->facts->vocab;

    for (u32 rank = RANKS; rank-- > 1; *lowest = rank) {
        for (u32 w = 0; w < r->worker_count; w++)
            bytes += r->workers[w].bytes[rank];
        if (r->wanted->bytes && bytes > r->wanted->bytes)
            break;
    }
    return *lowest < RANKS
               ? W_DONE
               : w_fail(err, W_LIMIT, "counts of %llu bytes: single tokens alone take %llu",
                        (unsigned long long)r->wanted->bytes, (unsigned long long)bytes);
}

/* Write a context that is kept. */
static void put_context(const struct pruning *r, u32 n, u32 context, u32 lowest,
                        struct w_buffer *part)
{
    const struct w_count_level *level = w_counts_level(r->counts, n);
    const u32 id_bytes = r->facts->id_bytes;
    u32 grams = 0, children = 0, pruned = 0;

    for (u32 g = level->first_gram[context]; g < level->first_gram[context + 1]; g++) {
        const u32 count = w_counts_gram_count(r->counts, n, g);
        if (r->rank[n][g] < lowest) {
            pruned += count;
            continue;
        }
        w_count_put_word(&part[W_GRAM_WORD], id_bytes,
                         w_count_word(&level->gram_words, id_bytes, g));
        w_count_put(&part[W_GRAM_COUNT], &part[W_GRAM_COUNT_LARGE], count);
        grams++;
    }
    if (level->first_child) {
        for (u32 k = level->first_child[context]; k < level->first_child[context + 1]; k++)
            children += r->context_rank[n + 1][k] >= lowest;
        w_count_put(&part[W_CONTEXT_CHILDREN], &part[W_CONTEXT_CHILDREN_LARGE], children);
    }
    if (n > 2)
        w_count_put_word(&part[W_CONTEXT_WORD], id_bytes,
                         w_count_word(&level->words, id_bytes, context));
    w_count_put(&part[W_CONTEXT_GRAMS], &part[W_CONTEXT_GRAMS_LARGE], grams);
    w_count_put(&part[W_CONTEXT_PRUNED], &part[W_CONTEXT_PRUNED_LARGE], pruned);
}

static enum w_status write_image(const struct pruning *r, u32 lowest, struct w_count_image *image,
                                 struct w_err *err)
{
    const struct w_count_facts *f = r->facts;
    bool failed = false;

    image->order = f->order;
    image->vocab = f->vocab;
    image->eot = f->eot;
    image->id_bytes = f->id_bytes;
    image->tokens = f->tokens;
    image->document = r->facts->document;
    image->pruned = true;
    memcpy(image->spectrum, f->spectrum, sizeof image->spectrum);
    image->unigrams = malloc(f->vocab * sizeof *image->unigrams);
    if (!image->unigrams)
        return w_fail(err, W_NOMEM, "no memory for pruned counts");
    memcpy(image->unigrams, w_counts_unigrams(r->counts), f->vocab * sizeof *image->unigrams);
    for (u32 n = 2; n <= f->order; n++) {
        for (u32 c = 0; c < f->contexts[n]; c++)
            if (r->context_rank[n][c] >= lowest)
                put_context(r, n, c, lowest, image->part[n]);
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++)
            failed |= image->part[n][a].failed;
    }
    return failed ? w_fail(err, W_NOMEM, "no memory for pruned counts") : W_DONE;
}

enum w_status w_counts_prune(const struct w_counts *counts, struct w_team *team,
                             const struct w_count_prune *wanted, struct w_count_image *image,
                             struct w_err *err)
{
    struct pruning r = {.counts = counts, .facts = w_counts_facts(counts), .wanted = wanted};
    u32 lowest = RANKS;

    memset(image, 0, sizeof *image);
    if (r.facts->pruned)
        return w_fail(err, W_MISMATCH, "these counts are pruned already: prune the whole ones");
    enum w_status status = rank_all(&r, team, err);
    if (!status)
        status = choose(&r, &lowest, err);
    if (!status)
        status = write_image(&r, lowest, image, err);
    for (u32 w = 0; w < r.worker_count && r.workers; w++) {
        for (u32 n = 2; n <= W_COUNT_ORDER_MAX; n++)
            free(r.workers[w].p[n]);
        free(r.workers[w].bytes);
    }
    for (u32 n = 2; n <= W_COUNT_ORDER_MAX; n++) {
        free(r.rank[n]);
        free(r.context_rank[n]);
    }
    free(r.workers);
    free(r.unigrams);
    return status;
}
