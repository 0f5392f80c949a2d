/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures counted for the host, and the last report; see balloon_stats.h. */
#include "drivers/balloon/balloon_stats.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "mm/frame.h"
#include "mm/vm_events.h"

static struct {
	struct balloon_stat last[BALLOON_STATS_MAX];
	size_t count;
	uint64_t time; /* of `last` */
	uint64_t requests;
} stats;

void balloon_figures(struct balloon_figures *figures)
{
	struct balloon_account account;
	struct frame_events events;

	balloon_account(&account);
	frame_events(&events);
	*figures = (struct balloon_figures){
		.swap_in = vm_events.swap_in_bytes,
		.swap_out = vm_events.swap_out_bytes,
		.major_faults = vm_events.major_faults,
		.faults = vm_events.faults,
		.free_memory = pfn_to_paddr(account.free),
		.total_memory = pfn_to_paddr(account.total),
		.available_memory = pfn_to_paddr(account.available),
		.disk_caches = pfn_to_paddr(vm_events.cached),
		.block_allocs = events.block_allocs,
		.block_failures = events.block_failures,
		.oom_kills = vm_events.oom_kills,
		.stalls = vm_events.stalls,
		.async_scans = pfn_to_paddr(vm_events.async_scanned),
		.direct_scans = pfn_to_paddr(vm_events.direct_scanned),
		.async_reclaims = pfn_to_paddr(vm_events.async_reclaimed),
		.direct_reclaims = pfn_to_paddr(vm_events.direct_reclaimed),
	};
}

void balloon_stats_keep(const struct balloon_stat *report, size_t count, bool asked)
{
	assert(count > 0 && count <= BALLOON_STATS_MAX);
	memcpy(stats.last, report, count * sizeof(report[0]));
	stats.count = count;
	stats.time = clock_ns();
	stats.requests += asked;
}

size_t balloon_stats_last(struct balloon_stat out[BALLOON_STATS_MAX], uint64_t *requests,
			  uint64_t *time)
{
	memcpy(out, stats.last, stats.count * sizeof(out[0]));
	*requests = stats.requests;
	*time = stats.time;
	return stats.count;
}

void balloon_stats_abandon(void)
{
	stats.count = 0;
}

void balloon_stats_forget(void)
{
	memset(&stats, 0, sizeof(stats));
}
