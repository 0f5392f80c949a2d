/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/vm/vm_reclaim.c and vm_killer.c: memory is short: in the background, for a task, for
 * the host, for good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "mm/ledger.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

static struct sim_disk *swap, *cache;
static struct guest *a, *b, *c;

static uint64_t free_frames(void)
{
	return ledger_count(OWNER_FREE);
}

static void start(uint64_t swap_pages, uint64_t cache_pages)
{
	start_with_disks(swap_pages, &swap, cache_pages, &cache);
	wait_ns(NS_PER_MS);
}

/* ---- Watermarks ---- */

static void run_no_disk(void)
{
	struct vm_figures figures;

	start(0, 0);
	vm_figures(&figures);
	assert_false(figures.active);
	assert_int_equal(vm_events.reserve, 0);
	assert_int_equal(sim_tasks_left(), 1);
	/* Then the last frame can be used, and the balloon is asked. */
	a = begin_guest(VM_ANONYMOUS, 3000, 0, false);
	vm_figures(&figures);
	assert_true(figures.active);
	hold_all_but(10);
	act(a, GUEST_WRITE, 0, 9);
	assert_false(a->ended);
	assert_int_equal(free_frames(), 0);
	assert_int_equal(vm_events.stalls, 0);
	assert_int_equal(machine_balloon_asks, 0);
	act(a, GUEST_WRITE, 9, 1);
	assert_true(a->ended);
	assert_int_equal(machine_balloon_asks, 1);
	hold_none();
	assert_empty();
}

static void without_a_disk_nothing_is_reserved_and_nothing_runs(void **state)
{
	(void)state;
	run_machine(run_no_disk);
}

static void run_background(void)
{
	struct vm_figures figures;

	start(1500, 0);
	vm_figures(&figures);
	assert_string_equal(figures.swap, "vda");
	assert_int_equal(vm_events.reserve, 64);
	assert_int_equal(figures.low, 128);
	assert_int_equal(figures.high, 192);
	a = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1500);
	hold_all_but(200);
	act(a, GUEST_WRITE, 0, 1);
	wait_ns(NS_PER_S);
	assert_int_equal(vm_events.async_scanned, 0);
	hold_all_but(127);
	wait_ns(NS_PER_S);
	assert_in_range(free_frames(), 192, 192 + 64);
	assert_true(vm_events.async_reclaimed > 0);
	assert_int_equal(vm_events.direct_scanned, 0);
	assert_int_equal(vm_events.stalls, 0);
	hold_none();
	act(a, GUEST_READ, 0, 1500);
	assert_whole();
}

static void below_low_the_background_frees_pages_up_to_high(void **state)
{
	(void)state;
	run_machine(run_background);
}

static void run_memory_changes(void)
{
	struct vm_figures figures;

	machine_frames = 16384;
	start(500, 0);
	assert_int_equal(vm_events.reserve, 16384 / 256);
	/* As if memory had left: what was there is not what is. */
	vm_events.reserve = 4000;
	frame_set_low_hook(0, NULL);
	vm_reclaim_set_watermarks();
	vm_figures(&figures);
	assert_int_equal(vm_events.reserve, 64);
	assert_int_equal(figures.high, 192);
}

static void watermarks_follow_memory(void **state)
{
	(void)state;
	run_machine(run_memory_changes);
}

static void run_hopeless(void)
{
	struct vm_figures figures;
	uint64_t scanned;

	start(20, 0);
	a = begin_guest(VM_ANONYMOUS, 1000, 0, false);
	act(a, GUEST_WRITE, 0, 1000);
	/* Swap is full soon: the rest has nowhere to go. */
	hold_all_but(100);
	wait_ns(10 * NS_PER_S);
	vm_figures(&figures);
	assert_true(figures.backed_off);
	assert_int_equal(vm_events.swapped, 19);
	scanned = vm_events.async_scanned;
	wait_ns(20 * NS_PER_S);
	/* A 64th a second: it never stops. */
	assert_in_range(vm_events.async_scanned - scanned, 18 * (981 / 64), 22 * (981 / 64 + 2));
	assert_int_equal(vm_events.stalls, 0);
	hold_none();
	wait_ns(2 * NS_PER_S);
	vm_figures(&figures);
	assert_false(figures.backed_off);
	assert_whole();
}

