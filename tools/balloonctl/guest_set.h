/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_set.c: the guests that a command was asked to look at, a poller each:
 * those named as arguments, else that of -g, else every one in the runtime
 * folder, where new ones are found as they come.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_SET_H
#define TOOLS_BALLOONCTL_GUEST_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/poller.h"

#define GUEST_SET_MAX 256 /* a thread each */

struct guest_set {
	struct poller_rate rate;
	bool finds; /* nobody said which ones */
	struct poller **pollers;
	size_t count;
};

/*
 * Starts a poller for each of the `count` names, else for that of -g, else for
 * every guest in the runtime folder, where there may be none yet. Returns an exit
 * status; complains of everything but success, and the set is empty then.
 */
int guest_set_open(struct guest_set *set, const struct common *common, char **names, size_t count,
		   const struct poller_rate *rate);

/* Adds guests that are new in the runtime folder, if nobody said which ones. */
void guest_set_find(struct guest_set *set);

/* Stops all pollers, waiting a second at most for those that hang, and frees. */
void guest_set_close(struct guest_set *set);

#endif
