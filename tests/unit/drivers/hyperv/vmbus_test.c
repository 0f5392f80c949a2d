/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus.c: the connection from its start to its end, and its channels. */
#include "drivers/hyperv/dm.h"
#include "tests/unit/drivers/hyperv/vmbus_fixture.h"

/* A channel that a test has the host offer. */
#define OTHER_RELID 1000

static void start(void)
{
	assert_int_equal(vmbus_start(), 0);
}

static bool has_all_offers(void)
{
	return fixture_info().all_offers;
}

/* ---- The connection ---- */

static void it_connects_by_the_newest_version(void)
{
	fixture_connect();
	assert_true(vmbus_get_info(&(struct vmbus_info){ 0 }));
	assert_int_equal(fixture_info().version, VMBUS_VERSION(5, 3));
	assert_int_equal(seen()->vmbus_version, VMBUS_VERSION(5, 3));
	assert_int_equal(seen()->connects, 1);
	assert_null(fixture_info().fault);
	assert_int_equal(fixture.offered, 1);
	/* INITIATE_CONTACT and REQUEST_OFFERS; VERSION_RESPONSE, OFFER and ALL_OFFERS. */
	assert_int_equal(fixture_info().posted, 2);
	assert_int_equal(fixture_info().taken, 3);
	assert_int_equal(fixture_info().ignored, 0);
	assert_int_equal(sim_log_warnings, 0);
}

static const uint32_t older[] = {
	VMBUS_VERSION(5, 2), VMBUS_VERSION(5, 1), VMBUS_VERSION(5, 0), VMBUS_VERSION(4, 1),
	VMBUS_VERSION(4, 0), VMBUS_VERSION(3, 0), VMBUS_VERSION(2, 4),
};
static size_t age;

static void it_connects_to_an_older_host(void)
{
	wish()->vmbus_version = older[age];
	fixture_connect();
	assert_int_equal(fixture_info().version, older[age]);
	assert_int_equal(seen()->connects, 1);
	assert_int_equal(fixture.offered, 1);
}

static void a_host_that_knows_none_of_the_versions_is_given_up(void)
{
	lie()->refused = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_await(fixture_has_fault, "the end");
	assert_non_null(strstr(fixture_info().fault, "none of the versions"));
	assert_true(vmbus_get_info(&(struct vmbus_info){ 0 }));
	assert_int_equal(fixture_info().version, 0);
	assert_int_equal(fixture_info().posted, ARRAY_SIZE(older) + 1);
	assert_int_equal(sim_log_warnings, 1);
}

static void a_host_that_does_not_answer_is_given_up(void)
{
	lie()->silent = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_wait(VMBUS_DEADLINE_NS - 50 * NS_PER_MS);
	assert_null(fixture_info().fault);
	fixture_wait(100 * NS_PER_MS);
	assert_string_equal(fixture_info().fault, "it does not answer");
	assert_int_equal(fixture_info().posted, 1);
	assert_int_equal(sim_log_warnings, 1);
}

static const uint32_t no_bus[] = { HV_INVALID_CONNECTION, HV_ACCESS_DENIED };
static size_t refusal;

static void a_host_without_vmbus_is_passed_in_silence(void)
{
	lie()->post_status = no_bus[refusal];
	start();
	fixture_wait(NS_PER_S);
	assert_false(vmbus_get_info(&(struct vmbus_info){ 0 }));
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
	assert_int_equal(sim_log_debugs, 1);
}

static void a_second_answer_to_the_version_is_ignored(void)
{
	lie()->twice = HYPERV_BIT(HYPERV_VERSION);
	fixture_connect();
	assert_int_equal(fixture_info().version, VMBUS_VERSION(5, 3));
	assert_int_equal(fixture_info().ignored, 1);
}

