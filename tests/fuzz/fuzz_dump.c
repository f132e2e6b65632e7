/* A dump from any bytes, plain or in bzip2, to documents. Nothing may crash; each document must
 * come out as one line of valid JSON with the text that was rendered, and the same for two
 * threads. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/json.h"
#include "wiki/dump.h"
#include "wiki/wiki_block.h"
#include "wiki/wikitext.h"

static void check_document(const struct w_page *page, struct w_span text, const char *address)
{
    static const struct w_wiki_style style = {.form = W_WIKI_JSONL};
    struct w_wiki_style with_address = style;
    struct w_buffer line = {0};
    struct w_json *json = NULL;
    struct w_err err = {0};

    with_address.address = address;
    w_wiki_block_add(&line, &with_address, page->id, page->title, text);
    if (line.failed || memchr(line.at, '\n', line.size) != line.at + line.size - 1 ||
        w_json_parse(&json, (char *)line.at, line.size, &err))
        abort();
    const char *back = w_json_string(w_json_get(json, "text"));
    if (!back || strlen(back) != text.size || memcmp(back, text.at, text.size))
        abort();
    w_json_free(json);
    w_buffer_free(&line);
}

/* All pages of a dump; how it ended. */
static enum w_status read_pages(struct w_dump *dump, u64 *pages)
{
    struct w_err err = {0};
    struct w_wikitext *renderer = NULL;
    struct w_page page;
    enum w_status status;

    while (!(status = w_dump_begin(dump, &err))) {
        struct w_wikitext_options options = {.site = w_dump_site(dump)};
        if (w_wikitext_new(&renderer, &options, &err))
            abort();
        while (!(status = w_dump_next(dump, &page, &err))) {
            struct w_span text;
            ++*pages;
            if (page.text.size == 0) /* as wwiki does */
                continue;
            if (w_wikitext_render(renderer, page.title, page.text, &text, &err))
                abort();
            check_document(&page, text, w_dump_address(dump));
        }
        w_wikitext_free(renderer);
        if (status != W_END)
            break;
    }
    if (status != W_END && w_exit_code(status) != 3)
        abort();
    return status;
}

static enum w_status read_dump(int fd, u32 threads, u64 *pages)
{
    struct w_input in = {.fd = fd, .name = "fuzz"};
    struct w_unpack *unpack = NULL;
    struct w_dump *dump = NULL;
    struct w_err err = {0};

    *pages = 0;
    if (lseek(fd, 0, SEEK_SET) || w_unpack_open(&unpack, &in, threads, &err) ||
        w_dump_open(&dump, unpack, in.name, &err))
        abort();
    enum w_status status = read_pages(dump, pages);
    w_dump_close(&dump);
    w_unpack_close(&unpack);
    return status;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    u64 pages, again;

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    enum w_status status = read_dump(fd, 1, &pages);
    if (size > 3 && !memcmp(bytes, "BZh", 3) &&
        (read_dump(fd, 2, &again) != status || again != pages))
        abort();
    close(fd);
    return 0;
}
