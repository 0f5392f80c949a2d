/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks for swap: only the one that was meant is written, and one that fails ends in a word, and at
 * worst in a task's end.
 */
#include "tests/integration/pressure_harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

/* ---- Which disks ---- */

#define SECTOR_SIGNATURE 4086

static void write_signature(int fd, const char *signature, uint32_t version)
{
	uint32_t last = 4095;

	assert_int_equal(pwrite(fd, signature, strlen(signature), SECTOR_SIGNATURE),
			 (ssize_t)strlen(signature));
	assert_int_equal(pwrite(fd, &version, sizeof(version), 1024), sizeof(version));
	assert_int_equal(pwrite(fd, &last, sizeof(last), 1028), sizeof(last));
}

static void only_a_disk_that_is_meant_is_written(void **state)
{
	static const char *const serials[] = { "PLAIN", "ASLEEP", "OLD", "RO", "GOOD" };
	int fd[5];
	char extra[2048] = "";
	struct vm *vm;

	(void)state;
	for (int i = 0; i < 5; i++)
		fd[i] = pressure_make_file(32 * MIB);
	write_signature(fd[1], "S1SUSPEND", 1);
	write_signature(fd[2], "SWAPSPACE2", 2);
	write_signature(fd[3], "SWAPSPACE2", 1);
	write_signature(fd[4], "SWAPSPACE2", 1);
	for (int i = 0; i < 5; i++)
		pressure_add_disk(extra, sizeof(extra), serials[i], fd[i],
				  i == 3 ? ",read-only=on" : "");
	vm = harness_boot(&(struct guest_options){
		.mem = "64M", .append = "swap=auto cache=PLAINS", .extra = extra });
	harness_command_says(vm, "dmesg", "holds the memory of a Linux that hibernates");
	harness_command_says(vm, "dmesg", "swap of a version that is not 1");
	harness_command_says(vm, "dmesg",
			     "no disk has the serial of cache=PLAINS; there are: PLAIN");
	/* As many slots as the header says, of which the first is the header's. */
	harness_command_says(vm, "show_mem", "SwapTotal:           16380 kB");
	harness_command_says(vm, "stress anon 70M", "stress ");
	pressure_wait_workload(vm, "anon 70.0 MiB", " touches", 17920);
	pressure_stop_all(vm);
	harness_stop(vm);
	for (int i = 0; i < 5; i++) {
		char byte = 0;
		bool swap = i == 4;

		for (off_t at = 4096; at < 32 * (off_t)MIB && byte == 0; at += 4096)
			assert_int_equal(pread(fd[i], &byte, 1, at), 1);
		if (!!byte != swap)
			fail_msg("disk %s was %swritten", serials[i], swap ? "not " : "");
		close(fd[i]);
	}
}

/* ---- Disks that fail ---- */

/* A guest of 64 MiB that swaps to the file through a filter of QEMU's, above the node `file`. */
static struct vm *boot_with_filter(int swap, const char *filter)
{
	char extra[1024];

	snprintf(extra, sizeof(extra),
		 " -blockdev driver=file,filename=/proc/%d/fd/%d,node-name=file"
		 " -blockdev node-name=SW,%s"
		 " -device virtio-blk-pci,drive=SW,serial=SW,rerror=report,werror=report",
		 (int)getpid(), swap, filter);
	return harness_boot(
		&(struct guest_options){ .mem = "64M", .append = "swap=SW", .extra = extra });
}