static void where_nothing_can_go_the_background_looks_slowly_and_never_stops(void **state)
{
	(void)state;
	run_machine(run_hopeless);
}

/* ---- A task in want of memory ---- */

static void run_direct(void)
{
	start(3000, 0);
	swap->latency_ns = NS_PER_MS;
	a = begin_guest(VM_ANONYMOUS, 3000, 0, false);
	act(a, GUEST_WRITE, 0, 3000);
	assert_false(a->ended);
	assert_true(vm_events.stalls > 0);
	assert_true(vm_events.direct_reclaimed > 0);
	assert_int_equal(vm_events.oom_kills, 0);
	assert_true(free_frames() > 0);
	act(a, GUEST_READ, 0, 3000);
	act(a, GUEST_WRITE, 0, 3000);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void more_than_memory_can_be_used(void **state)
{
	(void)state;
	run_machine(run_direct);
}

static void run_balloon(void)
{
	uint64_t stalls;

	machine_balloon = 50;
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 3000, 0, false);
	hold_all_but(64 + 10);
	wait_ns(NS_PER_S);
	act(a, GUEST_WRITE, 0, 30);
	assert_false(a->ended);
	assert_true(machine_balloon < 50 && machine_balloon > 25);
	stalls = vm_events.stalls;
	assert_true(stalls >= 20);
	/* When that is empty, too, somebody must go. */
	act(a, GUEST_WRITE, 30, 100);
	assert_true(a->ended);
	assert_int_equal(machine_balloon, 0);
	assert_string_equal(a->why, "out of memory");
	assert_int_equal(vm_events.oom_kills, 1);
	hold_none();
	assert_empty();
}

static void the_balloon_is_asked_before_anybody_is_killed(void **state)
{
	(void)state;
	run_machine(run_balloon);
}

static void run_slow_disk(void)
{
	start(3000, 0);
	swap->room = 1;
	swap->latency_ns = 20 * NS_PER_MS;
	a = begin_guest(VM_ANONYMOUS, 2200, 0, false);
	b = begin_guest(VM_ANONYMOUS, 2200, 0, false);
	ask(a, GUEST_WRITE, 0, 1500);
	ask(b, GUEST_WRITE, 0, 1500);
	wait_for(a);
	wait_for(b);
	assert_int_equal(vm_events.oom_kills, 0);
	assert_true(vm_events.disk_stalls > 0);
	assert_true(vm_events.disk_stalls <= vm_events.stalls);
	assert_whole();
}

static void a_slow_disk_kills_nobody(void **state)
{
	(void)state;
	run_machine(run_slow_disk);
}

static void run_refusing_disk(void)
{
	uint64_t begin, in_vain_ms;
	const char *said;

	start(0, 1500);
	a = begin_guest(VM_CACHE, 1500, 0, true);
	b = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1400);
	machine_refuses = true;
	cache->latency_ns = 2 * NS_PER_MS;
	begin = clock_ns();
	act(b, GUEST_WRITE, 0, 1000);
	/* What the disk refuses comes back for ever: no reason to wait for ever. */
	assert_true(b->ended);
	said = strstr(sim_log_warning, " swapped; for ");
	assert_non_null(said);
	in_vain_ms = strtoull(said + strlen(" swapped; for "), NULL, 10);
	assert_true(in_vain_ms > 100 && in_vain_ms <= (clock_ns() - begin) / NS_PER_MS);
	assert_string_equal(b->why, "out of memory");
	assert_true(clock_ns() - begin < 10 * NS_PER_S);
	assert_whole();
}

static void a_disk_that_takes_nothing_does_not_make_a_task_wait_for_ever(void **state)
{
	(void)state;
	run_machine(run_refusing_disk);
}

static void run_kernel(void)
{
	pfn_t pfn, kept[70];

	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 1000, 0, false);
	act(a, GUEST_WRITE, 0, 1000);
	hold_all_but(64);
	/* The reserve is for the kernel, and then pages go here and now. */
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(frame_alloc(0, OWNER_KERNEL, &kept[i]), 0);
	assert_true(vm_events.direct_reclaimed > 0);
	assert_true(vm_events.stalls > 0);
	/* While a page changes its place, the balloon at most. */
	hold_all_but(0);
	vm_busy = true;
	assert_int_equal(frame_alloc(0, OWNER_KERNEL, &pfn), -ENOMEM);
	vm_busy = false;
	machine_balloon_asks = 0;
	/* For a run the balloon is asked first: pages lie here and there. */
	if (!frame_alloc(3, OWNER_KERNEL, &pfn))
		frame_free(pfn, 8, OWNER_KERNEL);
	assert_true(machine_balloon_asks > 0);
	hold_none();
	for (unsigned i = 0; i < 70; i++)
		frame_free(kept[i], 1, OWNER_KERNEL);
	act(a, GUEST_READ, 0, 1000);
	assert_whole();
}

