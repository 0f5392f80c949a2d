/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures in a report: see figures.h for the contract. */
#include <math.h>
#include <stdio.h>

#include <json-c/json.h>

#include "tests/bench/figures.h"

void figures_print(double value, int decimals)
{
	if (isnan(value))
		printf("-");
	else if (isinf(value))
		printf("never");
	else
		printf("%.*f", decimals, value);
}

void figures_print_samples(const struct samples *s, int decimals)
{
	figures_print(samples_median(s), decimals);
	if (s->count < 2)
		return;
	printf(" (");
	figures_print(samples_quantile(s, 0), decimals);
	printf(" .. ");
	figures_print(samples_quantile(s, 1), decimals);
	printf(")");
}

struct json_object *figures_number(double value)
{
	return isfinite(value) ? json_object_new_double(value) : NULL;
}

struct json_object *figures_samples(const struct samples *s)
{
	struct json_object *one = json_object_new_object(), *values = json_object_new_array();

	for (size_t n = 0; n < s->count; n++)
		json_object_array_add(values, figures_number(s->values[n]));
	json_object_object_add(one, "median", figures_number(samples_median(s)));
	json_object_object_add(one, "samples", values);
	return one;
}
