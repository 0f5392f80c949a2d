/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each lie of block_lies.h at each step of a disk's life, on each ring and as a legacy device.
 * Whatever it says: every request ends, a disk that broke a rule says so once and never
 * delivers again, the books are in order, and an honest one in its place works.
 */
#include "tests/unit/drivers/block/block_lies.h"

#include <string.h>

#include "arch/clock.h"
#include "mm/frame.h"

#define REQUESTS 4

enum step {
	IDLE,
	UNDER_WAY, /* reads and a write */
	IN_PARTS,
	FLUSHING,
	STEPS,
};

static const uint64_t kinds[] = {
	SIM_BLK_OFFERED,
	SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC),
	SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_F_RING_PACKED),
	SIM_BLK_OFFERED & ~VIRTIO_BIT(VIRTIO_F_VERSION_1),
};

static struct block_request request[REQUESTS];
static pfn_t data;
static bool flushed;

static void flush(void *arg)
{
	block_flush(arg);
	flushed = true;
}

static void begin(struct block_disk *disk, enum step step)
{
	sim.completion = SIM_BLK_ON_DEMAND;
	flushed = step != FLUSHING;
	for (unsigned i = 0; i < REQUESTS; i++) {
		request[i] = make_request(i == 1, i, 1, data + i, 1);
		request[i].done = step == IDLE || step == FLUSHING;
	}
	if (step == IN_PARTS)
		request[0] = make_request(false, 8, 32, data, 2);
	for (unsigned i = 0; i < REQUESTS; i++)
		if (!request[i].done)
			assert_int_equal(block_submit(disk, &request[i]), 0);
	if (step == FLUSHING)
		sim_tasks_add("flush", flush, disk);
	let_pass(NS_PER_MS);
}

static void check_all_done(const struct block_lie *lie, enum step step)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		if (!request[i].done)
			fail_msg("%s, step %d: request %u never ends", lie->name, step, i);
	if (!flushed)
		fail_msg("%s, step %d: the flush never ends", lie->name, step);
}

/* Requests that are submitted after the lie end, too. */
static void submit_more(struct block_disk *disk)
{
	for (unsigned i = 0; i < 2; i++) {
		struct block_request more = make_request(i == 1, i, 1, data + i, 1);

		if (block_submit(disk, &more) == 0)
			block_wait(disk, &more);
	}
}

static void check_end(struct block_disk *disk, const struct block_lie *lie, enum step step)
{
	const char *broken = info_of(disk).broken;

	if (lie->must_break && step != IDLE && !broken)
		fail_msg("%s, step %d: believed", lie->name, step);
	if (lie->must_go_on && broken)
		fail_msg("%s, step %d: broken: %s", lie->name, step, broken);
	assert_int_equal(sim_log_warnings, broken ? 1 : 0);
	assert_int_equal(gone_count, broken ? 1 : 0);
	assert_int_equal(info_of(disk).in_flight, 0);
}

static void tell(const struct block_lie *lie, enum step step, uint64_t features)
{
	struct block_disk *disk;

	make_sim(0, features, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 6);
	plug(0);
	disk = block_disk(0);
	sim_log_reset();
	gone_count = 0;
	assert_int_equal(block_claim(disk, "test", true, on_gone), 0);
	begin(disk, step);
	lie->tell();
	if (sim.completion == SIM_BLK_ON_DEMAND)
		sim.completion = SIM_BLK_IN_TURN;
	let_pass(65 * NS_PER_S);
	check_all_done(lie, step);
	submit_more(disk);
	let_pass(NS_PER_S);
	check_end(disk, lie, step);
	block_lies_end();
	pull(0, false);
	block_release(disk);
	if (sim.virtio.violation)
		fail_msg("%s, step %d: the driver: %s", lie->name, step, sim.virtio.violation);
}

static void check_honest_one(void)
{
	struct block_disk *disk = start_one();
	struct block_request honest = make_request(false, 5, 1, data, 1);

	assert_int_equal(block_submit(disk, &honest), 0);
	assert_int_equal(block_wait(disk, &honest), 0);
	assert_true(has_page(data, 5));
	pull(0, false);
	assert_int_equal(sim_frame_in_use(), 64);
}

static void every_lie_is_survived(void **state)
{
	(void)state;
	data = take_frames(6);
	for (size_t i = 0; i < block_lie_count; i++)
		for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++)
			for (enum step step = IDLE; step < STEPS; step++) {
				const struct block_lie *lie = &block_lies[i];
				bool packed = kinds[kind] & VIRTIO_BIT(VIRTIO_F_RING_PACKED);
				bool legacy = !(kinds[kind] & VIRTIO_BIT(VIRTIO_F_VERSION_1));

				if ((packed && lie->split_only) || (legacy && lie->modern_only))
					continue;
				tell(lie, step, kinds[kind]);
				check_honest_one();
			}
}

/* A disk that lies before it is known for one is none, or broken. */
static void every_lie_is_survived_from_the_start(void **state)
{
	struct block_disk *disk;

	(void)state;
	data = take_frames(6);
	for (size_t i = 0; i < block_lie_count; i++) {
		if (block_lies[i].needs_queue)
			continue;
		make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
		sim_log_reset();
		block_lies[i].tell();
		plug(0);
		disk = block_disk(0);
		if (disk && !info_of(disk).broken)
			submit_more(disk);
		if (block_lies[i].must_break)
			assert_true(sim_log_warnings > 0);
		block_lies_end();
		pull(0, false);
		check_honest_one();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(every_lie_is_survived),
		BLOCK_TEST(every_lie_is_survived_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
