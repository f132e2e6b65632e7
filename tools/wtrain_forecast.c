/* The forecast of a run before its first step, from the calibration of this host if one is kept. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fit/evaluate.h"
#include "tools/host_cache.h"
#include "tools/wtrain.h"

/* The calibration and the residuals of its predictions; false: there is none of these kernels. */
static bool find_calibration(const struct run *run, struct w_calibration *c,
                             struct w_residuals *residuals)
{
    char path[HOST_CACHE_PATH], doubt[W_DOUBT_TEXT];
    struct w_err err;

    if (host_calibration_path(path, &run->machine, NULL))
        return false;
    enum w_status status = w_calibration_load(c, path, &err);
    if (status) {
        w_detail("no forecast: %s", err.text);
        return false;
    }
    if (!w_calibration_knows(c, run->type) || strcmp(c->kernel[run->type], run->kern->name)) {
        w_detail("no forecast: the calibration is not of %s kernels for %s", run->kern->name,
                 w_compute_type_name(run->type));
        return false;
    }
    if (w_calibration_doubt(c, &run->machine, (u64)time(NULL), doubt))
        w_detail("%s", doubt);
    if (host_residuals_read(residuals, &run->machine, c, run->type, NULL))
        residuals->count = 0;
    return true;
}

void forecast_make(struct run *run)
{
    static struct w_calibration calibration;
    static struct w_residuals residuals;
    static struct w_fit fit;
    double steps = run->stop_step == UINT64_MAX ? 0 : (double)run->stop_step;
    struct w_fit_ask ask = {.threads = run->threads,
                            .type = run->type,
                            .tokens = steps * (double)run_step_tokens(run),
                            .calibration = &calibration,
                            .residuals = &residuals};
    char text[W_FIGURE_TEXT], all[64] = "";

    if (!find_calibration(run, &calibration, &residuals) ||
        w_fit_make(&fit, &run->conf, &run->machine, &ask, NULL))
        return;
    run->forecast_tok_s = w_fit_value(&fit, "predict.tok_s");
    if (steps > 0)
        snprintf(all, sizeof all, ", %s for all steps", w_fit_text(text, &fit, "time"));
    w_say("forecast: %.0f tok/s +- %.0f %% (90 %% interval)%s", run->forecast_tok_s,
          100 * w_fit_value(&fit, "predict.interval"), all);
}
