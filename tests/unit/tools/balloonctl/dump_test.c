/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/dump.c and live.c: arguments, files that are no dumps, and how a guest is
 * left that was read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/core_file.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/live.h"
#include "tools/deadline.h"

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

/* ---- --live ---- */

/* Whether the guest of a fake runs, as its status says. */
static bool runs(const struct fake_place *place)
{
	struct outcome end = run_command(place->path, "status", "--json", NULL);

	assert_int_equal(end.status, EXIT_REACHED);
	return strstr(end.out, "\"paused\":false");
}

static void guest_that_is_read_is_left_as_it_was(void **state)
{
	const struct fake_qemu guests[] = { { .paused = false }, { .paused = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_place place;
		struct outcome end;

		fake_qemu_start(&guests[i], &place);
		end = run_command(place.path, "dump", "--live", NULL);
		assert_ends(&end, EXIT_BAD_FILE, "no Aerostat is in this memory");
		assert_says(end.err, place.path);
		assert_int_equal(runs(&place), !guests[i].paused);
		fake_qemu_stop(&place);
	}
}

/* Nobody knows whether it runs: it is not made to. */
static void guest_of_unknown_state_is_left_alone(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 1, .error = "GenericError" }, { .asks = NULL }
	};
	const struct fake_qemu qemu = { .answers = answers };
	const struct fake_answer halted[] = { { .asks = "\"cont\"", .hang_up = true },
					      { .asks = NULL } };
	const struct fake_qemu paused = { .paused = true, .answers = halted };
	struct outcome end = RUN_AGAINST(&qemu, "dump", "--live");

	(void)state;
	assert_ends(&end, EXIT_WRONG, "QEMU refuses 'query-status'");
	assert_null(strstr(end.err, "stands still"));
	/* And one that stands still is never told to run. */
	end = RUN_AGAINST(&paused, "dump", "--live");
	assert_ends(&end, EXIT_BAD_FILE, "no Aerostat is in this memory");
}

/* It would write into a file of somebody else. */
static void qemu_in_a_container_gets_no_file(void **state)
{
	const struct fake_qemu qemu = { .elsewhere = true };
	struct fake_place place;
	struct outcome end;

	(void)state;
	fake_qemu_start(&qemu, &place);
	/* Not every user may make one. */
	if (place.is_elsewhere) {
		end = run_command(place.path, "dump", "--live", NULL);
		assert_ends(&end, EXIT_WRONG, "QEMU does not see this program (a container?)");
		assert_true(runs(&place));
	}
	fake_qemu_stop(&place);
}

static void assert_live_fails(const char *asks, const struct fake_answer *answer, int status,
			      const char *words)
{
	struct fake_answer answers[] = { *answer, { .asks = NULL } };
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome end;

	answers[0].asks = asks;
	end = RUN_AGAINST(&qemu, "dump", "--live");
	assert_ends(&end, status, words);
	/* One complaint. */
	assert_true(strchr(end.err, '\n') == end.err + strlen(end.err) - 1);
}

static void reading_that_fails_says_why(void **state)
{
	const struct fake_answer refuses = { .error = "GenericError" };
	const struct fake_answer dies = { .hang_up = true }, lies = { .value = "{}" };

	(void)state;
	assert_live_fails("pmemsave", &refuses, EXIT_WRONG, "QEMU refuses 'pmemsave'");
	assert_live_fails("pmemsave", &lies, EXIT_WRONG, "0 bytes of memory instead of ");
	assert_live_fails("\"stop\"", &refuses, EXIT_WRONG, "QEMU refuses 'stop'");
	assert_live_fails("\"cont\"", &refuses, EXIT_WRONG,
			  "QEMU refuses 'cont': no; the guest stands still, and could not be told");
	assert_live_fails("pmemsave", &dies, EXIT_NO_CONNECT, "closed the connection");
}

static struct live *open_live(const struct fake_qemu *qemu, struct fake_place *place,
			      struct guest **guest)
{
	struct live *live;
	char *error;

	fake_qemu_start(qemu, place);
	if (guest_open(place->path, deadline_in(60000), guest, &error))
		fail_msg("%s", error);
	assert_int_equal(live_open(*guest, 60000, &live), 0);
	return live;
}

static void close_live(struct live *live, struct guest *guest, struct fake_place *place)
{
	guest_close(guest);
	live_close(live);
	fake_qemu_stop(place);
}

