/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a test: no host has a balloon any more. */
#ifndef TESTS_SIM_SIM_DETACH_H
#define TESTS_SIM_SIM_DETACH_H

#include "drivers/balloon/balloon_state_internal.h"

/* The last one goes first. */
static inline void sim_detach_all(void)
{
	for (size_t i = BALLOONS; i-- > 0;)
		balloon_detach(balloons[i].port);
}

#endif
