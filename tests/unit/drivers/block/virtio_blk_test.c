/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/block/virtio_blk.c: what the device is told and asked, byte by byte. What the driver
 * does is in block_request_test.c and block_test.c.
 */
#include "tests/unit/drivers/block/block_fixture.h"

#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "mm/frame.h"

#define COPIES 32

/* Starts with these features besides VERSION_1's. */
static struct block_disk *start_with(uint64_t features)
{
	make_sim(0, features, SIM_PAGES);
	plug(0);
	return block_disk(0);
}

static int transfer(bool write, uint64_t page, unsigned count, pfn_t first, unsigned step)
{
	struct block_request request = make_request(write, page, count, first, step);
	struct block_disk *disk = block_disk(0);
	int err;

	if (write && !info_of(disk).user)
		assert_int_equal(block_claim(disk, "test", true, NULL), 0);
	block_wait_for_room(disk);
	err = block_submit(disk, &request);
	return err ? err : block_wait(disk, &request);
}

/* ---- Features and config ---- */

static void features_are_those_that_are_used(void **state)
{
	(void)state;
	start_with(SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_BLK_F_RO) |
		   VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_MQ) |
		   VIRTIO_BIT(VIRTIO_BLK_F_SECURE_ERASE) | VIRTIO_BIT(VIRTIO_BLK_F_ZONED) |
		   VIRTIO_BIT(VIRTIO_BLK_F_LIFETIME));
	/* SIZE_MAX is 0: it was refused, after FEATURES_OK. */
	assert_null(block_disk(0));
	sim_blk_show(&sim, SIM_BLK_SIZE_MAX, 4096);
	pull(0, false);
	plug(0);
	assert_int_equal(sim.virtio.driver_features,
			 VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) |
				 VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_RO) |
				 VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) |
				 VIRTIO_BIT(VIRTIO_BLK_F_FLUSH));
}

static void refuse(const char *why)
{
	unsigned before = sim_log_warnings;

	plug(0);
	assert_null(block_disk(0));
	assert_int_equal(sim_log_warnings, before + 1);
	assert_non_null(strstr(sim_log_warning, why));
	assert_int_equal(sim_frame_in_use(), 0);
	pull(0, false);
}

static void a_disk_that_cannot_be_used_is_refused_in_words(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.virtio.config_size = 4;
	refuse("its config has no capacity");
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_CAPACITY + 4, 0x00800000);
	refuse("its capacity is none");
	make_sim(0, SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX), SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SIZE_MAX, 511);
	refuse("it takes no pieces of a sector");
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_BLK_SIZE, 8192);
	refuse("its blocks are larger than a page");
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.virtio.queue[0].size_max = 2;
	refuse("no queue or no memory for the disk");
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.virtio.refuse_features = true;
	refuse("refuses our choice of features");
}

static void without_memory_a_disk_is_refused(void **state)
{
	(void)state;
	for (unsigned frames = 1; frames <= 3; frames++) {
		make_sim(0, SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC), SIM_PAGES);
		sim_frame_fail_after(frames);
		plug(0);
		sim_frame_fail(false);
		assert_null(block_disk(0));
		assert_int_equal(sim_frame_in_use(), 0);
		pull(0, false);
	}
}

static void the_largest_capacity_is_a_size(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_CAPACITY, 0xffffffff);
	sim_blk_show(&sim, SIM_BLK_CAPACITY + 4, 0x003fffff);
	plug(0);
	assert_int_equal(info_of(block_disk(0)).bytes, ((uint64_t)1 << 63) - 512);
	assert_int_equal(info_of(block_disk(0)).pages, ((uint64_t)1 << 51) - 1);
}

static void half_a_page_at_the_end_is_not_used(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_resize(&sim, 8 * 5 + 7);
	plug(0);
	assert_int_equal(info_of(block_disk(0)).bytes, 47 * 512);
	assert_int_equal(info_of(block_disk(0)).pages, 5);
}

/* ---- Requests ---- */

/* 5.2.6: 16 bytes to read, data, one byte to write. */
static void a_request_is_what_the_specification_says(void **state)
{
	static const uint8_t wanted[16] = { 1, 0, 0, 0, 0, 0, 0, 0, 0x38 };
	struct block_request request = make_request(true, 7, 1, take_frames(0), 1);
	struct block_disk *disk = start_one();
	const struct virtq_buffer *buffer = sim.pending[0].chain.buffer;

	(void)state;
	sim.completion = SIM_BLK_ON_DEMAND;
	assert_int_equal(block_claim(disk, "test", true, NULL), 0);
	assert_int_equal(block_submit(disk, &request), 0);
	assert_int_equal(sim.pending_count, 1);
	assert_int_equal(sim.pending[0].chain.count, 3);
	assert_int_equal(buffer[0].length, 16);
	assert_memory_equal(phys_to_virt(buffer[0].address), wanted, sizeof(wanted));
	assert_int_equal(buffer[1].address, pfn_to_paddr(request.frames[0]));
	assert_int_equal(buffer[1].length, 4096);
	assert_false(buffer[1].device_writes);
	assert_int_equal(buffer[2].length, 1);
	assert_int_equal(*(uint8_t *)phys_to_virt(buffer[2].address), 0xff);
	sim_blk_complete(&sim, 1);
	assert_int_equal(block_wait(disk, &request), 0);
}

