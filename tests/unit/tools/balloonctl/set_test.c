/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl set, take, give and their --wait against a fake QEMU: the exit
 * status tells the truth, whatever the guest and QEMU do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"

#define HALF "512M"
#define LEFTS(...) \
	.lefts = (const int64_t[]){ __VA_ARGS__ }, \
	.nr_lefts = sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)
#define ANSWER(...) \
	.answers = (const struct fake_answer[]) \
	{ \
		{ __VA_ARGS__ }, { .asks = NULL }, \
	}

/* ---- what a size means ---- */

static void assert_target(const struct fake_qemu *qemu, const char *command, const char *size,
			  const char *target)
{
	struct outcome got = RUN_AGAINST(qemu, command, size);

	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, target);
}

static void set_is_left_and_take_is_taken(void **state)
{
	const struct fake_qemu qemu = { 0 };

	(void)state;
	assert_target(&qemu, "set", "768M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "take", "256M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "take", "0", "Target       1.000 GiB left       0 B taken\n");
	assert_target(&qemu, "set", "1G", "Target       1.000 GiB left       0 B taken\n");
	assert_target(&qemu, "set", "0.75G", "Actual       768.0 MiB left   256.0 MiB taken\n");
}

static void give_is_relative_to_what_is_left_now(void **state)
{
	const struct fake_qemu qemu = { .left_before = 512 * MIB };

	(void)state;
	assert_target(&qemu, "give", "256M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "give", "512M", "Target       1.000 GiB left       0 B taken\n");
	assert_target(&qemu, "give", "0", "Target       512.0 MiB left   512.0 MiB taken\n");
}

static void signs_are_relative_to_what_is_now(void **state)
{
	const struct fake_qemu qemu = { .left_before = 512 * MIB };

	(void)state;
	assert_target(&qemu, "set", "+256M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "set", "-256M", "Target       256.0 MiB left   768.0 MiB taken\n");
	assert_target(&qemu, "take", "+256M", "Target       256.0 MiB left   768.0 MiB taken\n");
	assert_target(&qemu, "take", "-256M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "give", "+256M", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "take", "-512M", "Target       1.000 GiB left       0 B taken\n");
}

static void shares_are_of_all_ram(void **state)
{
	const struct fake_qemu qemu = { .left_before = 512 * MIB };

	(void)state;
	assert_target(&qemu, "set", "75%", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "take", "75%", "Target       256.0 MiB left   768.0 MiB taken\n");
	assert_target(&qemu, "set", "-12.5%", "Target       384.0 MiB left   640.0 MiB taken\n");
	assert_target(&qemu, "take", "+12.5%", "Target       384.0 MiB left   640.0 MiB taken\n");
	assert_target(&qemu, "give", "25%", "Target       768.0 MiB left   256.0 MiB taken\n");
	assert_target(&qemu, "set", "33.3%", "Target       341.0 MiB left   683.0 MiB taken\n");
}

static void all_is_all_that_can_be(void **state)
{
	const struct fake_qemu qemu = { .left_before = 512 * MIB };

	(void)state;
	assert_target(&qemu, "set", "--all", "Target       1.000 GiB left       0 B taken\n");
	assert_target(&qemu, "give", "--all", "Target       1.000 GiB left       0 B taken\n");
	assert_target(&qemu, "take", "--all", "Target       4.000 KiB left   1.000 GiB taken\n");
}

/* Wherever it stands, and whatever is beside it. */
static void minus_is_no_option(void **state)
{
	const struct fake_qemu qemu = { .left_before = 512 * MIB };
	struct outcome got = RUN_AGAINST(&qemu, "set", "-256M", "--wait", "--patience=3");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Actual       256.0 MiB left");
	got = RUN_AGAINST(&qemu, "set", "--wait", "-256M", "--json");
	assert_int_equal(got.status, EXIT_REACHED);
	got = RUN_AGAINST(&qemu, "set", "--wait", "--", "-256M");
	assert_int_equal(got.status, EXIT_REACHED);
	got = RUN_AGAINST(&qemu, "set", "-x256M");
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "-x is not understood");
	got = RUN_AGAINST(&qemu, "set", "1G", "--", "--wait");
	assert_says(got.err, "'1G --wait' is more than one amount");
}

static void sizes_are_rounded_for_the_guest(void **state)
{
	const struct fake_qemu qemu = { 0 };

	(void)state;
	assert_target(&qemu, "set", "1", "Target       4.000 KiB left");
	assert_target(&qemu, "set", "4097", "Target       8.000 KiB left");
	assert_target(&qemu, "take", "4097", "1.000 GiB left   4.000 KiB taken");
	assert_target(&qemu, "take", "4095", "1.000 GiB left       0 B taken");
}

/* Whole pages would be more than there is. */
static void memory_of_odd_size_can_be_left_whole(void **state)
{
	const struct fake_qemu qemu = {
		ANSWER(.asks = "query-memory-size-summary",
		       .value = "{\"base-memory\": 1073741825, \"plugged-memory\": 0}")
	};

	(void)state;
	assert_target(&qemu, "set", "1073741825", "Actual       1.000 GiB left       0 B taken\n");
}

static void assert_refused(const struct fake_qemu *qemu, const char *command, const char *size,
			   const char *words)
{
	struct outcome got = RUN_AGAINST(qemu, command, size);

	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, words);
	assert_string_equal(got.out, "");
	/* One complaint. */
	assert_true(strchr(got.err, '\n') == got.err + strlen(got.err) - 1);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	const struct fake_qemu taken = { .left_before = 768 * MIB };

	(void)state;
	assert_refused(&taken, "set", "0", "without any memory");
	assert_refused(&taken, "set", "1073741825", "no more than 1.000 GiB");
	assert_refused(&taken, "take", "1G", "without any memory");
	assert_refused(&taken, "take", "2G", "no more than 1.000 GiB");
	assert_refused(&taken, "give", "257M", "holds no more than 256.0 MiB");
	assert_refused(&taken, "set", "lots", "'lots' is no size");
	assert_refused(
		&taken, "set", "+257M",
		"'+257M' is too much: the guest has no more than 1.000 GiB, of which 768.0 MiB "
		"are left now");
	assert_refused(&taken, "set", "-769M", "'-769M' is too much: the guest has no more than");
	assert_refused(&taken, "take", "-257M", "'-257M' is too much: the balloon holds no more");
	assert_refused(&taken, "take", "+769M", "of which 256.0 MiB are taken now");
	assert_refused(&taken, "give", "-1M", "`balloonctl take +1M` takes as much more");
	assert_refused(&taken, "give", "26%", "'26%' is too much: the balloon holds no more than");
	assert_refused(&taken, "set", "101%", "'101%' is more than any guest has");
	assert_refused(&taken, "set", "9000000T", "'9000000T' is more than any guest has");
	assert_refused(&taken, "take", "1.G", "'1.G' is no size: bytes, or a number with");
	assert_refused(&taken, "take", "100%", "without any memory");
	assert_refused(&taken, "set", "\x1b[2J", "'\\x1b[2J' is no size");
}

static void bad_arguments_are_refused_before_anything_is_done(void **state)
{
	struct outcome got = run_command("/nonexistent/x", "set", "1G", "--wait", "60", NULL);
	char word[151], said[300];

	(void)state;
	assert_int_equal(run_command("/nonexistent/x", "set", NULL).status, EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "set", "1G", "2G", NULL).status, EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "set", "1G", "--wait=0", NULL).status,
			 EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "set", "1G", "--wait=1h", NULL).status,
			 EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "set", "1G", "--patience", NULL).status,
			 EXIT_USAGE);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "'1G 60' is more than one amount");
	assert_says(got.err, "seconds go after =: --wait=60");
	got = run_command("/nonexistent/x", "take", "512", "M", NULL);
	assert_says(got.err, "'512 M' is more than one amount: write it in one word, as in "
			     "`balloonctl take 512M`\n");
	/* What is very long is cut. */
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	snprintf(said, sizeof(said), "'%s %.48s' is more than one amount", word, word);
	assert_says(run_command("/nonexistent/x", "set", word, word, word, NULL).err, said);
	got = run_command("/nonexistent/x", "give", NULL);
	assert_says(got.err, "an amount is wanted, as in `balloonctl give 512M`, 25%, or --all");
	got = run_command("/nonexistent/x", "set", "--all", "5", "G", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "'5 G' is too much beside --all");
	assert_int_equal(run_command("/nonexistent/x", "set", "1G", "--now", NULL).status,
			 EXIT_USAGE);
}

