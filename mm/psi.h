/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pressure stall information, as Linux defines it for memory: the share of time in which some
 * task waited for memory, and in which nobody did anything else. Totals, and averages that
 * follow the last 10, 60 and 300 seconds exponentially, with a sample every 2 s.
 *
 * Pure: the clock is handed in, and nothing ticks. Whatever the time between two calls, both
 * cost the same: what did not change meanwhile is reckoned at once.
 */
#ifndef MM_PSI_H
#define MM_PSI_H

#include "kernel/lib/types.h"

#define PSI_PERIOD_NS (2 * NS_PER_S)

enum psi_window { PSI_10_S, PSI_60_S, PSI_300_S, PSI_WINDOWS };

/* One of the two shares. */
struct psi_line {
	bool on; /* it is so now */
	uint64_t total_ns;
	uint64_t period_ns;	     /* of the period under way */
	uint64_t share[PSI_WINDOWS]; /* at the last period's end; 2^32 is all of the time */
};

struct psi {
	uint64_t now_ns; /* up to then it is all counted */
	uint64_t period_end_ns;
	struct psi_line some, full;
};

/* What people are shown of a share. */
struct psi_figures {
	uint64_t total_us;
	unsigned average[PSI_WINDOWS]; /* in hundredths of a percent, 10000 at most */
};

/* Begins at `now_ns`, with nobody waiting. */
void psi_init(struct psi *psi, uint64_t now_ns);

/*
 * Says what holds from `now_ns` on: so many tasks wait for memory, and whether the processor
 * does something for others meanwhile. A clock that has gone back stands still until it is
 * where it was.
 */
void psi_set(struct psi *psi, unsigned waiting, bool others_run, uint64_t now_ns);

/* Stores both shares as they are at `now_ns`; changes nothing. */
void psi_read(const struct psi *psi, uint64_t now_ns, struct psi_figures *some,
	      struct psi_figures *full);

#endif
