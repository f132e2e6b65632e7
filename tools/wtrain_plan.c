/* --dry-run: the memory and the time that training would take. */

#include "bench/step_probe.h"
#include "net/arch.h"
#include "tools/plan_json.h"
#include "tools/wtrain.h"

static enum w_status measure_rate(const struct run *run, double *tokens_per_s, struct w_err *err)
{
    struct w_team *team = NULL;

    w_say("%s: measuring its rate on %u threads", run->conf.name, (unsigned)run->threads);
    enum w_status status = w_team_new(&team, run->threads, err);

    if (!status)
        status = w_step_rate(tokens_per_s, &run->conf, (double)run_step_tokens(run), run->kern,
                             run->type, team, err);
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
    if (run->time_s > 0 && (steps <= 0 || steps * step_tokens / rate > run->time_s))
        steps = run->time_s * rate / step_tokens;
    if (steps > 0) {
        w_json_set_real(object, "steps", steps);
        w_json_set_real(object, "tokens", steps * step_tokens);
        w_json_set_real(object, "seconds", steps * step_tokens / rate);
    }
    return W_DONE;
}

enum w_status plan_print(struct run *run, struct w_err *err)
{
    struct w_json *root = w_json_object(), *memory = w_json_object(), *plan = w_json_object();
    struct w_json *cast = NULL;
    struct w_tensors tensors = {0};
    u64 available = run->machine.available_bytes;
    bool fits = !available || run->plan.bytes <= available;

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
    w_json_set_string(root, "precision", w_compute_type_name(run->type));
    w_json_set_u64(root, "parameters", tensors.parameters);
    w_json_set_u64(root, "step_tokens", run_step_tokens(run));
    w_json_set_real(root, "flops_per_token", w_arch_flops_per_token(&run->conf));
    w_json_set_u64(memory, "available_bytes", available);
    w_json_set_bool(memory, "fits", fits);
    w_json_set(root, "memory", memory);
    w_json_set_u64(plan, "bytes", run->plan.bytes);
    w_json_set(plan, "buffers", plan_buffers_json(&run->plan, true));
    w_json_set(root, "plan", plan);
    if (status)
        w_json_free(root);
    else
        status = w_cli_print_json(root, true, err);
    if (!status && !fits && !run->set->force)
        status = w_fail(err, W_NOMEM, "%s needs %llu bytes, but %llu are available", run->conf.name,
                        (unsigned long long)run->plan.bytes, (unsigned long long)available);
    w_tensors_free(&tensors);
    return status;
}
