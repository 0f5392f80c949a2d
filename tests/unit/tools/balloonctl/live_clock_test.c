/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/live.c by a clock of this test's own and a guest that writes down what it
 * was asked: how long it stands still, what it is left as, and what signals do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/live.h"
#include "tools/core.h"

#define BEGIN 5000000 /* of all tests, in milliseconds */
#define PIECE GUEST_PEEK_MAX
#define PAGE 4096u
#define WHOLE 16 /* pieces that are read as such */
#define TIMEOUT_MS 3000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the clock, and signals that are raised ---- */

static int64_t now;
static int64_t slept_ns;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec){ .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
	return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	slept_ns += (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
	now += time->tv_nsec / 1000000;
	return 0;
}

static int raised, nr_raised;
static bool deadly_then; /* it would have ended this program */

int __wrap_raise(int number);
int __wrap_raise(int number)
{
	struct sigaction action;

	sigaction(number, NULL, &action);
	deadly_then = action.sa_handler == SIG_DFL;
	raised = number;
	nr_raised++;
	return 0;
}

/* As another process would send it. */
static void send(int number)
{
	kill(getpid(), number);
}

/* ---- a guest ---- */

static char asked[1024]; /* a letter for each question: stop, cont, peek */
static int64_t deadlines[1024];
static uint64_t peeked[1024]; /* addresses */
static size_t peeked_pages[1024];
static size_t nr_asked, nr_peeked;
static int64_t halt_ms, resume_ms, peek_ms; /* how long an answer takes */
static int halt_err, resume_err, peek_err;
static int signal_in_peek;
static bool runs;

static void note(const struct guest *guest, char question)
{
	assert_true(nr_asked + 1 < sizeof(asked));
	deadlines[nr_asked] = guest->deadline - now;
	asked[nr_asked++] = question;
	asked[nr_asked] = '\0';
}

static int halt_fake(struct guest *guest, bool *ran)
{
	note(guest, 's');
	now += halt_ms;
	if (halt_err)
		return guest_fail(guest, halt_err, "no stop");
	*ran = runs;
	runs = false;
	return 0;
}

static int resume_fake(struct guest *guest)
{
	note(guest, 'c');
	now += resume_ms;
	if (resume_err)
		return guest_fail(guest, resume_err, "no cont");
	runs = true;
	return 0;
}

/* Each quarter of a mebibyte has its own number in all bytes. */
static int peek_fake(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	note(guest, 'p');
	assert_false(runs);
	if (nr_peeked < WHOLE)
		assert_int_equal(size, PIECE);
	assert_true(size > 0 && size % PAGE == 0 && paddr % PAGE == 0);
	assert_true(paddr / PIECE == (paddr + size - 1) / PIECE);
	peeked_pages[nr_peeked] = size / PAGE;
	peeked[nr_peeked++] = paddr;
	now += peek_ms;
	if (signal_in_peek)
		send(signal_in_peek);
	if (peek_err)
		return guest_fail(guest, peek_err, "no peek");
	memset(to, (int)(paddr / PIECE + 1) & 0xff, size);
	return 0;
}

static const struct guest_backend fake = { .peek = peek_fake,
					   .halt = halt_fake,
					   .resume = resume_fake };
static struct guest guest = { .backend = &fake, .name = (char *)"web" };

/* ---- reading ---- */

static struct live *live;
static struct live_tally tally;

static int begin(void **state)
{
	(void)state;
	now = BEGIN;
	slept_ns = 0;
	nr_asked = nr_peeked = 0;
	asked[0] = '\0';
	halt_ms = resume_ms = peek_ms = 0;
	halt_err = resume_err = peek_err = signal_in_peek = 0;
	runs = true;
	raised = nr_raised = 0;
	memset(&tally, 0, sizeof(tally));
	return live_open(&guest, TIMEOUT_MS, &live);
}

static int end(void **state)
{
	(void)state;
	live_close(live);
	return 0;
}

static int read_at(uint64_t paddr, size_t size)
{
	static uint8_t bytes[2 * PIECE];

	return core_read(live_core(live), paddr, bytes, size);
}

static void assert_bytes(uint64_t paddr, size_t size, uint8_t value)
{
	uint8_t bytes[16];

	assert_int_equal(core_read(live_core(live), paddr, bytes, size), 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], value);
}

