#include "tools/plan_json.h"

struct w_json *plan_buffers_json(const struct w_plan *plan, bool offsets)
{
    struct w_json *list = w_json_array();

    for (u32 i = 0; i < plan->count; i++) {
        struct w_json *row = w_json_object();
        w_json_set_string(row, "name", plan->rows[i].name);
        w_json_set_u64(row, "bytes", plan->rows[i].bytes);
        if (offsets)
            w_json_set_u64(row, "offset", plan->rows[i].offset);
        w_json_set_string(row, "lifetime", w_lifetime_name(plan->rows[i].lifetime));
        w_json_add(list, row);
    }
    return list;
}
