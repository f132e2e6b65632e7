/* The table of figures. Letters are those of the configuration: d, H, L, F, V, B, T. Counts of
 * parameters, arithmetic and traffic repeat as formulas what net/arch.h and the layers count in
 * code, so that people can read them; test_figures and test_predict hold the two against each
 * other. */
#include "fit/figures.h"

#include <string.h>

#include "base/strnum.h"
#include "fit/scaling_law.h"

/* A working set of one thread: it has that thread's share of each level. */
#define PRIVATE(kernel, what)                                                                      \
    {"l1." kernel, what " / share of L1", W_UNIT_FILL, kernel ".bytes / l1.share"},                \
        {"l2." kernel, what " / share of L2", W_UNIT_FILL, kernel ".bytes / l2.share"},            \
    {                                                                                              \
        "l3." kernel, what " / share of L3", W_UNIT_FILL, kernel ".bytes / l3.share"               \
    }

/* Data that all threads use together: they have one whole instance of each level. */
#define SHARED(data, what)                                                                         \
    {"l1." data, what " / L1", W_UNIT_FILL, data ".bytes / l1.whole"},                             \
        {"l2." data, what " / L2", W_UNIT_FILL, data ".bytes / l2.whole"},                         \
    {                                                                                              \
        "l3." data, what " / L3", W_UNIT_FILL, data ".bytes / l3.whole"                            \
    }

/* FLOP per byte of a GEMM of a (rows x k) and a (k x n) matrix, each touched once in fp32. */
#define INTENSITY(k, n) "2*rows*" k "*" n " / (4*(rows*" k " + " k "*" n " + rows*" n "))"

/* A blocked GEMM whose panels stay in S floats of cache moves at least 2mnk/sqrt(S) floats (Hong
 * and Kung, 1981), that is sqrt(S)/4 FLOP per byte. S is half of the share: there are three
 * operands, and conflicts. */
#define BLOCKED(level) "sqrt(" level ".share/4/2) / 4"

/* The bytes of a cache that one working set can have: as measured, else by the rule. */
#define HOLDS(level) "if(" level ".measured, " level ".measured, usable*" level ".bytes)"

/* Generation by one type of weights. */
#define GENERATION(type, what)                                                                     \
    {"generate." type ".memory", "memory to generate one text, " what, W_UNIT_BYTES, NULL},        \
        {"generate." type ".seconds", "a token of generation, " what, W_UNIT_SECONDS, NULL},       \
        {"generate." type ".tok_s", "predicted rate of generation, " what, W_UNIT_TOKENS_S,        \
         "1 / generate." type ".seconds"},                                                         \
        {"prompt." type ".seconds", "a token of a prompt, " what, W_UNIT_SECONDS, NULL},           \
    {                                                                                              \
        "prompt." type ".tok_s", "predicted rate of a prompt, " what, W_UNIT_TOKENS_S,             \
            "1 / prompt." type ".seconds"                                                          \
    }

/* A phase of the step: its arithmetic, its traffic, and its time, which is the larger one of two.
 * Its units of work cost a time for each token and a time for each call; its traffic takes a time
 * at the bandwidth of the level that holds the data. times: how often the phase runs in a step. */
#define PHASE(phase, what, unit, work, traffic, times)                                             \
    {"unit." phase, what ": units", W_UNIT_COUNT, unit},                                           \
        {"cost." phase, what ": time of a unit and token", W_UNIT_SECONDS, NULL},                  \
        {"call." phase, what ": time of a unit and call", W_UNIT_SECONDS, NULL},                   \
        {"bandwidth." phase, what ": bandwidth of its level", W_UNIT_BYTES_S, NULL},               \
        {"work." phase, what ": arithmetic of a step", W_UNIT_FLOP, work},                         \
        {"traffic." phase, what ": bytes of a step", W_UNIT_BYTES, traffic},                       \
        {"step." phase, what, W_UNIT_SECONDS,                                                      \
         "max(" times "*unit." phase "*(call." phase " + rows*cost." phase "), traffic." phase     \
         " / bandwidth." phase ")"},                                                               \
        {"reach." phase, what ": rate of arithmetic", W_UNIT_FLOP_S,                               \
         "if(step." phase ", work." phase " / step." phase ", 0)"},                                \
    {                                                                                              \
        "memory_part." phase, what ": share of its time that traffic alone takes", W_UNIT_PART,    \
            "if(step." phase ", traffic." phase " / bandwidth." phase " / step." phase ", 0)"      \
    }

