/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest and the device around a lie; see lies.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/lies/lies.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define BIT(name) VIRTIO_BIT(VIRTIO_BALLOON_F_##name)
#define OFFERED (BIT(STATS_VQ) | BIT(DEFLATE_ON_OOM) | BIT(REPORTING))

/* Thousands of worlds: each has a part of the RAM only. */
#define FIRST_FRAME (SIM_RAM_START / FRAME_SIZE)
#define FRAMES (24 * MIB / FRAME_SIZE)

#define INFLATED 1300 /* frames in the balloon at the later steps */
#define HINT_ROUND 0x80000001u

/* No wait in the driver is longer than 2 s awake; it may need a few of them in a row. */
#define PATIENCE_NS (30 * NS_PER_S)
#define PAUSE_NS (NS_PER_S / 5)
#define PAUSES 30
#define ROUNDS_MAX 2000
#define ROUNDS_RESTLESS 50

struct sim_balloon world;
unsigned world_nth;
bool world_had_nth;

static struct {
	bool plugged;
	uint64_t began_awake; /* simulated time */
	unsigned busy_queue;
	bool blind;
} now;

const char *const step_names[STEP_COUNT] = {
	"start", "idle", "inflate", "deflate", "ranges", "report",
	"stats", "hint", "reclaim", "recover", "remove",
};

/*
 * Beside hinting the driver does without EVENT_IDX, and in 32 bits there is no
 * RING_PACKED: so these are all that can be.
 */
const struct ring rings[] = {
	{ "split", .features = BIT(FREE_PAGE_HINT) },
	{ "split, EVENT_IDX, INDIRECT_DESC, MSI-X", .bridged = true, .vectors = 2,
	  .features = VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) },
	{ "packed, MSI-X with one vector", .vectors = 1,
	  .features = VIRTIO_BIT(VIRTIO_F_RING_PACKED) | BIT(FREE_PAGE_HINT) },
	{ "packed, EVENT_IDX, INDIRECT_DESC, NOTIFICATION_DATA", .bridged = true,
	  .features = VIRTIO_BIT(VIRTIO_F_RING_PACKED) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |
		      VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA) },
	{ "legacy", .legacy = true, .features = BIT(FREE_PAGE_HINT) },
};
const size_t ring_count = ARRAY_SIZE(rings);

int world_reserve(void)
{
	return sim_ram_reserve();
}

/* ---- Who owns what ---- */

static void own(pfn_t pfn, uint64_t frames, bool device)
{
	const pfn_t end = FIRST_FRAME + FRAMES;

	if (now.blind)
		return;
	if (frames < UINT64_MAX) {
		sim_ram_lend(pfn, frames, device);
		return;
	}
	/* One that does not finish its reset may still do what it likes. */
	if (world.virtio.slow_reset == SIM_VIRTIO_FOR_EVER)
		return;
	/* A reset: what stays inflated stays discarded, the rest is the guest's. */
	for (pfn = sim_ram_next_lent(0); pfn != PFN_NONE; pfn = sim_ram_next_lent(pfn + 1))
		if (!sim_balloon_has(&world, pfn))
			sim_ram_lend(pfn, 1, false);
	for (pfn = sim_balloon_next(&world, FIRST_FRAME, end); pfn < end;
	     pfn = sim_balloon_next(&world, pfn + 1, end))
		sim_ram_lend(pfn, 1, true);
}

/* A free frame may be written by the next owner. */
static void check_free_memory(const char *when)
{
	static pfn_t pfns[FRAMES];
	size_t count = frame_alloc_bulk(FRAMES, PFN_NONE, OWNER_HELD, pfns);

	for (size_t i = 0; i < count; i++)
		if (sim_ram_is_lent(pfns[i]))
			fail_msg("%s: frame %#llx is free, and the device may own it", when,
				 (unsigned long long)pfns[i]);
	for (size_t i = 0, run; i < count; i += run) {
		for (run = 1; i + run < count && pfns[i + run] == pfns[i] + run;)
			run++;
		assert_int_equal(frame_free(pfns[i], run, OWNER_HELD), 0);
	}
}