/* The n-th of those pieces of which the first is at 16 MiB. */
static int read_piece(unsigned n)
{
	return read_at((16ull << 20) + (uint64_t)n * PIECE, 1);
}

static void guest_stands_still_for_half_the_time_and_a_piece(void **state)
{
	(void)state;
	/* 0, 25: there is time for another one. 50: none. */
	peek_ms = 25;
	for (unsigned n = 0; n < 5; n++)
		assert_int_equal(read_piece(n), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_string_equal(asked, "sppcsppcspc");
	assert_true(runs);
	assert_int_equal(tally.stands, 3);
	assert_int_equal(tally.ms_max, 50);
	assert_int_equal(tally.bytes, 5 * PIECE);
	/* And runs for as long in between. */
	assert_int_equal(slept_ns, 2 * 50000000);
	assert_int_equal(now, BEGIN + 5 * 25 + 2 * 50);
}

static void guest_stands_still_until_half_the_time_is_over(void **state)
{
	(void)state;
	peek_ms = 49;
	assert_int_equal(read_piece(0), 0);
	peek_ms = 1;
	assert_int_equal(read_piece(1), 0);
	assert_int_equal(read_piece(2), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_string_equal(asked, "sppcspc");
	assert_true(LIVE_STAND_MS == 100);
}

/* From when it has stopped to when it has begun to run, the longest of all times. */
static void standstill_is_measured_without_the_way_to_it(void **state)
{
	(void)state;
	halt_ms = 300;
	resume_ms = 7;
	peek_ms = 60;
	assert_int_equal(read_piece(0), 0);
	peek_ms = 20;
	assert_int_equal(read_piece(1), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_string_equal(asked, "spcspc");
	assert_int_equal(tally.ms_max, 67);
	/* Nothing more: it stands at its end no longer. */
	assert_int_equal(live_finish(live, &tally), 0);
	assert_string_equal(asked, "spcspc");
	assert_int_equal(tally.stands, 2);
}

static void guest_that_does_not_run_is_not_made_to(void **state)
{
	(void)state;
	runs = false;
	peek_ms = 80;
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(read_piece(n), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_null(strchr(asked, 'c'));
	assert_false(runs);
	assert_int_equal(tally.stands, 0);
	assert_int_equal(tally.ms_max, 0);
	assert_int_equal(slept_ns, 0);
}

/* Not all of it together: a terabyte takes its time. */
static void each_question_has_the_time_for_answers(void **state)
{
	(void)state;
	halt_ms = 11;
	peek_ms = 60;
	resume_ms = 5;
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(read_piece(n), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_string_equal(asked, "spcspcspc");
	for (size_t i = 0; i < nr_asked; i++)
		assert_int_equal(deadlines[i], TIMEOUT_MS);
}

static void what_was_read_is_kept_until_it_is_forgotten(void **state)
{
	uint8_t bytes[4];

	(void)state;
	assert_int_equal(core_read(live_core(live), 5 * PIECE - 2, bytes, 4), 0);
	assert_memory_equal(bytes, "\5\5\6\6", 4);
	assert_int_equal(core_read(live_core(live), 5 * PIECE + 5, bytes, 4), 0);
	assert_memory_equal(bytes, "\6\6\6\6", 4);
	assert_int_equal(nr_peeked, 2);
	assert_true(peeked[0] == 4 * PIECE && peeked[1] == 5 * PIECE);
	/* Also the first one of all, and one that is all wanted. */
	assert_int_equal(read_at(0, PIECE), 0);
	assert_int_equal(read_at(0, 1), 0);
	assert_int_equal(nr_peeked, 3);
	live_forget(live);
	assert_int_equal(read_at(0, 1), 0);
	assert_int_equal(nr_peeked, 4);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_int_equal(tally.bytes, 4 * PIECE);
}

/* At 1 GiB, when many pieces were read elsewhere. */
#define LATE (1ull << 30)

static void read_many_pieces(void)
{
	for (unsigned n = 0; n < WHOLE; n++)
		assert_int_equal(read_piece(2 * n), 0);
	assert_int_equal(nr_peeked, WHOLE);
	for (size_t i = 0; i < WHOLE; i++)
		assert_int_equal(peeked_pages[i], PIECE / PAGE);
}

static void assert_peeked(size_t i, uint64_t page, size_t pages)
{
	assert_true(i < nr_peeked);
	assert_int_equal(peeked[i], LATE + page * PAGE);
	assert_int_equal(peeked_pages[i], pages);
}

/* The more of it was read in order, the more is read at once, also into the next piece. */
static void what_is_read_in_order_comes_in_ever_larger_parts(void **state)
{
	static const size_t pages[] = { 1, 1, 2, 4, 8, 16, 32, 64, 64 };
	uint64_t page = 0;

	(void)state;
	read_many_pieces();
	for (unsigned n = 0; n < 3 * PIECE / PAGE; n++)
		assert_int_equal(read_at(LATE + n * PAGE + 5, 100), 0);
	assert_int_equal(nr_peeked, WHOLE + COUNT(pages));
	for (size_t i = 0; i < COUNT(pages); i++) {
		assert_peeked(WHOLE + i, page, pages[i]);
		page += pages[i];
	}
	assert_int_equal(live_finish(live, &tally), 0);
	assert_int_equal(tally.bytes, (WHOLE + 3) * PIECE);
}

/* A terabyte that came later has thousands of such places, each in a piece of its own. */
static void what_lies_alone_costs_a_page(void **state)
{
	static const unsigned at[] = { 9, 3, 63, 20, 11 };

	(void)state;
	read_many_pieces();
	for (size_t i = 0; i < COUNT(at); i++) {
		assert_int_equal(read_at(LATE + at[i] * PAGE, PAGE), 0);
		assert_peeked(WHOLE + i, at[i], 1);
	}
	/* What lies between them, but not what is there. */
	assert_int_equal(read_at(LATE + 8 * PAGE, 5 * PAGE), 0);
	assert_int_equal(nr_peeked, WHOLE + 8);
	assert_peeked(WHOLE + 5, 8, 1);
	assert_peeked(WHOLE + 6, 10, 1);
	assert_peeked(WHOLE + 7, 12, 4);
	assert_int_equal(live_finish(live, &tally), 0);
	assert_int_equal(tally.bytes, WHOLE * PIECE + 11 * PAGE);
	/* What was read so is right, too. */
	assert_bytes(LATE + 12 * PAGE - 2, 4, (uint8_t)(LATE / PIECE + 1));
}

static void what_is_read_anew_comes_as_a_whole_again(void **state)
{
	(void)state;
	read_many_pieces();
	live_forget(live);
	assert_int_equal(read_at(LATE + 9 * PAGE, 1), 0);
	assert_peeked(WHOLE, 0, PIECE / PAGE);
}

/* 32 MiB of ours, however much is looked at. */
static void what_is_kept_is_bounded(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 128; n++)
		assert_int_equal(read_piece(n), 0);
	for (unsigned n = 0; n < 128; n++)
		assert_int_equal(read_piece(n), 0);
	assert_int_equal(nr_peeked, 128);
	assert_int_equal(read_piece(128), 0);
	assert_int_equal(read_piece(0), 0);
	assert_int_equal(nr_peeked, 130);
	assert_int_equal(read_piece(1), 0);
	assert_int_equal(nr_peeked, 130);
}

static void devices_and_what_no_machine_has_are_not_touched(void **state)
{
	static const struct {
		uint64_t paddr;
		size_t size;
		int err;
	} all[] = {
		{ 0x9fff8, 8, 0 },
		{ 0x9fff9, 8, -EFAULT },
		{ 0xa0000, 1, -EFAULT },
		{ 0xbffff, 1, -EFAULT },
		{ 0x9ffff, 0x20002, -EFAULT },
		{ 0xc0000, 1, 0 },
		{ (1ull << 52) - 1, 1, 0 },
		{ (1ull << 52) - 1, 2, -EFAULT },
		{ 1ull << 52, 1, -EFAULT },
		{ (1ull << 52) + 1, 1, -EFAULT },
		{ UINT64_MAX, 1, -EFAULT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_int_equal(read_at(all[i].paddr, all[i].size), all[i].err);
	for (size_t i = 0; i < nr_peeked; i++)
		assert_true(peeked[i] == 0x80000 || peeked[i] == 0xc0000 ||
			    peeked[i] == (1ull << 52) - PIECE);
	/* That is the reader's mistake, and none of the guest's manager. */
	assert_int_equal(live_finish(live, &tally), 0);
}

/* ---- errors ---- */

static void first_error_is_told_and_the_guest_runs_on(void **state)
{
	(void)state;
	assert_int_equal(read_piece(0), 0);
	peek_err = -EREMOTEIO;
	assert_int_equal(read_piece(1), -EREMOTEIO);
	peek_err = -EPIPE;
	assert_int_equal(read_piece(2), -EREMOTEIO);
	peek_err = 0;
	/* What was there is no longer given, either. */
	assert_int_equal(read_piece(0), -EREMOTEIO);
	assert_int_equal(live_finish(live, &tally), -EREMOTEIO);
	assert_string_equal(live_error(live), "no peek");
	assert_true(runs);
	assert_int_equal(tally.bytes, PIECE);
}

static void guest_that_cannot_be_stopped_is_not_read(void **state)
{
	(void)state;
	halt_err = -EREMOTEIO;
	assert_int_equal(read_piece(0), -EREMOTEIO);
	assert_string_equal(asked, "s");
	assert_int_equal(live_finish(live, &tally), -EREMOTEIO);
	assert_string_equal(live_error(live), "no stop");
	assert_int_equal(tally.stands, 0);
	assert_string_equal(asked, "s");
}

static void guest_that_stays_stopped_is_told(void **state)
{
	(void)state;
	peek_ms = 60;
	assert_int_equal(read_piece(0), 0);
	resume_err = -ENOTCONN;
	/* In mid-reading: nothing is read, and nobody sleeps. */
	assert_int_equal(read_piece(1), -ENOTCONN);
	assert_int_equal(slept_ns, 0);
	assert_int_equal(nr_peeked, 1);
	assert_int_equal(live_finish(live, &tally), -ENOTCONN);
	assert_string_equal(live_error(live),
			    "no cont; the guest stands still, and could not be told to run on");
	/* It is tried at the end, once more. */
	assert_string_equal(asked, "spcc");
}

static void guest_that_stays_stopped_at_the_end_is_told(void **state)
{
	(void)state;
	assert_int_equal(read_piece(0), 0);
	resume_err = -ENOTCONN;
	/* That is worse than a signal. */
	send(SIGTERM);
	assert_int_equal(live_finish(live, &tally), -ENOTCONN);
	assert_string_equal(live_error(live),
			    "no cont; the guest stands still, and could not be told to run on");
	assert_int_equal(tally.bytes, PIECE);
}

static void memory_of_ours_that_is_short_is_told(void **state)
{
	struct live *none = NULL;

	(void)state;
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(read_piece(0), -ENOMEM);
	fail_nth(FAILING_MEMORY, 0);
	assert_string_equal(asked, "");
	assert_int_equal(read_piece(1), -ENOMEM);
	assert_int_equal(live_finish(live, &tally), -ENOMEM);
	assert_string_equal(live_error(live), "out of memory");
	for (unsigned n = 1; n <= 2; n++) {
		fail_nth(FAILING_MEMORY, n);
		assert_int_equal(live_open(&guest, TIMEOUT_MS, &none), -ENOMEM);
		assert_non_null(failed_call());
	}
	fail_nth(FAILING_MEMORY, 0);
	assert_null(none);
}

/* ---- signals ---- */

static void signal_ends_the_reading_between_two_pieces(void **state)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGALRM };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_int_equal(read_piece(0), 0);
		signal_in_peek = numbers[i];
		assert_int_equal(read_piece(1), 0);
		assert_int_equal(nr_raised, 0);
		signal_in_peek = 0;
		/* What is there can be had, but nothing new. */
		assert_int_equal(read_piece(1), 0);
		assert_int_equal(read_piece(2), -EINTR);
		assert_int_equal(nr_peeked, 2);
		assert_int_equal(live_finish(live, &tally), -EINTR);
		assert_string_equal(live_error(live), "interrupted");
		assert_true(runs);
		/* At the end it does what it would have done. */
		assert_int_equal(nr_raised, 0);
		live_close(live);
		assert_int_equal(nr_raised, 1);
		assert_int_equal(raised, numbers[i]);
		assert_true(deadly_then);
		assert_int_equal(begin(NULL), 0);
	}
}

static void signal_in_the_last_piece_is_noticed(void **state)
{
	(void)state;
	signal_in_peek = SIGTERM;
	assert_int_equal(read_piece(0), 0);
	assert_int_equal(live_finish(live, &tally), -EINTR);
	assert_string_equal(live_error(live), "interrupted");
	assert_string_equal(asked, "spc");
}

/* Somebody who is in a hurry does not wait until the guest runs. */
static void second_signal_is_not_waited_with(void **state)
{
	(void)state;
	send(SIGINT);
	assert_int_equal(nr_raised, 0);
	send(SIGTERM);
	assert_int_equal(nr_raised, 1);
	assert_int_equal(raised, SIGTERM);
	assert_true(deadly_then);
}

/* One that came before does not end the next reading. */
static void without_a_signal_nothing_is_raised(void **state)
{
	struct sigaction action;

	(void)state;
	assert_int_equal(read_piece(0), 0);
	assert_int_equal(live_finish(live, &tally), 0);
	live_close(live);
	assert_int_equal(nr_raised, 0);
	sigaction(SIGINT, NULL, &action);
	assert_true(action.sa_handler == SIG_DFL);
	live_close(NULL);
	assert_int_equal(begin(NULL), 0);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(guest_stands_still_for_half_the_time_and_a_piece),
		LIVE_TEST(guest_stands_still_until_half_the_time_is_over),
		LIVE_TEST(standstill_is_measured_without_the_way_to_it),
		LIVE_TEST(guest_that_does_not_run_is_not_made_to),
		LIVE_TEST(each_question_has_the_time_for_answers),
		LIVE_TEST(what_was_read_is_kept_until_it_is_forgotten),
		LIVE_TEST(what_is_read_in_order_comes_in_ever_larger_parts),
		LIVE_TEST(what_lies_alone_costs_a_page),
		LIVE_TEST(what_is_read_anew_comes_as_a_whole_again),
		LIVE_TEST(what_is_kept_is_bounded),
		LIVE_TEST(devices_and_what_no_machine_has_are_not_touched),
		LIVE_TEST(first_error_is_told_and_the_guest_runs_on),
		LIVE_TEST(guest_that_cannot_be_stopped_is_not_read),
		LIVE_TEST(guest_that_stays_stopped_is_told),
		LIVE_TEST(guest_that_stays_stopped_at_the_end_is_told),
		LIVE_TEST(memory_of_ours_that_is_short_is_told),
		LIVE_TEST(signal_ends_the_reading_between_two_pieces),
		LIVE_TEST(signal_in_the_last_piece_is_noticed),
		LIVE_TEST(second_signal_is_not_waited_with),
		LIVE_TEST(without_a_signal_nothing_is_raised),
	};

	return cmocka_run_group_tests_name("balloonctl/live_clock", tests, NULL, NULL);
}
