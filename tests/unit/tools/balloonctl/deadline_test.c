/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every command of balloonctl against every way in which QEMU can be without an answer: it
 * ends when its time is over, says so, and has exit status 4. How soon is not asserted; a
 * command that never ends is ended by an alarm. Many of them run at the same time.
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
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"

#define TIME_MS 300	/* for the answers to a command */
#define ALARM_S 60u	/* for ever */
#define LONG_MS 3600000 /* for answers that must not be what ends a command */
#define MAX_TRIALS 128

/* A command as a person types it, and what comes of it. */
struct typed {
	const char *words[5];
	int status;
	const char *says;      /* on stdout, or NULL */
	const char *complains; /* on stderr */
};

#define IN_VAIN(...) \
	{ \
		.words = { __VA_ARGS__ }, .status = EXIT_TIMEOUT, .complains = "time", \
	}

static const struct typed every_command[] = {
	IN_VAIN("status"),
	IN_VAIN("status", "--json"),
	IN_VAIN("set", "512M"),
	IN_VAIN("set", "512M", "--wait"),
	IN_VAIN("take", "512M", "--wait=3600"),
	IN_VAIN("give", "0"),
	IN_VAIN("stats"),
	IN_VAIN("stats", "--interval", "3600"),
	IN_VAIN("record", "-", "--for", "1"),
	IN_VAIN("dump", "--live"),
	IN_VAIN("grow", "512M", "--wait"),
	IN_VAIN("shrink", "--to", "512M"),
	{ { "export" }, EXIT_REACHED, "balloon_up{guest=\"/tmp/", "" },
};

#define COUNT (sizeof(every_command) / sizeof(every_command[0]))

static struct outcome type(const struct fake_place *place, const struct typed *typed)
{
	const char *const *w = typed->words;

	return run_command(place->path, w[0], w[1], w[2], w[3], NULL);
}

/* ---- trials, each in a process of its own, all at the same time ---- */

static pid_t trials[MAX_TRIALS];
static size_t nr_trials;

struct trial {
	struct fake_qemu qemu;
	bool stopped; /* as by SIGSTOP */
	int timeout_ms;
	struct typed typed;
};

static bool ends_as_it_should(const struct trial *trial)
{
	const struct typed *typed = &trial->typed;
	struct fake_place place;
	struct outcome end;

	fake_qemu_start(&trial->qemu, &place);
	if (trial->stopped)
		kill(place.pid, SIGSTOP);
	run_within(trial->timeout_ms);
	end = type(&place, typed);
	fake_qemu_stop(&place);
	/* What is not known is not said. */
	if (end.status == typed->status && strstr(end.err, typed->complains) &&
	    (!typed->says || strstr(end.out, typed->says)) && !strstr(end.out, "Actual"))
		return true;
	fprintf(stderr, "%s %s: status %d\n%s%s", typed->words[0],
		typed->words[1] ? typed->words[1] : "", end.status, end.out, end.err);
	return false;
}

static void try(const struct trial *trial)
{
	pid_t pid;

	assert_true(nr_trials < MAX_TRIALS);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(ALARM_S);
		exit(!ends_as_it_should(trial));
	}
	trials[nr_trials++] = pid;
}

static void try_every_command(const struct fake_qemu *qemu, bool stopped)
{
	for (size_t i = 0; i < COUNT; i++)
		try(&(struct trial){ *qemu, stopped, TIME_MS, every_command[i] });
}

/* A lie instead of the answer to `asks`. */
static void try_lie(enum fake_lie lie, const char *asks)
{
	const struct fake_answer answers[] = { { .asks = asks, .lie = lie }, { .asks = NULL } };

	try_every_command(&(struct fake_qemu){ .answers = answers }, false);
}