/* ---- waiting ---- */

static void wait_ends_when_the_target_is_reached(void **state)
{
	const struct fake_qemu qemu = { LEFTS(FAKE_RAM, 900 * MIB, 700 * MIB, 512 * MIB) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Actual       512.0 MiB left   512.0 MiB taken");
}

static void wait_sees_memory_come_back(void **state)
{
	const struct fake_qemu qemu = { .left_before = 256 * MIB,
					LEFTS(256 * MIB, 300 * MIB, 512 * MIB) };
	struct outcome got = RUN_AGAINST(&qemu, "give", "256M", "--wait=30");

	(void)state;
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
}

static void guest_that_moves_no_more_is_a_shortfall(void **state)
{
	const struct fake_qemu qemu = { .lives = true, LEFTS(FAKE_RAM, 900 * MIB, 600 * MIB) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait", "--patience=1");

	(void)state;
	assert_int_equal(got.status, EXIT_SHORTFALL);
	assert_says(got.err, "shortfall of 88.00 MiB");
	assert_says(got.err, "stays at 600.0 MiB left");
	assert_says(got.out, "Actual       600.0 MiB left   424.0 MiB taken");
}

/* ---- signs of life ---- */

#define NO_STATS_VQ "{\"status\": {\"statuses\": [\"VIRTIO_CONFIG_S_DRIVER_OK: x\"]}}"

/*
 * A guest has seconds for a sign of life: each wait is in a process of its own, and goes on
 * while the next tests run. The last test looks how they ended.
 */
static pid_t trials[32];
static size_t nr_trials;

static bool wait_ends(const struct fake_qemu *qemu, int status, const char *words)
{
	struct outcome got = RUN_AGAINST(qemu, "set", HALF, "--wait", "--patience=1");

	if (got.status == status && strstr(got.err, words) && strstr(got.out, "Actual "))
		return true;
	fprintf(stderr, "not status %d and \"%s\", but %d: %s%s", status, words, got.status,
		got.out, got.err);
	return false;
}

static void expect_wait_to_end(const struct fake_qemu *qemu, int status, const char *words)
{
	pid_t pid;

	assert_true(nr_trials < sizeof(trials) / sizeof(trials[0]));
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(!wait_ends(qemu, status, words));
	}
	trials[nr_trials++] = pid;
}

static void all_waits_end_as_they_should(void **state)
{
	unsigned failed = 0;

	(void)state;
	assert_true(nr_trials > 0);
	while (nr_trials) {
		int status;

		assert_true(waitpid(trials[--nr_trials], &status, 0) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
}

/* What a dead guest last reported says nothing, however far it came. */
static void guest_without_a_sign_of_life_is_no_shortfall(void **state)
{
	(void)state;
	expect_wait_to_end(
		&(struct fake_qemu){ LEFTS(FAKE_RAM, 900 * MIB, 600 * MIB) }, EXIT_TIMEOUT,
		"no sign of life: nothing has moved for 1 s, and the guest does not answer "
		"when asked for statistics; the guest last reported 600.0 MiB left");
	expect_wait_to_end(&(struct fake_qemu){ LEFTS(FAKE_RAM) }, EXIT_TIMEOUT,
			   "the guest last reported 1.000 GiB left");
}

/* Reports that were there before it was asked are none. */
static void old_report_is_no_sign_of_life(void **state)
{
	const struct fake_qemu qemu = { LEFTS(600 * MIB),
					ANSWER(.asks = "\"guest-stats\"",
					       .value = "{\"last-update\": 4000000000}") };
	const struct fake_qemu old = {
		.old = true, .lefts = qemu.lefts, .nr_lefts = qemu.nr_lefts, .answers = qemu.answers
	};

	(void)state;
	expect_wait_to_end(&qemu, EXIT_TIMEOUT, "no sign of life");
	/* It has sent statistics, so it could. */
	expect_wait_to_end(&old, EXIT_TIMEOUT, "no sign of life");
}

static void driver_that_sends_nothing_shows_life_by_moving(void **state)
{
	const struct fake_qemu moves = { LEFTS(900 * MIB, 600 * MIB),
					 ANSWER(.asks = "x-query-virtio-status",
						.value = NO_STATS_VQ) };
	const struct fake_qemu stands = { LEFTS(FAKE_RAM), ANSWER(.asks = "x-query-virtio-status",
								  .value = NO_STATS_VQ) };
	const struct fake_qemu unknown_moves = { .old = true, LEFTS(900 * MIB, 600 * MIB) };
	const struct fake_qemu unknown_stands = { .old = true, LEFTS(FAKE_RAM) };

	(void)state;
	expect_wait_to_end(&moves, EXIT_SHORTFALL, "stays at 600.0 MiB left");
	expect_wait_to_end(&stands, EXIT_TIMEOUT, "answers no questions (it has no STATS_VQ)");
	expect_wait_to_end(&unknown_moves, EXIT_SHORTFALL, "stays at 600.0 MiB left");
	expect_wait_to_end(&unknown_stands, EXIT_TIMEOUT, "does not answer when asked");
}

static void qemu_that_cannot_have_it_asked_is_no_error(void **state)
{
	const struct fake_qemu qemu = { LEFTS(900 * MIB, 600 * MIB),
					ANSWER(.asks = "qom-set", .error = "GenericError") };

	(void)state;
	expect_wait_to_end(&qemu, EXIT_SHORTFALL, "stays at 600.0 MiB left");
}

static void guest_is_asked_afterwards_as_often_as_before(void **state)
{
	static const char *const intervals[] = { "0", "10" };
	const struct fake_qemu qemu = { .lives = true, LEFTS(600 * MIB) };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_place place;
		struct outcome got;
		char words[40];

		fake_qemu_start(&qemu, &place);
		got = run_command(place.path, "stats", "--interval", intervals[i], NULL);
		assert_int_equal(got.status, EXIT_REACHED);
		got = run_command(place.path, "set", HALF, "--wait", "--patience=1", NULL);
		assert_int_equal(got.status, EXIT_SHORTFALL);
		got = run_command(place.path, "stats", "--json", NULL);
		snprintf(words, sizeof(words), "\"polling-interval\":%s}", intervals[i]);
		assert_says(got.out, words);
		fake_qemu_stop(&place);
	}
}

static void panic_is_told_in_words(void **state)
{
	const struct fake_qemu qemu = { .panicked = true, LEFTS(600 * MIB) };
	struct outcome got;

	(void)state;
	expect_wait_to_end(&qemu, EXIT_TIMEOUT, "the guest has panicked and cannot move");
	got = RUN_AGAINST(&qemu, "set", HALF);
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "the target is set, but the guest has panicked");
	got = RUN_AGAINST(&qemu, "stats", "--interval", "1");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "the guest has panicked and does not answer");
	got = RUN_AGAINST(&qemu, "status");
	assert_says(got.out, " (panicked)\n");
	got = RUN_AGAINST(&qemu, "status", "--json");
	assert_says(got.out, "\"paused\":true,\"panicked\":true,");
}

