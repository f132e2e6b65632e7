/* There is one kind of event: a rank comes to a stage of an exchange. If its partner is there
 * already, both messages of the pair go through the sides of the two ranks, after which each comes
 * to its next stage; else it waits, and the partner will find it. Events of the same time happen in
 * the order in which they were made. */
#include "fit/simulation.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "sys/peers_exchange.h"

/* An exchange of a rank that is under way: at a stage, or past the last one. */
struct turn {
    u32 exchange, stage;
    bool waits; /* for its partner to come to this stage */
    bool done;
};

struct rank {
    double start_s;                     /* when this step began */
    double slowness;                    /* its time of computing, as a multiple of what was given */
    double sends_s, receives_s, adds_s; /* until when both sides and the adding thread are busy */
    double done_s;                      /* when the last exchange was */
    u32 begun, done;                    /* exchanges of this step */
    struct turn turns[W_PEERS_AT_A_TIME];
};

struct event {
    double at_s;
    u64 number;
    u32 rank, turn;
};

struct simulation {
    const struct w_simulation *of;
    const struct w_rank_step *step;
    struct rank *ranks;
    struct event *heap; /* each turn has one event at most */
    u32 events;
    u64 made;
};

/* ---- events, in a binary heap ---- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_s < b->at_s || (a->at_s <= b->at_s && a->number < b->number);
}

static void push(struct simulation *s, double at_s, u32 rank, u32 turn)
{
    const struct event event = {at_s, s->made++, rank, turn};
    u32 i = s->events++;

    for (; i > 0 && is_before(&event, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = event;
}

static struct event pop(struct simulation *s)
{
    const struct event first = s->heap[0], last = s->heap[--s->events];
    u32 i = 0, child;

    while ((child = 2 * i + 1) < s->events) {
        if (child + 1 < s->events && is_before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (is_before(&last, &s->heap[child]))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return first;
}

/* ---- exchanges ---- */

/* Begin those that may begin now. */
static void admit(struct simulation *s, u32 index, double now_s)
{
    struct rank *r = &s->ranks[index];

    while (r->begun < s->step->count && r->begun < r->done + W_PEERS_AT_A_TIME) {
        const struct w_rank_exchange *e = &s->step->exchanges[r->begun];
        const u32 turn = r->begun % W_PEERS_AT_A_TIME;
        if (e->waits && r->done < r->begun)
            break;
        r->turns[turn] = (struct turn){.exchange = r->begun++};
        push(s, fmax(now_s, r->start_s + r->slowness * e->after_s), index, turn);
    }
}

static void finish(struct simulation *s, const struct event *event)
{
    struct rank *r = &s->ranks[event->rank];

    r->turns[event->turn].done = true;
    while (r->done < r->begun && r->turns[r->done % W_PEERS_AT_A_TIME].done)
        r->done++;
    r->done_s = event->at_s;
    admit(s, event->rank, event->at_s);
}

/* Returns when the message is done. */
static double carry(const struct w_network *network, struct rank *from, struct rank *to,
                    double bytes, double now_s)
{
    const double takes_s = bytes / network->bytes_s;
    const double begun_s = fmax(now_s, from->sends_s);

    from->sends_s = begun_s + takes_s;
    to->receives_s = fmax(begun_s, to->receives_s) + takes_s;
    return to->receives_s + network->latency_s;
}

/* Both messages of a pair are done: a rank adds what has come, and goes on to the next stage. */
static void go_on(struct simulation *s, u32 index, u32 turn, double now_s, double added_bytes)
{
    struct rank *r = &s->ranks[index];

    r->turns[turn].waits = false;
    r->turns[turn].stage++;
    if (added_bytes > 0)
        now_s = r->adds_s = fmax(now_s, r->adds_s) + added_bytes / s->of->add_bytes_s;
    push(s, now_s, index, turn);
}

static void come_to_stage(struct simulation *s, const struct event *event)
{
    const u32 size = s->of->ranks, turn = event->turn;
    struct rank *here = &s->ranks[event->rank];
    struct turn *own = &here->turns[turn];
    const struct w_peers_job *job = &s->step->exchanges[own->exchange].job;

    if (own->stage == w_exchange_stages(job, size)) {
        finish(s, event);
        return;
    }
    const struct w_exchange_stage stage = w_exchange_stage(job, own->stage, event->rank, size);
    struct rank *there = &s->ranks[stage.partner];
    const struct turn *other = &there->turns[turn];
    if (!other->waits || other->exchange != own->exchange || other->stage != own->stage) {
        own->waits = true;
        return;
    }
    const double out = (double)((stage.out.end - stage.out.begin) * job->item_bytes);
    const double in = (double)((stage.in.end - stage.in.begin) * job->item_bytes);
    const double done_s = fmax(carry(&s->of->network, here, there, out, event->at_s),
                               carry(&s->of->network, there, here, in, event->at_s));
    go_on(s, event->rank, turn, done_s, stage.combines ? in : 0);
    go_on(s, stage.partner, turn, done_s, stage.combines ? out : 0);
}

/* ---- steps ---- */

static void take_step(struct simulation *s, u32 step)
{
    for (u32 i = 0; i < s->of->ranks; i++) {
        struct rank *r = &s->ranks[i];
        struct w_rng rng = {.seed = s->of->seed, .stream = i, .counter = step};
        r->slowness = exp(s->of->spread * w_rng_normal(&rng));
        r->begun = r->done = 0;
        r->done_s = r->start_s;
        for (u32 turn = 0; turn < W_PEERS_AT_A_TIME; turn++)
            r->turns[turn] = (struct turn){0};
        admit(s, i, r->start_s);
    }
    while (s->events > 0) {
        const struct event event = pop(s);
        come_to_stage(s, &event);
    }
    for (struct rank *r = s->ranks; r < s->ranks + s->of->ranks; r++)
        r->start_s = fmax(r->done_s, r->start_s + r->slowness * s->step->batches_s) +
                     r->slowness * s->step->update_s;
}

enum w_status w_simulation_run(const struct w_simulation *of, const struct w_rank_step *step,
                               double *step_s, struct w_err *err)
{
    struct simulation s = {.of = of, .step = step};
    double end_s = 0;
    enum w_status status = W_DONE;

    s.ranks = calloc(of->ranks, sizeof *s.ranks);
    s.heap = calloc((size_t)of->ranks * W_PEERS_AT_A_TIME, sizeof *s.heap);
    if (!s.ranks || !s.heap) {
        status = w_fail(err, W_NOMEM, "no memory to simulate %u ranks", of->ranks);
    } else {
        for (u32 i = 0; i < of->steps; i++)
            take_step(&s, i);
        for (u32 i = 0; i < of->ranks; i++)
            end_s = fmax(end_s, s.ranks[i].start_s);
        *step_s = end_s / of->steps;
    }
    free(s.ranks);
    free(s.heap);
    return status;
}
