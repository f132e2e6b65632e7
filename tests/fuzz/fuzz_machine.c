/* Any bytes as the file of another machine (--target FILE.json): refused with a reason, or printed
 * and read again to the same machine, for which a prediction can be made. */
#include <stdlib.h>
#include <string.h>

#include "fit/evaluate.h"
#include "bench/target.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

static char *text_of(const struct w_machine *m)
{
    struct w_json *j = w_machine_json(m);
    char *text = w_json_text(j, NULL);

    w_json_free(j);
    if (!text)
        abort();
    return text;
}

static void predict(const struct w_machine *machine)
{
    static struct w_fit fit;
    struct w_shape shape = {96, 3, 300, 1000, 50, 4, 0};
    struct w_conf conf = w_shape_conf(&shape, 4);
    struct w_fit_ask ask = {.threads = W_MAX(machine->usable_cores, 1), .tokens = 1e6};

    if (w_fit_make(&fit, &conf, machine, &ask, NULL))
        abort();
}

static enum w_status read_machine(struct w_machine *m, const void *bytes, size_t size)
{
    struct memory_file file;
    struct w_err err = {0};

    memory_file_open(&file, bytes, size);
    enum w_status status = w_target_find(m, file.path, &err);
    memory_file_close(&file);
    if (status && !err.text[0])
        abort();
    return status;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    static struct w_machine m, again;

    if (read_machine(&m, bytes, size))
        return 0;
    if (m.physical_cores == 0 || m.usable_cores == 0 || m.logical_cpus == 0 || m.memory_bytes == 0)
        abort();
    char *text = text_of(&m);
    if (read_machine(&again, text, strlen(text)))
        abort();
    char *text_again = text_of(&again);
    if (strcmp(text, text_again))
        abort();
    predict(&m);
    free(text);
    free(text_again);
    return 0;
}
