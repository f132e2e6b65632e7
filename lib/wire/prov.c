#include "wire/prov.h"

#include <string.h>

enum {
    GENERATIONS_MAX = 6, /* headers nest: the parser's depth is bounded, and so is the line */
    IN_TOK,              /* in place of a generation: in a vocabulary, where lists are bulk too */
    TEXT_MAX = 1024,     /* a longer string is bulk: merges, texts */
};

/* Copy the keys that say where data came from: all but the lists of tensors, the state of a run,
 * and long texts; of the vocabulary the short members. */
static struct w_json *essence(const struct w_json *header, unsigned generation)
{
    struct w_json *src = w_json_object();

    for (const struct w_json *j = w_json_first(header); j; j = w_json_next(j)) {
        const char *key = w_json_key(j), *text = w_json_string(j);
        bool bulk = text ? strlen(text) > TEXT_MAX : generation == IN_TOK && w_json_first(j);
        if (!strcmp(key, "src")) {
            if (generation < GENERATIONS_MAX)
                w_json_append(src, key, essence(j, generation + 1));
        } else if (!strcmp(key, "tok") && w_json_is_object(j)) {
            w_json_append(src, key, essence(j, IN_TOK));
        } else if (strcmp(key, "tensors") && strcmp(key, "state") && strcmp(key, "must") && !bulk) {
            w_json_append(src, key, w_json_copy(j));
        }
    }
    return src;
}

struct w_json *w_prov_src(const struct w_header *upstream)
{
    return essence(upstream->json, 1);
}

enum w_status w_prov_add(struct w_header *header, const char *argv, const struct w_header *upstream,
                         struct w_err *err)
{
    if (!header->json)
        return w_fail(err, W_NOMEM, "no memory for a header");
    if (argv)
        w_json_set_string(header->json, "argv", argv);
    if (upstream)
        w_json_set(header->json, "src", w_prov_src(upstream));
    return W_DONE;
}
