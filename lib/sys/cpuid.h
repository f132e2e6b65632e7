/* cpuid.h - what the CPU itself says: instruction sets that it has and that the system lets us use,
 * and its caches where sysfs has none. On other architectures than x86 nothing is known. */
#ifndef W_CPUID_H
#define W_CPUID_H

#include "sys/machine.h"

/* Fill the instruction sets of m, and those caches that are still unknown. */
void w_cpuid_read(struct w_machine *m);

/* Ask the system to let this process, all of its threads, use the tiles of AMX (Linux 5.16). Needed
 * before the first of them is touched, once; more often does no harm. */
bool w_cpuid_request_tiles(void);

#endif
