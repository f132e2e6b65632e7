/* plan_json.h - a memory plan for programs that read it. */
#ifndef PLAN_JSON_H
#define PLAN_JSON_H

#include "net/plan.h"
#include "sys/json.h"

/* [{"name":, "bytes":, "offset":, "lifetime":}, ...] in the order of the block; with `offset` only
 * if offsets is true. The caller owns it. */
struct w_json *plan_buffers_json(const struct w_plan *, bool offsets);

#endif
