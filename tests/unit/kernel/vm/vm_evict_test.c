/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/vm/vm_evict.c and vm_transfer.c: pages are taken out, are written, and may be wanted
 * again meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mm/ledger.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

static struct sim_disk *swap, *cache;
static struct guest *a, *b;

static void start(uint64_t swap_pages, uint64_t cache_pages)
{
	start_with_disks(swap_pages, &swap, cache_pages, &cache);
}

/* ---- Cached pages ---- */

static void run_clean(void)
{
	start(0, 1000);
	a = begin_guest(VM_CACHE, 1000, 0, false);
	act(a, GUEST_READ, 0, 300);
	assert_int_equal(vm_evict(VM_BY_BACKGROUND, 100), 100);
	assert_int_equal(vm_leaving, 0);
	assert_int_equal(cache->writes, 0);
	assert_int_equal(vm_events.async_reclaimed, 100);
	assert_int_equal(vm_events.async_scanned, 100);
	assert_int_equal(vm_evict(VM_BY_TASK, 50), 50);
	assert_int_equal(vm_events.direct_reclaimed, 50);
	assert_int_equal(vm_events.direct_scanned, 50);
	assert_whole();
	act(a, GUEST_READ, 0, 300);
	assert_true(vm_events.refaults > 100);
	assert_whole();
}

static void clean_pages_go_at_once(void **state)
{
	(void)state;
	run_machine(run_clean);
}

static void run_tables(void)
{
	start(0, 4000);
	a = begin_guest(VM_CACHE, 4000, 0, false);
	for (uint64_t page = 0; page < 4000; page += 100) {
		act(a, GUEST_READ, page, 100);
		vm_evict(VM_BY_BACKGROUND, 100);
		assert_in_range(sim_demand_tables(), 0, 4);
	}
	assert_whole();
}

static void a_disk_that_is_read_from_start_to_end_leaves_no_tables(void **state)
{
	(void)state;
	run_machine(run_tables);
}

static void run_dirty(void)
{
	uint64_t pages;

	start(0, 300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 50);
	act(a, GUEST_READ, 50, 50);
	pages = vm_events.cached;
	assert_int_equal(vm_evict(VM_BY_TASK, 1000), pages);
	assert_int_equal(vm_leaving, 50);
	assert_int_equal(vm_events.dirty, 0);
	settle();
	assert_int_equal(cache->write_pages_max, BLOCK_PAGES_MAX);
	assert_int_equal(cache->writes, 2);
	assert_int_equal(vm_events.cached, 0);
	assert_int_equal(vm_events.direct_reclaimed, pages);
	assert_int_equal(sim_demand_tables(), 0);
	act(a, GUEST_READ, 0, 100);
	/* Its disk has them: they go at once now. */
	pages = vm_events.cached;
	assert_int_equal(vm_evict(VM_BY_TASK, 1000), pages);
	assert_int_equal(vm_leaving, 0);
	assert_int_equal(cache->writes, 2);
	assert_whole();
}

static void dirty_pages_are_written_neighbours_together(void **state)
{
	(void)state;
	run_machine(run_dirty);
}

static void run_dirtied_meanwhile(void)
{
	uint64_t pages;

	start(0, 300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 0, 10);
	cache->held = true;
	pages = vm_events.cached;
	assert_int_equal(vm_evict(VM_BY_TASK, 1000), pages);
	assert_int_equal(vm_leaving, 10);
	/* Whoever writes to it waits for the disk: it is dirty anew. */
	ask(a, GUEST_WRITE, 3, 1);
	wait_ns(NS_PER_S);
	assert_true(a->busy);
	sim_disk_answer(cache, 1);
	wait_for(a);
	assert_int_equal(vm_events.dirty, 1);
	assert_int_equal(vm_events.cached, 1);
	assert_int_equal(vm_events.refaults, 0);
	assert_int_equal(vm_events.direct_reclaimed, pages - 1);
	cache->held = false;
	assert_int_equal(vm_evict(VM_BY_TASK, 1000), 1);
	settle();
	act(a, GUEST_READ, 0, 10);
	assert_whole();
}

