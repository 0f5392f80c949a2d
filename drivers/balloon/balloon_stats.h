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

/*
 * All that this kernel counts, at one moment: bytes, and events since boot. Without a disk
 * nothing is swapped, cached, scanned or reclaimed, and 0 is the count of it. Frames that come
 * out of the balloon for an allocation are a stall; they were neither scanned nor reclaimed.
 */
struct balloon_figures {
	uint64_t swap_in; /* bytes that were moved */
	uint64_t swap_out;
	uint64_t major_faults;
	uint64_t faults;      /* major ones too */
	uint64_t free_memory; /* bytes, as they stand */
	uint64_t total_memory;
	uint64_t available_memory;
	uint64_t disk_caches;
	uint64_t block_allocs;	 /* allocations of whole blocks and more, had */
	uint64_t block_failures; /* and not had */
	uint64_t oom_kills;
	uint64_t stalls;	 /* tasks that had to wait for memory */
	uint64_t async_scans;	 /* bytes of pages that were looked at, in the background */
	uint64_t direct_scans;	 /* and by those in want of memory */
	uint64_t async_reclaims; /* and that were freed */
	uint64_t direct_reclaims;
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
