/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on Hyper-V as a stream of what the host, a person at it, time and the guest's memory
 * may do, lies of hyperv_lies.c and messages and packets of any bytes among them. Throughout, the
 * ledger is whole, no frame is free that the host has, and of each kind of line there is one a
 * second. At the end the host behaves, and all tasks end in time.
 */
#include <errno.h>

#include "drivers/balloon/balloon_state_internal.h"
#include "tests/fuzz/fuzz.h"

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/unit/drivers/balloon/port/hyperv_lies.h"

#define INPUT_MAX 512

enum op {
	OP_IDLE,
	OP_WANT,
	OP_ADD,
	OP_ORDER,
	OP_LIE,
	OP_SAY,
	OP_CHANNEL,
	OP_BEHAVE,
	OP_ALLOC,
	OP_FREE,
	OP_FLOOR,
	OP_RETRY,
	OP_JUMP,
	OPS,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct fuzz_input in;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_require(hyperv_world_reserve() == 0, "the simulated RAM's addresses are taken");
	return 0;
}

/* Mostly of a type that there is, and for the channel that there is. */
static void say(void)
{
	struct hyperv_push *push = &hyperv_control()->push;
	uint8_t kind = fuzz_byte(&in);
	size_t length = fuzz_byte(&in) % 240;

	memset(push->bytes, 0, sizeof(push->bytes));
	for (size_t i = kind & 1 ? 2 : 8; i < length; i++)
		push->bytes[i] = fuzz_byte(&in);
	push->bytes[0] = kind >> 1;
	push->packet = kind & 1;
	push->length = (uint32_t)length;
	push->number++;
}

static void allocate(void)
{
	pfn_t pfns[64];
	size_t count = fuzz_byte(&in) % 65;

	frame_alloc_bulk(count, PFN_NONE, OWNER_HELD, pfns);
}

static void retry(void)
{
	const char *why;

	balloon_retry(balloons, &why);
}

static void do_op(enum op op)
{
	struct hyperv_wish *wish = &hyperv_control()->wish;

	switch (op) {
	case OP_IDLE:
		hyperv_world_wait(fuzz_byte(&in) * NS_PER_MS * 10);
		break;
	case OP_WANT:
		hv_control.common.target = fuzz_number(&in, 2) % SIM_RAM_FRAMES;
		break;
	case OP_ADD:
		wish->added = (fuzz_byte(&in) % 9) * BLOCK_FRAMES;
		break;
	case OP_ORDER:
		wish->order = fuzz_byte(&in) % 4;
		wish->ranges_most = fuzz_byte(&in);
		wish->ask_most = fuzz_byte(&in);
		break;
	case OP_LIE: {
		const struct hyperv_lie_row *row = &hyperv_lies[fuzz_byte(&in) % hyperv_lie_count];

		row->tell(fuzz_byte(&in) % row->variants);
		break;
	}
	case OP_SAY:
		say();
		break;
	case OP_CHANNEL:
		wish->no_dm ^= 1;
		break;
	case OP_BEHAVE:
		hyperv_world_behave();
		break;
	case OP_ALLOC:
		allocate();
		break;
	case OP_FREE:
		frame_free_owned(OWNER_HELD, fuzz_byte(&in) * 16u);
		break;
	case OP_FLOOR:
		balloon_set_floor(fuzz_number(&in, 2) % 4096);
		break;
	case OP_RETRY:
		retry();
		break;
	default:
		sim_tasks_jump(fuzz_byte(&in) * NS_PER_S / 16);
		break;
	}
}

static void expect_right(void)
{
	const char *mistake = hyperv_world_mistake();

	fuzz_require(!mistake, "%s", mistake);
}

static void live(void *arg)
{
	(void)arg;
	/* The first bytes are said before the guest looks. */
	if (fuzz_byte(&in) & 1)
		do_op(OP_LIE);
	hyperv_world_start();
	hyperv_world_wait(50 * NS_PER_MS);
	while (fuzz_left(&in) > 0)
		do_op(fuzz_byte(&in) % OPS);
	hyperv_world_wait(100 * NS_PER_MS);
	expect_right();
	hyperv_world_behave();
	hyperv_world_wait(4 * NS_PER_S);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	expect_right();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *mistake;

	if (size > INPUT_MAX)
		return 0;
	in = (struct fuzz_input){ data, data + size };
	hyperv_world_begin();
	/* Whatever is said may break the host's own books: the guest's are looked at. */
	hyperv_world.blind = true;
	sim_tasks_run(live, NULL);
	mistake = hyperv_world_end();
	fuzz_require(!mistake, "after the end: %s", mistake);
	return 0;
}
