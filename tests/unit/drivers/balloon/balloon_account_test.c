/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways of accounting: ballooned memory is counted in one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_account.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static void ballooned_memory_is_counted_once(void **state)
{
	struct balloon_account account;

	(void)state;
	start(0, NO_FLOOR);
	go_to(1000);
	balloon_account(&account);
	assert_int_equal(account.inflated_total, 1000);
	assert_int_equal(account.inflated_free, 0);
	end_driver();
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(1000);
	balloon_account(&account);
	assert_int_equal(account.inflated_total, 0);
	assert_int_equal(account.inflated_free, 1000);
}

static void what_a_given_up_device_has_is_not_said_to_come_back(void **state)
{
	struct balloon_account account;

	(void)state;
	start(DEFLATE_ON_OOM, NO_FLOOR);
	go_to(300);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 300);
	sim.bad_used_id = true;
	go_to(200);
	assert_non_null(status().broken);
	balloon_account(&account);
	assert_int_equal(account.inflated_free, 0);
	assert_int_equal(account.inflated_total, ballooned());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ballooned_memory_is_counted_once),
		TEST(what_a_given_up_device_has_is_not_said_to_come_back),
	};

	return cmocka_run_group_tests_name("balloon_account", tests, set_up_ram, NULL);
}
