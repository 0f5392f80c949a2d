/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/run.sh: the memory of a guest, what may come to it, and where it goes when it is short:
 * MEM, GROW, SWAP, COURSE.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/script_harness.h"

static void sizes_are_those_of_everywhere_else(void **state)
{
	static const struct {
		const char *mem, *size;
	} good[] = {
		{ "1G", "size=1G," },
		{ "1g", "size=1g," },
		{ "64MiB", "size=67108864," },
		{ "64MB", "size=67108864," },
		{ "1.5G", "size=1610612736," },
		{ "67108864", "size=67108864," },
		{ "100000000", "size=100003840," },
		{ "0.25GiB", "size=268435456," },
		{ "0001.50G", "size=1610612736," },
		{ "32T", "size=32T," },
		{ "31.999999T", "size=35184370991104," },
	};
	static const char *const bad[] = { "64X",  "much", "1.5",  "1..5G",
					   ".5G",  "5.G",  "-1G",  "1 G",
					   "1Gi",  "512",  "0.5M", "33T",
					   "1G,x", "0",	   "1e9G", "99999999999999999999G" };
	char says[80];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		setenv("MEM", good[i].mem, 1);
		assert_end(script_run("", "--print"), 0, good[i].size);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("MEM", bad[i], 1);
		snprintf(says, sizeof(says), "!run.sh: MEM=%s is ", bad[i]);
		assert_end(script_run("", "--print"), 125, says);
	}
}

static void growth_is_a_device_and_slots(void **state)
{
	static const struct {
		const char *mem, *grow, *slots, *backend;
	} cases[] = {
		{ "1G", "8G", "\nslots=16,maxmem=25G\n", ",id=grow,size=8192M,reserve=off\n" },
		{ "100000000", "1.5GiB", "\nslots=16,maxmem=19G\n", ",size=1536M," },
		{ "1025M", "1026M", "\nslots=16,maxmem=20G\n", ",size=1026M," },
		{ "64M", "4194304", "\nslots=16,maxmem=18G\n", ",size=4M," },
		{ "64M", "2M", "\nslots=16,maxmem=18G\n", ",size=2M," },
		{ "1G", "15T", "\nslots=16,maxmem=15377G\n", ",size=15728640M," },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("MEM", cases[i].mem, 1);
		setenv("GROW", cases[i].grow, 1);
		assert_end(script_run("", "--print"), 0, cases[i].slots);
		assert_end(script_run("", "--print"), 0, cases[i].backend);
		assert_end(script_run("", "--print"), 0,
			   "\n-device\nvirtio-mem-pci,id=mem0,memdev=grow,requested-size=0\n");
	}
	assert_end(script_run("", "--print"), 0, "\nmax,phys-bits=46\n");
	setenv("GROW", "", 1);
	assert_null(strstr(script_run("", "--print")->out, "slots"));
	assert_null(strstr(script_run("", "--print")->out, "virtio-mem"));
}

static void growth_that_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *grow, *says;
	} cases[] = {
		{ "3M", "!GROW=3M is no number of whole blocks, which have 2 MiB: write 2M or 4M" },
		{ "1M", "!which have 2 MiB: write 2M\n" },
		{ "2097153", "!which have 2 MiB: write 2M or 4M" },
		{ "16T", "!GROW=16T is out of range: 2M to 15T" },
		{ "999999999999T", "!is out of range: 2M to 15T" },
		{ "0", "!GROW=0 is out of range: 2M to 15T" },
		{ "much", "!GROW=much is no size: write 256M" },
		{ "8G,x", "!GROW=8G,x is no size: write 256M" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("GROW", cases[i].grow, 1);
		assert_end(script_run("", "--print"), 125, cases[i].says);
	}
	setenv("GROW", "8G", 1);
	setenv("MACHINE", "microvm", 1);
	assert_end(script_run("", "--print"), 125,
		   "!a microvm has no virtio-mem: take MACHINE=q35 or pc");
}

/* The least that is let through has room, and what is refused has none. */
static void growth_is_as_much_as_memory_has_books_for(void **state)
{
	static const struct {
		const char *grow, *least, *refused, *says;
	} cases[] = {
		{ "2T", "16M", NULL, NULL },
		{ "2097154M", "17M", "16M", "!GROW=2097154M is more than a guest of 16M has" },
		{ "4T", "17M", "16M", "!in its books: write MEM=17M\n" },
		{ "9T", "33M", "32M", "!in its books: write MEM=33M\n" },
		{ "15T", "65M", "64M", "!in its books: write MEM=65M\n" },
	};

	(void)state;
	setenv("APPEND", "run=\"lsmem; exit 0\"", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct program_end *ended;

		setenv("GROW", cases[i].grow, 1);
		setenv("MEM", cases[i].least, 1);
		ended = script_run("", "--quiet");
		assert_end(ended, 0, "virtio-mem 0000:");
		assert_string_equal(ended->err, "");
		if (!cases[i].refused)
			continue;
		setenv("MEM", cases[i].refused, 1);
		assert_end(script_run("", "--print"), 125, cases[i].says);
	}
}

static void growth_under_uefi_needs_more(void **state)
{
	(void)state;
	setenv("FIRMWARE", "uefi", 1);
	setenv("GROW", "15T", 1);
	setenv("MEM", "95M", 1);
	assert_end(script_run("", "--print"), 125, "!in its books: write MEM=96M\n");
	setenv("MEM", "96M", 1);
	assert_end(script_run("", "--print"), 0, ",maxmem=15377G\n");
}

