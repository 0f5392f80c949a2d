/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/vm/vm_fault.c: a page is touched that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "mm/ledger.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

static struct sim_disk *disk;
static struct guest *a, *b;
static uint64_t bad_page = UINT64_MAX; /* of the disk: it cannot be read */
static unsigned tries;

static int fail_bad(const struct block_request *request)
{
	bool bad = !request->write && bad_page >= request->page &&
		   bad_page - request->page < request->count;

	tries += bad;
	return bad ? -EIO : 0;
}

static void start_with_cache(uint64_t pages)
{
	machine_cache = "cache";
	start_machine();
	disk = plug_cache(pages);
	disk->fails = fail_bad;
}

/* ---- Zeros ---- */

static void run_zeros(void)
{
	start_machine();
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_READ, 3, 2);
	act(a, GUEST_WRITE, 3, 97);
	act(a, GUEST_READ, 0, 100);
	assert_int_equal(vm_events.faults, 100);
	assert_int_equal(vm_events.major_faults, 0);
	assert_int_equal(vm_events.anonymous, 100);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void a_page_comes_as_zeros_and_keeps_what_is_written(void **state)
{
	(void)state;
	run_machine(run_zeros);
}

static void run_without_tables(void)
{
	start_machine();
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	sim_demand_fail(true);
	act(a, GUEST_WRITE, 0, 1);
	assert_true(a->ended);
	assert_string_equal(a->why, "there is no memory for a page");
	assert_empty();
	assert_int_equal(ledger_count(OWNER_ANON), 0);
}

static void without_a_table_the_frame_is_given_back_and_the_user_ends(void **state)
{
	(void)state;
	run_machine(run_without_tables);
}

/* ---- Reading ---- */

static void run_sequential(void)
{
	start_with_cache(1000);
	a = begin_guest(VM_CACHE, 1000, 0, false);
	act(a, GUEST_READ, 0, 500);
	assert_int_equal(disk->read_pages_max, BLOCK_PAGES_MAX);
	/* 1, 2, 4, 8, 16, 32, 32, ... */
	assert_in_range(disk->reads, 18, 22);
	assert_int_equal(vm_events.major_faults, disk->reads);
	/* Here and there: fewer each time, and then one. */
	disk->read_pages_max = 0;
	act(a, GUEST_READ, 900, 1);
	act(a, GUEST_READ, 700, 1);
	act(a, GUEST_READ, 800, 1);
	act(a, GUEST_READ, 650, 1);
	act(a, GUEST_READ, 600, 1);
	disk->read_pages_max = 0;
	act(a, GUEST_READ, 550, 1);
	assert_int_equal(disk->read_pages_max, 1);
	/* What is announced comes at once, and nothing after it. */
	act(a, GUEST_WILL_TOUCH, 960, 10);
	act(a, GUEST_READ, 960, 10);
	assert_int_equal(disk->read_pages_max, 10);
	disk->read_pages_max = 0;
	act(a, GUEST_READ, 750, 1);
	assert_int_equal(disk->read_pages_max, 1);
	assert_whole();
}

static void more_is_read_at_once_as_long_as_that_pays(void **state)
{
	(void)state;
	run_machine(run_sequential);
}

static void run_two_streams(void)
{
	start_with_cache(1000);
	a = begin_guest(VM_CACHE, 1000, 0, false);
	b = begin_guest(VM_CACHE, 1000, 0, false);
	for (uint64_t page = 0; page < 400; page++) {
		act(a, GUEST_READ, page, 1);
		act(b, GUEST_READ, 500 + page, 1);
	}
	assert_int_equal(disk->read_pages_max, BLOCK_PAGES_MAX);
	assert_true(disk->reads < 50);
	/* Nor does what one announces count for the other. */
	disk->read_pages_max = 0;
	act(a, GUEST_WILL_TOUCH, 960, 30);
	act(b, GUEST_READ, 970, 1);
	act(b, GUEST_READ, 450, 1);
	act(b, GUEST_READ, 480, 1);
	act(b, GUEST_READ, 940, 1);
	act(b, GUEST_READ, 440, 1);
	disk->read_pages_max = 0;
	act(b, GUEST_READ, 962, 1);
	assert_int_equal(disk->read_pages_max, 1);
}

static void two_streams_do_not_disturb_each_other(void **state)
{
	(void)state;
	run_machine(run_two_streams);
}

static void run_same_page(void)
{
	start_with_cache(100);
	disk->held = true;
	a = begin_guest(VM_CACHE, 100, 0, false);
	b = begin_guest(VM_CACHE, 100, 0, false);
	ask(a, GUEST_READ, 7, 1);
	ask(b, GUEST_READ, 7, 1);
	wait_ns(NS_PER_MS);
	assert_int_equal(sim_disk_in_flight(disk), 1);
	sim_disk_answer(disk, 1);
	wait_for(a);
	wait_for(b);
	assert_int_equal(disk->reads, 1);
	assert_int_equal(vm_events.major_faults, 1);
	assert_whole();
}

