/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole balloon device as a stream of operations: each byte, with a byte
 * of argument, is something that the host, the device, the guest's memory or
 * time does, lies of tests/lies among them. The device and the guest around
 * the driver are the world of those tests. After each operation the ledger is
 * audited, and no frame is free that the device may own; a touch of such
 * a frame is caught by the sanitizer. At the end the device behaves: a target
 * is reached, and all frames come back.
 *
 * A stream is of two kinds. In a blind one the device lies about its rings too,
 * so that its own books are wrong, and nobody knows who owns what.
 */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/fuzz/fuzz.h"

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "mm/ledger.h"
#include "tests/lies/lies.h"
#include "tests/sim/sim_bits.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define OPS_MAX 200
#define BLIND 0x80
#define ENOUGH 2000 /* frames, for a recovery */
#define FIRST_FRAME (SIM_RAM_START / FRAME_SIZE)

/*
 * No wait of the driver's is longer than 2 s without an answer; but one that answers
 * each request after a second, and without an interrupt, is waited for again and again.
 */
#define PATIENCE_NS (120 * NS_PER_S)

enum op {
	OP_STEP,
	OP_TARGET,
	OP_COMPLETE,
	OP_COMPLETION, /* at once, on demand, never; while somebody waits or not */
	OP_TIME,
	OP_HINT,
	OP_STATS,
	OP_NEED_RESET,
	OP_GONE,   /* or back again */
	OP_REPLUG, /* out, or in */
	OP_ALLOC,
	OP_ALLOC_RUN,
	OP_FREE,
	OP_STRATEGY,
	OP_FLOOR,
	OP_BAD_ID,
	OP_LIE,
	OP_COUNT,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);

static bool plugged, blind, ring_lied, set_up_lied, forgot, stuck;
static const struct lie *to_end; /* the lie whose end() is owed: one at a time */

/* cmocka's checks of the world end the program in a way that libFuzzer sees. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	fuzz_require(world_reserve() == 0, "the simulated RAM's addresses are taken");
	return 0;
}

/* ---- The host ---- */

static void set_target(uint8_t argument)
{
	/* Steps of 13 frames reach beyond what there is; some values are special. */
	static const uint32_t special[] = { UINT32_MAX, UINT32_MAX - 1, 1u << 31, 6144, 512, 1 };

	if (argument < ARRAY_SIZE(special))
		sim_balloon_set_target(&world, special[argument]);
	else
		sim_balloon_set_target(&world, (argument - (uint32_t)ARRAY_SIZE(special)) * 29);
}

static void set_hint(uint8_t argument)
{
	sim_balloon_set_hint_id(&world, argument < 4 ? argument : 0x80000000u + argument);
}

static void ask_stats(void)
{
	char copy[256];

	if (world.stats_held == 1 && world.virtio.queue[world.stats_queue].enabled)
		sim_balloon_ask_stats(&world, copy, sizeof(copy));
}

/* ---- The device ---- */

static void complete_one(void)
{
	sim_balloon_complete(&world, 1);
}

static void set_completion(uint8_t argument)
{
	world.completion = (enum sim_balloon_completion)(argument % 3);
	/* Among requests that are answered, one that is not is noticed late. */
	forgot = forgot || world.completion == SIM_BALLOON_NEVER;
	sim_time_on_wait = argument & 0x10 ? complete_one : NULL;
}

static void replug(void)
{
	world_go_on(plugged ? STEP_REMOVE : STEP_START);
	plugged = !plugged;
}

/*
 * A device that is gone owns nothing, even if it was not reset. Back again it is as
 * after power-on. An honest one comes back as one that was pulled out and put
 * back; a blind one just has forgotten everything.
 */
static void go_or_come_back(void)
{
	world.virtio.slow_reset = 0;
	if (!world.virtio.gone) {
		machine_pull();
		return;
	}
	if (!blind && plugged)
		replug();
	machine_put_back();
	sim_virtio_set_status(&world.virtio, 0);
	forgot = true;
}

/*
 * One that no chain can have. One that another chain has would be believed,
 * rightly: then only a blind device does not wonder.
 */