#define PANIC "{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"run\"}}\r\n"
#define RESET "{\"event\": \"RESET\", \"data\": {}}\r\n"

/* QEMU may let it run on, and says it once. */
static void panic_in_mid_wait_ends_it(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 3, .value = "{\"running\": true}" },
		{ .asks = "query-status",
		  .times = 1,
		  .value = "{\"running\": true}",
		  .before = RESET PANIC },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { LEFTS(900 * MIB, 800 * MIB), .answers = answers };

	(void)state;
	expect_wait_to_end(&qemu, EXIT_TIMEOUT, "the guest has panicked");
}

static void panic_before_a_reset_is_over(void **state)
{
	const struct fake_qemu qemu = { LEFTS(900 * MIB, 800 * MIB, 512 * MIB),
					ANSWER(.asks = "query-status",
					       .value = "{\"running\": true}",
					       .before = PANIC RESET) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
}

/* ---- interrupted ---- */

/* Instead of a process's end by a signal: it ends in order, if that would be the end of it. */
static bool ends_in_order;

int __real_raise(int number);
int __wrap_raise(int number);
int __wrap_raise(int number)
{
	struct sigaction now;

	if (!ends_in_order)
		return __real_raise(number);
	sigaction(number, NULL, &now);
	exit(now.sa_handler == SIG_DFL ? 100 + number : EXIT_WRONG);
}

/* Runs set --wait in a process that the fake sends a signal to; gives how that ended. */
static int wait_with_signal(const struct fake_place *place, char *said, size_t size)
{
	const struct common common = { .guest = place->path };
	char *argv[] = { (char[]){ "set" }, (char[]){ "512M" }, (char[]){ "--wait" },
			 (char[]){ "--patience=1" }, NULL };
	size_t length = 0;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		complain_for("set");
		exit(command_run(command_find("set"), &common, 4, argv));
	}
	close(ends[1]);
	while ((n = read(ends[0], said + length, size - 1 - length)) > 0)
		length += (size_t)n;
	said[length] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	return status;
}

