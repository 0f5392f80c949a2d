/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measurements of `make bench-alloc`: the same work, done by both contenders in
 * turn, round by round, in processor time.
 *
 * All of it happens in a window of 1 GiB: 512 blocks, which at 1 GiB of RAM are
 * all there is, and with more are spread evenly over all of it, while what is
 * between them is taken. So the indices grow with RAM, and the work does not.
 */
#ifndef TESTS_BENCH_ALLOC_WORK_H
#define TESTS_BENCH_ALLOC_WORK_H

#include "tests/bench/contender.h"

#define CONTENDERS 2
#define ROUNDS_MAX 101

extern const struct contender *const contenders[CONTENDERS];

/* Nanoseconds an operation, a round each. */
struct series {
	double ns[ROUNDS_MAX];
};

struct result {
	size_t gib;
	char work[40];
	int full;	/* per cent in random work, or -1 */
	bool was_short; /* it was 100 % full before that */
	struct series series[CONTENDERS];
	double ratio; /* median over the rounds of the buddy's time over ours */

	/* After random work: whole blocks, and free frames divided by 512. */
	uint64_t whole[CONTENDERS];
	uint64_t possible;
};

struct settings {
	int rounds;
	size_t burst;	    /* frames freed, then allocated, at a time */
	unsigned turnovers; /* how often each frame is freed, on the average */
};

#define RESULTS_MAX 20

/*
 * Runs everything at one size; returns how many results there are, their series
 * sorted. Stores the bytes of metadata that each contender has for a frame.
 */
size_t work_run(size_t gib, const struct settings *settings, struct result results[RESULTS_MAX],
		double bytes[CONTENDERS]);

/* The value that `part` (0 to 1) of the sorted rounds are below. */
double series_at(const struct series *series, int rounds, double part);

#endif
