/* wbench - measures training: tokens and FLOP per second of whole steps, and of each GEMM, compared
 * with the peak of the machine, with sgemm at the same shapes and with another trainer, all in the
 * same minute.
 *
 * A machine's speed changes from minute to minute, so that only measurements side by side can be
 * compared: a round is one step between two samples of the peak (limit.h), one step of the peer,
 * and the GEMMs of a step by sgemm. Quotients are taken within a round, and the median over the
 * rounds is reported. Where the peak has two states, the rounds of each state are reported too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/step_probe.h"
#include "net/arch.h"
#include "net/model.h"
#include "sys/clock.h"
#include "sys/machine.h"
#include "fit/evaluate.h"
#include "tests/bench/limit.h"
#include "tests/bench/onednn.h"
#include "tests/bench/peer.h"
#include "tests/bench/products.h"
#include "tools/cli.h"

#define READ_BYTES ((u64)256 << 20) /* working set of all threads together */
#define READ_S 0.3
/* The threads of OpenBLAS and of OpenMP spin for up to 20 ms after a GEMM, on the cores of the next
 * contestant. */
#define SETTLE_S 0.05
#define ROUNDS_MAX 100

struct settings {
    u64 rounds, threads;
    const char *kernel, *peer;
    struct w_text_list set; /* changes to every configuration */
    u32 precision;          /* enum w_precision */
    bool products;
};

#define FIELD(field) .offset = offsetof(struct settings, field)

