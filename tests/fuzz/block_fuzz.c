/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk as a stream of operations: each byte, with a byte of argument, is something that the
 * guest, the disk, the host or time does, lies among them. Each runs in a task, among those of the
 * driver. After each of them no more is under way than there are slots, and a disk was not
 * given up without a word. At the end all requests have ended, and an honest disk in its place
 * reads what is on it.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "arch/clock.h"
#include "tests/unit/drivers/block/block_lies.h"

#define OPS_MAX 120
#define REQUESTS 24

enum op {
	OP_READ,
	OP_WRITE,
	OP_FLUSH,
	OP_POLL,
	OP_WAIT,
	OP_WAIT_HERE,
	OP_TIME,
	OP_COMPLETE,
	OP_COMPLETION,
	OP_RESIZE,
	OP_REPLUG,
	OP_SLOW_RESET,
	OP_PUSH, /* any id, any length */
	OP_CONFIG,
	OP_LIE,
	OP_COUNT,
};

static const uint64_t kinds[] = {
	SIM_BLK_OFFERED,
	SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC),
	SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_F_RING_PACKED) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
	SIM_BLK_OFFERED & ~VIRTIO_BIT(VIRTIO_F_VERSION_1),
};

static struct block_request request[REQUESTS];
static bool sent[REQUESTS];
static pfn_t data;
static struct block_disk *disk; /* claimed; NULL: it was given back */
static uint8_t kind;

static void plug_in(void)
{
	make_sim(0, kinds[kind % ARRAY_SIZE(kinds)], SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, kind / 4 % 16);
	if (kind & 0x40)
		sim.virtio.queue[0].size_max = 8;
	plug(0);
	disk = block_disk(0);
	if (disk && block_claim(disk, "fuzz", true, on_gone))
		disk = NULL;
}

static void pull_out(bool is_gone)
{
	pull(0, is_gone);
	if (disk)
		block_release(disk);
	disk = NULL;
	block_lies_end();
	sim.virtio.slow_reset = 0;
}

static void submit(bool write, uint8_t argument)
{
	for (unsigned i = 0; i < REQUESTS; i++) {
		if (sent[i] && !request[i].done)
			continue;
		request[i] = make_request(write, argument, argument % 32 + 1u, data,
					  argument & 0x80 ? 2 : 1);
		sent[i] = block_submit(disk, &request[i]) == 0;
		return;
	}
}

static struct block_request *oldest(void)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		if (sent[i] && !request[i].done)
			return &request[i];
	return NULL;
}

static void replug(uint8_t argument)
{
	if (is_plugged(0))
		pull_out(argument & 1);
	else
		plug_in();
}

static void tell_lie(uint8_t argument)
{
	const struct block_lie *lie = &block_lies[argument % block_lie_count];

	if (sim.virtio.queue[0].enabled &&
	    !(lie->split_only && (sim.virtio.features & VIRTIO_BIT(VIRTIO_F_RING_PACKED))))
		lie->tell();
}

/* Two seconds of looks need not be millions of them. */
static void wait_here(struct block_request *waited)
{
	sim_tasks_step_ns = 200 * NS_PER_US;
	block_wait_here(disk, waited);
	sim_tasks_step_ns = NS_PER_US;
}

/* What the guest does with a disk that it has. */
static void use(enum op op, uint8_t argument)
{
	struct block_request *waited = oldest();

	if (op == OP_READ || op == OP_WRITE)
		submit(op == OP_WRITE, argument);
	else if (op == OP_FLUSH)
		block_flush(disk);
	else if (op == OP_POLL)
		block_poll(disk);
	else if (waited && op == OP_WAIT)
		block_wait(disk, waited);
	else if (waited && op == OP_WAIT_HERE)
		wait_here(waited);
}

static void do_op(enum op op, uint8_t argument)
{
	switch (op) {
	case OP_TIME:
		let_pass((uint64_t)argument * argument * NS_PER_MS / 8);
		break;
	case OP_COMPLETE:
		sim_blk_complete(&sim, argument % 8 + 1u);
		break;
	case OP_COMPLETION:
		sim.completion = (enum sim_blk_completion)(argument % 5);
		sim.pace_ns = argument * 10 * NS_PER_MS;
		break;
	case OP_RESIZE:
		sim_blk_resize(&sim, argument * UINT64_C(8) * (argument & 1 ? 1 : 3));
		break;
	case OP_REPLUG:
		replug(argument);
		break;
	case OP_SLOW_RESET:
		sim.virtio.slow_reset = argument == 255 ? SIM_VIRTIO_FOR_EVER : argument;
		break;
	case OP_PUSH:
		if (sim.virtio.queue[0].enabled)
			sim_virtio_push(&sim.virtio, 0, argument % 16, argument * 32u);
		break;
	case OP_CONFIG:
		sim.virtio.config[argument % SIM_BLK_CONFIG_SIZE] ^= argument;
		sim.virtio.generation++;
		break;
	case OP_LIE:
		tell_lie(argument);
		break;
	default:
		if (disk)
			use(op, argument);
	}
}

static void check(enum op op)
{
	struct block_info info;

	if (!disk)
		return;
	info = info_of(disk);
	fuzz_require(info.in_flight <= BLOCK_SLOTS, "after operation %d: %u requests", op,
		     info.in_flight);
	fuzz_require(!info.broken || sim_log_warnings > 0 || sim_tasks_left() > 0,
		     "after operation %d: given up without a word", op);
}

/* Whatever was under way ends in the time that a disk has at most. */
static void end(void)
{
	let_pass(5 * NS_PER_S); /* silence, and a reset that does not end */
	for (unsigned i = 0; i < REQUESTS && disk; i++)
		fuzz_require(!sent[i] || request[i].done || !info_of(disk).broken,
			     "request %u never ends", i);
	if (is_plugged(0))
		pull_out(false);
	for (unsigned i = 0; i < REQUESTS; i++)
		fuzz_require(!sent[i] || request[i].done, "request %u outlives its disk", i);
	plug_in();
	sim.completion = SIM_BLK_IN_TURN;
	request[0] = make_request(false, 9, 1, data, 1);
	fuzz_require(disk && block_submit(disk, &request[0]) == 0 &&
			     block_wait(disk, &request[0]) == 0 && has_page(data, 9),
		     "an honest disk is not read");
	fuzz_require(!sim.virtio.violation, "the driver: %s", sim.virtio.violation);
	pull_out(false);
}

static struct fuzz_input in;

static void run(void **state)
{
	(void)state;
	kind = fuzz_byte(&in);
	data = take_frames(6);
	memset(sent, 0, sizeof(sent));
	plug_in();
	for (unsigned n = 0; n < OPS_MAX && fuzz_left(&in) > 0; n++) {
		enum op op = (enum op)(fuzz_byte(&in) % OP_COUNT);

		do_op(op, fuzz_byte(&in));
		check(op);
	}
	end();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct block_test test = { run };
	void *state = &test;

	in = (struct fuzz_input){ input, input + size };
	block_set_up(&state);
	block_run(&state);
	sim_frame_reset(); /* what a device kept that was not reset */
	block_forget_runs();
	block_tear_down(&state);
	return 0;
}
