/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of drivers/hyperv/dm.c: the host's side of a channel is a list of messages, and what it
 * answers to the guest's is put down by a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq_flags.h"
#include "drivers/hyperv/dm.h"
#include "tests/sim/sim_time.h"

#define SAID_MAX 8
#define CAPABILITIES (DM_CAP_BALLOON | DM_CAP_HOT_ADD)
#define JUNK 0xa5

/* ---- The host ---- */

static struct {
	/* What it has said and nobody has received. */
	struct {
		uint8_t bytes[DM_MESSAGE_MAX];
		size_t size;
	} said[SAID_MAX];
	size_t first, count;
	/* What it answers. */
	uint32_t version; /* the only one that it knows */
	uint64_t capabilities_flags;
	bool babbles;  /* it never ends to say what asks for nothing */
	uint32_t mute; /* a bit for each type of the guest's that is not answered */
	void (*before_answer)(void);
	/* What was sent to it. */
	unsigned sent;
	struct dm_version_request request;
	struct dm_capabilities capabilities;
	uint32_t transaction;
	/* The channel. */
	int open_err, send_err, receive_err;
	unsigned opens, closes;
	const char *fault, *blamed;
} host;

static int a_channel;
static struct wait_queue waiters;
static struct dm dm;

static struct vmbus_channel *channel(void)
{
	return (void *)&a_channel;
}

/* Says a message that is `size` bytes long, and what its header says of that. */
static void *say_sized(unsigned type, size_t size, size_t header_size)
{
	const struct dm_header header = { .type = (uint16_t)type, .size = (uint16_t)header_size };
	size_t at = (host.first + host.count++) % SAID_MAX;

	assert_true(host.count <= SAID_MAX && size <= DM_MESSAGE_MAX);
	memset(host.said[at].bytes, JUNK, DM_MESSAGE_MAX);
	memcpy(host.said[at].bytes, &header, sizeof(header));
	host.said[at].size = size;
	return host.said[at].bytes;
}

static void *say(unsigned type, size_t size)
{
	return say_sized(type, size, size);
}

static void say_version_response(uint64_t flags)
{
	struct dm_version_response *response = say(DM_VERSION_RESPONSE, sizeof(*response));

	response->flags = flags;
}

static void say_info(uint32_t type, uint64_t value)
{
	struct dm_info *info = say(DM_INFO, sizeof(*info));

	info->type = type;
	info->value = value;
}

static void answer_capabilities(void)
{
	struct dm_capabilities_response *response = say(DM_CAPABILITIES_RESPONSE,
							sizeof(*response));

	response->flags = host.capabilities_flags;
}

static void answer(const struct dm_header *message)
{
	if (host.before_answer)
		host.before_answer();
	if (message->type == DM_VERSION_REQUEST)
		say_version_response(host.request.version == host.version ? DM_ACCEPTED : 0);
	else if (message->type == DM_CAPABILITIES)
		answer_capabilities();
}

/* ---- In place of vmbus_open.c ---- */

int vmbus_open(struct vmbus_channel *opened, unsigned order, struct wait_queue *queue)
{
	assert_ptr_equal(opened, channel());
	assert_in_range(order, VMBUS_ORDER_MIN, VMBUS_ORDER_MAX);
	assert_ptr_equal(queue, &waiters);
	host.opens++;
	return host.open_err;
}

void vmbus_close(struct vmbus_channel *closed)
{
	assert_ptr_equal(closed, channel());
	host.closes++;
}

const char *vmbus_fault(const struct vmbus_channel *asked)
{
	assert_ptr_equal(asked, channel());
	return host.fault;
}

void vmbus_blame(struct vmbus_channel *blamed, const char *why)
{
	assert_ptr_equal(blamed, channel());
	host.blamed = why;
}

int vmbus_send(struct vmbus_channel *to, const void *message, size_t size, uint64_t transaction)
{
	const struct dm_header *header = message;

	(void)transaction;
	assert_ptr_equal(to, channel());
	assert_int_equal(header->size, size);
	if (host.send_err)
		return host.send_err;
	host.sent++;
	host.transaction = header->transaction;
	if (header->type == DM_VERSION_REQUEST)
		memcpy(&host.request, message, sizeof(host.request));
	else if (header->type == DM_CAPABILITIES)
		memcpy(&host.capabilities, message, sizeof(host.capabilities));
	if (!(host.mute & UINT32_C(1) << header->type))
		answer(header);
	return 0;
}

