/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Linux domain, with Linux's own driver for Xen's balloon, as a witness: it is set to the same
 * sizes as the Aerostat beside it, and what either counts must move by the same. The steps are
 * those of tests/xen/dom0/witness.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/xen/told.h"
#include "tools/json_member.h"

/* Aerostats, each with the Linux that was looked at after it. */
#define PAIRS 9

static const struct look *aerostat_of(size_t pair)
{
	return &looks[2 * pair];
}

static const struct look *linux_of(size_t pair)
{
	return &looks[2 * pair + 1];
}

static const char *word_of(const struct look *look, const char *name)
{
	const char *word = json_member_string(look->witness, name);

	if (!word)
		fail_msg("Linux does not say %s", name);
	return word;
}

/* What each calls the same, in KiB. */
static uint64_t total_kib(const struct look *look)
{
	return look->witness ? machine_number(look->witness, "mem-total-kb")
			     : machine_number(look->memory, "stat-total-memory") / KIB;
}

static uint64_t ballooned_kib(const struct look *look)
{
	return look->witness ? machine_number(look->witness, "low-kb")
			     : machine_number(look->memory, "inflated-total") / KIB;
}

static uint64_t current_kib(const struct look *look)
{
	return look->witness ? machine_number(look->witness, "current-kb")
			     : machine_number(look->balloon, "current") / KIB;
}

static uint64_t target_kib(const struct look *look)
{
	return look->witness ? machine_number(look->witness, "target-kb")
			     : machine_number(look->balloon, "target") / KIB;
}

/* ---- The steps ---- */

static int set_up(void **state)
{
	(void)state;
	/* xl unpacks Linux in the first domain's memory. */
	return told_run("witness", "witness", "1536M", "512M", "", 0);
}

static void both_were_looked_at_at_each_size(void **state)
{
	static const struct told_look wanted[2 * PAIRS] = {
		{ "create", "aero" },
		{ "create", "linux" },
		{ "163840", "aero" },
		{ "163840", "linux" },
		{ "207004", "aero" },
		{ "207004", "linux" },
		{ "131072", "aero" },
		{ "131072", "linux" },
		{ "262144", "aero" },
		{ "262144", "linux" },
		{ "populate-on-demand", "aero" },
		{ "populate-on-demand", "linux" },
		{ "229376", "aero" },
		{ "229376", "linux" },
		{ "327680", "aero" },
		{ "327680", "linux" },
		{ "262144", "aero" },
		{ "262144", "linux" },
	};

	(void)state;
	told_check_looks(wanted, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < PAIRS; i++) {
		assert_null(aerostat_of(i)->witness);
		assert_non_null(linux_of(i)->witness);
		assert_int_equal(aerostat_of(i)->target_kib, linux_of(i)->target_kib);
		assert_int_equal(aerostat_of(i)->static_max_kib, linux_of(i)->static_max_kib);
	}
}

static void print_look(const char *who, const struct look *look)
{
	print_message("%-9s MemTotal %6" PRIu64 " target %6" PRIu64 " current %6" PRIu64
		      " ballooned %6" PRIu64 " Xen's %6" PRIu64 "\n",
		      who, total_kib(look), target_kib(look), current_kib(look),
		      ballooned_kib(look), look->xen_kib);
}

static void figures_are_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		print_message("%" PRIu64 " of %" PRIu64 " KiB\n", aerostat_of(i)->target_kib,
			      aerostat_of(i)->static_max_kib);
		print_look("Aerostat", aerostat_of(i));
		print_look("Linux", linux_of(i));
	}
}

/* ---- What is the same ---- */

/* InflatedTotal is low_kb, and what the toolstack has not given. */
static void both_have_the_same_in_the_balloon(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		assert_int_equal(ballooned_kib(&looks[i]),
				 looks[i].static_max_kib - looks[i].target_kib);
}

/* By how much a figure has moved since the domain was first looked at; what is wanted, too. */
static int64_t moved(const struct look *look, uint64_t (*figure)(const struct look *look))
{
	return (int64_t)figure(look) - (int64_t)figure(told_first_of(look));
}

static int64_t wanted(const struct look *look)
{
	return (int64_t)look->target_kib - (int64_t)told_first_of(look)->target_kib;
}

