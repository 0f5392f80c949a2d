/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each lie of vmware_lies.c at each step of the balloon's life on VMware, at several commands of
 * that step, while the kinds of hosts take turns. Then:
 *
 *	an end		each wait within 2 s of the guest's time
 *	the ledger	whole, by a count of every frame, and no frame is free that the host has
 *	a line		if the host was given up; and of a kind in a second, at most one
 *	recovery	once it behaves: a target is reached, and at the end all frames are free
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/port/vmware_abi.h"
#include "mm/ledger.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/unit/drivers/balloon/port/vmware_lies.h"

#define GIVEN 2300 /* frames in the balloon at the later steps: blocks and more */
#define RECOVERY_S 100

enum step { AT_START, AT_REST, GIVING, TAKING, IN_NEED, AFTER_RESET, AT_END, STEPS };

static const char *const step_names[STEPS] = { "start", "rest",	 "give", "take",
					       "need",	"reset", "end" };

static const struct {
	const char *name;
	uint32_t withheld;
	bool is_old;
} hosts[] = {
	{ "a host with all capabilities", 0, false },
	{ "a host without blocks", VMWARE_BATCHED_2M, false },
	{ "a host without batches", VMWARE_BATCHED, false },
	{ "an old host", 0, true },
};

/* Commands, or frames, that go well first. */
static const uint32_t moments[] = { 0, 1, 2, 700 };

static struct {
	const struct vmware_lie_row *row;
	enum step step;
	size_t host, moment, value;
} now;

static char where[256];

/* ---- One life ---- */

static void check(const char *when)
{
	const char *mistake = vmware_world_mistake();

	if (mistake)
		fail_msg("%s: %s", when, mistake);
}

static void tell(void)
{
	struct vmware_lie lie = now.row->lie;

	lie.after = moments[now.moment];
	if (now.row->value_count > 0)
		lie.value = now.row->values[now.value];
	if (now.row->blind)
		vmware_world_be_blind();
	sim_vmware()->is_lenient = now.row->lenient || now.row->blind;
	sim_vmware_lie(&lie);
}

static void live_as_step_says(void)
{
	switch (now.step) {
	case GIVING:
		sim_vmware_want(5000);
		break;
	case TAKING:
		sim_vmware_want(200);
		break;
	case IN_NEED:
		vmware_world_need_memory();
		check("in need");
		break;
	case AFTER_RESET:
		sim_vmware_forget();
		break;
	default:
		break;
	}
	vmware_world_live(5 * NS_PER_S);
	check("after the lie");
	sim_vmware_want(1200);
	vmware_world_live(3 * NS_PER_S);
	check("after another target");
}

static void check_verdict(void)
{
	bool told = sim_vmware()->told[0] > 0;

	if (now.row->must_break && told && vmware_world_is_well())
		fail_msg("the driver believes it");
	if (now.row->must_go_on && !vmware_world_is_well())
		fail_msg("given up on what is no fault: %s", sim_log_warning);
	if (!vmware_world_is_well() && sim_log_warnings + sim_log_infos == 0)
		fail_msg("given up without a word");
}

static void reach(uint64_t frames)
{
	sim_vmware_want(frames);
	for (int s = 0; s < RECOVERY_S && ledger_count(OWNER_BALLOON) != frames; s++)
		vmware_world_live(NS_PER_S);
	if (ledger_count(OWNER_BALLOON) != frames)
		fail_msg("afterwards the target of %u is not reached, but %u", (unsigned)frames,
			 (unsigned)ledger_count(OWNER_BALLOON));
	if (!now.row->blind && !now.row->lenient && host_frames_count() != frames)
		fail_msg("the host has %u", (unsigned)host_frames_count());
	check("after recovery");
}

/* Who was told what is not so begins anew with it. */
static void recover(void)
{
	struct balloon_status status;
	const char *why;

	vmware_world_behave();
	balloon_status(&status);
	if (status.broken && balloon_retry(balloons, &why))
		fail_msg("no retry: %s", why);
	if (now.row->blind || now.row->lenient)
		sim_vmware_forget();
	reach(2 * BLOCK_FRAMES + 77);
	reach(0);
}

static void live(void)
{
	bool has_balloon;

	if (now.step == AT_START)
		tell();
	sim_vmware_want(GIVEN);
	has_balloon = vmware_world_start();
	if (has_balloon && now.step != AT_START) {
		vmware_world_live(2 * NS_PER_S);
		assert_int_equal(ledger_count(OWNER_BALLOON), GIVEN);
		tell();
	}
	if (has_balloon && now.step != AT_END) {
		live_as_step_says();
		check_verdict();
		recover();
	}
	if (now.step == AT_END) {
		vmware_world_end();
		check("at the end");
	}
	vmware_world_behave();
	if (!vmware_world_end() && now.step != AT_END)
		fail_msg("frames are lost: %u are free", (unsigned)ledger_count(OWNER_FREE));
}

static void try(void)
{
	snprintf(where, sizeof(where), "%s (%u); at step %s, after %u; %s", now.row->name,
		 (unsigned)now.value, step_names[now.step], moments[now.moment],
		 hosts[now.host].name);
	vmware_world_begin(hosts[now.host].withheld, hosts[now.host].is_old);
	live();
	vmware_world_stop();
}

static void lie_is_survived(void **state)
{
	size_t values;

	now.row = *state;
	values = now.row->value_count > 0 ? now.row->value_count : 1;
	for (now.step = 0; now.step < STEPS; now.step++)
		for (now.value = 0; now.value < values; now.value++)
			for (now.moment = 0; now.moment < ARRAY_SIZE(moments); now.moment++) {
				now.host = (now.step + now.value + now.moment) % ARRAY_SIZE(hosts);
				try();
			}
	where[0] = '\0';
}

static int tell_where(void **state)
{
	(void)state;
	if (where[0] == '\0')
		return 0;
	fprintf(stderr, "         %s\n", where);
	/* Whatever state the balloon is in: it is not asked again. */
	exit(1);
}

/* A sanitizer's report ends the program: it should say what was tried. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "In: %s\n", where);
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(vmware_lie_count, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < vmware_lie_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = vmware_lies[i].name,
			.test_func = lie_is_survived,
			.teardown_func = tell_where,
			.initial_state = (void *)(uintptr_t)&vmware_lies[i],
		};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = vmware_world_reserve() != 0
			 ? 1
			 : _cmocka_run_group_tests("vmware_lies", tests, vmware_lie_count, NULL,
						   NULL);
	free(tests);
	return failed;
}
