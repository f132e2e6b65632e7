/* Any bytes as a file of texts, in the format that the first byte chooses; its highest bit takes
 * the file as it is, and the next one makes NFC of it. Refused with a reason, or documents, none of
 * them empty, together not longer than the file unless it is compressed, or NFC makes more of it. A
 * plain file that is taken as it is is one document, byte for byte or in NFC. With a limit each
 * document is cut to it, and the file ends with the same status. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "sys/unpack.h"
#include "tests/fuzz/memory_file.h"
#include "text/document.h"
#include "text/nfc.h"

#define OUT_LIMIT ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

/* All documents of a file. */
static enum w_status read_all(struct w_buffer *out, const struct memory_file *file,
                              enum w_format format, bool binary, bool nfc, u64 document_bytes_max)
{
    struct w_listed_file named = {(char *)(uintptr_t)file->path, W_FILE_NAMED};
    struct w_file_list files = {.files = &named, .count = 1};
    struct w_document_options options = {.files = &files,
                                         .format = format,
                                         .binary = binary,
                                         .field = "text",
                                         .split = W_SPLIT_GPT2,
                                         .nfc = nfc,
                                         .document_bytes_max = document_bytes_max};
    struct w_documents *d = NULL;
    struct w_err err = {0};
    struct w_text_piece piece;
    size_t begin = 0;

    enum w_status status = w_documents_open(&d, &options, &err);
    while (!status && !(status = w_documents_next(d, &piece, &err))) {
        w_buffer_put(out, piece.text, piece.size);
        if (out->size > OUT_LIMIT) { /* a bomb */
            status = W_END;
            break;
        }
        if (piece.ends && out->size == begin && !document_bytes_max)
            abort();
        if (document_bytes_max && out->size - begin > document_bytes_max)
            abort();
        if (piece.ends)
            begin = out->size;
    }
    if (status != W_END && !err.text[0])
        abort();
    w_documents_close(&d);
    return status;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_buffer all = {0}, cut = {0}, expected = {0};
    struct memory_file file;

    if (size == 0)
        return 0;
    enum w_format format = (enum w_format)((bytes[0] & 0x3f) % (W_FORMAT_JSONL + 1));
    bool binary = bytes[0] & 0x80, nfc = bytes[0] & 0x40,
         packed = w_unpack_known(bytes + 1, size - 1);
    memory_file_open(&file, bytes + 1, size - 1);
    enum w_status status = read_all(&all, &file, format, binary, nfc, 0);
    if (!nfc)
        w_buffer_put(&expected, bytes + 1, size - 1);
    else if (w_nfc_append(&expected, bytes + 1, size - 1, NULL))
        abort();
    if (all.size > size - 1 && !nfc && (binary || !packed))
        abort();
    if (binary && format == W_FORMAT_PLAIN &&
        (status != W_END || all.size != expected.size ||
         (all.size && memcmp(all.at, expected.at, all.size))))
        abort();
    if (read_all(&cut, &file, format, binary, nfc, 5) != status || cut.size > all.size)
        abort();
    memory_file_close(&file);
    w_buffer_free(&all);
    w_buffer_free(&cut);
    w_buffer_free(&expected);
    return 0;
}
