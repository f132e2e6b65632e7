/* Any bytes as a calibration: refused with a reason, or printed and read again to the same one, and
 * good enough to predict from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/evaluate.h"

static char *text_of(const struct w_calibration *c)
{
    struct w_json *j = w_calibration_json(c);
    char *text = w_json_text(j, NULL);

    w_json_free(j);
    if (!text)
        abort();
    return text;
}

static void predict(const struct w_calibration *c)
{
    static struct w_fit fit;
    struct w_shape shape = {96, 3, 300, 1000, 50, 4, 0};
    struct w_conf conf = w_shape_conf(&shape, 4);
    struct w_machine machine = {.name = "fuzz"};
    struct w_fit_ask ask = {.threads = 3, .tokens = 1e6, .calibration = c};

    if (w_fit_make(&fit, &conf, &machine, &ask, NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    static struct w_calibration c, again;
    struct w_err err = {0};
    enum w_status status = w_calibration_parse(&c, (const char *)bytes, size, &err);

    if (status && !err.text[0])
        abort();
    if (status)
        return 0;
    char *text = text_of(&c);
    if (w_calibration_parse(&again, text, strlen(text), &err))
        abort();
    char *text_again = text_of(&again);
    if (strcmp(text, text_again))
        abort();
    predict(&c);
    free(text);
    free(text_again);
    return 0;
}
