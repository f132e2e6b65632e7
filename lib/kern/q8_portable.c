#define Q8_VARIANT w_q8_portable
#define Q8_NAME "portable"
#include "kern/body_q8.h"