static const struct w_option options[] = {
    {"rounds", 'n', W_OPT_COUNT, FIELD(rounds), .arg = "N", .dflt = "5", .min = 1,
     .max = ROUNDS_MAX, .help = "Rounds of each configuration, after one that is not counted."},
    {"threads", 't', W_OPT_COUNT, FIELD(threads), .arg = "N", .max = 4096,
     .help = "Threads. Default: OMP_NUM_THREADS, else the physical cores that may be used."},
    {"kernel", 0, W_OPT_TEXT, FIELD(kernel), .arg = "NAME",
     .help = "Kernels to use instead of the fastest that run on this machine."},
    {"precision", 0, W_OPT_CHOICE, FIELD(precision), .arg = "KIND", .dflt = "auto",
     .choices = W_PRECISION_NAMES,
     .help = "Compute type, here and of the peer; auto is bf16 where the CPU has "
             "instructions for it, else fp32."},
    {"set", 0, W_OPT_LIST, FIELD(set), .arg = "KEY=VALUE",
     .help = "Change a key of every configuration here; repeatable. The peer reads the files as "
             "they are."},
    {"products", 0, W_OPT_FLAG, FIELD(products),
     .help = "Measure each phase of a step and each of its GEMMs too, with their bounds."},
    {"peer", 0, W_OPT_TEXT, FIELD(peer), .arg = "COMMAND",
     .help =
         "Another trainer to take turns with: COMMAND serve CONFIG --precision KIND --threads N "
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
    .summary = "measure training, compared with sgemm and another trainer",
    .operands = "CONFIG ...",
    .about = "Trains each configuration on random tokens. A table goes to standard error, JSON "
             "Lines go to standard output.",
    .options = options,
    .examples = examples,
};

/* The measurements of a configuration: a number for each round. */
struct measurements {
    double tok_s[ROUNDS_MAX], peak[ROUNDS_MAX], share[ROUNDS_MAX]; /* peak: FLOP/s */
    double sgemm[ROUNDS_MAX];                                      /* FLOP/s, 0: no sgemm */
    double peer_tok_s[ROUNDS_MAX], ratio[ROUNDS_MAX];
    u64 rounds;
};

static double median(const double *values, u64 n)
{
    double sorted[ROUNDS_MAX];

    memcpy(sorted, values, n * sizeof *sorted);
    w_sort_reals(sorted, n);
    return w_quantile(sorted, n, 0.5);
}

static double timed_step(struct w_model *model, const struct w_conf *conf, u32 *ids, u64 step)
{
    struct w_rng rng = {.seed = 1, .stream = step};
    for (u64 i = 0; i < conf->batch_size * (conf->max_length + 1); i++)
        ids[i] = w_step_probe_id(&rng, conf);
    double start = w_now_s();
    w_model_gradient(model, &(struct w_batch){.ids = ids, .number = step}, 1);
    w_model_update(model, step + 1, conf->learning_rate);
    return w_now_s() - start;
}

/* Print the rounds whose peak is in [low, high) as members of a JSON object, and if `table` as a
 * line of the table. Returns their number. */
static u64 print_rounds(const struct measurements *f, double flops, double low, double high,
                        bool table)
{
    static struct measurements part;

    part.rounds = 0;
    for (u64 i = 0; i < f->rounds; i++)
        if (f->peak[i] >= low && f->peak[i] < high) {
            const u64 to = part.rounds++;
            part.tok_s[to] = f->tok_s[i], part.peak[to] = f->peak[i], part.share[to] = f->share[i];
            part.sgemm[to] = f->sgemm[i];
            part.peer_tok_s[to] = f->peer_tok_s[i], part.ratio[to] = f->ratio[i];
        }
    const u64 n = part.rounds;
    if (n == 0)
        return 0;
    const double tok_s = median(part.tok_s, n), peak = median(part.peak, n);
    const double share = median(part.share, n), sgemm = median(part.sgemm, n);
    printf("\"rounds\":%u,\"tok_s\":%.1f,\"tflops\":%.4f,\"peak_tflops\":%.4f,"
           "\"share_of_peak\":%.4f",
           (unsigned)n, tok_s, 1e-12 * tok_s * flops, 1e-12 * peak, share);
    if (sgemm > 0)
        printf(",\"sgemm_tflops\":%.4f", 1e-12 * sgemm);
    if (median(part.peer_tok_s, n) > 0)
        printf(",\"peer_tok_s\":%.1f,\"ratio\":%.3f", median(part.peer_tok_s, n),
               median(part.ratio, n));
    if (!table)
        return n;
    fprintf(stderr, "%8.0f tok/s %7.1f GFLOP/s  peak %7.1f  share %5.1f %%", tok_s,
            1e-9 * tok_s * flops, 1e-9 * peak, 100 * share);
    if (sgemm > 0)
        fprintf(stderr, "  sgemm %7.1f", 1e-9 * sgemm);
    if (median(part.peer_tok_s, n) > 0)
        fprintf(stderr, "  peer %6.0f tok/s  ratio %.2f", median(part.peer_tok_s, n),
                median(part.ratio, n));
    return n;
}

/* The states of the peak: two, if the best one is more than 1.5 times the worst one. */
static void print_states(const struct measurements *f, double flops)
{
    double low = INFINITY, high = 0;

    for (u64 i = 0; i < f->rounds; i++) {
        low = W_MIN(low, f->peak[i]);
        high = W_MAX(high, f->peak[i]);
    }
    if (high <= 1.5 * low)
        return;
    printf(",\"states\":[{\"state\":\"slow\",");
    print_rounds(f, flops, 0, sqrt(low * high), false);
    printf("},{\"state\":\"fast\",");
    print_rounds(f, flops, sqrt(low * high), INFINITY, false);
    printf("}]");
}

static void print_training(const struct w_conf *conf, const struct w_engine *engine,
                           const struct measurements *f, const struct w_model *model)
{
    const double *seconds = w_model_seconds(model);
    const double flops = w_arch_flops_per_token(conf);
    double sum = 0;

    fprintf(stderr, "%-24s", conf->name);
    printf("{\"t\":\"training\",\"config\":\"%s\",\"precision\":\"%s\",\"kernel\":\"%s\","
           "\"threads\":%u,\"plan_bytes\":%llu,",
           conf->name, w_compute_type_name(engine->type), engine->kern->name,
           (unsigned)w_team_size(engine->team), (unsigned long long)w_model_bytes(model));
    print_rounds(f, flops, 0, INFINITY, true);
    print_states(f, flops);
    fprintf(stderr, "\n ");
    for (u32 i = 0; i < W_PHASES; i++)
        sum += seconds[i];
    for (u32 i = 0; i < W_PHASES; i++) {
        fprintf(stderr, " %s %.1f %%", w_phases[i].title, 100 * seconds[i] / sum);
        printf("%s\"%s\":%.4f", i ? "," : ",\"parts_s\":{", w_phases[i].title,
               seconds[i] / (double)f->rounds);
    }
    fprintf(stderr, "\n");
    printf("}}\n");
    fflush(stdout);
}

/* Each phase of a step with its bounds: the peak, and the rate at which all threads read from
 * memory. A phase whose data stay in a cache exceeds the latter. */
static enum w_status print_phases(const struct w_conf *conf, const struct w_engine *engine,
                                  const struct w_model *model, const struct measurements *f,
                                  struct w_err *err)
{
    static struct w_fit fit;
    static struct w_curve curve;
    const struct w_machine unknown = {.logical_cpus = 1};
    const u32 threads = w_team_size(engine->team);
    const struct w_fit_ask ask = {.threads = threads, .type = engine->type};
    const double peak = median(f->peak, f->rounds);
    enum w_status status = w_fit_make(&fit, conf, &unknown, &ask, err);

    if (!status)
        status = w_curve_measure(&curve, W_CURVE_BANDWIDTH, engine->kern, engine->team,
                                 READ_BYTES / threads, READ_S, err);
    const double read = status ? 0 : curve.points[curve.count - 1].value;
    for (u32 i = 0; i < W_PHASES && !status; i++) {
        char key[64];
        const double seconds = w_model_seconds(model)[i] / (double)f->rounds;
        snprintf(key, sizeof key, "work.%s", w_phases[i].key);
        const double flops = w_fit_value(&fit, key) / seconds;
        snprintf(key, sizeof key, "traffic.%s", w_phases[i].key);
        const double bytes = w_fit_value(&fit, key) / seconds;
        fprintf(stderr,
                "  %-18s %8.2f ms %8.1f GFLOP/s %5.1f %% of peak %7.1f GB/s %6.1f %% of reading\n",
                w_phases[i].title, 1e3 * seconds, 1e-9 * flops, 100 * flops / peak, 1e-9 * bytes,
                100 * bytes / read);
        printf("{\"t\":\"part\",\"config\":\"%s\",\"precision\":\"%s\",\"kernel\":\"%s\","
               "\"threads\":%u,\"part\":\"%s\",\"seconds\":%.6g,\"tflops\":%.4f,"
               "\"peak_tflops\":%.4f,\"gb_s\":%.2f,\"read_gb_s\":%.2f}\n",
               conf->name, w_compute_type_name(engine->type), engine->kern->name, (unsigned)threads,
               w_phases[i].key, seconds, 1e-12 * flops, 1e-12 * peak, 1e-9 * bytes, 1e-9 * read);
    }
    return status;
}

/* Each GEMM of a step by itself: medians over the rounds; each share is of the peak around it. */
static void print_products(const struct settings *set, const struct w_conf *conf,
                           const struct products *products, const struct onednn *onednn,
                           const struct limit *limit)
{
    double rate[ROUNDS_MAX], share[ROUNDS_MAX], sgemm[ROUNDS_MAX], other[ROUNDS_MAX];

    for (u32 i = 0; i < PRODUCTS; i++) {
        const struct product *p = &products->list[i];
        for (u64 r = 0; r < set->rounds; r++) {
            w_sleep_s(SETTLE_S);
            const double before = limit_sample(limit);
            rate[r] = product_flops(p) / products_time(products, p);
            share[r] = rate[r] / ((before + limit_sample(limit)) / 2);
            sgemm[r] = 0;
            if (products->has_blas)
                sgemm[r] = product_flops(p) / products_time_sgemm(products, p);
            w_sleep_s(SETTLE_S);
            const double other_s = onednn_time(onednn, products, p);
            other[r] = other_s > 0 ? product_flops(p) / other_s : 0;
        }
        const double median_rate = median(rate, set->rounds);
        const double median_share = median(share, set->rounds);
        fprintf(
            stderr,
            "  %-14s %6u x %5u x %5u %8.1f GFLOP/s  share %5.1f %%  sgemm %7.1f  oneDNN %7.1f\n",
            p->name, (unsigned)p->m, (unsigned)p->n, (unsigned)p->k, 1e-9 * median_rate,
            100 * median_share, 1e-9 * median(sgemm, set->rounds),
            1e-9 * median(other, set->rounds));
        printf("{\"t\":\"product\",\"config\":\"%s\",\"precision\":\"%s\",\"kernel\":\"%s\","
               "\"threads\":%u,\"product\":\"%s\",\"m\":%u,\"n\":%u,\"k\":%u,\"tflops\":%.4f,"
               "\"peak_tflops\":%.4f,\"share_of_peak\":%.4f,\"sgemm_tflops\":%.4f,"
               "\"onednn_tflops\":%.4f}\n",
               conf->name, w_compute_type_name(products->engine->type),
               products->engine->kern->name, (unsigned)w_team_size(products->engine->team), p->name,
               (unsigned)p->m, (unsigned)p->n, (unsigned)p->k, 1e-12 * median_rate,
               1e-12 * median_rate / median_share, median_share, 1e-12 * median(sgemm, set->rounds),
               1e-12 * median(other, set->rounds));
    }
}

/* The rounds of one configuration. */
static enum w_status measure(const struct settings *set, struct w_model *model,
                             const struct w_conf *conf, struct peer *peer,
                             const struct products *products, const struct limit *limit,
                             struct measurements *f, struct w_err *err)
{
    const double tokens = (double)(conf->batch_size * conf->max_length);
    const double flops = w_arch_flops_per_token(conf);
    u32 *ids = calloc(conf->batch_size * (conf->max_length + 1), sizeof *ids);
    enum w_status status = W_DONE;

    if (!ids)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    timed_step(model, conf, ids, 0);
    w_model_seconds_reset(model);
    *f = (struct measurements){0};
    for (u64 i = 0; i < set->rounds && !status; i++) {
        double peer_s = 0;
        w_sleep_s(SETTLE_S);
        const double before = limit_sample(limit);
        f->tok_s[i] = tokens / timed_step(model, conf, ids, i + 1);
        f->peak[i] = (before + limit_sample(limit)) / 2;
        f->share[i] = f->tok_s[i] * flops / f->peak[i];
        f->sgemm[i] = products->has_blas ? products_rate(products) : 0;
        w_sleep_s(SETTLE_S);
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
                           enum w_type type, u32 threads, struct w_err *err)
{
    static struct measurements measurements;
    struct w_conf conf;
    struct w_team *team = NULL;
    struct w_model *model = NULL;
    struct products products = {0};
    struct onednn onednn = {0};
    struct limit limit = {0};
    struct peer peer = {0};
    struct w_err no_blas;
    enum w_status status = w_conf_load(&conf, path, err);

    if (!status)
        status = w_cli_set_keys(&conf, &set->set, err);
    if (!status)
        status = w_conf_check(&conf, err);
    if (!status)
        status = w_team_new(&team, threads, err);
    if (!status)
        status = w_model_new(&model, &conf, W_PLAN_TRAIN, type, kern, team, err);
    if (status)
        goto out;
    w_model_init(model);
    status = products_open(&products, &conf, w_model_engine(model), err);
    if (!status)
        status = limit_open(&limit, w_model_engine(model), err);
    if (status)
        goto out;
    if (kern->product) /* one library, one number of threads */
        w_warn("no sgemm to compare with: the kernels are sgemm's own");
    else if (!products_open_blas(&products, threads, &no_blas))
        w_warn("no sgemm to compare with: %s", no_blas.text);
    if (set->peer)
        status = peer_start(&peer, set->peer, path, w_compute_type_name(type), threads, err);
    if (!status)
        status = measure(set, model, &conf, &peer, &products, &limit, &measurements, err);
    if (!status)
        print_training(&conf, w_model_engine(model), &measurements, model);
    if (!status && set->products)
        status = print_phases(&conf, w_model_engine(model), model, &measurements, err);
    if (!status && set->products) {
        if (!onednn_open(&onednn, threads))
            w_warn("no oneDNN to compare with: libdnnl-dev was absent when this was compiled");
        print_products(set, &conf, &products, &onednn, &limit);
    }
out:
    onednn_close(&onednn);
    peer_stop(&peer);
    limit_close(&limit);
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
    enum w_type type = W_TYPE_F32;
    enum w_status status = w_kern_choose_precision(&kern, &type, set.kernel, set.precision, &err);
    if (!status && argc == 0)
        status = w_fail(&err, W_USAGE, "name a configuration");
    if (!status)
        fprintf(stderr, "%s, %u threads (%s), kernels %s, %s\n", machine.name, (unsigned)threads,
                why, kern->name, w_compute_type_name(type));
    for (int i = 0; i < argc && !status; i++)
        status = bench(&set, argv[i], kern, type, threads, &err);
    return w_cli_finish(status, &err);
}
