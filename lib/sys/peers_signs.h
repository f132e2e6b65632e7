/* peers_signs.h - signs of life between ranks, and the news of a failure. Each rank gives the next
 * one a sign every second, and finds by its silence that the one before it is stopped; what it
 * knows of a failure it tells to all. Without waiting, by the thread that carries messages; times
 * are those of w_now_s().
 *
 *     w_signs_open(&signs, engine, rank, size)
 *     w_signs_listen(&signs, now_s, &news)     // often
 *     w_signs_give(&signs, now_s, true)
 *     w_signs_silent(&signs, now_s, silence_s)
 *     w_signs_tell(&signs, &news)              // after a failure, instead
 *     w_signs_close(&signs) */
#ifndef W_PEERS_SIGNS_H
#define W_PEERS_SIGNS_H

#include "base/status.h"
#include "sys/peers_engine.h"

#define W_SIGNS_TAG 0 /* of its messages */

/* A sign of life, or with a status the news of a failure. */
struct w_sign {
    u32 rank;   /* of the sender */
    u32 about;  /* the rank that is lost; W_PEERS_ANY: none */
    u32 status; /* enum w_status */
    char text[256];
};

struct w_signs {
    const struct w_peers_engine *engine;
    u32 rank, size;
    struct w_sign out, in, news; /* sign, what arrives, what is told of a failure */
    bool sends, tells;           /* a sign; the news, to the rank `telling` */
    u32 telling;                 /* those below it know */
    struct w_peers_request send, receive, tell;
    double sent_s, heard_s, looked_s;
};

/* int: 0, or an error of the engine. */
int w_signs_open(struct w_signs *, const struct w_peers_engine *, u32 rank, u32 size);
int w_signs_close(struct w_signs *);
/* Heed a message that has arrived. *news: that of a failure; another has the status W_DONE. */
int w_signs_listen(struct w_signs *, double now_s, struct w_sign *news);
/* more: give another sign if it is due; else see only whether the last one has arrived, after which
 * .sends is false. */
int w_signs_give(struct w_signs *, double now_s, bool more);
/* Has the rank before this one been silent for so long, since .heard_s (0: never)? A pause of this
 * process itself, stopped or asleep with its machine, does not count. */
bool w_signs_silent(struct w_signs *, double now_s, double silence_s);
u32 w_signs_before(const struct w_signs *); /* the rank before this one */
/* Tell all ranks of a failure, the same in each call: one after the other, but for the one that it
 * is about, which would not take the news. */
void w_signs_tell(struct w_signs *, const struct w_sign *news);

#endif
