/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/vm/vm.c, vm_region.c, vm_user.c and vm_swap.c: which disks, who uses memory, and from
 * when to when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "mm/ledger.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

static struct sim_disk *swap, *cache;
static struct guest *a, *b;

static int fail_all(const struct block_request *request)
{
	(void)request;
	return -EIO;
}

static void write_signature(struct sim_disk *disk, const char *signature, uint32_t version,
			    uint32_t last)
{
	memcpy(disk->bytes + 4086, signature, strlen(signature));
	memcpy(disk->bytes + 1024, &version, sizeof(version));
	memcpy(disk->bytes + 1028, &last, sizeof(last));
}

/* A disk that was there before the search began. */
static struct sim_disk *plug_signed(const char *signature, uint32_t version, uint32_t last)
{
	struct sim_disk *disk = sim_disk_plug("any", 500);

	write_signature(disk, signature, version, last);
	return disk;
}

/* ---- Which disk ---- */

static void run_signatures(void)
{
	struct sim_disk *right;

	machine_swap = "auto";
	sim_disk_plug("plain", 500);
	sim_disk_plug("broken", 500)->fails = fail_all;
	plug_signed("S1SUSPEND", 1, 499);
	plug_signed("SWAPSPACE2", 2, 499);
	sim_disk_plug("ro", 500)->read_only = true;
	right = plug_signed("SWAPSPACE2", 1, 299);
	start_machine();
	wait_ns(NS_PER_S);
	assert_ptr_equal(vm_swap_disk, sim_disk_block(right));
	/* As many as the header says, but for itself. */
	assert_int_equal(vm_events.swap_total, 299);
	assert_int_equal(sim_log_warnings, 3);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	vm_evict(VM_BY_TASK, 100);
	settle();
	assert_memory_equal(right->bytes + 4086, "SWAPSPACE2", 10);
	assert_whole();
}

static void only_a_disk_with_linux_signature_is_used_without_a_name(void **state)
{
	(void)state;
	run_machine(run_signatures);
}

static void run_named(void)
{
	machine_swap = "swap";
	start_machine();
	wait_ns(NS_PER_S);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(
		strstr(sim_log_warning, "no disk has the serial of swap=swap; there is no disk"));
	/* Others come: it was said. */
	sim_disk_plug("other", 100);
	wait_ns(NS_PER_S);
	assert_int_equal(sim_log_warnings, 1);
	plug_swap(64);
	assert_int_equal(vm_events.swap_total, 63);
	assert_string_equal(sim_log_info, "vm: swap on disk vdb, 252 kB");
}

static void a_named_disk_is_used_as_a_whole_when_it_comes(void **state)
{
	(void)state;
	run_machine(run_named);
}

static void run_unfit(void)
{
	machine_swap = "swap";
	sim_disk_plug("swap", 1);
	start_machine();
	wait_ns(NS_PER_S);
	assert_null(vm_swap_disk);
	assert_string_equal(sim_log_warning,
			    "vm: disk vda is too small, or memory is: no swap there");
	/* It is free for others. */
	assert_int_equal(block_claim(block_disk(0), "a test", true, NULL), 0);
}

static void a_disk_of_one_page_is_no_swap(void **state)
{
	(void)state;
	run_machine(run_unfit);
}

static void run_read_only(void)
{
	machine_swap = "swap";
	machine_cache = "cache";
	sim_disk_plug("swap", 100)->read_only = true;
	cache = sim_disk_plug("cache", 100);
	cache->read_only = true;
	start_machine();
	wait_ns(NS_PER_S);
	assert_null(vm_swap_disk);
	assert_string_equal(sim_log_warning, "vm: disk vda is read-only: no swap there");
	assert_ptr_equal(vm_cache_disk, sim_disk_block(cache));
	a = begin_guest_at(&(struct vm_want){ .kind = VM_CACHE, .pages = 10, .writes = true });
	assert_int_equal(a->err, -EROFS);
}

static void a_read_only_disk_can_be_cached_and_not_written(void **state)
{
	(void)state;
	run_machine(run_read_only);
}

static void run_dies_meanwhile(void)
{
	machine_swap = "swap";
	start_machine();
	swap = sim_disk_plug("swap", 100);
	swap->held = true;
	wait_ns(NS_PER_MS);
	assert_int_equal(sim_disk_in_flight(swap), 1);
	sim_disk_pull(swap);
	wait_ns(NS_PER_S);
	assert_null(vm_swap_disk);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
	/* The next one is taken. */
	plug_swap(200);
	assert_int_equal(vm_events.swap_total, 199);
}

