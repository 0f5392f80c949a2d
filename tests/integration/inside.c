/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot run inside the hypervisor for tests; see inside.h. */
#include "tests/integration/inside.h"

#include <string.h>

#include "tests/integration/harness.h"

#define NO_STATE "QEMU does not load the state of a processor that runs a guest by SVM"

#define NO_FILE "the file that QEMU loads is the guest itself"

static const struct outsider {
	const char *test, *reason;
} outsiders[] = {
	{ "a_guest_moves_while_it_grows_and_shrinks", NO_STATE },
	{ "a_guest_that_grew_moves", NO_STATE },
	{ "busy_guest_moves_with_hints_and_poison", NO_STATE },
	{ "guest_moves_while_it_inflates_and_deflates", NO_STATE },
	{ "guest_that_stopped_after_hinting_releases_it_on_both_sides", NO_STATE },
	{ "guest_that_stopped_on_the_way_goes_on_in_another_qemu", NO_STATE },
	{ "hinting_guest_moves_to_another_qemu", NO_STATE },
	{ "inflated_guest_is_saved_and_restored", NO_STATE },
	{ "inflated_guest_moves_to_another_qemu", NO_STATE },
	{ "loadvm_brings_back_an_earlier_balloon", NO_STATE },
	{ "loadvm_brings_back_what_was_plugged", NO_STATE },
	{ "loadvm_goes_on_where_savevm_was_on_the_way", NO_STATE },
	{ "moved_in_mid_swap_it_goes_on_whole", NO_STATE },
	{ "saved_in_mid_swap_it_goes_on_whole", NO_STATE },
	{ "a_course_of_more_than_there_is_ends_as_any_workload", NO_FILE },
	{ "a_recorded_course_is_played", NO_FILE },
	{ "at_its_end_a_course_ends_by_itself", NO_FILE },
	{ "what_is_no_course_is_one_line", NO_FILE },
	{ "short_of_memory_with_swap_full_reclaim_is_in_vain",
	  "its workload is fitted to the memory of a guest that has it for itself" },
	{ "dump_refuses_a_machine_in_which_nothing_ran", "the guest is not even loaded there" },
	{ "processor_features_that_are_missing_are_named", "the hypervisor needs them itself" },
	{ "says_how_much_is_needed_with_8_mib", "the hypervisor needs 16 MiB itself" },
};

const char *inside_reason(const char *test, const struct guest_options *guest)
{
	if (guest->firmware && strcmp(guest->firmware, "uefi") == 0)
		return "it starts by UEFI";
	if (guest->hypervisor)
		return "it brings a hypervisor of its own";
	for (size_t i = 0; i < sizeof(outsiders) / sizeof(outsiders[0]); i++)
		if (strcmp(outsiders[i].test, test) == 0)
			return outsiders[i].reason;
	return NULL;
}