static void a_page_that_cannot_be_read_ends_its_task_alone(void **state)
{
	int swap = pressure_make_file(128 * MIB);
	/* Every read from the fortieth megabyte on fails. */
	struct vm *vm = boot_with_filter(swap,
					 "driver=blkdebug,image=file,"
					 "inject-error.0.event=none,inject-error.0.iotype=read,"
					 "inject-error.0.sector=81920,inject-error.0.once=off");

	(void)state;
	harness_command_says(vm, "stress anon 4M", "stress ");
	harness_command_says(vm, "stress anon 110M --pattern loop", "stress ");
	harness_wait_says(vm, "dmesg", "a page could not be read from its disk", true);
	harness_command_says(vm, "stress", "anon 4.0 MiB");
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

static void a_disk_that_does_not_take_pages_leaves_them_in_memory(void **state)
{
	int swap = pressure_make_file(64 * MIB);
	struct vm *vm = boot_with_filter(swap,
					 "driver=blkdebug,image=file,"
					 "inject-error.0.event=none,inject-error.0.iotype=write,"
					 "inject-error.0.once=off");

	(void)state;
	harness_command_says(vm, "stress anon 90M", "stress ");
	harness_wait_says(vm, "dmesg", "did not take", true);
	/* In the end there is no room: then the task ends, and nothing is wrong. */
	harness_wait_says(vm, "dmesg", "out of memory", true);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

static void a_disk_that_is_pulled_out_ends_those_whose_memory_it_had(void **state)
{
	int swap = pressure_make_file(128 * MIB);
	char extra[512] = "";
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	vm = harness_boot(&(struct guest_options){
		.machine = "pc", .mem = "64M", .append = "swap=SW", .extra = extra });
	harness_command_says(vm, "stress anon 80M --pattern loop", "stress ");
	pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 2000);
	harness_monitor(vm, "device_del disk-SW");
	harness_wait_says(vm, "dmesg", "its memory was on a swap disk that is gone", true);
	harness_wait_says(vm, "stress", "no workload runs", true);
	pressure_stop_all(vm);
	harness_command_says(vm, "stress anon 8M", "stress ");
	pressure_wait_workload(vm, "anon 8.0 MiB", " touches", 2048);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

static void nobody_is_killed_for_a_disk_that_is_slow(void **state)
{
	int swap = pressure_make_file(128 * MIB);
	struct vm *vm = boot_with_filter(swap, "driver=throttle,file=file,throttle-group=slow"
					       " -object throttle-group,id=slow,x-iops-total=10");

	(void)state;
	harness_command_says(vm, "stress anon 66M", "stress ");
	pressure_wait_workload(vm, "anon 66.0 MiB", " touches", 16896);
	harness_command_says(vm, "stress anon 40M --pattern loop", "stress ");
	pressure_wait_situation(vm, "stalls", "\"cause\":\"disk\"");
	harness_wait_says(vm, "dmesg", "out of memory", false);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

/* A byte a second from now on. */
static void silence(struct vm *vm)
{
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-set",
				   json_tokener_parse("{'path':'/objects/slow','property':'limits',"
						      "'value':{'bps-total':1}}"),
				   NULL));
}

static void a_disk_that_falls_silent_ends_those_whose_memory_it_had(void **state)
{
	int swap = pressure_make_file(128 * MIB);
	struct vm *vm = boot_with_filter(swap, "driver=throttle,file=file,throttle-group=slow"
					       " -object throttle-group,id=slow");

	(void)state;
	harness_command_says(vm, "stress anon 4M", "stress ");
	harness_command_says(vm, "stress anon 80M --pattern loop", "stress ");
	pressure_wait_workload(vm, "anon 80.0 MiB", " pages verified", 2000);
	silence(vm);
	harness_wait_says(vm, "dmesg", "it has not answered for 2 s", true);
	harness_wait_says(vm, "dmesg", "its memory was on a swap disk that is gone", true);
	harness_wait_says(vm, "stress", "anon 80.0 MiB", false);
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

int pressure_disk_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_a_disk_that_is_meant_is_written),
		TEST(a_page_that_cannot_be_read_ends_its_task_alone),
		TEST(a_disk_that_does_not_take_pages_leaves_them_in_memory),
		TEST(a_disk_that_is_pulled_out_ends_those_whose_memory_it_had),
		TEST(nobody_is_killed_for_a_disk_that_is_slow),
		TEST(a_disk_that_falls_silent_ends_those_whose_memory_it_had),
	};

	return cmocka_run_group_tests_name("pressure_disk", tests, NULL, NULL);
}
