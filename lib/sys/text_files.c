#include "sys/text_files.h"

#include <string.h>

static void close_present(struct w_text_files *f)
{
    if (f->unpack)
        f->bytes += w_unpack_consumed(f->unpack);
    w_unpack_close(&f->unpack);
    w_input_close(&f->in);
}

/* What is to be said of a file: refuse it, leave it out (W_NO), or take it. */
static enum w_status judge(struct w_text_files *f, const struct w_file_kind *kind, bool found,
                           struct w_err *err)
{
    const char *packed = f->unpack ? w_unpack_format(f->unpack) : NULL;

    if (!kind)
        return W_DONE;
    if (f->utf16 && !strcmp(kind->name, "UTF-16"))
        return W_DONE;
    if (kind->taken == W_TAKEN_ALWAYS || (kind->taken == W_TAKEN_NAMED && !found))
        return w_kind_counts_add(&f->doubtful, kind, f->in.name, err);
    if (found) {
        enum w_status status = w_kind_counts_add(&f->left_out, kind, f->in.name, err);
        return status ? status : W_NO;
    }
    return w_fail(err, W_MISMATCH, "%s: %s%s%s, not text%s%s%s%s", f->in.name, packed ? packed : "",
                  packed ? " of " : "", kind->name, kind->hint ? ": " : "",
                  kind->hint ? kind->hint : "", f->otherwise ? "; " : "",
                  f->otherwise ? f->otherwise : "");
}

static enum w_status open_file(struct w_text_files *f, size_t i, struct w_err *err)
{
    const struct w_listed_file *file = &f->list->files[i];
    const u8 *first = NULL;
    size_t size = 0;
    bool is_all = false;

    enum w_status status = w_input_open(&f->in, file->path, err);
    if (!status && file->origin == W_FILE_OUTPUT)
        return judge(f, &w_file_kind_output, true, err);
    if (!status && f->binary)
        return w_unpack_open_plain(&f->unpack, &f->in, err);
    if (!status)
        status = w_unpack_open(&f->unpack, &f->in, W_MAX(f->threads, 1u), err);
    if (!status)
        status = w_unpack_peek(f->unpack, &first, &size, &is_all, err);
    return status ? status
                  : judge(f, w_file_kind(first, size, is_all), file->origin == W_FILE_FOUND, err);
}

enum w_status w_text_files_next(struct w_text_files *f, struct w_err *err)
{
    enum w_status status = W_NO;
    char names[512];

    while (status == W_NO) {
        close_present(f);
        if (f->next == f->list->count)
            break;
        status = open_file(f, f->next++, err);
    }
    if (status != W_NO)
        return status;
    if (f->list->count == 0 || f->left_out.files < f->list->count)
        return W_END;
    w_kind_counts_list(&f->left_out, names, sizeof names);
    return w_fail(err, W_MISMATCH, "none of the files is text: %s", names);
}

u64 w_text_files_bytes(const struct w_text_files *f)
{
    return f->bytes + (f->unpack ? w_unpack_consumed(f->unpack) : 0);
}

void w_text_files_release(struct w_text_files *f)
{
    close_present(f);
    w_kind_counts_release(&f->left_out);
    w_kind_counts_release(&f->doubtful);
}
