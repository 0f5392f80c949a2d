/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/virtio_mem_work.c: what the host wants is reached, and what is in the way is said. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <string.h>

#include "arch/clock.h"

static int set_up_one(void **state)
{
	virtio_mem_set_up(state);
	start_one();
	return 0;
}

/* A device with other blocks. */
static void start_with_blocks(uint64_t block_size)
{
	make_sim(0);
	sim_mem_fini(&sim);
	sim_mem_init(&sim, MEM_OFFERED, pfn_to_paddr(REGION), REGION_BLOCKS * BLOCK_SIZE,
		     block_size);
	boot_with(1);
	settle();
}

static void expect_trouble(const char *part)
{
	if (!part)
		assert_null(mem->source.trouble);
	else if (!mem->source.trouble || !strstr(mem->source.trouble, part))
		fail_msg("'%s' is not '%s'", mem->source.trouble, part);
}

/* ---- To what is requested ---- */

static void what_is_requested_is_plugged_from_the_lowest_block_up(void **state)
{
	(void)state;
	request(3);
	expect_plugged(3);
	assert_true(sim_mem_has(&sim, pfn_to_paddr(REGION), 3 * BLOCK_SIZE));
	request(100);
	expect_plugged(100);
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 100) * B);
	/* One request each. */
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 2);
	expect_trouble(NULL);
}

static void what_is_too_much_leaves_from_the_highest_block_down(void **state)
{
	struct event last;

	(void)state;
	request(100);
	mem_fixture_take(REGION + 60 * B + 1, 1, OWNER_HELD);
	request(50);
	expect_plugged(50);
	assert_int_equal(frame_owner(REGION + 60 * B), OWNER_FREE);
	assert_int_equal(frame_owner(REGION + 50 * B), OWNER_ABSENT);
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG], 2);
	expect_trouble(NULL);
	/* Blocks that do not lie together are two events. */
	assert_int_equal(mem_fixture_events(MEM_EVENT_LEFT), 2);
	last = mem_fixture_last_event(MEM_EVENT_LEFT);
	assert_int_equal(last.argument[0], REGION + 49 * B);
	assert_int_equal(last.argument[1], 11 * B);
	/* The gaps are filled first. */
	request(60);
	expect_plugged(60);
	assert_int_equal(frame_owner(REGION + 58 * B), OWNER_FREE);
	assert_int_equal(frame_owner(REGION + 59 * B), OWNER_ABSENT);
	mem_fixture_give_back(REGION + 60 * B + 1, 1, OWNER_HELD);
	request(0);
	expect_plugged(0);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
}

/* The moment in which the books of the work before are closed. */
static void want_more_when_it_is_reached(void)
{
	if (!mem->reached || mem->source.plugged != 3 * B)
		return;
	sim_time_on_look = NULL;
	sim_mem_request_size(&sim, 7 * BLOCK_SIZE);
}

static void what_is_requested_in_the_last_moment_is_not_missed(void **state)
{
	(void)state;
	sim_mem_request_size(&sim, 3 * BLOCK_SIZE);
	sim_time_on_look = want_more_when_it_is_reached;
	settle();
	assert_null(sim_time_on_look);
	expect_plugged(7);
	expect_trouble(NULL);
}

static void it_grows_when_no_frame_is_free(void **state)
{
	pfn_t pfn;

	(void)state;
	while (frame_alloc(0, OWNER_HELD, &pfn) == 0)
		;
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	request(REGION_BLOCKS);
	expect_plugged(REGION_BLOCKS);
}

static void neighbours_are_one_event_upwards_and_downwards(void **state)
{
	struct event last;

	(void)state;
	request(REGION_BLOCKS);
	assert_true(sim.requests[VIRTIO_MEM_PLUG] > 1);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 1);
	last = mem_fixture_last_event(MEM_EVENT_PLUGGED);
	assert_int_equal(last.argument[0], REGION);
	assert_int_equal(last.argument[1], REGION_BLOCKS * B);
	request(0);
	assert_true(sim.requests[VIRTIO_MEM_UNPLUG] > 1);
	assert_int_equal(mem_fixture_events(MEM_EVENT_LEFT), 1);
	last = mem_fixture_last_event(MEM_EVENT_LEFT);
	assert_int_equal(last.argument[0], REGION);
	assert_int_equal(last.argument[1], REGION_BLOCKS * B);
}