static void use_bad_id(uint8_t argument)
{
	unsigned index = argument % 5;
	const struct sim_virtio_queue *queue = &world.virtio.queue[index];

	if (!queue->enabled)
		return;
	if (blind && argument & 0x80)
		sim_virtio_push(&world.virtio, index, argument & 0x1fu, 0);
	else
		sim_virtio_push(&world.virtio, index, queue->size + argument, 0);
}

static const struct lie *find_lie(size_t n, bool *about_rings, bool *about_set_up)
{
	const struct lie *const tables[] = { ring_lies, time_lies, config_lies, setup_lies };
	const size_t counts[] = { ring_lie_count, time_lie_count, config_lie_count,
				  setup_lie_count };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		*about_rings = i == 0;
		*about_set_up = i == 3;
		if (n < counts[i])
			return &tables[i][n];
		n -= counts[i];
	}
	return NULL;
}

/*
 * Rings are edited once at most: after two edits the simulation itself could
 * be led anywhere. And what has an end hides what was there before.
 */
static void tell_lie(uint8_t argument)
{
	bool packed = world.virtio.features & VIRTIO_BIT(VIRTIO_F_RING_PACKED);
	bool about_rings, about_set_up;
	const struct lie *lie = find_lie(argument, &about_rings, &about_set_up);

	if (!lie || (lie->packed_only && !packed) || (lie->split_only && packed))
		return;
	if ((lie->blind || (about_rings && !lie->must_go_on)) && !blind)
		return;
	if (about_rings && (ring_lied || !world.virtio.queue[SIM_BALLOON_INFLATE].enabled))
		return;
	if (lie->retried || (lie->end && to_end))
		return;
	/* Going is OP_GONE's, which knows about resets; and what is gone tells no lies. */
	if (world.virtio.gone || strncmp(lie->name, "it is gone", strlen("it is gone")) == 0)
		return;
	ring_lied = ring_lied || about_rings;
	set_up_lied = set_up_lied || about_set_up;
	forgot = forgot || lie->forgets;
	if (lie->end)
		to_end = lie;
	lie->tell(&world);
}

/* ---- The guest ---- */

static void touch(pfn_t pfn)
{
	*(volatile char *)(uintptr_t)pfn_to_paddr(pfn) = 1;
}

static void alloc(uint8_t argument)
{
	pfn_t pfns[256];
	size_t count = frame_alloc_bulk(argument + 1u, PFN_NONE, OWNER_HELD, pfns);

	for (size_t i = 0; i < count; i++)
		touch(pfns[i]);
}

