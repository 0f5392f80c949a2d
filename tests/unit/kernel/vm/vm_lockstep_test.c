/* SPDX-License-Identifier: BSD-2-Clause */
/* In lockstep the same touches give the same counts, however a disk answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "tests/random.h"
#include "tests/unit/kernel/vm/vm_fixture.h"

#define GUESTS 3
#define STEPS 60

/* How a disk answers. */
struct pace {
	uint64_t latency_ns;
	enum sim_disk_order order;
	unsigned room;
};

static struct pace pace;

/* Of the machine that has ended: it was another process. */
static struct vm_events *counts;

static void set_pace(struct sim_disk *disk)
{
	disk->latency_ns = pace.latency_ns;
	disk->order = pace.order;
	disk->room = pace.room;
}

/* Two with memory of their own, one of them with a limit, and one that writes to the cache. */
static void run_course(void)
{
	struct sim_disk *swap, *cache;
	struct guest *guests[GUESTS];
	uint64_t state = 42;

	machine_frames = 900;
	machine_lockstep = true;
	start_with_disks(2500, &swap, 700, &cache);
	set_pace(swap);
	set_pace(cache);
	guests[0] = begin_guest(VM_ANONYMOUS, 800, 0, true);
	guests[1] = begin_guest(VM_ANONYMOUS, 300, 90, true);
	guests[2] = begin_guest(VM_CACHE, 600, 0, true);
	for (unsigned step = 0; step < STEPS; step++) {
		for (unsigned i = 0; i < GUESTS; i++) {
			uint64_t page = random_below(&state, guests[i]->want.pages);
			uint64_t most = guests[i]->want.pages - page;

			ask(guests[i], random_below(&state, 2) ? GUEST_WRITE : GUEST_READ, page,
			    1 + random_below(&state, most));
		}
		for (unsigned i = 0; i < GUESTS; i++)
			wait_for(guests[i]);
		assert_whole();
	}
	*counts = vm_events;
	for (unsigned i = 0; i < GUESTS; i++)
		end_guest(guests[i]);
	assert_empty();
}

static void the_same_touches_give_the_same_counts(void **unused)
{
	static const struct pace paces[] = {
		{ 0, SIM_DISK_FIRST_COME, 4 },
		{ NS_PER_MS, SIM_DISK_LAST_COME, 1 },
		{ 30 * NS_PER_MS, SIM_DISK_FIRST_COME, 12 },
	};
	struct vm_events first;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
		pace = paces[i];
		run_machine(run_course);
		if (i == 0)
			first = *counts;
		assert_memory_equal(counts, &first, sizeof(first));
	}
	/* Each kind of movement was among it. */
	assert_true(first.swap_in_bytes > 0 && first.swap_out_bytes > 0 && first.limit_stalls > 0);
	assert_true(first.stalls > first.limit_stalls && first.refaults > 0);
	assert_true(first.async_reclaimed > 0 && first.direct_reclaimed > 0);
}

static int map_counts(void **state)
{
	(void)state;
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return counts == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_touches_give_the_same_counts),
	};

	return cmocka_run_group_tests_name("vm_lockstep", tests, map_counts, NULL);
}
