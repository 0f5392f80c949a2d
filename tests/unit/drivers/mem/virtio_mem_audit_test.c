/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/virtio_mem_audit.c: device and books are made to agree, or it is given up. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <string.h>

#include "arch/clock.h"

static uint64_t block_size;

static int set_up_blocks(void **state, uint64_t size)
{
	virtio_mem_set_up(state);
	block_size = size;
	make_sim(0);
	sim_mem_fini(&sim);
	sim_mem_init(&sim, MEM_OFFERED, pfn_to_paddr(REGION), REGION_BLOCKS * BLOCK_SIZE, size);
	boot_with(1);
	settle();
	return 0;
}

static int set_up(void **state)
{
	return set_up_blocks(state, BLOCK_SIZE);
}

static int set_up_small(void **state)
{
	return set_up_blocks(state, FRAME_SIZE);
}

static int set_up_large(void **state)
{
	return set_up_blocks(state, 4 * BLOCK_SIZE);
}

static paddr_t block(size_t i)
{
	return pfn_to_paddr(REGION + i * B);
}

/* The host changes nothing, but says that something has changed. */
static void say_something_changed(void)
{
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	settle();
}

static void expect_given_up(const char *why)
{
	assert_false(mem->running);
	if (!strstr(mem->source.trouble, why))
		fail_msg("'%s' is not '%s'", mem->source.trouble, why);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, why));
	assert_true(sim.virtio.device.broken);
	assert_books();
}

static void when_the_counts_agree_nothing_is_asked(void **state)
{
	(void)state;
	request(10);
	say_something_changed();
	wait_ns(3 * NS_PER_S);
	assert_int_equal(sim.requests[VIRTIO_MEM_STATE], 0);
}

static void blocks_that_we_do_not_have_are_unplugged(void **state)
{
	(void)state;
	request(10);
	sim_mem_set(&sim, block(70), 3 * block_size, true);
	sim_mem_set(&sim, block(99), block_size, true);
	say_something_changed();
	expect_plugged(10);
	assert_true(sim.requests[VIRTIO_MEM_STATE] > 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_non_null(strstr(sim_log_info, "MiB were in doubt"));
}

static void small_blocks_within_ours_are_unplugged_too(void **state)
{
	(void)state;
	request(10);
	sim_mem_set(&sim, block(70) + 3 * FRAME_SIZE, 5 * FRAME_SIZE, true);
	say_something_changed();
	expect_plugged(10);
}

static void large_blocks_that_we_do_not_have_are_unplugged(void **state)
{
	(void)state;
	request(8);
	sim_mem_set(&sim, block(40), block_size, true);
	say_something_changed();
	expect_plugged(8);
}

static void a_pause_in_the_audit_of_an_idle_device_is_over(void **state)
{
	(void)state;
	request(10);
	sim_mem_set(&sim, block(70), 3 * block_size, true);
	sim.busy = true;
	say_something_changed();
	assert_non_null(strstr(mem->source.trouble, "busy"));
	sim.busy = false;
	wait_ns(2 * NS_PER_S);
	expect_plugged(10);
	assert_null(mem->source.trouble);
	assert_int_equal(mem->busy_ns, 0);
	/* What differs for ever is said as before. */
	sim_mem_request_size(&sim, 10 * BLOCK_SIZE + FRAME_SIZE);
	settle();
	sim_mem_set(&sim, block(70), 3 * block_size, true);
	sim.busy = true;
	wait_ns(2 * NS_PER_S);
	sim.busy = false;
	wait_ns(6 * NS_PER_S);
	assert_non_null(strstr(mem->source.trouble, "only whole blocks"));
}

/* One that counts wrongly is asked once, not again and again. */
static void a_device_that_only_counts_wrongly_is_asked_once(void **state)
{
	uint64_t asked;

	(void)state;
	request(10);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 77 * BLOCK_SIZE);
	say_something_changed();
	asked = sim.requests[VIRTIO_MEM_STATE];
	assert_true(asked > 0);
	say_something_changed();
	wait_ns(3 * NS_PER_S);
	assert_int_equal(sim.requests[VIRTIO_MEM_STATE], asked);
	assert_true(mem->running);
}

/* Another count at each look, and always a wrong one: others have their turn as well. */
static void a_device_that_counts_anew_at_each_look_is_asked_once_a_second(void **state)
{
	uint64_t asked, each;
	unsigned at_once = 0;

	(void)state;
	request(10);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 77 * BLOCK_SIZE);
	say_something_changed();
	each = sim.requests[VIRTIO_MEM_STATE];
	assert_true(each > 0);
	mem->changed = true;
	for (unsigned i = 0; i < 100; i++) {
		sim_mem_show(&sim, SIM_MEM_PLUGGED, (100 + i) * BLOCK_SIZE);
		at_once += virtio_mem_step(mem);
	}
	assert_true(at_once <= 2);
	asked = sim.requests[VIRTIO_MEM_STATE];
	assert_in_range(asked, each, 2 * each);
	for (unsigned i = 0; i < 200; i++) {
		sim_mem_show(&sim, SIM_MEM_PLUGGED, (100 + i) * BLOCK_SIZE);
		sim_time_advance(50 * NS_PER_MS);
		say_something_changed();
	}
	assert_in_range(sim.requests[VIRTIO_MEM_STATE] - asked, 8 * each, 11 * each);
	assert_true(mem->running);
}