static void the_kernel_has_the_reserve_and_needs_no_sleep(void **state)
{
	(void)state;
	run_machine(run_kernel);
}

static void run_kernel_dead_disk(void)
{
	pfn_t pfn;

	start(1000, 0);
	a = begin_guest(VM_ANONYMOUS, 500, 0, false);
	act(a, GUEST_WRITE, 0, 500);
	swap->dead = true;
	hold_all_but(0);
	assert_int_equal(frame_alloc(0, OWNER_KERNEL, &pfn), -ENOMEM);
	assert_int_equal(vm_events.oom_kills, 0);
	wait_ns(NS_PER_S);
	hold_none();
	act(a, GUEST_READ, 0, 500);
	assert_false(a->ended);
	assert_whole();
}

static void a_dead_disk_is_given_up_by_who_must_not_sleep(void **state)
{
	(void)state;
	run_machine(run_kernel_dead_disk);
}

/* ---- Limits ---- */

static void run_limit(void)
{
	start(1500, 0);
	a = begin_guest(VM_ANONYMOUS, 500, 64, false);
	act(a, GUEST_WRITE, 0, 500);
	assert_true(vm_regions[0].resident <= 64);
	assert_true(vm_events.limit_stalls > 0);
	assert_int_equal(vm_events.stalls, vm_events.limit_stalls);
	assert_int_equal(vm_events.direct_scanned + vm_events.direct_reclaimed, 0);
	assert_int_equal(vm_events.async_scanned + vm_events.async_reclaimed, 0);
	act(a, GUEST_READ, 0, 500);
	assert_true(vm_regions[0].resident <= 64);
	assert_whole();
}

static void at_its_own_limit_a_task_waits_for_its_own_pages(void **state)
{
	(void)state;
	run_machine(run_limit);
}

static void run_limit_used(void)
{
	start(1500, 0);
	a = begin_guest(VM_ANONYMOUS, 65, 64, false);
	act(a, GUEST_WRITE, 0, 64);
	act(a, GUEST_READ, 0, 32);
	/* The first half was used since, once all marks are gone: the others go. */
	vm_evict_own(&vm_regions[0], 0);
	act(a, GUEST_WRITE, 64, 1);
	settle();
	assert_false(a->ended);
	assert_whole();
}

static void a_task_at_its_limit_gives_what_it_used_least(void **state)
{
	(void)state;
	run_machine(run_limit_used);
}

static void run_limit_full(void)
{
	start(33, 1000);
	cache->room = 60;
	b = begin_guest(VM_CACHE, 1000, 0, true);
	a = begin_guest(VM_ANONYMOUS, 500, 64, false);
	/* The cache's disk is busy for ever, which is nothing to this task. */
	act(b, GUEST_WRITE, 0, 40);
	cache->held = true;
	vm_evict(VM_BY_TASK, 40);
	assert_true(vm_leaving > 0);
	ask(a, GUEST_WRITE, 0, 500);
	wait_ns(NS_PER_S);
	assert_false(a->busy);
	assert_true(a->ended);
	assert_string_equal(a->why, "there is no memory for a page");
	sim_disk_answer(cache, 10);
	cache->held = false;
	assert_whole();
}

static void at_its_limit_without_swap_a_task_ends_whatever_others_wait_for(void **state)
{
	(void)state;
	run_machine(run_limit_full);
}

/* ---- Killing ---- */

static void run_killer(void)
{
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 2500, 0, false);
	b = begin_guest(VM_ANONYMOUS, 2500, 0, false);
	c = begin_guest(VM_ANONYMOUS, 2500, 0, false);
	act(a, GUEST_WRITE, 0, 500);
	act(b, GUEST_WRITE, 0, 800);
	act(c, GUEST_WRITE, 0, 900);
	wait_ns(2 * NS_PER_S);
	/* The one with most went; that was b, before c had as much. */
	assert_true(b->ended);
	assert_string_equal(b->why, "out of memory");
	assert_false(a->ended || c->ended);
	assert_int_equal(vm_events.oom_kills, 1);
	act(a, GUEST_READ, 0, 500);
	act(c, GUEST_READ, 0, 900);
	assert_whole();
	act(c, GUEST_WRITE, 900, 1500);
	assert_true(c->ended);
	assert_false(a->ended);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void the_largest_ends_when_nothing_else_helps(void **state)
{
	(void)state;
	run_machine(run_killer);
}

