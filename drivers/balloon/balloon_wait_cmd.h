/* SPDX-License-Identifier: BSD-2-Clause */
/* balloon wait: until the balloon is where its target is. For balloon_cmd.c. */
#ifndef DRIVERS_BALLOON_BALLOON_WAIT_CMD_H
#define DRIVERS_BALLOON_BALLOON_WAIT_CMD_H

/* The statuses of `balloonctl set --wait`, by the same numbers. */
enum balloon_wait_status {
	BALLOON_WAIT_REACHED = 0,
	BALLOON_WAIT_SHORTFALL = 3,
	BALLOON_WAIT_TIME_UP = 4,
	BALLOON_WAIT_NO_DEVICE = 5,
	BALLOON_WAIT_GIVEN_UP = 6,
};

/*
 * Waits, and says why it ends if the target is not reached. `seconds` is as a person wrote
 * them; NULL: as long as there is progress. Returns a status; -ERANGE: `seconds` are none;
 * -EINTR: Ctrl-C.
 */
int balloon_wait_for_target(const char *seconds);

#endif
