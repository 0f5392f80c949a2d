/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/block/block.c: disks come, are claimed, change, break and go. */
#include "tests/unit/drivers/block/block_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "mm/frame.h"

static struct block_request request;

static void submit(struct block_disk *disk)
{
	request = make_request(false, 0, 1, shared_frame(), 1);
	assert_int_equal(block_submit(disk, &request), 0);
}

/* Disk i with the serial number "disk<i>". */
static void make_named(size_t i)
{
	make_sim(i, SIM_BLK_OFFERED, 16);
	snprintf(sims[i].serial, sizeof(sims[i].serial), "disk%zu", i);
	plug(i);
}

/* ---- The table ---- */

static void disks_have_names_in_the_order_in_which_they_come(void **state)
{
	(void)state;
	assert_null(block_disk(0));
	for (size_t i = 0; i < 3; i++)
		make_named(i);
	assert_string_equal(info_of(block_disk(0)).name, "vda");
	assert_string_equal(info_of(block_disk(2)).name, "vdc");
	assert_string_equal(info_of(block_disk(2)).address, "0000:00:04.0");
	assert_null(block_disk(3));
	/* A place that is free again is the next one's. */
	pull(1, false);
	assert_string_equal(info_of(block_disk(1)).name, "vdc");
	assert_null(block_disk(2));
	plug(1);
	assert_string_equal(info_of(block_disk(1)).name, "vdb");
	assert_int_equal(sim_log_warnings, 0);
}

static void a_disk_is_found_by_its_serial_number(void **state)
{
	(void)state;
	make_named(0);
	make_named(1);
	assert_ptr_equal(block_find("disk1"), block_disk(1));
	assert_null(block_find("disk2"));
	make_sim(2, SIM_BLK_OFFERED, 16);
	sims[2].no_serial = true;
	plug(2);
	assert_null(block_find(""));
	pull(1, false);
	assert_null(block_find("disk1"));
}

static void there_are_so_many_disks_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIMS; i++)
		make_named(i);
	assert_non_null(block_disk(BLOCK_DISKS_MAX - 1));
	assert_null(block_disk(BLOCK_DISKS_MAX));
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "there are 8 disks already"));
	assert_null(block_find("disk8"));
}

static void a_disk_without_a_task_is_broken_from_the_start(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, 16);
	sim_tasks_stack_err = -ENOMEM;
	plug(0);
	sim_tasks_stack_err = 0;
	assert_string_equal(info_of(block_disk(0)).broken, "there is no task for it");
	assert_int_equal(block_claim(block_disk(0), "test", false, NULL), -EIO);
}

static void a_disk_that_does_not_tell_its_name_is_broken(void **state)
{
	uint64_t start = clock_awake_ns();

	(void)state;
	make_sim(0, SIM_BLK_OFFERED, 16);
	sim.completion = SIM_BLK_NEVER;
	plug(0);
	assert_in_range(clock_awake_ns() - start, 2 * NS_PER_S, 2100 * NS_PER_MS);
	assert_string_equal(info_of(block_disk(0)).broken, "it has not answered for 2 s");
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(sim_log_infos, 0);
	/* Another one may take its place. */
	pull(0, false);
	make_named(0);
	assert_non_null(block_find("disk0"));
}

static void a_name_that_is_told_late_is_known(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, 16);
	sim.completion = SIM_BLK_PACED;
	sim.pace_ns = NS_PER_S;
	sim.paced_ns = clock_ns();
	plug(0);
	assert_string_equal(info_of(block_disk(0)).serial, "sim");
	/* That says nothing of how fast it reads. */
	assert_int_equal(info_of(block_disk(0)).room, 4);
}

static void a_disk_that_is_probed_again_stays(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	assert_int_equal(block_claim(disk, "test", false, NULL), 0);
	virtio_register_driver((struct virtio_driver *)virtio_find_driver(VIRTIO_ID_BLOCK));
	assert_ptr_equal(block_disk(0), disk);
	assert_string_equal(info_of(disk).user, "test");
	assert_null(block_disk(1));
}

/* Two tasks are made before one of them runs. */
static void a_disk_has_one_task(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, 16);
	plug(0);
	pull(0, false);
	plug(0);
	let_pass(NS_PER_MS);
	/* This one, and the disk's. */
	assert_int_equal(sim_tasks_left(), 2);
	pull(0, false);
	let_pass(NS_PER_MS);
	assert_int_equal(sim_tasks_left(), 1);
}

