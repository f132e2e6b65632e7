/* cpuid.h - what the CPU itself reports: instruction sets that it has and that the system lets us
 * use, and its caches where sysfs has none. On other architectures than x86 nothing is filled
 * in. */
#ifndef W_CPUID_H
#define W_CPUID_H

#include "sys/machine.h"

/* Fill the instruction sets of m, and those caches that are still unknown. */
void w_cpuid_read(struct w_machine *m);

/* Fill in each core's L1 data and L2 cache, where still unknown, from ECX of the leaves 0x80000005
 * and 0x80000006 (AMD64 Architecture Programmer's Manual 3, appendix E.4). These leaves are older
 * than those that describe each cache in full, and some hypervisors hide only the latter. Their L3
 * is that of the whole package, without the number of instances: not used. */
void w_cpuid_private_caches(struct w_machine *, u32 l1d, u32 l2);

/* Ask the system to let this process, all of its threads, use the tiles of AMX (Linux 5.16). Needed
 * once, before a tile is first used; calling it again is harmless. False: refused. */
bool w_cpuid_request_tiles(void);

#endif
