/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/vm/vm_region.c, and vm_write_back(): what was written to the cache is on its disk when
 * its user has ended, as far as the disk takes it; pages that are of no use go, and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/unit/kernel/vm/vm_fixture.h"

static struct sim_disk *disk;
static struct guest *a, *b;

static int fail_writes(const struct block_request *request)
{
	return request->write ? -EIO : 0;
}

static void start_cache(uint64_t pages)
{
	machine_cache = "cache";
	start_machine();
	disk = plug_cache(pages);
}

/* How often a page of the disk was written, by its name. */
static uint32_t written(uint64_t page)
{
	uint64_t word;

	memcpy(&word, disk->bytes + page * FRAME_SIZE, sizeof(word));
	return (uint32_t)word;
}

static bool has_ended(void)
{
	return a->ended;
}

static void wait_end(void)
{
	wait_until(has_ended, "the user ends");
	a->used = false;
}

/* ---- Written back at the end ---- */

static void run_write_back(void)
{
	uint64_t cached, read;

	start_cache(300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_READ, 0, 200);
	act(a, GUEST_WRITE, 10, 40);
	act(a, GUEST_WRITE, 60, 1);
	act(a, GUEST_WRITE, 199, 1);
	cached = vm_events.cached;
	read = disk->reads;
	assert_int_equal(vm_events.dirty, 42);
	disk->write_pages_max = 0;
	end_guest(a);
	assert_int_equal(vm_events.dirty, 0);
	assert_int_equal(vm_events.cached, cached);
	/* Neighbours together, and none that the disk has. */
	assert_int_equal(disk->writes, 4);
	assert_int_equal(disk->write_pages_max, BLOCK_PAGES_MAX);
	for (uint64_t page = 0; page < 300; page++)
		assert_int_equal(written(page),
				 (page >= 10 && page < 50) || page == 60 || page == 199);
	assert_whole();
	b = begin_guest(VM_CACHE, 300, 0, true);
	act(b, GUEST_READ, 0, 200);
	assert_int_equal(disk->reads, read);
	/* They are not for writing until somebody does. */
	act(b, GUEST_WRITE, 20, 1);
	assert_int_equal(vm_events.dirty, 1);
	end_guest(b);
	assert_int_equal(written(20), 2);
	assert_int_equal(disk->writes, 5);
	assert_empty();
}

static void what_was_written_is_on_its_disk_at_the_end_and_stays_in_memory(void **state)
{
	(void)state;
	run_machine(run_write_back);
}

static void run_reader(void)
{
	start_cache(300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	b = begin_guest(VM_CACHE, 300, 0, false);
	act(a, GUEST_WRITE, 0, 10);
	end_guest(b);
	assert_int_equal(disk->writes, 0);
	assert_int_equal(vm_events.dirty, 10);
	end_guest(a);
	assert_int_equal(disk->writes, 1);
}

static void the_end_of_one_that_only_reads_writes_nothing(void **state)
{
	(void)state;
	run_machine(run_reader);
}

/* More pieces than the disk takes at a time. */
static void run_slow(void)
{
	start_cache(2000);
	disk->room = 2;
	a = begin_guest(VM_CACHE, 2000, 0, true);
	for (uint64_t page = 0; page < 100; page += 2)
		act(a, GUEST_WRITE, page, 1);
	disk->held = true;
	ask(a, GUEST_END, 0, 0);
	wait_ns(NS_PER_S);
	assert_false(a->ended);
	assert_int_equal(sim_disk_in_flight(disk), 2);
	for (unsigned i = 0; i < 24; i++) {
		sim_disk_answer(disk, 2);
		wait_ns(NS_PER_S / 10);
		assert_false(a->ended);
	}
	/* All is handed over, but nothing lasts before the disk says so. */
	wait_ns(NS_PER_S);
	assert_false(a->ended);
	disk->held = false;
	wait_end();
	assert_int_equal(disk->writes, 50);
	assert_int_equal(vm_events.dirty, 0);
	assert_whole();
}

static void the_end_waits_until_the_disk_has_all_of_it(void **state)
{
	(void)state;
	run_machine(run_slow);
}

static void run_written_meanwhile(void)
{
	uint64_t cached;

	start_cache(300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	b = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 10);
	cached = vm_events.cached;
	disk->held = true;
	ask(a, GUEST_END, 0, 0);
	wait_ns(NS_PER_MS);
	assert_int_equal(sim_disk_in_flight(disk), 1);
	ask(b, GUEST_WRITE, 3, 1);
	wait_ns(NS_PER_S);
	assert_true(b->busy);
	disk->held = false;
	wait_for(b);
	wait_end();
	assert_int_equal(vm_events.dirty, 1);
	assert_int_equal(vm_events.cached, cached);
	assert_int_equal(written(3), 1);
	end_guest(b);
	assert_int_equal(written(3), 2);
	assert_int_equal(vm_events.dirty, 0);
	assert_whole();
}

static void a_page_that_another_writes_meanwhile_is_dirty_anew(void **state)
{
	(void)state;
	run_machine(run_written_meanwhile);
}

static void run_refused(void)
{
	uint64_t cached;

	start_cache(300);
	disk->fails = fail_writes;
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 40);
	cached = vm_events.cached;
	ask(a, GUEST_END, 0, 0);
	wait_end();
	assert_int_equal(vm_events.dirty, 40);
	assert_int_equal(vm_events.cached, cached);
	assert_true(sim_log_warnings > 0);
	assert_whole();
	/* The next that writes has them written. */
	disk->fails = NULL;
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_READ, 0, 40);
	end_guest(a);
	assert_int_equal(vm_events.dirty, 0);
	assert_int_equal(written(39), 1);
	assert_whole();
}

