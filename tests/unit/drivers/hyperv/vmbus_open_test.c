/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/vmbus_open.c: how a channel is opened and closed. */
#include "tests/unit/drivers/hyperv/open_fixture.h"

static int open_of(unsigned order)
{
	return vmbus_open(channel, order, &waiters);
}

/* All that was posted, by type; ends with 0. */
static void expect_posts(const uint32_t *types)
{
	for (size_t i = 0; i < host.posts; i++)
		assert_int_equal(host.posted[i].header.type, types[i]);
	assert_int_equal(types[host.posts], 0);
}

#define EXPECT_POSTS(...) expect_posts((const uint32_t[]){ __VA_ARGS__, 0 })

/* The channel is as if it had never been opened, but for frames that are the host's. */
static void expect_closed(size_t frames_lost)
{
	assert_int_equal(channel->state, CHANNEL_OFFERED);
	assert_null(host.listener);
	assert_null(channel->waiters);
	assert_null(channel->memory);
	assert_int_equal(channel->gpadl, 0);
	assert_int_equal(channel->open_id, 0);
	assert_int_equal(sim_frame_in_use(), frames_lost);
	assert_int_equal(sim_log_debugs, frames_lost > 0);
}

/* ---- Opening ---- */

static void a_channel_is_opened_with_its_rings_in_the_hosts_hands(void **state)
{
	const struct vmbus_gpadl_header *list = &host.posted[0].gpadl_header;
	const struct vmbus_open *open = &host.posted[1].open;

	(void)state;
	assert_int_equal(open_of(4), 0);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_OPEN);
	assert_int_equal(host.sizes[0], 28 + 16 * 8);
	assert_int_equal(list->relid, RELID);
	assert_int_not_equal(list->gpadl, 0);
	assert_int_equal(list->range_bytes, 8 + 16 * 8);
	assert_int_equal(list->range_count, 1);
	assert_int_equal(list->byte_count, 16 * FRAME_SIZE);
	assert_int_equal(list->byte_offset, 0);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(list->frame[i], paddr_to_pfn((uintptr_t)channel->memory) + i);
	assert_int_equal(open->relid, RELID);
	assert_int_not_equal(open->open_id, 0);
	assert_int_equal(open->ring_gpadl, list->gpadl);
	assert_int_equal(open->target_vp, 3);
	assert_int_equal(open->host_ring_page, 8);
	assert_int_equal(channel->state, CHANNEL_OPEN);
	assert_int_equal(host.listener->event, RELID);
	assert_int_equal(sim_frame_in_use(), 16);
	assert_null(vmbus_fault(channel));
}

static void the_hosts_signal_wakes_whoever_waits(void **state)
{
	(void)state;
	open_channel();
	host.listener->handle(host.listener);
	assert_int_equal(sim_time_wakes, 1);
}

static void a_long_list_follows_in_bodies(void **state)
{
	size_t at = VMBUS_GPADL_HEADER_FRAMES;

	(void)state;
	assert_int_equal(open_of(VMBUS_ORDER_MAX), 0);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_GPADL_BODY, VMBUS_GPADL_BODY, VMBUS_GPADL_BODY,
		     VMBUS_GPADL_BODY, VMBUS_OPEN);
	for (size_t i = 1; i <= 4; i++) {
		const struct vmbus_gpadl_body *body = &host.posted[i].gpadl_body;
		size_t count = (host.sizes[i] - offsetof(struct vmbus_gpadl_body, frame)) / 8;

		assert_int_equal(body->number, i);
		assert_int_equal(body->gpadl, host.posted[0].gpadl_header.gpadl);
		assert_int_equal(count, i < 4 ? VMBUS_GPADL_BODY_FRAMES : 18);
		for (size_t j = 0; j < count; j++)
			assert_int_equal(body->frame[j],
					 paddr_to_pfn((uintptr_t)channel->memory) + at++);
	}
	assert_int_equal(at, 128);
}

static void a_channel_that_is_gone_is_not_opened(void **state)
{
	(void)state;
	open_rescind();
	assert_int_equal(open_of(2), -ENODEV);
	assert_int_equal(host.posts, 0);
	expect_closed(0);
}

static void without_memory_nothing_is_opened(void **state)
{
	(void)state;
	sim_frame_fail(true);
	assert_int_equal(open_of(2), -ENOMEM);
	assert_int_equal(host.posts, 0);
	expect_closed(0);
}

static void a_list_that_is_refused_leaves_nothing(void **state)
{
	(void)state;
	host.refused = 1 << VMBUS_GPADL_CREATED;
	assert_int_equal(open_of(2), -EIO);
	EXPECT_POSTS(VMBUS_GPADL_HEADER);
	expect_closed(0);
}

