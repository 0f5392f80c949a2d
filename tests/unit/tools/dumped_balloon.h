/* SPDX-License-Identifier: BSD-2-Clause */
/* Two balloons' states for dumps of the test's own process, which drivers/balloon is not in. */
#ifndef TESTS_UNIT_TOOLS_DUMPED_BALLOON_H
#define TESTS_UNIT_TOOLS_DUMPED_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/balloon/balloon_dump.h"

/* What a dump finds by balloon_dump; laid out as nothing else is. The floor is the first one's. */
extern struct dumped_balloon {
	bool present, deflate_on_oom;
	uint64_t target, actual, floor;
	char name[BALLOON_DUMP_NAME];
} dumped_balloons[BALLOON_DUMP_BALLOONS];

#endif
