/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon driver on a simulated device, with the real allocator and the
 * real virtqueue. RAM is 64 MiB of address space where physical addresses are
 * real ones, so that rings work; what the driver must not touch can be seen by
 * asking the host which of its pages exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "drivers/balloon/balloon.h"
#include "drivers/virtio/virtio.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/unit/sim/sim_balloon.h"
#include "tests/unit/sim/sim_log.h"
#include "tests/unit/sim/sim_time.h"

#define RAM_START UINT64_C(0x10000000)
#define RAM_FRAMES (UINT64_C(64) * MIB / FRAME_SIZE)
#define NO_FLOOR 0

static struct sim_balloon sim;
static void *metadata;

/* ---- What the driver needs of the kernel ---- */

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	(void)name, (void)priority, (void)fn, (void)arg;
	return 0;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

/* ---- Fixture ---- */

static int set_up_ram(void **state)
{
	void *ram = mmap((void *)(uintptr_t)RAM_START, RAM_FRAMES * FRAME_SIZE,
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	(void)state;
	return ram == (void *)(uintptr_t)RAM_START ? 0 : -1;
}

static int set_up(void **state)
{
	struct memmap map = {
		.count = 1,
		.range = { { RAM_START / FRAME_SIZE, RAM_START / FRAME_SIZE + RAM_FRAMES } },
		.frames = RAM_FRAMES,
	};

	(void)state;
	madvise((void *)(uintptr_t)RAM_START, RAM_FRAMES * FRAME_SIZE, MADV_DONTNEED);
	sim_time_reset();
	sim_log_reset();
	metadata = aligned_alloc(64, align_up(frame_map_bytes(&map), 64));
	memset(metadata, 0xa5, frame_map_bytes(&map));
	frame_init(&map, metadata);
	return 0;
}

static void assert_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_refused(), 0);
}

static int tear_down(void **state)
{
	(void)state;
	assert_books();
	assert_null(sim.virtio.violation);
	assert_int_equal(sim.double_inflates, 0);
	assert_int_equal(sim.wrong_deflates, 0);
	assert_int_equal(sim.not_ascending, 0);
	sim_balloon_fini(&sim);
	free(metadata);
	return 0;
}

static void plug_in(bool legacy, uint64_t features)
{
	static bool registered;

	sim_balloon_init(&sim, legacy, features);
	if (!registered)
		virtio_register(&sim.virtio.device);
	registered = true;
}

static void start(uint64_t features, uint64_t floor)
{
	plug_in(false, features | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(balloon_start(floor), 0);
}

#define DEFLATE_ON_OOM VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM)

/* Rounds until there is nothing to do at once. */
static void settle(void)
{
	for (int rounds = 0; balloon_step(); rounds++)
		assert_true(rounds < 10000);
	assert_false(balloon_step());
}

static void go_to(uint64_t target)
{
	sim_balloon_set_target(&sim, (uint32_t)target);
	settle();
}

static uint64_t ballooned(void)
{
	return ledger_count(OWNER_BALLOON);
}

static struct balloon_status status(void)
{
	struct balloon_status s;

	balloon_status(&s);
	return s;
}

/* Guest, device and the number told to the host are the same. */
static void assert_balloon(uint64_t frames)
{
	assert_int_equal(ballooned(), frames);
	assert_int_equal(sim.inflated, frames);
	assert_int_equal(sim_balloon_actual(&sim), frames);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}

/* ---- Targets ---- */

static void reaches_every_target_exactly(void **state)
{
	static const uint64_t targets[] = { 1,	 0,    255,  256,  257, 511,   512,
					    513, 1000, 8192, 8191, 3,	10000, 0 };

	(void)state;
	start(0, NO_FLOOR);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		go_to(targets[i]);
		assert_balloon(targets[i]);
		assert_books();
	}
}

static void reaches_targets_on_a_legacy_device(void **state)
{
	(void)state;
	plug_in(true, 0);
	assert_int_equal(balloon_start(NO_FLOOR), 0);
	go_to(5000);
	assert_balloon(5000);
	go_to(17);
	assert_balloon(17);
}

static void follows_a_target_that_was_there_before_the_start(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_balloon_set_target(&sim, 777);
	assert_int_equal(balloon_start(NO_FLOOR), 0);
	settle();
	assert_balloon(777);
}

