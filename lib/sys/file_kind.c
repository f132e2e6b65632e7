/* The table of kinds, and the rules for data that has no row. */
#include "sys/file_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/grow.h"

#define IMAGE "OCR makes text of it, such as tesseract"
#define UNZIP "take the files out of it first"
#define MEDIA "it holds no text"
#define BEFORE(command) "decompress it first: " command

/* What has to follow the magic bytes, so that text that begins like that is no such file. */
enum next {
    ANY,
    CONTROL, /* a control character, or a byte above 127 */
    OR_END,  /* the same, or the end */
};

static const struct row {
    struct w_file_kind kind;
    u16 at;
    u8 size;
    enum next next;
    const char *magic;
} rows[] = {
#define ROW(name, hint, at, next, magic)                                                           \
    {                                                                                              \
        {name, hint, W_TAKEN_NEVER}, at, sizeof(magic) - 1, next, magic                            \
    }
    ROW("PDF", "pdftotext makes text of it", 0, ANY, "%PDF-"),
    ROW("PNG image", IMAGE, 0, ANY, "\x89PNG\r\n"),
    ROW("JPEG image", IMAGE, 0, ANY, "\xff\xd8\xff"),
    ROW("GIF image", IMAGE, 0, ANY, "GIF87a"),
    ROW("GIF image", IMAGE, 0, ANY, "GIF89a"),
    ROW("TIFF image", IMAGE, 0, ANY, "II*\0"),
    ROW("TIFF image", IMAGE, 0, ANY, "MM\0*"),
    ROW("WebP image", IMAGE, 8, ANY, "WEBPVP8"),
    ROW("DjVu document", "djvutxt makes text of it", 0, ANY, "AT&TFORM"),
    ROW("Parquet",
        "duckdb makes JSON Lines of it: copy (from 'FILE') to 'FILE.jsonl' (format json)", 0,
        OR_END, "PAR1"),
    ROW("Arrow", "make JSON Lines of it", 0, OR_END, "ARROW1"),
    ROW("ORC", "make JSON Lines of it", 0, CONTROL, "ORC"),
    ROW("Avro", "make JSON Lines of it", 0, ANY, "Obj\1"),
    ROW("SQLite database", "sqlite3 takes text out of it", 0, ANY, "SQLite format 3\0"),
    ROW("HDF5", "take the text out of it first", 0, ANY, "\x89HDF\r\n"),
    ROW("NumPy array", "numbers are no text", 0, ANY, "\x93NUMPY"),
    ROW("GGUF model", "'wtok import' takes the vocabulary out of it", 0, CONTROL, "GGUF"),
    ROW("zip archive (or docx, odt, epub, jar)", UNZIP, 0, ANY, "PK\3\4"),
    ROW("zip archive", UNZIP, 0, ANY, "PK\5\6"),
    ROW("7z archive", UNZIP " (7z x; 7z e -so for one)", 0, ANY, "7z\xbc\xaf\x27\x1c"),
    ROW("RAR archive", UNZIP, 0, ANY, "Rar!\x1a\7"),
    ROW("tar archive", UNZIP " (tar x)", 257, ANY, "ustar"),
    ROW("ar archive", UNZIP, 0, ANY, "!<arch>\n"),
    ROW("RPM package", UNZIP, 0, ANY, "\xed\xab\xee\xdb"),
    ROW("gzip", BEFORE("gzip -dc"), 0, ANY, "\x1f\x8b\x08"),
    ROW("bzip2", BEFORE("bzip2 -dc"), 4, ANY, "1AY&SY"),
    ROW("xz", BEFORE("xz -dc"), 0, ANY,
        "\xfd"
        "7zXZ\0"),
    ROW("zstd", BEFORE("zstd -dc"), 0, ANY, "\x28\xb5\x2f\xfd"),
    ROW("lz4", BEFORE("lz4 -dc"), 0, ANY, "\x04\x22\x4d\x18"),
    ROW("lzma", BEFORE("xz -dc"), 0, ANY, "\x5d\0\0"),
    ROW("lzip", BEFORE("lzip -dc"), 0, CONTROL, "LZIP"),
    ROW("lzop", BEFORE("lzop -dc"), 0, ANY, "\x89LZO\0"),
    ROW("compress (.Z)", BEFORE("gzip -dc"), 0, ANY, "\x1f\x9d"),
    ROW("Microsoft Office document", "save it as text", 0, ANY, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ROW("ELF program", NULL, 0, ANY,
        "\x7f"
        "ELF"),
    ROW("Windows program", NULL, 0, CONTROL, "MZ"),
    ROW("Mach-O program", NULL, 0, ANY, "\xcf\xfa\xed\xfe"),
    ROW("Mach-O program or Java class", NULL, 0, ANY, "\xca\xfe\xba\xbe"),
    ROW("WebAssembly", NULL, 0, ANY, "\0asm"),
    ROW("Git pack", NULL, 0, CONTROL, "PACK"),
    ROW("WAV sound", MEDIA, 8, ANY, "WAVEfmt "),
    ROW("AVI film", MEDIA, 8, ANY, "AVI LIST"),
    ROW("Ogg", MEDIA, 0, CONTROL, "OggS"),
    ROW("FLAC sound", MEDIA, 0, CONTROL, "fLaC"),
    ROW("MP3 sound", MEDIA, 0, CONTROL, "ID3"),
    ROW("MP4", MEDIA, 4, ANY, "ftyp"),
    ROW("Matroska or WebM", MEDIA, 0, ANY, "\x1a\x45\xdf\xa3"),
    ROW("font", NULL, 0, CONTROL, "wOFF"),
    ROW("font", NULL, 0, CONTROL, "wOF2"),
    ROW("font", NULL, 0, CONTROL, "OTTO"),
    ROW("font", NULL, 0, ANY, "\0\1\0\0\0"),
    ROW("UTF-32", "iconv -f UTF-32 -t UTF-8 makes UTF-8 of it", 0, ANY, "\xff\xfe\0\0"),
    ROW("UTF-32", "iconv -f UTF-32 -t UTF-8 makes UTF-8 of it", 0, ANY, "\0\0\xfe\xff"),
    ROW("UTF-16", "iconv -f UTF-16 -t UTF-8 makes UTF-8 of it", 0, ANY, "\xff\xfe"),
    ROW("UTF-16", "iconv -f UTF-16 -t UTF-8 makes UTF-8 of it", 0, ANY, "\xfe\xff"),
    ROW("stream of wtools", "'wtok decode' makes text of tokens", 0, ANY, "\x89WT"),
#undef ROW
};

/* Text whose own marks become tokens: known by its first characters, in any case. */
static const struct {
    struct w_file_kind kind;
    const char *begins;
} texts[] = {
    {{"HTML", "pandoc -t plain or lynx -dump makes text of it", W_TAKEN_ALWAYS}, "<!doctype html"},
    {{"HTML", "pandoc -t plain or lynx -dump makes text of it", W_TAKEN_ALWAYS}, "<html"},
    {{"MediaWiki dump", "'wwiki' makes text of it", W_TAKEN_ALWAYS}, "<mediawiki"},
    {{"XML", NULL, W_TAKEN_ALWAYS}, "<?xml "},
    {{"RTF", "save it as text", W_TAKEN_ALWAYS}, "{\\rtf"},
    {{"PostScript", "ps2ascii makes text of it", W_TAKEN_ALWAYS}, "%!PS-"},
    {{"WARC", "take the text of its pages out first", W_TAKEN_ALWAYS}, "WARC/1."},
};

static const struct w_file_kind unknown = {"data of an unknown kind", NULL, W_TAKEN_NAMED};
static const struct w_file_kind utf16_little = {
    "UTF-16", "iconv -f UTF-16LE -t UTF-8 makes UTF-8 of it", W_TAKEN_NEVER};
static const struct w_file_kind utf16_big = {
    "UTF-16", "iconv -f UTF-16BE -t UTF-8 makes UTF-8 of it", W_TAKEN_NEVER};
static const struct w_file_kind vocabulary = {"vocabulary of wtok", "it goes with -V",
                                              W_TAKEN_NEVER};
const struct w_file_kind w_file_kind_output = {"the output", NULL, W_TAKEN_NEVER};

size_t w_utf8_mark(const u8 *bytes, size_t size)
{
    return size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* Characters that text has none of: the control characters but those for blanks, ends of lines,
 * pages and files, backspace and escape. */
static bool is_control(u8 c)
{
    return c < 0x20 ? !(c >= '\b' && c <= '\r') && c != 0x1a && c != 0x1b : c == 0x7f;
}

static bool is_row(const struct row *row, const u8 *bytes, size_t size, bool is_all)
{
    size_t end = (size_t)row->at + row->size;

    if (size < end || memcmp(bytes + row->at, row->magic, row->size))
        return false;
    return row->next == ANY || (size == end ? is_all && row->next == OR_END
                                            : is_control(bytes[end]) || bytes[end] >= 0x80);
}

/* Text of which every second byte is 0, as most of that of Latin scripts is in UTF-16, and the one
 * beside it a character. */
static const struct w_file_kind *utf16_without_mark(const u8 *bytes, size_t size)
{
    size_t latin[2] = {0}, pairs = size / 2;

    for (size_t i = 0; i < pairs; i++)
        for (size_t zero = 0; zero < 2; zero++)
            latin[zero] += bytes[2 * i + zero] == 0 && !is_control(bytes[2 * i + 1 - zero]);
    if (pairs < 4)
        return NULL;
    return latin[1] > pairs / 2 ? &utf16_little : latin[0] > pairs / 2 ? &utf16_big : NULL;
}

static bool is_unknown_data(const u8 *bytes, size_t size)
{
    size_t controls = 0;

    for (size_t i = 0; i < size; i++)
        controls += is_control(bytes[i]);
    return controls >= 8 && controls > size / 32;
}

/* Go past blanks, and then past these characters; NULL if others are there. */
static const u8 *past(const u8 *p, const u8 *end, const char *text)
{
    size_t size = strlen(text);

    while (p && p < end && memchr(" \t\r\n", *p, 4))
        p++;
    return p && (size_t)(end - p) >= size && !memcmp(p, text, size) ? p + size : NULL;
}

/* The members with which wtok writes a vocabulary. */
static bool is_vocabulary(const u8 *bytes, size_t size)
{
    static const char *const parts[] = {"{", "\"type\"", ":", "\"bpe\"", ",", "\"split\"", ":"};
    const u8 *p = bytes, *end = bytes + size;

    for (size_t i = 0; i < W_COUNTOF(parts); i++)
        p = past(p, end, parts[i]);
    return p != NULL;
}

static const struct w_file_kind *kind_of_text(const u8 *bytes, size_t size)
{
    const u8 *p = bytes + w_utf8_mark(bytes, size), *end = bytes + size;

    while (p < end && memchr(" \t\r\n", *p, 4))
        p++;
    for (size_t i = 0; i < W_COUNTOF(texts); i++) {
        size_t length = strlen(texts[i].begins);
        if ((size_t)(end - p) >= length && !strncasecmp((const char *)p, texts[i].begins, length))
            return &texts[i].kind;
    }
    return is_vocabulary(bytes, size) ? &vocabulary : NULL;
}

const struct w_file_kind *w_file_kind(const u8 *bytes, size_t size, bool is_all)
{
    is_all = is_all && size <= W_FILE_KIND_BYTES;
    size = W_MIN(size, W_FILE_KIND_BYTES);
    if (size == 0)
        return NULL;
    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (is_row(&rows[i], bytes, size, is_all))
            return &rows[i].kind;
    const struct w_file_kind *kind = utf16_without_mark(bytes, size);
    if (!kind && is_unknown_data(bytes, size))
        kind = &unknown;
    return kind ? kind : kind_of_text(bytes, size);
}

void w_file_kind_no_stream(char *text, size_t text_size, const u8 *bytes, size_t size)
{
    const struct w_file_kind *kind = w_file_kind(bytes, size, false);

    if (!kind)
        snprintf(text, text_size, "this is text: 'wtok encode' makes a stream of tokens of it");
    else if (kind == &unknown)
        snprintf(text, text_size, "this is data of an unknown kind");
    else if (kind == &vocabulary)
        snprintf(text, text_size,
                 "this is a vocabulary: 'wtok encode -V' makes a stream of tokens with it");
    else
        snprintf(text, text_size, "this is %s%s%s", kind->name, kind->hint ? ": " : "",
                 kind->hint ? kind->hint : "");
}

/* ---- counting ---- */

enum w_status w_kind_counts_add(struct w_kind_counts *k, const struct w_file_kind *kind,
                                const char *name, struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t i = 0;

    while (i < k->count && strcmp(k->rows[i].kind->name, kind->name))
        i++;
    if (i == k->count) {
        status = w_grow(&k->rows, &k->room, i + 1, sizeof *k->rows, "kinds of files", err);
        if (status)
            return status;
        k->rows[k->count++] = (struct w_kind_count){.kind = kind};
        snprintf(k->rows[i].first, sizeof k->rows[i].first, "%s", name);
    }
    k->rows[i].count++;
    k->files++;
    return status;
}

void w_kind_counts_list(const struct w_kind_counts *k, char *text, size_t size)
{
    size_t used = 0;

    *text = 0;
    for (size_t i = 0; i < k->count && used < size; i++) {
        const struct w_kind_count *row = &k->rows[i];
        used += (size_t)snprintf(text + used, size - used, "%s%s (%s", i ? ", " : "",
                                 row->kind->name, row->first);
        if (row->count > 1 && used < size)
            used += (size_t)snprintf(text + used, size - used, " and %llu more",
                                     (unsigned long long)row->count - 1);
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, ")");
    }
}

void w_kind_counts_release(struct w_kind_counts *k)
{
    free(k->rows);
    *k = (struct w_kind_counts){0};
}
