/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/course.c, record.c and plot.c: what was written is read
 * again, what is no course is refused with the line that is wrong.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/course.h"

static char folder[] = "/tmp/balloonctl-XXXXXX";
static char csv[64], svg[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(csv, sizeof(csv), "%s/a.csv", folder);
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(csv);
	unlink(svg);
	return 0;
}

/* Fails if a temporary file was left behind. */
static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* ---- course ---- */

static int read_text(const char *text, size_t len, struct course *course, char *error)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, len, "r");
	int err;

	assert_non_null(file);
	err = course_read(file, COURSE_ROWS_MAX, course, error);
	fclose(file);
	return err;
}

static void what_was_written_is_read_again(void **state)
{
	struct course_row row = { .values = { [COURSE_TIME] = 1.25, [COURSE_RAM] = 8.0 * 0x1p30 } };
	struct course course;
	char text[1024] = "", error[COURSE_ERROR];
	FILE *file = fmemopen(text, sizeof(text), "w");

	(void)state;
	row.values[COURSE_FREE] = NAN;
	course_write_head(file);
	course_write_row(file, &row, "a,b\"\n");
	course_write_row(file, &row, "c");
	fclose(file);
	assert_int_equal(read_text(text, strlen(text), &course, error), 0);
	assert_int_equal(course.count, 2);
	assert_string_equal(course.guest, "a\\x2cb\\x22\\x0a");
	for (int i = 0; i < COURSE_COLUMNS; i++)
		if (i == COURSE_FREE)
			assert_true(isnan(course.rows[1].values[i]));
		else
			assert_true(course.rows[1].values[i] == row.values[i]);
	course_free(&course);
}

static void columns_may_be_absent_in_another_order_or_foreign(void **state)
{
	static const char text[] = "note,left_bytes,time_s\r\nhello,4096,0\n,,1e1\nx,8192,11\n";
	char error[COURSE_ERROR];
	struct course course;

	(void)state;
	assert_int_equal(read_text(text, strlen(text), &course, error), 0);
	assert_int_equal(course.count, 3);
	assert_true(course.rows[0].values[COURSE_LEFT] == 4096);
	assert_true(isnan(course.rows[1].values[COURSE_LEFT]));
	assert_true(course.rows[1].values[COURSE_TIME] == 10);
	assert_true(isnan(course.rows[2].values[COURSE_RAM]));
	course_free(&course);
}

static void what_is_no_course_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "\n", "line 1: there is no column time_s" },
		{ "left_bytes\n1\n", "line 1: there is no column time_s" },
		{ "time_s,time_s\n", "line 1: two columns time_s" },
		{ "time_s,left_bytes\n0,1\n1\n", "line 3: 1 fields, but the headline has 2" },
		{ "time_s\n0,1\n", "line 2: 2 fields, but the headline has 1" },
		{ "time_s\n0\n\n", "line 3: there is no time_s" },
		{ "time_s,left_bytes\n0,1\n1,x\n", "line 3: 'x' is no left_bytes" },
		{ "time_s,left_bytes\n0,-1\n", "line 2: '-1' is no left_bytes" },
		{ "time_s,left_bytes\n0,0x10\n", "line 2: '0x10' is no left_bytes" },
		{ "time_s,left_bytes\n0,nan\n", "line 2: 'nan' is no left_bytes" },
		{ "time_s,left_bytes\n0,1e999\n", "line 2: '1e999' is no left_bytes" },
		{ "time_s,left_bytes\n0, 1\n", "line 2: ' 1' is no left_bytes" },
		{ "time_s\n5\n4\n", "line 3: time goes back, from 5 s to 4 s" },
	};
	char error[COURSE_ERROR];
	struct course course;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_text(bad[i].text, strlen(bad[i].text), &course, error),
				 -EINVAL);
		assert_says(error, bad[i].error);
	}
	assert_int_equal(read_text("time_s\n0\0\n", 10, &course, error), -EINVAL);
	assert_string_equal(error, "line 2: not a text");
}

static void file_of_many_columns_is_refused(void **state)
{
	char text[200], error[COURSE_ERROR];
	struct course course;

	(void)state;
	memset(text, ',', sizeof(text));
	assert_int_equal(read_text(text, sizeof(text), &course, error), -EINVAL);
	assert_says(error, "line 1: more than 64 columns");
}

/* ---- plot ---- */

static struct outcome plot(const char *text)
{
	write_file(csv, text, strlen(text));
	return run_command(NULL, "plot", csv, "-o", svg, NULL);
}

static void plot_draws_what_is_known(void **state)
{
	char text[16384];
	struct outcome end = plot("time_s,left_bytes,guest_free_bytes\n0,1073741824,\n"
				  "60,536870912,\n");

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	assert_string_equal(end.err, "");
	read_file(svg, text, sizeof(text));
	assert_says(text, "left to the guest");
	assert_says(text, "M82.0 144.0L776.0 264.0");
	assert_null(strstr(text, "free in the guest"));
	assert_null(strstr(text, "target"));
}

