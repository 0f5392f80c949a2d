/* SPDX-License-Identifier: BSD-2-Clause */
/* A recorded course as CSV: see course.h. A file to be read may hold anything. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/escape.h"
#include "tools/balloonctl/course.h"

#define FIELDS_MAX 64
#define GUEST "guest" /* the column of names */

static const struct {
	const char *name;
	int digits;
} columns[COURSE_COLUMNS] = {
#define COURSE_COLUMN(constant, name, digits) [constant] = { name, digits },
	COURSE_TABLE(COURSE_COLUMN)
#undef COURSE_COLUMN
};

const char *course_name(enum course_column column)
{
	return columns[column].name;
}

void course_format(enum course_column column, double value, char *text, size_t size)
{
	snprintf(text, size, "%.*f", columns[column].digits, value);
}

/* ---- write ---- */

void course_write_head(FILE *file)
{
	for (unsigned i = 0; i < COURSE_COLUMNS; i++)
		fprintf(file, "%s%s", i ? "," : "", columns[i].name);
	fputs("," GUEST "\n", file);
}

/* A spreadsheet is to read it, too: as bytes that are not plain text come commas and quotes. */
static void write_name(FILE *file, const char *name)
{
	char shown[ESCAPE_MAX];

	for (; *name; name++) {
		if (*name == ',' || *name == '"')
			fprintf(file, "\\x%02x", (unsigned char)*name);
		else
			fwrite(shown, 1, escape_byte((unsigned char)*name, shown), file);
	}
}

void course_write_row(FILE *file, const struct course_row *row, const char *guest)
{
	for (unsigned i = 0; i < COURSE_COLUMNS; i++) {
		if (i)
			fputc(',', file);
		if (!isnan(row->values[i]))
			fprintf(file, "%.*f", columns[i].digits, row->values[i]);
	}
	fputc(',', file);
	write_name(file, guest);
	fputc('\n', file);
}

/* ---- read ---- */

struct reader {
	FILE *file;
	char *line; /* by getline() */
	size_t size;
	size_t number; /* of the line, from 1 */
	size_t rows_max;
	char *error;
	int meaning[FIELDS_MAX]; /* a COURSE_ constant, or -1 */
	unsigned fields;
	int guest; /* the field that is the guest's name, or -1 */
};

__attribute__((format(printf, 2, 3))) static int fail(struct reader *reader, const char *format,
						      ...)
{
	va_list args;
	int len = 0;

	if (reader->number)
		len = snprintf(reader->error, COURSE_ERROR, "line %zu: ", reader->number);
	va_start(args, format);
	vsnprintf(reader->error + len, COURSE_ERROR - (size_t)len, format, args);
	va_end(args);
	return -EINVAL;
}

/* Reads a line: 1; 0 at the end of the file; or an error. */
static int next_line(struct reader *reader)
{
	ssize_t len;

	len = getline(&reader->line, &reader->size, reader->file);
	if (len < 0) {
		int err = -errno;

		if (feof(reader->file))
			return 0;
		fail(reader, "cannot be read: %s", strerror(-err));
		return err;
	}
	reader->number++;
	if (memchr(reader->line, '\0', (size_t)len))
		return fail(reader, "not a text");
	while (len > 0 && (reader->line[len - 1] == '\n' || reader->line[len - 1] == '\r'))
		reader->line[--len] = '\0';
	return 1;
}

/* Splits at commas; strtok() would overlook empty fields. */
static char *next_field(char **rest)
{
	return strsep(rest, ",");
}

static int column_of(const char *name)
{
	for (int i = 0; i < COURSE_COLUMNS; i++)
		if (!strcmp(columns[i].name, name))
			return i;
	return -1;
}

