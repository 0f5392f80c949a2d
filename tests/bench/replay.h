/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays a course of references with a memory of COURSE_CACHE pages: replay.c by
 * mm/replacement.c as the guest has it, replay_peers.c by what others do. Whoever brings a page
 * in uses it, so its bit is set then: that is what the processor does after a page fault.
 */
#ifndef TESTS_BENCH_REPLAY_H
#define TESTS_BENCH_REPLAY_H

#include <stdint.h>

#include "tests/bench/courses.h"

struct outcome {
	uint64_t misses;
	uint64_t looks; /* at pages, for a page that is to go; 0 for those that look at none */
};

struct replayer {
	const char *name;
	struct outcome (*replay)(const struct course *course);
};

/* The two policies. */
extern const struct replayer replay_ghost, replay_half_way;

/*
 * All uses known, in their order: which no kernel can have. Then what a kernel can do who
 * sees only a bit that says "used": one ring; or two lists as Linux has them.
 */
extern const struct replayer replay_lru, replay_clock, replay_two_lists;

/* The best that can be: whatever is used last of all goes. */
extern const struct replayer replay_opt;

/* Returns hits of a hundred references. The first touch of a burst may be a miss, no other is. */
static inline double replay_hit_percent(const struct course *course, const struct outcome *outcome)
{
	return 100.0 - 100.0 * (double)outcome->misses / (double)course->references;
}

#endif
