/* The ranks of a run, wtools(7): who they are, and what they agree on.
 *
 * All ranks take the same way through the program, and each failure of one is told to all at the
 * next agreement, so that they end together: with the same status, and rank 0 says why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/gradient_tree.h"
#include "sys/clock.h"
#include "sys/deflate.h"
#include "sys/fdio.h"
#include "tools/guard.h"
#include "tools/launcher.h"
#include "tools/wtrain.h"

/* ---- connecting ---- */

static enum w_status connect(struct run *run, struct w_err *err)
{
    enum w_status status = launcher_connect(&run->peers, run->set->peer_timeout_s, err);
    if (status)
        return status;
    const u32 size = w_peers_size(run->peers);
    if (size & (size - 1))
        return w_fail(err, W_USAGE, "%u ranks: their number has to be a power of two", size);
    return w_peers_greet(run->peers, err);
}

static void keep_any(const void *context, void *x, const void *other, u64 items)
{
    (void)context;
    (void)items;
    *(u8 *)x |= *(const u8 *)other;
}

/* Each rank reads the batches: a file by itself, a pipe as rank 0 hands it on. */
static enum w_status share_batches(struct run *run, struct settings *set, struct w_err *err)
{
    const bool named = set->batches && strcmp(set->batches, "-");
    const bool is_pipe = !named || w_path_kind(set->batches) == W_PATH_OTHER;
    u8 shares[2] = {is_pipe && w_peers_rank(run->peers) == 0};

    w_peers_combine(run->peers, &(struct w_peers_job){.x = &shares[0],
                                                      .scratch = &shares[1],
                                                      .items = 1,
                                                      .item_bytes = 1,
                                                      .operation = keep_any});
    enum w_status status = w_peers_wait(run->peers, err);
    if (!status && shares[0]) {
        status = w_peers_share_input(run->peers, set->batches, err);
        set->batches = NULL;
    }
    return status;
}

enum w_status ranks_open(struct run *run, struct settings *set, struct w_err *err)
{
    if (launcher_ranks() == 1)
        return W_DONE;
    enum w_status status = guard_begin(err);
    if (status)
        return status;
    w_common.mute = launcher_rank() > 0;
    status = connect(run, err);
    if (!status && !set->dry_run)
        status = share_batches(run, set, err);
    if (!status && w_peers_rank(run->peers) > 0) {
        set->output = set->log = set->checkpoints = NULL;
        set->val.count = 0;
        set->keep_best = false;
    }
    return status;
}

enum w_status ranks_check(const struct run *run, struct w_err *err)
{
    const u32 size = w_peers_size(run->peers);

    if (size <= w_gradient_ranks(&run->conf))
        return W_DONE;
    if (size > run->conf.max_ranks && !run->conf.local_steps)
        return w_fail(err, W_USAGE,
                      "%u ranks are more than max_ranks of the configuration, %llu: --set "
                      "max_ranks=%u, to other bytes than before",
                      size, (unsigned long long)run->conf.max_ranks, size);
    return w_fail(err, W_USAGE,
                  "%u ranks cannot share out the %llu batches of a step: accumulate has to be a "
                  "multiple of %u, with a batch_size that is smaller by as much for the same step",
                  size, (unsigned long long)run->conf.accumulate, size);
}

/* ---- agreement ---- */

/* A signal counts less than a failure, and the end of the data less than both. */
static u32 severity(const struct rank_word *word)
{
    return word->status == W_SIGNAL ? W_NO : word->status;
}

/* What two groups of ranks say becomes what both say. */
static void merge_words(const void *context, void *x, const void *other, u64 items)
{
    struct rank_word *word = x;
    const struct rank_word *theirs = other;

    (void)context;
    (void)items;
    const struct rank_word low = word->first < theirs->first ? *word : *theirs;
    const struct rank_word high = word->first < theirs->first ? *theirs : *word;
    *word = severity(&high) > severity(&low) ? high : low;
    word->first = low.first;
    word->elapsed_s = low.elapsed_s;
    word->check = low.check;
    word->differs = low.differs ? low.differs : high.differs;
    if (!word->differs && low.check != high.check)
        word->differs = high.first;
}

