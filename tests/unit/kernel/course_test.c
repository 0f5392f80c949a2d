/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/course.c: what a recorded course says, and each way in which a file is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/course.h"

#define HEAD "time_s,left_bytes,guest_available_bytes\n"
#define LACKS "line 1 lacks time_s, left_bytes or guest_available_bytes"

static struct course course;
static struct course_extent extent;
static char why[COURSE_WHY_MAX];
static char *copy; /* of the text, without a byte after it */

static int open_bytes(const char *text, size_t length)
{
	free(copy);
	copy = malloc(length);
	memcpy(copy, text, length);
	memset(why, '#', sizeof(why));
	return course_open(&course, copy, length, &extent, why);
}

static int close_copy(void **state)
{
	(void)state;
	free(copy);
	copy = NULL;
	return 0;
}

static void assert_course(const char *text, uint64_t points, uint64_t last_ms, uint64_t bytes_max)
{
	if (open_bytes(text, strlen(text)))
		fail_msg("%.*s: %s", (int)strlen(text), text, why);
	assert_int_equal(extent.points, points);
	assert_int_equal(extent.last_ms, last_ms);
	assert_int_equal(extent.bytes_max, bytes_max);
}

static void assert_none(const char *text, const char *wrong)
{
	assert_int_equal(open_bytes(text, strlen(text)), -EINVAL);
	assert_string_equal(why, wrong);
}

static void assert_point(uint64_t time_ms, bool known, uint64_t bytes)
{
	struct course_point point = { .time_ms = 77 };

	assert_true(course_next(&course, &point));
	assert_int_equal(point.time_ms, time_ms);
	assert_int_equal(point.known, known);
	assert_int_equal(point.bytes, bytes);
}

static void assert_end(void)
{
	struct course_point point;

	assert_false(course_next(&course, &point));
	assert_false(course_next(&course, &point));
}

/* ---- What is one ---- */

static void each_line_is_a_point(void **state)
{
	(void)state;
	assert_course(HEAD "0.000,1000,400\n"
			   "1.5,1000,300\n"
			   "1.500,1000,1000\n"
			   "70.0009,1000,2000\n",
		      4, 70000, 700);
	assert_point(0, true, 600);
	assert_point(1500, true, 700);
	assert_point(1500, true, 0);
	assert_point(70000, true, 0);
	assert_end();
}

static void columns_are_found_by_their_names(void **state)
{
	(void)state;
	assert_course("unix_time_s,guest_available_bytes,guest,time_s,ram_bytes,left_bytes\n"
		      "1700000000.123,5,a guest,2,,9\n",
		      1, 2000, 4);
	assert_point(2000, true, 4);
	assert_end();
}

static void what_nobody_knew_is_not_known(void **state)
{
	(void)state;
	assert_course(HEAD "0,,\n1,9,\n2,,9\n3,9,8\n", 4, 3000, 1);
	assert_point(0, false, 0);
	assert_point(1000, false, 9);
	assert_point(2000, false, 0);
	assert_point(3000, true, 1);
	assert_end();
}

/* What is not known makes no memory necessary. */
static void a_point_that_is_not_known_is_not_the_most(void **state)
{
	(void)state;
	assert_course(HEAD "0,7,6\n1,1000000,\n", 2, 1000, 1);
}

static void lines_may_end_as_elsewhere(void **state)
{
	(void)state;
	assert_course("time_s,left_bytes,guest_available_bytes\r\n0,9,8\r\n1,9,7\r\n", 2, 1000, 2);
	assert_point(0, true, 1);
	assert_point(1000, true, 2);
	assert_end();
}

static void numbers_may_be_as_large_as_there_is_room_for(void **state)
{
	(void)state;
	assert_course(HEAD "0,18446744073709551615,0\n", 1, 0, UINT64_MAX);
	assert_course(HEAD "0,18446744073709551615.99,0\n", 1, 0, UINT64_MAX);
	assert_none(HEAD "0,18446744073709551616,0\n", "line 2 is damaged");
	assert_none(HEAD "0,99999999999999999999999,0\n", "line 2 is damaged");
	assert_none(HEAD "18446744073709552,9,8\n", "line 2 is damaged");
	assert_none(HEAD "18446744073709551,9,8\n", "line 2 is more than 30 years after the start");
	assert_none(HEAD "946080000.001,9,8\n", "line 2 is more than 30 years after the start");
	assert_course(HEAD "946080000.000,9,8\n", 1, COURSE_MS_MAX, 1);
}

/* ---- What is none ---- */

static void a_headline_has_the_three_columns(void **state)
{
	(void)state;
	assert_none("", LACKS);
	assert_none("\n", LACKS);
	assert_none("0,9,8\n", LACKS);
	assert_none("time_s,left_bytes\n0,9\n", LACKS);
	assert_none("left_bytes,guest_available_bytes\n9,8\n", LACKS);
	assert_none("time_s,guest_available_bytes\n0,8\n", LACKS);
	assert_none("time,left_bytes,guest_available_bytes\n0,9,8\n", LACKS);
	assert_none("\"time_s\",\"left_bytes\",\"guest_available_bytes\"\n0,9,8\n", LACKS);
	assert_none("time_s;left_bytes;guest_available_bytes\n0;9;8\n", LACKS);
}

