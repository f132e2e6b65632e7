#include "sys/printed.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static ssize_t append(void *cookie, const char *bytes, size_t size)
{
    struct w_printed *t = cookie;

    if (t->lost || w_grow(&t->text, &t->room, t->size + size + 1, 1, "bytes of text", NULL)) {
        t->lost = true;
        return 0;
    }
    memcpy(t->text + t->size, bytes, size);
    t->size += size;
    return (ssize_t)size;
}

enum w_status w_printed_open(struct w_printed *t, struct w_err *err)
{
    memset(t, 0, sizeof *t);
    t->file = fopencookie(t, "w", (cookie_io_functions_t){.write = append});
    if (!t->file)
        return w_fail(err, W_NOMEM, "no memory for a text");
    setvbuf(t->file, t->chunk, _IOFBF, sizeof t->chunk);
    return W_DONE;
}

enum w_status w_printed_close(struct w_printed *t, struct w_err *err)
{
    bool lost = ferror(t->file) != 0;

    lost = fclose(t->file) != 0 || lost || t->lost;
    t->file = NULL;
    if (!lost && !t->text)
        t->text = calloc(1, 1); /* nothing was printed */
    if (lost || !t->text)
        return w_fail(err, W_NOMEM, "no memory for a text of more than %zu bytes", t->size);
    t->text[t->size] = 0;
    return W_DONE;
}

void w_printed_release(struct w_printed *t)
{
    if (t->file)
        (void)fclose(t->file);
    free(t->text);
    memset(t, 0, sizeof *t);
}
