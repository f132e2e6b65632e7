/* wts_make VOCAB FILE: a stream of tokens from numbers below VOCAB on standard input, in
 * decimal; the last of these numbers, VOCAB - 1, ends documents.
 *
 *     cc wts_make.c -o wts_make $(pkg-config --cflags --libs wts)
 *     echo 5 700 5 700 5 | ./wts_make 1000 five.tok
 *
 * FILE appears when all of them are in it; "-" is standard output. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wts.h>

int main(int argc, char **argv)
{
    const unsigned long vocab = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    const struct wts_array column = {.name = "tok", .type = "u16"};
    struct wts_member member = {.kind = "tokens", .arrays = &column, .array_count = 1};
    struct wts_writer *writer = NULL;
    char keys[96];
    unsigned id;
    int got = 0;

    if (vocab < 1 || vocab > 65536) {
        fprintf(stderr, "usage: wts_make VOCAB FILE, with VOCAB from 1 to 65536\n");
        return WTS_USAGE;
    }
    snprintf(keys, sizeof keys, "{\"by\":\"wts_make\",\"vocab\":%lu,\"eot\":%lu}", vocab,
             vocab - 1);
    member.json = keys;
    enum wts_status status = wts_writer_open(&writer, argv[2], &member);
    while (!status && (got = scanf("%u", &id)) == 1 && id < vocab) {
        const uint8_t record[2] = {(uint8_t)id, (uint8_t)(id >> 8)};
        status = wts_writer_records(writer, record, 1);
    }
    if (!status && (got != EOF || ferror(stdin))) {
        fprintf(stderr, "standard input: is no list of numbers below %lu\n", vocab);
        wts_writer_abort(&writer, "its input is no list of numbers");
        return WTS_DATA;
    }
    if (!status)
        status = wts_writer_finish(&writer);
    if (status)
        fprintf(stderr, "%s\n", wts_error());
    wts_writer_abort(&writer, wts_error());
    return (int)status;
}