static void what_the_disk_refuses_stays_dirty_and_the_user_ends(void **state)
{
	(void)state;
	run_machine(run_refused);
}

/* One that has shrunk meanwhile has no room for the last pages, and takes the others. */
static void run_shrunk(void)
{
	start_cache(300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 3);
	act(a, GUEST_WRITE, 200, 2);
	act(a, GUEST_WRITE, 100, 1);
	disk->pages = 150;
	end_guest(a);
	assert_int_equal(vm_events.dirty, 2);
	assert_int_equal(written(2), 1);
	assert_int_equal(written(100), 1);
	assert_int_equal(written(200), 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_whole();
	disk->pages = 300;
	b = begin_guest(VM_CACHE, 300, 0, true);
	end_guest(b);
	assert_int_equal(written(201), 1);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(vm_events.dirty, 0);
	assert_whole();
}

static void what_a_disk_has_no_place_for_is_told_and_the_rest_written(void **state)
{
	(void)state;
	run_machine(run_shrunk);
}

static void run_pulled(void)
{
	start_cache(300);
	disk->room = 1;
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 100);
	disk->held = true;
	ask(a, GUEST_END, 0, 0);
	wait_ns(NS_PER_S);
	assert_false(a->ended);
	assert_int_equal(sim_disk_in_flight(disk), 1);
	sim_disk_pull(disk);
	wait_end();
	assert_null(vm_cache_disk);
	assert_whole();
}

static void a_disk_that_is_pulled_out_keeps_nobody_from_ending(void **state)
{
	(void)state;
	run_machine(run_pulled);
}

/* ---- Of no use any more ---- */

static void run_discard(void)
{
	start_machine();
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	act(a, GUEST_DISCARD, 0, 0);
	act(a, GUEST_DISCARD, 50, 0);
	act(a, GUEST_DISCARD, 100, 0);
	assert_int_equal(vm_events.anonymous, 100);
	act(a, GUEST_DISCARD, 50, 1);
	assert_int_equal(vm_events.anonymous, 99);
	act(a, GUEST_DISCARD, 40, 20);
	assert_int_equal(vm_events.anonymous, 80);
	act(a, GUEST_READ, 0, 40);
	act(a, GUEST_READ, 60, 40);
	assert_int_equal(vm_events.anonymous, 80);
	/* All of it, and those that are not there; the tables go with them. */
	act(a, GUEST_DISCARD, 0, 100);
	act(a, GUEST_DISCARD, 0, 100);
	assert_int_equal(vm_events.anonymous, 0);
	assert_int_equal(sim_demand_tables(), 0);
	act(a, GUEST_WRITE, 0, 100);
	act(a, GUEST_READ, 0, 100);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void only_pages_that_are_of_no_use_go(void **state)
{
	(void)state;
	run_machine(run_discard);
}

/* Whoever is to end meanwhile ends, and what moved is nobody's. */
static void run_doomed(void)
{
	machine_swap = "swap";
	start_machine();
	disk = plug_swap(1000);
	a = begin_guest(VM_ANONYMOUS, 700, 0, false);
	act(a, GUEST_WRITE, 0, 700);
	disk->held = true;
	vm_evict(VM_BY_TASK, 300);
	ask(a, GUEST_DISCARD, 0, 700);
	wait_ns(NS_PER_S);
	assert_true(a->busy);
	assert_int_equal(vm_user_doom(a->task, "a test"), 0);
	wait_ns(NS_PER_S);
	assert_false(a->ended);
	disk->held = false;
	wait_end();
	assert_string_equal(a->why, "a test");
	assert_empty();
}

static void one_that_is_to_end_while_it_discards_ends(void **state)
{
	(void)state;
	run_machine(run_doomed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_on_its_disk_at_the_end_and_stays_in_memory),
		cmocka_unit_test(the_end_of_one_that_only_reads_writes_nothing),
		cmocka_unit_test(the_end_waits_until_the_disk_has_all_of_it),
		cmocka_unit_test(a_page_that_another_writes_meanwhile_is_dirty_anew),
		cmocka_unit_test(what_the_disk_refuses_stays_dirty_and_the_user_ends),
		cmocka_unit_test(what_a_disk_has_no_place_for_is_told_and_the_rest_written),
		cmocka_unit_test(a_disk_that_is_pulled_out_keeps_nobody_from_ending),
		cmocka_unit_test(only_pages_that_are_of_no_use_go),
		cmocka_unit_test(one_that_is_to_end_while_it_discards_ends),
	};

	return cmocka_run_group_tests_name("vm_region", tests, NULL, NULL);
}
