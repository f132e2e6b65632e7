/* wts_count FILE...: how often each token occurs in streams of tokens: lines of id and count.
 *
 *     cc wts_count.c -o wts_count $(pkg-config --cflags --libs wts)
 *
 * Ends with the status of the programs of wtools: 3 for what is no whole, undamaged stream of
 * tokens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wts.h>

#define IDS 65536

static enum wts_status count_file(const char *path, uint64_t counts[IDS])
{
    struct wts_reader *reader;
    const struct wts_member *member;
    const void *records;
    uint64_t n;
    enum wts_status status = wts_reader_open(&reader, path);

    while (reader && !(status = wts_reader_member(reader, &member))) {
        const struct wts_array *id = &member->arrays[0];
        if (strcmp(member->kind, "tokens") || strcmp(id->type, "u16")) {
            fprintf(stderr, "%s: holds no tokens of 16 bits\n", path);
            wts_reader_close(&reader);
            return WTS_DATA;
        }
        while (!(status = wts_reader_records(reader, &records, &n)))
            for (uint64_t i = 0; i < n; i++) {
                const uint8_t *at = (const uint8_t *)records + i * member->record_bytes;
                counts[at[0] | at[1] << 8]++;
            }
    }
    if (status != WTS_END)
        fprintf(stderr, "%s\n", wts_error());
    wts_reader_close(&reader);
    return status == WTS_END ? WTS_OK : status;
}

int main(int argc, char **argv)
{
    static uint64_t counts[IDS];
    enum wts_status status = WTS_OK;

    for (int i = 1; i < argc && !status; i++)
        status = count_file(argv[i], counts);
    for (unsigned id = 0; id < IDS && !status; id++)
        if (counts[id] > 0)
            printf("%u %" PRIu64 "\n", id, counts[id]);
    return fflush(stdout) ? WTS_SYSTEM : (int)status;
}
