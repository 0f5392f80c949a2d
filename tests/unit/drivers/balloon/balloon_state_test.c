/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of the balloon that runs: they are had wholly, or not at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/drivers/balloon/balloon_fixture.h"

static void range_first_needs_reporting(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_not_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), 0);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	go_to(2000);
	assert_balloon(2000);
}

/* A setter that fails changes nothing. */
static void a_strategy_that_cannot_be_had_changes_nothing(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(balloon_set_strategy(BALLOON_WHOLE_BLOCK), 0);
	assert_int_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), -ENOTSUP);
	assert_int_equal(status().strategy, BALLOON_WHOLE_BLOCK);
	assert_int_equal(status().effective, BALLOON_WHOLE_BLOCK);
	go_to(BLOCK_FRAMES);
	assert_balloon(BLOCK_FRAMES);
	assert_int_equal(sim.buffers[SIM_BALLOON_INFLATE], 1);
}

static void range_first_from_the_start_without_reporting_is_said_once(void **state)
{
	struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin_with(&config), 0);
	assert_int_equal(status().strategy, BALLOON_AUTO);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "REPORTING"));
}

/* The caller that falls back does it wholly: what is said is what is done. */
static void the_strategy_that_is_fallen_back_to_is_used(void **state)
{
	const struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin_with(&config), 0);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	go_to(BLOCK_FRAMES);
	assert_balloon(BLOCK_FRAMES);
	assert_int_equal(sim.buffers[SIM_BALLOON_INFLATE], 2);
}

static void range_first_from_the_start_needs_no_word_with_reporting(void **state)
{
	struct balloon_config config = { .strategy = BALLOON_RANGE_FIRST };

	(void)state;
	plug_in(false, REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin_with(&config), 0);
	assert_int_equal(status().strategy, BALLOON_RANGE_FIRST);
	assert_int_equal(sim_log_warnings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(range_first_needs_reporting),
		TEST(a_strategy_that_cannot_be_had_changes_nothing),
		TEST(range_first_from_the_start_without_reporting_is_said_once),
		TEST(the_strategy_that_is_fallen_back_to_is_used),
		TEST(range_first_from_the_start_needs_no_word_with_reporting),
	};

	return cmocka_run_group_tests_name("balloon_state", tests, set_up_ram, NULL);
}