/* The first line's; one that is too long for a picture is left out. */
static void plot_has_the_name_of_the_guest(void **state)
{
	char text[16384], long_name[400];

	(void)state;
	assert_int_equal(plot("time_s,left_bytes,guest\n0,1,web\n1,2,db\n").status, EXIT_REACHED);
	read_file(svg, text, sizeof(text));
	assert_says(text, "<title>Memory of web</title>");
	assert_int_equal(run_command(NULL, "plot", csv, "-o", svg, "--title", "Other", NULL).status,
			 EXIT_REACHED);
	read_file(svg, text, sizeof(text));
	assert_says(text, "<title>Other</title>");
	snprintf(long_name, sizeof(long_name), "guest,time_s,left_bytes\n%0200d,0,1\n", 7);
	assert_int_equal(plot(long_name).status, EXIT_REACHED);
	read_file(svg, text, sizeof(text));
	assert_null(strstr(text, "<title>"));
}

/* What became known only later is drawn from then on. */
static void plot_draws_what_begins_late(void **state)
{
	struct outcome end = plot("time_s,left_bytes,guest_free_bytes,guest\n"
				  "0,1073741824,,x\n30,,,x\n60,536870912,268435456,x\n");
	char text[16384];

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	read_file(svg, text, sizeof(text));
	assert_says(text, "<title>Memory of x</title>");
	assert_says(text, "free in the guest");
	assert_says(text, "\"M776.0 ");
}

static void plot_tells_what_is_wrong_and_keeps_the_old_picture(void **state)
{
	char text[64];
	struct outcome end;

	(void)state;
	write_file(svg, "old", 3);
	end = plot("time_s,left_bytes\n0,1\n1,x\n");
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "a.csv: line 3: 'x' is no left_bytes");
	end = plot("");
	assert_says(end.err, "a.csv: the file is empty");
	end = plot("time_s,left_bytes\n");
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "nothing to be drawn");
	end = run_command(NULL, "plot", "/nowhere/a.csv", "-o", svg, NULL);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "/nowhere/a.csv: No such file");
	read_file(svg, text, sizeof(text));
	assert_string_equal(text, "old");
	/* No half of a new one is left, either. */
	unlink(svg);
	unlink(csv);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void plot_wants_an_input_and_an_output(void **state)
{
	struct outcome end = run_command(NULL, "plot", "a.csv", NULL);

	(void)state;
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "-o OUT.svg is wanted");
	end = run_command(NULL, "plot", "-o", "a.svg", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	end = run_command(NULL, "plot", "a", "b", "-o", "a.svg", NULL);
	assert_says(end.err, "'b' is too much");
	write_file(csv, "time_s,left_bytes\n0,1\n", 22);
	end = run_command(NULL, "plot", csv, "-o", "/nowhere/a.svg", NULL);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "/nowhere/a.svg: ");
}

/* ---- record ---- */

static void record_writes_a_line_for_each_look(void **state)
{
	struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct outcome end = RUN_AGAINST(&qemu, "record", csv, "--interval", "0.1", "--for", "1");
	char text[16384], error[COURSE_ERROR];
	struct course course;

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	assert_string_equal(end.err, "");
	read_file(csv, text, sizeof(text));
	assert_int_equal(read_text(text, strlen(text), &course, error), 0);
	assert_true(course.count >= 1);
	assert_true(course.rows[0].values[COURSE_TIME] == 0);
	assert_true(course.rows[0].values[COURSE_LEFT] == (double)(768 * MIB));
	assert_true(course.rows[0].values[COURSE_TAKEN] == (double)(256 * MIB));
	assert_true(course.rows[0].values[COURSE_HOST] > 0);
	/* It never sent any. */
	assert_true(isnan(course.rows[0].values[COURSE_FREE]));
	assert_int_equal(strncmp(course.guest, "/tmp/balloonctl-", 16), 0);
	course_free(&course);
}

static void record_does_not_wait_for_a_reader(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct outcome end;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(csv, 0600), 0);
	alarm(60);
	end = RUN_AGAINST(&qemu, "record", csv, "--for", "0", "--force");
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "a.csv: nobody reads there");
	/* To one that is there it writes as to any file, and waits if it has to. */
	fd = open(csv, O_RDONLY | O_NONBLOCK);
	end = RUN_AGAINST(&qemu, "record", csv, "--for", "0", "--force");
	alarm(0);
	assert_int_equal(end.status, EXIT_REACHED);
	assert_int_equal(read(fd, end.out, 7), 7);
	assert_memory_equal(end.out, "time_s,", 7);
	close(fd);
}

