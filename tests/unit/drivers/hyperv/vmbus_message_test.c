/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_message.c: messages come out of a list, and go to nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq_flags.h"
#include "drivers/hyperv/hyperv.h"
#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

#define MESSAGES_MAX 64
#define TURN 32 /* messages in a row */

/* ---- The host ---- */

static struct {
	struct hv_message message[MESSAGES_MAX];
	size_t said, taken;
	bool babbles; /* whatever is taken is said again */
	/* Posts: how many find no room first, what they are answered with, and the last one. */
	unsigned busy;
	bool throttles; /* these are told that there is no connection */
	int result;
	unsigned posts;
	uint32_t connection;
	uint8_t posted[HV_MESSAGE_PAYLOAD];
} host;

bool synic_has_message(void)
{
	return host.taken < host.said;
}

bool synic_take_message(struct hv_message *message)
{
	if (!synic_has_message())
		return false;
	*message = host.message[host.taken];
	if (!host.babbles)
		host.taken++;
	return true;
}

int hyperv_post_message(uint32_t connection, const void *payload, size_t size)
{
	host.posts++;
	host.connection = connection;
	memcpy(host.posted, payload, size);
	if (host.busy > 0) {
		host.busy--;
		return host.throttles ? -ENXIO : -EAGAIN;
	}
	return host.result;
}

/* All bytes that are not the host's are junk. */
static struct hv_message *say(uint32_t type, size_t size)
{
	struct hv_message *message = &host.message[host.said++];

	assert_true(host.said <= MESSAGES_MAX);
	memset(message, 0xa5, sizeof(*message));
	message->type = HV_MESSAGE_CHANNEL;
	message->size = (uint8_t)size;
	memcpy(message->payload, &type, sizeof(type));
	return message;
}

/* ---- What is made of messages ---- */

static union vmbus_message handled;
static unsigned handled_count;
static const char *wrong; /* with all of them */

static const char *handle(const union vmbus_message *message)
{
	handled = *message;
	handled_count++;
	return wrong;
}

static struct vmbus_message_counts counts(void)
{
	struct vmbus_message_counts now;

	vmbus_message_get_counts(&now);
	return now;
}

static int set_up(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	handled_count = 0;
	wrong = NULL;
	sim_time_reset();
	sim_time_advance(3 * NS_PER_S);
	sim_log_reset();
	vmbus_message_begin(handle);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fake_irqs_off, 0);
	return 0;
}

/* ---- From the host ---- */

static const struct {
	uint32_t type;
	size_t least;
} kinds[] = {
	{ VMBUS_OFFER, 196 },	      { VMBUS_RESCIND_OFFER, 12 },    { VMBUS_ALL_OFFERS, 8 },
	{ VMBUS_UNLOAD_RESPONSE, 8 }, { VMBUS_OPEN_RESULT, 20 },      { VMBUS_GPADL_CREATED, 20 },
	{ VMBUS_GPADL_TORNDOWN, 12 }, { VMBUS_VERSION_RESPONSE, 10 },
};

static void a_message_as_long_as_its_kind_is_handled(void **state)
{
	static const uint8_t nothing[HV_MESSAGE_PAYLOAD];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t least = kinds[i].least;

		say(kinds[i].type, least);
		assert_false(vmbus_message_take());
		assert_int_equal(handled_count, i + 1);
		assert_int_equal(handled.header.type, kinds[i].type);
		assert_int_equal(handled.bytes[least - 1], 0xa5);
		/* Nothing of the slot beyond what the host has said. */
		assert_memory_equal(handled.bytes + least, nothing, sizeof(nothing) - least);
	}
	assert_null(vmbus_host_fault());
	assert_int_equal(counts().taken, ARRAY_SIZE(kinds));
	assert_int_equal(counts().ignored, 0);
	assert_true(sim_time_wakes >= ARRAY_SIZE(kinds));
}

static void a_message_cut_short_ends_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].least == sizeof(struct vmbus_header))
			continue;
		set_up(state);
		say(kinds[i].type, kinds[i].least - 1);
		assert_false(vmbus_message_take());
		assert_string_equal(vmbus_host_fault(), "a message is cut short");
		assert_int_equal(handled_count, 0);
		assert_int_equal(sim_log_warnings, 1);
	}
}

static void sizes_that_no_message_has_end_it(void **state)
{
	static const size_t sizes[] = { 0, 7, HV_MESSAGE_PAYLOAD + 1, 255 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_up(state);
		say(VMBUS_ALL_OFFERS, sizes[i]);
		assert_false(vmbus_message_take());
		assert_string_equal(vmbus_host_fault(),
				    "a message has no size that a message can have");
		assert_int_equal(handled_count, 0);
	}
	set_up(state);
	say(VMBUS_ALL_OFFERS, HV_MESSAGE_PAYLOAD);
	assert_false(vmbus_message_take());
	assert_null(vmbus_host_fault());
}

