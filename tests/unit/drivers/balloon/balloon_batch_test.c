/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches: with the device, answered, in neither camp meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_batch.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static void frames_in_flight_are_in_neither_camp(void **state)
{
	uint64_t free_before;

	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	free_before = ledger_count(OWNER_FREE);
	go_to(1000);
	assert_int_equal(ballooned(), 0);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 1000);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	sim_balloon_complete(&sim, 2);
	settle();
	assert_int_equal(ballooned(), 512);
	drain();
	assert_balloon(1000);
	go_to(200);
	assert_int_equal(ballooned(), 200);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 800);
	assert_int_equal(ledger_count(OWNER_FREE), free_before - 1000);
	drain();
	assert_balloon(200);
}

static void keeps_several_buffers_in_flight(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(10000);
	assert_int_equal(sim.pending_count, 8);
	while (sim_balloon_complete(&sim, 3) > 0)
		settle();
	assert_balloon(10000);
}

static void a_change_of_mind_in_flight_loses_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	go_to(2000);
	go_to(100);
	go_to(1500);
	go_to(50);
	while (sim_balloon_complete(&sim, 1) > 0)
		settle();
	assert_balloon(50);
}

static void answer(void)
{
	sim_balloon_complete(&sim, SIZE_MAX);
	settle();
}

/* Memory was overwritten: going on would make it worse. */
static void a_frame_in_flight_that_is_anothers_is_a_panic(void **state)
{
	static char text[128];
	pfn_t pfn;

	(void)state;
	start(0, NO_FLOOR);
	go_to(100);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	for (uint64_t target = 50; target <= 150; target += 100) {
		go_to(target);
		assert_int_equal(frame_collect(OWNER_IN_FLIGHT, 0, 1, &pfn), 1);
		assert_int_equal(frame_change_owner(pfn, 1, OWNER_IN_FLIGHT, OWNER_HELD), 0);
		snprintf(text, sizeof(text), "frames %#" PRIx64 "+50 are not in-flight; look for",
			 pfn);
		assert_panics(answer, text);
		assert_int_equal(frame_change_owner(pfn, 1, OWNER_HELD, OWNER_IN_FLIGHT), 0);
		go_to(100);
		drain();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_in_flight_are_in_neither_camp),
		TEST(keeps_several_buffers_in_flight),
		TEST(a_change_of_mind_in_flight_loses_nothing),
		TEST(a_frame_in_flight_that_is_anothers_is_a_panic),
	};

	return cmocka_run_group_tests_name("balloon_batch", tests, set_up_ram, NULL);
}
