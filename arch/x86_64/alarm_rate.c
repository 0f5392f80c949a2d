/* SPDX-License-Identifier: BSD-2-Clause */
/* See alarm_rate.h. */
#include "arch/x86_64/alarm_rate.h"

#include "arch/x86_64/tsc_rate.h"
#include "kernel/lib/types.h"

#define COUNTS_SHIFT 24

/* Two measurements of a good millisecond differ by less than the first of these. */
#define LEARN_PART 64
#define LEARN_PART_IN_ALL 16

_Static_assert(TSC_HZ_MAX <= UINT64_MAX >> COUNTS_SHIFT, "counts_per_ns is computed");

void alarm_rate_set(struct alarm_rate *rate, uint64_t hz)
{
	uint64_t counts_per_ns = (hz << COUNTS_SHIFT) / NS_PER_S + 1;

	rate->counts_per_ns = counts_per_ns;
	rate->counts_per_ns_most = counts_per_ns + counts_per_ns / LEARN_PART_IN_ALL;
}

uint64_t alarm_rate_longest(const struct alarm_rate *rate, uint64_t counts_max)
{
	if (counts_max > UINT64_MAX >> COUNTS_SHIFT)
		counts_max = UINT64_MAX >> COUNTS_SHIFT;
	return (counts_max << COUNTS_SHIFT) / rate->counts_per_ns;
}

uint64_t alarm_rate_counts(const struct alarm_rate *rate, uint64_t ns)
{
	unsigned __int128 counts = (unsigned __int128)ns * rate->counts_per_ns;

	return (uint64_t)(counts >> COUNTS_SHIFT) + 1;
}

void alarm_rate_learn(struct alarm_rate *rate, uint64_t asked_ns, uint64_t slept_ns)
{
	uint64_t missing = asked_ns - slept_ns;

	if (slept_ns >= asked_ns || missing > asked_ns / LEARN_PART)
		return;
	/* In parts per million: the product has room. */
	missing = missing * 1000 / (asked_ns / 1000 + 1) + 1;
	rate->counts_per_ns += rate->counts_per_ns * missing / 1000000 + 1;
	rate->counts_per_ns = min_u64(rate->counts_per_ns, rate->counts_per_ns_most);
}
