/* wsample - text from a model, or the likelihood of a text under it. */
#include "tools/wsample.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strnum.h"
#include "sys/entropy.h"
#include "sys/machine.h"
#include "sys/pages.h"

static const struct w_option options[] = {
    {"model", 'm', W_OPT_TEXT, AT(model), "FILE",
     .help = "Model or checkpoint to use; its vocabulary is inside. Required."},
    {"prompt", 'p', W_OPT_TEXT, AT(prompt), "TEXT",
     .help = "Text to continue; '-' reads it from standard input. Default: begin a new document."},
    {"prompt-file", 0, W_OPT_TEXT, AT(prompt_file), "FILE", .help = "Read the prompt from FILE."},
    {"prompts", 0, W_OPT_TEXT, AT(prompts), "FILE",
     .help = "Continue each prompt of FILE ('-': standard input), JSON Lines: a text, or an object "
             "with \"prompt\" and, if it has limits of its own, \"count\" and \"stop\"."},
    {"interactive", 'i', W_OPT_FLAG, AT(interactive),
     .help = "Continue each line of standard input as it comes; Ctrl-C ends a sample, and between "
             "two of them the program. Only the new text is printed."},
    {"count", 'n', W_OPT_COUNT, AT(count), "N", "200", .help = "Tokens to generate at most."},
    {"samples", 0, W_OPT_COUNT, AT(samples), "N", "1", .min = 1,
     .help = "Samples to generate of each prompt, separated by a line of '---'."},
    {"batch", 'b', W_OPT_COUNT, AT(batch), "N", "16", .min = 1, .max = 4096,
     .help = "Samples that are made at a time; more are faster and take more memory. The text does "
             "not depend on it."},
    {"type", 0, W_OPT_CHOICE, AT(type), "TYPE", "auto", .choices = TYPE_NAMES,
     .help = "Type of the weights in products; q8 has 8 bits and a scale for every 32. auto: bf16 "
             "where this CPU has instructions for it, else f32; f32 to score."},
    {"temperature", 0, W_OPT_REAL, AT(sampler.temperature), "X", "0.8", .max = 1000,
     .help = "Above 1 text is more random, below 1 less; 0 always takes the most likely token."},
    {"top-k", 0, W_OPT_COUNT, AT(sampler.top_k), "K", "0",
     .help = "Sample from the K most likely tokens; 0: from all."},
    {"top-p", 0, W_OPT_REAL, AT(sampler.top_p), "P", "0.95", .max = 1,
     .help = "Sample from the fewest tokens whose probabilities sum to P; 1: from all."},
    {"min-p", 0, W_OPT_REAL, AT(sampler.min_p), "P", "0", .max = 1,
     .help = "Sample from tokens with at least P times the probability of the most likely one."},
    {"repetition-penalty", 0, W_OPT_REAL, AT(sampler.penalty), "X", "1", .min = 0.01, .max = 100,
     .help = "Factor on the logits of recent tokens; above 1 makes them less likely."},
    {"repeat-last-n", 0, W_OPT_COUNT, AT(sampler.repeat_last_n), "N", "64",
     .help = "Number of last tokens that count as recent."},
    {"seed", 's', W_OPT_TEXT, AT(seed), "SEED", "0",
     .help = "The same seed gives the same text; random takes one that is told on standard error."},
    {"stop", 0, W_OPT_LIST, AT(stops), "TEXT", .help = "End before this text. May be given again."},
    {"ignore-end", 0, W_OPT_FLAG, AT(ignore_end),
     .help = "Never end the document: its end id is not sampled."},
    {"no-echo", 0, W_OPT_FLAG, AT(no_echo), .help = "Do not print the prompt before the text."},
    {"json", 'j', W_OPT_FLAG, AT(json),
     .help = "Print a JSON object per sample, or the score as one."},
    {"score", 0, W_OPT_TEXT, AT(score), "FILE",
     .help = "Generate nothing: print the likelihood of the text of FILE ('-': standard input), in "
             "nats, bits per byte and perplexity per word."},
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "plain", .choices = SCORE_FORMATS,
     .help =
         "With --score: what FILE holds. plain: one document; auto, lines, wiki, jsonl: as wtok "
         "encode has them; tokens: a token stream of the model's vocabulary."},
    {"field", 0, W_OPT_TEXT, AT(field), "NAME", "text",
     .help = "With JSON Lines: the member that is the text."},
    {"documents", 0, W_OPT_FLAG, AT(documents),
     .help = "With --score: print the score of each document too."},
    {"counts", 0, W_OPT_TEXT, AT(counts), "FILE",
     .help = "Counts of n-grams, of wgram learn, which the model's gate mixes with its network. "
             "Without them it is the network alone."},
    {"count-on", 0, W_OPT_FLAG, AT(count_on),
     .help = "With --counts: count the prompt and the text too, as it goes on."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", .max = 1024,
     .help = "Worker threads. Default: OMP_NUM_THREADS, else the physical cores that may be used. "
             "The text does not depend on it."},
    {0},
};

