/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of the balloon on VMware share; see vmware_fixture.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/vmware_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "tests/sim/sim_detach.h"

#define POLL_NS VMWARE_BALLOON_POLL_NS

const struct vmware_host_kind vmware_host_kinds[VMWARE_HOST_KINDS] = {
	{ "all capabilities", 0, false },
	{ "no blocks", VMWARE_BATCHED_2M, false },
	{ "no batches", VMWARE_BATCHED, false },
	{ "from before capabilities", 0, true },
};

static bool begun; /* there is a balloon, or was */

int set_up_vmware(void **state)
{
	set_up(state);
	sim_vmware_begin(RAM_FRAMES);
	begun = false;
	return 0;
}

static void end_balloon(void)
{
	sim_vmware_on_command = NULL;
	sim_vmware_behave();
	if (begun)
		sim_detach_all();
	begun = false;
}

int tear_down_vmware(void **state)
{
	(void)state;
	assert_books();
	end_balloon();
	if (sim_machine_violation())
		fail_msg("%s", sim_machine_violation());
	assert_books();
	assert_int_equal(host_frames_count(), 0);
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_HELD), RAM_FRAMES);
	sim_ram_stop();
	return 0;
}

void begin_kind(const struct vmware_host_kind *kind)
{
	end_balloon();
	sim_vmware_begin(RAM_FRAMES);
	sim_vmware()->withheld = kind->withheld;
	sim_vmware()->is_old = kind->is_old;
}

void try_vmware(uint64_t floor)
{
	const struct balloon_config config = { .floor = floor };

	balloon_init(&config);
	sim_ram_task = NULL;
	vmware_balloon_start(POLL_NS);
	begun = true;
	/* It waits for a host that is busy. */
	if (sim_ram_task && !status().present)
		sim_ram_task(balloons);
}

void begin_vmware(uint64_t floor)
{
	try_vmware(floor);
	assert_true(status().present);
	settle();
}

void poll_vmware(void)
{
	sim_time_advance(POLL_NS);
	settle();
}

void vmware_wants(uint64_t frames)
{
	sim_vmware_want(frames);
	poll_vmware();
}

void assert_vmware_has(uint64_t frames)
{
	assert_int_equal(ballooned(), frames);
	assert_int_equal(host_frames_count(), frames);
	assert_int_equal(status().actual, frames);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}

struct vmware_lie always(enum vmware_lie_kind kind, uint32_t commands, uint64_t value)
{
	return (struct vmware_lie){ .kind = kind, .commands = commands, .value = value };
}

void lie(enum vmware_lie_kind kind, uint32_t commands, uint64_t value)
{
	const struct vmware_lie row = always(kind, commands, value);

	sim_vmware_lie(&row);
}

uint64_t calls(enum vmware_command command)
{
	struct vmware_call_counts counts;

	vmware_call_counts(command, &counts);
	assert_int_equal(counts.calls, sim_vmware()->calls[command]);
	assert_int_equal(counts.failed, sim_vmware()->failed[command]);
	return counts.calls;
}