static void a_device_that_has_lost_what_is_used_is_given_up(void **state)
{
	(void)state;
	request(10);
	sim.blind = true;
	sim_mem_set(&sim, block(4), block_size, false);
	say_something_changed();
	expect_given_up("memory in use is not there");
	/* It stays as it is: nothing better can be done. */
	assert_int_equal(mem->source.plugged, 10 * B);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
}

static void a_device_that_has_lost_all_of_it_is_given_up(void **state)
{
	(void)state;
	request(10);
	sim.blind = true;
	sim_mem_set(&sim, block(0), 10 * block_size, false);
	say_something_changed();
	expect_given_up("memory in use is not there");
	assert_int_equal(mem->source.plugged, 10 * B);
}

static void a_device_that_has_no_use_for_what_is_used_is_given_up(void **state)
{
	(void)state;
	request(10);
	sim.usable = 9 * BLOCK_SIZE;
	sim_mem_show(&sim, SIM_MEM_USABLE, sim.usable);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 9 * BLOCK_SIZE);
	say_something_changed();
	expect_given_up("memory in use is not usable");
}

/* ---- After an ERROR ---- */

static unsigned errors;

static bool lie_error(struct sim_mem *s, const struct sim_mem_request *request,
		      struct sim_mem_answer *answer)
{
	(void)s;
	if (errors == 0 || request->type == VIRTIO_MEM_STATE)
		return false;
	errors--;
	answer->type = VIRTIO_MEM_ERROR;
	return true;
}

static void what_the_device_has_not_taken_is_free_again(void **state)
{
	(void)state;
	request(20);
	sim.lie = lie_error;
	errors = 1;
	request(5);
	expect_plugged(20);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_KEPT), 1);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "ERROR to the request to unplug 30 MiB"));
	wait_ns(2 * NS_PER_S);
	expect_plugged(5);
	assert_null(mem->source.trouble);
}

/* It takes what it says it does not. */
static bool lie_error_and_obey(struct sim_mem *s, const struct sim_mem_request *request,
			       struct sim_mem_answer *answer)
{
	if (request->type != VIRTIO_MEM_UNPLUG)
		return false;
	sim_mem_set(s, request->addr, request->nb_blocks * s->block_size, false);
	answer->type = VIRTIO_MEM_ERROR;
	return true;
}

static void what_the_device_has_taken_all_the_same_is_not_used(void **state)
{
	(void)state;
	request(20);
	sim.lie = lie_error_and_obey;
	request(5);
	expect_plugged(5);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_KEPT), 0);
}

/* One block of the run has been plugged by itself. */
static void a_run_with_one_block_that_is_there_is_plugged_in_the_end(void **state)
{
	(void)state;
	sim_mem_request_size(&sim, 0);
	sim.usable = REGION_BLOCKS * BLOCK_SIZE;
	sim_mem_show(&sim, SIM_MEM_USABLE, sim.usable);
	settle();
	sim_mem_set(&sim, block(7), block_size, true);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 0);
	request(20);
	wait_ns(2 * NS_PER_S);
	expect_plugged(20);
	assert_int_equal(sim.answers[VIRTIO_MEM_ERROR], 1);
}

static bool lie_error_always(struct sim_mem *s, const struct sim_mem_request *request,
			     struct sim_mem_answer *answer)
{
	(void)s, (void)request;
	answer->type = VIRTIO_MEM_ERROR;
	return true;
}

/* Two lines: one for the refusal, one for the end. */
static bool lie_error_to_unplug(struct sim_mem *s, const struct sim_mem_request *r,
				struct sim_mem_answer *answer)
{
	(void)s;
	answer->type = VIRTIO_MEM_ERROR;
	return r->type == VIRTIO_MEM_UNPLUG;
}

/* It goes on for as long as the device does; the log has it once for each wish. */
static void a_device_that_never_unplugs_is_no_line_a_second(void **state)
{
	unsigned before;

	(void)state;
	request(10);
	sim.lie = lie_error_to_unplug;
	before = sim_log_infos;
	request(0);
	wait_ns(20 * NS_PER_S);
	assert_int_equal(sim_log_infos, before + 1);
	assert_non_null(strstr(sim_log_info, "20 MiB were in doubt"));
	assert_int_equal(sim_log_warnings, 1);
	request(1);
	assert_int_equal(sim_log_infos, before + 2);
	assert_non_null(strstr(sim_log_info, "18 MiB were in doubt"));
	sim.lie = NULL;
	wait_ns(2 * NS_PER_S);
	expect_plugged(1);
}

