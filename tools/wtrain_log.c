/* The reports of a run: the log in JSON Lines, wtlog(5), the progress line and the summary. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/arch.h"
#include "sys/clock.h"
#include "sys/output.h"
#include "tools/wtrain.h"

#define SCHEMA 1 /* of the log: new keys leave it at 1, a change of meaning makes it 2 */

static double part(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* ---- lines ---- */

/* A file to which lines can be appended: empty, or a log already. Of a last line that a kill or a
 * full disk cut nothing is left, so that all of its lines can be read. */
static enum w_status mend_log(int fd, const char *path, struct w_err *err)
{
    static const char start[] = "{\"t\":";
    char first[sizeof start - 1] = "", tail[64 << 10]; /* more than a line has */
    struct stat st;

    if (fstat(fd, &st))
        return w_fail_errno(err, "--log %s: cannot open", path);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return W_DONE;
    const size_t size = (size_t)W_MIN((u64)st.st_size, sizeof tail);
    const off_t tail_at = st.st_size - (off_t)size;
    const int in = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = in < 0 ? -1 : pread(in, first, sizeof first, 0);
    enum w_status status = W_DONE;
    if (n < 0 || pread(in, tail, size, tail_at) != (ssize_t)size)
        status = w_fail_errno(err, "--log %s: cannot read what it holds", path);
    if (in >= 0)
        close(in);
    if (status)
        return status;
    const char *newline = memrchr(tail, '\n', size);
    if (memcmp(first, start, (size_t)n) || (!newline && tail_at > 0))
        return w_fail(err, W_USAGE,
                      "--log %s: it holds something else than a log: name another file", path);
    const off_t whole = newline ? tail_at + (newline - tail) + 1 : 0;
    if (whole < st.st_size && ftruncate(fd, whole))
        return w_fail_errno(err, "--log %s: cannot take off its last line, which was cut", path);
    return W_DONE;
}

enum w_status log_open(struct run *run, struct w_err *err)
{
    const char *path = run->set->log;

    if (!path)
        return W_DONE;
    run->log.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return run->log.fd < 0 ? w_fail_errno(err, "--log %s: cannot open", path)
                           : mend_log(run->log.fd, path, err);
}

static struct w_json *new_line(const struct run *run, const char *type)
{
    struct w_json *line = w_json_object();

    w_json_set_string(line, "t", type);
    w_json_set_u64(line, "step", run->state.step);
    w_json_set_u64(line, "tokens", run->state.tokens);
    return line;
}

/* Write and free. Hours of training are worth more than their log: when writing fails, there is one
 * warning and an exit status, and the run goes on. */
static void put_line(struct run *run, struct w_json *line)
{
    struct w_err err = {0};
    char *text = NULL;
    size_t size;
    enum w_status status = w_json_line(line, &text, &size, &err);

    if (!run->log.dead && !status)
        status = w_write_line(run->log.fd, text, size, run->set->log, &err);
    if (status && !run->log.dead) {
        run->log.dead = true;
        w_warn("the log has stopped: %s: training goes on", err.text);
    }
    free(text);
    w_json_free(line);
}

static struct w_json *host_json(const struct run *run)
{
    struct w_json *host = w_json_object();

    w_json_set_string(host, "cpu", run->machine.name);
    w_json_set_u64(host, "cores", run->machine.physical_cores);
    w_json_set_u64(host, "usable_cores", run->machine.usable_cores);
    w_json_set_u64(host, "memory_bytes", run->machine.memory_bytes);
    return host;
}

void log_header(struct run *run)
{
    const char *sha256 = w_tok_sha256(run->tok);

    if (run->log.fd < 0)
        return;
    struct w_json *line = new_line(run, "header");
    w_json_set_u64(line, "schema", SCHEMA);
    w_json_set_string(line, "by", "wtrain " W_VERSION_TEXT);
    w_json_set_string(line, "argv", w_cli_command_line());
    w_json_set_u64(line, "time", (u64)time(NULL));
    w_json_set_string(line, "name", run->conf.name);
    w_json_set(line, "config", w_conf_json(&run->conf));
    if (sha256)
        w_json_set_string(line, "tok_sha256", sha256);
    if (run->resumed)
        w_json_set_string(line, "resumed", run->resumed_path);
    if (run->stop_step != UINT64_MAX)
        w_json_set_u64(line, "stop_step", run->stop_step);
    w_json_set_u64(line, "threads", run->threads);
    if (run->peers)
        w_json_set_u64(line, "ranks", w_peers_size(run->peers));
    w_json_set_string(line, "kernel", run->kern->name);
    w_json_set_string(line, "precision", w_compute_type_name(run->type));
    w_json_set_u64(line, "parameters", w_model_tensors(run->model)->parameters);
    w_json_set_u64(line, "plan_bytes", w_model_bytes(run->model));
    w_json_set_real(line, "flops_per_token", w_arch_flops_per_token(&run->conf));
    if (run->forecast_tok_s > 0)
        w_json_set_real(line, "forecast_tok_s", run->forecast_tok_s);
    w_json_set(line, "host", host_json(run));
    put_line(run, line);
}

static double gflops(const struct run *run, double tokens_per_s)
{
    return w_arch_flops_per_token(&run->conf) * tokens_per_s / 1e9;
}

/* The exchanges since the last call: bytes, and when each began and ended, in seconds since
 * began_s. */
static struct w_json *exchanges_json(const struct run *run, double began_s)
{
    struct w_json *list = w_json_array();
    const struct w_peers_time *times;
    const u32 count = w_peers_times(run->peers, &times);

    for (u32 i = 0; i < count; i++) {
        struct w_json *one = w_json_array();
        w_json_add_u64(one, times[i].bytes);
        w_json_add_real(one, times[i].began_s - began_s);
        w_json_add_real(one, times[i].ended_s - began_s);
        w_json_add(list, one);
    }
    return list;
}

static void set_losses(struct w_json *line, double network, double counts, double mixed)
{
    w_json_set_real(line, "loss", network);
    if (counts > 0)
        w_json_set_real(line, "loss_counts", counts);
    if (mixed > 0)
        w_json_set_real(line, "loss_mixed", mixed);
}

/* Among ranks: the part of a step or round that was spent waiting for the others. */
static void set_wait(struct w_json *line, const struct run *run, double peers_s, double seconds,
                     double began_s)
{
    if (!run->peers)
        return;
    w_json_set_real(line, "wait_ranks", part(peers_s, seconds));
    if (w_common.verbose)
        w_json_set(line, "exchanges", exchanges_json(run, began_s));
}

void log_step(struct run *run)
{
    const struct step_facts *facts = &run->last;
    double tokens_per_s = part((double)run_step_tokens(run), facts->seconds);

    if (run->log.fd < 0 || run->state.step % run->set->log_every)
        return;
    struct w_json *line = new_line(run, "step");
    set_losses(line, facts->loss, facts->loss_counts, facts->loss_mixed);
    w_json_set_real(line, "gnorm", facts->gnorm);
    w_json_set_real(line, "lr", facts->lr);
    w_json_set_real(line, "dt", facts->seconds);
    w_json_set_real(line, "tok_s", tokens_per_s);
    w_json_set_real(line, "gflops", gflops(run, tokens_per_s));
    w_json_set_real(line, "wait", part(facts->wait_s, facts->seconds));
    if (!run->conf.local_steps)
        set_wait(line, run, facts->peers_s, facts->seconds, facts->began_s);
    w_json_set_u64(line, "peak_bytes", w_peak_memory_bytes());
    put_line(run, line);
}

void log_round(struct run *run)
{
    const struct round *round = &run->round;
    const u64 steps = run->state.step - round->began.step;

    if (run->log.fd < 0)
        return;
    struct w_json *line = new_line(run, "round");
    w_json_set_u64(line, "steps", steps);
    set_losses(line, round->losses[0].network, round->losses[0].counts, round->losses[0].mixed);
    w_json_set_real(line, "gnorm", round->gnorm);
    w_json_set_real(line, "dt", round->seconds);
    w_json_set_real(line, "tok_s", part((double)(steps * run_step_tokens(run)), round->seconds));
    set_wait(line, run, round->peers_s, round->seconds, round->began_s);
    put_line(run, line);
}

/* A loss of an evaluation, and its bits per byte where they are known. */
static void set_loss(struct w_json *line, const struct evaluation *e, double loss, const char *name)
{
    char key[32];

    snprintf(key, sizeof key, "loss%s", name);
    w_json_set_real(line, key, loss);
    snprintf(key, sizeof key, "bits_per_byte%s", name);
    if (e->bytes)
        w_json_set_real(line, key, eval_bits_per_byte(e, loss));
}

void log_eval(struct run *run, const struct evaluation *e)
{
    if (run->log.fd < 0)
        return;
    struct w_json *line = new_line(run, "eval");
    w_json_set_string(line, "file", e->path);
    set_loss(line, e, e->loss.network, "");
    if (e->loss.counts > 0)
        set_loss(line, e, e->loss.counts, "_counts");
    if (e->loss.mixed > 0)
        set_loss(line, e, e->loss.mixed, "_mixed");
    w_json_set_u64(line, "batches", e->batches);
    w_json_set_u64(line, "eval_tokens", e->tokens);
    w_json_set_u64(line, "eval_bytes", e->bytes);
    w_json_set_real(line, "dt", e->seconds);
    put_line(run, line);
}

void log_ckpt(struct run *run, const char *path, double seconds, const struct w_err *failure)
{
    if (run->log.fd < 0)
        return;
    struct w_json *line = new_line(run, "ckpt");
    w_json_set_string(line, "file", path);
    w_json_set_bool(line, "ok", !failure);
    if (failure)
        w_json_set_string(line, "error", failure->text);
    w_json_set_real(line, "dt", seconds);
    put_line(run, line);
}

static const char *reason_of(const struct run *run, enum w_status status)
{
    static const char *const names[] = {
        [END_NONE] = "initial", [END_STEPS] = "steps", [END_TIME] = "time", [END_DATA] = "data"};
    return status ? w_status_name(status) : names[run->end];
}

void log_end(struct run *run, enum w_status status, const struct w_err *err)
{
    if (run->log.fd < 0)
        return;
    struct w_json *line = new_line(run, "end");
    w_json_set_string(line, "reason", reason_of(run, status));
    w_json_set_u64(line, "exit", (u64)w_exit_code(status));
    if (status == W_SIGNAL)
        w_json_set_u64(line, "signal", (u64)w_signal_stop);
    if (status)
        w_json_set_string(line, "error", err->text);
    if (run->clock.steps) {
        double tokens_per_s = part((double)run->clock.tokens, run->clock.step_seconds);
        w_json_set_real(line, "loss", run->state.loss);
        w_json_set_u64(line, "run_steps", run->clock.steps);
        w_json_set_u64(line, "run_tokens", run->clock.tokens);
        w_json_set_real(line, "seconds", run_elapsed_s(run));
        w_json_set_real(line, "start_up", run->clock.start_up_s);
        w_json_set_real(line, "tok_s", tokens_per_s);
        w_json_set_real(line, "gflops", gflops(run, tokens_per_s));
        w_json_set_real(line, "wait", part(run->clock.wait_s, run->clock.step_seconds));
    }
    w_json_set_u64(line, "peak_bytes", w_peak_memory_bytes());
    put_line(run, line);
}

enum w_status log_close(struct run *run, struct w_err *err)
{
    bool failed = run->log.fd >= 0 && close(run->log.fd) != 0;

    run->log.fd = -1;
    if (run->log.dead)
        return w_fail(err, W_IO, "--log %s: is not complete", run->set->log);
    return failed ? w_fail_errno(err, "--log %s: cannot close", run->set->log) : W_DONE;
}

/* ---- for people ---- */

/* Seconds until the end of the run, or -1 where it is not known; *last_step: UINT64_MAX where that
 * is not known. */
static double seconds_left(const struct run *run, u64 *last_step)
{
    u64 batches = w_loader_known_batches(run->loader);
    double left = -1, per_step = part(w_now_s() - run->clock.began_s, (double)run->clock.steps);

    *last_step = run->stop_step;
    if (batches)
        *last_step = W_MIN(*last_step, batches / run->conf.accumulate);
    if (*last_step != UINT64_MAX)
        left = per_step * (double)(*last_step - W_MIN(*last_step, run->state.step));
    double time_left = run->time_s - run_elapsed_s(run);
    if (run->time_s > 0 && (left < 0 || time_left < left))
        left = W_MAX(time_left, 0);
    return left;
}

/* " (0.97 of forecast)", or "" */
static void forecast_ratio(char text[32], const struct run *run, double tokens_per_s)
{
    text[0] = 0;
    if (run->forecast_tok_s > 0)
        snprintf(text, 32, " (%.2f of forecast)", tokens_per_s / run->forecast_tok_s);
}

void show_progress(struct run *run)
{
    static double smooth_s; /* of a step: an exponential moving average */
    const struct step_facts *facts = &run->last;
    const struct evaluation *e = run->validation.of_val;
    char place[64], mixed[32] = "", val[32] = "", eta[24] = "?", forecast[32] = "";
    u64 last_step = 0;
    double left_s = seconds_left(run, &last_step);

    smooth_s = run->clock.steps <= 2 ? facts->seconds : 0.9 * smooth_s + 0.1 * facts->seconds;
    double tokens_per_s = part((double)run_step_tokens(run), smooth_s);
    if (last_step == UINT64_MAX)
        snprintf(place, sizeof place, "step %llu", (unsigned long long)run->state.step);
    else
        snprintf(place, sizeof place, "step %llu/%llu %.0f %%", (unsigned long long)run->state.step,
                 (unsigned long long)last_step,
                 100 * part((double)run->state.step, (double)last_step));
    if (facts->loss_mixed > 0)
        snprintf(mixed, sizeof mixed, ", mixed %.4f", facts->loss_mixed);
    if (e && e->loss.network > 0)
        snprintf(val, sizeof val, ", val %.4f", e->loss.network);
    if (left_s >= 0)
        w_short_time(eta, left_s);
    forecast_ratio(forecast, run, tokens_per_s);
    w_progress(false, "%s, loss %.4f%s%s, %.0f tok/s%s, %.1f GFLOP/s, data-wait %.1f %%, ETA %s",
               place, facts->loss, mixed, val, tokens_per_s, forecast, gflops(run, tokens_per_s),
               100 * part(run->clock.wait_s, run->clock.step_seconds), eta);
}

/* What each validation came to, where one number does not say it. */
static void show_validations(const struct run *run)
{
    static const char *const names[] = {"network alone", "counts alone", "mixture"};
    const size_t files = run->set->val.count;

    for (const struct evaluation *e = run->validation.of_val; e < run->validation.of_val + files;
         e++) {
        const double losses[] = {e->loss.network, e->loss.counts, e->loss.mixed};
        char text[256] = "";
        if (files == 1 && losses[1] <= 0 && run->clock.steps)
            continue; /* the summary has it */
        for (size_t i = 0; i < W_COUNTOF(losses); i++) {
            const size_t used = strlen(text);
            if (losses[i] > 0 && e->bytes)
                snprintf(text + used, sizeof text - used, "%s %s %.4f (%.4f bits/byte)",
                         i ? "," : "", names[i], losses[i], eval_bits_per_byte(e, losses[i]));
            else if (losses[i] > 0)
                snprintf(text + used, sizeof text - used, "%s %s %.4f", i ? "," : "", names[i],
                         losses[i]);
        }
        w_say("validation %s:%s", e->path, text);
    }
}

static void show_steps(const struct run *run, bool evaluated)
{
    const struct evaluation *e = run->validation.of_val;
    char duration[24], val[64] = "", forecast[32], steps[W_COUNTED];
    double tokens_per_s = part((double)run->clock.tokens, run->clock.step_seconds);

    if (evaluated)
        snprintf(val, sizeof val, ", validation %.4f", e->loss.network);
    if (evaluated && e->bytes)
        snprintf(val, sizeof val, ", validation %.4f (%.4f bits/byte)", e->loss.network,
                 eval_bits_per_byte(e, e->loss.network));
    forecast_ratio(forecast, run, tokens_per_s);
    w_say("%s, %llu tokens in %s: loss %.4f%s, %.0f tok/s%s, %.1f GFLOP/s, data-wait %.2f "
          "%%, peak memory %.0f MiB",
          w_counted(steps, run->clock.steps, "step"), (unsigned long long)run->clock.tokens,
          w_short_time(duration, w_now_s() - run->clock.began_s), run->state.loss, val,
          tokens_per_s, forecast, gflops(run, tokens_per_s),
          100 * part(run->clock.wait_s, run->clock.step_seconds),
          (double)w_peak_memory_bytes() / (1024 * 1024));
}

void show_summary(struct run *run)
{
    const bool evaluated = run->validation.of_val && run->validation.step == run->state.step;

    if (run->clock.steps)
        show_steps(run, evaluated);
    if (evaluated)
        show_validations(run);
}

void show_next(const struct run *run)
{
    const char *output = run->set->output;
    char line[4200] = "";

    if (run->best.step)
        w_say("the lowest validation loss, %.4f, was that of step %llu: %s", run->best.loss,
              (unsigned long long)run->best.step, run->best.path);
    if (!output || !strcmp(output, "-") || !run->tok || run->clock.steps == 0)
        return;
    w_cli_add_word(line, sizeof line, output);
    w_say("text of the model: wsample -m %s -p 'The history of'", line);
}
