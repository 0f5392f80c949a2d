/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples.c: what was measured several times, and its order statistics. A
 * sample may be INFINITY: what never happened is later than all that did.
 */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stddef.h>

/* All zero is empty. */
struct samples {
	double *values;
	size_t count, room;
};

void samples_add(struct samples *s, double value);
void samples_free(struct samples *s);

/* The smallest sample that at least @share of all do not exceed; NAN without any. */
double samples_quantile(const struct samples *s, double share);

static inline double samples_median(const struct samples *s)
{
	return samples_quantile(s, 0.5);
}

#endif
