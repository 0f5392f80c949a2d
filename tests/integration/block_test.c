/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks: found, read and summed up on every transport and ring; plugged in and out, resized;
 * disks that fail, that are throttled, and that do not answer. Nothing is written here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"
#include "tools/deadline.h"

/* Of requests of 128 KiB it is no whole number, and the disk is a bit longer. */
#define DISK_PAGES 1237u
#define DISK_SIZE (DISK_PAGES * FRAME + 1024)

/* A disk of zeros without anything behind it. */
#define ZEROES "-blockdev null-co,node-name=d,read-zeroes=on,size=67108864"

/* Likewise, for what only -drive takes. */
#define ZEROES_DRIVE "-drive if=none,id=d,driver=null-co,read-zeroes=on,size=64M"

static char path[] = "/tmp/aerostat-disk-XXXXXX";
static uint64_t sum_of_all;

/* Random bytes; sums up, as FNV-1a does, what is in whole pages. */
static int make_disk(void **state)
{
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	if (!file)
		return -1;
	sum_of_all = UINT64_C(0xcbf29ce484222325);
	srandom(20261127);
	for (unsigned i = 0; i < DISK_SIZE; i++) {
		int byte = (int)(random() & 0xff);

		putc(byte, file);
		if (i < DISK_PAGES * FRAME)
			sum_of_all = (sum_of_all ^ (unsigned)byte) * UINT64_C(0x100000001b3);
	}
	return fclose(file);
}

static int remove_disk(void **state)
{
	(void)state;
	return unlink(path);
}

static struct vm *boot(const char *machine, const char *extra)
{
	return harness_boot(&(struct guest_options){
		.machine = machine, .mem = "64M", .balloon = "none", .extra = extra });
}

/* The first disk's member of `lsblk -j`; the caller's by json_object_put(). */
static struct json_object *lsblk(struct vm *vm)
{
	struct json_object *all = harness_json(vm, "lsblk -j"), *disk;

	if (json_pointer_get(all, "/disks/0", &disk))
		fail_msg("there is no disk");
	json_object_get(disk);
	json_object_put(all);
	return disk;
}

static uint64_t number_of(struct vm *vm, const char *name)
{
	struct json_object *disk = lsblk(vm);
	uint64_t number = harness_number(disk, name);

	json_object_put(disk);
	return number;
}

static void check_broken(struct vm *vm, const char *why)
{
	struct json_object *disk = lsblk(vm), *broken;

	assert_true(json_object_object_get_ex(disk, "broken", &broken));
	if (!why)
		assert_null(broken);
	else
		assert_string_equal(json_object_get_string(broken), why);
	json_object_put(disk);
}

/* ---- Every way to a disk ---- */

static void read_all(const char *machine, const char *more, const char *device)
{
	char extra[512], line[64];
	struct vm *vm;

	snprintf(extra, sizeof(extra),
		 "-drive if=none,id=d,format=raw,readonly=on,file=%s %s-device "
		 "%s,drive=d,serial=disk-0",
		 path, more, device);
	vm = boot(machine, extra);
	harness_command_says(vm, "lsblk", "vda     4949K ro ");
	harness_command_says(vm, "lsblk", " disk-0\n");
	snprintf(line, sizeof(line), "FNV-1a (64 bits): %016" PRIx64, sum_of_all);
	harness_command_says(vm, "disk_read vda", line);
	assert_int_equal(number_of(vm, "read"), DISK_PAGES * FRAME);
	assert_int_equal(number_of(vm, "size"), DISK_SIZE);
	assert_int_equal(number_of(vm, "errors"), 0);
	check_broken(vm, NULL);
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_stop(vm);
}

static void a_disk_is_read_on_pc_and_q35(void **state)
{
	(void)state;
	read_all("pc", "", "virtio-blk-pci");
	read_all("q35", "", "virtio-blk-pci");
}

static void a_legacy_disk_is_read(void **state)
{
	(void)state;
	read_all("pc", "", "virtio-blk-pci,disable-modern=on");
	read_all("pc", "", "virtio-blk-pci,disable-modern=on,vectors=0");
}

static void a_disk_is_read_through_a_packed_ring(void **state)
{
	(void)state;
	read_all("pc", "", "virtio-blk-pci,disable-legacy=on,packed=on");
	read_all("pc", "",
		 "virtio-blk-pci,disable-legacy=on,packed=on,event_idx=off,"
		 "indirect_desc=off,vectors=0");
}

/* Requests of two pieces in a ring of four. */
static void a_disk_is_read_through_a_small_ring(void **state)
{
	(void)state;
	read_all("q35", "", "virtio-blk-pci,queue-size=4");
	read_all("q35", "", "virtio-blk-pci,queue-size=1024,event_idx=off");
}

static void a_disk_of_microvm_is_read(void **state)
{
	(void)state;
	read_all("microvm", "-global virtio-mmio.force-legacy=true ", "virtio-blk-device");
	read_all("microvm", "-global virtio-mmio.force-legacy=false ", "virtio-blk-device");
	read_all("microvm", "-global virtio-mmio.force-legacy=false ",
		 "virtio-blk-device,packed=on");
}

