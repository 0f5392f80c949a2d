/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is counted for the host, and the report that it was given last.
 * How a report is asked for, and what the figures are called on the way, is a
 * port's business: a host that wants no statistics is given none.
 */
#ifndef DRIVERS_BALLOON_BALLOON_STATS_H
#define DRIVERS_BALLOON_BALLOON_STATS_H

#include "kernel/lib/types.h"

#define BALLOON_STATS_MAX 16

/* All that this kernel counts, at one moment. */
struct balloon_figures {
	uint64_t free_memory; /* bytes, as they stand */
	uint64_t total_memory;
	uint64_t available_memory;
	uint64_t block_allocs;	 /* allocations since boot: of whole blocks and more, had */
	uint64_t block_failures; /* and not had */
	uint64_t failures;	 /* of any size, not had */
	uint64_t stalls;	 /* that had to ask the reclaimer */
	uint64_t frames_scanned; /* in the balloon, for an allocation */
	uint64_t frames_reclaimed;
};

/* Reads all of them. */
void balloon_figures(struct balloon_figures *figures);

/* A figure as the host knows it. */
struct balloon_stat {
	const char *name; /* QMP's, without "stat-" */
	uint16_t tag;
	uint64_t value;
};

/*
 * Keeps the report that a port gives its host, for people; one port does so. `asked`: because
 * the host asked, and not by itself at the start.
 */
void balloon_stats_keep(const struct balloon_stat *stats, size_t count, bool asked);

/* Reads the report that was given last. Returns its entries, 0: no host wants any. */
size_t balloon_stats_last(struct balloon_stat stats[BALLOON_STATS_MAX], uint64_t *requests,
			  uint64_t *time);

/* Drops the report: the port's host was reset, and has none until it is given one. */
void balloon_stats_abandon(void);

/* Forgets the report and its requests: another host of that port comes. */
void balloon_stats_forget(void);

#endif
