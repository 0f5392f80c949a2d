/* SPDX-License-Identifier: BSD-2-Clause */
/* From nanoseconds of the clock to counts of the timer that makes the alarm. Pure. */
#ifndef ARCH_X86_64_ALARM_RATE_H
#define ARCH_X86_64_ALARM_RATE_H

#include <stdint.h>

struct alarm_rate {
	uint64_t counts_per_ns;	     /* fixed point */
	uint64_t counts_per_ns_most; /* what may be learnt */
};

/* Sets the rate of a timer that counts `hz` times a second, at most TSC_HZ_MAX. */
void alarm_rate_set(struct alarm_rate *rate, uint64_t hz);

/* Returns the longest time, in ns, of at most `counts_max` counts. */
uint64_t alarm_rate_longest(const struct alarm_rate *rate, uint64_t counts_max);

/* Returns the counts of a time, rounded up. */
uint64_t alarm_rate_counts(const struct alarm_rate *rate, uint64_t ns);

/*
 * The timer's rate and the clock's were found in different ways. Where the timer rang a
 * little before its time by the clock, it is faster than it was thought to be, and this
 * learns from it; else each sleep would end with one more that is very short. A ring that
 * is much too early is a clock that jumped, and teaches nothing.
 */
void alarm_rate_learn(struct alarm_rate *rate, uint64_t asked_ns, uint64_t slept_ns);

#endif