/* `answers`: the fake still does, afterwards. */
static void assert_interrupted(const struct fake_qemu *qemu, int number, bool answers)
{
	struct fake_place place;
	struct outcome after;
	char said[400];
	int status;

	fake_qemu_start(qemu, &place);
	status = wait_with_signal(&place, said, sizeof(said));
	if (ends_in_order) {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 100 + number);
	} else {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), number);
	}
	assert_string_equal(said,
			    number == SIGPIPE
				    ? ""
				    : "balloonctl set: interrupted; the target of 512.0 MiB left "
				      "stands, whether the guest reaches it or not\n");
	if (answers) {
		after = run_command(place.path, "status", "--json", NULL);
		assert_says(after.out, "\"target\":{\"left\":536870912,");
		assert_says(after.out, "\"polling-interval\":0}");
	}
	fake_qemu_stop(&place);
}

static void wait_that_is_interrupted_says_that_the_target_stands(void **state)
{
	static const struct {
		int number;
		bool in_order; /* so that what is run then is counted, where that is wanted */
	} ways[] = { { SIGINT, false },
		     { SIGTERM, false },
		     { SIGHUP, false },
		     { SIGPIPE, false },
		     { SIGTERM, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int number = ways[i].number;
		const struct fake_answer answers[] = {
			{ .asks = "query-status", .times = 4 },
			{ .asks = "query-status",
			  .signal = number,
			  .lie = FAKE_SAYS_NOTHING,
			  .times = 1 },
			{ .asks = NULL },
		};
		const struct fake_answer late[] = {
			/* While it is asked whether it lives. */
			{ .asks = "qom-set", .signal = number, .times = 1 },
			{ .asks = NULL },
		};

		ends_in_order = ways[i].in_order;
		assert_interrupted(&(struct fake_qemu){ LEFTS(900 * MIB), .answers = answers },
				   number, false);
		assert_interrupted(&(struct fake_qemu){ LEFTS(900 * MIB), .answers = late }, number,
				   true);
	}
	ends_in_order = false;
}

/* As under nohup(1). */
static void signal_that_is_ignored_ends_no_wait(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 4 },
		{ .asks = "query-status", .signal = SIGHUP, .times = 1 },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = {
		LEFTS(900 * MIB, 800 * MIB, 700 * MIB, 600 * MIB, 512 * MIB), .answers = answers
	};
	struct outcome got;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	got = RUN_AGAINST(&qemu, "set", HALF, "--wait");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_true(signal(SIGHUP, SIG_DFL) == SIG_IGN);
}