static void tells_the_device_at_the_start_that_the_balloon_is_empty(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_set_config32(&sim.virtio, SIM_BALLOON_ACTUAL, 4711);
	assert_int_equal(balloon_start(NO_FLOOR), 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
}

static void gives_whole_blocks_first(void **state)
{
	pfn_t first, single;

	(void)state;
	start(0, NO_FLOOR);
	/* A broken block, with space for the odd frames. */
	assert_int_equal(frame_alloc(0, OWNER_KERNEL, &single), 0);
	go_to(3 * BLOCK_FRAMES + 5);
	assert_int_equal(frame_free_blocks(), RAM_FRAMES / BLOCK_FRAMES - 3 - 1);
	assert_int_equal(frame_collect(OWNER_BALLOON, 0, 1, &first), 1);
	assert_int_equal(sim.largest[SIM_BALLOON_INFLATE], BALLOON_BUFFER_FRAMES);
	assert_int_equal(frame_free(single, 1, OWNER_KERNEL), 0);
}

static void survives_random_targets(void **state)
{
	(void)state;
	srand(1);
	start(0, NO_FLOOR);
	for (int i = 0; i < 1000; i++) {
		uint64_t target = (uint64_t)rand() % 12000;

		go_to(target);
		assert_balloon(target);
	}
}

static void never_touches_a_frame_that_it_gives(void **state)
{
	static unsigned char resident[RAM_FRAMES];
	size_t touched = 0;

	(void)state;
	start(0, NO_FLOOR);
	go_to(RAM_FRAMES / 2);
	go_to(0);
	mincore((void *)(uintptr_t)RAM_START, RAM_FRAMES * FRAME_SIZE, resident);
	for (size_t i = 0; i < RAM_FRAMES; i++)
		touched += resident[i] & 1;
	/* The rings and the buffers, and nothing else. */
	assert_true(touched <= ledger_count(OWNER_VIRTQUEUES));
}

static void writes_actual_seldom(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(12000);
	assert_balloon(12000);
	assert_in_range(status().actual_writes, 1, 2);
}

/* ---- In flight ---- */

static void frames_in_flight_are_in_neither_camp(void **state)
{
	uint64_t free_before;

	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	free_before = ledger_count(OWNER_FREE);
	go_to(1000);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	sim_balloon_complete(&sim, 2);
	settle();
	assert_int_equal(ballooned(), 512);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_balloon(1000);
	go_to(200);
	assert_int_equal(ballooned(), 200);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 800);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
	assert_balloon(200);
}

static void keeps_several_buffers_in_flight(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(10000);
	assert_int_equal(sim.pending_count, 8);
	while (sim_balloon_complete(&sim, 3) > 0)
		settle();
	assert_balloon(10000);
}

static void a_change_of_mind_in_flight_loses_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(2000);
	go_to(100);
	go_to(1500);
	go_to(50);
	for (int i = 0; i < 1000 && (sim.pending_count > 0 || ballooned() != 50); i++) {
		sim_balloon_complete(&sim, 1);
		settle();
	}
	assert_balloon(50);
}

/* ---- The floor ---- */

static void stops_at_the_floor_and_says_by_how_much(void **state)
{
	uint64_t spare;

	(void)state;
	start(0, 1000);
	spare = ledger_count(OWNER_FREE) - 1000;
	go_to(RAM_FRAMES);
	assert_balloon(spare);
	assert_int_equal(ledger_count(OWNER_FREE), 1000);
	assert_int_equal(status().shortfall, RAM_FRAMES - spare);
	assert_int_equal(status().target, RAM_FRAMES);
}

static void goes_on_when_memory_is_freed_or_the_floor_sinks(void **state)
{
	pfn_t block;

	(void)state;
	start(0, 1000);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &block), 0);
	go_to(RAM_FRAMES);
	assert_int_equal(frame_free(block, BLOCK_FRAMES, OWNER_HELD), 0);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 1000);
	balloon_set_floor(100);
	settle();
	assert_int_equal(ledger_count(OWNER_FREE), 100);
	go_to(0);
	assert_balloon(0);
	assert_int_equal(status().shortfall, 0);
}

static void an_absurd_target_is_a_shortfall(void **state)
{
	(void)state;
	start(0, 100);
	go_to(UINT32_MAX);
	assert_int_equal(ledger_count(OWNER_FREE), 100);
	assert_int_equal(status().shortfall, UINT32_MAX - ballooned());
}

/* ---- Memory pressure ---- */

static void exhaust(void)
{
	pfn_t pfn;

	while (ledger_count(OWNER_FREE) > 0)
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

static void gives_one_frame_back_for_one_allocation(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(ballooned(), 4999);
	assert_int_equal(sim.inflated, 4999);
	assert_int_equal(status().oom_events, 1);
	assert_int_equal(status().oom_frames, 1);
}

static void gives_a_run_back_for_an_allocation_of_a_run(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(4, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn), 0);
	assert_books();
}

