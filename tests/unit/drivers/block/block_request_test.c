/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/block/block_request.c: requests from submission to their end, and how a disk breaks. */
#include "tests/unit/drivers/block/block_fixture.h"

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "mm/frame.h"

static struct block_request request[BLOCK_SLOTS + 1];

/* Submits request i, for one page, to a frame that all share. Its error. */
static int submit(struct block_disk *disk, size_t i)
{
	request[i] = make_request(false, i, 1, shared_frame(), 1);
	return block_submit(disk, &request[i]);
}

static struct block_disk *start_claimed(enum sim_blk_completion completion)
{
	struct block_disk *disk = start_one();

	sim.completion = completion;
	assert_int_equal(block_claim(disk, "test", true, on_gone), 0);
	return disk;
}

/* ---- What is refused ---- */

static void what_is_beyond_the_disk_is_refused(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);
	pfn_t first = take_frames(5);
	const struct {
		uint64_t page;
		unsigned count;
		int err;
	} cases[] = {
		{ SIM_PAGES - 1, 1, 0 },    { SIM_PAGES - 32, 32, 0 },
		{ SIM_PAGES, 1, -EINVAL },  { SIM_PAGES - 1, 2, -EINVAL },
		{ UINT64_MAX, 1, -EINVAL }, { UINT64_MAX - 1, 32, -EINVAL },
		{ 0, 0, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		request[0] = make_request(false, cases[i].page, cases[i].count, first, 1);
		assert_int_equal(block_submit(disk, &request[0]), cases[i].err);
		if (!cases[i].err)
			assert_int_equal(block_wait(disk, &request[0]), 0);
	}
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 2);
}

static void a_disk_that_nobody_claimed_is_not_written(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	request[0] = make_request(true, 0, 1, take_frames(0), 1);
	assert_int_equal(block_submit(disk, &request[0]), -EROFS);
	assert_int_equal(block_claim(disk, "reader", false, NULL), 0);
	assert_int_equal(block_submit(disk, &request[0]), -EROFS);
	block_release(disk);
	assert_int_equal(block_claim(disk, "writer", true, NULL), 0);
	assert_int_equal(block_submit(disk, &request[0]), 0);
	assert_int_equal(block_wait(disk, &request[0]), 0);
	block_release(disk);
	assert_int_equal(block_submit(disk, &request[0]), -EROFS);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_OUT], 1);
}

static void more_than_has_room_is_put_off(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_ON_DEMAND);
	unsigned n = 0;

	(void)state;
	while (block_has_room(disk))
		assert_int_equal(submit(disk, n++), 0);
	assert_int_equal(n, 4);
	assert_int_equal(submit(disk, n), -EAGAIN);
	assert_int_equal(info_of(disk).in_flight, 4);
	sim_blk_complete(&sim, 1);
	assert_true(block_poll(disk));
	assert_true(block_has_room(disk));
	assert_int_equal(submit(disk, n), 0);
	sim_blk_complete(&sim, SIZE_MAX);
	assert_int_equal(block_wait(disk, &request[n]), 0);
}

/* ---- Ends ---- */

static void answers_may_come_in_any_order(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_ON_DEMAND);
	pfn_t first = take_frames(2);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		request[i] = make_request(false, 10 + i, 1, first + i, 1);
		assert_int_equal(block_submit(disk, &request[i]), 0);
	}
	sim.newest_first = true;
	sim_blk_complete(&sim, 3);
	assert_true(block_poll(disk));
	assert_false(request[0].done);
	for (unsigned i = 1; i < 4; i++)
		assert_true(request[i].done && has_page(first + i, 10 + i));
	assert_false(block_poll(disk));
	sim_blk_complete(&sim, 1);
	assert_int_equal(block_wait(disk, &request[0]), 0);
	assert_true(has_page(first, 10));
}

static void an_error_is_the_requests_own(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);
	pfn_t first = take_frames(5);

	(void)state;
	sim.fails_reads = true;
	sim.bad_sector = 8 * 50;
	request[0] = make_request(false, 49, 2, first, 1);
	assert_int_equal(block_submit(disk, &request[0]), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	request[0] = make_request(false, 48, 2, first, 1);
	assert_int_equal(block_submit(disk, &request[0]), 0);
	assert_int_equal(block_wait(disk, &request[0]), 0);
	assert_int_equal(info_of(disk).errors, 1);
	assert_int_equal(info_of(disk).read_bytes, 2 * FRAME_SIZE);
	assert_null(info_of(disk).broken);
}

static void what_is_not_supported_is_an_error(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);

	(void)state;
	sim.status = 2;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	assert_null(info_of(disk).broken);
}

static void a_request_without_a_status_is_no_success(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);

	(void)state;
	sim.no_status = true;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	assert_string_equal(info_of(disk).broken, "it gives a request back without a status");
}

static void a_read_of_less_than_all_is_no_success(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);

	(void)state;
	sim.written = -2;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	assert_string_equal(info_of(disk).broken, "it says that it read, but not all");
}