static void only_what_is_asked_for_is_read_and_once(void **state)
{
	const struct fake_qemu qemu = { 0 };
	struct fake_place place;
	struct live_tally tally;
	struct guest *guest;
	struct live *live = open_live(&qemu, &place, &guest);
	const struct core *core = live_core(live);
	uint8_t bytes[8];
	unsigned stands;

	(void)state;
	assert_int_equal(core_read(core, 0, bytes, 8), 0);
	assert_memory_equal(bytes, "ZZZZZZZZ", 8);
	assert_int_equal(core_read(core, 4096, bytes, 8), 0);
	/* Half in one piece, half in the next. */
	assert_int_equal(core_read(core, (1ull << 40) - 4, bytes, 8), 0);
	assert_memory_equal(bytes, "ZZZZZZZZ", 8);
	/* A device, and beyond all memory. */
	assert_int_equal(core_read(core, 0xa0000, bytes, 8), -EFAULT);
	assert_int_equal(core_read(core, 0x9fffc, bytes, 8), -EFAULT);
	assert_int_equal(core_read(core, 0xbffff, bytes, 1), -EFAULT);
	assert_int_equal(core_read(core, 0xc0000, bytes, 8), 0);
	assert_int_equal(core_read(core, (1ull << 52) - 8, bytes, 8), 0);
	assert_int_equal(core_read(core, (1ull << 52) - 4, bytes, 8), -EFAULT);
	assert_int_equal(core_read(core, UINT64_MAX - 3, bytes, 8), -EFAULT);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_int_equal(tally.bytes, 5 * GUEST_PEEK_MAX);
	/* How often depends on how long reading took; live_clock_test.c has a clock for that. */
	stands = tally.stands;
	assert_true(stands >= 1);
	live_forget(live);
	assert_int_equal(core_read(core, 0, bytes, 8), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_int_equal(tally.bytes, 6 * GUEST_PEEK_MAX);
	assert_true(tally.stands > stands);
	close_live(live, guest, &place);
}

/* Each piece takes more than half of what it may stand still. */
static void guest_runs_between_when_reading_takes_long(void **state)
{
	const struct fake_qemu qemus[] = { { .peek_ms = 70 }, { .peek_ms = 70, .paused = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_place place;
		struct live_tally tally;
		struct guest *guest;
		struct live *live = open_live(&qemus[i], &place, &guest);
		uint8_t byte;

		for (uint64_t piece = 0; piece < 4; piece++)
			assert_int_equal(core_read(live_core(live), (piece + 9) << 20, &byte, 1),
					 0);
		assert_int_equal(live_finish(live, &tally), 0);
		/* One that did not run is not made to. */
		assert_int_equal(tally.stands, qemus[i].paused ? 0 : 4);
		assert_true(qemus[i].paused ? tally.ms_max == 0 : tally.ms_max >= 70);
		guest_close(guest);
		guest = NULL;
		assert_int_equal(runs(&place), !qemus[i].paused);
		close_live(live, guest, &place);
	}
}

/* Runs it in a process that the fake sends a signal to; gives how that ended. */
static int read_with_signal(const struct fake_place *place, char *said, size_t size)
{
	const struct common common = { .guest = place->path };
	char *argv[] = { (char[]){ "dump" }, (char[]){ "--live" }, NULL };
	int ends[2], status;
	size_t length = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		_exit(command_run(command_find("dump"), &common, 2, argv));
	}
	close(ends[1]);
	while ((n = read(ends[0], said + length, size - 1 - length)) > 0)
		length += (size_t)n;
	said[length] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void signal_lets_the_guest_run_on(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct fake_answer answers[] = {
			{ .asks = "pmemsave", .times = 1 },
			{ .asks = "pmemsave", .times = 1, .signal = numbers[i] },
			{ .asks = NULL },
		};
		const struct fake_qemu qemu = { .answers = answers };
		struct fake_place place;
		char said[400];
		int status;

		fake_qemu_start(&qemu, &place);
		status = read_with_signal(&place, said, sizeof(said));
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), numbers[i]);
		assert_says(said, "interrupted: the guest is left as it was, no file is left");
		assert_true(runs(&place));
		fake_qemu_stop(&place);
	}
}

/* As under nohup(1). */
static void signal_that_is_ignored_ends_no_reading(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "pmemsave", .times = 1, .signal = SIGHUP },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome end;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	end = RUN_AGAINST(&qemu, "dump", "--live");
	assert_ends(&end, EXIT_BAD_FILE, "no Aerostat is in this memory");
	assert_true(signal(SIGHUP, SIG_DFL) == SIG_IGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(arguments_say_which_dump),
		cmocka_unit_test(memory_without_a_guest_in_it_is_no_dump),
		cmocka_unit_test(guest_that_is_read_is_left_as_it_was),
		cmocka_unit_test(guest_of_unknown_state_is_left_alone),
		cmocka_unit_test(qemu_in_a_container_gets_no_file),
		cmocka_unit_test(reading_that_fails_says_why),
		cmocka_unit_test(only_what_is_asked_for_is_read_and_once),
		cmocka_unit_test(guest_runs_between_when_reading_takes_long),
		cmocka_unit_test(signal_lets_the_guest_run_on),
		cmocka_unit_test(signal_that_is_ignored_ends_no_reading),
	};

	return cmocka_run_group_tests_name("balloonctl/dump", tests, NULL, NULL);
}
