/* SPDX-License-Identifier: BSD-2-Clause */
/* What a course has in each of its columns: see course_sum.h. */
#include "tools/balloonctl/course_sum.h"

#include <math.h>

#include <json-c/json.h>

static void add_value(struct course_span *span, double value)
{
	if (span->count++ == 0)
		span->first = span->least = span->most = value;
	span->last = value;
	span->least = fmin(span->least, value);
	span->most = fmax(span->most, value);
}

void course_sum_add(struct course_sum *sum, const struct course_row *row)
{
	sum->rows++;
	for (unsigned i = 0; i < COURSE_COLUMNS; i++)
		if (!isnan(row->values[i]))
			add_value(&sum->columns[i], row->values[i]);
}

/* With as many digits as the column has in the file. */
static struct json_object *number(unsigned column, double value)
{
	char text[400];

	course_format(column, value, text, sizeof(text));
	return json_object_new_double_s(value, text);
}

static struct json_object *report_span(unsigned column, const struct course_span *span)
{
	struct json_object *all = json_object_new_object();

	json_object_object_add(all, "first", number(column, span->first));
	json_object_object_add(all, "last", number(column, span->last));
	json_object_object_add(all, "least", number(column, span->least));
	json_object_object_add(all, "most", number(column, span->most));
	json_object_object_add(all, "rows", json_object_new_uint64(span->count));
	return all;
}

void course_sum_report(const struct course_sum *sum, unsigned which, struct json_object *all)
{
	const struct course_span *time = &sum->columns[COURSE_TIME];
	const struct course_span *begin = &sum->columns[COURSE_UNIX_TIME];
	struct json_object *columns = json_object_new_object();

	json_object_object_add(all, "rows", json_object_new_uint64(sum->rows));
	json_object_object_add(all, "seconds", number(COURSE_TIME, time->last - time->first));
	if (begin->count)
		json_object_object_add(all, "begin", number(COURSE_UNIX_TIME, begin->first));
	for (unsigned i = 0; i < COURSE_COLUMNS; i++)
		if ((which >> i & 1) && sum->columns[i].count)
			json_object_object_add(columns, course_name(i),
					       report_span(i, &sum->columns[i]));
	json_object_object_add(all, "columns", columns);
}
