/* SPDX-License-Identifier: BSD-2-Clause */
/* How people write the settings. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_settings.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static void every_strategy_is_found_by_its_name(void **state)
{
	enum balloon_strategy strategy;

	(void)state;
	for (int s = BALLOON_AUTO; s <= BALLOON_RANGE_FIRST; s++) {
		assert_int_equal(
			balloon_parse_strategy(balloon_strategy_name((enum balloon_strategy)s),
					       &strategy),
			0);
		assert_int_equal(strategy, s);
	}
	assert_int_equal(balloon_parse_strategy("fast", &strategy), -EINVAL);
	start(0, NO_FLOOR);
}

static void a_floor_is_a_size_within_this_memory(void **state)
{
	uint64_t floor = 4711;

	(void)state;
	start(0, NO_FLOOR);
	assert_int_equal(balloon_parse_floor("lots", &floor), -EINVAL);
	assert_int_equal(balloon_parse_floor("65M", &floor), -ERANGE);
	assert_int_equal(floor, 4711);
	assert_int_equal(balloon_parse_floor("64M", &floor), 0);
	assert_int_equal(floor, RAM_FRAMES);
	assert_int_equal(balloon_parse_floor("4097", &floor), 0);
	assert_int_equal(floor, 2);
	assert_int_equal(balloon_parse_floor("0", &floor), 0);
	assert_int_equal(floor, 0);
}

static void all_names_of_strategies_are_listed(void **state)
{
	(void)state;
	assert_string_equal(balloon_strategy_names(), "auto, portable, whole-block, range-first");
	start(0, NO_FLOOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_strategy_is_found_by_its_name),
		TEST(all_names_of_strategies_are_listed),
		TEST(a_floor_is_a_size_within_this_memory),
	};

	return cmocka_run_group_tests_name("balloon_settings", tests, set_up_ram, NULL);
}