static void a_disk_that_goes_while_its_header_is_read_is_none(void **state)
{
	(void)state;
	run_machine(run_dies_meanwhile);
}

/* ---- Disks that go, and come again ---- */

static void run_again_and_again(void)
{
	machine_swap = "swap";
	machine_cache = "cache";
	start_machine();
	for (unsigned i = 0; i < 2 * BLOCK_DISKS_MAX; i++) {
		swap = plug_swap(500);
		cache = plug_cache(500);
		a = begin_guest(VM_ANONYMOUS, 100, 0, false);
		b = begin_guest(VM_CACHE, 100, 0, true);
		act(a, GUEST_WRITE, 0, 100);
		act(b, GUEST_WRITE, 0, 100);
		vm_evict(VM_BY_TASK, 50);
		settle();
		sim_disk_pull(i % 2 ? swap : cache);
		sim_disk_pull(i % 2 ? cache : swap);
		assert_null(block_disk(0));
		wait_ns(3 * NS_PER_S);
		assert_true(b->ended);
		assert_string_equal(b->why, "the cache's disk is gone");
		if (!a->ended)
			end_guest(a);
		a->used = b->used = false;
		wait_ns(2 * NS_PER_S);
		assert_int_equal(vm_events.cached, 0);
		assert_int_equal(vm_events.swap_total, 0);
		assert_int_equal(vm_events.reserve, 0);
		assert_empty();
	}
}

static void disks_may_go_and_come_as_often_as_they_like(void **state)
{
	(void)state;
	run_machine(run_again_and_again);
}

static void run_held_slots(void)
{
	machine_swap = "swap";
	start_machine();
	swap = plug_swap(500);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	act(a, GUEST_WRITE, 0, 100);
	vm_evict(VM_BY_TASK, 50);
	settle();
	sim_disk_pull(swap);
	/* It comes back before the user of the old one has ended: what lies there is not his. */
	swap = sim_disk_plug("swap", 500);
	assert_null(vm_swap_disk);
	wait_ns(5 * NS_PER_S);
	assert_true(a->ended);
	assert_ptr_equal(vm_swap_disk, sim_disk_block(swap));
	assert_int_equal(vm_events.swapped, 0);
	assert_empty();
}

static void a_disk_that_comes_before_the_old_ones_users_end_is_used_after_them(void **state)
{
	(void)state;
	run_machine(run_held_slots);
}

static void run_broken_stays(void)
{
	struct sim_disk *old;

	machine_cache = "cache";
	start_machine();
	old = plug_cache(500);
	sim_disk_break(old);
	assert_null(vm_cache_disk);
	cache = plug_cache(400);
	assert_ptr_not_equal(cache, old);
	/* That it is gone. */
	assert_int_equal(sim_log_warnings, 1);
	assert_ptr_equal(vm_cache_disk, sim_disk_block(cache));
}

static void a_broken_disk_does_not_hide_one_of_the_same_name(void **state)
{
	(void)state;
	run_machine(run_broken_stays);
}

/* ---- Before there is swap ---- */

