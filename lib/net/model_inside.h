/* model_inside.h - what model.c (life cycle) and step.c (arithmetic) share. */
#ifndef W_MODEL_INSIDE_H
#define W_MODEL_INSIDE_H

#include "net/layers.h"
#include "net/model.h"

enum w_part {
    W_PART_EMBEDDING,
    W_PART_NORM,
    W_PART_LINEAR,
    W_PART_LINEAR_BACKWARD,
    W_PART_ATTENTION,
    W_PART_ATTENTION_BACKWARD,
    W_PART_HEAD,
    W_PART_UPDATE,
    W_PART_COUNT
};

struct w_model {
    struct w_conf conf;
    struct w_plan plan;
    struct w_tensors tensors;
    struct w_engine engine;
    u8 *block;
    u64 block_bytes;
    float *buffers[W_BUF_COUNT]; /* NULL where the plan has none; of operands, see engine.type */
    bool stale;        /* somebody may have written weights: their panels are not up to date */
    bool keeps_layers; /* planned for training: every layer's activations have their place */
    struct w_part_time times[W_PART_COUNT];
};

#endif
