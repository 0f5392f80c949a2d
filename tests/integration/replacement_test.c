/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page cache hits as often as the same rules do on paper: the same touches are
 * played to mm/replacement.c here, without a kernel, with as many pages as there are cached.
 */
#include "tests/integration/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/paper_cache.h"
#include "tools/deadline.h"

#define POLL_US 50000
#define PAGES (100 * 256ull) /* 100 MiB, in a guest of 64 */
#define PASSES 6
#define SEED 3

/* ---- In the guest ---- */

static uint64_t disk_read(struct vm *vm)
{
	struct json_object *all = harness_json(vm, "lsblk -j"), *disks;
	uint64_t bytes;

	assert_true(json_object_object_get_ex(all, "disks", &disks));
	bytes = harness_number(json_object_array_get_idx(disks, 0), "read");
	json_object_put(all);
	return bytes;
}

static void wait_done(struct vm *vm)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char *text = harness_command(vm, "stress");

	while (!strstr(text, "done") && deadline_left(deadline)) {
		usleep(POLL_US);
		free(text);
		text = harness_command(vm, "stress");
	}
	if (!strstr(text, "done"))
		fail_msg("the workload does not end: %s", text);
	free(text);
}

/* The first pass reads each page once, and from then on each miss reads one. */
static void check_pattern(const char *pattern)
{
	const double touches = (PASSES - 1) * (double)PAGES;
	uint64_t misses, frames;
	double kernel, on_paper;
	char line[128];
	struct vm *vm = harness_boot(&(struct guest_options){
		.mem = "64M",
		.append = "cache=CA",
		.extra = "-blockdev driver=null-co,node-name=CA,size=268435456,read-zeroes=on "
			 "-device virtio-blk-pci,drive=CA,serial=CA" });

	snprintf(line, sizeof(line), "stress cache 100M --pattern %s --passes %d --seed %d",
		 pattern, PASSES, SEED);
	harness_command_says(vm, line, "stress ");
	wait_done(vm);
	misses = disk_read(vm) / FRAME - PAGES;
	frames = harness_number(harness_json(vm, "show_mem -j"), "cached") / FRAME;
	harness_stop(vm);
	kernel = 100 * (1 - (double)misses / touches);
	on_paper = 100 *
		   (1 - (double)paper_cache_misses(pattern, PAGES, PASSES, SEED, (uint32_t)frames) /
				touches);
	print_message("%s: %.2f %% hits in the kernel, %.2f %% on paper, %lu frames\n", pattern,
		      kernel, on_paper, frames);
	if (kernel > on_paper + 1 || kernel < on_paper - 1)
		fail_msg("%s: %.2f %% hits in the kernel, %.2f %% on paper", pattern, kernel,
			 on_paper);
}

static void the_kernel_hits_as_often_as_its_rules_on_paper(void **state)
{
	(void)state;
	check_pattern("zipf");
	check_pattern("rand");
}

int replacement_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_hits_as_often_as_its_rules_on_paper),
	};

	return cmocka_run_group_tests_name("replacement", tests, NULL, NULL);
}