static void a_version_that_does_not_connect_is_followed_by_the_next(void)
{
	const struct vmbus_version_response failed = { .header = { .type = VMBUS_VERSION_RESPONSE },
						       .supported = 1,
						       .state = 1 };

	lie()->silent = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_wait(NS_PER_MS);
	fixture_push(&failed, sizeof(failed));
	fixture_wait(10 * NS_PER_MS);
	assert_int_equal(seen()->connects, 2);
	assert_int_equal(fixture_info().version, 0);
	lie()->silent = 0;
	fixture_await(has_all_offers, "all offers");
	assert_int_equal(fixture_info().version, VMBUS_VERSION(5, 2));
	assert_int_equal(seen()->vmbus_version, VMBUS_VERSION(5, 2));
}

static void what_is_offered_before_there_is_a_connection_is_ignored(void)
{
	const struct vmbus_offer offer = { .header = { .type = VMBUS_OFFER },
					   .type = DM_GUID,
					   .relid = OTHER_RELID };

	lie()->silent = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_wait(NS_PER_MS);
	fixture_push(&offer, VMBUS_OFFER_BYTES);
	fixture_wait(10 * NS_PER_MS);
	assert_int_equal(fixture_info().ignored, 1);
	lie()->silent = 0;
	fixture_await(has_all_offers, "all offers");
	fixture_await(fixture_is_offered, "the channel");
	assert_int_equal(fixture.offered, 1);
}

static void a_host_that_takes_no_request_for_offers_is_given_up(void)
{
	lie()->silent = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_wait(NS_PER_MS);
	lie()->post_status = HV_ACCESS_DENIED;
	lie()->silent = 0;
	sim_machine_ring();
	fixture_await(fixture_has_fault, "the end");
	assert_string_equal(fixture_info().fault, "it takes no request for its offers");
	assert_int_equal(fixture_info().version, VMBUS_VERSION(5, 3));
}

static void a_host_that_never_interrupts_is_looked_at(void)
{
	lie()->no_interrupts = 1;
	fixture_connect();
	assert_int_equal(fixture.offered, 1);
}

/* ---- The start ---- */