static const char *const examples[] = {
    "Continue a few words",
    "wsample -m wiki.wts -p \"The history of\" -n 200",
    "Three less random samples as JSON, only the text of each",
    "wsample -m wiki.wts -p \"In 1969\" --samples 3 --temperature 0.5 --json | jq -r .text",
    "End at the end of the paragraph",
    "wsample -m wiki.wts -p \"London is\" --stop $'\\n'",
    "The network and counts together",
    "wsample -m wiki.wts --counts wiki.counts --count-on -p \"The history of\"",
    "Talk to it",
    "wsample -m wiki.wts -i -n 50 --stop .",
    "Continue many prompts, a JSON object each",
    "wsample -m wiki.wts --prompts prompts.jsonl --json >texts.jsonl",
    "Bits per byte of a text that the model has not seen",
    "wsample -m wiki.wts --score test.txt --json | jq .bits_per_byte",
    NULL,
};

enum w_status wsample_print_json(struct w_json *json, struct w_err *err)
{
    char *text = NULL;
    size_t size;
    enum w_status status = w_json_line(json, &text, &size, err);

    if (!status)
        status = w_write_line(STDOUT_FILENO, text, size, "standard output", err);
    free(text);
    w_json_free(json);
    return status;
}

static enum w_status check(const struct settings *set, int operands, struct w_err *err)
{
    if (operands)
        return w_fail(err, W_USAGE, "takes no operands: use -p TEXT, -m MODEL or --score FILE");
    if (!set->model)
        return w_fail(err, W_USAGE, "name a model with -m FILE");
    const int prompts = !!set->prompt + !!set->prompt_file + !!set->prompts + set->interactive;
    if (prompts > 1)
        return w_fail(err, W_USAGE,
                      "--prompt, --prompt-file, --prompts and --interactive are different prompts: "
                      "choose one");
    if (set->score && prompts)
        return w_fail(err, W_USAGE, "--score generates nothing and takes no prompt");
    if (!set->score && (set->documents || set->format != SCORE_PLAIN))
        return w_fail(err, W_USAGE, "--format and --documents belong to --score FILE");
    if (set->count_on && !set->counts)
        return w_fail(err, W_USAGE, "--count-on goes on from counts: name them with --counts FILE");
    for (size_t i = 0; i < set->stops.count; i++)
        if (!*set->stops.items[i])
            return w_fail(err, W_USAGE,
                          "--stop: the text is empty, so that it would stop everything");
    return W_DONE;
}

static enum w_status open_team(struct loaded_model *m, const struct settings *set,
                               struct w_err *err)
{
    static const enum w_precision precisions[] = {[TYPE_AUTO] = W_PRECISION_AUTO,
                                                  [TYPE_F32] = W_PRECISION_FP32,
                                                  [TYPE_BF16] = W_PRECISION_BF16,
                                                  [TYPE_Q8] = W_PRECISION_BF16};
    const u32 type = set->score && set->type == TYPE_AUTO ? TYPE_F32 : set->type;
    struct w_machine machine;
    const char *why = "";

    w_machine_read(&machine, "");
    u32 count = w_machine_threads(&machine, set->threads, getenv("OMP_NUM_THREADS"), &why);
    enum w_status status = w_kern_choose_precision(&m->kern, &m->type, NULL, precisions[type], err);
    if (type == TYPE_Q8)
        m->type = W_TYPE_Q8;
    if (!status)
        status = w_team_new(&m->team, count, err);
    if (!status)
        w_detail("%u threads: %s; kernels: %s, weights in %s", count, why, m->kern->name,
                 w_type_name(m->type));
    return status;
}

