/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of kernel/vm on a random course: touches, ends, kills, disks that refuse, come late,
 * answer in another order, go and come again. After each step every page that is touched has
 * what was written there, and the books agree with the frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/ledger.h"
#include "tests/random.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

#define GUESTS 6
#define STEPS 500

static uint64_t state;
static struct guest *guests[GUESTS];
static struct sim_disk *swap, *cache;
static unsigned errors_of; /* one of so many requests fails; 0: none does */

static uint64_t below(uint64_t n)
{
	return random_below(&state, n);
}

static int fail_some(const struct block_request *request)
{
	(void)request;
	return errors_of > 0 && below(errors_of) == 0 ? -EIO : 0;
}

/* ---- Steps ---- */

static void begin_one(unsigned i)
{
	bool cached = cache && below(3) == 0;
	struct vm_want want = {
		.kind = cached ? VM_CACHE : VM_ANONYMOUS,
		.first = cached ? below(500) : 0,
		.pages = 1 + below(cached ? 500 : 900),
		.limit = !cached && below(4) == 0 ? 1 + below(100) : 0,
		.writes = cached && below(2) == 0,
	};

	guests[i] = begin_guest_at(&want);
	if (guests[i]->err) {
		guests[i]->used = false;
		guests[i] = NULL;
	}
}

static void touch_some(struct guest *guest)
{
	uint64_t page = below(guest->want.pages);
	uint64_t count = 1 + below(guest->want.pages - page);
	bool writes = guest->kind == VM_ANONYMOUS || guest->want.writes;

	if (below(8) == 0)
		act(guest, GUEST_WILL_TOUCH, page, count);
	if (guest->kind == VM_ANONYMOUS && below(12) == 0)
		ask(guest, GUEST_DISCARD, page, count);
	else
		ask(guest, writes && below(2) ? GUEST_WRITE : GUEST_READ, page, count);
}

static void forget_ended(void)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		if (!guests[i] || !guests[i]->ended)
			continue;
		guests[i]->used = false;
		guests[i] = NULL;
	}
}

static void wait_for_all(void)
{
	for (unsigned i = 0; i < GUESTS; i++)
		if (guests[i])
			wait_for(guests[i]);
	forget_ended();
}

static void change_disk(struct sim_disk *disk)
{
	disk->latency_ns = below(3) * NS_PER_MS;
	disk->order = below(2) ? SIM_DISK_LAST_COME : SIM_DISK_FIRST_COME;
	disk->room = 1 + (unsigned)below(12);
}

/* In the midst of what it does, or after it has answered nothing for a while. */
static void pull_swap(void)
{
	if (!swap)
		return;
	if (below(2)) {
		swap->dead = true;
		swap->stuck = below(2);
		wait_ns(below(4) * NS_PER_S);
	}
	sim_disk_pull(swap);
	swap = NULL;
}

static void plug_swap_again(void)
{
	if (swap)
		return;
	swap = sim_disk_plug("swap", 100 + below(3000));
	swap->fails = fail_some;
}

static void assert_limits(void)
{
	for (unsigned i = 0; i < VM_REGIONS_MAX; i++)
		if (vm_regions[i].used && vm_regions[i].limit > 0)
			assert_true(vm_regions[i].resident <= vm_regions[i].limit);
}

static void step(void)
{
	unsigned i = (unsigned)below(GUESTS);

	forget_ended();
	switch (below(18)) {
	case 0:
		if (guests[i] && !guests[i]->busy && !guests[i]->ended) {
			end_guest(guests[i]);
			guests[i] = NULL;
		}
		return;
	case 1:
		if (guests[i] && !guests[i]->ended)
			vm_user_doom(guests[i]->task, "by chance");
		return;
	case 2:
		if (swap)
			change_disk(swap);
		change_disk(cache);
		return;
	case 3:
		wait_for_all();
		assert_whole();
		return;
	case 4:
		errors_of = below(4) == 0 ? 20 + (unsigned)below(50) : 0;
		return;
	case 5:
		if (below(4) == 0)
			pull_swap();
		else
			plug_swap_again();
		return;
	case 6:
		if (below(2))
			hold_all_but(20 + below(400));
		else
			hold_none();
		return;
	default:
		if (!guests[i])
			begin_one(i);
		else if (!guests[i]->busy)
			touch_some(guests[i]);
		wait_ns(below(20) * NS_PER_MS);
	}
}

/* What the course came to. */
static void show_counts(void)
{
	print_message("faults %" PRIu64 " (%" PRIu64 "), swap out %" PRIu64 ", in %" PRIu64
		      ", kills %" PRIu64 ", stalls %" PRIu64 " (limit %" PRIu64 ", disk %" PRIu64
		      "), refaults %" PRIu64 "\n",
		      vm_events.faults, vm_events.major_faults,
		      vm_events.swap_out_bytes / FRAME_SIZE, vm_events.swap_in_bytes / FRAME_SIZE,
		      vm_events.oom_kills, vm_events.stalls, vm_events.limit_stalls,
		      vm_events.disk_stalls, vm_events.refaults);
}

static void run_course(void)
{
	errors_of = 0;
	machine_swap = "swap";
	machine_cache = "cache";
	machine_frames = 500 + below(900);
	machine_balloon = below(60);
	start_machine();
	cache = plug_cache(1000);
	swap = plug_swap(2500);
	swap->fails = fail_some;
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		assert_limits();
	}
	errors_of = 0;
	hold_none();
	if (getenv("SHOW"))
		show_counts();
	for (unsigned i = 0; i < GUESTS; i++)
		if (guests[i] && !guests[i]->ended)
			vm_user_doom(guests[i]->task, "the end");
	wait_for_all();
	wait_ns(5 * NS_PER_S);
	assert_empty();
}

static void every_page_has_what_was_written_whatever_happens(void **unused)
{
	const char *seed = getenv("SEED");

	(void)unused;
	for (uint64_t i = 1; i <= (seed ? 1 : 12); i++) {
		state = seed ? strtoull(seed, NULL, 10) : i * 7919;
		print_message("seed %llu\n", (unsigned long long)state);
		run_machine(run_course);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_has_what_was_written_whatever_happens),
	};

	return cmocka_run_group_tests_name("vm_random", tests, NULL, NULL);
}