/* FLOPs of w_orthogonalise() for the matrices of all layers: four (d, d), one of them as the
 * projection and three as q, k and v, and two (d, F). */
#define ORTHOGONAL "muon*L*(48*d^3 + min(d, F)^2*(12*max(d, F) + 12*min(d, F)))"

/* Tokens that, read once, are worth as much as these; a text of 0 is not known, and not repeated.
 * Muennighoff and others, 2023: each epoch adds less than the one before. They have 15.4 of these
 * epochs, at 20 tokens for a parameter; with fewer, models learn them by heart sooner. */
#define REUSE_WHAT "epochs after which repeated tokens have lost all but 1/e of their worth"
#define REUSE(text) "law.reuse*(" text "/params)^0.7"
#define WORTH(tokens, text, reuse)                                                                 \
    "if(" text " < " tokens ", if(" text ", " text "*(1 + " reuse "*(1 - "                         \
    "1/2.718281828459045^((" tokens "/" text " - 1)/" reuse "))), " tokens "), " tokens ")"

/* The scaling law (fit/scaling_law.h). Large steps waste tokens, small ones too; the best size
 * grows with the tokens. */
#define GROWN(worth) "(" worth "/1000000)^law.grow"
#define WASTE(worth, step)                                                                         \
    "(1 + " step "/(law.batch*" GROWN(worth) ") + law.small*" GROWN(worth) "/" step ")"
#define BITS(worth)                                                                                \
    "law.floor + (law.a/(params.matmul/L*L^law.depth/1000000)^law.alpha + "                        \
    "law.c/(" worth                                                                                \
    "/1000000/" WASTE(worth, "(accumulate*rows)") ")^law.beta) / (V/8192)^law.gamma"

/* What a part of a limited time gives, with the text read as often as that takes. As for a search,
 * tokens beyond those that the runs of the law had are worth nothing. */
#define BUDGET(key, what, part)                                                                    \
    {key ".tokens", "tokens of a training for " what, W_UNIT_COUNT, part "tok_s*budget.time"},     \
        {key ".worth", "the same, had they been read once, at most 20 for a parameter",            \
         W_UNIT_COUNT,                                                                             \
         "min(" ENOUGH "*params, " WORTH(key ".tokens", "budget.text", "budget.reuse") ")"},       \
    {                                                                                              \
        key ".bits", "bits per byte after " what ", by the scaling law", W_UNIT_BITS,              \
            BITS(key ".worth")                                                                     \
    }