void ranks_say(struct run *run, enum w_status status, const struct w_err *err)
{
    const u32 rank = w_peers_rank(run->peers);
    struct rank_word *word = &run->words[0];
    char name[W_PEERS_HOST + 24];

    if (!run->peers)
        return;
    *word = (struct rank_word){
        .first = rank, .status = status, .check = run->check, .elapsed_s = run_elapsed_s(run)};
    if (status == W_SIGNAL)
        word->signal = (u32)w_signal_stop;
    if (status)
        snprintf(word->text, sizeof word->text, "%s%s%.800s",
                 rank ? w_peers_name(run->peers, rank, name) : "", rank ? ": " : "", err->text);
    w_peers_combine(run->peers, &(struct w_peers_job){.x = word,
                                                      .scratch = word + 1,
                                                      .items = 1,
                                                      .item_bytes = sizeof *word,
                                                      .operation = merge_words});
}

enum w_status ranks_verdict(struct run *run, struct w_err *err)
{
    const struct rank_word *word = &run->words[0];
    char name[W_PEERS_HOST + 24];

    if (word->status == W_SIGNAL && word->signal && !w_signal_stop)
        w_signal_stop = (int)word->signal; /* it ends as the others do */
    if (word->status)
        return w_fail(err, (enum w_status)word->status, "%s", word->text);
    if (word->differs)
        return w_fail(err, W_MISMATCH,
                      "%s differs from rank 0 in its configuration, weights or results: all need "
                      "the same files, and kernels that all machines have (--kernel, --precision)",
                      w_peers_name(run->peers, word->differs, name));
    return W_DONE;
}

enum w_status ranks_agree(struct run *run, enum w_status status, struct w_err *err)
{
    struct w_err lost;

    if (!run->peers || w_peers_failed(run->peers))
        return status;
    ranks_say(run, status, err);
    if (w_peers_wait(run->peers, &lost)) {
        *err = lost;
        return lost.status;
    }
    return ranks_verdict(run, err);
}

enum w_status ranks_compare(struct run *run, enum w_status status, struct w_err *err)
{
    if (!run->peers)
        return status;
    if (!status) {
        const struct w_tensors *tensors = w_model_tensors(run->model);
        char *conf = NULL, text[64];
        struct w_json *json = w_conf_json(&run->conf);
        conf = w_json_text(json, err);
        w_json_free(json);
        if (!conf)
            status = W_NOMEM;
        snprintf(text, sizeof text, "%s %s %llu %llu", run->kern->name,
                 w_compute_type_name(run->type), (unsigned long long)run->stop_step,
                 (unsigned long long)run->state.step);
        u32 crc = w_crc32(0, text, strlen(text));
        crc = w_crc32(crc, conf ? conf : "", conf ? strlen(conf) : 0);
        crc = w_crc32(crc, w_model_weights(run->model), tensors->floats * sizeof(float));
        run->check = crc;
        free(conf);
    }
    return ranks_agree(run, status, err);
}

/* ---- the update ---- */

enum w_status ranks_deal(struct run *run, struct w_err *err)
{
    const u32 size = w_peers_size(run->peers), update = run->set->update;
    const bool hides = run->threads > 1 || launcher_ranks_here() < size; /* sums in computing */
    u8 whole[2] = {update == UPDATE_WHOLE || (update == UPDATE_AUTO && hides)};

    if (!run->peers)
        return W_DONE;
    w_peers_combine(run->peers, &(struct w_peers_job){.x = &whole[0],
                                                      .scratch = &whole[1],
                                                      .items = 1,
                                                      .item_bytes = 1,
                                                      .operation = keep_any});
    enum w_status status = w_peers_wait(run->peers, err);
    if (!status && !whole[0])
        status = w_model_deal(run->model, err);
    status = ranks_agree(run, status, err);
    if (!status && w_model_deals(run->model)) {
        w_detail("the update is dealt out among %u ranks", size);
        /* one that gave up waiting for the others could save nothing */
        w_peers_ignore_stop(run->peers);
    }
    return status;
}

/* ---- the end ---- */

enum w_status ranks_end(struct run *run, enum w_status status, struct w_err *err)
{
    if (!run->peers)
        return status;
    w_peers_ignore_stop(run->peers);
    run->check = 0;
    if ((w_peers_size(run->peers) & (w_peers_size(run->peers) - 1)) == 0)
        status = ranks_agree(run, status, err);
    /* of a signal that another rank got only the news may be here, not its number */
    const int signal = w_signal_stop ? (int)w_signal_stop : SIGTERM;
    const int code = status == W_SIGNAL ? 128 + signal : w_exit_code(status);
    if (w_peers_rank(run->peers) == 1 && w_peers_lost(run->peers, 0))
        w_common.mute = false; /* rank 0 cannot say it */
    if (w_exit_code(status))
        w_problem("%s", err->text);
    w_common.mute = true;
    if (w_peers_failed(run->peers)) {
        launcher_settle();
        w_peers_abort(run->peers, code);
    }
    w_peers_close(&run->peers);
    return status;
}
