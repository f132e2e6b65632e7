/* Any bytes as JSON: refused, or printed and read again to the same text. */
#include <stdlib.h>
#include <string.h>

#include "sys/json.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_json *first = NULL, *second = NULL;
    struct w_err err = {0};

    if (w_json_parse(&first, (const char *)bytes, size, &err))
        return 0;
    char *text = w_json_text(first, &err);
    if (!text || w_json_parse(&second, text, strlen(text), &err))
        abort();
    char *again = w_json_text(second, &err);
    if (!again || strcmp(text, again))
        abort();
    free(text);
    free(again);
    w_json_free(first);
    w_json_free(second);
    return 0;
}
