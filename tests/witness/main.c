/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's own drivers as witnesses of the VMware and the Hyper-V that tests/hypervisor plays: each
 * plan is gone through with Linux and with Aerostat, and after each step the host's books and the
 * guest's file must agree. To be run from the project's root, when tests/witness/fetch.sh has made
 * the Linux.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/witness/subject.h"

#define STEPS_MAX 16

static void go_through(const struct plan *plan, bool is_linux, struct guest_file *files)
{
	struct subject subject = subject_start(is_linux, plan->personality);

	plan->go_through(&subject, files);
	subject_stop(&subject);
}

static void linux_and_aerostat_agree_with_the_host_and_in_their_files(void **state)
{
	const struct plan *plan = *state;
	struct guest_file linux_files[STEPS_MAX], files[STEPS_MAX];

	assert_true(plan->steps <= STEPS_MAX);
	go_through(plan, true, linux_files);
	go_through(plan, false, files);
	for (size_t i = 0; i < plan->steps; i++) {
		guest_file_compare_names(&files[i], &linux_files[i]);
		guest_file_free(&files[i]);
		guest_file_free(&linux_files[i]);
	}
}

static int run(const struct plan *plan)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(linux_and_aerostat_agree_with_the_host_and_in_their_files,
					  (void *)(uintptr_t)plan),
	};

	return cmocka_run_group_tests_name(plan->personality, tests, NULL, NULL);
}

int main(void)
{
	int failed;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	failed = run(&vmware_plan);
	return failed + run(&hyperv_plan) != 0;
}
