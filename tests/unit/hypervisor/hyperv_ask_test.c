/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv_ask.c: a level is wanted, the guest is asked for differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static union {
	struct dm_header header;
	struct dm_balloon balloon;
	struct dm_unballoon unballoon;
	struct dm_hot_add hot_add;
	uint8_t bytes[DM_MESSAGE_MAX];
} packet;

static struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static int ready(void **state)
{
	guest_set_up(state);
	guest_reach(HYPERV_READY);
	return 0;
}

static void set_target(uint64_t frames)
{
	hv_control.common.target = frames;
	sim_machine_ring();
}

/* The host asks for so many frames. */
static void expect_balloon(uint32_t pages)
{
	guest_expect_packet(DM_BALLOON, &packet);
	assert_int_equal(packet.balloon.pages, pages);
}

static void answer_unballoon(void)
{
	struct dm_header response;

	guest_send(&response, DM_UNBALLOON_RESPONSE, sizeof(response));
}

static void a_target_is_reached_and_left_again(void **state)
{
	(void)state;
	set_target(1000);
	assert_true(guest_take_event());
	expect_balloon(1000);
	assert_int_equal(seen()->requests, 1);
	guest_give(GUEST_FREE, 600, true);
	assert_int_equal(seen()->waiting, 400);
	guest_give(GUEST_FREE + 1000, 400, false);
	assert_int_equal(seen()->requests, 0);
	assert_int_equal(seen()->ballooned, 1000);
	assert_true(sim_ram_is_lent(GUEST_FREE + 599));
	set_target(300);
	guest_expect_packet(DM_UNBALLOON, &packet);
	assert_int_equal(packet.unballoon.range_count, 2);
	assert_int_equal(packet.unballoon.more, 0);
	assert_int_equal(packet.unballoon.range[0], GUEST_FREE | UINT64_C(600) << 40);
	assert_int_equal(packet.unballoon.range[1], (GUEST_FREE + 1000) | UINT64_C(100) << 40);
	assert_int_equal(seen()->ballooned, 300);
	assert_false(sim_ram_is_lent(GUEST_FREE + 599));
	answer_unballoon();
	assert_int_equal(seen()->requests, 0);
	guest_expect_no_packet();
	assert_null(sim_machine_violation());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_target_is_reached_and_left_again, ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