/* By looks alone each would take 10 ms. */
static void an_answer_is_taken_upon_its_interrupt(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_IN_TURN);
	uint64_t start;

	(void)state;
	let_pass(NS_PER_MS);
	start = clock_ns();
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(submit(disk, i), 0);
		assert_int_equal(block_wait(disk, &request[i]), 0);
	}
	assert_true(clock_ns() - start < 5 * NS_PER_MS);
}

/* A request of many parts ends with the first that fails. */
static void a_part_that_fails_ends_the_request(void **state)
{
	struct block_disk *disk;

	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 4);
	plug(0);
	disk = block_disk(0);
	sim.fails_reads = true;
	sim.bad_sector = 8 * 10;
	request[0] = make_request(false, 0, 32, take_frames(6), 2);
	assert_int_equal(block_submit(disk, &request[0]), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 3);
	assert_int_equal(info_of(disk).in_flight, 0);
	assert_int_equal(info_of(disk).read_bytes, 0);
}

/* ---- Room ---- */

static void keep_busy(struct block_disk *disk, unsigned count)
{
	unsigned sent = 0, taken = 0;

	while (taken < count) {
		while (sent < count && block_has_room(disk))
			assert_int_equal(submit(disk, sent++ % BLOCK_SLOTS), 0);
		assert_int_equal(block_wait(disk, &request[taken++ % BLOCK_SLOTS]), 0);
	}
}

static void a_throttled_disk_has_two_requests_at_a_time(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_PACED);
	uint64_t start;

	(void)state;
	sim.pace_ns = 100 * NS_PER_MS;
	keep_busy(disk, 20);
	assert_in_range(info_of(disk).room, 2, 3);
	assert_null(info_of(disk).broken);
	block_wait_for_room(disk);
	assert_int_equal(submit(disk, 0), 0);
	start = clock_ns();
	assert_int_equal(block_wait(disk, &request[0]), 0);
	assert_true(clock_ns() - start < 400 * NS_PER_MS);
}

static void a_fast_disk_has_the_whole_ring(void **state)
{
	struct block_disk *disk;

	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.virtio.queue[0].size_max = 256;
	plug(0);
	disk = block_disk(0);
	sim.completion = SIM_BLK_IN_TURN;
	/* A turn takes 10 us. */
	keep_busy(disk, 50000);
	assert_int_equal(info_of(disk).room, BLOCK_SLOTS);
	/* As many as leave room for one of 32 pieces. */
	assert_in_range(sim.most_pending, 70, BLOCK_SLOTS);
}

static void room_is_waited_for(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_PACED);
	unsigned n = 0;

	(void)state;
	sim.pace_ns = 100 * NS_PER_MS;
	while (block_has_room(disk))
		assert_int_equal(submit(disk, n++), 0);
	block_wait_for_room(disk);
	assert_true(block_has_room(disk));
	assert_int_equal(info_of(disk).in_flight, info_of(disk).room - 1);
	assert_int_equal(block_wait(disk, &request[n - 1]), 0);
}

/* ---- Silence ---- */

static void a_silent_disk_breaks_after_two_seconds(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_NEVER);
	uint64_t start = clock_awake_ns();

	(void)state;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(submit(disk, 1), 0);
	assert_int_equal(block_wait(disk, &request[0]), -EIO);
	assert_in_range(clock_awake_ns() - start, 2 * NS_PER_S, 2 * NS_PER_S + 50 * NS_PER_MS);
	assert_true(request[1].done);
	assert_int_equal(request[1].error, -EIO);
	assert_string_equal(info_of(disk).broken, "it has not answered for 2 s");
	assert_int_equal(submit(disk, 0), -EIO);
	assert_int_equal(block_flush(disk), -EIO);
	block_wait_for_room(disk);
	let_pass(NS_PER_MS);
	assert_int_equal(gone_count, 1);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(sim.virtio.status, 0);
}

static void it_breaks_even_if_nobody_waits(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_NEVER);

	(void)state;
	/* However long it was idle before. */
	let_pass(300 * NS_PER_S);
	assert_int_equal(submit(disk, 0), 0);
	let_pass(1900 * NS_PER_MS);
	assert_null(info_of(disk).broken);
	let_pass(200 * NS_PER_MS);
	assert_non_null(info_of(disk).broken);
	assert_true(request[0].done);
}

static void a_slow_disk_that_answers_does_not_break(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_PACED);

	(void)state;
	sim.pace_ns = 1900 * NS_PER_MS;
	keep_busy(disk, 10);
	assert_null(info_of(disk).broken);
}

static void a_guest_that_was_stopped_does_not_blame_its_disk(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_ON_DEMAND);

	(void)state;
	assert_int_equal(submit(disk, 0), 0);
	for (unsigned i = 0; i < 20; i++) {
		sim_tasks_jump(3600 * NS_PER_S);
		let_pass(50 * NS_PER_MS);
	}
	assert_null(info_of(disk).broken);
	sim_blk_complete(&sim, 1);
	assert_int_equal(block_wait(disk, &request[0]), 0);
}

