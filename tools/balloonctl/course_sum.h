/* SPDX-License-Identifier: BSD-2-Clause */
/* course_sum.c: what a course has in each of its columns, row by row, for a report. */
#ifndef TOOLS_BALLOONCTL_COURSE_SUM_H
#define TOOLS_BALLOONCTL_COURSE_SUM_H

#include "tools/balloonctl/course.h"

struct json_object;

/* A column; all zero is one that has no value. */
struct course_span {
	size_t count; /* of the rows that have a value */
	double first, last, least, most;
};

/* All zero at first. */
struct course_sum {
	size_t rows;
	struct course_span columns[COURSE_COLUMNS];
};

/* Adds a row. */
void course_sum_add(struct course_sum *sum, const struct course_row *row);

/*
 * Adds "rows", "seconds" from the first to the last, "begin" (Unix time, if it is known) and
 * "columns": for each of those in `which` (a bit for each COURSE_ constant) that has a value
 * {"first":, "last":, "least":, "most":, "rows":}, under its name.
 */
void course_sum_report(const struct course_sum *sum, unsigned which, struct json_object *all);

#endif