/* Both have seen that nobody reads it, and wait for room. */
static void run_same_page_later(void)
{
	struct guest *c, *d;

	start_with_cache(200);
	disk->held = true;
	disk->room = 2;
	a = begin_guest(VM_CACHE, 200, 0, false);
	b = begin_guest(VM_CACHE, 200, 0, false);
	c = begin_guest(VM_CACHE, 200, 0, false);
	d = begin_guest(VM_CACHE, 200, 0, false);
	ask(c, GUEST_READ, 150, 1);
	ask(d, GUEST_READ, 170, 1);
	wait_ns(NS_PER_MS);
	ask(a, GUEST_READ, 7, 1);
	ask(b, GUEST_READ, 7, 1);
	wait_ns(NS_PER_MS);
	assert_int_equal(disk->reads, 2);
	assert_int_equal(vm_events.disk_stalls, 2);
	sim_disk_answer(disk, 2);
	wait_ns(NS_PER_MS);
	assert_int_equal(disk->reads, 3);
	sim_disk_answer(disk, 2);
	wait_for(a);
	wait_for(b);
	assert_int_equal(disk->reads, 3);
	assert_whole();
}

static void two_who_waited_for_room_read_it_once(void **state)
{
	(void)state;
	run_machine(run_same_page_later);
}

static void two_who_want_one_page_read_it_once(void **state)
{
	(void)state;
	run_machine(run_same_page);
}

/* ---- Errors ---- */

static void run_bad_neighbour(void)
{
	start_with_cache(100);
	bad_page = 10;
	a = begin_guest(VM_CACHE, 100, 0, false);
	act(a, GUEST_WILL_TOUCH, 0, 20);
	act(a, GUEST_READ, 0, 10);
	assert_false(a->ended);
	assert_int_equal(a->touched, 10);
	act(a, GUEST_READ, 11, 20);
	assert_int_equal(a->touched, 30);
	/* With others, and alone. */
	tries = 0;
	act(a, GUEST_READ, 10, 1);
	assert_true(a->ended);
	assert_string_equal(a->why, "a page could not be read from its disk");
	assert_int_equal(tries, 2);
	assert_whole();
}

static void an_error_of_a_neighbour_costs_nothing_and_its_own_the_user(void **state)
{
	(void)state;
	run_machine(run_bad_neighbour);
}

/* Before its user runs, who has the lowest priority, what has come goes again. */
static unsigned thefts;

static void steal(void *unused)
{
	(void)unused;
	while (thefts < 8) {
		uint64_t flags = irq_save();

		task_wait(&vm_changed, DEADLINE_NEVER);
		irq_restore(flags);
		thefts += (unsigned)vm_evict(VM_BY_BACKGROUND, 100);
	}
}

static void run_stolen(void)
{
	start_with_cache(100);
	a = begin_guest(VM_CACHE, 100, 0, false);
	assert_int_equal(task_create("thief", TASK_PRIORITY_SHELL, steal, NULL), 0);
	act(a, GUEST_READ, 7, 1);
	assert_int_equal(thefts, 8);
	assert_false(a->ended);
	assert_int_equal(disk->reads, 9);
	assert_int_equal(vm_events.major_faults, 1);
	assert_whole();
}

static void a_page_that_goes_again_at_once_is_no_error(void **state)
{
	(void)state;
	run_machine(run_stolen);
}

static void run_beyond_end(void)
{
	start_with_cache(100);
	a = begin_guest(VM_CACHE, 100, 0, false);
	disk->pages = 50;
	act(a, GUEST_READ, 40, 5);
	assert_false(a->ended);
	act(a, GUEST_READ, 60, 1);
	assert_true(a->ended);
	assert_string_equal(a->why, "a page could not be read from its disk");
	assert_whole();
}

static void a_page_beyond_the_end_of_a_disk_that_shrank_is_the_disks_fault(void **state)
{
	(void)state;
	run_machine(run_beyond_end);
}

static void run_stuck(void)
{
	start_with_cache(100);
	disk->dead = disk->stuck = true;
	a = begin_guest(VM_CACHE, 100, 0, false);
	act(a, GUEST_READ, 7, 1);
	assert_true(a->ended);
	/* It may write there whenever it likes. */
	assert_int_equal(ledger_count(OWNER_CACHE), 1);
	assert_int_equal(vm_events.cached, 0);
	assert_whole();
}

static void a_frame_that_a_device_keeps_is_never_used_again(void **state)
{
	(void)state;
	run_machine(run_stuck);
}

