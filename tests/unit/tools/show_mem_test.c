/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/show_mem.c: exact lines are read, everything else is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>

#include "tools/show_mem.h"

#define LEDGER "Ledger: ok (65536 frames)\n"

static void both_lines_are_found(void **state)
{
	struct show_mem mem;

	(void)state;
	assert_int_equal(show_mem_parse("MemTotal: 1 kB\nBalloon InflatedTotal:"
					"1024kB InflatedFree:0kB\nx\n" LEDGER "y",
					&mem),
			 0);
	assert_int_equal(mem.inflated_total, 1 << 20);
	assert_int_equal(mem.ledger_frames, 65536);
	assert_true(mem.ledger_ok);
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:0kB "
					"InflatedFree:4kB\nLedger: BROKEN two frames",
					&mem),
			 0);
	assert_int_equal(show_mem_ballooned(&mem), 4096);
	assert_false(mem.ledger_ok);
}

static void lines_of_another_form_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		LEDGER,
		"Balloon InflatedTotal:0kB InflatedFree:0kB\n",
		"Balloon InflatedTotal:0 kB InflatedFree:0kB\n" LEDGER,
		"Balloon InflatedTotal:0kB InflatedFree:0kBx\n" LEDGER,
		"Balloon InflatedTotal:-4kB InflatedFree:0kB\n" LEDGER,
		"Balloon InflatedTotal:04kB InflatedFree:0kB\n" LEDGER,
		" Balloon InflatedTotal:0kB InflatedFree:0kB\n" LEDGER,
		"Balloon InflatedTotal:18446744073709551615kB "
		"InflatedFree:0kB\n" LEDGER,
		"Balloon InflatedTotal:0kB InflatedFree:0kB\nLedger: ok\n",
	};
	struct show_mem mem;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(show_mem_parse(texts[i], &mem), -ENOENT);
}

static void two_modes_at_a_time_are_refused(void **state)
{
	struct show_mem mem;

	(void)state;
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:4kB "
					"InflatedFree:4kB\n" LEDGER,
					&mem),
			 -EINVAL);
}

/* What is more bytes than a number holds is no line. */
static void amounts_fit_in_bytes(void **state)
{
	struct show_mem mem;

	(void)state;
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:18014398509481983kB "
					"InflatedFree:0kB\n" LEDGER,
					&mem),
			 0);
	assert_true(mem.inflated_total == 18014398509481983ull * 1024);
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:18014398509481984kB "
					"InflatedFree:0kB\n" LEDGER,
					&mem),
			 -ENOENT);
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:0kB "
					"InflatedFree:18014398509481983kB\n" LEDGER,
					&mem),
			 0);
	assert_true(mem.inflated_free == 18014398509481983ull * 1024);
	assert_int_equal(show_mem_parse("Balloon InflatedTotal:0kB "
					"InflatedFree:18014398509481984kB\n" LEDGER,
					&mem),
			 -ENOENT);
}

/* The first of each kind counts, in whatever order they come, also without an end. */
static void first_lines_count_in_any_order(void **state)
{
	struct show_mem mem;

	(void)state;
	assert_int_equal(show_mem_parse("Ledger: ok (5 frames)\nLedger: ok (6 frames)\n"
					"Balloon InflatedTotal:4kB InflatedFree:0kB\n"
					"Balloon InflatedTotal:8kB InflatedFree:0kB",
					&mem),
			 0);
	assert_int_equal(mem.ledger_frames, 5);
	assert_int_equal(mem.inflated_total, 4096);
	assert_int_equal(show_mem_parse("Ledger: ok (05 frames)\n"
					"Balloon InflatedTotal:4kB InflatedFree:0kB\n",
					&mem),
			 -ENOENT);
	assert_int_equal(show_mem_parse("Ledger: ok (5 frames) x\n"
					"Balloon InflatedTotal:4kB InflatedFree:0kB\n",
					&mem),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_lines_are_found),
		cmocka_unit_test(lines_of_another_form_are_refused),
		cmocka_unit_test(two_modes_at_a_time_are_refused),
		cmocka_unit_test(amounts_fit_in_bytes),
		cmocka_unit_test(first_lines_count_in_any_order),
	};

	return cmocka_run_group_tests_name("show_mem", tests, NULL, NULL);
}