static void assert_all_end(void)
{
	unsigned failed = 0;

	while (nr_trials) {
		int status;

		assert_true(waitpid(trials[--nr_trials], &status, 0) > 0);
		if (WIFSIGNALED(status))
			fprintf(stderr, "a command was ended by signal %d\n", WTERMSIG(status));
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
}

static void qemu_that_answers_is_waited_for(void **state)
{
	struct fake_place place;
	struct fake_qemu qemu = { .left_before = 768 * MIB };

	(void)state;
	fake_qemu_start(&qemu, &place);
	run_within(LONG_MS);
	assert_int_equal(type(&place, &every_command[0]).status, EXIT_REACHED);
	assert_int_equal(type(&place, &every_command[2]).status, EXIT_REACHED);
	assert_int_equal(type(&place, &every_command[3]).status, EXIT_REACHED);
	assert_int_equal(type(&place, &every_command[6]).status, EXIT_REACHED);
	assert_int_equal(type(&place, &every_command[8]).status, EXIT_REACHED);
	/* It was read, and no Aerostat was found. */
	assert_int_equal(type(&place, &every_command[9]).status, EXIT_BAD_FILE);
	fake_qemu_stop(&place);
}

static void qemu_that_does_not_greet_is_not_waited_for(void **state)
{
	(void)state;
	/* Events would be something else than a greeting. */
	for (enum fake_lie lie = FAKE_SAYS_NOTHING; lie <= FAKE_BREATHES; lie++)
		if (lie != FAKE_CHATTERS)
			try_every_command(&(struct fake_qemu){ .greeting = lie }, false);
	assert_all_end();
}

static void qemu_that_accepts_nobody_is_not_waited_for(void **state)
{
	(void)state;
	try_every_command(&(struct fake_qemu){ .deaf = true }, false);
	try_every_command(&(struct fake_qemu){ .deaf = false }, true);
	assert_all_end();
}

static void qemu_that_does_not_answer_is_not_waited_for(void **state)
{
	(void)state;
	for (enum fake_lie lie = FAKE_SAYS_NOTHING; lie <= FAKE_BREATHES; lie++)
		try_lie(lie, "qmp_capabilities");
	try_lie(FAKE_SAYS_NOTHING, "-");
	try_lie(FAKE_CHATTERS, "-");
	assert_all_end();
}

/* ---- in the middle of a wait ---- */

/* Answers until somebody waits, then lies. */
static void try_wait(enum fake_lie lie, int timeout_ms, const char *wait, const char *complains)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 4, .value = "{\"running\": true}" },
		{ .asks = "query-status", .lie = lie },
		{ .asks = NULL },
	};
	const int64_t lefts[] = { 900 * MIB, 800 * MIB };

	const struct fake_mem mem = { .id = "m0", .block = MIB, .region = FAKE_RAM, .step = MIB };

	try(&(struct trial){
		.qemu = { .lefts = lefts, .nr_lefts = 2, .answers = answers },
		.timeout_ms = timeout_ms,
		.typed = { { "set", "512M", wait, "--patience=3600" },
			   EXIT_TIMEOUT,
			   NULL,
			   complains },
	});
	try(&(struct trial){
		.qemu = { .mems = &mem, .nr_mems = 1, .answers = answers },
		.timeout_ms = timeout_ms,
		.typed = { { "grow", "1G", wait, "--patience=3600" },
			   EXIT_TIMEOUT,
			   NULL,
			   complains },
	});
}

static void wait_ends_in_time_when_qemu_falls_silent(void **state)
{
	static const char words[] = "time is up after 5 s, and nobody answers for the guest";

	(void)state;
	try_wait(FAKE_SAYS_NOTHING, LONG_MS, "--wait=5", words);
	try_wait(FAKE_SAYS_HALF, LONG_MS, "--wait=5", words);
	try_wait(FAKE_CHATTERS, LONG_MS, "--wait=5", words);
	/* Without SEC a wait may last, but not without answers. */
	try_wait(FAKE_SAYS_NOTHING, 5000, "--wait",
		 "no answer to 'query-status' from QEMU in time");
	/* With it, all is in that time, the connection included. */
	try(&(struct trial){
		.qemu = { .greeting = FAKE_SAYS_NOTHING },
		.timeout_ms = LONG_MS,
		.typed = { { "set", "512M", "--wait=1" }, EXIT_TIMEOUT, NULL, "no greeting" },
	});
	assert_all_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu_that_answers_is_waited_for),
		cmocka_unit_test(qemu_that_does_not_greet_is_not_waited_for),
		cmocka_unit_test(qemu_that_accepts_nobody_is_not_waited_for),
		cmocka_unit_test(qemu_that_does_not_answer_is_not_waited_for),
		cmocka_unit_test(wait_ends_in_time_when_qemu_falls_silent),
	};

	return cmocka_run_group_tests_name("balloonctl/deadline", tests, NULL, NULL);
}
