/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on VMware as a stream of what the host, time and the guest's memory may do, lies
 * among them; some of it between two commands. Throughout, the ledger is whole, no frame is free
 * that the host has, each wait ends in time, and of each kind of line there is one a second. At the
 * end the host behaves: a target is reached, and all frames come back.
 *
 * A stream is of two kinds. In a blind one the host says of frames what is not so, and only the
 * guest's own books are looked at.
 */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/fuzz/fuzz.h"

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/port/vmware_abi.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"
#include "tests/unit/drivers/balloon/port/vmware_world.h"

#define INPUT_MAX 1024
#define BLIND 0x80
#define OLD 0x40
#define PAUSES_S 130
#define RESETS_APART_NS (10 * NS_PER_S) /* as for balloon_recover() */

/* Between commands something happens at every so many of them. */
#define COMMANDS_APART 3

enum op {
	OP_IDLE,
	OP_WANT,
	OP_WANT_WORD, /* 64 bits of anything */
	OP_LIE,
	OP_ANSWER, /* a lie about a command or a frame, with any status */
	OP_HONEST,
	OP_FORGET,
	OP_PIN,
	OP_BETWEEN,
	OP_JUMP,
	/* The guest's own: */
	OP_LIVE,
	OP_ALLOC,
	OP_FREE,
	OP_NEED,
	OP_RETRY,
	OP_STRATEGY,
	OPS,
};

#define FIRST_OF_GUEST OP_LIVE

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct fuzz_input in;
static bool blind;
static unsigned commands;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_require(vmware_world_reserve() == 0, "the simulated RAM's addresses are taken");
	return 0;
}

/* ---- The other side ---- */

/* Which of these lies mislead the guest only to the safe side, so that the host's books count. */
static void choose_safe(struct vmware_lie *lie)
{
	static const uint32_t kinds[] = { VMWARE_LIE_REFUSES,	   VMWARE_LIE_FORGETS,
					  VMWARE_LIE_FORGETS_LATE, VMWARE_LIE_TARGET,
					  VMWARE_LIE_RESULT,	   VMWARE_LIE_ONE_REFUSED,
					  VMWARE_LIE_ADDRESS };
	static const uint64_t statuses[] = { VMWARE_CMD_INVALID,
					     VMWARE_PPN_INVALID,
					     VMWARE_PPN_PINNED,
					     VMWARE_PPN_NOTNEEDED,
					     VMWARE_BUSY,
					     VMWARE_FAILURE,
					     9,
					     30,
					     0x4242 };

	lie->kind = kinds[lie->kind % ARRAY_SIZE(kinds)];
	if (lie->kind == VMWARE_LIE_REFUSES || lie->kind == VMWARE_LIE_ONE_REFUSED)
		lie->value = statuses[lie->value % ARRAY_SIZE(statuses)];
	if (lie->kind == VMWARE_LIE_RESULT)
		lie->commands = ~COMMAND_BIT(START);
	if (lie->kind == VMWARE_LIE_ADDRESS)
		lie->value &= ~UINT64_C(0xfff);
	/* A frame of which nobody knows is not offered again, but one that did not move may be. */
	sim_vmware()->is_lenient = true;
}

static void tell_lie(void)
{
	struct vmware_lie lie = {
		.kind = fuzz_byte(&in),
		.commands = (uint32_t)fuzz_number(&in, 2),
		.after = fuzz_byte(&in),
		.every = fuzz_byte(&in) % 32,
		.times = fuzz_byte(&in),
	};

	lie.value = fuzz_number(&in, 1 + fuzz_byte(&in) % 8);
	if (blind)
		lie.kind %= VMWARE_LIES;
	else
		choose_safe(&lie);
	sim_vmware_lie(&lie);
}

static void answer_with_anything(void)
{
	struct vmware_lie lie = { .kind = VMWARE_LIE_REFUSES, .every = fuzz_byte(&in) % 8 };
	uint8_t byte = fuzz_byte(&in);

	lie.value = blind ? byte % 32 : byte;
	if (byte & 0x40)
		lie.kind = VMWARE_LIE_ONE_REFUSED;
	if (!blind) {
		lie.kind = byte & 0x40 ? 5 : 0;
		choose_safe(&lie);
	}
	sim_vmware_lie(&lie);
}

