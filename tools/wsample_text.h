/* wsample_text.h - prompts, and the texts that are made of them. */
#ifndef W_WSAMPLE_TEXT_H
#define W_WSAMPLE_TEXT_H

#include "text/draft.h"
#include "tools/wsample.h"

/* ---- wsample_prompts.c ---- */

struct prompt {
    u64 line;            /* of the file of --prompts, from 1; 0: the prompt of the command line */
    struct w_draft text; /* owned */
    struct w_ids ids;    /* the end id, then the prompt */
    struct w_json *json; /* of the line */
    struct w_text_list stops; /* of the command line, or own_stops */
    const char **own_stops;   /* of the line: texts in json */
    u64 count;                /* tokens to generate at most */
};
struct prompts {
    struct prompt *items;
    size_t count, room;
};
/* Read the prompts and make ids of them; to be released whatever it returns. W_CORRUPT: a line of
 * --prompts; W_MISMATCH: there is none; W_LIMIT, W_IO; W_NOMEM. */
enum w_status wsample_prompts_read(struct prompts *, const struct settings *,
                                   const struct loaded_model *, struct w_err *) W_MUST_CHECK;
void wsample_prompts_release(struct prompts *);
/* One more prompt: a line of text, or, if it begins with '{', an object as in such a file. Statuses
 * as above. */
enum w_status wsample_prompts_add(struct prompts *, const struct settings *,
                                  const struct loaded_model *, const char *line, size_t size,
                                  struct w_err *) W_MUST_CHECK;

/* ---- wsample_text.c ---- */

enum ending { AT_COUNT, AT_END_ID, AT_STOP, AT_SIGNAL };

/* A sample: a text in the making. */
struct text {
    const struct prompt *prompt;
    u64 number;       /* among the samples of its prompt */
    u32 slot;         /* of the KV cache, while it is not done */
    bool done, begun; /* complete; some of it was written */
    enum ending ending;
    struct w_ids ids; /* those of the prompt, then the generated ones */
    size_t fed;       /* ids that are in the KV cache, or were dropped from it */
    struct w_draft made;
    size_t shown;     /* bytes of made that were written */
    double *logprobs; /* of the generated ids, with --json */
    size_t logprob_room;
};
/* W_NOMEM. */
enum w_status wsample_text_new(struct text **, const struct prompt *, u64 number,
                               struct w_err *) W_MUST_CHECK;
void wsample_text_free(struct text *); /* accepts NULL */
/* Add an id and its log-probability, which is kept with --json alone; the text may be done then.
 * W_NOMEM. */
enum w_status wsample_text_add(struct text *, const struct settings *, const struct loaded_model *,
                               u32 id, double logprob, struct w_err *) W_MUST_CHECK;
/* Write what is certain of it to standard output; with --json, a text that is done as one line.
 * `first`: no text was written before it. W_PIPE: the reader has gone; W_IO; W_NOMEM. */
enum w_status wsample_text_show(struct text *, const struct settings *, bool first,
                                struct w_err *) W_MUST_CHECK;

/* ---- wsample_generate.c ---- */

/* What makes samples. It is closed by wsample_generation_free(), whatever new() returns. W_CORRUPT:
 * the model is damaged; W_IO; W_NOMEM. jobs: samples of a run, or more. */
struct generation;
enum w_status wsample_generation_new(struct generation **, const struct settings *,
                                     struct loaded_model *, u64 jobs, struct w_err *) W_MUST_CHECK;
void wsample_generation_free(struct generation *); /* accepts NULL */
/* Make the samples of all prompts and write them. W_CORRUPT: the model gives NaN; W_PIPE: the
 * reader has gone; W_IO; W_NOMEM. A signal ends the samples in the making and is left in
 * w_signal_stop. */
enum w_status wsample_generation_run(struct generation *, const struct prompts *,
                                     struct w_err *) W_MUST_CHECK;
/* Say how many tokens were made, and how fast. */
void wsample_generation_report(const struct generation *);

#endif