/* What cannot be had is taken out of the balloon. */
static void alloc_runs(uint8_t argument)
{
	unsigned order = argument % 11;
	pfn_t pfn;

	for (unsigned n = argument / 11 + 1; n > 0; n--)
		if (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			touch(pfn);
}

static void step(uint8_t argument)
{
	const char *why;

	/* A person tries what was given up, or what is fine. */
	if (argument >= 0xf8)
		balloon_retry(balloons, &why);
	for (unsigned n = argument % 32 + 1; n > 0; n--)
		balloon_step();
}

static void do_op(enum op op, uint8_t argument)
{
	switch (op) {
	case OP_STEP:
		step(argument);
		break;
	case OP_TARGET:
		set_target(argument);
		break;
	case OP_COMPLETE:
		sim_balloon_complete(&world, argument + 1u);
		break;
	case OP_COMPLETION:
		set_completion(argument);
		break;
	case OP_HINT:
		set_hint(argument);
		break;
	case OP_STATS:
		ask_stats();
		break;
	case OP_NEED_RESET:
		sim_virtio_need_reset(&world.virtio);
		break;
	case OP_GONE:
		go_or_come_back();
		break;
	case OP_REPLUG:
		replug();
		break;
	case OP_ALLOC:
		alloc(argument);
		break;
	case OP_ALLOC_RUN:
		alloc_runs(argument);
		break;
	case OP_FREE:
		frame_free_owned(OWNER_HELD, argument * 16u + 1);
		break;
	case OP_STRATEGY:
		balloon_set_strategy((enum balloon_strategy)(argument % 4));
		break;
	case OP_FLOOR:
		balloon_set_floor(argument * 32u);
		break;
	case OP_BAD_ID:
		use_bad_id(argument);
		break;
	case OP_LIE:
		tell_lie(argument);
		break;
	default:
		sim_time_advance((uint64_t)argument * argument * NS_PER_MS / 16);
		break;
	}
}

/* ---- What must hold ---- */

static void check(enum op op, uint64_t began)
{
	char verdict[LEDGER_VERDICT_MAX];
	pfn_t end = FIRST_FRAME + ledger_managed();

	/* It may keep for ever what it had. */
	stuck = stuck || world.virtio.slow_reset == SIM_VIRTIO_FOR_EVER;
	fuzz_require(ledger_audit(verdict), "after operation %d: %s", op, verdict);
	fuzz_require(ledger_refused() == 0, "after operation %d: a change named a wrong owner", op);
	fuzz_require(op == OP_TIME || clock_awake_ns() - began < PATIENCE_NS,
		     "operation %d took %u simulated seconds", op,
		     (unsigned)((clock_awake_ns() - began) / NS_PER_S));
	fuzz_require(!world_is_broken() || !machine_is_seen() || world_warnings() > 0,
		     "the device was given up without a word");
	for (pfn_t pfn = sim_ram_next_lent(0); pfn < end; pfn = sim_ram_next_lent(pfn + 1))
		fuzz_require(frame_owner(pfn) != OWNER_FREE,
			     "after operation %d: frame %#llx is free, and the device may own it",
			     op, (unsigned long long)pfn);
}

static void (*own_rightly)(pfn_t pfn, uint64_t frames, bool device);

/*
 * Requests that the device has answered, and whose answers the driver has not
 * seen when it resets the device, did not happen: the device forgets them, too.
 */
static void own(pfn_t pfn, uint64_t frames, bool device)
{
	pfn_t end = FIRST_FRAME + ledger_managed();

	if (frames == UINT64_MAX && world.virtio.slow_reset != SIM_VIRTIO_FOR_EVER)
		for (pfn_t p = sim_balloon_next(&world, FIRST_FRAME, end); p < end;
		     p = sim_balloon_next(&world, p + 1, end))
			if (frame_owner(p) == OWNER_IN_FLIGHT)
				sim_bits_remove(world.set, p);
	own_rightly(pfn, frames, device);
}

static void begin(uint8_t kind)
{
	blind = kind & BLIND;
	ring_lied = set_up_lied = forgot = stuck = false;
	to_end = NULL;
	srand(1); /* for lies of random bytes */
	world_begin(&rings[kind % (BLIND - 1u) % ring_count], blind);
	own_rightly = world.own;
	world.own = own;
	plugged = world_bring_to(STEP_IDLE);
}

static void end(void)
{
	sim_time_on_wait = NULL;
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	balloon_set_floor(0);
	balloon_set_strategy(BALLOON_AUTO);
	if (to_end)
		to_end->end(&world);
	world_go_on(STEP_IDLE); /* what is wrong has its time to be noticed */
	/*
	 * What was written over rings is found only when they are used again; and what a
	 * driver was told in its set-up, as which queue is which, is true no more.
	 */
	if ((forgot || ring_lied || set_up_lied) && plugged)
		replug();
	world_behave();
	/* What a device keeps that would not be reset can be too much to go on with. */
	if (stuck && ledger_count(OWNER_FREE) < ENOUGH) {
		world_stop();
		return;
	}
	world_check_recovery();
	world_end();
	fuzz_require(stuck || ledger_count(OWNER_FREE) == ledger_managed(), "%u frames are lost",
		     (unsigned)(ledger_managed() - ledger_count(OWNER_FREE)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint64_t began;
	enum op op;

	begin(fuzz_byte(&in));
	for (unsigned n = 0; n < OPS_MAX && fuzz_left(&in) > 0; n++) {
		op = (enum op)(fuzz_byte(&in) % OP_COUNT);
		began = clock_awake_ns();
		do_op(op, fuzz_byte(&in));
		check(op, began);
	}
	end();
	return 0;
}