static void do_op(enum op op);

static void do_between(uint32_t command)
{
	(void)command;
	if (++commands % COMMANDS_APART == 0 && fuzz_left(&in) > 0)
		do_op(fuzz_byte(&in) % FIRST_OF_GUEST);
}

static void do_op(enum op op)
{
	switch (op) {
	case OP_WANT:
		sim_vmware_want(fuzz_number(&in, 2) % (VMWARE_WORLD_FRAMES + 1));
		break;
	case OP_WANT_WORD:
		sim_vmware_want(fuzz_number(&in, 8));
		break;
	case OP_LIE:
		tell_lie();
		break;
	case OP_ANSWER:
		answer_with_anything();
		break;
	case OP_HONEST:
		sim_vmware_behave();
		break;
	case OP_FORGET:
		sim_vmware_forget();
		break;
	case OP_PIN:
		sim_vmware()->pinned_first = SIM_RAM_START / FRAME_SIZE + fuzz_number(&in, 2);
		sim_vmware()->pinned_count = fuzz_byte(&in);
		break;
	case OP_BETWEEN:
		sim_vmware_on_command = do_between;
		break;
	case OP_JUMP:
		sim_time_jump(fuzz_byte(&in) * (int64_t)NS_PER_S / 10);
		break;
	default:
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

/* A person is not that quick: what is wrong again is said again. */
static void retry(void)
{
	const char *why;

	sim_time_advance(NS_PER_S);
	balloon_retry(balloons, &why);
}

static void do_op_of_guest(enum op op)
{
	switch (op) {
	case OP_LIVE:
		vmware_world_live((1 + fuzz_byte(&in)) * 10 * NS_PER_MS);
		break;
	case OP_ALLOC:
		alloc(fuzz_byte(&in));
		break;
	case OP_FREE:
		frame_free_owned(OWNER_HELD, fuzz_byte(&in) * 16u);
		break;
	case OP_NEED:
		vmware_world_need_memory();
		break;
	case OP_RETRY:
		retry();
		break;
	case OP_STRATEGY:
		balloon_set_strategy(fuzz_byte(&in) & 1 ? BALLOON_PORTABLE : BALLOON_AUTO);
		break;
	default:
		break;
	}
}

/* ---- A life ---- */

static void check(void)
{
	const char *mistake = vmware_world_mistake();

	fuzz_require(!mistake, "%s", mistake);
}

static void reach(uint64_t frames)
{
	sim_vmware_want(frames);
	for (int s = 0; s < PAUSES_S && ledger_count(OWNER_BALLOON) != frames; s++)
		vmware_world_live(NS_PER_S);
	fuzz_require(ledger_count(OWNER_BALLOON) == frames,
		     "the target of %u is not reached, but %u", (unsigned)frames,
		     (unsigned)ledger_count(OWNER_BALLOON));
	check();
}

static void recover(void)
{
	const char *why;

	vmware_world_behave();
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	/* What it has noticed it acts on now; and the next RESET is no further one in a row. */
	vmware_world_live(RESETS_APART_NS + NS_PER_S);
	if (!vmware_world_is_well())
		fuzz_require(balloon_retry(balloons, &why) == 0, "no retry: %s", why);
	/* What it was misled about it learns by beginning anew. */
	sim_vmware_forget();
	reach(2 * BLOCK_FRAMES + 77);
	reach(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind;
	bool has_balloon;

	in = (struct fuzz_input){ data, data + (size < INPUT_MAX ? size : INPUT_MAX) };
	kind = fuzz_byte(&in);
	blind = kind & BLIND;
	commands = 0;
	vmware_world_begin((kind & 0x1fu) << 1, kind & OLD);
	if (blind)
		vmware_world_be_blind();
	has_balloon = vmware_world_start();
	while (has_balloon && fuzz_left(&in) > 0) {
		do_op(fuzz_byte(&in) % OPS);
		do_op_of_guest(FIRST_OF_GUEST + fuzz_byte(&in) % (OPS - FIRST_OF_GUEST));
		check();
	}
	if (has_balloon) {
		recover();
		fuzz_require(vmware_world_end(), "frames are lost: %u are free",
			     (unsigned)ledger_count(OWNER_FREE));
		check();
	}
	vmware_world_stop();
	return 0;
}