static void run_late_swap(void)
{
	machine_swap = "swap";
	start_machine();
	a = begin_guest(VM_ANONYMOUS, 500, 0, false);
	act(a, GUEST_WRITE, 0, 500);
	assert_int_equal(page_record_count(), 0);
	assert_int_equal(vm_evict(VM_BY_TASK, 100), 0);
	plug_swap(1000);
	assert_int_equal(page_record_count(), 500);
	assert_true(vm_evict(VM_BY_TASK, 100) >= 100);
	settle();
	act(a, GUEST_READ, 0, 500);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void pages_from_before_the_swap_disk_can_go_there(void **state)
{
	(void)state;
	run_machine(run_late_swap);
}

static void run_no_room_for_records(void)
{
	machine_swap = "swap";
	start_machine();
	a = begin_guest(VM_ANONYMOUS, 1500, 0, false);
	act(a, GUEST_WRITE, 0, 1500);
	/* Enough for its header, and for some of the records. */
	hold_all_but(4);
	swap = sim_disk_plug("swap", 1000);
	wait_ns(NS_PER_S);
	assert_null(vm_swap_disk);
	assert_int_equal(page_record_count(), 0);
	hold_none();
	act(a, GUEST_READ, 0, 1500);
	assert_whole();
}

static void without_room_for_records_there_is_no_swap_and_nothing_is_lost(void **state)
{
	(void)state;
	run_machine(run_no_room_for_records);
}

/* ---- Users ---- */

static void run_wishes(void)
{
	struct vm_figures figures;
	struct guest *all[VM_USERS_MAX];
	struct vm_user_info info;

	machine_cache = "cache";
	start_machine();
	assert_int_equal(begin_guest_at(&(struct vm_want){ .pages = 0 })->err, -EINVAL);
	assert_int_equal(begin_guest_at(&(struct vm_want){ .pages = VM_PAGES_MAX + 1 })->err,
			 -EINVAL);
	a = begin_guest_at(&(struct vm_want){ .kind = VM_CACHE, .pages = 1 });
	assert_int_equal(a->err, -ENODEV);
	a->used = false;
	plug_cache(100);
	vm_figures(&figures);
	assert_int_equal(figures.cache_pages, 100);
	a = begin_guest_at(&(struct vm_want){ .kind = VM_CACHE, .first = 50, .pages = 51 });
	assert_int_equal(a->err, -ENODEV);
	a->used = false;
	a = begin_guest_at(&(struct vm_want){ .kind = VM_CACHE, .first = 100, .pages = 1 });
	assert_int_equal(a->err, -ENODEV);
	a->used = false;
	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		all[i] = begin_guest(i ? VM_ANONYMOUS : VM_CACHE, 10, i, false);
	assert_int_equal(begin_guest_at(&(struct vm_want){ .pages = 1 })->err, -EAGAIN);
	act(all[2], GUEST_WRITE, 0, 1);
	assert_true(vm_user_describe(all[2]->task, &info));
	assert_int_equal(info.resident, 1);
	assert_int_equal(info.limit, 2);
	assert_int_equal(info.pages, 10);
	assert_false(vm_user_describe(task_id(), &info));
	assert_int_equal(vm_user_doom(task_id(), "no user"), -ESRCH);
	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		end_guest(all[i]);
	assert_empty();
}

static void wishes_that_cannot_be_met_have_an_error_each(void **state)
{
	(void)state;
	run_machine(run_wishes);
}

static void run_discard(void)
{
	machine_swap = "swap";
	start_machine();
	swap = plug_swap(1000);
	a = begin_guest(VM_ANONYMOUS, 700, 0, false);
	act(a, GUEST_WRITE, 0, 700);
	swap->held = true;
	vm_evict(VM_BY_TASK, 300);
	ask(a, GUEST_DISCARD, 10, 600);
	wait_ns(NS_PER_S);
	assert_true(a->busy);
	swap->held = false;
	wait_for(a);
	assert_int_equal(vm_events.anonymous + vm_events.swapped, 100);
	act(a, GUEST_READ, 0, 700);
	assert_whole();
	end_guest(a);
	assert_empty();
}

static void discarded_pages_are_zeros_wherever_they_were(void **state)
{
	(void)state;
	run_machine(run_discard);
}

static void run_psi(void)
{
	struct psi_figures some, full, some_then, full_then;

	machine_swap = "swap";
	machine_cache = "cache";
	start_machine();
	swap = plug_swap(200);
	plug_cache(200);
	a = begin_guest(VM_ANONYMOUS, 100, 0, false);
	/* One whose end wakes nobody. */
	b = begin_guest(VM_CACHE, 100, 0, false);
	act(a, GUEST_WRITE, 0, 1);
	vm_evict(VM_BY_TASK, 1);
	settle();
	psi_read(&vm_psi, clock_ns(), &some_then, &full_then);
	swap->held = true;
	ask(a, GUEST_READ, 0, 1);
	wait_ns(NS_PER_S);
	psi_read(&vm_psi, clock_ns(), &some, &full);
	assert_in_range(some.total_us - some_then.total_us, 990000, 1010000);
	/* The other could run. */
	assert_int_equal(full.total_us, full_then.total_us);
	end_guest(b);
	psi_read(&vm_psi, clock_ns(), &some_then, &full_then);
	wait_ns(NS_PER_S / 2);
	psi_read(&vm_psi, clock_ns(), &some, &full);
	assert_in_range(full.total_us - full_then.total_us, 490000, 510000);
	sim_disk_answer(swap, 1);
	wait_for(a);
	psi_read(&vm_psi, clock_ns(), &some_then, &full_then);
	wait_ns(NS_PER_S);
	psi_read(&vm_psi, clock_ns(), &some, &full);
	assert_int_equal(some.total_us, some_then.total_us);
	assert_int_equal(full.total_us, full_then.total_us);
}

static void run_psi_cold(void)
{
	struct psi_figures some, full;

	machine_cache = "cache";
	start_machine();
	cache = plug_cache(200);
	a = begin_guest(VM_CACHE, 100, 0, false);
	cache->held = true;
	ask(a, GUEST_READ, 0, 1);
	wait_ns(NS_PER_S);
	psi_read(&vm_psi, clock_ns(), &some, &full);
	assert_int_equal(some.total_us, 0);
	sim_disk_answer(cache, 1);
	wait_for(a);
	/* Once it was there, and memory was short, it is. */
	cache->held = false;
	act(a, GUEST_READ, 1, 30);
	vm_evict(VM_BY_TASK, 10);
	cache->held = true;
	ask(a, GUEST_READ, 0, 1);
	wait_ns(NS_PER_S);
	psi_read(&vm_psi, clock_ns(), &some, &full);
	assert_in_range(some.total_us, 990000, 1010000);
	sim_disk_answer(cache, 1);
	wait_for(a);
}

static void a_read_of_a_page_that_was_never_there_is_no_pressure(void **state)
{
	(void)state;
	run_machine(run_psi_cold);
}

static void a_wait_for_memory_is_pressure_and_of_all_if_nobody_else_can_run(void **state)
{
	(void)state;
	run_machine(run_psi);
}

/* ---- Slots ---- */

static void run_slots(void)
{
	uint64_t slot, other;

	start_machine();
	assert_int_equal(vm_swap_on(NULL, 1), -EINVAL);
	assert_int_equal(vm_swap_on(sim_disk_block(sim_disk_plug("x", 10)), 10), 0);
	assert_int_equal(vm_events.swap_total, 9);
	assert_int_equal(vm_swap_take(4, &slot), 4);
	assert_int_equal(slot, 1);
	assert_int_equal(vm_swap_take(8, &other), 5);
	assert_int_equal(other, 5);
	assert_int_equal(vm_swap_take(1, &other), 0);
	/* Neighbours only. */
	vm_swap_give(2, 1);
	vm_swap_give(4, 2);
	assert_int_equal(vm_events.swapped, 6);
	assert_int_equal(vm_swap_take(3, &slot), 1);
	assert_int_equal(slot, 2);
	assert_int_equal(vm_swap_take(3, &slot), 2);
	assert_int_equal(slot, 4);
	vm_swap_spoil(4, 2);
	assert_int_equal(vm_events.swap_total, 7);
	assert_int_equal(vm_events.swapped, 7);
	/* What is given back at once is next. */
	vm_swap_give(6, 4);
	assert_int_equal(vm_swap_take(3, &slot), 3);
	assert_int_equal(slot, 6);
	vm_swap_give(7, 2);
	assert_int_equal(vm_swap_take(2, &slot), 2);
	assert_int_equal(slot, 7);
	assert_int_equal(vm_swap_take(1, &slot), 1);
	vm_swap_disk = NULL;
	assert_false(vm_swap_forget());
	vm_swap_give(1, 3);
	vm_swap_give(6, 4);
	assert_true(vm_swap_forget());
	assert_int_equal(vm_events.swap_total, 0);
	assert_int_equal(ledger_count(OWNER_PAGE_RECORDS), 0);
}

static void slots_are_taken_as_neighbours_and_given_back(void **state)
{
	(void)state;
	run_machine(run_slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_disk_with_linux_signature_is_used_without_a_name),
		cmocka_unit_test(a_named_disk_is_used_as_a_whole_when_it_comes),
		cmocka_unit_test(a_disk_of_one_page_is_no_swap),
		cmocka_unit_test(a_read_only_disk_can_be_cached_and_not_written),
		cmocka_unit_test(a_disk_that_goes_while_its_header_is_read_is_none),
		cmocka_unit_test(disks_may_go_and_come_as_often_as_they_like),
		cmocka_unit_test(
			a_disk_that_comes_before_the_old_ones_users_end_is_used_after_them),
		cmocka_unit_test(a_broken_disk_does_not_hide_one_of_the_same_name),
		cmocka_unit_test(pages_from_before_the_swap_disk_can_go_there),
		cmocka_unit_test(without_room_for_records_there_is_no_swap_and_nothing_is_lost),
		cmocka_unit_test(wishes_that_cannot_be_met_have_an_error_each),
		cmocka_unit_test(discarded_pages_are_zeros_wherever_they_were),
		cmocka_unit_test(a_wait_for_memory_is_pressure_and_of_all_if_nobody_else_can_run),
		cmocka_unit_test(a_read_of_a_page_that_was_never_there_is_no_pressure),
		cmocka_unit_test(slots_are_taken_as_neighbours_and_given_back),
	};

	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