/* ---- JSON ---- */

static void assert_json(const struct fake_qemu *qemu, bool wait, int status, const char *words)
{
	struct outcome got = wait ? RUN_AGAINST(qemu, "set", HALF, "--json", "--wait",
						"--patience=1")
				  : RUN_AGAINST(qemu, "set", HALF, "--json");

	assert_int_equal(got.status, status);
	assert_says(got.out, words);
	/* One object, one line. */
	assert_true(got.out[0] == '{' && strchr(got.out, '\n') == got.out + strlen(got.out) - 1);
}

static void json_has_the_outcome(void **state)
{
	(void)state;
	assert_json(&(struct fake_qemu){ 0 }, false, EXIT_REACHED,
		    "\"status\":0,\"outcome\":\"set\"}");
	assert_json(&(struct fake_qemu){ 0 }, true, EXIT_REACHED,
		    "\"status\":0,\"outcome\":\"reached\"}");
	assert_json(&(struct fake_qemu){ .lives = true, LEFTS(900 * MIB, 600 * MIB) }, true,
		    EXIT_SHORTFALL, "\"status\":3,\"outcome\":\"shortfall\"}");
	assert_json(&(struct fake_qemu){ LEFTS(900 * MIB, 600 * MIB) }, true, EXIT_TIMEOUT,
		    "\"status\":4,\"outcome\":\"timeout\"}");
	assert_json(&(struct fake_qemu){ .no_driver = true, LEFTS(FAKE_RAM) }, false,
		    EXIT_NO_DRIVER, "\"status\":6,\"outcome\":\"no-driver\"}");
}

