/* SPDX-License-Identifier: BSD-2-Clause */
/* A balloon's state for dumps of the test's own process, which drivers/balloon is not in. */
#ifndef TESTS_UNIT_TOOLS_DUMPED_BALLOON_H
#define TESTS_UNIT_TOOLS_DUMPED_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

/* What a dump finds by balloon_dump; laid out as nothing else is. */
extern struct dumped_balloon {
	bool present, deflate_on_oom;
	uint64_t target, actual, floor;
} dumped_balloon;

#endif