void world_check_books(const char *when)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s: %s", when, verdict);
	if (ledger_refused() > 0)
		fail_msg("%s: %u changes named a wrong owner", when, (unsigned)ledger_refused());
	if (clock_awake_ns() - now.began_awake > PATIENCE_NS)
		fail_msg("%s: %u simulated seconds have passed", when,
			 (unsigned)((clock_awake_ns() - now.began_awake) / NS_PER_S));
	check_free_memory(when);
}

/* ---- Life ---- */

static void settle(void)
{
	/* If each look shows another target, there is always something to do. */
	bool restless = world.virtio.restless == SIM_VIRTIO_FOR_EVER;
	unsigned rounds = 0, most = restless ? ROUNDS_RESTLESS : ROUNDS_MAX;

	while (balloon_step() && ++rounds < most)
		;
	if (rounds == most && !restless)
		fail_msg("the driver goes round and round");
}

static void complete_one(void)
{
	sim_balloon_complete(&world, 1);
}

static void wait_a_while(void)
{
	for (int i = 0; i < PAUSES; i++) {
		settle();
		sim_balloon_complete(&world, SIZE_MAX);
		sim_time_advance(PAUSE_NS);
	}
	settle();
}

static void go_to(uint32_t target)
{
	sim_balloon_set_target(&world, target);
	wait_a_while();
}

bool world_is_broken(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return !status.present || status.broken;
}

unsigned world_warnings(void)
{
	return sim_log_warnings;
}

struct virtio_device *world_device(void)
{
	return virtio_devices();
}

unsigned world_busy_queue(void)
{
	return now.busy_queue;
}

void world_begin(const struct ring *ring, bool blind)
{
	const struct memmap map = { .count = 1,
				    .range = { { FIRST_FRAME, FIRST_FRAME + FRAMES } },
				    .frames = FRAMES };
	uint64_t features = OFFERED | ring->features;

	sim_time_reset();
	/* So that a busy wait for a device that is silent is over soon. */
	sim_time_step_ns = WORLD_LOOK_NS;
	sim_log_reset();
	sim_ram_start(&map);
	if (!ring->legacy)
		features |= VIRTIO_BIT(VIRTIO_F_VERSION_1);
	sim_balloon_init(&world, ring->legacy, features);
	world.own = own;
	world.keep_on_reset = true;
	machine_build(ring);
	frame_set_reclaimer(balloon_reclaim);
	now = (typeof(now)){ .blind = blind, .began_awake = clock_awake_ns() };
}

static void plug_in(void)
{
	const struct balloon_config config = { .floor = 0 };

	/* As at boot, and at hot-plug: the driver is there when the device comes. */
	balloon_init(&config);
	virtio_balloon_start();
	machine_plug();
	now.plugged = true;
}

/* Pulled out, a device owns nothing any more; the next one has never seen this guest. */
static void unplug(void)
{
	world.keep_on_reset = false;
	sim_time_on_wait = complete_one;
	machine_unplug();
	sim_time_on_wait = NULL;
	now.plugged = false;
	if (world.virtio.gone)
		sim_balloon_forget(&world);
	world.keep_on_reset = true;
}

void world_rebuild(struct sim_balloon *sim)
{
	(void)sim;
	if (now.plugged)
		unplug();
	machine_build(machine.ring);
}

/* Asked for, and offered to the device, but not yet acknowledged. */
static void begin_target(uint32_t target)
{
	world.completion = SIM_BALLOON_ON_DEMAND;
	sim_balloon_set_target(&world, target);
	balloon_step();
}

