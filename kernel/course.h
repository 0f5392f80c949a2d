/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A course: how much memory a guest used over time, as `balloonctl record` wrote it (CSV; the
 * names of its columns are in tools/balloonctl/course.h). Used is what was left to the guest
 * less what it had available. Read from text that lies in memory, line by line; pure.
 */
#ifndef KERNEL_COURSE_H
#define KERNEL_COURSE_H

#include "kernel/lib/types.h"

#define COURSE_WHY_MAX 80

/* No point is later: 30 years of 365 days, whose nanoseconds have room in 64 bits. */
#define COURSE_MS_MAX (UINT64_C(30) * 365 * 24 * 3600 * 1000)

/* A course as it lies in memory; its members are its own. */
struct course {
	const char *text, *end; /* the lines below the headline */
	unsigned column_time, column_left, column_available;
	unsigned columns;
};

/* What one of its lines says. */
struct course_point {
	uint64_t time_ms; /* since the first */
	bool known;	  /* it says how much was used: */
	uint64_t bytes;
};

/* Of a course that was read to its end. */
struct course_extent {
	uint64_t points;
	uint64_t last_ms;
	uint64_t bytes_max;
};

/*
 * Reads all of a text, which is kept, not copied, and stores what it comes to. -EINVAL: it is
 * no course, or cut, or damaged: `why` says what and in which line.
 */
int course_open(struct course *course, const char *text, size_t length,
		struct course_extent *extent, char why[COURSE_WHY_MAX]);

/* Stores the next point of a course that was opened; false: there is none. */
bool course_next(struct course *course, struct course_point *point);

#endif
