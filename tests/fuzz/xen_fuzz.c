/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on Xen as a stream of what Xen, xenstored, the toolstack, time and the guest's memory
 * may do, lies of xen_lies.c among them; some of it in mid-call. Throughout, the ledger is whole,
 * no frame is free that Xen has, each wait ends in time, the target is one that was wanted, and
 * of each kind of line there is one a second. At the end all behave: a target is reached, and all
 * frames come back.
 *
 * A stream is of two kinds. In a blind one Xen says of frames what is not so, and only the guest's
 * own books are looked at.
 */
#include <errno.h>

#include "drivers/balloon/balloon_state_internal.h"
#include "tests/fuzz/fuzz.h"

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "mm/ledger.h"
#include "tests/sim/sim_ram.h"
#include "tests/unit/drivers/balloon/port/xen_lies.h"

#define INPUT_MAX 1024
#define BLIND 0x80
#define ON_DEMAND 0x40
#define GIVEN 3000
#define PAUSES_NS (130 * NS_PER_S)

/* A daemon gets its turn in time, however often the guest is stopped. */
#define JUMPS_MAX 20

/* In mid-call something happens at every so many frames. */
#define CALL_FRAMES 61

enum op {
	OP_IDLE,
	OP_STEPS, /* of xenstored, up to 63 */
	OP_WANT,
	OP_TEXT, /* as the target */
	OP_LIE,
	OP_ENDS_AFTER,
	OP_REFUSE,
	OP_STUBBORN,
	OP_MEMORY,
	OP_BLOCKS,
	OP_PACE,
	OP_STALL, /* xenstored does something once in up to 25 s, until its pace changes */
	OP_FIRE,
	OP_JUMP,
	OP_IN_CALL,
	OP_BEHAVE,
	OP_ALLOC, /* by the guest, from here on */
	OP_FREE,
	OP_RETRY,
	OPS,
};

#define FIRST_OF_GUEST OP_ALLOC

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct fuzz_input in;
static bool blind, store_lied, started;
static int start_err;
static unsigned jumps;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_require(xen_world_reserve() == 0, "the simulated RAM's addresses are taken");
	return 0;
}

/* ---- The other side ---- */

static void do_op(enum op op);

static void do_in_call(uint64_t frames)
{
	if (frames % CALL_FRAMES == 0 && fuzz_left(&in) > 0)
		do_op(fuzz_byte(&in) % FIRST_OF_GUEST);
}

static void write_text(void)
{
	char text[80];
	size_t length = fuzz_byte(&in) % sizeof(text);

	for (size_t i = 0; i < length; i++)
		text[i] = (char)fuzz_byte(&in);
	sim_xenstore_set_bytes(&xen_world.store, "memory/target", text, length);
	/* Perhaps it is one. */
	xen_world.any_target = true;
}

/* What changes what the guest began with is told when it has begun. */
static void tell_lie(size_t row, unsigned variant)
{
	const struct xen_lie *lie = &xen_lies[row % xen_lie_count];

	if ((lie->blind && !blind) || (lie->only != XEN_ANY_STEP && !started) ||
	    lie->only == 1u << XEN_STEP_START)
		return;
	lie->tell(lie->variants ? variant % lie->variants : 0);
	/* Only lies about the store's own rules are not to be seen through. */
	store_lied = store_lied || (!lie->must_go_on && !lie->must_break);
}

static void change_xen(enum op op)
{
	uint8_t byte = fuzz_byte(&in);
	bool way = byte & 1;

	if (op == OP_ENDS_AFTER)
		sim_xen.faults.extents_most[way] = byte >> 1;
	else if (op == OP_REFUSE)
		sim_xen.faults.refuse_every[way] = byte >> 1;
	else if (op == OP_STUBBORN)
		sim_xen.faults.stubborn[way] = sim_xen.first + fuzz_number(&in, 2);
	else if (op == OP_MEMORY)
		sim_xen.host_free = byte * 40u;
	else
		sim_xen.faults.no_blocks[way] = byte & 2;
}

/* Slow in one of two ways. */
static void change_pace(void)
{
	uint8_t byte = fuzz_byte(&in);
	bool pauses = byte & 8;

	xen_world.store.piece = !pauses && byte & 1 ? byte >> 1 : 0;
	xen_world.store.events_first = byte >> 5;
	xen_world.no_events = byte & 4;
	xen_world.pause_ns = pauses ? (byte >> 4) * 5 * NS_PER_MS : 0;
}

