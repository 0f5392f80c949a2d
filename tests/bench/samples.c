/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples and their order statistics: see samples.h for the contract. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/samples.h"

void samples_add(struct samples *s, double value)
{
	if (s->count == s->room) {
		s->room = s->room * 2 + 16;
		s->values = realloc(s->values, s->room * sizeof(*s->values));
		if (!s->values) {
			perror("samples");
			exit(1);
		}
	}
	s->values[s->count++] = value;
}

void samples_free(struct samples *s)
{
	free(s->values);
	memset(s, 0, sizeof(*s));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_quantile(const struct samples *s, double share)
{
	size_t rank = (size_t)ceil(share * (double)s->count);

	if (s->count == 0)
		return NAN;
	qsort(s->values, s->count, sizeof(*s->values), compare);
	return s->values[rank > 0 ? rank - 1 : 0];
}
