/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that come back by the terabyte: freed piece by piece; see balloon_port.h. */
#include "drivers/balloon/balloon_port.h"

#include "kernel/task/task.h"
#include "mm/frame.h"

/* The owner whose frames balloon_free_all() is about to free; OWNER_FREE: none. */
static enum owner going = OWNER_FREE;

bool balloon_free_some(enum owner owner)
{
	return frame_free_owned(owner, BALLOON_FREE_FRAMES) == BALLOON_FREE_FRAMES;
}

void balloon_free_all(enum owner owner)
{
	enum owner before = going;

	going = owner;
	while (balloon_free_some(owner))
		task_yield();
	going = before;
}

uint64_t balloon_free_in_need(uint64_t frames)
{
	return going == OWNER_FREE ? 0 : frame_free_owned(going, frames);
}
