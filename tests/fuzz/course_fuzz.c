/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a file that a loader brings, as one that `balloonctl record` wrote. It is read
 * where nothing lies after it. Points come in the order of time, as many as there are lines, the
 * same whenever they are read; and what is refused is named by a line that is there.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "kernel/course.h"

static uint64_t count_lines(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

static void check_refusal(const char why[COURSE_WHY_MAX], uint64_t lines)
{
	unsigned long long line = 0;

	fuzz_require(memchr(why, '\0', COURSE_WHY_MAX), "a reason without an end");
	fuzz_require(sscanf(why, "line %llu ", &line) == 1 && line >= 1 && line <= lines + 1,
		     "refused for a line that is not there: %s", why);
}

/* Goes to the end, by a copy as a player does. */
static void check_points(struct course course, const struct course_extent *extent)
{
	struct course_point point;
	uint64_t points = 0, last_ms = 0, bytes_max = 0;

	while (course_next(&course, &point)) {
		fuzz_require(point.time_ms >= last_ms, "point %llu goes back",
			     (unsigned long long)points);
		last_ms = point.time_ms;
		points++;
		if (point.known && point.bytes > bytes_max)
			bytes_max = point.bytes;
	}
	fuzz_require(course.text == course.end, "something is left");
	fuzz_require(points == extent->points && last_ms == extent->last_ms &&
			     bytes_max == extent->bytes_max,
		     "the points are not what they were");
	fuzz_require(bytes_max > 0 && last_ms <= COURSE_MS_MAX, "a course that cannot be played");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct course_extent extent;
	char why[COURSE_WHY_MAX];
	struct course course;
	char *text = malloc(size); /* of just that size, for the sanitizer */
	uint64_t lines;
	int err;

	memcpy(text, data, size);
	lines = count_lines(text, size);
	memset(why, '#', sizeof(why));
	err = course_open(&course, text, size, &extent, why);
	fuzz_require(err == 0 || err == -EINVAL, "error %d", err);
	if (err) {
		check_refusal(why, lines);
	} else {
		fuzz_require(extent.points + 1 == lines, "%llu points of %llu lines",
			     (unsigned long long)extent.points, (unsigned long long)lines);
		check_points(course, &extent);
	}
	free(text);
	return 0;
}