static void what_nobody_knows_is_counted(void **state)
{
	(void)state;
	say(0, 240);
	say(VMBUS_OPEN, 240);
	say(999, 240);
	/* Of another kind: whatever its size says. */
	say(VMBUS_ALL_OFFERS, 1)->type = 0x80000010;
	assert_false(vmbus_message_take());
	assert_int_equal(handled_count, 0);
	assert_int_equal(counts().taken, 4);
	assert_int_equal(counts().ignored, 4);
	assert_null(vmbus_host_fault());
}

static void others_have_a_turn_after_so_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TURN + 3; i++)
		say(VMBUS_ALL_OFFERS, 8);
	assert_true(vmbus_message_take());
	assert_int_equal(handled_count, TURN);
	assert_false(vmbus_message_take());
	assert_int_equal(handled_count, TURN + 3);
}

static void the_last_of_a_turn_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TURN; i++)
		say(VMBUS_ALL_OFFERS, 8);
	assert_false(vmbus_message_take());
	assert_int_equal(handled_count, TURN);
}

/* ---- The end of a host ---- */

static bool never(const void *arg)
{
	(void)arg;
	return false;
}

static void after_the_first_fault_all_is_over(void **state)
{
	(void)state;
	wrong = "the first reason";
	say(VMBUS_ALL_OFFERS, 8);
	say(VMBUS_ALL_OFFERS, 8);
	assert_false(vmbus_message_take());
	assert_int_equal(handled_count, 1);
	vmbus_give_up("the second reason");
	assert_string_equal(vmbus_host_fault(), "the first reason");
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "the first reason"));
	/* What it says from then on is not looked at. */
	assert_false(vmbus_message_take());
	assert_int_equal(host.taken, 1);
	assert_int_equal(vmbus_post("12345678", 8), -EIO);
	assert_int_equal(host.posts, 0);
	assert_int_equal(vmbus_await(never, NULL), -EIO);
	assert_int_equal(sim_time_waits, 0);
}

static void a_new_beginning_forgets_the_old_one(void **state)
{
	(void)state;
	vmbus_message_set_connection(77);
	vmbus_message_leave();
	assert_true(vmbus_message_has_left());
	vmbus_ignore();
	vmbus_give_up("it was long ago");
	vmbus_message_begin(handle);
	assert_false(vmbus_message_has_left());
	assert_null(vmbus_host_fault());
	assert_int_equal(counts().ignored, 0);
	assert_int_equal(vmbus_post("12345678", 8), 0);
	assert_int_equal(host.connection, VMBUS_CONNECTION_OLD);
}

/* ---- To the host ---- */

static void a_message_goes_to_the_connection(void **state)
{
	(void)state;
	vmbus_message_set_connection(0x10004);
	assert_int_equal(vmbus_post("12345678", 8), 0);
	assert_int_equal(host.connection, 0x10004);
	assert_memory_equal(host.posted, "12345678", 8);
	assert_int_equal(counts().posted, 1);
	assert_int_equal(sim_time_waits, 0);
}

static void a_host_without_room_is_asked_again(void **state)
{
	(void)state;
	host.busy = 5;
	assert_int_equal(vmbus_post("12345678", 8), 0);
	assert_int_equal(host.posts, 6);
	assert_int_equal(counts().posted, 1);
	/* And not without a pause. */
	assert_int_equal(sim_time_waits, 5);
	assert_in_range(sim_time_slept_ns, 4 * NS_PER_MS, 6 * NS_PER_MS);
}

/* Hyper-V says that there is no connection to a guest that posts too fast. */
static void a_host_that_throttles_is_asked_again(void **state)
{
	static const struct vmbus_header unload = { .type = VMBUS_UNLOAD };
	static const struct vmbus_header contact = { .type = VMBUS_INITIATE_CONTACT };

	(void)state;
	host.throttles = true;
	host.busy = 5;
	assert_int_equal(vmbus_post(&unload, sizeof(unload)), 0);
	assert_int_equal(host.posts, 6);
	assert_int_equal(sim_time_waits, 5);
	/* The first message asks whether there is one. */
	host.busy = 5;
	assert_int_equal(vmbus_post(&contact, sizeof(contact)), -ENXIO);
	assert_int_equal(host.posts, 7);
}

static void a_host_that_never_has_room_is_waited_for_no_longer_than_it_may_take(void **state)
{
	uint64_t begin = clock_awake_ns(), took;

	(void)state;
	host.busy = UINT32_MAX;
	assert_int_equal(vmbus_post("12345678", 8), -ETIMEDOUT);
	took = clock_awake_ns() - begin;
	assert_in_range(took, VMBUS_DEADLINE_NS, VMBUS_DEADLINE_NS + 10 * NS_PER_MS);
	assert_int_equal(counts().posted, 0);
}

