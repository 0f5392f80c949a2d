/* SPDX-License-Identifier: BSD-2-Clause */
/* Time from a counter that may jump; see elapsed.h. */
#include "kernel/lib/elapsed.h"

#include <assert.h>

#include "kernel/lib/types.h"

void elapsed_begin(struct elapsed *elapsed, uint64_t counter_ns)
{
	*elapsed = (struct elapsed){ .counter_ns = counter_ns };
}

void elapsed_look(struct elapsed *elapsed, uint64_t counter_ns, uint64_t step_ns)
{
	uint64_t since = counter_ns - elapsed->counter_ns;

	assert(step_ns > 0);
	elapsed->counter_ns = counter_ns;
	/* It has gone back: how much time passed is unknown. */
	if (since > INT64_MAX)
		return;
	elapsed->ns += since;
	elapsed->awake_ns += min_u64(since, step_ns);
}