int vmbus_receive(struct vmbus_channel *from, void *message, size_t room, size_t *size)
{
	assert_ptr_equal(from, channel());
	if (host.receive_err)
		return host.receive_err;
	if (host.babbles)
		say_info(DM_INFO_PAGES_MAX, 1);
	if (host.count == 0)
		return -EAGAIN;
	*size = host.said[host.first].size;
	assert_true(*size <= room);
	memcpy(message, host.said[host.first].bytes, *size);
	host.first = (host.first + 1) % SAID_MAX;
	host.count--;
	return 0;
}

bool vmbus_has_message(const struct vmbus_channel *asked)
{
	assert_ptr_equal(asked, channel());
	return host.count > 0 || host.babbles || host.receive_err;
}

static int set_up(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.version = DM_VERSION(2, 0);
	host.capabilities_flags = DM_ACCEPTED;
	sim_time_reset();
	sim_time_advance(3 * NS_PER_S);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fake_irqs_off, 0);
	return 0;
}

static int start(void)
{
	return dm_start(&dm, channel(), CAPABILITIES, &waiters);
}

static void begin(void)
{
	assert_int_equal(start(), 0);
}

static void expect_no_start(int err)
{
	assert_int_equal(start(), err);
	assert_null(dm.channel);
	assert_int_equal(host.closes, host.opens);
}

/* ---- Ranges ---- */

static void a_range_holds_its_first_frame_and_their_number(void **state)
{
	uint64_t last = (UINT64_C(1) << 40) - 1;

	(void)state;
	assert_true(dm_range(0x12345, 3) == (UINT64_C(3) << 40 | 0x12345));
	assert_true(dm_range_first(dm_range(last, 1)) == last);
	assert_true(dm_range_count(dm_range(last, 1)) == 1);
	assert_true(dm_range_first(dm_range(0, DM_RANGE_COUNT_MAX)) == 0);
	assert_true(dm_range_count(dm_range(0, DM_RANGE_COUNT_MAX)) == DM_RANGE_COUNT_MAX);
}

/* ---- The agreement ---- */

static void both_agree_on_the_newest_version(void **state)
{
	(void)state;
	begin();
	assert_int_equal(dm.version, DM_VERSION(2, 0));
	assert_int_equal(host.request.flags, 0);
	assert_int_equal(host.sent, 2);
	assert_int_equal(host.transaction, 2);
	assert_int_equal(host.capabilities.flags, CAPABILITIES);
	assert_true(host.capabilities.page_max == UINT64_MAX);
	assert_int_equal(host.capabilities.pages_min, 0);
	assert_true(dm.wants_status);
	assert_int_equal(dm.pages_max, 0);
	assert_int_equal(dm.counts.sent, 2);
	assert_int_equal(dm.counts.received, 2);
	assert_null(dm_fault(&dm));
	assert_int_equal(sim_time_waits, 0);
}

static void older_versions_are_proposed_and_the_last_as_such(void **state)
{
	(void)state;
	host.version = DM_VERSION(1, 0);
	begin();
	assert_int_equal(dm.version, DM_VERSION(1, 0));
	assert_int_equal(host.request.flags, 0);
	host.version = DM_VERSION(0, 3);
	begin();
	assert_int_equal(dm.version, DM_VERSION(0, 3));
	assert_int_equal(host.request.flags, DM_LAST_ATTEMPT);
}

static void a_host_of_other_versions_is_not_used(void **state)
{
	(void)state;
	host.version = DM_VERSION(3, 0);
	expect_no_start(-ENOTSUP);
	assert_int_equal(host.sent, 3);
	assert_int_equal(dm.version, 0);
	assert_null(dm_fault(&dm));
}

static void a_host_that_refuses_the_capabilities_is_not_used(void **state)
{
	(void)state;
	host.capabilities_flags = 0;
	expect_no_start(-ENOTSUP);
	assert_int_equal(host.sent, 2);
}

static void a_host_may_want_no_reports(void **state)
{
	(void)state;
	host.capabilities_flags = DM_ACCEPTED | DM_CAP_NO_REPORTS;
	begin();
	assert_false(dm.wants_status);
}

static void a_channel_that_does_not_open_is_not_closed(void **state)
{
	(void)state;
	host.open_err = -ENOMEM;
	assert_int_equal(start(), -ENOMEM);
	assert_null(dm.channel);
	assert_int_equal(host.closes, 0);
	assert_int_equal(host.sent, 0);
}