static void record_overwrites_only_by_force(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct outcome end;
	char text[16384];

	(void)state;
	write_file(csv, "precious", 8);
	end = RUN_AGAINST(&qemu, "record", csv, "--for", "0");
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "is there already; --force overwrites it");
	read_file(csv, text, sizeof(text));
	assert_string_equal(text, "precious");
	end = RUN_AGAINST(&qemu, "record", csv, "--for", "0", "--force");
	assert_int_equal(end.status, EXIT_REACHED);
	read_file(csv, text, sizeof(text));
	assert_int_equal(strncmp(text, "time_s,", 7), 0);
}

static void record_without_a_guest_leaves_no_file(void **state)
{
	struct fake_qemu qemu = { .no_device = true };
	struct outcome end = run_command("/nowhere/a.qmp", "record", csv, NULL);

	(void)state;
	assert_int_equal(end.status, EXIT_NO_CONNECT);
	assert_int_equal(access(csv, F_OK), -1);
	end = RUN_AGAINST(&qemu, "record", csv);
	assert_int_equal(end.status, EXIT_NO_DEVICE);
	assert_int_equal(access(csv, F_OK), -1);
}

static void record_needs_no_balloon_to_see_growth(void **state)
{
	const struct fake_mem mem = { .id = "m0", .block = MIB, .region = MIB, .requested = MIB };
	const struct fake_qemu qemu = { .no_device = true, .mems = &mem, .nr_mems = 1 };
	struct outcome end = RUN_AGAINST(&qemu, "record", csv, "--for", "1");
	char text[1024];

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	assert_string_equal(end.err, "");
	read_file(csv, text, sizeof(text));
	assert_says(text, ",1074790400,0,,,,");
	assert_says(text, ",1073741824,0,1048576,1048576,");
}

static void record_ends_with_its_guest(void **state)
{
	static const struct fake_answer answers[] = {
		{ .asks = "query-balloon", .times = 3, .value = "{\"actual\": 1073741824}" },
		{ .asks = "query-balloon", .hang_up = true },
		{ 0 },
	};
	struct fake_qemu qemu = { .answers = answers };
	struct outcome end = RUN_AGAINST(&qemu, "record", csv, "--interval", "0.1");
	char text[16384];
	unsigned lines = 0;

	(void)state;
	assert_int_equal(end.status, EXIT_NO_CONNECT);
	assert_true(strlen(end.err) > 0);
	read_file(csv, text, sizeof(text));
	for (char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	/* One look was at the start, whether there is a guest at all. */
	assert_int_equal(lines, 1 + 2);
}

static void record_to_standard_output_is_the_same(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct outcome end = RUN_AGAINST(&qemu, "record", "-", "--for", "1");

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	assert_says(end.out, "time_s,unix_time_s,ram_bytes,");
	assert_says(end.out, "\n0.000,");
}

static void record_refuses_odd_arguments(void **state)
{
	static const char *const bad[] = { "0", "0.05", "3601", "x", "1x", "", "-1", "1e1", "inf" };
	struct outcome end;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		end = run_command("/nowhere/a", "record", csv, "--interval", bad[i], NULL);
		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, "seconds are wanted, 0.1 to 3600");
	}
	end = run_command(NULL, "record", csv, "--for", "1.5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	end = run_command(NULL, "record", NULL);
	assert_says(end.err, "which FILE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(columns_may_be_absent_in_another_order_or_foreign),
		cmocka_unit_test(what_is_no_course_is_refused_with_its_line),
		cmocka_unit_test(file_of_many_columns_is_refused),
		cmocka_unit_test_teardown(plot_draws_what_is_known, remove_files),
		cmocka_unit_test_teardown(plot_has_the_name_of_the_guest, remove_files),
		cmocka_unit_test_teardown(plot_draws_what_begins_late, remove_files),
		cmocka_unit_test_teardown(plot_tells_what_is_wrong_and_keeps_the_old_picture,
					  remove_files),
		cmocka_unit_test_teardown(plot_wants_an_input_and_an_output, remove_files),
		cmocka_unit_test_teardown(record_writes_a_line_for_each_look, remove_files),
		cmocka_unit_test_teardown(record_does_not_wait_for_a_reader, remove_files),
		cmocka_unit_test_teardown(record_overwrites_only_by_force, remove_files),
		cmocka_unit_test_teardown(record_without_a_guest_leaves_no_file, remove_files),
		cmocka_unit_test_teardown(record_needs_no_balloon_to_see_growth, remove_files),
		cmocka_unit_test_teardown(record_ends_with_its_guest, remove_files),
		cmocka_unit_test_teardown(record_to_standard_output_is_the_same, remove_files),
		cmocka_unit_test_teardown(record_refuses_odd_arguments, remove_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
