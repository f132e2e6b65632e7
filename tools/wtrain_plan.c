/* --dry-run: what training would take, before any of it is done. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "net/arch.h"
#include "sys/clock.h"
#include "tools/wtrain.h"

#define MEASURE_TOKENS 1024 /* of the batch that is timed */

static struct w_json *plan_json(const struct w_plan *plan)
{
    struct w_json *object = w_json_object(), *buffers = w_json_array();

    w_json_set_u64(object, "bytes", plan->bytes);
    for (u32 i = 0; i < plan->count; i++) {
        const struct w_plan_row *buffer = &plan->rows[i];
        struct w_json *row = w_json_object();
        w_json_set_string(row, "name", buffer->name);
        w_json_set_u64(row, "bytes", buffer->bytes);
        w_json_set_u64(row, "offset", buffer->offset);
        w_json_set_string(row, "lifetime", w_lifetime_name(buffer->lifetime));
        w_json_add(buffers, row);
    }
    w_json_set(object, "buffers", buffers);
    return object;
}

/* Train twice on one small batch of random ids; the time of a real step follows, since the gradient's
 * time goes with the tokens and the update's does not. */
static enum w_status measure_rate(const struct run *run, double *tokens_per_s, struct w_err *err)
{
    struct w_conf conf = run->conf;
    struct w_team *team = NULL;
    struct w_model *model = NULL;
    struct w_rng rng = {.seed = conf.seed};
    double gradient_s = 0, update_s = 0;
    u32 *ids = NULL;

    conf.batch_size = W_MAX(1, W_MIN(conf.batch_size, MEASURE_TOKENS / conf.max_length));
    u64 count = conf.batch_size * (conf.max_length + 1);
    enum w_status status = w_team_new(&team, run->threads, err);
    if (!status)
        status = w_model_new(&model, &conf, W_PLAN_TRAIN, run->type, run->kern, team, err);
    if (!status && !(ids = malloc(count * sizeof *ids)))
        status = w_fail(err, W_NOMEM, "no memory for a batch");
    if (status)
        goto out;
    w_model_init(model);
    for (u64 i = 0; i < count; i++)
        ids[i] = (u32)w_rng_below(&rng, conf.vocab_size);
    for (u64 step = 1; step <= 2; step++) { /* the first one warms up */
        double t0 = w_now_s();
        w_model_gradient(model, ids, 1);
        double t1 = w_now_s();
        w_model_update(model, step, conf.learning_rate);
        gradient_s = t1 - t0;
        update_s = w_now_s() - t1;
    }
    double step_tokens = (double)run_step_tokens(run);
    double tokens = (double)(conf.batch_size * conf.max_length);
    *tokens_per_s = step_tokens / (gradient_s * step_tokens / tokens + update_s);
out:
    free(ids);
    w_model_free(model);
    w_team_free(team);
    return status;
}

static enum w_status forecast(const struct run *run, struct w_json **out, struct w_err *err)
{
    struct w_json *object = w_json_object();
    double rate = run->set->tok_s, step_tokens = (double)run_step_tokens(run);
    enum w_status status = W_DONE;

    *out = object;
    if (rate <= 0)
        status = measure_rate(run, &rate, err);
    if (status)
        return status;
    w_json_set_real(object, "tok_s", rate);
    w_json_set_string(object, "source", run->set->tok_s > 0 ? "given" : "measured");
    w_json_set_real(object, "gflops", rate * w_arch_flops_per_token(&run->conf) / 1e9);
    w_json_set_real(object, "step_seconds", step_tokens / rate);
    double steps = run->stop_step == UINT64_MAX ? 0 : (double)run->stop_step;
    if (run->set->time_s > 0 && (steps <= 0 || steps * step_tokens / rate > run->set->time_s))
        steps = run->set->time_s * rate / step_tokens;
    if (steps > 0) {
        w_json_set_real(object, "steps", steps);
        w_json_set_real(object, "tokens", steps * step_tokens);
        w_json_set_real(object, "seconds", steps * step_tokens / rate);
    }
    return W_DONE;
}

enum w_status plan_print(struct run *run, struct w_err *err)
{
    struct w_json *root = w_json_object(), *memory = w_json_object(), *cast = NULL;
    struct w_tensors tensors = {0};
    u64 available = run->machine.available_bytes;
    bool fits = !available || run->plan.bytes <= available;
    char *text = NULL;

    enum w_status status = save_check(run, err);
    if (!status)
        status = w_tensors_make(&tensors, &run->conf, err);
    if (!status && (fits || run->set->tok_s > 0)) {
        status = forecast(run, &cast, err);
        w_json_set(root, "forecast", cast);
    }
    w_json_set_string(root, "name", run->conf.name);
    w_json_set(root, "config", w_conf_json(&run->conf));
    w_json_set_u64(root, "threads", run->threads);
    w_json_set_string(root, "kernel", run->kern->name);
    w_json_set_string(root, "precision", w_type_name(run->type));
    w_json_set_u64(root, "parameters", tensors.parameters);
    w_json_set_u64(root, "step_tokens", run_step_tokens(run));
    w_json_set_real(root, "flops_per_token", w_arch_flops_per_token(&run->conf));
    w_json_set_u64(memory, "available_bytes", available);
    w_json_set_bool(memory, "fits", fits);
    w_json_set(root, "memory", memory);
    w_json_set(root, "plan", plan_json(&run->plan));
    if (!status && !(text = w_json_pretty(root, err)))
        status = W_NOMEM;
    if (!status)
        puts(text);
    if (!status && !fits && !run->set->force)
        status = w_fail(err, W_NOMEM, "%s needs %llu bytes, but %llu are available", run->conf.name,
                        (unsigned long long)run->plan.bytes, (unsigned long long)available);
    free(text);
    w_json_free(root);
    w_tensors_free(&tensors);
    return status;
}