static void a_column_that_counts_comes_once(void **state)
{
	(void)state;
	assert_none("time_s,time_s,left_bytes,guest_available_bytes\n0,0,9,8\n",
		    "line 1 names a column twice");
	assert_none("time_s,left_bytes,guest_available_bytes,left_bytes\n0,9,8,9\n",
		    "line 1 names a column twice");
	assert_none("guest_available_bytes,time_s,left_bytes,guest_available_bytes\n8,0,9,8\n",
		    "line 1 names a column twice");
	assert_course("guest,time_s,guest,left_bytes,guest_available_bytes\n,0,,9,8\n", 1, 0, 1);
}

/* HEAD with so many columns before its own. */
static void write_wide(char *text, unsigned more, const char *end)
{
	*text = '\0';
	for (unsigned line = 0; line < 2; line++) {
		for (unsigned i = 0; i < more; i++)
			strcat(text, ",");
		strcat(text, line == 0 ? HEAD : end);
	}
}

static void there_is_room_for_64_columns(void **state)
{
	char text[1000];

	(void)state;
	write_wide(text, 61, "1,9,8\n");
	assert_course(text, 1, 1000, 1);
	write_wide(text, 62, "1,9,8\n");
	assert_none(text, "line 1 names too many columns");
}

static void a_course_has_points_and_one_uses_memory(void **state)
{
	(void)state;
	assert_none(HEAD, "line 1 is the last, and none says that memory was used");
	assert_none(HEAD "0,9,9\n1,,8\n", "line 3 is the last, and none says that memory was used");
}

static void a_damaged_line_is_named(void **state)
{
	static const char *const lines[] = {
		"\n",	     "0\n",	    "0,9\n",	 "0,9,8,\n",	"0,9,8,7\n",
		",9,8\n",    ".,9,8\n",	    "-1,9,8\n",	 "+1,9,8\n",	" 1,9,8\n",
		"1 ,9,8\n",  "0x1,9,8\n",   "1e3,9,8\n", "1.2.3,9,8\n", "\"0\",9,8\n",
		"0,nan,8\n", "0,9,-8\n",    "0,9,.\n",	 "0,9k,8\n",	"0,\"9,9\",8\n",
		"0,9\r,8\n", "0,9,8\r\r\n", "0,9,8:\n",	 "0,9,8/\n",	HEAD,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[200];

		snprintf(text, sizeof(text), "%s0,9,8\n%s0,9,8\n", HEAD, lines[i]);
		assert_none(text, "line 3 is damaged");
	}
}

static void a_zero_byte_is_damage(void **state)
{
	static const char text[] = HEAD "0,9,8\n\0,9,8\n";

	(void)state;
	assert_int_equal(open_bytes(text, sizeof(text) - 1), -EINVAL);
	assert_string_equal(why, "line 3 is damaged");
}

static void time_does_not_go_back(void **state)
{
	(void)state;
	assert_none(HEAD "0,9,8\n5,9,8\n4.999,9,8\n", "line 4 goes back in time");
	assert_course(HEAD "5,9,8\n5.000,9,8\n", 2, 5000, 1);
}

/* Only at the end of a line can nobody see that something is missing. */
static void cut_anywhere_it_is_told(void **state)
{
	static const char text[] = HEAD "0.25,4096,96\n17,8192,\n30.5,8192,4000\n";
	size_t head = strlen(HEAD), first = head + strlen("0.25,4096,96\n");

	(void)state;
	for (size_t length = 0; length < strlen(text); length++) {
		bool at_line = text[length - !!length] == '\n';
		int err = open_bytes(text, length);

		if (at_line && length >= first) {
			assert_int_equal(err, 0);
			continue;
		}
		assert_int_equal(err, -EINVAL);
		if (length < head - 1)
			assert_string_equal(why, LACKS);
		else if (length == head)
			assert_non_null(strstr(why, "line 1 is the last"));
		else
			assert_non_null(strstr(why, " is cut: it has no end"));
	}
	assert_course(text, 3, 30500, 4192);
}

#define COURSE_TEST(name) cmocka_unit_test_teardown(name, close_copy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COURSE_TEST(each_line_is_a_point),
		COURSE_TEST(columns_are_found_by_their_names),
		COURSE_TEST(what_nobody_knew_is_not_known),
		COURSE_TEST(a_point_that_is_not_known_is_not_the_most),
		COURSE_TEST(lines_may_end_as_elsewhere),
		COURSE_TEST(numbers_may_be_as_large_as_there_is_room_for),
		COURSE_TEST(a_headline_has_the_three_columns),
		COURSE_TEST(a_column_that_counts_comes_once),
		COURSE_TEST(there_is_room_for_64_columns),
		COURSE_TEST(a_course_has_points_and_one_uses_memory),
		COURSE_TEST(a_damaged_line_is_named),
		COURSE_TEST(a_zero_byte_is_damage),
		COURSE_TEST(time_does_not_go_back),
		COURSE_TEST(cut_anywhere_it_is_told),
	};

	return cmocka_run_group_tests_name("course", tests, NULL, NULL);
}
