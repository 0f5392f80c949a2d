/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio-mem device as a stream of operations: each byte, with a byte of argument, is
 * something that the host, the device, the guest's memory or time does, lies among them.
 * After each the ledger is audited, and an honest device has seen no block mapped that is
 * not plugged, nor the other way round; memory that is not mapped cannot be touched. At the
 * end the device behaves: what is requested is reached, or another one in its place is used.
 *
 * A stream is of two kinds. In a blind one the device says what is not so of its blocks, so
 * that nobody knows which of them are there.
 */
#include "tests/fuzz/fuzz.h"

#include "arch/clock.h"
#include "tests/unit/drivers/mem/virtio_mem_lies.h"

#define OPS_MAX 120
#define BLIND 0x80
#define PACKED 0x40

/* No wait of the driver's is longer than 2 s without an answer, but an audit has many. */
#define PATIENCE_NS (120 * NS_PER_S)

enum op {
	OP_STEP,
	OP_REQUEST,
	OP_COMPLETE,
	OP_COMPLETION, /* at once, on demand, never; while somebody waits or not */
	OP_TIME,
	OP_NEED_RESET,
	OP_REPLUG, /* out, or in */
	OP_HOLD,
	OP_RELEASE,
	OP_BALLOON,
	OP_DEFLATE,
	OP_FLOOR,
	OP_BUSY,
	OP_SET, /* it plugs or unplugs by itself */
	OP_ANSWER,
	OP_LIE,
	OP_COUNT,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fake_boot_blocks = 2;
	return region_fixture_reserve(NULL);
}

static bool blind, present;

/* ---- The device ---- */

static void make(uint8_t kind)
{
	static const uint64_t sizes[] = { BLOCK_SIZE, FRAME_SIZE, 4 * BLOCK_SIZE, 64 * KIB };

	make_sim(0);
	sim_mem_fini(&sim);
	sim_mem_init(&sim, MEM_OFFERED, pfn_to_paddr(REGION), REGION_BLOCKS * BLOCK_SIZE,
		     sizes[kind % ARRAY_SIZE(sizes)]);
	if (kind & PACKED)
		sim.virtio.features |= VIRTIO_BIT(VIRTIO_F_RING_PACKED) |
				       VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |
				       VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC);
	sim.blind = blind;
}

static void complete_one(void)
{
	sim_mem_complete(&sim, 1);
}

static void replug(uint8_t argument)
{
	if (present) {
		pull(0, argument & 1);
	} else {
		make(argument);
		virtio_register(&sim.virtio.device);
	}
	present = !present;
}

static void set_completion(uint8_t argument)
{
	sim.completion = (enum sim_mem_completion)(argument % 3);
	sim_time_on_wait = argument & 0x80 ? complete_one : NULL;
}

/* An honest one plugs, but takes nothing that the guest has. */
static void set_some(uint8_t argument)
{
	paddr_t at = sim.addr + (uint64_t)argument * 2 * BLOCK_SIZE;

	if (blind || !sim_mem_has(&sim, at, sim.block_size))
		sim_mem_set(&sim, at, max_u64(sim.block_size, BLOCK_SIZE / 4),
			    !blind || (argument & 1));
}

static void tell_lie(uint8_t argument)
{
	const struct mem_lie *lie = &mem_lies[argument % mem_lie_count];
	bool packed = sim.virtio.features & VIRTIO_BIT(VIRTIO_F_RING_PACKED);

	if (!present || (lie->blind && !blind) || (lie->split_only && packed))
		return;
	/* Those of the ring need one. */
	if (lie - mem_lies < 5 && !sim.virtio.queue[0].enabled)
		return;
	lie->tell();
}

/* ---- The guest ---- */

static bool are_free(pfn_t pfn, size_t frames)
{
	while (frames > 0 && frame_owner(pfn + frames - 1) == OWNER_FREE)
		frames--;
	return frames == 0;
}