static void every_second_block_can_leave(void **state)
{
	struct event last;

	(void)state;
	request(REGION_BLOCKS);
	for (size_t i = 0; i < REGION_BLOCKS; i += 2)
		mem_fixture_take(REGION + i * B + i, 1, OWNER_HELD);
	request(REGION_BLOCKS / 2);
	expect_plugged(REGION_BLOCKS / 2);
	assert_true(sim.most_pending > 1);
	/* How it began and how it ended is among what is kept. */
	last = mem_fixture_last_event(MEM_EVENT_REQUESTED);
	assert_int_equal(last.argument[0], REGION_BLOCKS / 2 * B);
	assert_int_equal(last.argument[1], REGION_BLOCKS * B);
	last = mem_fixture_last_event(MEM_EVENT_REACHED);
	assert_int_equal(last.argument[0], REGION_BLOCKS / 2 * B);
	/* And they can come back. */
	request(REGION_BLOCKS);
	expect_plugged(REGION_BLOCKS);
	last = mem_fixture_last_event(MEM_EVENT_REQUESTED);
	assert_int_equal(last.argument[0], REGION_BLOCKS * B);
}

static void blocks_that_lie_together_are_one_event(void **state)
{
	(void)state;
	request(70);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 1);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_PLUGGED).argument[0], REGION);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_PLUGGED).argument[1], 70 * B);
	request(20);
	assert_int_equal(mem_fixture_events(MEM_EVENT_CLAIMED), 1);
	assert_int_equal(mem_fixture_events(MEM_EVENT_LEFT), 1);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_LEFT).argument[0], REGION + 20 * B);
	assert_int_equal(mem_fixture_events(MEM_EVENT_REACHED), 2);
	/* The same once more is no news. */
	request(20);
	wait_ns(3 * NS_PER_S);
	assert_int_equal(mem_fixture_events(MEM_EVENT_REACHED), 2);
	assert_int_equal(mem_fixture_events(MEM_EVENT_REQUESTED), 2);
	assert_int_equal(sim_log_warnings, 0);
}

/* An interrupt that got lost: a look each second finds the wish all the same. */
static void a_wish_without_an_interrupt_is_seen(void **state)
{
	(void)state;
	sim.virtio.raise = NULL;
	sim_mem_request_size(&sim, 5 * BLOCK_SIZE);
	settle();
	expect_plugged(0);
	wait_ns(2 * NS_PER_S);
	expect_plugged(5);
}

/* ---- Sizes ---- */

static void a_request_has_no_more_blocks_than_its_field(void **state)
{
	(void)state;
	start_with_blocks(FRAME_SIZE);
	request(400);
	expect_plugged(400);
	assert_int_equal(sim.largest, 127 * B);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 4);
	request(0);
	expect_plugged(0);
}

static void large_blocks_come_and_go_as_a_whole(void **state)
{
	(void)state;
	start_with_blocks(4 * BLOCK_SIZE);
	assert_int_equal(mem->source.part.unit, 4);
	request(8);
	expect_plugged(8);
	request(11);
	expect_plugged(8);
	expect_trouble("only whole blocks");
	mem_fixture_take(REGION + 5 * B, 1, OWNER_HELD);
	request(4);
	expect_plugged(4);
	assert_int_equal(frame_owner(REGION), OWNER_ABSENT);
	assert_int_equal(frame_owner(REGION + 4 * B), OWNER_FREE);
}

static void what_is_no_whole_block_is_left_out(void **state)
{
	(void)state;
	sim_mem_request_size(&sim, 3 * BLOCK_SIZE + BLOCK_SIZE / 2);
	settle();
	expect_plugged(3);
	assert_int_equal(mem->source.requested, 3 * B + B / 2);
	expect_trouble("only whole blocks");
	request(4);
	expect_trouble(NULL);
}

