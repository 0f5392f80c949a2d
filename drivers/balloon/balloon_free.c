/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that come back by the terabyte: freed piece by piece; see balloon_port.h. */
#include "drivers/balloon/balloon_port.h"

#include "kernel/task/task.h"
#include "mm/frame.h"

/* Of each owner, how many calls of balloon_free_all() are about to free his frames. */
static unsigned going[OWNER_COUNT];

bool balloon_free_some(enum owner owner)
{
	return frame_free_owned(owner, BALLOON_FREE_FRAMES) == BALLOON_FREE_FRAMES;
}

void balloon_free_all(enum owner owner)
{
	going[owner]++;
	while (balloon_free_some(owner))
		task_yield();
	going[owner]--;
}

uint64_t balloon_free_in_need(uint64_t frames)
{
	uint64_t freed = 0;

	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT && freed < frames; o++)
		if (going[o] > 0)
			freed += frame_free_owned((enum owner)o, frames - freed);
	return freed;
}