static void what_is_read_is_what_is_there(void **state)
{
	pfn_t first = take_frames(5);

	(void)state;
	start_one();
	assert_int_equal(transfer(false, 3, 32, first, 1), 0);
	for (unsigned i = 0; i < 32; i++)
		assert_true(has_page(first + i, 3 + i));
	assert_int_equal(sim.most_pieces, 1);
	assert_int_equal(info_of(block_disk(0)).read_bytes, 32 * 4096);
	assert_int_equal(info_of(block_disk(0)).written_bytes, 0);
}

static void what_is_written_is_there(void **state)
{
	pfn_t first = take_frames(3);

	(void)state;
	start_one();
	for (unsigned i = 0; i < 8; i++)
		memset(phys_to_virt(pfn_to_paddr(first + i)), (int)(0x40 + i), FRAME_SIZE);
	assert_int_equal(transfer(true, SIM_PAGES - 4, 4, first, 2), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(has_page(first + 2 * i, SIM_PAGES - 4 + i));
	assert_int_equal(sim.most_pieces, 4);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_OUT], 1);
	assert_int_equal(info_of(block_disk(0)).written_bytes, 4 * 4096);
	assert_int_equal(info_of(block_disk(0)).read_bytes, 0);
}

/* Reads 32 pages into every other frame, and looks at them. */
static void read_scattered_to(pfn_t first)
{
	assert_int_equal(transfer(false, 100, COPIES, first, 2), 0);
	for (unsigned i = 0; i < COPIES; i++)
		assert_true(has_page(first + 2 * i, 100 + i));
	assert_int_equal(info_of(block_disk(0)).read_bytes, COPIES * FRAME_SIZE);
}

static void read_scattered(void)
{
	read_scattered_to(take_frames(6));
}

static void scattered_frames_are_as_many_pieces(void **state)
{
	(void)state;
	start_one();
	read_scattered();
	assert_int_equal(sim.most_pieces, 32);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 1);
}

static void seg_max_cuts_a_request_in_parts(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 5);
	plug(0);
	read_scattered();
	assert_int_equal(sim.most_pieces, 5);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 7);
}

/* Those that say nothing of it may take one only. */
static void without_seg_max_there_is_one_piece(void **state)
{
	(void)state;
	start_with(VIRTIO_BIT(VIRTIO_F_VERSION_1));
	read_scattered();
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 32);
}

static void a_seg_max_of_none_is_one(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 0);
	plug(0);
	/* Taken at its word it could do nothing, not even tell its name. */
	read_scattered();
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 32);
}

static void size_max_cuts_pieces(void **state)
{
	pfn_t first = take_frames(5);

	(void)state;
	make_sim(0, SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX), SIM_PAGES);
	/* Whole sectors of it: 1536. */
	sim_blk_show(&sim, SIM_BLK_SIZE_MAX, 1600);
	plug(0);
	read_scattered();
	assert_int_equal(transfer(false, 3, 32, first, 1), 0);
	for (unsigned i = 0; i < 32; i++)
		assert_true(has_page(first + i, 3 + i));
}

static void a_small_queue_cuts_a_request_in_parts(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.virtio.queue[0].size_max = 4;
	plug(0);
	read_scattered();
	assert_int_equal(sim.most_pieces, 2);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 16);
}

static void two_requests_share_a_small_queue(void **state)
{
	struct block_request request[2];
	pfn_t first = take_frames(6), second = take_frames(6);
	struct block_disk *disk;

	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 9);
	sim.virtio.queue[0].size_max = 16;
	plug(0);
	disk = block_disk(0);
	sim.completion = SIM_BLK_ON_DEMAND;
	/* Three pages leave room for one more part of another request. */
	request[0] = make_request(false, 0, 32, first, 2);
	request[1] = make_request(false, 50, 3, second, 2);
	assert_int_equal(block_submit(disk, &request[1]), 0);
	assert_int_equal(block_submit(disk, &request[0]), 0);
	assert_false(block_has_room(disk));
	assert_true(info_of(disk).in_flight < info_of(disk).room);
	sim.completion = SIM_BLK_IN_TURN;
	assert_int_equal(block_wait(disk, &request[0]), 0);
	assert_int_equal(block_wait(disk, &request[1]), 0);
	for (unsigned i = 0; i < 32; i++)
		assert_true(has_page(first + 2 * i, i));
	for (unsigned i = 0; i < 3; i++)
		assert_true(has_page(second + 2 * i, 50 + i));
}

