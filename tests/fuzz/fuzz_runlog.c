/* Any bytes as the log of a training run: refused with a reason, or plausible rates; and an
 * unfinished last line, as a killed run leaves it, changes nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/runlog.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

static void check(const struct w_runlog *log, size_t size)
{
    if (log->steps == 0 || log->steps > size || !(log->tok_s > 0) || !isfinite(log->loss))
        abort();
    if (strlen(log->cpu) >= sizeof log->cpu || strlen(log->kernel) >= sizeof log->kernel)
        abort();
    if (log->has_header && (log->threads == 0 || log->threads > 65536))
        abort();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    static const char unfinished[] = "\n{\"t\":\"step\",\"tok_s\":12";
    static struct w_runlog log, again;
    struct w_err err = {0};
    struct memory_file file;

    memory_file_open(&file, bytes, size);
    enum w_status status = w_runlog_read(&log, file.path, &err);
    memory_file_add(&file, unfinished, sizeof unfinished - 1);
    if (w_runlog_read(&again, file.path, NULL) != status)
        abort();
    memory_file_close(&file);
    if (status) {
        if (!err.text[0])
            abort();
        return 0;
    }
    check(&log, size);
    if (again.steps != log.steps || again.tok_s != log.tok_s || again.loss != log.loss ||
        again.peak_bytes != log.peak_bytes || again.has_header != log.has_header)
        abort();
    return 0;
}