/* ---- Claims ---- */

static void a_disk_has_one_user(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	assert_null(info_of(disk).user);
	assert_int_equal(block_claim(disk, "swap", true, NULL), 0);
	assert_int_equal(block_claim(disk, "cache", false, NULL), -EBUSY);
	assert_string_equal(info_of(disk).user, "swap");
	block_release(disk);
	assert_int_equal(block_claim(disk, "cache", false, NULL), 0);
	assert_string_equal(info_of(disk).user, "cache");
}

static void a_read_only_disk_is_for_readers(void **state)
{
	struct block_disk *disk;

	(void)state;
	make_sim(0, SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_BLK_F_RO), 16);
	plug(0);
	disk = block_disk(0);
	assert_true(info_of(disk).read_only);
	assert_int_equal(block_claim(disk, "swap", true, NULL), -EROFS);
	assert_int_equal(block_claim(disk, "cache", false, NULL), 0);
	request = make_request(true, 0, 1, shared_frame(), 1);
	assert_int_equal(block_submit(disk, &request), -EROFS);
}

/* ---- Its size ---- */

static void a_disk_grows_and_shrinks(void **state)
{
	struct block_disk *disk = start_one();
	unsigned infos = sim_log_infos;

	(void)state;
	let_pass(NS_PER_MS);
	sim_blk_resize(&sim, 8 * 10);
	let_pass(NS_PER_MS);
	assert_int_equal(info_of(disk).pages, 10);
	assert_int_equal(sim_log_infos, infos + 1);
	request = make_request(false, 10, 1, shared_frame(), 1);
	assert_int_equal(block_submit(disk, &request), -EINVAL);
	/* A host that plays with it fills no log. */
	for (unsigned i = 0; i < 20; i++) {
		sim_blk_resize(&sim, 8 * (i + 20));
		let_pass(NS_PER_MS);
	}
	assert_int_equal(info_of(disk).pages, 39);
	assert_int_equal(sim_log_infos, infos + 1);
}

/* An interrupt that got lost costs a second. */
static void its_size_is_looked_at_once_a_second(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	let_pass(NS_PER_MS);
	sim.virtio.status &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
	sim_blk_resize(&sim, 8 * 10);
	let_pass(NS_PER_MS);
	assert_int_equal(info_of(disk).pages, SIM_PAGES);
	let_pass(1100 * NS_PER_MS);
	assert_int_equal(info_of(disk).pages, 10);
}

static void a_size_that_is_none_breaks_it(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	let_pass(NS_PER_MS);
	sim_blk_resize(&sim, UINT64_MAX - 1);
	let_pass(NS_PER_MS);
	assert_string_equal(info_of(disk).broken, "its capacity is none");
}

/* What was under way when the disk shrank ends in an error, as the device says. */
static void a_read_beyond_the_new_end_is_an_error(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	sim.completion = SIM_BLK_ON_DEMAND;
	request = make_request(false, SIM_PAGES - 1, 1, shared_frame(), 1);
	assert_int_equal(block_submit(disk, &request), 0);
	sim_blk_resize(&sim, 8);
	sim_blk_complete(&sim, 1);
	assert_int_equal(block_wait(disk, &request), -EIO);
	assert_null(info_of(disk).broken);
}

/* ---- The end ---- */

static void a_disk_that_asks_for_a_reset_is_broken(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	sim.completion = SIM_BLK_NEVER;
	assert_int_equal(block_claim(disk, "swap", true, on_gone), 0);
	submit(disk);
	let_pass(NS_PER_MS);
	sim_virtio_need_reset(&sim.virtio);
	assert_int_equal(block_wait(disk, &request), -EIO);
	assert_string_equal(info_of(disk).broken, "it asks for a reset");
	let_pass(NS_PER_MS);
	assert_ptr_equal(gone_disk, disk);
}

static void a_broken_disk_stays_broken_until_it_is_plugged_anew(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	sim_virtio_need_reset(&sim.virtio);
	let_pass(10 * NS_PER_S);
	assert_int_equal(sim.virtio.status, 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "vda (0000:00:02.0): broken: it asks for a reset; "
						"it stays so until it is plugged anew"));
	assert_int_equal(block_claim(disk, "swap", true, NULL), -EIO);
	pull(0, false);
	assert_int_equal(sim_log_warnings, 1);
	plug(0);
	assert_null(info_of(block_disk(0)).broken);
}