static void a_device_that_tells_no_state_is_given_up(void **state)
{
	(void)state;
	request(20);
	sim.lie = lie_error_always;
	request(5);
	assert_false(mem->running);
	assert_int_equal(sim_log_warnings, 2);
	assert_non_null(strstr(sim_log_warning, "does not tell the state"));
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
}

static void claimed_blocks_stay_claimed_while_their_state_is_not_known(void **state)
{
	(void)state;
	request(20);
	sim.lie = lie_error;
	errors = 1;
	sim.busy_with_state = true;
	request(5);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	wait_ns(5 * NS_PER_S);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	assert_non_null(strstr(mem->source.trouble, "busy"));
	sim.busy_with_state = false;
	wait_ns(12 * NS_PER_S);
	expect_plugged(5);
}

static bool lie_partly(struct sim_mem *s, const struct sim_mem_request *request,
		       struct sim_mem_answer *answer)
{
	(void)s;
	answer->type = request->type == VIRTIO_MEM_STATE ? VIRTIO_MEM_ACK : VIRTIO_MEM_ERROR;
	answer->state = VIRTIO_MEM_MIXED;
	return request->addr >= block(5);
}

static void a_block_that_is_partly_there_is_no_block(void **state)
{
	(void)state;
	request(20);
	sim.lie = lie_partly;
	sim.blind = true;
	request(5);
	assert_false(mem->running);
	assert_non_null(strstr(sim_log_warning, "a part of a block"));
	assert_true(ledger_count(OWNER_UNPLUGGED) > 0);
}

static void it_goes_away_in_the_midst_of_an_audit(void **state)
{
	(void)state;
	request(10);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, 77 * BLOCK_SIZE);
	mem->removing = true;
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	virtio_mem_step(mem);
	virtio_mem_step(mem);
	assert_int_equal(sim.requests[VIRTIO_MEM_STATE], 0);
	assert_true(mem->doubt);
	mem->removing = false;
}

/* ---- One question ---- */

static void answer_late(void)
{
	sim_mem_complete(&sim, 1);
}

static void a_late_answer_is_waited_for(void **state)
{
	(void)state;
	request(10);
	sim_mem_set(&sim, block(70), 3 * block_size, true);
	sim.completion = SIM_MEM_ON_DEMAND;
	sim_time_on_wait = answer_late;
	say_something_changed();
	sim_time_on_wait = NULL;
	expect_plugged(10);
	assert_true(sim_time_device_waits > 0);
}

static void no_answer_ends_an_audit(void **state)
{
	uint64_t before;

	(void)state;
	request(10);
	sim_mem_set(&sim, block(70), 3 * block_size, true);
	sim.completion = SIM_MEM_NEVER;
	before = clock_awake_ns();
	say_something_changed();
	expect_given_up("no answer within 2 s");
	assert_true(clock_awake_ns() - before < 3 * NS_PER_S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, virtio_mem_tear_down)
#define SMALL(name) cmocka_unit_test_setup_teardown(name, set_up_small, virtio_mem_tear_down)
#define LARGE(name) cmocka_unit_test_setup_teardown(name, set_up_large, virtio_mem_tear_down)

int main(void)
{
	const struct CMUnitTest audits[] = {
		TEST(when_the_counts_agree_nothing_is_asked),
		TEST(blocks_that_we_do_not_have_are_unplugged),
		SMALL(small_blocks_within_ours_are_unplugged_too),
		LARGE(large_blocks_that_we_do_not_have_are_unplugged),
		TEST(a_pause_in_the_audit_of_an_idle_device_is_over),
		TEST(a_device_that_only_counts_wrongly_is_asked_once),
		TEST(a_device_that_counts_anew_at_each_look_is_asked_once_a_second),
		TEST(a_device_that_has_lost_what_is_used_is_given_up),
		TEST(a_device_that_has_lost_all_of_it_is_given_up),
		TEST(a_device_that_has_no_use_for_what_is_used_is_given_up),
		TEST(it_goes_away_in_the_midst_of_an_audit),
	};
	const struct CMUnitTest errors_answered[] = {
		TEST(what_the_device_has_not_taken_is_free_again),
		TEST(what_the_device_has_taken_all_the_same_is_not_used),
		TEST(a_run_with_one_block_that_is_there_is_plugged_in_the_end),
		TEST(a_device_that_never_unplugs_is_no_line_a_second),
		TEST(a_device_that_tells_no_state_is_given_up),
		TEST(claimed_blocks_stay_claimed_while_their_state_is_not_known),
		TEST(a_block_that_is_partly_there_is_no_block),
	};
	const struct CMUnitTest questions[] = {
		TEST(a_late_answer_is_waited_for),
		TEST(no_answer_ends_an_audit),
	};

	return cmocka_run_group_tests(audits, region_fixture_reserve, NULL) +
	       cmocka_run_group_tests(errors_answered, NULL, NULL) +
	       cmocka_run_group_tests(questions, NULL, NULL);
}