static void a_message_that_cannot_be_sent_ends_it(void **state)
{
	(void)state;
	host.send_err = -EIO;
	host.fault = "the rings are broken";
	expect_no_start(-EIO);
	/* The channel is closed, and told why it was of no use. */
	host.fault = NULL;
	assert_string_equal(dm_fault(&dm), "the rings are broken");
}

static void forbid_sending(void)
{
	host.send_err = -EIO;
}

static void capabilities_that_cannot_be_sent_end_it(void **state)
{
	(void)state;
	host.before_answer = forbid_sending;
	expect_no_start(-EIO);
	assert_int_equal(host.sent, 1);
	assert_int_equal(dm.version, DM_VERSION(2, 0));
}

static void a_host_that_does_not_answer_is_waited_for_so_long(void **state)
{
	static const uint32_t types[] = { DM_VERSION_REQUEST, DM_CAPABILITIES };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		uint64_t begin_ns, took;

		set_up(state);
		host.mute = UINT32_C(1) << types[i];
		begin_ns = clock_awake_ns();
		expect_no_start(-ETIMEDOUT);
		took = clock_awake_ns() - begin_ns;
		assert_in_range(took, VMBUS_DEADLINE_NS, VMBUS_DEADLINE_NS + 50 * NS_PER_MS);
		assert_int_equal(host.sent, i + 1);
	}
}

static void accept_later(void)
{
	say_version_response(DM_ACCEPTED);
	sim_time_on_wait = NULL;
	sim_time_on_look = NULL;
}

static void an_answer_that_comes_later_is_taken(void **state)
{
	(void)state;
	host.mute = 1 << DM_VERSION_REQUEST;
	sim_time_on_wait = accept_later;
	begin();
	assert_int_equal(sim_time_device_waits, 1);
}

/* The wait begins with a look at the clock; the next one is whether it has been too long. */
static void accept_at_second_look(void)
{
	static unsigned looks;

	looks = host.sent == 1 ? looks + 1 : 0;
	if (looks == 2)
		accept_later();
}

/* After the look for messages, and before the wait: with no wake-up any more. */
static void an_answer_just_before_the_wait_is_not_slept_over(void **state)
{
	(void)state;
	host.mute = 1 << DM_VERSION_REQUEST;
	sim_time_on_look = accept_at_second_look;
	begin();
	assert_int_equal(sim_time_waits, 0);
}

static void a_channel_that_breaks_ends_the_wait(void **state)
{
	(void)state;
	host.receive_err = -EIO;
	host.fault = "it was withdrawn";
	expect_no_start(-EIO);
	assert_string_equal(dm_fault(&dm), "it was withdrawn");
	assert_int_equal(sim_time_waits, 0);
}

static void say_other_things(void)
{
	say_info(DM_INFO_PAGES_MAX, 1234);
	say(99, sizeof(struct dm_header));
	/* The answer to something else. */
	say(host.sent == 1 ? DM_CAPABILITIES_RESPONSE : DM_VERSION_RESPONSE, 16);
}

static void what_comes_before_an_answer_does_not_replace_it(void **state)
{
	(void)state;
	host.before_answer = say_other_things;
	begin();
	assert_int_equal(dm.pages_max, 1234);
	assert_int_equal(dm.counts.ignored, 4);
	assert_int_equal(dm.counts.received, 8);
}

/* Without an end, and an answer is not among it. */
static void a_host_that_babbles_lets_others_run_while_it_is_waited_for(void **state)
{
	(void)state;
	host.mute = 1 << DM_VERSION_REQUEST;
	host.babbles = true;
	expect_no_start(-ETIMEDOUT);
	assert_true(sim_time_waits > 0);
	assert_in_range(dm.counts.received, 1, 32 * (sim_time_waits + 1));
}

static void say_balloon(void)
{
	say(DM_BALLOON, 16);
}

static void a_host_that_asks_before_it_has_agreed_is_not_used(void **state)
{
	(void)state;
	host.before_answer = say_balloon;
	expect_no_start(-EIO);
	assert_string_equal(dm_fault(&dm), "it asks before it has agreed to anything");
	assert_string_equal(host.blamed, dm_fault(&dm));
}

static void a_new_start_forgets_the_last_one(void **state)
{
	(void)state;
	begin();
	say_sized(DM_BALLOON, 7, 16);
	assert_int_equal(dm_receive(&dm), -EIO);
	dm_stop(&dm);
	begin();
	assert_null(dm_fault(&dm));
	assert_int_equal(dm.counts.sent, 2);
	assert_int_equal(host.transaction, 2);
}

