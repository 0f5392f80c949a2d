/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `stress course`: a guest has as much memory in use as a recording says, and gives it back; what
 * is no recording is one line. A course is told from its touches, which are as many as the pages by
 * which it grew, and from the memory that it comes to rest with.
 */
#include "tests/integration/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/deadline.h"

#define POLL_US 50000
#define HEAD "time_s,left_bytes,guest_available_bytes\n"

/* At any speed, later than a test lasts. */
#define NEVER "900000000,100,100\n"

/* ---- A guest with a course ---- */

/* A file of that text without a name: it goes with the test's process. */
static int make_file(const char *text)
{
	char path[] = "/tmp/aerostat-course-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* With a swap disk of 128 MiB, if that is wanted. */
static struct vm *boot_with(int fd, bool swap)
{
	static const char disk[] = " -drive if=none,id=swap,driver=null-co,size=128M,"
				   "read-zeroes=on,snapshot=on"
				   " -device virtio-blk-pci,drive=swap,serial=SW";
	char extra[512];

	snprintf(extra, sizeof(extra), "-initrd /proc/%d/fd/%d%s", (int)getpid(), fd,
		 swap ? disk : "");
	return harness_boot(&(struct guest_options){
		.mem = "64M", .append = swap ? "swap=SW" : "", .extra = extra });
}

/* The number after `name` in a text; -1: it is not there. */
static int64_t number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

/* Memory of workloads, in memory or on the swap disk, in KiB. */
static int64_t used_kib(struct vm *vm)
{
	char *text = harness_command(vm, "show_mem");
	int64_t total = number_after(text, "SwapTotal:"),
		free_kib = number_after(text, "SwapFree:");
	int64_t anonymous = number_after(text, "Anon:");

	free(text);
	return anonymous < 0 ? -1 : anonymous + total - free_kib;
}

static void wait_used(struct vm *vm, int64_t wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS), got = used_kib(vm);

	while (got != wanted && deadline_left(deadline)) {
		usleep(POLL_US);
		got = used_kib(vm);
	}
	if (got != wanted)
		fail_msg("%ld kB are in use, not %ld", (long)got, (long)wanted);
}

/* It is over: nobody has anything, and no page was wrong. */
static void check_over(struct vm *vm, const char *why)
{
	harness_wait_says(vm, "stress", "no workload runs", true);
	harness_wait_says(vm, "owners -j", "\"anonymous\":0,", true);
	harness_command_says(vm, "dmesg", why);
	harness_command_says(vm, "audit", "Ledger: ok");
}

/* ---- Played ---- */

/* 10 MiB, 100 MiB, more than there is, and 5 MiB; what nobody knew changes nothing. */
static void a_recorded_course_is_played(void **state)
{
	int fd = make_file(HEAD "0.000,209715200,199229440\n"
				"150,209715200,104857600\n"
				"180.5,,\n"
				"200,209715200,204472320\n"
				"250,209715200,\n" NEVER);
	struct vm *vm = boot_with(fd, true);

	(void)state;
	harness_command_says(vm, "stress course --speed 100",
			     "stress: 6 points, 900000000.000 s, at most 102400 kB\n");
	harness_wait_says(vm, "stress", ": 25600 touches", true);
	wait_used(vm, 5120);
	harness_command_says(vm, "stress", "course 100.0 MiB");
	/* In its middle. */
	harness_command_says(vm, "stress stop all", "");
	check_over(vm, "has ended: stopped");
	harness_command_says(vm, "show_mem", "SwapFree:           131068 kB");
	harness_stop(vm);
	close(fd);
}

static void at_its_end_a_course_ends_by_itself(void **state)
{
	int fd = make_file(HEAD "0,20971520,0\n100,20971520,10485760\n200.25,20971520,0\n");
	struct vm *vm = boot_with(fd, false);

	(void)state;
	/* Once more, and as fast as can be. */
	for (int i = 0; i < 2; i++) {
		harness_command_says(
			vm, i == 0 ? "stress course --speed 100" : "stress course --speed 1000",
			"stress: 3 points, 200.250 s, at most 20480 kB\n");
		check_over(vm, "has ended: its course is over");
	}
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	harness_wait_status(vm, 1);
	harness_stop(vm);
	close(fd);
}

static void a_course_of_more_than_there_is_ends_as_any_workload(void **state)
{
	int fd = make_file(HEAD "0,209715200,0\n" NEVER);
	struct vm *vm = boot_with(fd, false);

	(void)state;
	harness_command_says(vm, "stress course", "at most 204800 kB\n");
	check_over(vm, "out of memory");
	harness_stop(vm);
	close(fd);
}

/* ---- None ---- */

/* A guest with that file says just this, and `exit` tells that something failed. */
static void check_refusal(const char *text, const char *command, const char *says)
{
	int fd = text ? make_file(text) : -1;
	struct vm *vm = text ? boot_with(fd, false)
			     : harness_boot(&(struct guest_options){ .mem = "64M" });
	char *answer = harness_command(vm, command);

	if (strcmp(answer, says) != 0)
		fail_msg("`%s` says: %s", command, answer);
	free(answer);
	harness_command_says(vm, "stress", "no workload runs");
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	harness_wait_status(vm, 1 << 1 | 1);
	harness_stop(vm);
	if (text)
		close(fd);
}

static void what_is_no_course_is_one_line(void **state)
{
	(void)state;
	check_refusal(NULL, "stress course",
		      "stress: there is no course; start with COURSE=FILE, which balloonctl "
		      "record wrote\n");
	check_refusal(HEAD "0,9,8\n1,9", "stress course",
		      "stress: the course cannot be played: line 3 is cut: it has no end\n");
	check_refusal(HEAD "0,9,8\n1,9;8\n", "stress course --speed 2",
		      "stress: the course cannot be played: line 3 is damaged\n");
	check_refusal(HEAD "0,18446744073709551615,0\n", "stress course --speed 0",
		      "stress: --speed 0 is not from 1 to 1000\n");
}

int pressure_course_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_recorded_course_is_played),
		TEST(at_its_end_a_course_ends_by_itself),
		TEST(a_course_of_more_than_there_is_ends_as_any_workload),
		TEST(what_is_no_course_is_one_line),
	};

	return cmocka_run_group_tests_name("pressure_course", tests, NULL, NULL);
}