static enum w_status open_model(struct loaded_model *m, const struct settings *set,
                                struct w_err *err)
{
    const char *path = set->model;
    enum w_status status = w_ckpt_open(&m->ckpt, path, err);
    if (status)
        return status;
    m->conf = *w_ckpt_conf(m->ckpt);
    if (!w_ckpt_tok(m->ckpt))
        return w_fail(
            err, W_MISMATCH,
            "%s: holds no vocabulary: it comes from batches that carried none, from none at "
            "all (wtrain --steps 0), or from another program",
            path);
    status = w_vocab_from_json(&m->vocab, w_ckpt_tok(m->ckpt), err);
    if (!status && w_vocab_size(m->vocab) > m->conf.vocab_size)
        status = w_fail(err, W_CORRUPT, "its vocabulary of %u is larger than vocab_size %llu",
                        w_vocab_size(m->vocab), (unsigned long long)m->conf.vocab_size);
    if (status)
        return w_fail_at(err, status, "%s", path);
    if (m->conf.counts && !set->counts)
        w_say("%s mixes its network with counts: without them this is the network alone", path);
    return w_encoder_new(&m->encoder, m->vocab, err);
}

enum w_status wsample_infer_new(struct w_infer **infer, struct loaded_model *m,
                                const struct w_plan_decode *how, struct w_err *err)
{
    enum w_status status = w_tensors_make(&m->tensors, &m->conf, err);

    if (status)
        return status;
    m->weights = w_pages_new(m->tensors.floats * sizeof *m->weights);
    if (!m->weights)
        return w_fail(err, W_NOMEM, "no memory for %llu parameters",
                      (unsigned long long)m->tensors.parameters);
    status = w_ckpt_read(m->ckpt, &m->tensors, m->weights, NULL, NULL, err);
    if (!status)
        status = w_infer_new(infer, &m->conf, m->weights, how, m->kern, m->team, err);
    for (u32 i = 0; i < m->tensors.count && !status; i++) {
        const struct w_tensor *t = &m->tensors.rows[i];
        if (t->operand && !t->table)
            w_pages_discard(m->weights + t->offset, t->count * sizeof *m->weights);
    }
    return status;
}

static enum w_status choose_seed(struct settings *set, struct w_err *err)
{
    enum w_status status;

    if (strcmp(set->seed, "random")) {
        status = w_parse_count(set->seed, 0, UINT64_MAX, &set->sampler.seed, err);
        return status ? w_fail_at(err, status, "--seed") : W_DONE;
    }
    status = w_entropy(&set->sampler.seed, err);
    set->sampler.seed >>= 64 - 53; /* as JSON can hold it */
    if (!status)
        w_say("--seed %llu", (unsigned long long)set->sampler.seed);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct loaded_model model = {0};

    (void)argv;
    enum w_status status = check(set, argc, err);
    if (!status)
        status = choose_seed(set, err);
    if (!status)
        status = open_model(&model, set, err);
    if (!status)
        status = open_team(&model, set, err);
    if (!status && set->counts)
        status = wsample_counts_open(&model.counts, set, &model, err);
    if (!status)
        status = set->score         ? wsample_score(set, &model, err)
                 : set->interactive ? wsample_talk(set, &model, err)
                                    : wsample_generate(set, &model, err);
    wsample_counts_close(model.counts);
    w_pages_free(model.weights, model.tensors.floats * sizeof *model.weights);
    w_tensors_free(&model.tensors);
    w_team_free(model.team);
    w_encoder_free(model.encoder);
    w_vocab_free(model.vocab);
    w_ckpt_close(&model.ckpt);
    return status;
}

static const struct w_program program = {
    "wsample",
    "generate text with a model, or score a text with it",
    "",
    "Prints the prompt and the text with which the model continues it. Nothing but text goes to "
    "standard output; the same model, prompt, options and seed give the same text.",
    options,
    examples,
    sizeof(struct settings),
    run,
};

int main(int argc, char **argv)
{
    return w_cli_run(&program, argc, argv);
}