static void a_flush_may_take_longer(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_PACED);
	uint64_t start = clock_awake_ns();

	(void)state;
	sim.pace_ns = 30 * NS_PER_S;
	sim.paced_ns = clock_ns();
	assert_int_equal(block_flush(disk), 0);
	assert_null(info_of(disk).broken);
	sim.completion = SIM_BLK_NEVER;
	assert_int_equal(block_flush(disk), -EIO);
	assert_in_range(clock_awake_ns() - start, 90 * NS_PER_S, 91 * NS_PER_S);
	assert_string_equal(info_of(disk).broken, "it has not answered for a minute");
}

/* ---- For who must not sleep ---- */

static void who_must_not_sleep_looks_until_it_is_done(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_AT_ONCE);

	(void)state;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(block_wait_here(disk, &request[0]), 0);
	sim.fails_reads = true;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(block_wait_here(disk, &request[0]), -EIO);
	assert_int_equal(sim_tasks_turns, 0);
}

static void who_must_not_sleep_waits_two_seconds_for_silence(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_NEVER);
	uint64_t start = clock_awake_ns(), idle = sim_tasks_idle_ns;

	(void)state;
	sim_tasks_step_ns = 100 * NS_PER_US;
	assert_int_equal(submit(disk, 0), 0);
	assert_int_equal(submit(disk, 1), 0);
	assert_int_equal(block_wait_here(disk, &request[0]), -EIO);
	assert_in_range(clock_awake_ns() - start, 2 * NS_PER_S, 2100 * NS_PER_MS);
	/* All that it had is ended before anybody else runs, and the device is reset. */
	assert_true(request[1].done);
	assert_int_equal(sim.virtio.status, 0);
	assert_int_equal(sim_tasks_idle_ns, idle);
	assert_int_equal(gone_count, 0);
	sim_tasks_step_ns = NS_PER_US;
	let_pass(NS_PER_MS);
	assert_int_equal(gone_count, 1);
	assert_int_equal(sim_log_warnings, 1);
}

static void a_disk_that_is_not_reset_keeps_what_it_had(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_NEVER);
	uint64_t idle = sim_tasks_idle_ns;

	(void)state;
	sim_tasks_step_ns = 100 * NS_PER_US;
	assert_int_equal(submit(disk, 0), 0);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(block_wait_here(disk, &request[0]), -EBUSY);
	assert_int_equal(sim_tasks_idle_ns, idle);
	sim_tasks_step_ns = NS_PER_US;
	let_pass(5 * NS_PER_S);
	assert_int_equal(gone_count, 1);
	assert_non_null(strstr(sim_log_warning, "does not finish its reset"));
}

static void who_sleeps_is_told_that_it_is_not_reset(void **state)
{
	struct block_disk *disk = start_claimed(SIM_BLK_NEVER);
	uint64_t idle = sim_tasks_idle_ns;

	(void)state;
	assert_int_equal(submit(disk, 0), 0);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(block_wait(disk, &request[0]), -EBUSY);
	assert_int_equal(request[0].error, -EBUSY);
	/* Others have their turn while the reset is waited for, too. */
	assert_true(sim_tasks_idle_ns - idle > 3 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(what_is_beyond_the_disk_is_refused),
		BLOCK_TEST(a_disk_that_nobody_claimed_is_not_written),
		BLOCK_TEST(more_than_has_room_is_put_off),
		BLOCK_TEST(answers_may_come_in_any_order),
		BLOCK_TEST(an_error_is_the_requests_own),
		BLOCK_TEST(what_is_not_supported_is_an_error),
		BLOCK_TEST(a_request_without_a_status_is_no_success),
		BLOCK_TEST(a_read_of_less_than_all_is_no_success),
		BLOCK_TEST(an_answer_is_taken_upon_its_interrupt),
		BLOCK_TEST(a_part_that_fails_ends_the_request),
		BLOCK_TEST(a_throttled_disk_has_two_requests_at_a_time),
		BLOCK_TEST(a_fast_disk_has_the_whole_ring),
		BLOCK_TEST(room_is_waited_for),
		BLOCK_TEST(a_silent_disk_breaks_after_two_seconds),
		BLOCK_TEST(it_breaks_even_if_nobody_waits),
		BLOCK_TEST(a_slow_disk_that_answers_does_not_break),
		BLOCK_TEST(a_guest_that_was_stopped_does_not_blame_its_disk),
		BLOCK_TEST(a_flush_may_take_longer),
		BLOCK_TEST(who_must_not_sleep_looks_until_it_is_done),
		BLOCK_TEST(who_must_not_sleep_waits_two_seconds_for_silence),
		BLOCK_TEST(a_disk_that_is_not_reset_keeps_what_it_had),
		BLOCK_TEST(who_sleeps_is_told_that_it_is_not_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
