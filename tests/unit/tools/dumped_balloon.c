/* SPDX-License-Identifier: BSD-2-Clause */
/* See dumped_balloon.h. */
#include "tests/unit/tools/dumped_balloon.h"

#include <stddef.h>

#include "mm/owner.h"

struct dumped_balloon dumped_balloons[BALLOON_DUMP_BALLOONS];

const struct balloon_dump balloon_dump = {
	.version = BALLOON_DUMP_VERSION,
	.size = sizeof(struct balloon_dump),
	.floor = (uintptr_t)&dumped_balloons[0].floor,
	.balloons = (uintptr_t)dumped_balloons,
	.balloon_count = BALLOON_DUMP_BALLOONS,
	.balloon_size = sizeof(struct dumped_balloon),
	.present = offsetof(struct dumped_balloon, present),
	.deflate_on_oom = offsetof(struct dumped_balloon, deflate_on_oom),
	.target = offsetof(struct dumped_balloon, target),
	.actual = offsetof(struct dumped_balloon, actual),
	.name = offsetof(struct dumped_balloon, name),
	.owner_balloon = { OWNER_BALLOON, OWNER_BALLOON_2 },
	.owner_leaving = { OWNER_LEAVING, OWNER_LEAVING_2 },
	.owner_in_flight = OWNER_IN_FLIGHT,
};