static void the_end_closes_the_channel_once(void **state)
{
	(void)state;
	begin();
	dm_stop(&dm);
	dm_stop(&dm);
	assert_int_equal(host.closes, 1);
	assert_null(dm_fault(&dm));
}

/* ---- What the host says ---- */

static const struct {
	unsigned type;
	size_t least;
	bool asks;
} kinds[] = {
	{ DM_VERSION_RESPONSE, 16, false },
	{ DM_CAPABILITIES_RESPONSE, 16, false },
	{ DM_BALLOON, 12, true },
	{ DM_UNBALLOON, 16, true },
	{ DM_HOT_ADD, 16, true },
	{ DM_INFO, 16, false },
	{ 99, 8, false },
};

static void say_least(size_t kind, size_t size, size_t header_size)
{
	struct dm_unballoon *unballoon = say_sized(kinds[kind].type, size, header_size);

	if (kinds[kind].type == DM_UNBALLOON)
		unballoon->range_count = 0;
}

static void messages_as_long_as_their_kind_are_taken(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_up(state);
		begin();
		say_least(i, kinds[i].least, kinds[i].least);
		assert_int_equal(dm_receive(&dm), kinds[i].asks ? 0 : -EAGAIN);
		assert_null(dm_fault(&dm));
		assert_int_equal(dm.counts.received, 3);
		assert_int_equal(dm.counts.ignored, !kinds[i].asks);
	}
}

static void expect_fault(const char *fault)
{
	assert_int_equal(dm_receive(&dm), -EIO);
	assert_string_equal(dm_fault(&dm), fault);
	assert_string_equal(host.blamed, fault);
	/* For good, whatever comes then. */
	say(DM_BALLOON, 16);
	assert_int_equal(dm_receive(&dm), -EIO);
	assert_string_equal(dm_fault(&dm), fault);
}

static void messages_shorter_than_their_kind_end_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].least == sizeof(struct dm_header))
			continue;
		set_up(state);
		begin();
		/* The packet is as long as it should be. */
		say_least(i, kinds[i].least, kinds[i].least - 1);
		expect_fault("a message is shorter than its kind");
	}
}

static void sizes_that_are_no_size_end_it(void **state)
{
	static const struct {
		size_t size, header_size;
	} sizes[] = { { 0, 16 }, { 7, 7 },   { 7, 16 },	   { 16, 0 },
		      { 16, 7 }, { 16, 17 }, { 16, 65535 } };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_up(state);
		begin();
		say_sized(DM_BALLOON, sizes[i].size, sizes[i].header_size);
		expect_fault("a message is cut short");
	}
}

static void ranges_that_are_counted_are_there(void **state)
{
	struct dm_unballoon *unballoon;

	(void)state;
	begin();
	unballoon = say(DM_UNBALLOON, 16 + 2 * 8);
	unballoon->range_count = 2;
	assert_int_equal(dm_receive(&dm), 0);
	unballoon = say(DM_UNBALLOON, DM_MESSAGE_MAX);
	unballoon->range_count = DM_RANGES_MAX;
	assert_int_equal(dm_receive(&dm), 0);
	/* One byte is missing. */
	unballoon = say_sized(DM_UNBALLOON, 16 + 2 * 8, 16 + 2 * 8 - 1);
	unballoon->range_count = 2;
	expect_fault("a message counts more ranges than it has");
}

static void no_count_of_ranges_is_too_large_to_be_checked(void **state)
{
	struct dm_unballoon *unballoon;

	(void)state;
	begin();
	unballoon = say(DM_UNBALLOON, DM_MESSAGE_MAX);
	unballoon->range_count = UINT32_MAX;
	expect_fault("a message counts more ranges than it has");
}

static void a_region_is_there_only_where_the_message_has_one(void **state)
{
	struct dm_hot_add *add;

	(void)state;
	begin();
	add = say(DM_HOT_ADD, sizeof(*add));
	add->region = 77;
	assert_int_equal(dm_receive(&dm), 0);
	assert_int_equal(dm.message.hot_add.region, 77);
	/* An older host's, in a packet that is padded with whatever. */
	add = say_sized(DM_HOT_ADD, sizeof(*add), 16);
	add->region = 88;
	assert_int_equal(dm_receive(&dm), 0);
	assert_int_equal(dm.message.hot_add.region, 0);
}

