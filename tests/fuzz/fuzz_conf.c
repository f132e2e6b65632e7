/* Any bytes as a configuration: refused with a reason, or printed and read again to the same
 * one. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_conf conf, again;
    struct w_err err = {0};
    enum w_status status = w_conf_parse(&conf, (const char *)bytes, size, "fuzz", &err);

    if (status && !err.text[0])
        abort();
    if (status)
        return 0;
    struct w_json *json = w_conf_json(&conf);
    char *text = w_json_text(json, &err);
    if (!text || w_conf_parse(&again, text, strlen(text), "fuzz", &err))
        abort();
    struct w_json *json_again = w_conf_json(&again);
    char *text_again = w_json_text(json_again, &err);
    if (!text_again || strcmp(text, text_again))
        abort();
    free(text);
    free(text_again);
    w_json_free(json);
    w_json_free(json_again);
    return 0;
}
