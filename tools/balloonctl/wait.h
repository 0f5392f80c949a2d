/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c: waits until a guest has reached its target, and shows how it goes. */
#ifndef TOOLS_BALLOONCTL_WAIT_H
#define TOOLS_BALLOONCTL_WAIT_H

#include <stdint.h>

#include "tools/balloonctl/guest.h"

struct wait_limits {
	unsigned seconds;  /* in all; 0: as long as there is progress */
	unsigned patience; /* seconds without progress that are a standstill */
};

/*
 * Waits until `goal` bytes are left to the guest, the target that was just set;
 * `before` is its state before that. Returns an exit status; complains of everything
 * but success.
 */
int wait_for_target(struct guest *guest, const struct guest_state *before, uint64_t goal,
		    const struct wait_limits *limits);

#endif