/* ---- time ---- */

/* Slowly, but always on: each question finds a page less. */
static void guest_on_its_way_is_a_timeout(void **state)
{
	int64_t lefts[2000];
	const struct fake_qemu qemu = { .lefts = lefts, .nr_lefts = 2000 };
	struct outcome got;

	(void)state;
	for (int i = 0; i < 2000; i++)
		lefts[i] = FAKE_RAM - 4096 * i;
	/* clock_test.c has what less patience comes to. */
	got = RUN_AGAINST(&qemu, "set", HALF, "--wait=2", "--patience=60");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "time is up after 2 s, and the guest is still on its way");
	assert_says(got.out, "% ");
	/* It answered until the end: how far it came is known. */
	assert_says(got.out, "\nActual ");
}

/* Sooner than the patience is over, which would have said so. */
static void when_time_is_up_the_reason_is_told(void **state)
{
	const struct fake_qemu no_driver = { .no_driver = true, LEFTS(FAKE_RAM) };
	const struct fake_qemu paused = { .paused = true, LEFTS(FAKE_RAM) };
	struct outcome got;

	(void)state;
	got = RUN_AGAINST(&no_driver, "set", HALF, "--wait=1", "--patience=60");
	assert_int_equal(got.status, EXIT_NO_DRIVER);
	assert_says(got.err, "no balloon driver");
	got = RUN_AGAINST(&paused, "set", HALF, "--wait=1", "--patience=60");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "is paused");
}

static void guest_that_never_moved_is_not_on_its_way(void **state)
{
	const struct fake_qemu qemu = { LEFTS(FAKE_RAM) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait=1", "--patience=60");

	(void)state;
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "time is up after 1 s, and the guest has not moved");
	assert_says(got.out, "Actual       1.000 GiB left       0 B taken");
}

static void no_device_has_a_status_of_its_own(void **state)
{
	const struct fake_qemu qemu = { .no_device = true };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_DEVICE);
	assert_string_equal(got.out, "");
}

