/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a counter says about time: how much has passed, and for how much of it the
 * guest was seen to run. A guest that is stopped (SIGSTOP, a debugger, a host that
 * sleeps or swaps, a migration) finds its counter far ahead, or behind, at its next
 * look; whoever gives a device a deadline must not count that.
 *
 * Pure: the caller reads the counter, and lets nobody else look meanwhile.
 */
#ifndef KERNEL_LIB_ELAPSED_H
#define KERNEL_LIB_ELAPSED_H

#include <stdint.h>

/* Neither of the two times ever goes back. */
struct elapsed {
	uint64_t counter_ns; /* as last seen */
	uint64_t ns;	     /* since the begin; what the counter goes back is left out */
	uint64_t awake_ns;   /* of that, what the guest was seen to run */
};

/* Begins both times at 0, where the counter says `counter_ns`. */
void elapsed_begin(struct elapsed *elapsed, uint64_t counter_ns);

/*
 * Brings both times up to date. At most `step_ns` since the last look count as awake.
 * A counter that is behind, by less than half of its range, counts as nothing.
 */
void elapsed_look(struct elapsed *elapsed, uint64_t counter_ns, uint64_t step_ns);

#endif
