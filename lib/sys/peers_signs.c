#include "sys/peers_signs.h"

#include "sys/clock.h"

#define SIGN_S 1.0 /* between two signs of life */

static int receive(struct w_signs *s)
{
    return s->engine->receive(W_PEERS_ANY, W_SIGNS_TAG, &s->in, sizeof s->in, &s->receive);
}

int w_signs_open(struct w_signs *s, const struct w_peers_engine *engine, u32 rank, u32 size)
{
    const double now_s = w_now_s();

    *s = (struct w_signs){.engine = engine,
                          .rank = rank,
                          .size = size,
                          .sent_s = now_s,
                          .heard_s = now_s,
                          .looked_s = now_s};
    return receive(s);
}

int w_signs_close(struct w_signs *s)
{
    return s->engine->cancel(&s->receive);
}

u32 w_signs_before(const struct w_signs *s)
{
    return (s->rank + s->size - 1) % s->size;
}

int w_signs_listen(struct w_signs *s, double now_s, struct w_sign *news)
{
    bool arrived = false;
    int error = s->engine->test(&s->receive, &arrived, NULL);

    news->status = W_DONE;
    if (error || !arrived)
        return error;
    s->in.text[sizeof s->in.text - 1] = 0;
    if (s->in.status)
        *news = s->in;
    else if (s->in.rank == w_signs_before(s))
        s->heard_s = now_s;
    return receive(s);
}

int w_signs_give(struct w_signs *s, double now_s, bool more)
{
    int error = 0;

    if (s->size == 1)
        return 0;
    if (s->sends) {
        bool done = false;
        error = s->engine->test(&s->send, &done, NULL);
        s->sends = !done;
    }
    if (error || s->sends || !more || now_s < s->sent_s + SIGN_S)
        return error;
    s->sent_s = now_s;
    s->sends = true;
    s->out.rank = s->rank;
    return s->engine->send((s->rank + 1) % s->size, W_SIGNS_TAG, &s->out, sizeof s->out, &s->send);
}

bool w_signs_silent(struct w_signs *s, double now_s, double silence_s)
{
    if (now_s > s->looked_s + SIGN_S)
        s->heard_s += now_s - s->looked_s;
    s->looked_s = now_s;
    return silence_s > 0 && now_s >= s->heard_s + silence_s;
}

void w_signs_tell(struct w_signs *s, const struct w_sign *news)
{
    if (!s->tells)
        s->news = *news;
    while (s->telling < s->size) {
        bool done = s->telling == s->rank || s->telling == s->news.about;
        if (!done && !s->tells &&
            s->engine->send(s->telling, W_SIGNS_TAG, &s->news, sizeof s->news, &s->tell))
            done = true;
        s->tells = !done;
        if (!done && s->engine->test(&s->tell, &done, NULL))
            done = true;
        if (!done)
            return;
        s->tells = false;
        s->telling++;
    }
}
