/* SPDX-License-Identifier: BSD-2-Clause */
/* Measuring the time stamp counter against a counter whose rate is known, and the reverse. */
#ifndef ARCH_X86_64_TSC_MEASURE_H
#define ARCH_X86_64_TSC_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

/* A counter of the machine's. */
struct tsc_counter {
	const char *name; /* for people */
	uint64_t hz;	  /* 0: to be measured */
	uint32_t mask;	  /* the bits that count; it wraps after them */
	void (*begin)(void);
	uint32_t (*read)(void);	   /* it counts up */
	bool (*has_wrapped)(void); /* since it began; NULL: it lasts for seconds */
};

/*
 * Returns the rate of the time stamp counter in Hz, measured for a millisecond against a
 * counter whose rate is known; 0 if that does not count, or makes no sense.
 */
uint64_t tsc_measure(const struct tsc_counter *counter);

/*
 * Returns the rate of a counter in Hz, measured for 1/8 of a millisecond against the time
 * stamp counter, whose rate is `tsc_hz`; 0 if it does not count.
 */
uint64_t tsc_measure_counter(const struct tsc_counter *counter, uint64_t tsc_hz);

#endif
