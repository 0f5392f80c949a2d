/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grow_plan.c: by which means a guest gets more memory, or less: its balloon and one virtio-mem
 * device.
 *
 * To grow, the balloon gives back first, and what is more than it holds is plugged. To shrink,
 * blocks are unplugged first, and what is more than is plugged goes into the balloon. A plan
 * names both ends, also one that does not change: what somebody asked for before is over.
 */
#ifndef TOOLS_BALLOONCTL_GROW_PLAN_H
#define TOOLS_BALLOONCTL_GROW_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/balloonctl/guest.h"

struct grow_wish {
	bool shrinks;
	bool in_all;	/* bytes are what is to be left in all, else so much more or less */
	uint64_t bytes; /* at most INT64_MAX */
};

struct grow_plan {
	uint64_t bytes_left; /* by the balloon, of base and DIMMs; nothing if there is none */
	uint64_t requested;  /* of the device */
};

enum grow_verdict {
	GROW_PLANNED,
	GROW_BACKWARDS,	  /* in all: that is the other direction */
	GROW_TOO_MUCH,	  /* more than the device and the balloon can */
	GROW_NO_MULTIPLE, /* between two sizes that blocks can make */
	GROW_NO_CHANGE,	  /* the balloon's whole pages leave what is left as it is */
};

/* Sizes in place of one that cannot be, counted as the wish counts. 0: none on that side. */
struct grow_near {
	uint64_t below, above;
};

/*
 * Plans for a device of the state. *plan is filled in for GROW_PLANNED only. *near has for
 * GROW_TOO_MUCH what is nearest in `below`, or in `above` if less is not possible in all; for
 * GROW_NO_MULTIPLE and GROW_NO_CHANGE the sizes around.
 */
enum grow_verdict grow_plan(const struct guest_state *state, const struct guest_mem_device *device,
			    const struct grow_wish *wish, struct grow_plan *plan,
			    struct grow_near *near);

#endif