static void more_than_the_region_is_the_region(void **state)
{
	(void)state;
	sim_mem_request_size(&sim, UINT64_MAX / 2);
	settle();
	expect_plugged(REGION_BLOCKS);
	expect_trouble("its region has no more");
}

static void what_is_not_usable_is_not_asked_for(void **state)
{
	(void)state;
	request(10);
	sim.usable = 20 * BLOCK_SIZE;
	sim_mem_show(&sim, SIM_MEM_USABLE, sim.usable);
	sim_mem_show(&sim, SIM_MEM_REQUESTED, 30 * BLOCK_SIZE);
	sim.requested = 30 * BLOCK_SIZE;
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	settle();
	expect_plugged(20);
	expect_trouble("lets no more of its region be used");
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio-mem: 0000:00:02.0: 60 MiB are requested, and 40 MiB are there: "
			    "the device lets no more of its region be used");
	assert_int_equal(sim.answers[VIRTIO_MEM_ERROR], 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_STUCK), 1);
	/* As soon as more is usable. */
	sim.usable = REGION_BLOCKS * BLOCK_SIZE;
	sim_mem_show(&sim, SIM_MEM_USABLE, sim.usable);
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	settle();
	expect_plugged(30);
	expect_trouble(NULL);
}

/* The device holds the processor for so long in each notification. */
static uint64_t slowness_ns;

static bool lie_slow(struct sim_mem *s, const struct sim_mem_request *request,
		     struct sim_mem_answer *answer)
{
	(void)s, (void)answer;
	sim_time_advance(request->nb_blocks * slowness_ns);
	return false;
}

static void a_slow_device_is_asked_for_less_at_once(void **state)
{
	(void)state;
	sim.lie = lie_slow;
	slowness_ns = NS_PER_MS;
	request(500);
	expect_plugged(500);
	/* 128, 64, 32, and then 16 of them in 16 ms: neither long nor short. */
	assert_int_equal(sim.largest, 128);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 3 + (500 - 224 + 15) / 16);
}

static void a_fast_device_is_asked_for_more_at_once(void **state)
{
	(void)state;
	request(500);
	expect_plugged(500);
	/* 128, 256, and the rest; and so again the other way. */
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 3);
	assert_int_equal(sim.largest, 256);
	request(0);
	expect_plugged(0);
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG], 3);
}

/* ---- A wish that changes in mid-work ---- */

static void a_wish_that_falls_in_mid_work_turns_it_round(void **state)
{
	(void)state;
	start_with_blocks(FRAME_SIZE);
	request(20);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(300);
	assert_int_equal(sim.pending_count, 3);
	request(10);
	/* What was asked for comes first. */
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG], 0);
	sim.requested = 300 * BLOCK_SIZE; /* it had seen the requests before */
	sim_mem_complete(&sim, SIZE_MAX);
	sim.requested = 10 * BLOCK_SIZE;
	settle();
	assert_int_equal(mem->source.plugged, 300 * B);
	assert_true(sim.requests[VIRTIO_MEM_UNPLUG] > 0);
	sim.completion = SIM_MEM_AT_ONCE;
	sim_mem_complete(&sim, SIZE_MAX);
	settle();
	expect_plugged(10);
}

static void a_wish_that_rises_in_mid_work_turns_it_round(void **state)
{
	(void)state;
	request(100);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(10);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 90 * B);
	request(200);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 1);
	sim.completion = SIM_MEM_AT_ONCE;
	sim_mem_complete(&sim, SIZE_MAX);
	settle();
	expect_plugged(200);
	assert_int_equal(fake_balloon.limit, BALLOON_ANYWHERE);
}

/* In the order in which they please the device. */
static void answers_may_come_in_any_order(void **state)
{
	struct sim_mem_request first;

	(void)state;
	start_with_blocks(FRAME_SIZE);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(300);
	assert_int_equal(sim.pending_count, 3);
	first = sim.pending[0];
	sim.pending[0] = sim.pending[2];
	sim.pending[2] = first;
	sim_mem_complete(&sim, 1);
	settle();
	assert_int_equal(mem->source.plugged, 46 * B);
	assert_int_equal(frame_owner(REGION), OWNER_ABSENT);
	assert_int_equal(frame_owner(REGION + 254 * B), OWNER_FREE);
	sim_mem_complete(&sim, SIZE_MAX);
	settle();
	expect_plugged(300);
}