/* Takes some frames of every so many blocks, where they are free. */
static void take_some(uint8_t argument, enum owner owner, size_t frames)
{
	size_t step = argument % 7 + 1;

	for (size_t i = argument / 7; i < REGION_BLOCKS; i += step)
		if (are_free(REGION + i * B, frames))
			mem_fixture_take(REGION + i * B, frames, owner);
}

static void step(uint8_t argument)
{
	for (unsigned n = argument % 32 + 1; n > 0; n--)
		virtio_mem_step(mem);
}

static void do_op(enum op op, uint8_t argument)
{
	switch (op) {
	case OP_STEP:
		step(argument);
		break;
	case OP_REQUEST:
		sim_mem_request_size(&sim, (uint64_t)argument * 2 * BLOCK_SIZE);
		break;
	case OP_COMPLETE:
		sim_mem_complete(&sim, argument + 1u);
		break;
	case OP_COMPLETION:
		set_completion(argument);
		break;
	case OP_NEED_RESET:
		sim_virtio_need_reset(&sim.virtio);
		break;
	case OP_REPLUG:
		replug(argument);
		break;
	case OP_HOLD:
		take_some(argument, OWNER_HELD, 1);
		break;
	case OP_RELEASE:
		frame_free_owned(OWNER_HELD, argument * 4u + 1);
		break;
	case OP_BALLOON:
		take_some(argument, OWNER_BALLOON, 8);
		break;
	case OP_DEFLATE:
		frame_free_owned(OWNER_BALLOON, argument * 16u + 1);
		break;
	case OP_FLOOR:
		fake_balloon.floor = argument * B;
		break;
	case OP_BUSY:
		sim.busy = argument & 1;
		sim.busy_with_state = argument & 2;
		break;
	case OP_SET:
		set_some(argument);
		break;
	case OP_ANSWER:
		if (blind)
			sim_mem_answer(&sim, argument % 4, argument / 4 % 4);
		break;
	case OP_LIE:
		tell_lie(argument);
		break;
	default:
		wait_ns((uint64_t)argument * argument * NS_PER_MS / 16);
		break;
	}
}

/* ---- What must hold ---- */

static void check(enum op op, uint64_t began)
{
	char verdict[LEDGER_VERDICT_MAX];

	fuzz_require(ledger_audit(verdict), "after operation %d: %s", op, verdict);
	fuzz_require(op == OP_TIME || clock_awake_ns() - began < PATIENCE_NS,
		     "operation %d took %u simulated seconds", op,
		     (unsigned)((clock_awake_ns() - began) / NS_PER_S));
	fuzz_require(blind || !sim.virtio.violation, "after operation %d: the driver: %s", op,
		     sim.virtio.violation);
	fuzz_require(!present || mem->running || sim_log_warnings > 0,
		     "the device was given up without a word");
}

static void begin(uint8_t kind)
{
	void *no_state = NULL;

	blind = kind & BLIND;
	virtio_mem_set_up(&no_state);
	make(kind);
	boot_with(1);
	settle();
	present = true;
}

static void end_with_another(void)
{
	if (present)
		pull(0, true);
	/* What is in use for ever keeps the place. */
	if (!mem_sources()) {
		blind = false;
		make(0);
		virtio_register(&sim.virtio.device);
		request(12);
		expect_plugged(12);
	}
}

static void end(void)
{
	void *no_state = NULL;

	sim_time_on_wait = NULL;
	frame_free_owned(OWNER_HELD, UINT64_MAX);
	frame_free_owned(OWNER_BALLOON, UINT64_MAX);
	fake_balloon.floor = 0;
	mem_lies_end();
	wait_ns(10 * NS_PER_S); /* what is wrong has its time to be noticed */
	if (!present || blind || !mem->running) {
		end_with_another();
	} else {
		sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
		wait_ns(20 * NS_PER_S);
		expect_plugged(12);
	}
	virtio_mem_tear_down(&no_state);
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
