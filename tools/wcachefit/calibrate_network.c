/* wcachefit calibrate --network: two ranks measure what connects them; rank 0 writes and speaks. */
#include "bench/network_probe.h"
#include "tools/launcher.h"
#include "tools/wcachefit/commands.h"

#define SILENCE_S 30 /* after which the other rank is taken for lost */

static struct w_json *network_json(const struct w_network_probe *probe, const struct w_peers *peers)
{
    struct w_json *j = w_json_object(), *between = w_json_array(), *rows = w_json_array();
    char name[W_PEERS_HOST + 24];

    w_json_set_real(j, "bytes_s", probe->bytes_s);
    w_json_set_real(j, "latency_s", probe->latency_s);
    for (u32 rank = 0; rank < 2; rank++)
        w_json_add_string(between, w_peers_name(peers, rank, name));
    w_json_set(j, "between", between);
    for (u32 i = 0; i < W_NETWORK_PROBES; i++) {
        struct w_json *row = w_json_object();
        w_json_set_u64(row, "exchanges", probe->rows[i].exchanges);
        w_json_set_u64(row, "bytes", probe->rows[i].bytes);
        w_json_set_real(row, "seconds", probe->rows[i].seconds);
        w_json_add(rows, row);
    }
    w_json_set(j, "measured", rows);
    return j;
}

/* The other rank would wait for this one: end both, and say why. */
static void end_ranks(struct w_peers *peers, enum w_status status, const struct w_err *err)
{
    w_common.mute = w_common.mute && !w_peers_lost(peers, 0);
    w_problem("%s", err->text);
    w_peers_abort(peers, w_exit_code(status));
}

enum w_status calibrate_network(struct settings *set, struct w_err *err)
{
    struct w_network_probe probe;
    struct w_peers *peers = NULL;
    struct report r = {0};
    char rate[W_FIGURE_TEXT], latency[W_FIGURE_TEXT];
    const bool speaks = launcher_rank() == 0;

    w_common.mute = !speaks;
    if (launcher_ranks() != 2)
        return w_fail(err, W_USAGE,
                      "--network measures between two ranks, not %llu: mpirun -n 2 wcachefit "
                      "calibrate --network",
                      (unsigned long long)launcher_ranks());
    enum w_status status = w_printed_open(&r.text, err);
    if (!status)
        status = launcher_connect(&peers, SILENCE_S, err);
    if (!status)
        status = w_peers_greet(peers, err);
    if (!status)
        status = w_network_probe_run(&probe, peers, err);
    if (!status && speaks)
        status = write_tree(r.text.file, network_json(&probe, peers), err);
    if (status && peers)
        end_ranks(peers, status, err);
    w_peers_close(&peers);
    if (!status && speaks && set->output)
        w_say("%s, %s for a message: predict with --network %s",
              w_figure_text(rate, W_UNIT_BYTES_S, probe.bytes_s),
              w_figure_text(latency, W_UNIT_SECONDS, probe.latency_s), set->output);
    if (!speaks)
        set->output = NULL;
    return report_close(&r, set, status, err);
}