static void a_page_that_is_written_to_on_its_way_out_stays_and_is_dirty(void **state)
{
	(void)state;
	run_machine(run_dirtied_meanwhile);
}

static void run_refused(void)
{
	start(0, 300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	b = begin_guest(VM_CACHE, 300, 0, false);
	act(a, GUEST_WRITE, 0, 40);
	machine_refuses = true;
	for (unsigned i = 0; i < 50; i++) {
		vm_evict(VM_BY_TASK, 1000);
		settle();
	}
	assert_int_equal(vm_events.dirty, 40);
	assert_int_equal(vm_events.cached, 40);
	wait_ns(2 * NS_PER_S);
	assert_true(a->ended && b->ended);
	assert_string_equal(a->why, "the cache's disk did not take what was written");
	/* It says so once a second, however often. */
	assert_in_range(sim_log_warnings, 1, 2);
	machine_refuses = false;
	a->used = false;
	a = begin_guest(VM_CACHE, 300, 0, false);
	vm_evict(VM_BY_TASK, 1000);
	settle();
	assert_int_equal(vm_events.dirty, 0);
	act(a, GUEST_READ, 0, 40);
	assert_whole();
}

static void pages_that_a_disk_refuses_stay_dirty_and_users_end(void **state)
{
	(void)state;
	run_machine(run_refused);
}

static void run_cache_shrunk(void)
{
	start(0, 300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	act(a, GUEST_WRITE, 200, 10);
	cache->pages = 100;
	vm_evict(VM_BY_TASK, 1000);
	settle();
	assert_int_equal(vm_events.dirty, 10);
	assert_int_equal(cache->writes, 0);
	act(a, GUEST_READ, 200, 10);
	assert_false(a->ended);
	cache->pages = 300;
	vm_evict(VM_BY_TASK, 1000);
	settle();
	assert_int_equal(vm_events.dirty, 0);
	act(a, GUEST_READ, 200, 10);
	assert_whole();
}

static void a_page_that_cannot_even_be_handed_over_stays_dirty(void **state)
{
	(void)state;
	run_machine(run_cache_shrunk);
}

static void run_write_back(void)
{
	start(0, 300);
	a = begin_guest(VM_CACHE, 300, 0, true);
	b = begin_guest(VM_CACHE, 300, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	act(a, GUEST_WRITE, 200, 50);
	end_guest(a);
	settle();
	/* They stay in memory, and others may read them meanwhile. */
	assert_int_equal(vm_events.dirty, 0);
	assert_true(vm_events.cached >= 150);
	assert_int_equal(vm_events.direct_reclaimed + vm_events.async_reclaimed, 0);
	assert_int_equal(vm_events.refaults, 0);
	cache->writes = 0;
	act(b, GUEST_READ, 0, 300);
	vm_evict(VM_BY_TASK, 1000);
	settle();
	assert_int_equal(cache->writes, 0);
	act(b, GUEST_READ, 0, 300);
	assert_whole();
}

static void what_was_written_is_on_its_disk_when_its_user_has_ended(void **state)
{
	(void)state;
	run_machine(run_write_back);
}

/* ---- Anonymous pages ---- */

static void run_swap(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 300, 0, false);
	act(a, GUEST_WRITE, 0, 300);
	assert_int_equal(vm_evict(VM_BY_BACKGROUND, 100), 128);
	assert_int_equal(vm_events.swapped, 128);
	settle();
	assert_int_equal(vm_events.swap_out_bytes, 128 * FRAME_SIZE);
	assert_int_equal(vm_events.async_reclaimed, 128);
	assert_int_equal(swap->writes, 4);
	assert_int_equal(swap->write_pages_max, BLOCK_PAGES_MAX);
	assert_whole();
	act(a, GUEST_READ, 0, 300);
	assert_int_equal(vm_events.swap_in_bytes, 128 * FRAME_SIZE);
	assert_int_equal(vm_events.swapped, 0);
	assert_int_equal(a->came_back, 128);
	act(a, GUEST_READ, 0, 300);
	assert_int_equal(a->came_back, 128);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void anonymous_pages_go_to_swap_and_come_back(void **state)
{
	(void)state;
	run_machine(run_swap);
}

static void run_wanted(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 20, 0, false);
	act(a, GUEST_WRITE, 0, 20);
	swap->held = true;
	assert_int_equal(vm_evict(VM_BY_TASK, 1), 20);
	assert_int_equal(sim_disk_in_flight(swap), 1);
	ask(a, GUEST_WRITE, 5, 1);
	wait_ns(NS_PER_MS);
	sim_disk_answer(swap, 1);
	wait_for(a);
	/* Its slot is free again, and it is not counted as one that had gone. */
	assert_int_equal(vm_events.swapped, 19);
	assert_int_equal(vm_events.anonymous, 1);
	assert_int_equal(vm_events.direct_reclaimed, 19);
	assert_int_equal(vm_events.refaults, 0);
	assert_int_equal(swap->reads, 0);
	swap->held = false;
	act(a, GUEST_READ, 0, 20);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void a_page_that_is_wanted_on_its_way_out_stays(void **state)
{
	(void)state;
	run_machine(run_wanted);
}

static void run_no_slots(void)
{
	uint64_t total;

	start(101, 0);
	a = begin_guest(VM_ANONYMOUS, 300, 0, false);
	act(a, GUEST_WRITE, 0, 300);
	total = vm_events.swap_total;
	assert_int_equal(total, 100);
	machine_refuses = true;
	for (unsigned i = 0; i < 8; i++) {
		vm_evict(VM_BY_TASK, 1);
		settle();
	}
	/* Those slots are never used again. */
	assert_int_equal(vm_events.swap_total, 0);
	assert_int_equal(vm_events.swapped, 0);
	assert_false(vm_can_evict());
	assert_int_equal(vm_evict(VM_BY_TASK, 1), 0);
	act(a, GUEST_WRITE, 0, 300);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void slots_that_cannot_be_written_are_not_used_again(void **state)
{
	(void)state;
	run_machine(run_no_slots);
}

static void run_full(void)
{
	start(101, 0);
	a = begin_guest(VM_ANONYMOUS, 300, 0, false);
	act(a, GUEST_WRITE, 0, 300);
	for (unsigned i = 0; i < 8; i++) {
		vm_evict(VM_BY_TASK, 100);
		settle();
	}
	assert_int_equal(vm_events.swapped, 100);
	assert_false(vm_can_evict());
	assert_int_equal(vm_evict(VM_BY_TASK, 100), 0);
	act(a, GUEST_READ, 0, 300);
	assert_whole();
}

static void a_full_swap_disk_takes_no_more(void **state)
{
	(void)state;
	run_machine(run_full);
}

static void run_shrunk(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 300, 0, false);
	act(a, GUEST_WRITE, 0, 300);
	swap->pages = 100;
	for (unsigned i = 0; i < 20; i++) {
		vm_evict(VM_BY_TASK, 100);
		settle();
	}
	assert_true(vm_events.swapped > 0 && vm_events.swapped < 100);
	assert_int_equal(vm_events.refaults, 0);
	act(a, GUEST_READ, 0, 300);
	assert_whole();
}

static void a_swap_disk_that_shrank_is_used_as_far_as_it_goes(void **state)
{
	(void)state;
	run_machine(run_shrunk);
}

/* ---- Ends while pages move ---- */

static void run_end_while_moving(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 1200, 0, false);
	act(a, GUEST_WRITE, 0, 1200);
	swap->held = true;
	swap->room = 30;
	/* Of three tables. */
	vm_evict(VM_BY_TASK, 1000);
	vm_evict(VM_BY_TASK, 1000);
	assert_true(vm_leaving > 600);
	ask(a, GUEST_END, 0, 0);
	wait_ns(NS_PER_S);
	assert_false(a->ended);
	sim_disk_answer(swap, 100);
	wait_ns(NS_PER_S);
	assert_true(a->ended);
	assert_empty();
	/* The slots are free again. */
	swap->held = false;
	a->used = false;
	b = begin_guest(VM_ANONYMOUS, 900, 0, false);
	act(b, GUEST_WRITE, 0, 900);
	assert_whole();
}

static void a_user_that_ends_while_its_pages_move_leaves_nothing(void **state)
{
	(void)state;
	run_machine(run_end_while_moving);
}

static void run_end_while_reading(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	vm_evict(VM_BY_TASK, 1000);
	settle();
	swap->held = true;
	ask(a, GUEST_READ, 0, 100);
	wait_ns(NS_PER_MS);
	assert_int_equal(vm_user_doom(a->task, "by a test"), 0);
	wait_ns(3 * NS_PER_S / 2);
	assert_false(a->ended);
	sim_disk_answer(swap, 100);
	wait_ns(NS_PER_S);
	assert_true(a->ended);
	assert_string_equal(a->why, "by a test");
	assert_empty();
}

static void a_user_that_ends_while_its_pages_are_read_leaves_nothing(void **state)
{
	(void)state;
	run_machine(run_end_while_reading);
}

static void run_dead(void)
{
	uint64_t begin;

	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	b = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	vm_evict(VM_BY_TASK, 1000);
	settle();
	act(b, GUEST_WRITE, 0, 100);
	swap->dead = true;
	begin = sim_tasks_idle_ns;
	vm_evict(VM_BY_TASK, 1000);
	ask(a, GUEST_READ, 0, 100);
	ask(b, GUEST_READ, 0, 100);
	wait_for(a);
	wait_for(b);
	/* What was on it is lost, what was on its way stays. */
	assert_true(a->ended);
	assert_string_equal(a->why, "its memory was on a swap disk that is gone");
	assert_false(b->ended);
	assert_int_equal(b->touched, 200);
	assert_true(sim_tasks_idle_ns - begin < BLOCK_DEADLINE_NS + NS_PER_S / 2);
	assert_whole();
	end_guest(b);
	assert_empty();
}

static void nobody_waits_longer_for_a_dead_disk_than_it_takes_to_be_sure(void **state)
{
	(void)state;
	run_machine(run_dead);
}

static void run_order(void)
{
	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 400, 0, false);
	act(a, GUEST_WRITE, 0, 400);
	swap->order = SIM_DISK_LAST_COME;
	swap->room = 12;
	swap->held = true;
	vm_evict(VM_BY_TASK, 384);
	ask(a, GUEST_WRITE, 0, 400);
	swap->held = false;
	wait_for(a);
	act(a, GUEST_READ, 0, 400);
	assert_whole();
}

static void answers_in_another_order_change_nothing(void **state)
{
	(void)state;
	run_machine(run_order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_pages_go_at_once),
		cmocka_unit_test(a_disk_that_is_read_from_start_to_end_leaves_no_tables),
		cmocka_unit_test(dirty_pages_are_written_neighbours_together),
		cmocka_unit_test(a_page_that_is_written_to_on_its_way_out_stays_and_is_dirty),
		cmocka_unit_test(pages_that_a_disk_refuses_stay_dirty_and_users_end),
		cmocka_unit_test(what_was_written_is_on_its_disk_when_its_user_has_ended),
		cmocka_unit_test(a_page_that_cannot_even_be_handed_over_stays_dirty),
		cmocka_unit_test(anonymous_pages_go_to_swap_and_come_back),
		cmocka_unit_test(a_page_that_is_wanted_on_its_way_out_stays),
		cmocka_unit_test(slots_that_cannot_be_written_are_not_used_again),
		cmocka_unit_test(a_full_swap_disk_takes_no_more),
		cmocka_unit_test(a_swap_disk_that_shrank_is_used_as_far_as_it_goes),
		cmocka_unit_test(a_user_that_ends_while_its_pages_move_leaves_nothing),
		cmocka_unit_test(a_user_that_ends_while_its_pages_are_read_leaves_nothing),
		cmocka_unit_test(nobody_waits_longer_for_a_dead_disk_than_it_takes_to_be_sure),
		cmocka_unit_test(answers_in_another_order_change_nothing),
	};

	return cmocka_run_group_tests_name("vm_evict", tests, NULL, NULL);
}
