/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_situation.c: what a guest suffers from, by the statistics that it sends; the rules are
 * the guest's own (kernel/situation.h). A guest can be any, also one that sends few of them.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_SITUATION_H
#define TOOLS_BALLOONCTL_GUEST_SITUATION_H

#include "kernel/situation.h"
#include "tools/balloonctl/guest.h"

/* A guest's statistics as they come. All zero: there were none. */
struct guest_readings {
	struct readings readings;
	uint64_t update; /* of the newest, in Unix time */
};

/*
 * Adds statistics, unless they are the newest already. Statistics that are older than the newest
 * begin anew: that is another guest, or another clock.
 */
void guest_readings_add(struct guest_readings *readings, const struct guest_stats *stats);

#endif