static void a_list_without_an_answer_is_the_hosts_for_ever(void **state)
{
	union vmbus_message late;

	(void)state;
	host.mute = 1 << VMBUS_GPADL_CREATED;
	assert_int_equal(open_of(2), -ETIMEDOUT);
	EXPECT_POSTS(VMBUS_GPADL_HEADER);
	expect_closed(4);
	late = (union vmbus_message){
		.gpadl_created = { .header = { .type = VMBUS_GPADL_CREATED },
				   .relid = RELID,
				   .gpadl = host.posted[0].gpadl_header.gpadl },
	};
	assert_null(vmbus_channels_handle(&late));
	assert_int_equal(host.ignored, 1);
	/* Another try has other frames, and another number. */
	host.mute = 0;
	assert_int_equal(open_of(2), 0);
	assert_int_not_equal(host.posted[1].gpadl_header.gpadl, host.posted[0].gpadl_header.gpadl);
	assert_int_equal(sim_frame_in_use(), 8);
}

static void a_list_that_cannot_be_posted_to_its_end_may_be_the_hosts(void **state)
{
	for (unsigned at = 1; at <= 2; at++) {
		open_set_up(state);
		host.failing = VMBUS_GPADL_BODY;
		host.failing_at = at;
		host.err = -ETIMEDOUT;
		assert_int_equal(open_of(6), -ETIMEDOUT);
		assert_int_equal(host.posts, 1 + at);
		expect_closed(64);
	}
}

static void a_list_whose_header_cannot_be_posted_has_no_bodies(void **state)
{
	(void)state;
	host.failing = VMBUS_GPADL_HEADER;
	host.failing_at = 1;
	host.err = -EIO;
	assert_int_equal(open_of(6), -EIO);
	EXPECT_POSTS(VMBUS_GPADL_HEADER);
	expect_closed(64);
}

static void a_channel_withdrawn_while_its_list_is_made_keeps_nothing(void **state)
{
	(void)state;
	host.rescinds_at = VMBUS_GPADL_HEADER;
	assert_int_equal(open_of(2), -ENODEV);
	EXPECT_POSTS(VMBUS_GPADL_HEADER);
	expect_closed(0);
}

static void a_refused_opening_is_undone(void **state)
{
	(void)state;
	host.refused = 1 << VMBUS_OPEN_RESULT;
	assert_int_equal(open_of(2), -EIO);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_OPEN, VMBUS_GPADL_TEARDOWN);
	assert_int_equal(host.posted[2].teardown.relid, RELID);
	assert_int_equal(host.posted[2].teardown.gpadl, host.posted[0].gpadl_header.gpadl);
	expect_closed(0);
}

static void an_opening_without_an_answer_is_closed_and_its_frames_are_lost(void **state)
{
	(void)state;
	host.mute = 1 << VMBUS_OPEN_RESULT;
	assert_int_equal(open_of(2), -ETIMEDOUT);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_OPEN, VMBUS_CLOSE);
	expect_closed(4);
}

static void an_opening_that_cannot_be_posted_is_undone(void **state)
{
	(void)state;
	host.failing = VMBUS_OPEN;
	host.failing_at = 1;
	host.err = -ENXIO;
	assert_int_equal(open_of(2), -ENXIO);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_OPEN, VMBUS_GPADL_TEARDOWN);
	expect_closed(0);
}

static void a_channel_withdrawn_while_it_is_opened_keeps_nothing(void **state)
{
	(void)state;
	host.rescinds_at = VMBUS_OPEN;
	assert_int_equal(open_of(2), -ENODEV);
	EXPECT_POSTS(VMBUS_GPADL_HEADER, VMBUS_OPEN);
	expect_closed(0);
}

static void a_host_given_up_in_the_middle_has_the_frames(void **state)
{
	static const uint32_t steps[] = { VMBUS_GPADL_HEADER, VMBUS_OPEN };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		open_set_up(state);
		host.fails_at = steps[i];
		assert_int_equal(open_of(2), -EIO);
		expect_closed(4);
	}
}

static void a_list_let_go_of_before_it_is_open_is_a_fault(void **state)
{
	(void)state;
	open_channel();
	channel->torn_down = true;
	assert_non_null(vmbus_fault(channel));
	/* The host has it no more, and is not asked for it. */
	vmbus_close(channel);
	EXPECT_POSTS(VMBUS_CLOSE);
	expect_closed(0);
	/* The next list is another one. */
	open_channel();
	assert_null(vmbus_fault(channel));
}

/* ---- Closing ---- */

static void a_channel_is_closed_once(void **state)
{
	(void)state;
	open_channel();
	vmbus_close(channel);
	EXPECT_POSTS(VMBUS_CLOSE, VMBUS_GPADL_TEARDOWN);
	assert_int_equal(host.posted[0].relid.relid, RELID);
	expect_closed(0);
	vmbus_close(channel);
	assert_int_equal(host.posts, 2);
}

static void expect_reason(const char *reason)
{
	struct vmbus_channel_info info;

	assert_true(vmbus_get_channel(0, &info));
	assert_false(info.open);
	assert_non_null(info.closed);
	assert_string_equal(info.closed, reason);
}

