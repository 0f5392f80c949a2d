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

struct guest_set {
	struct poller_rate rate;
	bool finds; /* nobody said which ones */
	struct poller **pollers;
	size_t count;
};

/* @names are @count words; complains. An exit status. There may be no guest yet. */
int guest_set_open(struct guest_set *set, const struct common *common, char **names, size_t count,
		   const struct poller_rate *rate);

/* Look for guests that are new. */
void guest_set_find(struct guest_set *set);

void guest_set_close(struct guest_set *set);

#endif
