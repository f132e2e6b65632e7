#include "fit/figures.h"

#include <string.h>

#include "base/strnum.h"

/* A kernel whose working set belongs to one thread: it has that thread's share of each level. */
#define PRIVATE(kernel, what)                                                                      \
    {"l1." kernel, what " / share of L1", W_UNIT_FILL, kernel ".bytes / l1.share"},                \
        {"l2." kernel, what " / share of L2", W_UNIT_FILL, kernel ".bytes / l2.share"},            \
    {                                                                                              \
        "l3." kernel, what " / share of L3", W_UNIT_FILL, kernel ".bytes / l3.share"               \
    }

/* Data that all threads use together: it has one whole instance of each level. */
#define SHARED(data, what)                                                                         \
    {"l1." data, what " / L1", W_UNIT_FILL, data ".bytes / l1.whole"},                             \
        {"l2." data, what " / L2", W_UNIT_FILL, data ".bytes / l2.whole"},                         \
    {                                                                                              \
        "l3." data, what " / L3", W_UNIT_FILL, data ".bytes / l3.whole"                            \
    }

/* FLOP per byte of a product of a (rows x k) and a (k x n) matrix, each touched once in fp32. */
#define INTENSITY(k, n) "2*rows*" k "*" n " / (4*(rows*" k " + " k "*" n " + rows*" n "))"

/* A blocked product whose panels live in S floats moves at least 2mnk/sqrt(S) floats (Hong and Kung,
 * 1981), that is sqrt(S)/4 FLOP per byte. Half of the share: three operands, and ways that clash. */
#define BLOCKED(level) "sqrt(" level ".share/4/2) / 4"

/* What a cache has for one working set: as measured, else by the rule. */
#define HOLDS(level) "if(" level ".measured, " level ".measured, usable*" level ".bytes)"

/* A part of the step: what it has to do, what it has to move, and how long that takes. A unit of work
 * costs so much for each token and so much for each call; and what is moved takes its time at the
 * bandwidth of the level that it comes from. times: how often the part runs in a step. */
#define PART(part, what, unit, work, traffic, times)                                               \
    {"unit." part, what ": units", W_UNIT_COUNT, unit},                                            \
        {"cost." part, what ": of a unit and token", W_UNIT_SECONDS, NULL},                        \
        {"call." part, what ": of a unit and call", W_UNIT_SECONDS, NULL},                         \
        {"bandwidth." part, what ": of its level", W_UNIT_BYTES_S, NULL},                          \
        {"work." part, what ": arithmetic of a step", W_UNIT_FLOP, work},                          \
        {"traffic." part, what ": bytes of a step", W_UNIT_BYTES, traffic},                        \
        {"step." part, what, W_UNIT_SECONDS,                                                       \
         "max(" times "*unit." part "*(call." part " + rows*cost." part "), traffic." part         \
         " / bandwidth." part ")"},                                                                \
        {"reach." part, what ": arithmetic that it reaches", W_UNIT_FLOP_S,                        \
         "work." part " / step." part},                                                            \
    {                                                                                              \
        "memory_part." part, what ": part of it that moving alone takes", W_UNIT_PART,             \
            "traffic." part " / bandwidth." part " / step." part                                   \
    }

/* The part of the memory that counts, as text of a formula. */
#define TEXT_OF(number) #number
#define NUMBER(macro) TEXT_OF(macro)
#define USABLE NUMBER(W_MEMORY_USABLE)

