/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting: for interrupts that say something, and through those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/drivers/balloon/balloon_fixture.h"

static unsigned idle_interrupts;

/* While the task waits: 99 times in mid-flight, then with nothing to do at all. */
static void interrupt_for_nothing(void)
{
	idle_interrupts++;
	assert_null(status().broken);
	if (idle_interrupts < 100)
		assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	if (idle_interrupts == 100) {
		sim_balloon_complete(&sim, SIZE_MAX);
	} else if (idle_interrupts < 200) {
		sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE);
	} else {
		assert_balloon(1000);
		virtio_break(&sim.virtio.device, "end of test");
	}
}

/* 2.7.7.1 */
static void interrupts_for_nothing_are_endured(void **state)
{
	(void)state;
	idle_interrupts = 0;
	start(REPORTING | STATS_VQ | HINT, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	sim_balloon_set_target(&sim, 1000);
	sim_time_on_wait = interrupt_for_nothing;
	sim_ram_task(NULL);
	sim_time_on_wait = NULL;
	assert_int_equal(idle_interrupts, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupts_for_nothing_are_endured),
	};

	return cmocka_run_group_tests_name("balloon_wait", tests, set_up_ram, NULL);
}
