/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of one figure, and their order statistics. A sample may be INFINITY: an
 * event that never happened is later than all that did.
 */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stddef.h>

/* All zero is empty. */
struct samples {
	double *values;
	size_t count, room;
};

/* Adds a sample; frees all of them. */
void samples_add(struct samples *s, double value);
void samples_free(struct samples *s);

/* Returns the smallest sample that at least `share` of all do not exceed; NAN: no samples. */
double samples_quantile(const struct samples *s, double share);

/* Returns the median; NAN without samples. */
static inline double samples_median(const struct samples *s)
{
	return samples_quantile(s, 0.5);
}

#endif
