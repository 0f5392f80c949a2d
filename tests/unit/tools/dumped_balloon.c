/* SPDX-License-Identifier: BSD-2-Clause */
/* See dumped_balloon.h. */
#include "tests/unit/tools/dumped_balloon.h"

#include <stddef.h>

#include "drivers/balloon/balloon_dump.h"
#include "mm/owner.h"

struct dumped_balloon dumped_balloon;

const struct balloon_dump balloon_dump = {
	.version = BALLOON_DUMP_VERSION,
	.size = sizeof(struct balloon_dump),
	.state = (uintptr_t)&dumped_balloon,
	.present = offsetof(struct dumped_balloon, present),
	.deflate_on_oom = offsetof(struct dumped_balloon, deflate_on_oom),
	.target = offsetof(struct dumped_balloon, target),
	.actual = offsetof(struct dumped_balloon, actual),
	.floor = offsetof(struct dumped_balloon, floor),
	.owner_balloon = OWNER_BALLOON,
	.owner_in_flight = OWNER_IN_FLIGHT,
	.owner_leaving = OWNER_LEAVING,
};
