/* An engine of sys/peers.h that is another one with a slower network: messages between ranks take
 * the time that they would over a network of so many bytes a second and of such a latency. For
 * tests of predictions (tests/scaling), in place of peers_openmpi.so or peers_mpich.so beside the
 * programs.
 *
 * SLOW_ENGINE: the path of the real engine. SLOW_BYTES_S, SLOW_LATENCY_S: the network of each rank,
 * in both directions at once.
 *
 * As in MPI, a message waits until its receiver has asked for it: an empty message, with a tag
 * above all others, says so to the sender. From then on the bytes have the sending side of the rank
 * in their turn; when the last one would be there, the real engine carries them, and the receiver
 * counts them on its own receiving side. All ranks are on one machine, whose memory is faster than
 * the network. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sys/peers_engine.h"

#pragma GCC visibility push(default)
extern struct w_peers_engine w_peers_engine;
#pragma GCC visibility pop

#define FIRST_SLOW_TAG 16 /* tags below are signs of life, which pass (sys/peers.c) */
#define MESSAGES 1024

enum stage { FREE, READYING, TRAVELLING, CARRIED, ARRIVING };

static struct message {
    enum stage stage;
    bool sends, passes;
    u32 other, tag;
    const void *bytes;
    u64 count, got;
    double due_s; /* when the last byte is there */
    struct w_peers_request ready, real;
    bool is_ready, is_real; /* of a receiver: what has arrived */
} messages[MESSAGES];

static const struct w_peers_engine *real;
static double bytes_s, latency_s;
static double sends_s, receives_s; /* until then the sides of this rank are busy */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct message *new_message(struct w_peers_request *out)
{
    for (u32 i = 0; i < MESSAGES; i++)
        if (messages[i].stage == FREE) {
            out->handle = i;
            return &messages[i];
        }
    fputs("slow_network: too many messages\n", stderr);
    abort();
}

static double number(const char *variable)
{
    const char *text = getenv(variable);
    const double value = text ? strtod(text, NULL) : 0;

    if (!(value > 0)) {
        fprintf(stderr, "slow_network: %s has to be a number above 0\n", variable);
        exit(2);
    }
    return value;
}

static int open_slow(u32 *rank, u32 *size)
{
    const char *path = getenv("SLOW_ENGINE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;

    real = library ? dlsym(library, W_PEERS_ENGINE_SYMBOL) : NULL;
    if (!real) {
        fprintf(stderr, "slow_network: SLOW_ENGINE: %s\n", path ? dlerror() : "not set");
        exit(2);
    }
    bytes_s = number("SLOW_BYTES_S");
    latency_s = number("SLOW_LATENCY_S");
    return real->open(rank, size);
}

static int send_slow(u32 to, u32 tag, const void *bytes, u64 count, struct w_peers_request *out)
{
    struct message *m = new_message(out);

    *m = (struct message){READYING, .sends = true, .passes = tag < FIRST_SLOW_TAG};
    m->other = to, m->tag = tag, m->bytes = bytes, m->count = count;
    if (m->passes)
        return real->send(to, tag, bytes, count, &m->real);
    return real->send(to, tag + W_PEERS_TAGS, NULL, 0, &m->ready);
}

static int receive_slow(u32 from, u32 tag, void *bytes, u64 count, struct w_peers_request *out)
{
    struct message *m = new_message(out);

    *m = (struct message){READYING, .passes = tag < FIRST_SLOW_TAG, .count = count};
    int error = m->passes ? 0 : real->receive(from, tag + W_PEERS_TAGS, NULL, 0, &m->ready);
    return error ? error : real->receive(from, tag, bytes, count, &m->real);
}

static int test_send(struct message *m, bool *done)
{
    bool ready = false;
    int error = 0;

    if (m->stage == READYING) {
        error = real->test(&m->ready, &ready, NULL);
        if (error || !ready)
            return error;
        sends_s = fmax(now_s(), sends_s) + (double)m->count / bytes_s;
        m->due_s = sends_s + latency_s;
        m->stage = TRAVELLING;
    }
    if (m->stage == TRAVELLING && now_s() >= m->due_s) {
        error = real->send(m->other, m->tag, m->bytes, m->count, &m->real);
        m->stage = CARRIED;
    }
    if (!error && m->stage == CARRIED)
        error = real->test(&m->real, done, NULL);
    return error;
}

static int test_receive(struct message *m, bool *done)
{
    int error = 0;

    if (!m->is_ready)
        error = real->test(&m->ready, &m->is_ready, NULL);
    if (!error && !m->is_real)
        error = real->test(&m->real, &m->is_real, &m->got);
    if (!error && m->stage == READYING && m->is_ready && m->is_real) {
        receives_s = fmax(now_s(), receives_s + (double)m->count / bytes_s);
        m->due_s = receives_s;
        m->stage = ARRIVING;
    }
    *done = m->stage == ARRIVING && now_s() >= m->due_s;
    return error;
}

static int test_slow(struct w_peers_request *request, bool *done, u64 *got)
{
    struct message *m = &messages[request->handle];
    int error;

    *done = false;
    if (m->passes)
        error = real->test(&m->real, done, got);
    else if (m->sends)
        error = test_send(m, done);
    else
        error = test_receive(m, done);
    if (*done && got && !m->passes)
        *got = m->got;
    if (*done)
        m->stage = FREE;
    return error;
}

static int cancel_slow(struct w_peers_request *request)
{
    messages[request->handle].stage = FREE;
    return real->cancel(&messages[request->handle].real);
}

static int close_slow(void)
{
    return real->close();
}

static void abort_slow(int status)
{
    real->abort(status);
}

static void text_slow(int error, char text[256])
{
    real->text(error, text);
}

struct w_peers_engine w_peers_engine = {
    .version = W_PEERS_ENGINE_VERSION,
    .name = "slow network",
    .open = open_slow,
    .send = send_slow,
    .receive = receive_slow,
    .test = test_slow,
    .cancel = cancel_slow,
    .close = close_slow,
    .abort = abort_slow,
    .text = text_slow,
};