bool world_bring_to(enum step step)
{
	char stats[256];

	if (step == STEP_START)
		return true;
	if (step == STEP_HINT && world.hint_queue == 0)
		return false;
	plug_in();
	if (step != STEP_RANGES)
		balloon_set_strategy(BALLOON_PORTABLE);
	if (step != STEP_IDLE && step != STEP_REPORT && step != STEP_HINT)
		go_to(INFLATED);
	switch (step) {
	case STEP_INFLATE:
		begin_target(2 * INFLATED);
		break;
	case STEP_DEFLATE:
		now.busy_queue = SIM_BALLOON_DEFLATE;
		begin_target(INFLATED / 10);
		break;
	case STEP_RANGES:
		now.busy_queue = world.report_queue;
		begin_target(INFLATED + 4 * BLOCK_FRAMES);
		break;
	case STEP_REPORT:
		now.busy_queue = world.report_queue;
		settle(); /* the quiet begins */
		sim_time_advance(BALLOON_REPORT_QUIET_NS + NS_PER_MS);
		begin_target(0);
		break;
	case STEP_STATS:
		now.busy_queue = world.stats_queue;
		sim_balloon_ask_stats(&world, stats, sizeof(stats));
		balloon_step();
		break;
	case STEP_HINT:
		now.busy_queue = world.hint_queue;
		world.completion = SIM_BALLOON_ON_DEMAND;
		sim_balloon_set_hint_id(&world, HINT_ROUND);
		balloon_step();
		break;
	case STEP_RECOVER:
		begin_target(2 * INFLATED);
		sim_virtio_need_reset(&world.virtio);
		break;
	case STEP_RECLAIM:
		now.busy_queue = SIM_BALLOON_DEFLATE;
		break;
	default:
		break;
	}
	return true;
}

/* Everything that is free, and one frame more. */
static void run_out_of_memory(void)
{
	pfn_t pfns[512], one;

	while (frame_alloc_bulk(ARRAY_SIZE(pfns), PFN_NONE, OWNER_HELD, pfns) > 0)
		;
	if (frame_alloc(0, OWNER_HELD, &one) == 0)
		*(volatile char *)(uintptr_t)(one * FRAME_SIZE) = 1;
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

void world_go_on(enum step step)
{
	if (step == STEP_START)
		plug_in();
	if (step == STEP_RECLAIM)
		run_out_of_memory();
	if (step == STEP_REMOVE && now.plugged)
		unplug();
	if (now.plugged)
		wait_a_while();
	memory_is_back();
}

void world_behave(void)
{
	struct sim_virtio *device = &world.virtio;

	world.completion = SIM_BALLOON_AT_ONCE;
	world.bad_used_id = false;
	device->slow_reset = 0;
	device->refuse_features = false;
	device->refuse_queues = false;
	device->restless = 0;
	machine_put_back();
	device->config_size = SIM_BALLOON_CONFIG_SIZE;
	device->status &= (uint8_t)~VIRTIO_STATUS_NEEDS_RESET;
	sim_virtio_set_config32(device, SIM_BALLOON_NUM_PAGES, 0);
	sim_virtio_set_config32(device, SIM_BALLOON_HINT_ID, 1);
}

/* The frames that a device that would not reset may still own. */
static uint64_t stuck(void)
{
	return ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_VIRTQUEUES) +
	       ledger_count(OWNER_REPORTED);
}

void world_check_recovery(void)
{
	const uint32_t target = 2 * BLOCK_FRAMES + 77;

	now.began_awake = clock_awake_ns();
	/* As if it were pulled out and put back. */
	if (world_is_broken() && now.plugged)
		unplug();
	if (!now.plugged)
		plug_in();
	if (world_is_broken())
		fail_msg("it is not used though it behaves now: %s", sim_log_warning);
	go_to(target);
	if (ledger_count(OWNER_BALLOON) != target)
		fail_msg("afterwards the target of %u is not reached but %u", target,
			 (unsigned)ledger_count(OWNER_BALLOON));
	if (!now.blind && sim_balloon_actual(&world) != target)
		fail_msg("afterwards `actual` is %u, not %u", sim_balloon_actual(&world), target);
	world_check_books("after recovery");
	go_to(0);
	world_check_books("after the last deflation");
}

void world_stop(void)
{
	if (now.plugged)
		unplug();
	sim_balloon_fini(&world);
	sim_ram_stop();
}

void world_end(void)
{
	uint64_t before = stuck();

	if (now.plugged)
		unplug();
	/* What was stuck before the device was found anew is the only loss there may be. */
	if (ledger_count(OWNER_FREE) + stuck() != FRAMES)
		fail_msg("frames are lost: %u are free, %u were stuck",
			 (unsigned)ledger_count(OWNER_FREE), (unsigned)before);
	if (!now.blind && world.virtio.violation)
		fail_msg("the driver: %s", world.virtio.violation);
	world_stop();
}

void world_abandon(void)
{
	/* Whatever state the driver is in: it is not asked again. */
	if (world_device())
		world_device()->driver = NULL;
	machine_unplug();
	sim_balloon_fini(&world);
	sim_ram_stop();
}