static int read_head(struct reader *reader)
{
	bool seen[COURSE_COLUMNS] = { false };
	char *rest, *field;
	int got = next_line(reader);

	if (got < 0)
		return got;
	if (got == 0)
		return fail(reader, "the file is empty");
	for (rest = reader->line; (field = next_field(&rest));) {
		int column = column_of(field);

		if (reader->fields == FIELDS_MAX)
			return fail(reader, "more than %d columns", FIELDS_MAX);
		if (column >= 0 && seen[column])
			return fail(reader, "two columns %s", columns[column].name);
		if (column >= 0)
			seen[column] = true;
		else if (!strcmp(field, GUEST))
			reader->guest = (int)reader->fields;
		reader->meaning[reader->fields++] = column;
	}
	if (!seen[COURSE_TIME])
		return fail(reader, "there is no column %s: not a file of `balloonctl record`",
			    columns[COURSE_TIME].name);
	return 0;
}

static int read_value(struct reader *reader, const char *field, int column, double *value)
{
	char *end;

	if (*field == '\0')
		return 0;
	*value = strtod(field, &end);
	if (strspn(field, "0123456789.eE+-") == strlen(field) && *end == '\0' && isfinite(*value) &&
	    *value >= 0)
		return 0;
	return fail(reader, "'%.40s' is no %s: a number from 0 on is wanted", field,
		    columns[column].name);
}

/* The name of the whole course is that of its first line. */
static void read_guest(const struct reader *reader, unsigned at, const char *field,
		       struct course *course)
{
	if ((int)at == reader->guest && course->count == 0 && strlen(field) < COURSE_GUEST)
		strcpy(course->guest, field);
}

static int read_row(struct reader *reader, struct course *course, struct course_row *row)
{
	char *rest = reader->line, *field;
	unsigned fields = 0;

	for (unsigned i = 0; i < COURSE_COLUMNS; i++)
		row->values[i] = NAN;
	while ((field = next_field(&rest))) {
		unsigned at = fields++;
		int err = 0;

		read_guest(reader, at, field, course);
		if (at < reader->fields && reader->meaning[at] >= 0)
			err = read_value(reader, field, reader->meaning[at],
					 &row->values[reader->meaning[at]]);
		if (err)
			return err;
	}
	if (fields != reader->fields)
		return fail(reader, "%u fields, but the headline has %u", fields, reader->fields);
	if (isnan(row->values[COURSE_TIME]))
		return fail(reader, "there is no %s", columns[COURSE_TIME].name);
	return 0;
}

static int append(struct reader *reader, struct course *course, const struct course_row *row)
{
	const struct course_row *last = course->count ? &course->rows[course->count - 1] : NULL;

	if (last && row->values[COURSE_TIME] < last->values[COURSE_TIME])
		return fail(reader, "time goes back, from %g s to %g s", last->values[COURSE_TIME],
			    row->values[COURSE_TIME]);
	if (course->count == reader->rows_max)
		return fail(reader, "more than %zu lines", reader->rows_max);
	/* Doubled whenever the count is a power of two. */
	if ((course->count & (course->count - 1)) == 0) {
		size_t room = course->count ? course->count * 2 : 1;
		struct course_row *more = realloc(course->rows, room * sizeof(more[0]));

		if (!more) {
			fail(reader, "out of memory");
			return -ENOMEM;
		}
		course->rows = more;
	}
	course->rows[course->count++] = *row;
	return 0;
}

static int read_rows(struct reader *reader, struct course *course)
{
	struct course_row row;
	int err;

	while ((err = next_line(reader)) > 0) {
		err = read_row(reader, course, &row);
		if (!err)
			err = append(reader, course, &row);
		if (err)
			return err;
	}
	return err;
}

int course_read(FILE *file, size_t rows_max, struct course *course, char error[COURSE_ERROR])
{
	struct reader reader = { .file = file, .error = error, .rows_max = rows_max, .guest = -1 };
	int err;

	*course = (struct course){ 0 };
	err = read_head(&reader);
	if (!err)
		err = read_rows(&reader, course);
	free(reader.line);
	if (err)
		course_free(course);
	return err;
}

void course_free(struct course *course)
{
	free(course->rows);
	*course = (struct course){ 0 };
}
