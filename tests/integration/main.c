/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The integration tests: the real image under a real QEMU. To be run from
 * the project's root; an argument, with * and ?, chooses tests by name, and
 * --slow those groups that do more with SLOW=1 in the environment, --next those
 * that depend most on how QEMU does things: the balloon and its device, its queues,
 * state and moves, hot-plug, a hostile host, balloonctl.
 * Serial logs are kept in build/log, or in the folder RESULTS.
 */
#include "tests/integration/harness.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	bool slow = argc > 1 && strcmp(argv[1], "--slow") == 0;
	bool next = argc > 1 && strcmp(argv[1], "--next") == 0;
	int failed = 0;

	if (argc > 1 && !slow && !next)
		cmocka_set_test_filter(argv[1]);
	failed += hotplug_tests();
	failed += hostile_tests();
	if (slow)
		return failed != 0;
	failed += balloon_tests();
	failed += balloonctl_tests();
	failed += queues_tests();
	failed += poison_tests();
	failed += move_tests();
	failed += state_tests();
	failed += microvm_tests();
	if (next)
		return failed != 0;
	failed += boot_tests();
	failed += platform_tests();
	failed += balloonctl_course_tests();
	failed += console_tests();
	failed += screen_tests();
	failed += dump_tests();
	failed += machine_tests();
	failed += run_script_tests();
	if (harness_tests_run == 0) {
		fprintf(stderr, "no test has a name like '%s'\n", argc > 1 ? argv[1] : "*");
		return 1;
	}
	return failed != 0;
}