static void does_not_chase_what_it_gave_back(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	settle();
	assert_balloon(4999);
	sim_time_advance(BALLOON_HOLD_OFF_NS + NS_PER_MS);
	settle();
	assert_balloon(5000);
}

static void without_the_bit_an_allocation_fails_and_the_balloon_stays(void **state)
{
	pfn_t pfn;

	(void)state;
	start(0, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_balloon(5000);
}

static void a_device_that_never_answers_a_reclaim_is_given_up(void **state)
{
	pfn_t pfn;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	frame_set_reclaimer(balloon_reclaim);
	go_to(5000);
	exhaust();
	sim.completion = SIM_BALLOON_NEVER;
	assert_int_not_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 5000);
}

/* ---- Devices that break the rules ---- */

static void a_device_that_never_answers_is_given_up_after_two_seconds(void **state)
{
	uint64_t free_before;

	(void)state;
	start(0, NO_FLOOR);
	free_before = ledger_count(OWNER_FREE);
	sim.completion = SIM_BALLOON_NEVER;
	go_to(1000);
	assert_null(status().broken);
	sim_time_advance(VIRTIO_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ledger_count(OWNER_FREE), free_before);
}

static void a_bad_used_id_breaks_the_device_and_loses_no_frame(void **state)
{
	uint64_t free_before;

	(void)state;
	start(0, NO_FLOOR);
	go_to(300);
	free_before = ledger_count(OWNER_FREE);
	sim.bad_used_id = true;
	sim_balloon_set_target(&sim, 2000);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ledger_count(OWNER_FREE) + ballooned(), free_before + 300);
	assert_int_equal(sim_log_warnings, 1);
}

static void a_queue_of_one_descriptor_is_slow_but_right(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[SIM_BALLOON_INFLATE].size_max = 1;
	sim.virtio.queue[SIM_BALLOON_DEFLATE].size_max = 1;
	assert_int_equal(balloon_start(NO_FLOOR), 0);
	go_to(3000);
	assert_balloon(3000);
	go_to(1);
	assert_balloon(1);
}

static void a_missing_queue_ends_the_start_with_an_error(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[SIM_BALLOON_DEFLATE].size_max = 0;
	assert_int_not_equal(balloon_start(NO_FLOOR), 0);
	assert_false(status().present);
	assert_true(sim_log_warnings > 0);
}

static void features_that_it_does_not_do_are_not_accepted(void **state)
{
	(void)state;
	start(UINT64_MAX & ~VIRTIO_BIT(VIRTIO_F_VERSION_1), NO_FLOOR);
	assert_int_equal(status().features, VIRTIO_BIT(VIRTIO_F_VERSION_1) | DEFLATE_ON_OOM |
						    VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reaches_every_target_exactly),
		TEST(reaches_targets_on_a_legacy_device),
		TEST(follows_a_target_that_was_there_before_the_start),
		TEST(tells_the_device_at_the_start_that_the_balloon_is_empty),
		TEST(gives_whole_blocks_first),
		TEST(survives_random_targets),
		TEST(never_touches_a_frame_that_it_gives),
		TEST(writes_actual_seldom),
		TEST(frames_in_flight_are_in_neither_camp),
		TEST(keeps_several_buffers_in_flight),
		TEST(a_change_of_mind_in_flight_loses_nothing),
		TEST(stops_at_the_floor_and_says_by_how_much),
		TEST(goes_on_when_memory_is_freed_or_the_floor_sinks),
		TEST(an_absurd_target_is_a_shortfall),
		TEST(gives_one_frame_back_for_one_allocation),
		TEST(gives_a_run_back_for_an_allocation_of_a_run),
		TEST(does_not_chase_what_it_gave_back),
		TEST(without_the_bit_an_allocation_fails_and_the_balloon_stays),
		TEST(a_device_that_never_answers_a_reclaim_is_given_up),
		TEST(a_device_that_never_answers_is_given_up_after_two_seconds),
		TEST(a_bad_used_id_breaks_the_device_and_loses_no_frame),
		TEST(a_queue_of_one_descriptor_is_slow_but_right),
		TEST(a_missing_queue_ends_the_start_with_an_error),
		TEST(features_that_it_does_not_do_are_not_accepted),
	};

	return cmocka_run_group_tests_name("balloon", tests, set_up_ram, NULL);
}