/* Neither to what was asked for, nor in the config. */
static void what_has_no_meaning_is_not_looked_at(void **state)
{
	(void)state;
	sim_mem_show(&sim, SIM_MEM_NODE, UINT64_MAX);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(5);
	sim_mem_set(&sim, pfn_to_paddr(REGION), 5 * BLOCK_SIZE, true);
	assert_true(sim_mem_answer(&sim, VIRTIO_MEM_ACK, 0x7777));
	settle();
	expect_plugged(5);
	request(3);
	sim_mem_set(&sim, pfn_to_paddr(REGION + 3 * B), 2 * BLOCK_SIZE, false);
	assert_true(sim_mem_answer(&sim, VIRTIO_MEM_ACK, 0x7777));
	settle();
	expect_plugged(3);
	assert_true(mem->running);
}

/* ---- What is in the way ---- */

static void a_busy_device_is_asked_at_a_growing_pace(void **state)
{
	uint64_t asked;

	(void)state;
	request(10);
	sim.busy = true;
	request(20);
	expect_plugged(10);
	expect_trouble("busy");
	wait_ns(NS_PER_S);
	/* After 0.1, 0.2 and 0.4 s. */
	asked = sim.requests[VIRTIO_MEM_PLUG] - 1;
	assert_in_range(asked, 3, 4);
	wait_ns(60 * NS_PER_S);
	assert_in_range(sim.requests[VIRTIO_MEM_PLUG] - 1 - asked, 11, 16);
	assert_int_equal(mem_fixture_events(MEM_EVENT_BUSY), 1);
	assert_int_equal(sim_log_warnings, 0);
	sim.busy = false;
	wait_ns(6 * NS_PER_S);
	expect_plugged(20);
	expect_trouble(NULL);
}

/* When a migration failed, what is wanted then is not kept waiting for the pause of before. */
static void another_wish_ends_the_pause_of_a_busy_device(void **state)
{
	uint64_t asked;

	(void)state;
	sim.busy = true;
	request(10);
	wait_ns(30 * NS_PER_S);
	assert_int_equal(mem->busy_ns, 5 * NS_PER_S);
	asked = sim.requests[VIRTIO_MEM_PLUG];
	request(11);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], asked + 1);
	assert_int_equal(mem->busy_ns, 5 * NS_PER_S);
	sim.busy = false;
	request(12);
	expect_plugged(12);
	expect_trouble(NULL);
}

/* It is migrating: what was claimed is of use meanwhile. */
static void what_a_busy_device_does_not_take_is_free_again(void **state)
{
	(void)state;
	request(20);
	sim.busy = true;
	request(5);
	expect_plugged(20);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_KEPT), 1);
	/* For as long as it may take: how it began is still among what is kept. */
	wait_ns(300 * NS_PER_S);
	assert_true(sim.requests[VIRTIO_MEM_UNPLUG] > 50);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_REQUESTED).argument[0], 5 * B);
	assert_true(mem_fixture_events(MEM_EVENT_KEPT) <= 16);
	assert_int_equal(virtio_mem_blocks_now(mem), 128);
	sim.busy = false;
	wait_ns(6 * NS_PER_S);
	expect_plugged(5);
}

static bool lie_nack(struct sim_mem *s, const struct sim_mem_request *r,
		     struct sim_mem_answer *answer)
{
	(void)s, (void)r;
	answer->type = VIRTIO_MEM_NACK;
	return true;
}

