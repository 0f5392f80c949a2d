/* SPDX-License-Identifier: BSD-2-Clause */
/* Situations of memory pressure, each by a command, and named in words. SLOW=1: three times. */
#include "tests/integration/pressure_harness.h"

#include <stdio.h>
#include <unistd.h>

/* ---- Situations ---- */

/* One way into a situation; the next one follows at once. */
static void check_situation(struct vm *vm, const char *command, const char *word, const char *cause)
{
	harness_command_says(vm, command, "stress");
	pressure_wait_situation(vm, word, cause);
	pressure_stop_all(vm);
}

static void each_situation_is_named(void **state)
{
	int swap = pressure_make_file(256 * MIB), cache = pressure_make_file(512 * MIB);
	char extra[1024] = "";
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	pressure_add_disk(extra, sizeof(extra), "CA", cache, ",read-only=on");
	vm = harness_boot(&(struct guest_options){
		.mem = "64M", .append = "swap=SW cache=CA", .extra = extra });
	pressure_wait_situation(vm, "none", NULL);
	for (unsigned i = 0; i < pressure_rounds(); i++) {
		check_situation(vm, "stress anon 200M", "effective", NULL);
		check_situation(vm, "stress anon 80M --pattern loop", "thrashing", NULL);
		check_situation(vm, "stress anon 30M --limit 4M --pattern loop", "stalls",
				"\"cause\":\"limit\"");
	}
	pressure_wait_situation(vm, "none", NULL);
	harness_stop(vm);
	close(swap);
	close(cache);
}

/* No more than some 400 KiB stay free: less than the low watermark, and more than the reserve. */
static void short_of_memory_with_swap_full_reclaim_is_in_vain(void **state)
{
	int swap = pressure_make_file(8 * MIB);
	char extra[512] = "", hold[64];
	struct vm *vm;

	(void)state;
	pressure_add_disk(extra, sizeof(extra), "SW", swap, "");
	vm = harness_boot(&(struct guest_options){
		.mem = "64M", .append = "swap=SW floor=0", .extra = extra });
	harness_command_says(vm, "stress anon 70464K", "stress ");
	pressure_wait_workload(vm, "anon 68.8 MiB", " touches", 17616);
	harness_wait_says(vm, "show_mem", "SwapFree:                0 kB", true);
	snprintf(hold, sizeof(hold), "hold %llu",
		 (unsigned long long)(harness_memory(vm).free - 400 * KIB));
	harness_command_says(vm, hold, "held ");
	pressure_wait_situation(vm, "background-in-vain", NULL);
	harness_command_says(vm, "stress oom", "stress ");
	pressure_wait_situation(vm, "critical", NULL);
	harness_command_says(vm, "release all", "pattern intact");
	pressure_stop_all(vm);
	harness_stop(vm);
	close(swap);
}

static void waits_for_the_balloon_are_named(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .mem = "128M", .balloon = "deflate-on-oom=on" });

	(void)state;
	harness_take(vm, 64 * MIB);
	harness_command_says(vm, "stress anon 100M --touch 4000", "stress ");
	pressure_wait_situation(vm, "stalls", "\"cause\":\"balloon\"");
	pressure_stop_all(vm);
	harness_stop(vm);
}

int pressure_situation_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_situation_is_named),
		TEST(short_of_memory_with_swap_full_reclaim_is_in_vain),
		TEST(waits_for_the_balloon_are_named),
	};

	return cmocka_run_group_tests_name("pressure_situation", tests, NULL, NULL);
}