static void run_all_transfers_busy(void)
{
	machine_swap = "swap";
	start_with_cache(1000);
	struct sim_disk *swap = plug_swap(500);
	struct vm_transfer *t;
	pfn_t pfn;

	/* A swapped page, whose disk goes while all transfers are the other's. */
	a = begin_guest(VM_ANONYMOUS, 64, 0, false);
	act(a, GUEST_WRITE, 0, 64);
	hold_all_but(100);
	wait_ns(NS_PER_S);
	hold_none();
	assert_true(vm_events.swapped > 0);
	disk->held = true;
	disk->room = 64;
	for (uint64_t page = 0; (t = vm_transfer_new(vm_region_of(8 * VM_REGION_PAGES), page));
	     page++) {
		page += 8 * VM_REGION_PAGES;
		t->page = page;
		assert_int_equal(frame_alloc(0, OWNER_CACHE, &pfn), 0);
		assert_int_equal(paging_demand_prepare(page), 0);
		t->request.page = page -= 8 * VM_REGION_PAGES;
		t->request.frames[0] = pfn;
		t->request.count = 1;
		assert_int_equal(vm_transfer_begin(t), 0);
	}
	ask(a, GUEST_READ, 0, 64);
	wait_ns(NS_PER_MS);
	assert_int_equal(vm_events.disk_stalls, 1);
	sim_disk_pull(swap);
	wait_for(a);
	assert_true(a->ended);
	sim_disk_answer(disk, 64);
	assert_whole();
}

static void a_disk_that_goes_while_there_is_no_room_is_no_assertion(void **state)
{
	(void)state;
	run_machine(run_all_transfers_busy);
}

/* ---- Writing ---- */

static void run_writes(void)
{
	start_with_cache(100);
	a = begin_guest(VM_CACHE, 100, 0, true);
	act(a, GUEST_READ, 0, 10);
	assert_int_equal(vm_events.dirty, 0);
	assert_false(sim_demand_is_writable(a->first + 3));
	act(a, GUEST_WRITE, 3, 2);
	assert_int_equal(vm_events.dirty, 2);
	assert_true(sim_demand_is_writable(a->first + 3));
	act(a, GUEST_WRITE, 3, 2);
	assert_int_equal(vm_events.dirty, 2);
	/* A page that is not there, too. */
	act(a, GUEST_WRITE, 50, 1);
	assert_int_equal(vm_events.dirty, 3);
	end_guest(a);
	/* They stay for the next. */
	b = begin_guest(VM_CACHE, 100, 0, false);
	act(b, GUEST_READ, 0, 60);
	assert_whole();
}

static void a_cached_page_is_dirty_from_its_first_write_on(void **state)
{
	(void)state;
	run_machine(run_writes);
}

/* ---- Limits ---- */

static void run_ahead_at_limit(void)
{
	machine_swap = "swap";
	start_machine();
	plug_swap(1000);
	a = begin_guest(VM_ANONYMOUS, 200, 20, false);
	for (unsigned pass = 0; pass < 3; pass++) {
		for (uint64_t page = 0; page < 200; page++) {
			if (page % 40 == 0)
				act(a, GUEST_WILL_TOUCH, page, 40);
			act(a, GUEST_WRITE, page, 1);
			assert_true(vm_regions[0].resident <= 20);
		}
	}
	assert_true(vm_events.swap_in_bytes > 0);
	assert_whole();
}

static void reading_ahead_keeps_to_the_users_limit(void **state)
{
	(void)state;
	run_machine(run_ahead_at_limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_as_zeros_and_keeps_what_is_written),
		cmocka_unit_test(without_a_table_the_frame_is_given_back_and_the_user_ends),
		cmocka_unit_test(more_is_read_at_once_as_long_as_that_pays),
		cmocka_unit_test(two_streams_do_not_disturb_each_other),
		cmocka_unit_test(two_who_want_one_page_read_it_once),
		cmocka_unit_test(two_who_waited_for_room_read_it_once),
		cmocka_unit_test(an_error_of_a_neighbour_costs_nothing_and_its_own_the_user),
		cmocka_unit_test(a_page_that_goes_again_at_once_is_no_error),
		cmocka_unit_test(a_page_beyond_the_end_of_a_disk_that_shrank_is_the_disks_fault),
		cmocka_unit_test(a_frame_that_a_device_keeps_is_never_used_again),
		cmocka_unit_test(a_disk_that_goes_while_there_is_no_room_is_no_assertion),
		cmocka_unit_test(a_cached_page_is_dirty_from_its_first_write_on),
		cmocka_unit_test(reading_ahead_keeps_to_the_users_limit),
	};

	return cmocka_run_group_tests_name("vm_fault", tests, NULL, NULL);
}