static void every_ring_works(void **state)
{
	const uint64_t rings[] = { VIRTIO_BIT(VIRTIO_F_RING_PACKED), VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
				   VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) };
	pfn_t first = take_frames(6);

	(void)state;
	for (unsigned set = 0; set < 8; set++) {
		uint64_t features = SIM_BLK_OFFERED;

		for (unsigned i = 0; i < 3; i++)
			features |= set >> i & 1 ? rings[i] : 0;
		start_with(features);
		sim.completion = SIM_BLK_IN_TURN;
		read_scattered_to(first);
		pull(0, false);
	}
}

static void a_legacy_disk_works(void **state)
{
	(void)state;
	start_with(SIM_BLK_OFFERED & ~VIRTIO_BIT(VIRTIO_F_VERSION_1));
	read_scattered();
	/* What it says of lengths is ignored (5.2.6.3). */
	sim.written = -2;
	assert_int_equal(transfer(false, 0, 1, take_frames(0), 1), 0);
	sim.written = 1;
	assert_int_equal(transfer(false, 0, 1, take_frames(0), 1), 0);
	assert_null(info_of(block_disk(0)).broken);
}

static void a_status_byte_may_be_left_out_of_the_length(void **state)
{
	(void)state;
	start_one();
	sim.written = -1;
	assert_int_equal(transfer(false, 0, 1, take_frames(0), 1), 0);
	assert_int_equal(transfer(true, 0, 1, take_frames(0), 1), 0);
	assert_null(info_of(block_disk(0)).broken);
}

/* ---- Flushes ---- */

static void a_flush_is_sent_where_there_is_a_cache(void **state)
{
	struct block_disk *disk = start_one();

	(void)state;
	assert_int_equal(block_flush(disk), 0);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_FLUSH], 1);
	sim.fails_writes = true;
	assert_int_equal(block_flush(disk), -EIO);
	assert_int_equal(info_of(disk).errors, 1);
}

static void without_a_cache_nothing_is_flushed(void **state)
{
	struct block_disk *disk = start_with(VIRTIO_BIT(VIRTIO_F_VERSION_1));

	(void)state;
	assert_int_equal(block_flush(disk), 0);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_FLUSH], 0);
}

/* ---- The serial number ---- */

static void assert_serial(const char *written, const char *serial)
{
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	memset(sim.serial, 0, sizeof(sim.serial));
	memcpy(sim.serial, written, strnlen(written, sizeof(sim.serial)));
	plug(0);
	assert_string_equal(info_of(block_disk(0)).serial, serial);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_GET_ID], 1);
	pull(0, false);
}

static void a_serial_number_is_made_printable(void **state)
{
	(void)state;
	assert_serial("swap0", "swap0");
	assert_serial("12345678901234567890", "12345678901234567890");
	assert_serial("two words  ", "two words");
	assert_serial("a\x1b[2J\xff", "a?[2J?");
	assert_serial("", "");
	assert_serial("    ", "");
}

static void a_disk_without_a_serial_number_has_none(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim.no_serial = true;
	plug(0);
	assert_string_equal(info_of(block_disk(0)).serial, "");
	assert_int_equal(info_of(block_disk(0)).errors, 0);
	assert_null(info_of(block_disk(0)).broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(features_are_those_that_are_used),
		BLOCK_TEST(a_disk_that_cannot_be_used_is_refused_in_words),
		BLOCK_TEST(without_memory_a_disk_is_refused),
		BLOCK_TEST(the_largest_capacity_is_a_size),
		BLOCK_TEST(half_a_page_at_the_end_is_not_used),
		BLOCK_TEST(a_request_is_what_the_specification_says),
		BLOCK_TEST(what_is_read_is_what_is_there),
		BLOCK_TEST(what_is_written_is_there),
		BLOCK_TEST(scattered_frames_are_as_many_pieces),
		BLOCK_TEST(seg_max_cuts_a_request_in_parts),
		BLOCK_TEST(without_seg_max_there_is_one_piece),
		BLOCK_TEST(a_seg_max_of_none_is_one),
		BLOCK_TEST(size_max_cuts_pieces),
		BLOCK_TEST(a_small_queue_cuts_a_request_in_parts),
		BLOCK_TEST(two_requests_share_a_small_queue),
		BLOCK_TEST(every_ring_works),
		BLOCK_TEST(a_legacy_disk_works),
		BLOCK_TEST(a_status_byte_may_be_left_out_of_the_length),
		BLOCK_TEST(a_flush_is_sent_where_there_is_a_cache),
		BLOCK_TEST(without_a_cache_nothing_is_flushed),
		BLOCK_TEST(a_serial_number_is_made_printable),
		BLOCK_TEST(a_disk_without_a_serial_number_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