static void run_equals(void)
{
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	b = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(b, GUEST_WRITE, 0, 100);
	act(a, GUEST_WRITE, 0, 100);
	assert_true(vm_kill(0));
	wait_ns(2 * NS_PER_S);
	assert_true(b->ended);
	assert_false(a->ended);
	assert_true(vm_kill(0));
	wait_ns(2 * NS_PER_S);
	assert_true(a->ended);
	assert_false(vm_kill(0));
	assert_int_equal(vm_events.oom_kills, 2);
	assert_empty();
}

static void of_equals_the_latest_ends(void **state)
{
	(void)state;
	run_machine(run_equals);
}

static void kill_one(void *unused)
{
	(void)unused;
	assert_true(vm_kill(0));
}

static void run_slot_reused(void)
{
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1500);
	/* Its end comes first: a new user must not have the same pages while the killer goes on. */
	assert_int_equal(task_create("killer", TASK_PRIORITY_BACKGROUND, kill_one, NULL), 0);
	ask(a, GUEST_END, 0, 0);
	for (unsigned i = 0; i < 4 && !a->ended; i++) {
		wait_ns(NS_PER_MS);
	}
	wait_ns(3 * NS_PER_S);
	assert_true(a->ended);
	b = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(b, GUEST_WRITE, 0, 1500);
	wait_ns(NS_PER_S);
	act(b, GUEST_READ, 0, 1500);
	assert_whole();
}

static void the_killer_and_its_victim_do_not_free_what_comes_after(void **state)
{
	(void)state;
	run_machine(run_slot_reused);
}

static unsigned remembered, reads_looked_at;

/* With the second read, when the first has just come. */
static int look_for_remembered(const struct block_request *request)
{
	const pfn_t first = SIM_RAM_START / FRAME_SIZE;

	(void)request;
	if (reads_looked_at++ == 1)
		for (pfn_t pfn = first; pfn < first + machine_frames; pfn++)
			remembered += sim_demand_remembers(pfn);
	return 0;
}

static void run_read_for_the_dead(void)
{
	start(2000, 0);
	a = begin_guest(VM_ANONYMOUS, 300, 0, false);
	b = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 300);
	act(b, GUEST_WRITE, 0, 100);
	while (vm_events.anonymous > 0) {
		vm_evict(VM_BY_TASK, 400);
		settle();
	}
	swap->held = true;
	act(a, GUEST_WILL_TOUCH, 0, 20);
	ask(a, GUEST_READ, 0, 20);
	wait_ns(NS_PER_MS);
	ask(b, GUEST_READ, 0, 1);
	wait_ns(NS_PER_MS);
	assert_int_equal(sim_disk_in_flight(swap), 2);
	assert_true(vm_kill(0));
	swap->fails = look_for_remembered;
	sim_disk_answer(swap, 2);
	assert_int_equal(reads_looked_at, 2);
	assert_int_equal(remembered, 0);
	swap->held = false;
	wait_for(b);
	wait_ns(2 * NS_PER_S);
	assert_true(a->ended);
	assert_whole();
}

static void what_is_read_for_one_who_has_ended_is_forgotten_at_once(void **state)
{
	(void)state;
	run_machine(run_read_for_the_dead);
}

static void run_ending(void)
{
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 1000, 0, false);
	b = begin_guest(VM_ANONYMOUS, 900, 0, false);
	act(a, GUEST_WRITE, 0, 1000);
	act(b, GUEST_WRITE, 0, 500);
	/*
	 * It is to end, but does not run: its memory helps all the same, and no other ends for
	 * it.
	 */
	vm_user_doom(a->task, "stopped");
	assert_true(vm_kill(0));
	assert_int_equal(vm_events.oom_kills, 0);
	assert_int_equal(vm_events.anonymous, 500);
	wait_ns(2 * NS_PER_S);
	assert_true(a->ended);
	assert_false(b->ended);
	assert_whole();
}