static void what_is_closed_says_why(void **state)
{
	struct vmbus_channel_info info;

	(void)state;
	assert_true(vmbus_get_channel(0, &info));
	assert_null(info.closed);
	host.refused = 1 << VMBUS_GPADL_CREATED;
	assert_int_equal(open_of(2), -EIO);
	expect_reason("the host does not open it");
	host.refused = 0;
	sim_frame_fail(true);
	assert_int_equal(open_of(2), -ENOMEM);
	expect_reason("there is no memory for its rings");
	sim_frame_fail(false);
	host.mute = 1 << VMBUS_OPEN_RESULT;
	assert_int_equal(open_of(2), -ETIMEDOUT);
	expect_reason("the host does not answer");
	host.mute = 0;
	open_channel();
	assert_true(vmbus_get_channel(0, &info));
	assert_null(info.closed);
	vmbus_close(channel);
	expect_reason("its driver has closed it");
	open_channel();
	channel->rings.fault = "a packet ends before it begins";
	vmbus_close(channel);
	expect_reason("a packet ends before it begins");
}

static void what_a_driver_has_found_is_why_it_is_closed(void **state)
{
	(void)state;
	open_channel();
	vmbus_blame(channel, "a message is cut short");
	vmbus_blame(channel, "and more");
	assert_string_equal(vmbus_fault(channel), "a message is cut short");
	vmbus_close(channel);
	expect_reason("a message is cut short");
	/* Opened again, it is in order. */
	open_channel();
	assert_null(vmbus_fault(channel));
}

static void frames_that_the_host_does_not_let_go_of_are_lost(void **state)
{
	(void)state;
	open_channel();
	host.mute = 1 << VMBUS_GPADL_TORNDOWN;
	vmbus_close(channel);
	EXPECT_POSTS(VMBUS_CLOSE, VMBUS_GPADL_TEARDOWN);
	expect_closed(4);
}

static void frames_of_a_channel_that_cannot_be_closed_are_lost(void **state)
{
	static const uint32_t types[] = { VMBUS_CLOSE, VMBUS_GPADL_TEARDOWN };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		open_set_up(state);
		open_channel();
		host.failing = types[i];
		host.failing_at = 1;
		host.err = -EIO;
		vmbus_close(channel);
		assert_int_equal(host.posts, i + 1);
		expect_closed(4);
	}
}

static void a_channel_withdrawn_while_it_closes_keeps_nothing(void **state)
{
	(void)state;
	open_channel();
	host.rescinds_at = VMBUS_GPADL_TEARDOWN;
	vmbus_close(channel);
	expect_closed(0);
}

static void a_withdrawn_channel_is_given_back_with_its_number(void **state)
{
	(void)state;
	open_channel();
	open_rescind();
	vmbus_channel_release(channel);
	EXPECT_POSTS(VMBUS_CLOSE, VMBUS_RELID_RELEASED);
	assert_int_equal(host.posted[1].relid.relid, RELID);
	assert_int_equal(channel->state, CHANNEL_NONE);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_null(host.listener);
	/* One that nobody has opened. */
	channel = open_offered(RELID);
	host.posts = 0;
	open_rescind();
	vmbus_channel_release(channel);
	EXPECT_POSTS(VMBUS_RELID_RELEASED);
	assert_null(vmbus_channels_rescinded());
}

static void at_the_end_only_what_is_open_is_closed(void **state)
{
	(void)state;
	open_offered(RELID + 1);
	open_channel();
	vmbus_close_all();
	EXPECT_POSTS(VMBUS_CLOSE);
	assert_int_equal(host.posted[0].relid.relid, RELID);
	/* It looks so to its driver. */
	assert_int_equal(channel->state, CHANNEL_OPEN);
}

#define TEST(name) cmocka_unit_test_setup(name, open_set_up)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_channel_is_opened_with_its_rings_in_the_hosts_hands),
		TEST(the_hosts_signal_wakes_whoever_waits),
		TEST(a_long_list_follows_in_bodies),
		TEST(a_channel_that_is_gone_is_not_opened),
		TEST(without_memory_nothing_is_opened),
		TEST(a_list_that_is_refused_leaves_nothing),
		TEST(a_list_without_an_answer_is_the_hosts_for_ever),
		TEST(a_list_that_cannot_be_posted_to_its_end_may_be_the_hosts),
		TEST(a_list_whose_header_cannot_be_posted_has_no_bodies),
		TEST(a_channel_withdrawn_while_its_list_is_made_keeps_nothing),
		TEST(a_refused_opening_is_undone),
		TEST(an_opening_without_an_answer_is_closed_and_its_frames_are_lost),
		TEST(an_opening_that_cannot_be_posted_is_undone),
		TEST(a_channel_withdrawn_while_it_is_opened_keeps_nothing),
		TEST(a_host_given_up_in_the_middle_has_the_frames),
		TEST(a_list_let_go_of_before_it_is_open_is_a_fault),
		TEST(a_channel_is_closed_once),
		TEST(what_is_closed_says_why),
		TEST(what_a_driver_has_found_is_why_it_is_closed),
		TEST(frames_that_the_host_does_not_let_go_of_are_lost),
		TEST(frames_of_a_channel_that_cannot_be_closed_are_lost),
		TEST(a_channel_withdrawn_while_it_closes_keeps_nothing),
		TEST(a_withdrawn_channel_is_given_back_with_its_number),
		TEST(at_the_end_only_what_is_open_is_closed),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
