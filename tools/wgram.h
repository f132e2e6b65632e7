/* wgram.h - shared by the commands of wgram. */
#ifndef W_WGRAM_H
#define W_WGRAM_H

#include "count/count_documents.h"
#include "count/count_file.h"
#include "count/count_leave_out.h"
#include "data/corpus.h"
#include "tools/cli.h"

#define WGRAM_BY "wgram " W_VERSION_TEXT

extern const struct w_program wgram_learn_program, wgram_add_program, wgram_score_program,
    wgram_prune_program, wgram_info_program;

#define WGRAM_THREADS_OPTION(settings)                                                             \
    {                                                                                              \
        "threads", 't', W_OPT_COUNT, offsetof(settings, threads), "N", "0",                        \
            .max = 256, .aside = true,                                                             \
            .help = "Threads; 0: OMP_NUM_THREADS, or as many as there are cores. The result does " \
                    "not depend on it."                                                            \
    }

/* Will so many more bytes a token fit in memory? W_NOMEM, with the bytes and what to do:
 * `instead`. */
enum w_status wgram_check_memory(u64 tokens, u64 token_bytes, const char *instead,
                                 struct w_err *) W_MUST_CHECK;

/* Write counts with the vocabulary and the provenance of `upstream`, the header of the stream that
 * they were made of, and commit the output. As w_count_image_write() and w_output_commit(). */
enum w_status wgram_write_counts(const struct w_count_image *, struct w_output *,
                                 const struct w_writing *, const struct w_header *upstream,
                                 u32 threads, struct w_err *) W_MUST_CHECK;

/* Which counts a token is given: as they are, without its document, or with the text before it. */
enum wgram_mode { WGRAM_FROZEN, WGRAM_LEFT_OUT, WGRAM_ON };
#define WGRAM_MODE_OPTIONS(settings)                                                               \
    {"counts",   'm',                                                                              \
     W_OPT_TEXT, offsetof(settings, counts),                                                       \
     "FILE",     .help = "The counts: a file of wgram learn."},                                    \
        {"leave-out", 0, W_OPT_FLAG, offsetof(settings, leave_out),                                \
         .help = "The text is the one that was counted: each document is scored by the counts "    \
                 "without it."},                                                                   \
    {                                                                                              \
        "count-on", 0, W_OPT_FLAG, offsetof(settings, count_on),                                   \
            .help = "Each token is counted after it was scored, so that later text profits from "  \
                    "it. The counts in the file stay as they are."                                 \
    }

/* Tokens of the operands, part by part, with the tokens before them. */
struct wgram_text {
    struct w_corpus *corpus;
    u32 *ids; /* [held] */
    size_t held, room;
    u64 from, end; /* the part: tokens [from, end) of ids */
    u64 tokens;    /* of all parts so far */
    bool at_end;
};
/* To be closed whatever it returns: W_USAGE where it would read a terminal; else as
 * w_corpus_open(). */
enum w_status wgram_text_open(struct wgram_text *, int argc, char **argv,
                              struct w_err *) W_MUST_CHECK;
/* Read everything as one part: [0, held). Status as w_corpus_read(), W_SIGNAL, W_NOMEM. */
enum w_status wgram_text_all(struct wgram_text *, struct w_err *) W_MUST_CHECK;
/* The next part, with `before` tokens before it, if there are. W_END after the last one. */
enum w_status wgram_text_next(struct wgram_text *, u32 before, struct w_err *) W_MUST_CHECK;
void wgram_text_close(struct wgram_text *);

/* Counts, a text, and what the one says of the other, part by part. */
struct wgram_scoring {
    enum wgram_mode mode;
    struct w_counts *counts;             /* NULL where documents are left out: */
    struct w_count_image facts;          /* what these counts are of, without arrays */
    struct w_header header;              /* of the counts */
    struct w_count_delta *delta;         /* with WGRAM_ON */
    struct w_count_documents *documents; /* where the counts ask for it */
    struct w_team *team;
    struct wgram_text text;
    float *lp; /* of the part */
    u8 *ctx;
    size_t lp_room, ctx_room;
};
/* To be closed whatever it returns: W_USAGE: no counts named, or two modes; W_MISMATCH: another
 * vocabulary, or counts that nothing can be left out of; else as reading both. */
enum w_status wgram_scoring_open(struct wgram_scoring *, const char *counts, bool leave_out,
                                 bool count_on, u64 threads, int argc, char **argv,
                                 struct w_err *) W_MUST_CHECK;
/* The next part, scored. W_END after the last one. */
enum w_status wgram_scoring_next(struct wgram_scoring *, struct w_err *) W_MUST_CHECK;
void wgram_scoring_close(struct wgram_scoring *);

#endif
