/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.c: measured figures in a report, as Markdown for people and as JSON for programs.
 * NAN is what was not measured, INFINITY what never came.
 */
#ifndef TESTS_BENCH_FIGURES_H
#define TESTS_BENCH_FIGURES_H

#include "tests/bench/samples.h"

struct json_object;

/* Prints a figure with so many decimals; "-" and "never" for those that are no numbers. */
void figures_print(double value, int decimals);

/* Prints the median of samples and, if there are two or more, the least and the most. */
void figures_print_samples(const struct samples *s, int decimals);

/* Makes a number; NULL, JSON's null, for those that are none, as JSON has no infinity. */
struct json_object *figures_number(double value);

/* Makes an object of the median and all samples. */
struct json_object *figures_samples(const struct samples *s);

#endif
