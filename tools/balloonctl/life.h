/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life.c: asks a guest that does not move whether it lives. QEMU has the driver asked for
 * statistics, and the time of the newest ones changes with the answer. Of a driver that says
 * something again and again by itself, that is the answer. A guest whose
 * driver sends none, or that has no balloon, can only be seen to move.
 */
#ifndef TOOLS_BALLOONCTL_LIFE_H
#define TOOLS_BALLOONCTL_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/balloonctl/guest.h"

#define LIFE_MS 5000 /* an answer may take so long */

enum life_sign {
	LIFE_ASKED,  /* the time for an answer is not over */
	LIFE_SHOWN,  /* the guest has answered since it was asked first */
	LIFE_SILENT, /* it sends statistics otherwise, and has not answered */
	LIFE_MUTE,   /* it sends none, so this says nothing */
};

struct life {
	bool asking;	   /* since `since`, by deadline_now() */
	bool polls;	   /* we have set the interval, which was `interval` */
	uint64_t update;   /* of the statistics that were there at that time */
	uint64_t pulse;	   /* likewise */
	unsigned interval; /* seconds; 0: nobody had the guest asked */
	int64_t since, next_ask;
};

/*
 * Asks at the first call, and looks for the answer at each; state is the guest's newest.
 * -ENODEV, -ENOTCONN, -ETIMEDOUT, -EPROTO, as guest_stats() has them.
 */
int life_look(struct guest *guest, struct life *life, const struct guest_state *state,
	      enum life_sign *sign);

/* Forgets an answer or a silence: the next life_look() asks anew. All zero at first. */
void life_forget(struct life *life);

/* Leaves the guest asked as often as it was; to be called when life_look() has been. */
void life_end(struct guest *guest, struct life *life);

#endif