static void no_driver_has_a_status_of_its_own(void **state)
{
	const struct fake_qemu qemu = { .no_driver = true, LEFTS(FAKE_RAM) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait", "--patience=1");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_DRIVER);
	assert_says(got.err, "no balloon driver");
	got = RUN_AGAINST(&qemu, "set", HALF);
	assert_int_equal(got.status, EXIT_NO_DRIVER);
	assert_says(got.out, "Target       512.0 MiB left");
}

static void driver_that_comes_while_we_wait_is_waited_for(void **state)
{
	const struct fake_qemu qemu = {
		LEFTS(FAKE_RAM, FAKE_RAM, FAKE_RAM, FAKE_RAM, 512 * MIB),
		ANSWER(.asks = "x-query-virtio-status", .times = 4,
		       .value = "{\"status\": {\"statuses\": []}}"),
	};
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
}

static void paused_guest_is_no_shortfall(void **state)
{
	const struct fake_qemu qemu = { .paused = true, LEFTS(FAKE_RAM) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait", "--patience=1");

	(void)state;
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "paused");
}

static void old_qemu_cannot_tell_about_the_driver(void **state)
{
	const struct fake_qemu qemu = { .old = true, .lives = true, LEFTS(600 * MIB) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait", "--patience=1");

	(void)state;
	assert_int_equal(got.status, EXIT_SHORTFALL);
	assert_says(got.err, "this QEMU does not tell");
	got = RUN_AGAINST(&qemu, "set", HALF);
	assert_int_equal(got.status, EXIT_REACHED);
	got = RUN_AGAINST(&qemu, "set", "600M", "--wait");
	assert_int_equal(got.status, EXIT_REACHED);
}

static void nobody_there_has_a_status_of_its_own(void **state)
{
	struct outcome got = run_command("/nonexistent/x.qmp", "set", HALF, "--wait", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "/nonexistent");
}

static void target_that_somebody_else_changes_is_not_waited_for(void **state)
{
	const struct fake_qemu qemu = { LEFTS(900 * MIB, 800 * MIB, 512 * MIB),
					ANSWER(.asks = "xp /1wx",
					       .value = "\"00000000fe002000: 0x00001000\\r\\n\"") };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "somebody else");
}

static void wait_does_not_need_to_know_the_target(void **state)
{
	const struct fake_qemu qemu = { .unmapped = true, LEFTS(900 * MIB, 512 * MIB) };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Target       unknown");
}

/* ---- what QEMU and the guest say ---- */

static void lie_is_not_taken_for_success(void **state)
{
	/* More than its RAM: corrected to all of it, which is the target. */
	const struct fake_qemu more = { .lives = true,
					.left_before = 512 * MIB,
					LEFTS(FAKE_RAM + 4096) };
	const struct fake_qemu negative = { .lives = true, LEFTS(-17591917609984) };
	struct outcome got = RUN_AGAINST(&more, "take", "0", "--wait", "--patience=1");

	(void)state;
	assert_int_equal(got.status, EXIT_SHORTFALL);
	assert_says(got.err, "1073745920 of 1073741824 bytes");
	got = RUN_AGAINST(&negative, "set", HALF, "--wait", "--patience=1");
	assert_int_equal(got.status, EXIT_SHORTFALL);
	assert_says(got.err, "-17591917609984 bytes");
	assert_says(got.out, "Actual           0 B left   1.000 GiB taken");
}

static void events_in_the_middle_of_answers_change_nothing(void **state)
{
	const struct fake_qemu qemu = {
		LEFTS(900 * MIB, 700 * MIB, 512 * MIB),
		ANSWER(.asks = "query-status",
		       .before = "{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": "
				 "536870912}}\r\n"
				 "{\"event\": \"RESET\", \"data\": {}}\r\n"),
	};
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
}

/* What cannot be asked for before the target is set leaves it as it is. */
static void guest_that_cannot_be_seen_gets_no_target(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 1, .value = "{\"running\": true}" },
		{ .asks = "query-status", .times = 1, .error = "GenericError" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct fake_place place;
	struct outcome got;

	(void)state;
	fake_qemu_start(&qemu, &place);
	got = run_command(place.path, "set", HALF, NULL);
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "QEMU refuses 'query-status'");
	assert_says(run_command(place.path, "status", NULL).out, "1.000 GiB left");
	fake_qemu_stop(&place);
}

/* The third time somebody asks, when the waiting has begun. */
static void connection_that_dies_in_mid_wait_is_said(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 4, .value = "{\"running\": true}" },
		{ .asks = "query-status", .hang_up = true },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { LEFTS(900 * MIB, 800 * MIB), .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "closed the connection in the middle of an answer");
	/* One complaint, not one for each thing that cannot be done any more. */
	assert_true(strchr(got.err, '\n') == got.err + strlen(got.err) - 1);
	assert_null(strstr(got.out, "Actual"));
}