static void a_nack_is_named_once_and_asked_again_each_second(void **state)
{
	(void)state;
	sim.lie = lie_nack;
	request(10);
	expect_plugged(0);
	expect_trouble("does not want that now");
	wait_ns(5 * NS_PER_S);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(
		strstr(sim_log_warning, "0000:00:02.0: NACK to the request to plug 20 MiB"));
	assert_in_range(sim.requests[VIRTIO_MEM_PLUG], 5, 7);
	assert_int_equal(mem_fixture_events(MEM_EVENT_REFUSED), 1);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_REFUSED).argument[1], VIRTIO_MEM_NACK);
	sim.lie = NULL;
	/* Another wish is asked for at once. */
	request(11);
	expect_plugged(11);
	expect_trouble(NULL);
}

static void what_was_refused_is_asked_for_again_from_the_lowest_on(void **state)
{
	(void)state;
	start_with_blocks(FRAME_SIZE);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(300);
	assert_true(sim_mem_answer(&sim, VIRTIO_MEM_NACK, 0));
	sim_mem_complete(&sim, SIZE_MAX);
	settle();
	assert_int_equal(mem->source.plugged, 173 * B);
	sim.completion = SIM_MEM_AT_ONCE;
	wait_ns(2 * NS_PER_S);
	expect_plugged(300);
	assert_int_equal(frame_owner(REGION), OWNER_FREE);
}

static void the_floor_is_in_the_way_until_it_is_not(void **state)
{
	(void)state;
	request(20);
	fake_balloon.floor = ledger_count(OWNER_FREE) - 3 * B;
	request(5);
	expect_plugged(17);
	expect_trouble("the floor");
	assert_int_equal(fake_balloon.limit, REGION);
	assert_int_equal(mem_fixture_events(MEM_EVENT_STUCK), 1);
	wait_ns(3 * NS_PER_S);
	expect_plugged(17);
	assert_int_equal(mem_fixture_events(MEM_EVENT_STUCK), 1);
	/* The console says so, once for each wish. */
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio-mem: 0000:00:02.0: 10 MiB are requested, and 34 MiB are there: "
			    "the floor of free memory would be passed");
	request(4);
	assert_int_equal(sim_log_warnings, 2);
	request(5);
	assert_int_equal(sim_log_warnings, 3);
	fake_balloon.floor = 0;
	wait_ns(2 * NS_PER_S);
	expect_plugged(5);
	expect_trouble(NULL);
	assert_int_equal(fake_balloon.limit, BALLOON_ANYWHERE);
}

static void the_balloon_moves_out_first(void **state)
{
	(void)state;
	request(20);
	mem_fixture_take(REGION, 20 * B - 300, OWNER_HELD);
	mem_fixture_take(REGION + 20 * B - 300, 300, OWNER_BALLOON);
	mem_fixture_give_back(REGION + 19 * B, B - 300, OWNER_HELD);
	request(19);
	expect_plugged(20);
	wait_ns(100 * NS_PER_MS);
	expect_plugged(19);
	assert_int_equal(ledger_count(OWNER_BALLOON), 300);
	mem_fixture_give_back(REGION, 19 * B, OWNER_HELD);
}

/* What is said when nothing has left for a second is what it was waited for. */
static void a_balloon_that_moves_slowly_is_not_its_host(void **state)
{
	(void)state;
	request(20);
	mem_fixture_take(REGION, 20 * B, OWNER_BALLOON);
	fake_balloon.answers = true;
	fake_balloon.answer = BALLOON_MOVING_OUT;
	request(10);
	expect_trouble(NULL);
	wait_ns(2 * NS_PER_S);
	expect_trouble("the balloon takes long to move out of it");
	fake_balloon.answers = false;
	mem_fixture_give_back(REGION, 20 * B, OWNER_BALLOON);
	wait_ns(2 * NS_PER_S);
	expect_plugged(10);
	expect_trouble(NULL);
}

/* One that was given up, and does not finish its reset, keeps it for ever. */
static void a_balloon_that_never_moves_is_looked_at_seldom(void **state)
{
	uint64_t waits;

	(void)state;
	request(20);
	mem_fixture_take(REGION, 20 * B, OWNER_IN_FLIGHT);
	request(10);
	assert_true(mem->waits);
	wait_ns(2 * NS_PER_S);
	expect_plugged(20);
	expect_trouble("host has some of it");
	/* Each wait of the task is one until the next second, as all others are. */
	waits = sim_time_waits;
	virtio_mem_wait(mem);
	settle();
	virtio_mem_wait(mem);
	assert_int_equal(sim_time_waits, waits + 2);
	assert_false(mem->waits);
	mem_fixture_give_back(REGION, 20 * B, OWNER_IN_FLIGHT);
	wait_ns(2 * NS_PER_S);
	expect_plugged(10);
	expect_trouble(NULL);
}

