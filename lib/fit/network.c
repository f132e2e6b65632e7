#include "fit/network.h"

#include <stdlib.h>
#include <string.h>

#include "sys/fdio.h"
#include "sys/input.h"
#include "sys/json.h"

/* What TCP leaves of the line's rate, and the way of a message through two stacks and a switch,
 * with the pause between two looks of the thread that carries messages (sys/peers.c). */
static const struct {
    const char *name;
    struct w_network network;
} known[] = {
    {"1GbE", {0.117e9, 150e-6}}, {"2.5GbE", {0.293e9, 140e-6}}, {"10GbE", {1.17e9, 100e-6}},
    {"25GbE", {2.9e9, 90e-6}},   {"100GbE", {11e9, 80e-6}},
};

#define FILE_MAX_BYTES 65536

static enum w_status read_file(struct w_network *network, const char *path, struct w_err *err)
{
    struct w_json *json = NULL;
    char *text = NULL;
    size_t size = 0;

    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);
    if (!status)
        status = w_json_parse(&json, text, size, err);
    if (!status && (!w_json_real(w_json_get(json, "bytes_s"), &network->bytes_s) ||
                    !w_json_real(w_json_get(json, "latency_s"), &network->latency_s) ||
                    !(network->bytes_s > 0) || !(network->latency_s > 0)))
        status = w_fail(err, W_USAGE, "needs \"bytes_s\" and \"latency_s\", numbers above 0");
    if (status == W_CORRUPT || status == W_LIMIT || status == W_USAGE)
        status = w_fail_at(err, W_USAGE, "--network %.200s", path);
    free(text);
    w_json_free(json);
    return status;
}

enum w_status w_network_find(struct w_network *network, const char *name, struct w_err *err)
{
    for (size_t i = 0; i < W_COUNTOF(known); i++)
        if (!strcmp(name, known[i].name)) {
            *network = known[i].network;
            return W_DONE;
        }
    if (w_path_kind(name) == W_PATH_FILE)
        return read_file(network, name, err);
    return w_fail(err, W_USAGE, "--network %.200s: neither a file nor one of " W_NETWORK_NAMES,
                  name);
}
