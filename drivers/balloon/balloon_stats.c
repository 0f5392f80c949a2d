/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures counted for the host, and the last report; see balloon_stats.h. */
#include "drivers/balloon/balloon_stats.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_state.h"
#include "mm/frame.h"

static struct {
	struct balloon_stat last[BALLOON_STATS_MAX];
	size_t count;
	uint64_t time; /* of `last` */
	uint64_t requests;
} stats;

void balloon_figures(struct balloon_figures *figures)
{
	struct balloon_account account;
	struct balloon_status balloon;
	struct frame_events events;

	balloon_status(&balloon);
	balloon_account(&account);
	frame_events(&events);
	*figures = (struct balloon_figures){
		.free_memory = pfn_to_paddr(account.free),
		.total_memory = pfn_to_paddr(account.total),
		.available_memory = pfn_to_paddr(account.available),
		.block_allocs = events.block_allocs,
		.block_failures = events.block_failures,
		.failures = events.failures,
		.stalls = events.stalls,
		.frames_scanned = balloon.oom_frames,
		.frames_reclaimed = balloon.oom_frames,
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
