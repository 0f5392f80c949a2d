/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that come back by the terabyte: freed piece by piece; see balloon_port.h. */
#include "drivers/balloon/balloon_port.h"

#include "mm/frame.h"

bool balloon_free_some(enum owner owner)
{
	return frame_free_owned(owner, BALLOON_FREE_FRAMES) == BALLOON_FREE_FRAMES;
}

void balloon_free_all(enum owner owner)
{
	while (balloon_free_some(owner))
		task_yield();
}
