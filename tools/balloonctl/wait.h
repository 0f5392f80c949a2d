/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c: waits until a guest has reached its target, and shows how it goes. */
#ifndef TOOLS_BALLOONCTL_WAIT_H
#define TOOLS_BALLOONCTL_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/balloonctl/guest.h"

struct wait_limits {
	unsigned seconds;  /* in all; 0: as long as there is progress */
	int64_t end;	   /* when they are over; DEADLINE_NONE without `seconds` */
	unsigned patience; /* seconds without progress that are a standstill */
	int look_ms;	   /* how long the answers to one look may take */
	bool quiet;	   /* no bar, no lines on stdout */
};

/* What was asked of the guest: of its balloon, of a virtio-mem device, or of both. */
struct wait_goal {
	bool balloon;
	uint64_t taken;	    /* by the balloon; DIMMs that come and go do not change that */
	const char *device; /* its name; NULL: none */
	uint64_t requested;
	uint64_t left; /* to the guest in all when that is done; 0: whatever that is */
};

/*
 * Waits until a goal is reached, which was just set. *state is the guest's state before that,
 * and then the newest one; of a guest that was lost its ram is 0. A goal that has `left` is not
 * reached before all virtio-mem has what is requested, or stands still; it cannot be any more
 * once something else was plugged or unplugged. Returns an exit status; complains of everything
 * but success. SIGINT, SIGTERM and SIGHUP end the program, with a word of the target, which
 * stays.
 */
int wait_for_target(struct guest *guest, struct guest_state *state, const struct wait_goal *goal,
		    const struct wait_limits *limits);

#endif