static void totals_of_both_move_by_what_the_toolstack_moves(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		assert_int_equal(moved(&looks[i], total_kib), wanted(&looks[i]));
		assert_int_equal(moved(&looks[i], ballooned_kib), -wanted(&looks[i]));
	}
}

static void targets_of_both_move_by_it_and_are_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		assert_int_equal(moved(&looks[i], target_kib), wanted(&looks[i]));
		assert_int_equal(current_kib(&looks[i]), target_kib(&looks[i]));
	}
}

static uint64_t xen_kib(const struct look *look)
{
	return look->xen_kib;
}

static void xen_counts_the_same_for_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		assert_int_equal(moved(&looks[i], xen_kib), wanted(&looks[i]));
	for (size_t i = 0; i < PAIRS; i++)
		assert_int_equal(aerostat_of(i)->xen_kib, linux_of(i)->xen_kib);
}

/* ---- What is not ---- */

/*
 * Linux has made a hole where a PC has one, below 1 MiB, in the map that it was given, and its
 * driver counts without the first frame: always as much less than the toolstack.
 */
static void linux_counts_less_ram_than_there_is(void **state)
{
	uint64_t all = 0, mapped = 0, counted = 0;

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		const struct look *look = linux_of(i), *first = told_first_of(look);

		all = look->static_max_kib;
		mapped = machine_number(look->witness, "ram-kb");
		counted = current_kib(look) + ballooned_kib(look);
		assert_true(counted <= mapped && mapped <= all);
		assert_int_equal(all - counted, look->target_kib - target_kib(look));
		assert_int_equal(counted, current_kib(first) + ballooned_kib(first));
	}
	print_message("of %" PRIu64 " kB Linux maps %" PRIu64 ", and its driver counts %" PRIu64
		      "\n",
		      all, mapped, counted);
}

/* Aerostat's total is all but a frame; Linux's is without what it took before it had a driver. */
static void linux_leaves_itself_out_of_its_total(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		assert_true(total_kib(linux_of(i)) < current_kib(linux_of(i)));
		assert_true(total_kib(aerostat_of(i)) > total_kib(linux_of(i)));
	}
}

static uint64_t hexadecimal(const struct look *look, const char *name)
{
	return strtoull(word_of(look, name), NULL, 16);
}

/* Linux prints delays and numbers of tries in hexadecimal, and Aerostat in decimal. */
static void delays_are_the_same_but_for_their_base(void **state)
{
	const struct look *aerostat = aerostat_of(0), *linux_look = linux_of(0);

	(void)state;
	assert_int_equal(hexadecimal(linux_look, "schedule_delay"),
			 machine_number(aerostat->balloon, "schedule-delay"));
	assert_int_equal(hexadecimal(linux_look, "max_schedule_delay"),
			 machine_number(aerostat->balloon, "max-schedule-delay"));
	assert_int_equal(hexadecimal(linux_look, "retry_count"),
			 machine_number(aerostat->balloon, "retry-count"));
	/* Linux gives up, and Aerostat does not. */
	assert_true(hexadecimal(linux_look, "max_retry_count") > 0);
	assert_int_equal(machine_number(aerostat->balloon, "max-retry-count"), 0);
	print_message("max_schedule_delay: Linux's %s is Aerostat's %" PRIu64 "\n",
		      word_of(linux_look, "max_schedule_delay"),
		      machine_number(aerostat->balloon, "max-schedule-delay"));
}

int witness_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dom0_comes_to_the_end_of_its_steps),
		cmocka_unit_test(all_that_is_waited_for_comes),
		cmocka_unit_test(both_were_looked_at_at_each_size),
		cmocka_unit_test(figures_are_printed),
		cmocka_unit_test(ledgers_are_whole),
		cmocka_unit_test(both_have_the_same_in_the_balloon),
		cmocka_unit_test(totals_of_both_move_by_what_the_toolstack_moves),
		cmocka_unit_test(targets_of_both_move_by_it_and_are_reached),
		cmocka_unit_test(xen_counts_the_same_for_both),
		cmocka_unit_test(xl_lists_what_the_toolstack_wants),
		cmocka_unit_test(linux_counts_less_ram_than_there_is),
		cmocka_unit_test(linux_leaves_itself_out_of_its_total),
		cmocka_unit_test(delays_are_the_same_but_for_their_base),
	};

	return cmocka_run_group_tests_name("xen_witness", tests, set_up, told_forget);
}