/* W_MEMORY_USABLE as text of a formula. */
#define TEXT_OF(number) #number
#define NUMBER(macro) TEXT_OF(macro)
#define USABLE NUMBER(W_MEMORY_USABLE)
#define ENOUGH NUMBER(W_TOKENS_ENOUGH)

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
    {"counts", "features of counts that a gate weighs", W_UNIT_COUNT, NULL},
    {"learning_rate", "learning_rate", W_UNIT_RATIO, NULL},
    {"softmax_sample", "softmax_sample; 0: all ids", W_UNIT_COUNT, NULL},
    {"lazy_rows", "1: rows that a step does not use stay", W_UNIT_COUNT, NULL},
    {"muon", "1 if hidden matrices follow Muon", W_UNIT_COUNT, NULL},
    {"h", "columns of a head", W_UNIT_COUNT, "d / H"},
    {"rows", "tokens of a batch", W_UNIT_COUNT, "B*T"},

    /* ---- ids that a step uses (net/softmax_sample.h) ---- */
    {"heaps", "different ids of a batch, were there no end of ids", W_UNIT_COUNT,
     "rows / (1 + 0.075*rows^0.33)"},
    {"targets", "different ids of a batch, expected", W_UNIT_COUNT,
     "heaps / (1 + (heaps/V)^1.25)^0.8"},
    {"sampled", "1 if the softmax of a step is over a part of the ids", W_UNIT_COUNT,
     "if(softmax_sample, if(softmax_sample < V, 1, 0), 0)"},
    {"S", "ids in the softmax of a step, expected", W_UNIT_COUNT,
     "if(sampled, min(V, 32*ceil(max(softmax_sample, 1.125*targets)/32)), V)"},
    {"used", "rows of the embedding that a step updates, expected", W_UNIT_COUNT,
     "if(lazy_rows, V*(1 - (1 - S/V)^accumulate), V)"},

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
    {"ram.bytes", "available memory", W_UNIT_BYTES, NULL},
    {"ram.bytes_s", "memory bandwidth", W_UNIT_BYTES_S, NULL},
    {"peak", "peak of the precision used", W_UNIT_FLOP_S, NULL},
    {"l1.measured", "L1, measured capacity; 0: not measured", W_UNIT_BYTES, NULL},
    {"l2.measured", "L2, measured capacity", W_UNIT_BYTES, NULL},
    {"l3.measured", "L3, measured capacity", W_UNIT_BYTES, NULL},
    {"l1.whole", "L1, for data of all threads", W_UNIT_BYTES, HOLDS("l1")},
    {"l2.whole", "L2, for data of all threads", W_UNIT_BYTES, HOLDS("l2")},
    {"l3.whole", "L3, for data of all threads", W_UNIT_BYTES, HOLDS("l3")},
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
     "V*d + T*d + L*(4*d^2 + 2*d*F + 9*d + F) + 2*d + if(counts, d + counts + 1, 0)"},
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
    {"memory.state", "weights, gradients, moments", W_UNIT_BYTES,
     "16*params - muon*4*params.matmul"},
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
    {"flops.head", "output head, of a step of training", W_UNIT_FLOP, "2*S*d"},
    {"flops.forward", "forward, full", W_UNIT_FLOP, "flops.layers + flops.head"},
    {"flops.causal", "forward, causal", W_UNIT_FLOP, "L*(8*d^2 + 4*d*F + 2*(T + 1)*d) + 2*S*d"},
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
    {"gemm.l1", "FLOP per byte of a GEMM blocked in L1", W_UNIT_INTENSITY, BLOCKED("l1")},
    {"gemm.l2", "FLOP per byte of a GEMM blocked in L2", W_UNIT_INTENSITY, BLOCKED("l2")},
    {"gemm.l3", "FLOP per byte of a GEMM blocked in L3", W_UNIT_INTENSITY, BLOCKED("l3")},
    {"l1.gemm", "balance / GEMM blocked in L1", W_UNIT_FILL, "gemm.balance / gemm.l1"},
    {"l2.gemm", "balance / GEMM blocked in L2", W_UNIT_FILL, "gemm.balance / gemm.l2"},
    {"l3.gemm", "balance / GEMM blocked in L3", W_UNIT_FILL, "gemm.balance / gemm.l3"},
    {"element", "bytes of a number in the compute type", W_UNIT_BYTES, NULL},
    {"tile.rows", "rows of a GEMM's tile in registers", W_UNIT_COUNT, NULL},
    {"tile.cols", "columns of it", W_UNIT_COUNT, NULL},
    {"block.k", "depth (k) of a GEMM's panel", W_UNIT_COUNT, NULL},
    {"block.rows", "rows of a GEMM's block", W_UNIT_COUNT, NULL},
    {"block.cols", "columns of it", W_UNIT_COUNT, NULL},
    {"panel.bytes", "a panel of a GEMM, as in wtrain", W_UNIT_BYTES, "element*block.k*tile.cols"},
    /* in cache: the block of the left operand, and the panel that it is multiplied by */
    {"block.bytes", "a block of a GEMM, as in wtrain", W_UNIT_BYTES,
     "element*block.rows*block.k + panel.bytes"},
    PRIVATE("panel", "a panel of a GEMM"),
    PRIVATE("block", "a block of a GEMM"),
    {"gemm.blocks", "FLOP per byte moved into a block", W_UNIT_INTENSITY,
     "2*block.rows*block.cols*block.k / (element*block.k*(block.rows + block.cols))"},
    {"gemm.space", "cache that a GEMM needs to reach the balance", W_UNIT_BYTES,
     "4*(4*gemm.balance)^2"},
    {"intensity.qkv", "QKV projection over the batch", W_UNIT_INTENSITY, INTENSITY("d", "3*d")},
    {"intensity.projection", "output projection", W_UNIT_INTENSITY, INTENSITY("d", "d")},
    {"intensity.mlp", "one GEMM of the MLP", W_UNIT_INTENSITY, INTENSITY("d", "F")},
    {"intensity.head", "output head", W_UNIT_INTENSITY, INTENSITY("d", "S")},

    /* ---- generation, one token at a time ---- */
    {"decode.kv", "KV cache of a full context, fp32", W_UNIT_BYTES, "2*4*L*T*d"},
    {"decode.weights", "weights read for a token", W_UNIT_BYTES, "4*(L*params.layer + V*d)"},
    {"decode.bytes", "weights and half of the KV cache", W_UNIT_BYTES,
     "decode.weights + decode.kv/2"},
    SHARED("decode", "read for a token"),
    {"decode.seconds", "a token of generation", W_UNIT_SECONDS, NULL},
    {"decode.interval", "half-width of the 90 % interval of generation, relative", W_UNIT_PART,
     NULL},
    {"decode.tok_s", "bound of generation by bandwidth", W_UNIT_TOKENS_S,
     "if(l3.decode <= 1, threads*l3.bytes_s, ram.bytes_s) / decode.bytes"},

    /* ---- the step, from the calibration of its phases ---- */
    {"calibrated", "1 if this machine is calibrated", W_UNIT_COUNT, NULL},
    PHASE("embedding", "embedding", "d", "2*accumulate*rows*d", "24*accumulate*rows*d",
          "accumulate"),
    PHASE("norm", "normalisation", "d", "accumulate*rows*d*(21*(2*L + 1) + 14*L)",
          "accumulate*rows*d*(24*(2*L + 1) + 16*L)", "accumulate*(2*L + 1)/3"),
    PHASE("linear", "GEMMs and GELU, forward", "4*d^2 + 2*d*F", "accumulate*L*2*rows*unit.linear",
          "accumulate*L*(rows*(16*d + element*(6*d + 3*F)) + element*unit.linear)", "accumulate*L"),
    PHASE("linear_back", "GEMMs and GELU, backward", "4*d^2 + 2*d*F",
          "accumulate*L*4*rows*unit.linear",
          "accumulate*L*(element*rows*(16*d + 6*F) + (element + 8)*unit.linear)", "accumulate*L"),
    PHASE("attention", "attention, forward", "d*T", "accumulate*L*2*rows*(T + 1)*d",
          "accumulate*L*4*element*rows*d", "accumulate*L"),
    PHASE("attention_back", "attention, backward", "d*T", "accumulate*L*5*rows*(T + 1)*d",
          "accumulate*L*7*element*rows*d", "accumulate*L"),
    PHASE("head", "output head and loss", "S*d", "accumulate*rows*6*S*d",
          "accumulate*(element*(6*rows*S + 2*rows*d + 3*S*d) + if(sampled, (16 + element)*S*d, 0))",
          "accumulate"),
    PHASE("gate", "gate of a mixture with counts", "if(counts, d + counts, 0)",
          "accumulate*rows*4*unit.gate", "if(counts, accumulate*rows*(element*d + counts + 12), 0)",
          "accumulate"),
    PHASE("orthogonalise", "orthogonalisation", ORTHOGONAL, ORTHOGONAL, "muon*20*params.matmul",
          "1"),
    PHASE("update", "optimizer", "(used + T)*d + L*(4*d^2 + 2*d*F)*(1 - muon*4/9)",
          "12*(params - (V - used)*d) - muon*9*params.matmul",
          "36*(params - (V - used)*d) - muon*16*params.matmul", "1"),
    {"step.seconds", "a step", W_UNIT_SECONDS,
     "step.embedding + step.norm + step.linear + step.linear_back + step.attention + "
     "step.attention_back + step.head + step.gate + step.orthogonalise + step.update"},
    {"rule.share", "part of the peak that is reached, without a calibration", W_UNIT_PART, NULL},
    {"predict.factor", "correction by verified runs", W_UNIT_RATIO, NULL},
    {"predict.interval", "half-width of the 90 % interval of the rate, relative", W_UNIT_PART,
     NULL},
    {"predict.tok_s", "predicted training rate", W_UNIT_TOKENS_S,
     "if(calibrated, predict.factor*accumulate*rows/step.seconds, "
     "rule.share*peak/flops.train_causal)"},
    /* a wide interval ends at a twentieth: smaller ratios do not count as residuals
     * (residuals.c) */
    {"predict.low", "predicted rate, lower end of the 90 % interval", W_UNIT_TOKENS_S,
     "predict.tok_s*max(1 - predict.interval, 0.05)"},
    {"predict.high", "predicted rate, upper end of the 90 % interval", W_UNIT_TOKENS_S,
     "predict.tok_s*(1 + predict.interval)"},

    GENERATION("f32", "weights in fp32"),
    GENERATION("bf16", "weights in bf16"),
    GENERATION("q8", "weights in 8 bits"),
    {"predict.decode", "predicted rate of generation", W_UNIT_TOKENS_S, "1 / decode.seconds"},
    {"decode.low", "generation, lower end of the 90 % interval", W_UNIT_TOKENS_S,
     "predict.decode*(1 - decode.interval)"},
    {"decode.high", "generation, upper end of the 90 % interval", W_UNIT_TOKENS_S,
     "predict.decode*(1 + decode.interval)"},

    /* ---- rate and time ---- */
    {"tokens", "tokens to train on", W_UNIT_COUNT, NULL},
    {"tokens.known", "1 if they are known", W_UNIT_COUNT, NULL},
    {"text.tokens", "tokens of the text, which epochs repeat; 0: not known", W_UNIT_COUNT, NULL},
    {"file.tokens", "tokens of a file", W_UNIT_COUNT, NULL},
    {"tok_s", "training rate", W_UNIT_TOKENS_S, NULL},
    {"predict.ratio", "rate / predicted rate", W_UNIT_RATIO, "tok_s / predict.tok_s"},
    {"law.floor", "bits per byte, limit for large models and many tokens", W_UNIT_BITS, NULL},
    {"law.a", "coefficient of the size, at a million weights", W_UNIT_BITS, NULL},
    {"law.alpha", "exponent of the size", W_UNIT_RATIO, NULL},
    {"law.depth", "exponent of the layers within the size", W_UNIT_RATIO, NULL},
    {"law.c", "coefficient of the tokens, at a million", W_UNIT_BITS, NULL},
    {"law.beta", "exponent of the tokens", W_UNIT_RATIO, NULL},
    {"law.gamma", "exponent of the vocabulary", W_UNIT_RATIO, NULL},
    {"law.batch", "step in tokens so large that half are wasted, at a million", W_UNIT_COUNT, NULL},
    {"law.small", "step in tokens so small that half are wasted, at a million", W_UNIT_COUNT, NULL},
    {"law.grow", "exponent with which both grow with the tokens", W_UNIT_RATIO, NULL},
    {"law.reuse", "coefficient of the worth of repeated tokens, at one token a parameter",
     W_UNIT_RATIO, NULL},
    {"law.rate", "learning rate of the runs, for this width and step", W_UNIT_RATIO, NULL},
    {"law.rate_ratio", "learning_rate / that of the runs", W_UNIT_RATIO,
     "learning_rate / law.rate"},
    {"tokens.reuse", REUSE_WHAT, W_UNIT_RATIO, "if(text.tokens, " REUSE("text.tokens") ", 0)"},
    {"tokens.worth", "tokens of text read once that are worth as much", W_UNIT_COUNT,
     WORTH("tokens", "text.tokens", "tokens.reuse")},
    {"law.step", "step in tokens that wastes fewest", W_UNIT_COUNT,
     "sqrt(law.batch*law.small)*" GROWN("tokens.worth")},
    {"predict.bits", "bits per byte after the tokens, by the scaling law", W_UNIT_BITS,
     BITS("tokens.worth")},
    {"budget.time", "time of training to judge by", W_UNIT_SECONDS, NULL},
    {"budget.text", "tokens of the text that is read in it", W_UNIT_COUNT,
     "if(text.tokens, text.tokens, tokens)"},
    {"budget.reuse", REUSE_WHAT, W_UNIT_RATIO, REUSE("budget.text")},
    BUDGET("budget", "that time", ""),
    BUDGET("budget.half", "half of that time", "0.5*"),
    {"loss", "loss, nats per token", W_UNIT_RATIO, NULL},
    {"text.bytes", "bytes of text per token", W_UNIT_RATIO, NULL},
    {"roof.tok_s", "training rate at the peak: an upper bound", W_UNIT_TOKENS_S,
     "peak / flops.train_causal"},
    {"rate.flop_s", "arithmetic at that rate", W_UNIT_FLOP_S, "tok_s*flops.train_causal"},
    {"rate.efficiency", "part of the peak", W_UNIT_PART, "rate.flop_s / peak"},
    {"steps", "optimizer steps for the tokens", W_UNIT_COUNT, "floor(tokens / (accumulate*rows))"},
    {"tokens_per_param", "tokens per parameter", W_UNIT_RATIO, "tokens / params"},
    {"time.roof", "time at the peak", W_UNIT_SECONDS, "tokens / roof.tok_s"},
    {"time", "time for the tokens", W_UNIT_SECONDS, "tokens / tok_s"},
    {"eval.tokens", "tokens of an evaluation", W_UNIT_COUNT, NULL},
    {"eval.every", "steps between evaluations; 0: only at the end", W_UNIT_COUNT, NULL},
    {"eval.time", "an evaluation: the forward pass", W_UNIT_SECONDS,
     "eval.tokens*(L*(unit.linear*cost.linear + unit.attention*cost.attention) + "
     "(2*L + 1)/9*d*cost.norm + V*d*cost.head/3)"},
    {"counts.token_bytes", "memory of a token of text while it is counted", W_UNIT_BYTES, NULL},
    {"counts.token_s", "time of a thread for it", W_UNIT_SECONDS, NULL},
    {"counts.memory", "memory to count the text, each document left out", W_UNIT_BYTES,
     "counts.token_bytes*text.tokens"},
    {"counts.time", "time to count the text", W_UNIT_SECONDS,
     "counts.token_s*text.tokens / threads"},
    {"ckpt.every", "seconds between checkpoints; 0: none", W_UNIT_SECONDS, NULL},
    {"ckpt.bytes", "a checkpoint: weights and moments", W_UNIT_BYTES,
     "12*params - muon*4*params.matmul"},
    {"ckpt.bandwidth", "bandwidth of writing it", W_UNIT_BYTES_S, NULL},
    {"ckpt.time", "writing a checkpoint", W_UNIT_SECONDS, "ckpt.bytes / ckpt.bandwidth"},
    {"time.eval", "all evaluations", W_UNIT_SECONDS,
     "if(eval.tokens, if(eval.every, max(ceil(steps/max(eval.every, 1)), 1), 1)*eval.time, 0)"},
    {"time.ckpt", "all checkpoints, and the model", W_UNIT_SECONDS,
     "if(ckpt.every, (1 + floor(time/max(ckpt.every, 1)))*ckpt.time, 0)"},
    {"time.total", "time with evaluations and checkpoints", W_UNIT_SECONDS,
     "time + time.eval + time.ckpt"},
    {"time.interval", "half-width of the 90 % interval of the time, relative", W_UNIT_PART, NULL},
    {"time.least", "time, lower end of the 90 % interval", W_UNIT_SECONDS,
     "time.total / (1 + time.interval)"},
    {"time.most", "time, upper end of the 90 % interval", W_UNIT_SECONDS,
     "time.total / max(1 - time.interval, 0.05)"},
    {"hours", "time.total in hours", W_UNIT_HOURS, "time.total / 3600"},
    {"time.file", "time for a file", W_UNIT_SECONDS, "file.tokens / tok_s"},
    {"time.megabyte", "time for a megabyte of text", W_UNIT_SECONDS,
     "1000000 / (tok_s*text.bytes)"},
    {"bits.token", "bits per token", W_UNIT_BITS, "loss / 0.6931471805599453"},
    {"bits.byte", "bits per byte of text", W_UNIT_BITS, "bits.token / text.bytes"},

    /* ---- several ranks (fit/simulation.h), of which one has the training rate ---- */
    {"ranks", "ranks that share out a step", W_UNIT_COUNT, NULL},
    {"network.bytes_s", "network of a rank", W_UNIT_BYTES_S, NULL},
    {"network.latency", "a message", W_UNIT_SECONDS, NULL},
    {"ranks.spread", "of their speeds: standard deviation of the logarithm", W_UNIT_PART, NULL},
    {"peer.element", "a number of a sum over ranks", W_UNIT_BYTES, NULL},
    {"ranks.bytes", "gradients that a rank sends in a step", W_UNIT_BYTES,
     "2*(1 - 1/ranks)*peer.element*params"},
    {"ranks.one", "a step of one", W_UNIT_SECONDS, "accumulate*rows / tok_s"},
    {"ranks.update", "the update, which each rank makes", W_UNIT_SECONDS,
     "ranks.one/step.seconds*(step.orthogonalise + step.update)"},
    {"ranks.batches", "the batches of a rank", W_UNIT_SECONDS, "(ranks.one - ranks.update)/ranks"},
    {"local_steps", "steps of a rank alone in a round; 0: gradients are summed in each step",
     W_UNIT_COUNT, NULL},
    {"ranks.summing", "waiting for other ranks in a step that sums gradients", W_UNIT_SECONDS,
     NULL},
    {"ranks.network", "the same, were they equally fast", W_UNIT_SECONDS, NULL},
    {"ranks.sync", "exchanging as much while nothing is computed", W_UNIT_SECONDS, NULL},
    {"ranks.round", "the same with the states of the optimizer", W_UNIT_SECONDS,
     "ranks.sync*ckpt.bytes/(4*params)"},
    /* unequal speeds even out over the steps of a round */
    {"ranks.wait", "waiting for other ranks, for each step", W_UNIT_SECONDS,
     "if(local_steps, (ranks.summing - ranks.network)/sqrt(max(local_steps, 1)) + "
     "ranks.round/max(local_steps, 1), ranks.summing)"},
    {"ranks.seconds", "a step of all ranks", W_UNIT_SECONDS,
     "ranks.batches + ranks.update + ranks.wait"},
    {"ranks.tok_s", "predicted training rate of all ranks", W_UNIT_TOKENS_S,
     "accumulate*rows / ranks.seconds"},
    {"ranks.efficiency", "the same / ranks times the rate of one", W_UNIT_PART,
     "ranks.one / (ranks*ranks.seconds)"},
    /* What is worth more than steps of which the network takes more than a tenth: steps of k times
     * as many batches, or k steps of each rank alone, after which as much is exchanged for the
     * weights and for each state of the optimizer (net/outer.h). */
    {"rule.local", "worth of a token in steps of ranks alone", W_UNIT_RATIO, NULL},
    {"ranks.batch", "k with which a step waits for the network a tenth of its time", W_UNIT_COUNT,
     "max(1, ceil((9*ranks.network - ranks.update)/ranks.batches))"},
    {"ranks.worth", "tokens of the run, worth as much; not known: 20 for a parameter", W_UNIT_COUNT,
     "if(tokens.known, tokens.worth, " ENOUGH "*params)"},
    {"ranks.batch_gain", "rate with that k, times the worth of its tokens by the scaling law",
     W_UNIT_RATIO,
     "ranks.batch*ranks.seconds/(ranks.batch*(ranks.batches + ranks.summing - ranks.network) + "
     "ranks.update + ranks.network)*" WASTE("ranks.worth", "(accumulate*rows)") "/" WASTE(
         "ranks.worth", "(ranks.batch*accumulate*rows)")},
    {"ranks.local_steps", "k with which ranks exchange a tenth of their time", W_UNIT_COUNT,
     "max(1, ceil(9*ranks.round/(ranks.batches + ranks.update)))"},
    {"ranks.local_gain", "rate with that k, times the worth of its tokens by a rule", W_UNIT_RATIO,
     "rule.local*ranks.local_steps*ranks.seconds/(ranks.local_steps*(ranks.batches + "
     "ranks.update) + sqrt(ranks.local_steps)*(ranks.summing - ranks.network) + ranks.round)"},
    {"ranks.choice", "0: steps as they are, 1: larger ones, 2: steps of ranks alone", W_UNIT_COUNT,
     "if(local_steps, 0, if(ranks.network <= 0.1*ranks.seconds, 0, "
     "if(max(ranks.batch_gain, ranks.local_gain) <= 1, 0, "
     "if(ranks.batch_gain >= ranks.local_gain, 1, 2))))"},
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
