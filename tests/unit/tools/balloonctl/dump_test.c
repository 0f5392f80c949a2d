/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/dump.c: its arguments, files that are no dumps, and what it leaves behind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/core_file.h"
#include "tools/balloonctl/balloonctl.h"

#define NOWHERE "/nowhere/a"

static void assert_ends(const struct outcome *end, int status, const char *words)
{
	if (end->status != status)
		fail_msg("status %d: %s%s", end->status, end->out, end->err);
	assert_says(end->err, words);
	assert_string_equal(end->out, "");
}

static void frame_numbers_are_decimal_or_hexadecimal(void **state)
{
	static const char *const good[] = {
		"0", "123", "0x7b", "0xFf", "18446744073709551615", "0xffffffffffffffff"
	};
	static const char *const bad[] = { "",
					   "x",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "0x",
					   "12x",
					   "0x1g",
					   "7b",
					   "0X7b",
					   "0x0x1",
					   "18446744073709551616",
					   "0x10000000000000000" };
	struct outcome end;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		end = run_command(NOWHERE, "dump", "--pfn", good[i], "/nowhere/core", NULL);
		assert_ends(&end, EXIT_BAD_FILE, "/nowhere/core: ");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		end = run_command(NOWHERE, "dump", "--pfn", bad[i], "/nowhere/core", NULL);
		assert_ends(&end, EXIT_USAGE, "is no number of a page frame");
	}
}

static void arguments_say_which_dump(void **state)
{
	struct outcome end = run_command(NOWHERE, "dump", NULL);

	(void)state;
	assert_ends(&end, EXIT_USAGE, "which file?");
	end = run_command(NOWHERE, "dump", "-j", "a", "b", NULL);
	assert_ends(&end, EXIT_USAGE, "'b' is too much");
	end = run_command(NOWHERE, "dump", "--live", "a", NULL);
	assert_ends(&end, EXIT_USAGE, "'a' is too much");
}

static void memory_without_a_guest_in_it_is_no_dump(void **state)
{
	static const char zeros[4096];
	struct core_piece piece = { .paddr = 0, .data = zeros, .size = sizeof(zeros) };
	int fd = core_file_make(&piece, 1);
	struct outcome end;
	char path[32];

	(void)state;
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	end = run_command(NULL, "dump", path, NULL);
	assert_ends(&end, EXIT_BAD_FILE, "no Aerostat is in this memory");
	close(fd);
	end = run_command(NULL, "dump", "/bin/true", NULL);
	assert_ends(&end, EXIT_BAD_FILE, "no core");
}

static void live_dump_needs_a_folder(void **state)
{
	const struct fake_qemu qemu = { 0 };
	char deep[400];
	struct outcome end;

	(void)state;
	setenv("TMPDIR", "/nowhere", 1);
	end = RUN_AGAINST(&qemu, "dump", "--live");
	assert_ends(&end, EXIT_WRONG, "cannot make a folder in /nowhere");
	assert_true(strchr(end.err, '\n') == end.err + strlen(end.err) - 1);
	memset(deep, 'x', sizeof(deep) - 1);
	deep[0] = '/';
	deep[sizeof(deep) - 1] = '\0';
	setenv("TMPDIR", deep, 1);
	end = RUN_AGAINST(&qemu, "dump", "--live");
	assert_ends(&end, EXIT_WRONG, "TMPDIR is too long");
	/* And nothing else: no dump was asked for. */
	assert_true(strchr(end.err, '\n') == end.err + strlen(end.err) - 1);
	unsetenv("TMPDIR");
}

static void live_dump_leaves_nothing_behind(void **state)
{
	const struct fake_answer refuses[] = {
		{ .asks = "dump-guest-memory", .error = "GenericError" }, { .asks = NULL }
	};
	const struct fake_qemu qemu = { 0 }, other = { .answers = refuses };
	char dir[] = "/tmp/balloonctl-XXXXXX";
	struct outcome end;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("TMPDIR", dir, 1);
	/* It says that it has written a file. */
	end = RUN_AGAINST(&qemu, "dump", "--live");
	assert_ends(&end, EXIT_BAD_FILE, "/core: No such file");
	assert_says(end.err, dir);
	end = RUN_AGAINST(&other, "dump", "--live");
	assert_ends(&end, EXIT_WRONG, "QEMU refuses 'dump-guest-memory'");
	unsetenv("TMPDIR");
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(arguments_say_which_dump),
		cmocka_unit_test(memory_without_a_guest_in_it_is_no_dump),
		cmocka_unit_test(live_dump_needs_a_folder),
		cmocka_unit_test(live_dump_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("balloonctl/dump", tests, NULL, NULL);
}