/* The device brings all that it may beside a DIMM in each slot. */
static void qemu_starts_with_what_may_come(void **state)
{
	static const char *const machines[] = { "q35", "pc" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_start(&(struct guest_options){
			.machine = machines[i],
			.mem = "100000000",
			.grow = "1026M",
			.extra = "-S -object memory-backend-ram,id=d0,size=16G,reserve=off "
				 "-device pc-dimm,memdev=d0" });
		char *text;

		assert_qmp(vm, qmp_human(vm_qmp(vm), "qom-set mem0 requested-size 1026M", &text));
		assert_string_equal(text, "");
		free(text);
		assert_qmp(vm, qmp_human(vm_qmp(vm), "info memory-devices", &text));
		assert_non_null(strstr(text, "requested-size: 1075838976"));
		assert_non_null(strstr(text, "size: 17179869184"));
		free(text);
		harness_stop(vm);
	}
}

/* ---- Memory that can be taken back ---- */

#define COURSE_TEXT "time_s,left_bytes,guest_available_bytes\n0,9000000,8000000\n"

/* Counts files in a folder. */
static unsigned count_files(const char *path)
{
	DIR *folder = opendir(path);
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void swap_is_a_disk_that_the_guest_uses(void **state)
{
	static const char *const machines[] = { "q35", "pc", "microvm" };
	char folder[160];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/swap", balloonctl_folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	setenv("TMPDIR", folder, 1);
	setenv("SWAP", "96M", 1);
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		setenv("MACHINE", machines[i], 1);
		assert_end(script_run("stress anon 80M\nsleep 1\nshow_mem\n", "--quiet"), 0,
			   "SwapTotal:           98300 kB");
	}
	/* What the person has the guest do is done as well. */
	setenv("APPEND", "run=\"show_mem\"", 1);
	setenv("SWAP", "10000", 1);
	assert_end(script_run("", "--quiet"), 0, "SwapTotal:               4 kB");
	unsetenv("TMPDIR");
	assert_int_equal(count_files(folder), 2);
	assert_int_equal(rmdir(folder), 0);
}

static void swap_of_a_wrong_size_is_refused(void **state)
{
	static const struct {
		const char *swap, *says;
	} bad[] = {
		{ "much", "!run.sh: SWAP=much is no size: write 256M, 1.5G, 64MiB or bytes" },
		{ "-1M", "!run.sh: SWAP=-1M is no size" },
		{ "1M,x", "!run.sh: SWAP=1M,x is no size" },
		{ "0", "!run.sh: SWAP=0 is out of range: 8K to 15T" },
		{ "8191", "!run.sh: SWAP=8191 is out of range" },
		{ "16T", "!run.sh: SWAP=16T is out of range" },
		{ "99999999999999G", "!run.sh: SWAP=99999999999999G is out of range" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("SWAP", bad[i].swap, 1);
		assert_end(script_run("", "--print"), 125, bad[i].says);
	}
	setenv("SWAP", "8K", 1);
	assert_end(script_run("", "--print"), 0, ",size=8192,");
	setenv("SWAP", "15T", 1);
	assert_end(script_run("", "--print"), 0, ",size=16492674416640,");
}

/* A name of any kind, and the guest plays it. */
static void a_course_comes_with_the_guest(void **state)
{
	char path[160];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/a day, at 10.csv", balloonctl_folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(COURSE_TEXT, file);
	assert_int_equal(fclose(file), 0);
	setenv("COURSE", path, 1);
	assert_end(script_run("stress course\n", "--quiet"), 0,
		   "stress: 1 points, 0.000 s, at most 976 kB\n");
	setenv("FIRMWARE", "qboot", 1);
	assert_end(script_run("stress course\n", "--quiet"), 0, "at most 976 kB\n");
	unlink(path);
	assert_end(script_run("", "--print"), 125,
		   "!/a day, at 10.csv is missing: COURSE names a file");
}

static void a_course_that_cannot_be_is_refused(void **state)
{
	(void)state;
	setenv("COURSE", "/nosuch.csv", 1);
	assert_end(script_run("", "--print"), 125,
		   "!run.sh: /nosuch.csv is missing: COURSE names a file that balloonctl record");
	setenv("COURSE", balloonctl_folder, 1);
	assert_end(script_run("", "--print"), 125, "! is no file with anything in it");
	setenv("COURSE", "/dev/null", 1);
	assert_end(script_run("", "--print"), 125, "! is no file with anything in it");
	setenv("COURSE", SCRIPT, 1);
	setenv("FIRMWARE", "uefi", 1);
	assert_end(script_run("", "--print"), 125, "!UEFI loads no file beside the guest");
	unsetenv("FIRMWARE");
	setenv("HYPERVISOR", "plain", 1);
	assert_end(script_run("", "--print"), 125,
		   "!with HYPERVISOR=plain the guest itself is what");
	unsetenv("HYPERVISOR");
	assert_end(script_run("stress course\n", "--quiet"), 1,
		   "stress: the course cannot be played: line 1 lacks time_s");
}

int run_script_memory_tests(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(sizes_are_those_of_everywhere_else),
		SCRIPT_TEST(growth_is_a_device_and_slots),
		SCRIPT_TEST(growth_that_cannot_be_is_refused),
		SCRIPT_TEST(growth_is_as_much_as_memory_has_books_for),
		SCRIPT_TEST(growth_under_uefi_needs_more),
		TEST(qemu_starts_with_what_may_come),
		SCRIPT_TEST(swap_is_a_disk_that_the_guest_uses),
		SCRIPT_TEST(swap_of_a_wrong_size_is_refused),
		SCRIPT_TEST(a_course_comes_with_the_guest),
		SCRIPT_TEST(a_course_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests_name("run.sh memory", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
