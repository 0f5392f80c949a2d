/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples.c: a figure that was measured several times, and its order statistics.
 * A sample may be INFINITY: an event that never came is later than all that did.
 */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stddef.h>

/* All zero is empty. */
struct samples {
	double *values;
	size_t count, room;
};

/* Adds a sample; never fails (ends the program instead). */
void samples_add(struct samples *s, double value);

/* Frees; there are no samples then. */
void samples_free(struct samples *s);

/*
 * Sorts the samples and gives the smallest one that at least `share` of all do not
 * exceed; NAN without any.
 */
double samples_quantile(const struct samples *s, double share);

/* Gives the median; NAN without any sample. */
static inline double samples_median(const struct samples *s)
{
	return samples_quantile(s, 0.5);
}

#endif
