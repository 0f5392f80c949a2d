/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/virtio_mem_recovery.c: resets that the device asks for, and ends that it earns. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <string.h>

static int set_up(void **state)
{
	virtio_mem_set_up(state);
	start_one();
	request(20);
	return 0;
}

static void ask_for_reset(void)
{
	sim_virtio_need_reset(&sim.virtio);
	settle();
}

static void expect_end(const char *why)
{
	assert_false(mem->running);
	assert_int_equal(sim_log_warnings, 1);
	if (!strstr(sim_log_warning, why))
		fail_msg("'%s' is not '%s'", sim_log_warning, why);
	assert_string_equal(mem->source.trouble, sim.virtio.device.broken);
	assert_int_equal(mem_fixture_events(MEM_EVENT_GAVE_UP), 1);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_GAVE_UP).argument[0], REGION);
	assert_books();
}

static void what_is_plugged_stays_so_over_a_reset(void **state)
{
	(void)state;
	ask_for_reset();
	expect_plugged(20);
	assert_true(mem->running);
	assert_int_equal(sim_log_warnings, 0);
	assert_string_equal(sim_log_info,
			    "virtio-mem: 0000:00:02.0: the device asked for a reset, and gets it");
	/* Each of the two was asked: what is there, and what is not. */
	assert_true(sim.requests[VIRTIO_MEM_STATE] >= 2);
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 0);
	request(30);
	expect_plugged(30);
}

static void what_was_on_its_way_out_is_looked_into(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_ON_DEMAND;
	request(5);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	sim.completion = SIM_MEM_AT_ONCE;
	ask_for_reset();
	expect_plugged(5);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
}

/* It obeyed, and the answer got lost. */
static void what_has_left_without_an_answer_is_looked_into(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_NEVER;
	request(5);
	sim_mem_set(&sim, pfn_to_paddr(REGION + 5 * B), 15 * BLOCK_SIZE, false);
	sim.completion = SIM_MEM_AT_ONCE;
	ask_for_reset();
	expect_plugged(5);
	assert_int_equal(mem_fixture_events(MEM_EVENT_KEPT), 0);
}

static void what_has_come_without_an_answer_is_not_used(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_NEVER;
	request(25);
	sim_mem_set(&sim, pfn_to_paddr(REGION + 20 * B), 5 * BLOCK_SIZE, true);
	sim.completion = SIM_MEM_AT_ONCE;
	ask_for_reset();
	expect_plugged(25);
	assert_true(sim.requests[VIRTIO_MEM_UNPLUG] > 0);
}

static void a_wish_during_a_reset_is_not_missed(void **state)
{
	(void)state;
	sim_virtio_need_reset(&sim.virtio);
	sim_mem_request_size(&sim, 33 * BLOCK_SIZE);
	settle();
	expect_plugged(33);
}

/* One that asks for it owes no answer. */
static void a_silent_device_that_wants_a_reset_gets_it(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_NEVER;
	request(5);
	sim.completion = SIM_MEM_AT_ONCE;
	sim.virtio.status |= VIRTIO_STATUS_NEEDS_RESET;
	wait_ns(3 * NS_PER_S);
	expect_plugged(5);
	assert_true(mem->running);
}

static void one_reset_after_the_other_is_too_many(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		ask_for_reset();
		assert_true(mem->running);
	}
	ask_for_reset();
	expect_end("one reset after the other");
}

static void resets_that_lie_apart_are_not_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		ask_for_reset();
		wait_ns(11 * NS_PER_S);
	}
	expect_plugged(20);
}

static void a_reset_that_does_not_end_is_the_end(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_NEVER;
	request(5);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	ask_for_reset();
	expect_end("does not finish its reset");
	/* It may still do what it likes with what it has. */
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	assert_true(ledger_count(OWNER_VIRTQUEUES) >= 2);
}

static void a_region_that_moves_over_a_reset_is_the_end(void **state)
{
	(void)state;
	sim_mem_show(&sim, SIM_MEM_ADDR, pfn_to_paddr(REGION + B));
	ask_for_reset();
	expect_end("its region is another one after a reset");
}

