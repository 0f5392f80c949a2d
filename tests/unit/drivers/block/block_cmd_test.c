/* SPDX-License-Identifier: BSD-2-Clause */
/* lsblk and disk_read: whole screens, as a person sees them. */
#include "tests/unit/drivers/block/block_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/hooks.h"
#include "tests/schema/assert_fits.h"
#include "tests/sim/sim_command.h"

#define HEAD "NAME     SIZE MODE ADDRESS       USER       READ  WRITTEN ERRORS REQUESTS SERIAL\n"

static int tear_down(void **state)
{
	sim_command_forget();
	lib_set_interrupted(NULL);
	return block_tear_down(state);
}

/* Runs a command, and compares all that it prints. */
static void expect(const char *line, int err, const char *text)
{
	assert_int_equal(sim_command(line), err);
	assert_string_equal(sim_command_text, text);
}

static void without_disks_that_is_said(void **state)
{
	(void)state;
	expect("lsblk", 0, "no disk\n");
	expect("lsblk -j", 0, "{\"disks\":[]}\n");
	assert_fits("guest-lsblk", sim_command_text);
	expect("lsblk -k", -EINVAL, "");
	expect("lsblk -j -j", -EINVAL, "");
}

static void disks_are_listed(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	memcpy(sim.serial, "swap0\"", 6);
	plug(0);
	make_sim(1, SIM_BLK_OFFERED | VIRTIO_BIT(VIRTIO_BLK_F_RO), 3);
	sims[1].no_serial = true;
	sim_blk_resize(&sims[1], 23);
	plug(1);
	assert_int_equal(block_claim(block_disk(0), "swap", true, NULL), 0);
	expect("lsblk", 0,
	       HEAD
	       "vda        1M rw   0000:00:02.0  swap          0        0      0      0/4 "
	       "swap0\"\n"
	       "vdb    11776B ro   0000:00:03.0  -             0        0      0      0/4 -\n");
	expect("lsblk -j", 0,
	       "{\"disks\":[{\"name\":\"vda\",\"size\":1048576,\"read_only\":false,"
	       "\"address\":\"0000:00:02.0\",\"serial\":\"swap0\\\"\",\"user\":\"swap\",\"read\":0,"
	       "\"written\":0,\"errors\":0,\"in_flight\":0,\"room\":4,\"broken\":null},"
	       "{\"name\":\"vdb\",\"size\":11776,\"read_only\":true,"
	       "\"address\":\"0000:00:03.0\",\"serial\":null,\"user\":null,\"read\":0,"
	       "\"written\":0,\"errors\":0,\"in_flight\":0,\"room\":4,\"broken\":null}]}\n");
	assert_fits("guest-lsblk", sim_command_text);
}

/* Of which more are claimed than there are: none is read. */
static void a_disk_of_terabytes_is_listed(void **state)
{
	(void)state;
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	sim_blk_resize(&sim, UINT64_C(1) << 43);
	plug(0);
	expect("lsblk", 0,
	       HEAD
	       "vda     4096T rw   0000:00:02.0  -             0        0      0      0/4 sim\n");
}

static void a_broken_disk_says_why(void **state)
{
	(void)state;
	start_one();
	sim_virtio_need_reset(&sim.virtio);
	let_pass(NS_PER_MS);
	expect("lsblk", 0,
	       HEAD
	       "vda        1M rw   0000:00:02.0  -             0        0      0      0/4 sim\n"
	       "     broken: it asks for a reset\n");
	assert_int_equal(sim_command("lsblk -j"), 0);
	assert_fits("guest-lsblk", sim_command_text);
	assert_non_null(strstr(sim_command_text, "\"broken\":\"it asks for a reset\""));
	expect("disk_read vda", -EIO, "disk_read: vda is broken\n");
}

/* FNV-1a as it is defined, a byte at a time. */
static uint64_t sum(uint64_t bytes)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (uint64_t i = 0; i < bytes; i++) {
		hash ^= sim.content[i];
		hash *= UINT64_C(1099511628211);
	}
	return hash;
}

static void expect_read(const char *line, uint64_t pages)
{
	char wanted[64];

	assert_int_equal(sim_command(line), 0);
	snprintf(wanted, sizeof(wanted), "vda: %u bytes read (", (unsigned)(pages * FRAME_SIZE));
	assert_ptr_equal(strstr(sim_command_text, wanted), sim_command_text);
	snprintf(wanted, sizeof(wanted), "\nFNV-1a (64 bits): %016llx\n",
		 (unsigned long long)sum(pages * FRAME_SIZE));
	assert_non_null(strstr(sim_command_text, wanted));
	assert_null(info_of(block_disk(0)).user);
}

static void a_disk_is_read_and_summed_up(void **state)
{
	(void)state;
	start_one();
	sim.completion = SIM_BLK_IN_TURN;
	expect_read("disk_read vda", SIM_PAGES);
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], SIM_PAGES / 32);
	assert_int_equal(sim.most_pending, 4);
	expect_read("disk_read vda 256", SIM_PAGES);
	expect_read("disk_read vda 1", 1);
	expect_read("disk_read vda 33", 33);
	expect_read("disk_read vda 0", 0);
	assert_int_equal(sim_command("disk_read -n vda 33"), 0);
	assert_ptr_equal(strstr(sim_command_text, "vda: 135168 bytes read ("), sim_command_text);
	assert_null(strstr(sim_command_text, "FNV"));
	assert_int_equal(sim.requests[VIRTIO_BLK_T_OUT], 0);
}

