/* wbench - measures training: tokens and FLOP per second of whole steps, beside sgemm at the same
 * shapes and beside another trainer, all in the same minute.
 *
 * A machine's speed changes from minute to minute, so that only what was measured side by side can be
 * compared: a round is one step, one step of the peer, and the products of a step by sgemm; quotients
 * are taken within a round, and the median over the rounds is told. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "net/model.h"
#include "sys/clock.h"
#include "sys/machine.h"
#include "tests/bench/peer.h"
#include "tests/bench/products.h"
#include "tools/cli.h"

#define ROUNDS_MAX 100

struct settings {
    u64 rounds, threads;
    const char *kernel, *peer;
};

#define FIELD(field) .offset = offsetof(struct settings, field)

static const struct w_option options[] = {
    {"rounds", 'n', W_OPT_COUNT, FIELD(rounds), .arg = "N", .dflt = "5", .min = 1,
     .max = ROUNDS_MAX, .help = "Rounds of each configuration, after one that is not counted."},
    {"threads", 't', W_OPT_COUNT, FIELD(threads), .arg = "N", .max = 4096,
     .help = "Threads. Default: OMP_NUM_THREADS, else the physical cores that may be used."},
    {"kernel", 0, W_OPT_TEXT, FIELD(kernel), .arg = "NAME",
     .help = "Arithmetic to use instead of the fastest that this machine has."},
    {"peer", 0, W_OPT_TEXT, FIELD(peer), .arg = "COMMAND",
     .help =
         "Another trainer to take turns with: COMMAND serve CONFIG --precision fp32 --threads N "
         "runs a step for each line on standard input and prints {\"step_s\": seconds}."},
    {0},
};

static const char *const examples[] = {
    "All configurations",
    "wbench configs/*.json",
    "Beside another trainer",
    "wbench --peer 'python3 peer.py' configs/autoregressive_fast.json",
    NULL,
};

static const struct w_program program = {
    .name = "wbench",
    .summary = "measure training beside sgemm and another trainer",
    .operands = "CONFIG ...",
    .about = "Trains each configuration on random tokens. A table goes to standard error, JSON "
             "Lines go to standard output.",
    .options = options,
    .examples = examples,
};

/* One configuration's figures, a number per round. */
struct figures {
    double tok_s[ROUNDS_MAX], sgemm[ROUNDS_MAX], share[ROUNDS_MAX]; /* sgemm: FLOP/s, 0 without */
    double peer_tok_s[ROUNDS_MAX], ratio[ROUNDS_MAX];
    u64 rounds;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, u64 n)
{
    double sorted[ROUNDS_MAX];
    for (u64 i = 0; i < n; i++)
        sorted[i] = values[i];
    qsort(sorted, n, sizeof *sorted, compare);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double timed_step(struct w_model *model, const struct w_conf *conf, u32 *ids, u64 step)
{
    struct w_rng rng = {.seed = 1, .stream = step};
    for (u64 i = 0; i < conf->batch_size * (conf->max_length + 1); i++)
        ids[i] = (u32)w_rng_below(&rng, conf->vocab_size);
    double start = w_now_s();
    w_model_gradient(model, ids, 1);
    w_model_update(model, step + 1, conf->learning_rate);
    return w_now_s() - start;
}

static void tell(const struct w_conf *conf, const struct w_kern *kern, u32 threads,
                 const struct figures *f, const struct w_model *model)
{
    const struct w_part_time *times;
    const double flops = w_model_flops_per_token(conf), tok_s = median(f->tok_s, f->rounds);
    const double sgemm = median(f->sgemm, f->rounds), peer = median(f->peer_tok_s, f->rounds);
    u32 parts = w_model_times(model, &times);
    double sum = 0;

    fprintf(stderr, "%-24s %8.0f tok/s %7.1f GFLOP/s", conf->name, tok_s, 1e-9 * tok_s * flops);
    printf("{\"t\":\"training\",\"config\":\"%s\",\"precision\":\"fp32\",\"kernel\":\"%s\","
           "\"threads\":%u,\"rounds\":%u,\"tok_s\":%.1f,\"tflops\":%.4f",
           conf->name, kern->name, (unsigned)threads, (unsigned)f->rounds, tok_s,
           1e-12 * tok_s * flops);
    if (sgemm > 0) {
        double share = median(f->share, f->rounds);
        fprintf(stderr, "  sgemm %7.1f  share %5.1f %%", 1e-9 * sgemm, 100 * share);
        printf(",\"peak\":\"sgemm\",\"peak_tflops\":%.4f,\"share_of_peak\":%.4f", 1e-12 * sgemm,
               share);
    }
    if (peer > 0) {
        double ratio = median(f->ratio, f->rounds);
        fprintf(stderr, "  peer %6.0f tok/s  ratio %.2f", peer, ratio);
        printf(",\"peer_tok_s\":%.1f,\"ratio\":%.3f", peer, ratio);
    }
    fprintf(stderr, "\n ");
    for (u32 i = 0; i < parts; i++)
        sum += times[i].seconds;
    for (u32 i = 0; i < parts; i++) {
        fprintf(stderr, " %s %.1f %%", times[i].name, 100 * times[i].seconds / sum);
        printf("%s\"%s\":%.4f", i ? "," : ",\"parts_s\":{", times[i].name,
               times[i].seconds / (double)f->rounds);
    }
    fprintf(stderr, "\n");
    printf("}}\n");
    fflush(stdout);
}

/* The rounds of one configuration. */
static enum w_status measure(const struct settings *set, struct w_model *model,
                             const struct w_conf *conf, struct peer *peer,
                             const struct products *products, struct figures *f, struct w_err *err)
{
    const double tokens = (double)(conf->batch_size * conf->max_length);
    const double flops = w_model_flops_per_token(conf);
    u32 *ids = calloc(conf->batch_size * (conf->max_length + 1), sizeof *ids);
    enum w_status status = W_DONE;

    if (!ids)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    timed_step(model, conf, ids, 0);
    w_model_times_reset(model);
    *f = (struct figures){0};
    for (u64 i = 0; i < set->rounds && !status; i++) {
        double peer_s = 0;
        f->tok_s[i] = tokens / timed_step(model, conf, ids, i + 1);
        if (products->a) {
            f->sgemm[i] = products_rate(products);
            f->share[i] = f->tok_s[i] * flops / f->sgemm[i];
        }
        if (peer->pid && !(status = peer_step(peer, &peer_s, err))) {
            f->peer_tok_s[i] = tokens / peer_s;
            f->ratio[i] = f->tok_s[i] / f->peer_tok_s[i];
        }
        f->rounds++;
    }
    free(ids);
    return status;
}

static enum w_status bench(const struct settings *set, const char *path, const struct w_kern *kern,
                           u32 threads, struct w_err *err)
{
    static struct figures figures;
    struct w_conf conf;
    struct w_team *team = NULL;
    struct w_model *model = NULL;
    struct products products = {0};
    struct peer peer = {0};
    struct w_err no_blas;
    enum w_status status = w_conf_load(&conf, path, err);

    if (!status)
        status = w_team_new(&team, threads, err);
    if (!status)
        status = w_model_new(&model, &conf, W_PLAN_TRAIN, W_TYPE_F32, kern, team, err);
    if (status)
        goto out;
    w_model_init(model);
    if (kern->product) /* the one library cannot have one thread here and more there */
        w_warn("no sgemm to compare with: the kernels are sgemm's own");
    else if (products_open(&products, &conf, threads, &no_blas))
        w_warn("no sgemm to compare with: %s", no_blas.text);
    if (set->peer)
        status = peer_start(&peer, set->peer, path, threads, err);
    if (!status)
        status = measure(set, model, &conf, &peer, &products, &figures, err);
    if (!status)
        tell(&conf, kern, threads, &figures, model);
out:
    peer_stop(&peer);
    products_close(&products);
    w_model_free(model);
    w_team_free(team);
    return status;
}

int main(int argc, char **argv)
{
    struct settings set = {0};
    struct w_machine machine;
    struct w_err err = {0};
    const struct w_kern *kern;
    const char *why;
    int stop = w_cli_parse(&program, &set, &argc, &argv);

    if (stop)
        return stop - 1;
    w_machine_read(&machine, "");
    if (w_blas_core_type(&machine))
        setenv("OPENBLAS_CORETYPE", w_blas_core_type(&machine), 0);
    u32 threads = w_machine_threads(&machine, set.threads, getenv("OMP_NUM_THREADS"), &why);
    enum w_status status = w_kern_choose(&kern, set.kernel, &err);
    if (!status && argc == 0)
        status = w_fail(&err, W_USAGE, "name a configuration");
    if (!status)
        fprintf(stderr, "%s, %u threads (%s), kernels %s\n", machine.name, (unsigned)threads, why,
                kern->name);
    for (int i = 0; i < argc && !status; i++)
        status = bench(&set, argv[i], kern, threads, &err);
    return w_cli_finish(status, &err);
}