static void a_silent_device_is_given_up(void **state)
{
	(void)state;
	request(20);
	sim.completion = SIM_MEM_NEVER;
	request(5);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	wait_ns(NS_PER_S);
	assert_true(mem->running);
	wait_ns(3 * NS_PER_S);
	assert_false(mem->running);
	expect_trouble("no answer within 2 s");
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "no answer within 2 s"));
	assert_int_equal(mem_fixture_events(MEM_EVENT_GAVE_UP), 1);
	/* Nobody knows whether it took them: nobody touches them. */
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 15 * B);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
	assert_int_equal(fake_balloon.limit, BALLOON_ANYWHERE);
	assert_books();
}

/* A guest that is stopped has given it no time. */
static void a_stop_is_no_silence(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_ON_DEMAND;
	request(5);
	sim_time_jump(100 * (int64_t)NS_PER_S);
	settle();
	assert_true(mem->running);
	sim_mem_complete(&sim, SIZE_MAX);
	settle();
	expect_plugged(5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_one, virtio_mem_tear_down)
#define BARE(name) cmocka_unit_test_setup_teardown(name, virtio_mem_set_up, virtio_mem_tear_down)

int main(void)
{
	const struct CMUnitTest reaching[] = {
		TEST(what_is_requested_is_plugged_from_the_lowest_block_up),
		TEST(what_is_too_much_leaves_from_the_highest_block_down),
		TEST(what_is_requested_in_the_last_moment_is_not_missed),
		TEST(it_grows_when_no_frame_is_free),
		TEST(neighbours_are_one_event_upwards_and_downwards),
		TEST(every_second_block_can_leave),
		TEST(blocks_that_lie_together_are_one_event),
		TEST(a_wish_without_an_interrupt_is_seen),
	};
	const struct CMUnitTest sizes[] = {
		BARE(a_request_has_no_more_blocks_than_its_field),
		BARE(large_blocks_come_and_go_as_a_whole),
		TEST(what_is_no_whole_block_is_left_out),
		TEST(more_than_the_region_is_the_region),
		TEST(what_is_not_usable_is_not_asked_for),
		TEST(a_slow_device_is_asked_for_less_at_once),
		TEST(a_fast_device_is_asked_for_more_at_once),
	};
	const struct CMUnitTest turns[] = {
		BARE(a_wish_that_falls_in_mid_work_turns_it_round),
		TEST(a_wish_that_rises_in_mid_work_turns_it_round),
		BARE(answers_may_come_in_any_order),
		TEST(what_has_no_meaning_is_not_looked_at),
	};
	const struct CMUnitTest obstacles[] = {
		TEST(a_busy_device_is_asked_at_a_growing_pace),
		TEST(another_wish_ends_the_pause_of_a_busy_device),
		TEST(what_a_busy_device_does_not_take_is_free_again),
		TEST(a_nack_is_named_once_and_asked_again_each_second),
		BARE(what_was_refused_is_asked_for_again_from_the_lowest_on),
		TEST(the_floor_is_in_the_way_until_it_is_not),
		TEST(the_balloon_moves_out_first),
		TEST(a_balloon_that_moves_slowly_is_not_its_host),
		TEST(a_balloon_that_never_moves_is_looked_at_seldom),
		TEST(a_silent_device_is_given_up),
		TEST(a_stop_is_no_silence),
	};

	return cmocka_run_group_tests(reaching, region_fixture_reserve, NULL) +
	       cmocka_run_group_tests(sizes, NULL, NULL) +
	       cmocka_run_group_tests(turns, NULL, NULL) +
	       cmocka_run_group_tests(obstacles, NULL, NULL);
}