static void expect_no_start(int err)
{
	assert_int_equal(vmbus_start(), err);
	assert_false(vmbus_get_info(&(struct vmbus_info){ 0 }));
	assert_int_equal(ledger_count(OWNER_FREE), fixture.free);
	assert_int_equal(sim_irq_messages(), 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void a_guest_that_may_not_post_does_not(void)
{
	wish()->hide_high = HV_ACCESS_HIGH_POST_MESSAGES;
	hyperv_find();
	expect_no_start(-ENODEV);
}

static void a_guest_that_may_not_signal_does_not(void)
{
	wish()->hide_high = HV_ACCESS_HIGH_SIGNAL_EVENTS;
	hyperv_find();
	expect_no_start(-ENODEV);
}

static void without_a_synic_there_is_nothing(void)
{
	wish()->hide_low = HV_ACCESS_SYNIC;
	hyperv_find();
	expect_no_start(-ENODEV);
}

/* A frame for hypercalls, four for the connection, two for the SynIC. */
static void without_memory_nothing_is_kept(void)
{
	static const unsigned orders[] = { 0, 2, 1 };
	pfn_t pfn[ARRAY_SIZE(orders)];

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		assert_int_equal(frame_alloc(orders[i], OWNER_HELD, &pfn[i]), 0);
	while (frame_alloc_bulk(1, PFN_NONE, OWNER_HELD, &(pfn_t){ 0 }) == 1)
		;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		fixture.free = ledger_count(OWNER_FREE);
		expect_no_start(-ENOMEM);
		assert_int_equal(frame_free(pfn[i], (size_t)1 << orders[i], OWNER_HELD), 0);
	}
	fixture_connect();
	/* What is held stays so. */
	fixture.free = ledger_count(OWNER_FREE) + CONNECTION_FRAMES;
}

/* Frames of the kernel's in which nothing lies. */
static unsigned count_empty(void)
{
	static const uint8_t nothing[FRAME_SIZE];
	unsigned count = 0;

	for (pfn_t pfn = SIM_RAM_START / FRAME_SIZE;
	     pfn < SIM_RAM_START / FRAME_SIZE + SIM_RAM_FRAMES; pfn++)
		count += frame_owner(pfn) == OWNER_KERNEL &&
			 memcmp((void *)(uintptr_t)(pfn * FRAME_SIZE), nothing, FRAME_SIZE) == 0;
	return count;
}

static void what_the_host_may_write_to_is_empty(void)
{
	unsigned before = count_empty();

	for (pfn_t pfn = SIM_RAM_START / FRAME_SIZE;
	     pfn < SIM_RAM_START / FRAME_SIZE + SIM_RAM_FRAMES; pfn++)
		if (frame_owner(pfn) == OWNER_FREE)
			memset((void *)(uintptr_t)(pfn * FRAME_SIZE), 0xa5, FRAME_SIZE);
	start();
	/* All but that for hypercalls, which the host only reads. */
	assert_int_equal(count_empty(), before + CONNECTION_FRAMES - 1);
}

static void without_a_task_nothing_is_kept(void)
{
	sim_tasks_stack_err = -ENOMEM;
	expect_no_start(-ENOMEM);
	sim_tasks_stack_err = 0;
	fixture_connect();
}

static void without_a_vector_nothing_is_kept(void)
{
	sim_irq_messages_left = 0;
	expect_no_start(-ENOSPC);
	sim_irq_messages_left = 1;
	fixture_connect();
}

/* ---- Channels ---- */

static void channels_without_a_driver_are_left_alone(void)
{
	struct vmbus_channel_info channel;
	size_t count = 0;

	wish()->other_channels = 3;
	fixture_connect();
	while (vmbus_get_channel(count, &channel)) {
		assert_false(channel.open);
		count++;
	}
	assert_int_equal(count, 4);
	assert_int_equal(fixture.offered, 1);
	assert_int_equal(seen()->opens, 0);
}

static void a_channel_comes_and_goes(void)
{
	fixture_connect();
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	wish()->no_dm = 1;
	fixture_await(fixture_is_withdrawn, "the rescission");
	assert_int_equal(fixture.rescinded, 1);
	fixture_wait(10 * NS_PER_MS);
	assert_int_equal(seen()->releases, 1);
	assert_int_equal(ledger_count(OWNER_FREE), fixture.free - CONNECTION_FRAMES);
	wish()->no_dm = 0;
	fixture_await(fixture_is_offered, "the next offer");
	assert_int_equal(fixture.offered, 2);
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	assert_null(vmbus_fault(fixture.channel));
	vmbus_close(fixture.channel);
}

static void drivers_look_at_their_channels_as_time_passes(void)
{
	unsigned before;

	wish()->other_channels = 3;
	fixture_connect();
	before = fixture.looks;
	fixture_wait(5 * NS_PER_S);
	assert_in_range(fixture.looks, before + 4, before + 100);
	/* And at none that was withdrawn. */
	wish()->no_dm = 1;
	fixture_await(fixture_is_withdrawn, "the rescission");
	before = fixture.looks;
	fixture_wait(5 * NS_PER_S);
	assert_int_equal(fixture.looks, before);
}

/* ---- Two at once ---- */

static unsigned closed; /* tasks that are through */
static struct dm dm;

static bool are_closed(void)
{
	return closed == 2;
}

static void close_channel(void *channel)
{
	vmbus_close(channel);
	closed++;
}

static void stop_dm(void *arg)
{
	dm_stop(arg);
	closed++;
}

/*
 * Has two tasks do the same, while the host does not let go; then it does. The caller looks before
 * the other one.
 */
static void twice_at_once(void (*end)(void *arg), void *arg)
{
	closed = 0;
	lie()->silent = HYPERV_BIT(HYPERV_GPADL_TORNDOWN);
	assert_int_equal(task_create("one", TASK_PRIORITY_DRIVER, end, arg), 0);
	assert_int_equal(task_create("other", TASK_PRIORITY_BACKGROUND, end, arg), 0);
	fixture_wait(50 * NS_PER_MS);
	/* Neither says that the channel is closed while the host has its memory. */
	assert_int_equal(closed, 0);
	assert_int_equal(seen()->closes, 1);
	lie()->silent = 0;
}

static void a_channel_that_two_close_is_closed_once(void)
{
	fixture_connect();
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	twice_at_once(close_channel, fixture.channel);
	/* And a third one opens it, once it is. */
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	fixture_await(are_closed, "both ends");
	assert_null(vmbus_fault(fixture.channel));
	assert_true(vmbus_has_room(fixture.channel, 8));
	assert_int_equal(ledger_count(OWNER_FREE), fixture.free - CONNECTION_FRAMES - 4);
	vmbus_close(fixture.channel);
	assert_int_equal(seen()->closes, 2);
}

static void a_channel_that_is_withdrawn_while_two_close_it_is_released_after_that(void)
{
	fixture_connect();
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	twice_at_once(close_channel, fixture.channel);
	lie()->silent = HYPERV_BIT(HYPERV_GPADL_TORNDOWN);
	wish()->no_dm = 1;
	fixture_await(are_closed, "both ends");
	fixture_wait(50 * NS_PER_MS);
	assert_int_equal(seen()->releases, 1);
	assert_int_equal(ledger_count(OWNER_FREE), fixture.free - CONNECTION_FRAMES);
}

/* The second one, which may be through later, ends nothing that was begun meanwhile. */
static void dynamic_memory_that_two_stop_may_be_started_at_once(void)
{
	fixture_connect();
	assert_int_equal(dm_start(&dm, fixture.channel, DM_CAP_BALLOON, &fixture.waiters), 0);
	twice_at_once(stop_dm, &dm);
	assert_int_equal(dm_start(&dm, fixture.channel, DM_CAP_BALLOON, &fixture.waiters), 0);
	fixture_await(are_closed, "both ends");
	assert_ptr_equal(dm.channel, fixture.channel);
	assert_null(dm_fault(&dm));
	dm_stop(&dm);
	assert_null(dm.channel);
	assert_int_equal(seen()->closes, 2);
}

static void push_offer(uint32_t relid)
{
	const struct vmbus_offer offer = { .header = { .type = VMBUS_OFFER },
					   .type = { { 7 } },
					   .relid = relid };

	fixture_push(&offer, VMBUS_OFFER_BYTES);
}

static void push_rescission(uint32_t relid)
{
	const struct vmbus_relid gone = { .header = { .type = VMBUS_RESCIND_OFFER },
					  .relid = relid };

	fixture_push(&gone, sizeof(gone));
}

static void withdrawn_channels_that_nobody_has_are_released(void)
{
	struct vmbus_channel_info channel;
	uint64_t posted;

	fixture.breaks_rules = true;
	fixture_connect();
	/* Not just before the moment at which all look. */
	task_sleep_until(task_next_look(clock_ns()) + 10 * NS_PER_MS);
	for (uint32_t i = 0; i < 4; i++)
		push_offer(OTHER_RELID + i);
	fixture_wait(10 * NS_PER_MS);
	assert_true(vmbus_get_channel(4, &channel));
	assert_int_equal(channel.relid, OTHER_RELID + 3);
	posted = fixture_info().posted;
	for (uint32_t i = 0; i < 4; i++)
		push_rescission(OTHER_RELID + i);
	fixture_wait(10 * NS_PER_MS);
	assert_false(vmbus_get_channel(1, &channel));
	assert_int_equal(fixture_info().posted, posted + 4);
	assert_int_equal(fixture.rescinded, 0);
	assert_null(fixture_info().fault);
}

#define CHANGES 500

/* Each time that the guest knows of it. */
static void change_its_mind(void)
{
	if (fixture.offered == CHANGES)
		return;
	wish()->no_dm = fixture_is_offered();
	sim_machine_ring();
}

static bool has_changed_its_mind(void)
{
	return fixture.offered == CHANGES;
}

static void a_channel_that_comes_and_goes_without_an_end_leaves_others_their_turn(void)
{
	fixture_connect();
	fixture.meanwhile = change_its_mind;
	wish()->no_dm = 1;
	fixture_wait(NS_PER_MS);
	assert_in_range(fixture.offered, 2, 100);
	fixture_await(has_changed_its_mind, "all changes");
	assert_null(fixture_info().fault);
}

/* ---- Messages ---- */

static void a_flood_of_messages_is_taken_in_turns(void)
{
	const struct vmbus_header nothing = { .type = 999 };

	fixture_connect();
	for (unsigned i = 0; i < 40; i++)
		fixture_push(&nothing, sizeof(nothing));
	fixture_wait(20 * NS_PER_MS);
	assert_int_equal(fixture_info().ignored, 40);
	assert_null(fixture_info().fault);
}

static void what_is_wrong_is_told_at_once_to_whoever_waits(void)
{
	const struct vmbus_header cut = { .type = VMBUS_OFFER };
	uint64_t now, flags;

	fixture_connect();
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	/* Not just before the moment at which all look. */
	task_sleep_until(task_next_look(clock_ns()) + 10 * NS_PER_MS);
	now = clock_ns();
	fixture_push(&cut, sizeof(cut));
	flags = irq_save();
	assert_true(task_wait(&fixture.waiters, now + NS_PER_S / 2));
	irq_restore(flags);
	assert_string_equal(vmbus_fault(fixture.channel), "a message is cut short");
	assert_int_equal(fixture.rescinded, 0);
	assert_int_equal(sim_log_warnings, 1);
	/* The frames of the rings are the host's. */
	vmbus_close(fixture.channel);
	fixture.free -= 4;
}

/* ---- The end ---- */

static void the_end_leaves_the_host_nothing(void)
{
	uint64_t free;

	fixture_connect();
	free = ledger_count(OWNER_FREE);
	vmbus_unload();
	assert_int_equal(seen()->unloads, 1);
	assert_int_equal(seen()->progress, HYPERV_HYPERCALLS);
	assert_int_equal(ledger_count(OWNER_FREE), free + CONNECTION_FRAMES);
	assert_int_equal(sim_irq_messages(), 0);
	assert_false(vmbus_get_info(&(struct vmbus_info){ 0 }));
	vmbus_unload();
	assert_int_equal(seen()->unloads, 1);
}

static void after_the_end_there_may_be_a_new_start(void)
{
	fixture_connect();
	vmbus_unload();
	fixture.channel = NULL;
	sim_log_reset();
	fixture_connect();
	assert_int_equal(seen()->connects, 2);
	assert_int_equal(fixture.offered, 2);
	assert_int_equal(fixture_info().posted, 2);
}

static void open_channels_are_closed_at_the_end(void)
{
	fixture_connect();
	assert_int_equal(vmbus_open(fixture.channel, 2, &fixture.waiters), 0);
	vmbus_unload();
	assert_int_equal(seen()->closes, 1);
	assert_int_equal(seen()->unloads, 1);
	/* It looks open, and nothing reaches the host. */
	assert_int_equal(vmbus_send(fixture.channel, "12345678", 8, 0), 0);
	assert_int_equal(seen()->packets_in, 0);
	fixture.free -= 4;
}

static void a_host_that_does_not_answer_keeps_nobody_at_the_end(void)
{
	uint64_t begin;

	fixture_connect();
	lie()->silent = HYPERV_BIT(HYPERV_UNLOAD_RESPONSE);
	begin = clock_awake_ns();
	vmbus_unload();
	assert_in_range(clock_awake_ns() - begin, VMBUS_DEADLINE_NS,
			VMBUS_DEADLINE_NS + 50 * NS_PER_MS);
	assert_int_equal(seen()->unloads, 1);
}

static void a_host_that_takes_no_farewell_is_not_waited_for(void)
{
	uint64_t begin;

	fixture_connect();
	lie()->post_status = HV_ACCESS_DENIED;
	begin = clock_awake_ns();
	vmbus_unload();
	assert_in_range(clock_awake_ns() - begin, 0, 50 * NS_PER_MS);
}

static void a_host_that_was_given_up_is_told_nothing(void)
{
	const struct vmbus_header cut = { .type = VMBUS_OFFER };

	fixture_connect();
	fixture_push(&cut, sizeof(cut));
	fixture_await(fixture_has_fault, "the end");
	vmbus_unload();
	assert_int_equal(seen()->unloads, 0);
}

static void the_end_may_come_while_it_connects(void)
{
	lie()->silent = HYPERV_BIT(HYPERV_VERSION);
	start();
	fixture_wait(NS_PER_MS);
	vmbus_unload();
	assert_int_equal(seen()->unloads, 0);
	assert_int_equal(sim_irq_messages(), 0);
}

/* ---- All of it ---- */

static void it_connects_to_older_hosts(void **state)
{
	(void)state;
	for (age = 0; age < ARRAY_SIZE(older); age++)
		fixture_live(it_connects_to_an_older_host);
}

static void hosts_without_vmbus_are_passed_in_silence(void **state)
{
	(void)state;
	for (refusal = 0; refusal < ARRAY_SIZE(no_bus); refusal++)
		fixture_live(a_host_without_vmbus_is_passed_in_silence);
}

#define TEST(name) \
	{ \
#name, fixture_in_a_task, NULL, NULL, (void *)(uintptr_t)name \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(it_connects_by_the_newest_version),
		cmocka_unit_test(it_connects_to_older_hosts),
		TEST(a_host_that_knows_none_of_the_versions_is_given_up),
		TEST(a_host_that_does_not_answer_is_given_up),
		cmocka_unit_test(hosts_without_vmbus_are_passed_in_silence),
		TEST(a_second_answer_to_the_version_is_ignored),
		TEST(a_version_that_does_not_connect_is_followed_by_the_next),
		TEST(what_is_offered_before_there_is_a_connection_is_ignored),
		TEST(a_host_that_takes_no_request_for_offers_is_given_up),
		TEST(a_host_that_never_interrupts_is_looked_at),
		TEST(a_guest_that_may_not_post_does_not),
		TEST(a_guest_that_may_not_signal_does_not),
		TEST(without_a_synic_there_is_nothing),
		TEST(without_memory_nothing_is_kept),
		TEST(what_the_host_may_write_to_is_empty),
		TEST(without_a_task_nothing_is_kept),
		TEST(without_a_vector_nothing_is_kept),
		TEST(channels_without_a_driver_are_left_alone),
		TEST(a_channel_comes_and_goes),
		TEST(drivers_look_at_their_channels_as_time_passes),
		TEST(a_channel_that_two_close_is_closed_once),
		TEST(a_channel_that_is_withdrawn_while_two_close_it_is_released_after_that),
		TEST(dynamic_memory_that_two_stop_may_be_started_at_once),
		TEST(withdrawn_channels_that_nobody_has_are_released),
		TEST(a_channel_that_comes_and_goes_without_an_end_leaves_others_their_turn),
		TEST(a_flood_of_messages_is_taken_in_turns),
		TEST(what_is_wrong_is_told_at_once_to_whoever_waits),
		TEST(the_end_leaves_the_host_nothing),
		TEST(after_the_end_there_may_be_a_new_start),
		TEST(open_channels_are_closed_at_the_end),
		TEST(a_host_that_does_not_answer_keeps_nobody_at_the_end),
		TEST(a_host_that_takes_no_farewell_is_not_waited_for),
		TEST(a_host_that_was_given_up_is_told_nothing),
		TEST(the_end_may_come_while_it_connects),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, fixture_reserve, NULL);
}