static void do_op(enum op op)
{
	switch (op) {
	case OP_STEPS:
		for (unsigned n = fuzz_byte(&in) % 64; n > 0; n--)
			sim_xenstore_step(&xen_world.store);
		break;
	case OP_WANT:
		xen_world_want(fuzz_number(&in, 2) % XEN_WORLD_FRAMES);
		break;
	case OP_TEXT:
		write_text();
		break;
	case OP_LIE: {
		uint8_t row = fuzz_byte(&in);

		tell_lie(row, fuzz_byte(&in));
		break;
	}
	case OP_PACE:
		change_pace();
		break;
	case OP_STALL:
		xen_world.pause_ns = fuzz_byte(&in) * NS_PER_S / 10;
		break;
	case OP_FIRE:
		sim_xenstore_fire_all(&xen_world.store);
		break;
	case OP_JUMP:
		if (jumps++ < JUMPS_MAX)
			sim_tasks_jump(fuzz_byte(&in) * NS_PER_S / 10);
		break;
	case OP_IN_CALL:
		xen_world.on_frame = do_in_call;
		break;
	case OP_BEHAVE:
		xen_world_behave();
		break;
	default:
		if (op != OP_IDLE)
			change_xen(op);
		break;
	}
}

/* ---- The guest ---- */

static void alloc(uint8_t argument)
{
	pfn_t pfns[256];
	size_t count = frame_alloc_bulk(argument + 1u, PFN_NONE, OWNER_HELD, pfns);

	for (size_t i = 0; i < count; i++)
		*(volatile char *)(uintptr_t)pfn_to_paddr(pfns[i]) = 1;
}

static bool is_broken(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return status.broken;
}

/* A person is not that quick: what is wrong again is said again. */
static void retry(void)
{
	const char *why;

	if (is_broken())
		xen_world_wait(NS_PER_S);
	balloon_retry(balloons, &why);
}

static void do_op_of_guest(enum op op)
{
	if (op == OP_ALLOC)
		alloc(fuzz_byte(&in));
	else if (op == OP_FREE)
		frame_free_owned(OWNER_HELD, fuzz_byte(&in) * 16u);
	else
		retry();
}

static void check(void)
{
	const char *mistake = xen_world_mistake();

	fuzz_require(!mistake, "%s", mistake);
}

static void reach(uint64_t frames)
{
	uint64_t begin = clock_ns();

	xen_world_want(frames);
	while (ledger_count(OWNER_BALLOON) != frames && clock_ns() - begin < PAUSES_NS)
		xen_world_wait(NS_PER_S);
	fuzz_require(blind || ledger_count(OWNER_BALLOON) == frames,
		     "the target of %u is not reached, but %u", (unsigned)frames,
		     (unsigned)ledger_count(OWNER_BALLOON));
	check();
}

static void recover(void)
{
	const char *why;

	xen_world_behave();
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	xen_world_wait(4 * NS_PER_S);
	fuzz_require(store_lied || !xenstore_is_silent(), "silent for ever");
	if (start_err == -ETIMEDOUT && !store_lied)
		fuzz_require(xen_world_start_balloon() != -ETIMEDOUT, "no balloon ever");
	if (!xen_world.has_balloon)
		return;
	if (is_broken())
		fuzz_require(balloon_retry(balloons, &why) == 0, "no retry: %s", why);
	if (xenstore_fault() || store_lied)
		return;
	reach(2 * BLOCK_FRAMES + 77);
	reach(0);
}

static void live(void *arg)
{
	(void)arg;
	start_err = xen_world_start();
	started = true;
	while (fuzz_left(&in) > 0) {
		do_op_of_guest(FIRST_OF_GUEST + fuzz_byte(&in) % (OPS - FIRST_OF_GUEST));
		xen_world_wait(10 * NS_PER_MS);
		check();
	}
	fuzz_require(store_lied || !xenstore_fault(), "given up: %s", xenstore_fault());
	recover();
	sim_xen_limit(XEN_WORLD_FRAMES);
	balloon_detach(balloons->port);
	check();
	fuzz_require(blind || ledger_count(OWNER_FREE) == XEN_WORLD_FRAMES, "frames are lost: %u",
		     (unsigned)ledger_count(OWNER_FREE));
}

static bool world(void)
{
	if (fuzz_left(&in) == 0)
		return xen_world_turn();
	do_op(fuzz_byte(&in) % FIRST_OF_GUEST);
	return xen_world_turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind;

	in = (struct fuzz_input){ data, data + (size < INPUT_MAX ? size : INPUT_MAX) };
	kind = fuzz_byte(&in);
	blind = kind & BLIND;
	store_lied = started = false;
	jumps = 0;
	xen_world_begin();
	xen_world.blind = blind;
	xen_world.slow = true;
	if (kind & ON_DEMAND) {
		xen_world_want(GIVEN);
		sim_xen_back_only(XEN_WORLD_FRAMES - GIVEN);
	}
	sim_tasks_world = world;
	sim_tasks_run(live, NULL);
	fuzz_require(xen_world_end(), "a task that never ends");
	return 0;
}