/* ---- Disks that come, go and change ---- */

static void a_disk_comes_and_goes(void **state)
{
	struct vm *vm = boot("pc", ZEROES);
	uint64_t free_before = 0;

	(void)state;
	harness_command_says(vm, "lsblk", "no disk\n");
	for (unsigned i = 0; i < 3; i++) {
		harness_monitor_when_free(vm, "device_add virtio-blk-pci,id=hot,drive=d,serial=hot",
					  "Permission conflict");
		harness_wait_says(vm, "lsblk", " hot\n", true);
		harness_command_says(vm, "disk_read vda 300", "FNV-1a");
		harness_monitor(vm, "device_del hot");
		harness_wait_says(vm, "lsblk", "no disk", true);
		harness_wait_says(vm, "lspci", "block", false);
		/* The page tables of its window stay. */
		if (i > 0)
			assert_int_equal(harness_memory(vm).free, free_before);
		free_before = harness_memory(vm).free;
	}
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_stop(vm);
}

/* What is written, as a new size is, goes to a file of QEMU's own. */
static void a_disk_is_resized(void **state)
{
	char extra[512];
	struct vm *vm;

	(void)state;
	snprintf(
		extra, sizeof(extra),
		"-drive if=none,id=d,format=raw,snapshot=on,file=%s -device virtio-blk-pci,drive=d",
		path);
	vm = boot("q35", extra);
	harness_command_says(vm, "lsblk", "vda     4949K rw ");
	harness_monitor(vm, "block_resize d 96M");
	harness_wait_says(vm, "lsblk", "vda       96M rw ", true);
	harness_command_says(vm, "dmesg", "98304 KiB now, 4949 KiB before");
	harness_command_says(vm, "disk_read vda 24576", "vda: 100663296 bytes read");
	harness_stop(vm);
}

/* ---- Disks that are not well ---- */

/*
 * Sector 65536 cannot be read: all before it can, and so can the disk after that. QEMU makes one of
 * as many requests as it finds, up to four, and then all of them fail; the page does so alone.
 */
static void a_bad_sector_is_an_error_of_its_own(void **state)
{
	struct vm *vm = boot(
		"pc", "-drive if=none,id=d,driver=blkdebug,image.driver=null-co,"
		      "image.read-zeroes=on,image.size=64M,inject-error.0.event=none,"
		      "inject-error.0.iotype=read,inject-error.0.errno=5,"
		      "inject-error.0.sector=65536 -device virtio-blk-pci,drive=d,rerror=report");

	(void)state;
	harness_command_says(vm, "disk_read vda", "vda: page 8192 of 16384 cannot be read");
	assert_in_range(number_of(vm, "errors"), 2, 5);
	harness_command_says(vm, "disk_read vda 8192", "vda: 33554432 bytes read");
	check_broken(vm, NULL);
	harness_stop(vm);
}

/*
 * Ten requests a second of the host's: two are under way, or three where one came late; more
 * where the guest itself stood still.
 */
static void a_throttled_disk_has_little_room(void **state)
{
	struct vm *vm = boot("pc", ZEROES_DRIVE ",throttling.iops-total=10"
						" -device virtio-blk-pci,drive=d");
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	(void)state;
	do
		harness_command_says(vm, "disk_read vda 320", "vda: 1310720 bytes read");
	while (number_of(vm, "room") > 3 && deadline_left(deadline));
	assert_in_range(number_of(vm, "room"), 2, 3);
	check_broken(vm, NULL);
	harness_stop(vm);
}

static void check_silent(struct vm *vm)
{
	harness_command_says(vm, "disk_read vda", "vda: page 0 of 16384 cannot be read");
	check_broken(vm, "it has not answered for 2 s");
	assert_int_equal(number_of(vm, "in_flight"), 0);
	harness_command_says(vm, "dmesg", "it stays so until it is plugged anew");
	harness_command_says(vm, "disk_read vda", "vda is broken");
	harness_command_says(vm, "audit", "Ledger: ok (");
	harness_stop(vm);
}

static void a_disk_that_does_not_answer_is_given_up(void **state)
{
	(void)state;
	check_silent(boot("pc", ZEROES_DRIVE ",throttling.bps-total=1"
					     " -device virtio-blk-pci,drive=d"));
	/* An answer that comes while the device is being reset. */
	check_silent(boot("q35", ZEROES ",latency-ns=4000000000 -device virtio-blk-pci,drive=d"));
}

int block_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_disk_is_read_on_pc_and_q35),
		TEST(a_legacy_disk_is_read),
		TEST(a_disk_is_read_through_a_packed_ring),
		TEST(a_disk_is_read_through_a_small_ring),
		TEST(a_disk_of_microvm_is_read),
		TEST(a_disk_comes_and_goes),
		TEST(a_disk_is_resized),
		TEST(a_bad_sector_is_an_error_of_its_own),
		TEST(a_throttled_disk_has_little_room),
		TEST(a_disk_that_does_not_answer_is_given_up),
	};

	return cmocka_run_group_tests_name("block", tests, make_disk, remove_disk);
}