const struct w_figure w_figures[] = {
    /* ---- given: configuration ---- */
    {"d", "d_model", W_UNIT_COUNT, NULL},
    {"H", "num_heads", W_UNIT_COUNT, NULL},
    {"L", "num_layers", W_UNIT_COUNT, NULL},
    {"F", "d_ff", W_UNIT_COUNT, NULL},
    {"V", "vocab_size", W_UNIT_COUNT, NULL},
    {"B", "batch_size", W_UNIT_COUNT, NULL},
    {"T", "max_length", W_UNIT_COUNT, NULL},
    {"accumulate", "batches per step", W_UNIT_COUNT, NULL},
    {"learning_rate", "learning_rate", W_UNIT_RATIO, NULL},
    {"h", "columns of a head", W_UNIT_COUNT, "d / H"},
    {"rows", "tokens of a batch", W_UNIT_COUNT, "B*T"},

    /* ---- given: machine ---- */
    {"threads", "worker threads", W_UNIT_COUNT, NULL},
    {"usable", "part of a cache for one working set", W_UNIT_PART, NULL},
    {"l1.bytes", "L1 data cache, one instance", W_UNIT_BYTES, NULL},
    {"l1.instances", "L1 data caches", W_UNIT_COUNT, NULL},
    {"l2.bytes", "L2 cache, one instance", W_UNIT_BYTES, NULL},
    {"l2.instances", "L2 caches", W_UNIT_COUNT, NULL},
    {"l3.bytes", "L3 cache, one instance", W_UNIT_BYTES, NULL},
    {"l3.instances", "L3 caches", W_UNIT_COUNT, NULL},
    {"l3.bytes_s", "L3 bandwidth of one core", W_UNIT_BYTES_S, NULL},
    {"ram.bytes", "memory that can be had", W_UNIT_BYTES, NULL},
    {"ram.bytes_s", "memory bandwidth", W_UNIT_BYTES_S, NULL},
    {"peak", "peak of the precision used", W_UNIT_FLOP_S, NULL},
    {"l1.measured", "L1, what it really holds; 0: not measured", W_UNIT_BYTES, NULL},
    {"l2.measured", "L2, what it really holds", W_UNIT_BYTES, NULL},
    {"l3.measured", "L3, what it really holds", W_UNIT_BYTES, NULL},
    {"l1.whole", "L1 for data of all threads", W_UNIT_BYTES, HOLDS("l1")},
    {"l2.whole", "L2 for data of all threads", W_UNIT_BYTES, HOLDS("l2")},
    {"l3.whole", "L3 for data of all threads", W_UNIT_BYTES, HOLDS("l3")},
    {"l1.share", "L1 of one thread", W_UNIT_BYTES, "l1.whole / ceil(threads/l1.instances)"},
    {"l2.share", "L2 of one thread", W_UNIT_BYTES, "l2.whole / ceil(threads/l2.instances)"},
    {"l3.share", "L3 of one thread", W_UNIT_BYTES, "l3.whole / ceil(threads/l3.instances)"},

    /* ---- parameters: GPT-2 family, pre-LN, learned positions, biases ---- */
    {"params.embedding", "token embedding, also the head", W_UNIT_COUNT, "V*d"},
    {"params.positions", "position embedding", W_UNIT_COUNT, "T*d"},
    {"params.attention", "attention matrices of a layer", W_UNIT_COUNT, "4*d^2"},
    {"params.mlp", "MLP matrices of a layer", W_UNIT_COUNT, "2*d*F"},
    {"params.small", "biases and normalisations of a layer", W_UNIT_COUNT, "9*d + F"},
    {"params.layer", "a layer", W_UNIT_COUNT, "params.attention + params.mlp + params.small"},
    {"params.matmul", "matrices of all layers", W_UNIT_COUNT, "L*(4*d^2 + 2*d*F)"},
    {"params", "parameters, tied head", W_UNIT_COUNT,
     "V*d + T*d + L*(4*d^2 + 2*d*F + 9*d + F) + 2*d"},
    {"params.untied", "with a head of its own", W_UNIT_COUNT, "params + V*d"},
    {"params.nobias", "without biases", W_UNIT_COUNT, "V*d + T*d + L*(4*d^2 + 2*d*F + 2*d) + d"},

    /* ---- matrices ---- */
    {"sequence.bytes", "activations of a sequence, T x d", W_UNIT_BYTES, "4*T*d"},
    {"ff.bytes", "MLP hidden layer of a sequence, T x F", W_UNIT_BYTES, "4*T*F"},
    {"embedding.bytes", "embedding table, V x d", W_UNIT_BYTES, "4*V*d"},
    {"batch.bytes", "activations of a batch, B x T x d", W_UNIT_BYTES, "4*rows*d"},
    {"batch.l3", "the same / L3", W_UNIT_PART, "batch.bytes / l3.bytes"},
    {"logits.bytes", "logits of a batch if all were kept", W_UNIT_BYTES, "4*rows*V"},

    /* ---- memory of a training step ---- */
    {"memory.weights", "weights, fp32", W_UNIT_BYTES, "4*params"},
    {"memory.state", "weights, gradients, two moments", W_UNIT_BYTES, "16*params"},
    {"plain.floats", "floats a token, every activation kept", W_UNIT_COUNT,
     "L*(10*d + 2*F + 4 + 2*H*T) + 2*d + 2*V + 3"},
    {"plain.bytes", "activations, all kept (llm.c layout)", W_UNIT_BYTES, "4*rows*plain.floats"},
    {"plain.both", "with gradients of the same size", W_UNIT_BYTES, "2*plain.bytes"},
    {"lean.floats", "floats a token, no scores, no logits", W_UNIT_COUNT,
     "L*(10*d + F + 4 + H) + 2*d + 3"},
    {"lean.bytes", "activations, lean", W_UNIT_BYTES, "4*rows*lean.floats"},
    {"plain.batch", "largest batch in 85 % of memory, plain", W_UNIT_COUNT,
     "floor(max(" USABLE "*ram.bytes - memory.state, 0) / (4*T*plain.floats))"},
    {"both.batch", "with gradients of the same size", W_UNIT_COUNT,
     "floor(max(" USABLE "*ram.bytes - memory.state, 0) / (8*T*plain.floats))"},
    {"lean.batch", "largest batch in 85 % of memory, lean", W_UNIT_COUNT,
     "floor(max(" USABLE "*ram.bytes - memory.state, 0) / (4*T*lean.floats))"},
    {"memory.plan", "memory of the step, as wtrain allocates it", W_UNIT_BYTES, NULL},
    {"chunk.bytes", "logits of a chunk, as wtrain computes them", W_UNIT_BYTES, NULL},
    {"memory.batch", "largest batch in 85 % of memory, wtrain", W_UNIT_COUNT, NULL},
    {"resident.base", "the program itself", W_UNIT_BYTES, NULL},
    {"memory.resident", "resident memory of the trainer", W_UNIT_BYTES,
     "memory.plan + resident.base"},
    {"memory.share", "memory of the step / memory", W_UNIT_FILL, "memory.plan / ram.bytes"},

    /* ---- arithmetic of a token; full: T x T scores; causal: the half that is needed ---- */
    {"flops.projections", "QKV and output projection of a layer", W_UNIT_FLOP, "8*d^2"},
    {"flops.scores", "scores and their use, full", W_UNIT_FLOP, "4*T*d"},
    {"flops.scores_causal", "scores and their use, causal mean", W_UNIT_FLOP, "2*(T + 1)*d"},
    {"flops.attention", "attention of a layer, full", W_UNIT_FLOP, "8*d^2 + 4*T*d"},
    {"flops.mlp", "MLP of a layer", W_UNIT_FLOP, "4*d*F"},
    {"flops.layer", "a layer, full", W_UNIT_FLOP, "8*d^2 + 4*d*F + 4*T*d"},
    {"flops.layers", "all layers, full", W_UNIT_FLOP, "L*flops.layer"},
    {"flops.head", "output head", W_UNIT_FLOP, "2*V*d"},
    {"flops.forward", "forward, full", W_UNIT_FLOP, "flops.layers + flops.head"},
    {"flops.causal", "forward, causal", W_UNIT_FLOP, "L*(8*d^2 + 4*d*F + 2*(T + 1)*d) + 2*V*d"},
    {"flops.train", "training, full", W_UNIT_FLOP, "3*flops.forward"},
    {"flops.train_causal", "training, causal", W_UNIT_FLOP, "3*flops.causal"},
    {"flops.head_share", "head's part of the forward pass", W_UNIT_PART,
     "flops.head / flops.forward"},
    {"flops.step", "a training step, causal", W_UNIT_FLOP, "accumulate*rows*flops.train_causal"},

    /* ---- cache fit by kernel ---- */
    {"sequence_mlp.bytes", "MLP of a sequence, unblocked: T x (d + F)", W_UNIT_BYTES,
     "4*T*(d + F)"},
    {"attention.bytes", "a head of a sequence: Q K V O and scores", W_UNIT_BYTES,
     "4*(4*T*h + T^2)"},
    {"attention_back.bytes", "the same with gradients", W_UNIT_BYTES, "4*(8*T*h + 2*T^2)"},
    {"attention_rows.bytes", "64 queries of a head against all keys", W_UNIT_BYTES,
     "4*(2*T*h + min(T, 64)*(2*h + T))"},
    {"mlp.bytes", "32 rows through the MLP", W_UNIT_BYTES, "4*32*(2*d + F)"},
    {"layer.bytes", "weights of a layer", W_UNIT_BYTES, "4*params.layer"},
    {"layers.bytes", "weights of all layers", W_UNIT_BYTES, "L*layer.bytes"},
    PRIVATE("sequence", "T x d"),
    PRIVATE("sequence_mlp", "T x (d + F)"),
    PRIVATE("attention", "a head"),
    PRIVATE("attention_back", "a head with gradients"),
    PRIVATE("attention_rows", "64 queries of a head"),
    PRIVATE("mlp", "32 rows of the MLP"),
    SHARED("chunk", "logits of a chunk"),
    SHARED("batch", "batch of T x d"),
    SHARED("layer", "weights of a layer"),
    SHARED("layers", "weights of all layers"),
    {"gemm.balance", "FLOP that peak allows per byte of memory", W_UNIT_INTENSITY,
     "peak / ram.bytes_s"},
    {"gemm.l1", "FLOP per byte of a product blocked in L1", W_UNIT_INTENSITY, BLOCKED("l1")},
    {"gemm.l2", "FLOP per byte of a product blocked in L2", W_UNIT_INTENSITY, BLOCKED("l2")},
    {"gemm.l3", "FLOP per byte of a product blocked in L3", W_UNIT_INTENSITY, BLOCKED("l3")},
    {"l1.gemm", "balance / product blocked in L1", W_UNIT_FILL, "gemm.balance / gemm.l1"},
    {"l2.gemm", "balance / product blocked in L2", W_UNIT_FILL, "gemm.balance / gemm.l2"},
    {"l3.gemm", "balance / product blocked in L3", W_UNIT_FILL, "gemm.balance / gemm.l3"},
    {"element", "bytes of an operand of the products", W_UNIT_BYTES, NULL},
    {"tile.rows", "rows of a product's tile in registers", W_UNIT_COUNT, NULL},
    {"tile.cols", "columns of it", W_UNIT_COUNT, NULL},
    {"block.k", "depth of a product's panel", W_UNIT_COUNT, NULL},
    {"block.rows", "rows of a product's block", W_UNIT_COUNT, NULL},
    {"block.cols", "columns of it", W_UNIT_COUNT, NULL},
    {"panel.bytes", "a panel of a product, as wtrain cuts it", W_UNIT_BYTES,
     "element*block.k*tile.cols"},
    /* what stays: the block of the left operand, and the panel that it meets; results stream past */
    {"block.bytes", "a block of a product, as wtrain cuts it", W_UNIT_BYTES,
     "element*block.rows*block.k + panel.bytes"},
    PRIVATE("panel", "a panel of a product"),
    PRIVATE("block", "a block of a product"),
    {"gemm.blocks", "FLOP per byte into such a block", W_UNIT_INTENSITY,
     "2*block.rows*block.cols*block.k / (element*block.k*(block.rows + block.cols))"},
    {"gemm.space", "blocking space that reaches the balance", W_UNIT_BYTES, "4*(4*gemm.balance)^2"},
    {"intensity.qkv", "QKV product over the batch", W_UNIT_INTENSITY, INTENSITY("d", "3*d")},
    {"intensity.projection", "output projection", W_UNIT_INTENSITY, INTENSITY("d", "d")},
    {"intensity.mlp", "MLP product", W_UNIT_INTENSITY, INTENSITY("d", "F")},
    {"intensity.head", "head product", W_UNIT_INTENSITY, INTENSITY("d", "V")},

    /* ---- generation, one token at a time ---- */
    {"decode.kv", "KV cache of a full context, fp32", W_UNIT_BYTES, "2*4*L*T*d"},
    {"decode.weights", "weights read for a token", W_UNIT_BYTES, "4*(L*params.layer + V*d)"},
    {"decode.bytes", "weights and half the KV cache", W_UNIT_BYTES, "decode.weights + decode.kv/2"},
    SHARED("decode", "read for a token"),
    {"decode.seconds", "a token of generation", W_UNIT_SECONDS, NULL},
    {"decode.interval", "nine of ten are within this part of it", W_UNIT_PART, NULL},
    {"decode.tok_s", "bound of generation by bandwidth", W_UNIT_TOKENS_S,
     "if(l3.decode <= 1, threads*l3.bytes_s, ram.bytes_s) / decode.bytes"},

    /* ---- the step, from what was measured of its parts on this machine ---- */
    {"calibrated", "1 if this machine is calibrated", W_UNIT_COUNT, NULL},
    PART("embedding", "embedding", "d", "2*accumulate*rows*d", "24*accumulate*rows*d",
         "accumulate"),
    PART("norm", "normalisation", "d", "accumulate*rows*d*(21*(2*L + 1) + 14*L)",
         "accumulate*rows*d*(24*(2*L + 1) + 16*L)", "accumulate*(2*L + 1)/3"),
    PART("linear", "products and GELU, forward", "4*d^2 + 2*d*F", "accumulate*L*2*rows*unit.linear",
         "accumulate*L*(rows*(16*d + element*(6*d + 3*F)) + element*unit.linear)", "accumulate*L"),
    PART("linear_back", "products and GELU, backward", "4*d^2 + 2*d*F",
         "accumulate*L*4*rows*unit.linear",
         "accumulate*L*(element*rows*(16*d + 6*F) + (element + 8)*unit.linear)", "accumulate*L"),
    PART("attention", "attention, forward", "d*T", "accumulate*L*2*rows*(T + 1)*d",
         "accumulate*L*4*element*rows*d", "accumulate*L"),
    PART("attention_back", "attention, backward", "d*T", "accumulate*L*5*rows*(T + 1)*d",
         "accumulate*L*7*element*rows*d", "accumulate*L"),
    PART("head", "output head and loss", "V*d", "accumulate*6*rows*V*d",
         "accumulate*element*(6*rows*V + 2*rows*d + 3*V*d)", "accumulate"),
    PART("update", "optimizer", "(V + T)*d + L*(4*d^2 + 2*d*F)", "12*params", "36*params", "1"),
    {"step.seconds", "a step", W_UNIT_SECONDS,
     "step.embedding + step.norm + step.linear + step.linear_back + step.attention + "
     "step.attention_back + step.head + step.update"},
    {"rule.share", "part of its peak that a machine which is not calibrated reaches", W_UNIT_PART,
     NULL},
    {"predict.factor", "correction by verified runs", W_UNIT_RATIO, NULL},
    {"predict.interval", "nine of ten are within this part of the prediction", W_UNIT_PART, NULL},
    {"predict.tok_s", "predicted training rate", W_UNIT_TOKENS_S,
     "if(calibrated, predict.factor*accumulate*rows/step.seconds, "
     "rule.share*peak/flops.train_causal)"},
    /* wide intervals have a lower end too: less than a twentieth is no residual, see residuals.c */
    {"predict.low", "the least of it, nine of ten", W_UNIT_TOKENS_S,
     "predict.tok_s*max(1 - predict.interval, 0.05)"},
    {"predict.high", "the most of it", W_UNIT_TOKENS_S, "predict.tok_s*(1 + predict.interval)"},
    {"half.seconds", "a step in the slower state, of a machine that has two", W_UNIT_SECONDS, NULL},
    {"predict.half", "predicted training rate in the slower state", W_UNIT_TOKENS_S,
     "predict.factor*accumulate*rows/half.seconds"},
    {"predict.decode", "predicted rate of generation", W_UNIT_TOKENS_S, "1 / decode.seconds"},
    {"decode.low", "the least of it, nine of ten", W_UNIT_TOKENS_S,
     "predict.decode*(1 - decode.interval)"},
    {"decode.high", "the most of it", W_UNIT_TOKENS_S, "predict.decode*(1 + decode.interval)"},

    /* ---- rate and time ---- */
    {"tokens", "tokens to train on", W_UNIT_COUNT, NULL},
    {"file.tokens", "tokens of a file", W_UNIT_COUNT, NULL},
    {"tok_s", "training rate", W_UNIT_TOKENS_S, NULL},
    {"predict.ratio", "rate / predicted rate", W_UNIT_RATIO, "tok_s / predict.tok_s"},
    {"law.floor", "bits per byte that no model of this kind goes below", W_UNIT_BITS, NULL},
    {"law.a", "what a small model costs", W_UNIT_BITS, NULL},
    {"law.alpha", "how that falls with its size", W_UNIT_RATIO, NULL},
    {"law.c", "what few tokens cost", W_UNIT_BITS, NULL},
    {"law.beta", "how that falls with their number", W_UNIT_RATIO, NULL},
    {"law.gamma", "how both fall with the vocabulary", W_UNIT_RATIO, NULL},
    {"law.batch", "tokens of a step that waste as many again", W_UNIT_COUNT, NULL},
    {"predict.bits", "bits per byte after the tokens, by the law of losses", W_UNIT_BITS,
     "law.floor + (law.a/(params.matmul/1000000)^law.alpha + "
     "law.c/(tokens/1000000/(1 + accumulate*rows/law.batch))^law.beta) / (V/8192)^law.gamma"},
    {"loss", "loss, nats per token", W_UNIT_RATIO, NULL},
    {"text.bytes", "bytes of text per token", W_UNIT_RATIO, NULL},
    {"roof.tok_s", "training rate at the peak, which nobody reaches", W_UNIT_TOKENS_S,
     "peak / flops.train_causal"},
    {"rate.flop_s", "arithmetic at that rate", W_UNIT_FLOP_S, "tok_s*flops.train_causal"},
    {"rate.efficiency", "part of the peak", W_UNIT_PART, "rate.flop_s / peak"},
    {"steps", "optimizer steps for the tokens", W_UNIT_COUNT, "floor(tokens / (accumulate*rows))"},
    {"tokens_per_param", "tokens per parameter", W_UNIT_RATIO, "tokens / params"},
    {"time.roof", "time at the peak", W_UNIT_SECONDS, "tokens / roof.tok_s"},
    {"time", "time for the tokens", W_UNIT_SECONDS, "tokens / tok_s"},
    {"eval.tokens", "tokens of an evaluation", W_UNIT_COUNT, NULL},
    {"eval.every", "steps from one to the next; 0: only at the end", W_UNIT_COUNT, NULL},
    {"eval.time", "an evaluation: forward through all parts", W_UNIT_SECONDS,
     "eval.tokens*(L*(unit.linear*cost.linear + unit.attention*cost.attention) + "
     "(2*L + 1)/9*d*cost.norm + V*d*cost.head/3)"},
    {"ckpt.every", "seconds from one checkpoint to the next; 0: none", W_UNIT_SECONDS, NULL},
    {"ckpt.bytes", "a checkpoint: weights and two moments", W_UNIT_BYTES, "12*params"},
    {"ckpt.bandwidth", "of writing them", W_UNIT_BYTES_S, NULL},
    {"ckpt.time", "writing a checkpoint", W_UNIT_SECONDS, "ckpt.bytes / ckpt.bandwidth"},
    {"time.eval", "all evaluations", W_UNIT_SECONDS,
     "if(eval.tokens, if(eval.every, max(ceil(steps/max(eval.every, 1)), 1), 1)*eval.time, 0)"},
    {"time.ckpt", "all checkpoints, and the model", W_UNIT_SECONDS,
     "if(ckpt.every, (1 + floor(time/max(ckpt.every, 1)))*ckpt.time, 0)"},
    {"time.total", "time with evaluations and checkpoints", W_UNIT_SECONDS,
     "time + time.eval + time.ckpt"},
    {"time.interval", "nine of ten are within this part of it", W_UNIT_PART, NULL},
    {"time.least", "the least of it", W_UNIT_SECONDS, "time.total / (1 + time.interval)"},
    {"time.most", "the most of it", W_UNIT_SECONDS, "time.total / max(1 - time.interval, 0.05)"},
    {"hours", "the same in hours", W_UNIT_HOURS, "time.total / 3600"},
    {"time.file", "time for a file", W_UNIT_SECONDS, "file.tokens / tok_s"},
    {"time.megabyte", "time for a megabyte of text", W_UNIT_SECONDS,
     "1000000 / (tok_s*text.bytes)"},
    {"bits.token", "bits per token", W_UNIT_BITS, "loss / 0.6931471805599453"},
    {"bits.byte", "bits per byte of text", W_UNIT_BITS, "bits.token / text.bytes"},
    {NULL, NULL, W_UNIT_COUNT, NULL},
};
_Static_assert(W_COUNTOF(w_figures) <= W_FIGURES_MAX, "room in struct w_fit");

int w_figure_find(const char *key)
{
    for (int i = 0; w_figures[i].key; i++)
        if (!strcmp(w_figures[i].key, key))
            return i;
    return -1;
}

const char *w_figure_suggest(const char *key)
{
    return w_nearest_name(key, &w_figures[0].key, W_COUNTOF(w_figures) - 1, sizeof w_figures[0]);
}