static void while_one_ends_no_other_is_chosen(void **state)
{
	(void)state;
	run_machine(run_ending);
}

/* ---- The host ---- */

static void run_host(void)
{
	uint64_t before;

	start(1500, 0);
	a = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1500);
	before = free_frames();
	machine_short(300);
	wait_ns(NS_PER_S);
	assert_true(free_frames() >= 64 + 300);
	assert_true(free_frames() < before + 300);
	assert_int_equal(machine_tries, 0 + (free_frames() > before));
	/* There are as many: who asks again gets no answer, or it would ask for ever. */
	machine_tries = 0;
	machine_short(200);
	wait_ns(NS_PER_S);
	assert_int_equal(machine_tries, 0);
	/* A piece at a time. */
	hold_all_but(200);
	machine_short(100000);
	wait_ns(NS_PER_S);
	assert_in_range(free_frames(), 1000, 64 + 1024 + 64);
	assert_int_equal(machine_tries, 1);
	hold_none();
	act(a, GUEST_READ, 0, 1500);
	assert_whole();
}

static void pages_go_for_the_host_a_piece_at_a_time(void **state)
{
	(void)state;
	run_machine(run_host);
}

static void run_host_all_used(void)
{
	uint64_t free;

	start(2000, 0);
	a = begin_guest(VM_ANONYMOUS, 2000, 0, false);
	act(a, GUEST_WRITE, 0, 2000);
	/* All of it is believed to be in use. */
	for (unsigned i = 0; i < 3; i++) {
		vm_evict(VM_BY_TASK, 2000);
		settle();
		act(a, GUEST_READ, 0, 2000);
	}
	hold_all_but(200);
	free = free_frames();
	machine_short(800);
	wait_ns(3 * NS_PER_S);
	/* Not 512 pages a second: what is looked at again goes. */
	assert_true(free_frames() >= free + 500);
	hold_none();
	assert_whole();
}

static void pages_that_were_used_do_not_make_the_host_wait(void **state)
{
	(void)state;
	run_machine(run_host_all_used);
}

static void run_host_nothing(void)
{
	start(0, 10);
	a = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1500);
	machine_short(1000);
	wait_ns(5 * NS_PER_S);
	assert_int_equal(machine_tries, 0);
	assert_int_equal(vm_events.async_scanned, 0);
}

static void where_nothing_can_go_the_host_gets_nothing(void **state)
{
	(void)state;
	run_machine(run_host_nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_disk_nothing_is_reserved_and_nothing_runs),
		cmocka_unit_test(below_low_the_background_frees_pages_up_to_high),
		cmocka_unit_test(watermarks_follow_memory),
		cmocka_unit_test(where_nothing_can_go_the_background_looks_slowly_and_never_stops),
		cmocka_unit_test(more_than_memory_can_be_used),
		cmocka_unit_test(the_balloon_is_asked_before_anybody_is_killed),
		cmocka_unit_test(a_slow_disk_kills_nobody),
		cmocka_unit_test(a_disk_that_takes_nothing_does_not_make_a_task_wait_for_ever),
		cmocka_unit_test(the_kernel_has_the_reserve_and_needs_no_sleep),
		cmocka_unit_test(a_dead_disk_is_given_up_by_who_must_not_sleep),
		cmocka_unit_test(at_its_own_limit_a_task_waits_for_its_own_pages),
		cmocka_unit_test(a_task_at_its_limit_gives_what_it_used_least),
		cmocka_unit_test(at_its_limit_without_swap_a_task_ends_whatever_others_wait_for),
		cmocka_unit_test(the_largest_ends_when_nothing_else_helps),
		cmocka_unit_test(of_equals_the_latest_ends),
		cmocka_unit_test(the_killer_and_its_victim_do_not_free_what_comes_after),
		cmocka_unit_test(what_is_read_for_one_who_has_ended_is_forgotten_at_once),
		cmocka_unit_test(while_one_ends_no_other_is_chosen),
		cmocka_unit_test(pages_go_for_the_host_a_piece_at_a_time),
		cmocka_unit_test(pages_that_were_used_do_not_make_the_host_wait),
		cmocka_unit_test(where_nothing_can_go_the_host_gets_nothing),
	};

	return cmocka_run_group_tests_name("vm_reclaim", tests, NULL, NULL);
}