/* The target is set by then. */
static void connection_that_dies_after_the_target_is_said(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 2, .value = "{\"running\": true}" },
		{ .asks = "query-status", .hang_up = true },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF);

	(void)state;
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "closed the connection in the middle of an answer");
	assert_string_equal(got.out, "");
}

static void device_that_goes_in_mid_wait_is_said(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-balloon", .times = 4, .value = "{\"actual\": 943718400}" },
		{ .asks = "query-balloon", .error = "DeviceNotActive" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF, "--wait");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_DEVICE);
}

static void refusal_by_qemu_is_passed_on(void **state)
{
	const struct fake_qemu qemu = { ANSWER(.asks = "\"balloon\"", .error = "KVMMissingCap") };
	struct outcome got = RUN_AGAINST(&qemu, "set", HALF);

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "QEMU refuses 'balloon': no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_is_left_and_take_is_taken),
		cmocka_unit_test(give_is_relative_to_what_is_left_now),
		cmocka_unit_test(signs_are_relative_to_what_is_now),
		cmocka_unit_test(shares_are_of_all_ram),
		cmocka_unit_test(all_is_all_that_can_be),
		cmocka_unit_test(minus_is_no_option),
		cmocka_unit_test(wait_that_is_interrupted_says_that_the_target_stands),
		cmocka_unit_test(signal_that_is_ignored_ends_no_wait),
		cmocka_unit_test(json_has_the_outcome),
		cmocka_unit_test(sizes_are_rounded_for_the_guest),
		cmocka_unit_test(memory_of_odd_size_can_be_left_whole),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
		cmocka_unit_test(bad_arguments_are_refused_before_anything_is_done),
		cmocka_unit_test(wait_ends_when_the_target_is_reached),
		cmocka_unit_test(wait_sees_memory_come_back),
		cmocka_unit_test(guest_that_moves_no_more_is_a_shortfall),
		cmocka_unit_test(guest_without_a_sign_of_life_is_no_shortfall),
		cmocka_unit_test(old_report_is_no_sign_of_life),
		cmocka_unit_test(driver_that_sends_nothing_shows_life_by_moving),
		cmocka_unit_test(qemu_that_cannot_have_it_asked_is_no_error),
		cmocka_unit_test(guest_is_asked_afterwards_as_often_as_before),
		cmocka_unit_test(panic_is_told_in_words),
		cmocka_unit_test(panic_in_mid_wait_ends_it),
		cmocka_unit_test(panic_before_a_reset_is_over),
		cmocka_unit_test(guest_on_its_way_is_a_timeout),
		cmocka_unit_test(when_time_is_up_the_reason_is_told),
		cmocka_unit_test(guest_that_never_moved_is_not_on_its_way),
		cmocka_unit_test(no_device_has_a_status_of_its_own),
		cmocka_unit_test(no_driver_has_a_status_of_its_own),
		cmocka_unit_test(driver_that_comes_while_we_wait_is_waited_for),
		cmocka_unit_test(paused_guest_is_no_shortfall),
		cmocka_unit_test(old_qemu_cannot_tell_about_the_driver),
		cmocka_unit_test(nobody_there_has_a_status_of_its_own),
		cmocka_unit_test(target_that_somebody_else_changes_is_not_waited_for),
		cmocka_unit_test(wait_does_not_need_to_know_the_target),
		cmocka_unit_test(lie_is_not_taken_for_success),
		cmocka_unit_test(events_in_the_middle_of_answers_change_nothing),
		cmocka_unit_test(guest_that_cannot_be_seen_gets_no_target),
		cmocka_unit_test(connection_that_dies_in_mid_wait_is_said),
		cmocka_unit_test(connection_that_dies_after_the_target_is_said),
		cmocka_unit_test(device_that_goes_in_mid_wait_is_said),
		cmocka_unit_test(refusal_by_qemu_is_passed_on),
		cmocka_unit_test(all_waits_end_as_they_should),
	};

	return cmocka_run_group_tests_name("balloonctl/set", tests, NULL, NULL);
}
