/* SPDX-License-Identifier: BSD-2-Clause */
/* Pressure stall information: totals and averages, to the digit, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mm/psi.h"

#define START (UINT64_C(5) * NS_PER_S + 3)

static struct psi psi;
static struct psi_figures some, full;

static int set_up(void **state)
{
	(void)state;
	psi_init(&psi, START);
	return 0;
}

/* `ms` after the start. */
static void say(unsigned waiting, bool others_run, uint64_t ms)
{
	psi_set(&psi, waiting, others_run, START + ms * NS_PER_MS);
}

static void look(uint64_t ms)
{
	psi_read(&psi, START + ms * NS_PER_MS, &some, &full);
}

static void assert_averages(const struct psi_figures *figures, unsigned ten, unsigned sixty,
			    unsigned three_hundred)
{
	assert_int_equal(figures->average[PSI_10_S], ten);
	assert_int_equal(figures->average[PSI_60_S], sixty);
	assert_int_equal(figures->average[PSI_300_S], three_hundred);
}

static void without_waits_there_is_no_pressure(void **state)
{
	(void)state;
	look(3600000);
	assert_int_equal(some.total_us, 0);
	assert_int_equal(full.total_us, 0);
	assert_averages(&some, 0, 0, 0);
	assert_averages(&full, 0, 0, 0);
}

/* 1 - e to the -2/10, -2/60, -2/300; then to the -1, -1/6, -1/30. */
static void averages_follow_a_wait_exponentially(void **state)
{
	(void)state;
	say(1, false, 0);
	look(1999);
	assert_averages(&some, 0, 0, 0);
	look(2000);
	assert_averages(&some, 1813, 328, 66);
	look(3999);
	assert_averages(&some, 1813, 328, 66);
	look(10000);
	assert_averages(&some, 6321, 1535, 328);
	assert_averages(&full, 6321, 1535, 328);
	assert_int_equal(some.total_us, 10000000);
	look(3000000);
	assert_averages(&some, 10000, 10000, 10000);
	say(0, true, 3000000);
	look(3010000);
	assert_averages(&some, 3679, 8465, 9672);
	assert_int_equal(some.total_us, 3000000000);
}

static void a_part_of_a_period_counts_as_a_part(void **state)
{
	(void)state;
	say(1, true, 500);
	say(0, true, 1000);
	look(2000);
	/* A quarter of what a whole period would give. */
	assert_averages(&some, 453, 82, 17);
	assert_int_equal(some.total_us, 500000);
	for (uint64_t second = 2; second < 2000; second += 2) {
		say(1, true, second * 1000);
		say(0, true, second * 1000 + 500);
	}
	look(2000000);
	assert_averages(&some, 2500, 2500, 2497);
}

static void full_is_when_nobody_else_runs(void **state)
{
	(void)state;
	say(1, true, 0);
	say(2, false, 2000);
	say(1, true, 3000);
	say(0, false, 4000);
	look(6000);
	assert_int_equal(some.total_us, 4000000);
	assert_int_equal(full.total_us, 1000000);
	assert_averages(&some, 2699, 624, 132);
	/* Half of the second period, and a third one without. */
	assert_averages(&full, 742, 159, 33);
}

/* A wait that goes over the end of a period is in both of them. */
static void a_wait_is_counted_in_the_periods_that_it_lasts(void **state)
{
	(void)state;
	say(1, false, 1500);
	say(0, true, 2500);
	look(2500);
	assert_averages(&some, 453, 82, 17);
	look(4000);
	assert_averages(&some, 824, 161, 33);
	assert_int_equal(some.total_us, 1000000);
}

/* However long nothing was said, it is as if somebody had looked every 2 s. */
static void long_silence_is_made_up_for_at_once(void **state)
{
	static const unsigned lengths[] = { 1, 2, 3, 5, 17, 64, 150, 1000, 4321 };
	struct psi stepped;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct psi_figures one, other;

		psi_init(&psi, START);
		say(1, true, 700);
		stepped = psi;
		for (unsigned n = 1; n <= lengths[i]; n++)
			psi_set(&stepped, 1, true, START + n * PSI_PERIOD_NS);
		look(lengths[i] * UINT64_C(2000));
		psi_read(&stepped, START + lengths[i] * PSI_PERIOD_NS, &one, &other);
		assert_int_equal(some.total_us, one.total_us);
		for (unsigned w = 0; w < PSI_WINDOWS; w++)
			assert_in_range(some.average[w] + 1, one.average[w], one.average[w] + 2);
	}
	/* A wait that ended long ago, and a century: nothing overflows. */
	say(0, true, 4321 * 2000);
	look(UINT64_C(100) * 365 * 86400 * 1000);
	assert_averages(&some, 0, 0, 0);
}

static void to_look_changes_nothing(void **state)
{
	(void)state;
	say(1, false, 0);
	for (unsigned ms = 0; ms < 6000; ms += 7)
		look(ms);
	look(2000);
	assert_averages(&some, 1813, 328, 66);
	assert_int_equal(full.total_us, 2000000);
}

static void a_clock_that_goes_back_stands_still(void **state)
{
	(void)state;
	say(1, false, 1000);
	say(0, true, 500);
	look(3000);
	assert_int_equal(some.total_us, 0);
	say(1, false, 2000);
	look(1000);
	assert_int_equal(some.total_us, 0);
	look(2001);
	assert_int_equal(some.total_us, 1000);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_waits_there_is_no_pressure),
		TEST(averages_follow_a_wait_exponentially),
		TEST(a_part_of_a_period_counts_as_a_part),
		TEST(full_is_when_nobody_else_runs),
		TEST(a_wait_is_counted_in_the_periods_that_it_lasts),
		TEST(long_silence_is_made_up_for_at_once),
		TEST(to_look_changes_nothing),
		TEST(a_clock_that_goes_back_stands_still),
	};

	return cmocka_run_group_tests_name("psi", tests, NULL, NULL);
}
