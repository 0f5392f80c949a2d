/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * course.c: the file that `record` writes and `plot` reads: CSV, a headline with
 * names and units, then a line for each look at a guest. The field of an unknown
 * value is empty. The last column is the guest's name, escaped: it has no comma.
 */
#ifndef TOOLS_BALLOONCTL_COURSE_H
#define TOOLS_BALLOONCTL_COURSE_H

#include <stddef.h>
#include <stdio.h>

#define COURSE_ERROR 200

/* X(constant, name in the headline, digits after the point) */
#define COURSE_TABLE(X) \
	X(COURSE_TIME, "time_s", 3) /* since the first line */ \
	X(COURSE_UNIX_TIME, "unix_time_s", 3) \
	X(COURSE_RAM, "ram_bytes", 0) \
	X(COURSE_TARGET, "target_left_bytes", 0) \
	X(COURSE_LEFT, "left_bytes", 0) \
	X(COURSE_TAKEN, "taken_bytes", 0) \
	X(COURSE_FREE, "guest_free_bytes", 0) \
	X(COURSE_AVAILABLE, "guest_available_bytes", 0) \
	X(COURSE_STATS_AGE, "statistics_age_s", 1) \
	X(COURSE_HOST, "host_pss_bytes", 0) \
	X(COURSE_CPU, "host_cpu_s", 2) \
	X(COURSE_BASE, "base_bytes", 0) /* base + dimms + grown = ram */ \
	X(COURSE_DIMMS, "dimms_bytes", 0) \
	X(COURSE_GROWN, "grown_bytes", 0) /* by virtio-mem devices, if there are any */ \
	X(COURSE_REQUESTED, "requested_bytes", 0)

#define COURSE_CONSTANT(constant, name, digits) constant,
enum course_column { COURSE_TABLE(COURSE_CONSTANT) COURSE_COLUMNS };
#undef COURSE_CONSTANT

/* NAN: not known. Bytes are exact below 2^53. */
struct course_row {
	double values[COURSE_COLUMNS];
};

#define COURSE_GUEST 80
#define COURSE_ROWS_MAX 12000000u /* a year, at one every three seconds */

struct course {
	struct course_row *rows;
	size_t count;
	char guest[COURSE_GUEST]; /* of the first line; "": it is not said, or too long */
};

/* Gives the name of a column, as it stands in the headline. */
const char *course_name(enum course_column column);

/* Writes a value, which is known, as it stands in a line. */
void course_format(enum course_column column, double value, char *text, size_t size);

/* Writes the headline. */
void course_write_head(FILE *file);

/*
 * Writes a line, of the guest with this name; the caller flushes the file, and learns
 * then whether it could be written.
 */
void course_write_row(FILE *file, const struct course_row *row, const char *guest);

/*
 * Reads all of a file, which has no more than `rows_max` lines below its headline; *course
 * is the caller's by course_free(), and empty on an error. Columns may come in any order,
 * some may be absent, those with other names are skipped; the time must be there, and never
 * go back. -EINVAL: the file is not of this kind, or damaged; -ENOMEM; or what read(2) says.
 * `error` then says what is wrong in which line.
 */
int course_read(FILE *file, size_t rows_max, struct course *course, char error[COURSE_ERROR]);

/* Frees the rows; the course is empty then. */
void course_free(struct course *course);

#endif