static void only_what_is_known_of_pages_is_believed(void **state)
{
	(void)state;
	begin();
	say_info(DM_INFO_PAGES_MAX, 5555);
	assert_int_equal(dm_receive(&dm), -EAGAIN);
	assert_int_equal(dm.pages_max, 5555);
	assert_int_equal(dm.counts.ignored, 0);
	say_info(DM_INFO_PAGES_MAX + 1, 6666);
	((struct dm_info *)say_sized(DM_INFO, sizeof(struct dm_info), sizeof(struct dm_info) - 1))
		->type = DM_INFO_PAGES_MAX;
	assert_int_equal(dm_receive(&dm), -EAGAIN);
	assert_int_equal(dm.pages_max, 5555);
	assert_int_equal(dm.counts.ignored, 2);
}

static void what_asks_for_nothing_is_passed_over(void **state)
{
	struct dm_balloon *balloon;

	(void)state;
	begin();
	say_version_response(DM_ACCEPTED);
	say_info(DM_INFO_PAGES_MAX, 1);
	balloon = say(DM_BALLOON, sizeof(*balloon));
	balloon->pages = 4711;
	say(99, 8);
	assert_int_equal(dm_receive(&dm), 0);
	assert_int_equal(dm.message.balloon.pages, 4711);
	assert_int_equal(host.count, 1);
	assert_int_equal(dm_receive(&dm), -EAGAIN);
}

static void a_host_that_babbles_leaves_others_their_turn(void **state)
{
	uint64_t before;

	(void)state;
	begin();
	host.babbles = true;
	before = dm.counts.received;
	assert_int_equal(dm_receive(&dm), -EAGAIN);
	assert_int_equal(dm.counts.received, before + 32);
	host.babbles = false;
	say(DM_BALLOON, sizeof(struct dm_balloon));
	assert_int_equal(dm_receive(&dm), 0);
}

static void a_channel_that_breaks_is_told(void **state)
{
	(void)state;
	begin();
	host.receive_err = -EIO;
	host.fault = "it was withdrawn";
	assert_int_equal(dm_receive(&dm), -EIO);
	assert_string_equal(dm_fault(&dm), "it was withdrawn");
}

/* ---- What the guest says ---- */

static void only_what_was_sent_has_a_number(void **state)
{
	struct dm_header message = { .type = DM_UNBALLOON_RESPONSE, .size = sizeof(message) };

	(void)state;
	begin();
	host.send_err = -EAGAIN;
	assert_int_equal(dm_send(&dm, &message), -EAGAIN);
	host.send_err = 0;
	assert_int_equal(dm_send(&dm, &message), 0);
	assert_int_equal(host.transaction, 3);
	assert_int_equal(dm_send(&dm, &message), 0);
	assert_int_equal(host.transaction, 4);
	assert_int_equal(dm.counts.sent, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_range_holds_its_first_frame_and_their_number),
		TEST(both_agree_on_the_newest_version),
		TEST(older_versions_are_proposed_and_the_last_as_such),
		TEST(a_host_of_other_versions_is_not_used),
		TEST(a_host_that_refuses_the_capabilities_is_not_used),
		TEST(a_host_may_want_no_reports),
		TEST(a_channel_that_does_not_open_is_not_closed),
		TEST(a_message_that_cannot_be_sent_ends_it),
		TEST(capabilities_that_cannot_be_sent_end_it),
		TEST(a_host_that_does_not_answer_is_waited_for_so_long),
		TEST(an_answer_that_comes_later_is_taken),
		TEST(an_answer_just_before_the_wait_is_not_slept_over),
		TEST(a_channel_that_breaks_ends_the_wait),
		TEST(what_comes_before_an_answer_does_not_replace_it),
		TEST(a_host_that_babbles_lets_others_run_while_it_is_waited_for),
		TEST(a_host_that_asks_before_it_has_agreed_is_not_used),
		TEST(a_new_start_forgets_the_last_one),
		TEST(the_end_closes_the_channel_once),
		TEST(messages_as_long_as_their_kind_are_taken),
		TEST(messages_shorter_than_their_kind_end_it),
		TEST(sizes_that_are_no_size_end_it),
		TEST(ranges_that_are_counted_are_there),
		TEST(no_count_of_ranges_is_too_large_to_be_checked),
		TEST(a_region_is_there_only_where_the_message_has_one),
		TEST(only_what_is_known_of_pages_is_believed),
		TEST(what_asks_for_nothing_is_passed_over),
		TEST(a_host_that_babbles_leaves_others_their_turn),
		TEST(a_channel_that_breaks_is_told),
		TEST(only_what_was_sent_has_a_number),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
