/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a recorded course; see course.h. Numbers are decimals without a sign. */
#include "kernel/course.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 64

/* A field of a line: it ends before the comma, or the line's end. */
struct field {
	const char *text;
	size_t length;
};

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline : end;
}

/* Takes the next field off a line; false: there is none. */
static bool next_field(const char **at, const char *end, struct field *field)
{
	const char *comma;

	if (!*at)
		return false;
	comma = memchr(*at, ',', (size_t)(end - *at));
	field->text = *at;
	field->length = (size_t)((comma ? comma : end) - *at);
	*at = comma ? comma + 1 : NULL;
	if (field->length > 0 && !comma && field->text[field->length - 1] == '\r')
		field->length--;
	return true;
}

/*
 * Reads a number with up to `digits` digits after the point, times 10^digits; others are
 * dropped.
 */
static bool read_number(const struct field *field, unsigned digits, uint64_t *value)
{
	unsigned after = 0;
	bool point = false;
	uint64_t n = 0;

	for (size_t i = 0; i < field->length; i++) {
		char c = field->text[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		if (point && after++ >= digits)
			continue;
		if (n > (UINT64_MAX - (uint64_t)(c - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(c - '0');
	}
	for (; after < digits; after++) {
		if (n > UINT64_MAX / 10)
			return false;
		n *= 10;
	}
	*value = n;
	return field->length > (point ? 1u : 0u);
}

/* ---- The headline ---- */

static bool is_named(const struct field *field, const char *name)
{
	return field->length == strlen(name) && memcmp(field->text, name, field->length) == 0;
}

/* Stores where a column is, by its name; false: there is another of that name. */
static bool note_column(struct course *course, const struct field *name, unsigned column)
{
	unsigned *place = NULL;

	if (is_named(name, "time_s"))
		place = &course->column_time;
	else if (is_named(name, "left_bytes"))
		place = &course->column_left;
	else if (is_named(name, "guest_available_bytes"))
		place = &course->column_available;
	if (place && *place < COLUMNS_MAX)
		return false;
	if (place)
		*place = column;
	return true;
}

/* Finds the columns that count. Returns what is wrong with them, or NULL. */
static const char *read_headline(struct course *course, const char *at, const char *end)
{
	struct field field;

	course->column_time = course->column_left = course->column_available = COLUMNS_MAX;
	course->columns = 0;
	while (next_field(&at, end, &field)) {
		if (course->columns == COLUMNS_MAX)
			return "names too many columns";
		if (!note_column(course, &field, course->columns++))
			return "names a column twice";
	}
	if (course->column_time == COLUMNS_MAX || course->column_left == COLUMNS_MAX ||
	    course->column_available == COLUMNS_MAX)
		return "lacks time_s, left_bytes or guest_available_bytes";
	return NULL;
}

/* ---- A line ---- */

/* Reads a line; false: it is damaged. A field of bytes may be empty: nobody knew. */
static bool read_line(const struct course *course, const char *at, const char *end,
		      struct course_point *point)
{
	uint64_t left = 0, available = 0;
	bool has_left = false, has_available = false, fine = true;
	struct field field;
	unsigned column = 0;

	for (; next_field(&at, end, &field) && fine; column++) {
		if (column == course->column_time)
			fine = read_number(&field, 3, &point->time_ms);
		else if (column == course->column_left && field.length > 0)
			fine = has_left = read_number(&field, 0, &left);
		else if (column == course->column_available && field.length > 0)
			fine = has_available = read_number(&field, 0, &available);
	}
	point->known = has_left && has_available;
	point->bytes = left > available ? left - available : 0;
	return fine && column == course->columns;
}

bool course_next(struct course *course, struct course_point *point)
{
	const char *end;

	if (course->text == course->end)
		return false;
	end = line_end(course->text, course->end);
	if (!read_line(course, course->text, end, point))
		return false;
	course->text = end < course->end ? end + 1 : end;
	return true;
}

/* ---- All of it ---- */

static int complain(char why[COURSE_WHY_MAX], uint64_t line, const char *what)
{
	snprintf(why, COURSE_WHY_MAX, "line %" PRIu64 " %s", line, what);
	return -EINVAL;
}

/* Goes through a copy to its end. */
static int read_all(struct course course, struct course_extent *extent, char why[COURSE_WHY_MAX])
{
	struct course_point point;

	*extent = (struct course_extent){ 0 };
	while (course.text < course.end) {
		uint64_t line = extent->points + 2;

		if (line_end(course.text, course.end) == course.end)
			return complain(why, line, "is cut: it has no end");
		if (!course_next(&course, &point))
			return complain(why, line, "is damaged");
		if (point.time_ms < extent->last_ms)
			return complain(why, line, "goes back in time");
		if (point.time_ms > COURSE_MS_MAX)
			return complain(why, line, "is more than 30 years after the start");
		extent->points++;
		extent->last_ms = point.time_ms;
		if (point.known)
			extent->bytes_max = max_u64(extent->bytes_max, point.bytes);
	}
	if (extent->bytes_max == 0)
		return complain(why, extent->points + 1,
				"is the last, and none says that memory was used");
	return 0;
}

int course_open(struct course *course, const char *text, size_t length,
		struct course_extent *extent, char why[COURSE_WHY_MAX])
{
	const char *end = text + length, *headline = line_end(text, end), *wrong;

	course->text = headline < end ? headline + 1 : end;
	course->end = end;
	wrong = read_headline(course, text, headline);
	if (wrong)
		return complain(why, 1, wrong);
	if (headline == end)
		return complain(why, 1, "is cut: it has no end");
	return read_all(*course, extent, why);
}