static void other_blocks_are_another_region(void **state)
{
	(void)state;
	sim_mem_show(&sim, SIM_MEM_BLOCK_SIZE, 2 * BLOCK_SIZE);
	ask_for_reset();
	expect_end("its region is another one after a reset");
}

static void another_size_is_another_region(void **state)
{
	(void)state;
	sim_mem_show(&sim, SIM_MEM_REGION_SIZE, 2 * REGION_BLOCKS * BLOCK_SIZE);
	ask_for_reset();
	expect_end("its region is another one after a reset");
}

static void a_device_that_has_forgotten_what_is_used_is_the_end(void **state)
{
	(void)state;
	sim.forgetful = true;
	sim.blind = true;
	ask_for_reset();
	expect_end("memory in use is not there");
	assert_int_equal(mem->source.plugged, 20 * B);
}

static void a_config_that_shrinks_is_the_end(void **state)
{
	(void)state;
	sim.virtio.config_size = SIM_MEM_CONFIG_SIZE - 1;
	ask_for_reset();
	expect_end("its config is too short");
}

static void a_queue_that_goes_is_the_end(void **state)
{
	(void)state;
	sim.virtio.queue[0].size_max = 1;
	ask_for_reset();
	expect_end("no queue, or no memory for it");
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
}

/* ---- Rules ---- */

static void a_chain_that_was_not_offered_is_the_end(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_ON_DEMAND;
	request(30);
	sim_virtio_push(&sim.virtio, 0, 77, 10);
	settle();
	assert_false(mem->running);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(mem->source.plugged, 20 * B);
	assert_int_equal(mem_fixture_events(MEM_EVENT_GAVE_UP), 1);
	/* It is not even listened to when it is right again. */
	request(30);
	assert_int_equal(mem->source.plugged, 20 * B);
}

static void expect_rules_broken(const char *why)
{
	settle();
	expect_end(why);
}

static void a_short_answer_is_none(void **state)
{
	(void)state;
	sim.written = 9;
	request(30);
	expect_rules_broken("too short");
	assert_int_equal(mem->source.plugged, 20 * B);
}

static void an_answer_that_is_none_is_the_end(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_ON_DEMAND;
	request(30);
	sim_mem_answer(&sim, 4, 0);
	expect_rules_broken("what is no answer");
}

static bool lie_state(struct sim_mem *s, const struct sim_mem_request *request,
		      struct sim_mem_answer *answer)
{
	(void)s;
	answer->type = VIRTIO_MEM_ACK;
	answer->state = 3;
	return request->type == VIRTIO_MEM_STATE;
}

static void a_state_that_is_none_is_the_end(void **state)
{
	(void)state;
	sim.lie = lie_state;
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 0);
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	expect_rules_broken("a state that is none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, virtio_mem_tear_down)

int main(void)
{
	const struct CMUnitTest resets[] = {
		TEST(what_is_plugged_stays_so_over_a_reset),
		TEST(what_was_on_its_way_out_is_looked_into),
		TEST(what_has_left_without_an_answer_is_looked_into),
		TEST(what_has_come_without_an_answer_is_not_used),
		TEST(a_wish_during_a_reset_is_not_missed),
		TEST(a_silent_device_that_wants_a_reset_gets_it),
		TEST(one_reset_after_the_other_is_too_many),
		TEST(resets_that_lie_apart_are_not_counted),
		TEST(a_reset_that_does_not_end_is_the_end),
	};
	const struct CMUnitTest others[] = {
		TEST(a_region_that_moves_over_a_reset_is_the_end),
		TEST(other_blocks_are_another_region),
		TEST(another_size_is_another_region),
		TEST(a_device_that_has_forgotten_what_is_used_is_the_end),
		TEST(a_config_that_shrinks_is_the_end),
		TEST(a_queue_that_goes_is_the_end),
	};
	const struct CMUnitTest rules[] = {
		TEST(a_chain_that_was_not_offered_is_the_end),
		TEST(a_short_answer_is_none),
		TEST(an_answer_that_is_none_is_the_end),
		TEST(a_state_that_is_none_is_the_end),
	};

	return cmocka_run_group_tests(resets, region_fixture_reserve, NULL) +
	       cmocka_run_group_tests(others, NULL, NULL) +
	       cmocka_run_group_tests(rules, NULL, NULL);
}