static void what_is_no_disk_is_said(void **state)
{
	(void)state;
	start_one();
	expect("disk_read", -EINVAL, "");
	expect("disk_read vda 1 2", -EINVAL, "");
	expect("disk_read -n", -EINVAL, "");
	expect("disk_read -m vda", -ENODEV, "disk_read: -m is no disk; `lsblk` lists them\n");
	expect("disk_read vdb", -ENODEV, "disk_read: vdb is no disk; `lsblk` lists them\n");
	expect("disk_read vda 257", -ERANGE, "disk_read: 257 is no number of pages up to 256\n");
	expect("disk_read vda -1", -ERANGE, "disk_read: -1 is no number of pages up to 256\n");
	assert_int_equal(block_claim(block_disk(0), "swap", true, NULL), 0);
	expect("disk_read vda", -EBUSY, "disk_read: vda is in use: `lsblk` says by whom\n");
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 0);
}

static void an_error_ends_it(void **state)
{
	(void)state;
	start_one();
	sim.completion = SIM_BLK_PACED;
	sim.pace_ns = 20 * NS_PER_MS;
	sim.fails_reads = true;
	sim.bad_sector = 8 * 70;
	expect("disk_read vda", -EIO, "vda: page 70 of 256 cannot be read\n");
	assert_int_equal(info_of(block_disk(0)).in_flight, 0);
	assert_null(info_of(block_disk(0)).user);
	expect_read("disk_read vda 70", 70);
}

/* As QEMU makes one request of neighbours: the page that is bad is named all the same. */
static void innocent_pages_are_not_named(void **state)
{
	(void)state;
	start_one();
	sim.completion = SIM_BLK_IN_TURN;
	sim.merges = true;
	sim.fails_reads = true;
	sim.bad_sector = 8 * 101;
	expect("disk_read vda", -EIO, "vda: page 101 of 256 cannot be read\n");
	assert_int_equal(sim.requests[VIRTIO_BLK_T_IN], 4 + 102);
	assert_int_equal(info_of(block_disk(0)).errors, 4 + 1);
}

static void heal(struct sim_blk *s)
{
	s->fails_reads = false;
}

static void an_error_that_goes_by_does_not_end_it(void **state)
{
	(void)state;
	start_one();
	sim.completion = SIM_BLK_PACED;
	sim.pace_ns = NS_PER_MS;
	sim.fails_reads = true;
	sim.bad_sector = 0;
	sim.on_failure = heal;
	expect_read("disk_read vda", SIM_PAGES);
	assert_int_equal(info_of(block_disk(0)).errors, 1);
}

static void fall_silent(struct sim_blk *s)
{
	s->completion = SIM_BLK_NEVER;
	s->virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
}

static void a_disk_that_keeps_frames_after_an_error_is_not_asked_again(void **state)
{
	size_t before;

	(void)state;
	start_one();
	before = sim_frame_in_use();
	sim.completion = SIM_BLK_PACED;
	sim.pace_ns = NS_PER_MS;
	sim.fails_reads = true;
	sim.on_failure = fall_silent;
	expect("disk_read vda", -EBUSY, "vda: page 0 of 256 cannot be read\n");
	assert_int_equal(sim_frame_in_use(), before + 3 * 32);
	sim_frame_reset();
}

static void silence_ends_it(void **state)
{
	size_t before;

	(void)state;
	start_one();
	before = sim_frame_in_use();
	sim.completion = SIM_BLK_NEVER;
	expect("disk_read vda", -EIO, "vda: page 0 of 256 cannot be read\n");
	assert_int_equal(sim_frame_in_use(), before);
}

static void frames_that_the_device_keeps_are_not_freed(void **state)
{
	size_t before;

	(void)state;
	start_one();
	before = sim_frame_in_use();
	sim.completion = SIM_BLK_NEVER;
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	expect("disk_read vda", -EBUSY, "vda: page 0 of 256 cannot be read\n");
	assert_int_equal(sim_frame_in_use(), before + 4 * 32);
	sim_frame_reset();
}

static void without_memory_that_is_said(void **state)
{
	size_t before;

	(void)state;
	start_one();
	before = sim_frame_in_use();
	sim_frame_fail_after(2);
	expect("disk_read vda", -ENOMEM, "disk_read: no memory for 4 requests\n");
	sim_frame_fail(false);
	assert_int_equal(sim_frame_in_use(), before);
}

static bool yes(void)
{
	return true;
}

static void ctrl_c_ends_it(void **state)
{
	(void)state;
	start_one();
	sim.completion = SIM_BLK_IN_TURN;
	lib_set_interrupted(yes);
	expect("disk_read vda", -EINTR, "");
	assert_int_equal(info_of(block_disk(0)).in_flight, 0);
	assert_true(info_of(block_disk(0)).read_bytes < 256 * FRAME_SIZE);
}

#define TEST(name) \
	{ \
#name, block_run, block_set_up, tear_down, &(struct block_test) \
		{ \
			name \
		} \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_disks_that_is_said),
		TEST(disks_are_listed),
		TEST(a_disk_of_terabytes_is_listed),
		TEST(a_broken_disk_says_why),
		TEST(a_disk_is_read_and_summed_up),
		TEST(what_is_no_disk_is_said),
		TEST(an_error_ends_it),
		TEST(innocent_pages_are_not_named),
		TEST(an_error_that_goes_by_does_not_end_it),
		TEST(a_disk_that_keeps_frames_after_an_error_is_not_asked_again),
		TEST(silence_ends_it),
		TEST(frames_that_the_device_keeps_are_not_freed),
		TEST(without_memory_that_is_said),
		TEST(ctrl_c_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
