/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/course.c by itself: files that do not end well, and what is told of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/course.h"

static struct course course;
static char error[COURSE_ERROR];

static int read_rows(const char *text, size_t rows_max)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int err;

	assert_non_null(file);
	err = course_read(file, rows_max, &course, error);
	fclose(file);
	return err;
}

static void assert_wrong(const char *text, const char *why)
{
	assert_int_equal(read_rows(text, COURSE_ROWS_MAX), -EINVAL);
	assert_string_equal(error, why);
	assert_null(course.rows);
	assert_int_equal(course.count, 0);
}

/* ---- a file that breaks off ---- */

struct broken {
	const char *text; /* until it breaks off */
	int err;
};

static ssize_t read_broken(void *context, char *to, size_t size)
{
	struct broken *broken = context;
	size_t length = strlen(broken->text);

	if (!length) {
		errno = broken->err;
		return -1;
	}
	length = length < size ? length : size;
	memcpy(to, broken->text, length);
	broken->text += length;
	return (ssize_t)length;
}

static int read_until_it_breaks(const char *text, int err)
{
	struct broken broken = { .text = text, .err = err };
	FILE *file = fopencookie(&broken, "r", (cookie_io_functions_t){ .read = read_broken });
	int got;

	assert_non_null(file);
	got = course_read(file, COURSE_ROWS_MAX, &course, error);
	fclose(file);
	return got;
}

/* What was read before is not taken for all of it. */
static void file_that_breaks_off_is_no_course(void **state)
{
	(void)state;
	assert_int_equal(read_until_it_breaks("", EIO), -EIO);
	assert_string_equal(error, "cannot be read: Input/output error");
	assert_int_equal(read_until_it_breaks("time_s\n0\n1\n", ESTALE), -ESTALE);
	assert_string_equal(error, "line 3: cannot be read: Stale file handle");
	assert_null(course.rows);
	assert_int_equal(course.count, 0);
}

static void last_line_needs_no_end(void **state)
{
	(void)state;
	assert_int_equal(read_rows("time_s,guest\n0,web\n1.5,web", COURSE_ROWS_MAX), 0);
	assert_int_equal(course.count, 2);
	assert_true(course.rows[1].values[COURSE_TIME] == 1.5);
	assert_string_equal(course.guest, "web");
	course_free(&course);
	assert_null(course.rows);
	assert_int_equal(course.count, 0);
	assert_string_equal(course.guest, "");
	assert_int_equal(read_rows("time_s", COURSE_ROWS_MAX), 0);
	assert_int_equal(course.count, 0);
}

/* ---- what a line has too much or too little of ---- */

static void field_too_many_is_not_read(void **state)
{
	(void)state;
	/* Whatever is in it. */
	assert_wrong("time_s\n0,x\n", "line 2: 2 fields, but the headline has 1");
	assert_wrong("left_bytes,time_s\n0,1\n0,2,nan,-\n",
		     "line 3: 4 fields, but the headline has 2");
	assert_wrong("time_s,left_bytes\n0,1\n1\n", "line 3: 1 fields, but the headline has 2");
}

static void complaint_shows_the_beginning_of_a_long_field(void **state)
{
	(void)state;
	assert_wrong("time_s\n0123456789012345678901234567890123456789x\n",
		     "line 2: '0123456789012345678901234567890123456789' is no time_s: "
		     "a number from 0 on is wanted");
}

static void columns_are_sixty_four_at_most(void **state)
{
	char text[128] = "time_s";

	(void)state;
	memset(text + strlen(text), ',', 63);
	assert_int_equal(read_rows(text, COURSE_ROWS_MAX), 0);
	strcat(text, ",");
	assert_wrong(text, "line 1: more than 64 columns");
}

/* Its name would not fit: 79 characters do. */
static void guest_is_the_one_of_the_first_line(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(read_rows("guest,time_s\na,0\nb,1\n", COURSE_ROWS_MAX), 0);
	assert_string_equal(course.guest, "a");
	course_free(&course);
	assert_int_equal(read_rows("time_s,host\n0,a\n", COURSE_ROWS_MAX), 0);
	assert_string_equal(course.guest, "");
	course_free(&course);
	for (int length = 79; length <= 80; length++) {
		snprintf(text, sizeof(text), "guest,time_s\n%0*d,0\n", length, 1);
		assert_int_equal(read_rows(text, COURSE_ROWS_MAX), 0);
		assert_int_equal(strlen(course.guest), length == 79 ? 79 : 0);
		course_free(&course);
	}
}

static void time_may_stand_still_but_not_go_back(void **state)
{
	(void)state;
	assert_int_equal(read_rows("time_s\n1\n1\n2\n", COURSE_ROWS_MAX), 0);
	assert_int_equal(course.count, 3);
	course_free(&course);
	assert_wrong("time_s\n1\n2\n1.5\n", "line 4: time goes back, from 2 s to 1.5 s");
}

/* ---- how much ---- */

static void endless_file_ends_with_an_error(void **state)
{
	(void)state;
	assert_int_equal(read_rows("time_s\n0\n1\n2\n", 3), 0);
	assert_int_equal(course.count, 3);
	course_free(&course);
	assert_int_equal(read_rows("time_s\n0\n1\n2\n3\n", 3), -EINVAL);
	assert_string_equal(error, "line 5: more than 3 lines");
	assert_null(course.rows);
	/* A year, at one every three seconds, is not too much. */
	assert_true(COURSE_ROWS_MAX > 365 * 24 * 1200);
}

static void rows_are_all_kept(void **state)
{
	char text[4096] = "time_s\n", *at = text + strlen(text);

	(void)state;
	for (int i = 0; i < 100; i++)
		at += sprintf(at, "%d\n", i);
	assert_int_equal(read_rows(text, COURSE_ROWS_MAX), 0);
	assert_int_equal(course.count, 100);
	for (size_t i = 0; i < 100; i++) {
		assert_true(course.rows[i].values[COURSE_TIME] == (double)i);
		assert_true(isnan(course.rows[i].values[COURSE_RAM]));
	}
	course_free(&course);
}

static void memory_that_is_short_is_told(void **state)
{
	(void)state;
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(read_rows("time_s\n0\n1\n2\n", COURSE_ROWS_MAX), -ENOMEM);
	assert_string_equal(failed_call(), "realloc");
	assert_string_equal(error, "line 2: out of memory");
	fail_nth(FAILING_MEMORY, 2);
	assert_int_equal(read_rows("time_s\n0\n1\n2\n", COURSE_ROWS_MAX), -ENOMEM);
	assert_string_equal(error, "line 3: out of memory");
	fail_nth(FAILING_MEMORY, 0);
	assert_null(course.rows);
	assert_int_equal(course.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_that_breaks_off_is_no_course),
		cmocka_unit_test(last_line_needs_no_end),
		cmocka_unit_test(field_too_many_is_not_read),
		cmocka_unit_test(complaint_shows_the_beginning_of_a_long_field),
		cmocka_unit_test(columns_are_sixty_four_at_most),
		cmocka_unit_test(guest_is_the_one_of_the_first_line),
		cmocka_unit_test(time_may_stand_still_but_not_go_back),
		cmocka_unit_test(endless_file_ends_with_an_error),
		cmocka_unit_test(rows_are_all_kept),
		cmocka_unit_test(memory_that_is_short_is_told),
	};

	return cmocka_run_group_tests_name("balloonctl/course", tests, NULL, NULL);
}