static void a_disk_that_nobody_uses_goes_quietly(void **state)
{
	(void)state;
	start_one();
	pull(0, false);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim.virtio.status, 0);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_null(block_disk(0));
}

static void pull_out_in_use(bool is_gone, const char *why)
{
	struct block_disk *disk = start_one();

	sim.completion = SIM_BLK_NEVER;
	assert_int_equal(block_claim(disk, "swap", true, on_gone), 0);
	submit(disk);
	let_pass(NS_PER_MS);
	pull(0, is_gone);
	assert_true(request.done);
	assert_int_equal(request.error, -EIO);
	assert_int_equal(gone_count, 1);
	assert_int_equal(sim_log_warnings, 1);
	/* Its place is kept for its user, who learns why. */
	assert_ptr_equal(block_disk(0), disk);
	assert_string_equal(info_of(disk).broken, why);
	assert_int_equal(block_submit(disk, &request), -EIO);
	assert_false(block_poll(disk));
	assert_false(block_has_room(disk));
	sim.virtio.gone = false;
	sim.completion = SIM_BLK_AT_ONCE;
	plug(0);
	assert_string_equal(info_of(block_disk(1)).name, "vdb");
	assert_ptr_equal(block_find("sim"), block_disk(1));
	block_release(disk);
	assert_string_equal(info_of(block_disk(0)).name, "vdb");
}

static void a_disk_that_is_pulled_out_ends_its_requests(void **state)
{
	(void)state;
	pull_out_in_use(false, "it was pulled out");
}

static void a_disk_that_is_gone_ends_its_requests(void **state)
{
	(void)state;
	pull_out_in_use(true, "gone");
}

static bool never_done_in_vain;

static void wait_for_it(void *arg)
{
	struct block_disk *disk = arg;

	never_done_in_vain = block_wait(disk, &request) == -EIO;
}

static void who_waits_is_told(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	never_done_in_vain = false;
	sim.completion = SIM_BLK_NEVER;
	submit(disk);
	sim_tasks_add("waits", wait_for_it, disk);
	let_pass(NS_PER_MS);
	pull(0, true);
	let_pass(NS_PER_MS);
	assert_true(never_done_in_vain);
}

static void what_is_not_reset_keeps_its_frames(void **state)
{
	struct block_disk *disk = start_one();
	size_t kept;

	(void)state;
	sim.completion = SIM_BLK_NEVER;
	submit(disk);
	kept = sim_frame_in_use();
	let_pass(NS_PER_MS);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	pull(0, false);
	assert_int_equal(request.error, -EBUSY);
	/* All but the driver's own side of the queue. */
	assert_int_equal(sim_frame_in_use(), kept - 8);
	sim_frame_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(disks_have_names_in_the_order_in_which_they_come),
		BLOCK_TEST(a_disk_is_found_by_its_serial_number),
		BLOCK_TEST(there_are_so_many_disks_and_no_more),
		BLOCK_TEST(a_disk_without_a_task_is_broken_from_the_start),
		BLOCK_TEST(a_disk_that_does_not_tell_its_name_is_broken),
		BLOCK_TEST(a_name_that_is_told_late_is_known),
		BLOCK_TEST(a_disk_that_is_probed_again_stays),
		BLOCK_TEST(a_disk_has_one_task),
		BLOCK_TEST(a_disk_has_one_user),
		BLOCK_TEST(a_read_only_disk_is_for_readers),
		BLOCK_TEST(a_disk_grows_and_shrinks),
		BLOCK_TEST(its_size_is_looked_at_once_a_second),
		BLOCK_TEST(a_size_that_is_none_breaks_it),
		BLOCK_TEST(a_read_beyond_the_new_end_is_an_error),
		BLOCK_TEST(a_disk_that_asks_for_a_reset_is_broken),
		BLOCK_TEST(a_broken_disk_stays_broken_until_it_is_plugged_anew),
		BLOCK_TEST(a_disk_that_nobody_uses_goes_quietly),
		BLOCK_TEST(a_disk_that_is_pulled_out_ends_its_requests),
		BLOCK_TEST(a_disk_that_is_gone_ends_its_requests),
		BLOCK_TEST(who_waits_is_told),
		BLOCK_TEST(what_is_not_reset_keeps_its_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