static void a_post_that_fails_is_not_tried_again(void **state)
{
	static const struct vmbus_header contact = { .type = VMBUS_INITIATE_CONTACT };

	(void)state;
	host.result = -ENXIO;
	assert_int_equal(vmbus_post(&contact, sizeof(contact)), -ENXIO);
	host.result = -EIO;
	assert_int_equal(vmbus_post("12345678", 8), -EIO);
	assert_int_equal(host.posts, 2);
	assert_int_equal(counts().posted, 0);
}

static void whoever_has_left_says_nothing(void **state)
{
	(void)state;
	vmbus_message_leave();
	assert_int_equal(vmbus_post("12345678", 8), -EIO);
	assert_int_equal(host.posts, 0);
	assert_int_equal(vmbus_await(never, NULL), -EIO);
	assert_int_equal(sim_time_waits, 0);
}

/* ---- Waits ---- */

static bool has_handled(const void *arg)
{
	return handled_count >= *(const unsigned *)arg;
}

static void say_one(void)
{
	say(VMBUS_ALL_OFFERS, 8);
	sim_time_on_wait = NULL;
	sim_time_on_look = NULL;
}

static void what_is_so_already_is_not_waited_for(void **state)
{
	static const unsigned wanted = 1;

	(void)state;
	say(VMBUS_ALL_OFFERS, 8);
	assert_int_equal(vmbus_await(has_handled, &wanted), 0);
	assert_int_equal(sim_time_waits, 0);
}

static void an_answer_that_comes_later_ends_the_wait(void **state)
{
	static const unsigned wanted = 1;

	(void)state;
	sim_time_on_wait = say_one;
	assert_int_equal(vmbus_await(has_handled, &wanted), 0);
	assert_int_equal(sim_time_waits, 1);
	assert_int_equal(sim_time_device_waits, 1);
}

/* The wait begins with a look at the clock; the next one is whether it has been too long. */
static void say_one_at_second_look(void)
{
	if (sim_time_looks == 2)
		say_one();
}

/* It comes after the look for messages, and before the wait: with no wake-up any more. */
static void an_answer_just_before_the_wait_is_not_slept_over(void **state)
{
	static const unsigned wanted = 1;
	uint64_t slept = sim_time_slept_ns;

	(void)state;
	sim_time_on_look = say_one_at_second_look;
	assert_int_equal(vmbus_await(has_handled, &wanted), 0);
	assert_int_equal(sim_time_slept_ns, slept);
}

static void a_host_that_does_not_answer_is_waited_for_so_long(void **state)
{
	uint64_t begin = clock_awake_ns(), took;

	(void)state;
	assert_int_equal(vmbus_await(never, NULL), -ETIMEDOUT);
	took = clock_awake_ns() - begin;
	assert_in_range(took, VMBUS_DEADLINE_NS, VMBUS_DEADLINE_NS + 50 * NS_PER_MS);
	assert_null(vmbus_host_fault());
}

static void a_host_that_never_stops_talking_is_waited_for_no_longer(void **state)
{
	uint64_t begin = clock_awake_ns(), took;

	(void)state;
	say(VMBUS_ALL_OFFERS, 8);
	host.babbles = true;
	assert_int_equal(vmbus_await(never, NULL), -ETIMEDOUT);
	took = clock_awake_ns() - begin;
	assert_in_range(took, VMBUS_DEADLINE_NS, VMBUS_DEADLINE_NS + 50 * NS_PER_MS);
	/* Others run meanwhile. */
	assert_true(sim_time_waits >= counts().taken / TURN - 1);
	assert_int_equal(sim_time_device_waits, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_as_long_as_its_kind_is_handled),
		TEST(a_message_cut_short_ends_it),
		TEST(sizes_that_no_message_has_end_it),
		TEST(what_nobody_knows_is_counted),
		TEST(others_have_a_turn_after_so_many),
		TEST(the_last_of_a_turn_leaves_nothing),
		TEST(after_the_first_fault_all_is_over),
		TEST(a_new_beginning_forgets_the_old_one),
		TEST(a_message_goes_to_the_connection),
		TEST(a_host_without_room_is_asked_again),
		TEST(a_host_that_throttles_is_asked_again),
		TEST(a_host_that_never_has_room_is_waited_for_no_longer_than_it_may_take),
		TEST(a_post_that_fails_is_not_tried_again),
		TEST(whoever_has_left_says_nothing),
		TEST(what_is_so_already_is_not_waited_for),
		TEST(an_answer_that_comes_later_ends_the_wait),
		TEST(an_answer_just_before_the_wait_is_not_slept_over),
		TEST(a_host_that_does_not_answer_is_waited_for_so_long),
		TEST(a_host_that_never_stops_talking_is_waited_for_no_longer),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
