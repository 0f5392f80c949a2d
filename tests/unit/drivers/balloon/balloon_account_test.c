/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways of accounting: ballooned memory is counted in one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_account.h"
#include "mm/vm_events.h"
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

/* As Linux reckons it: reserve off, and of the clean cache half or the reserve stays. */
static void available_is_what_no_disk_has_to_be_waited_for(void **state)
{
	struct balloon_account account;

	(void)state;
	assert_int_equal(balloon_available(1000, 0, 0), 1000);
	assert_int_equal(balloon_available(1000, 300, 0), 700);
	assert_int_equal(balloon_available(200, 300, 0), 0);
	assert_int_equal(balloon_available(1000, 300, 500), 700 + 250);
	assert_int_equal(balloon_available(1000, 300, 5000), 700 + 4700);
	assert_int_equal(balloon_available(200, 300, 5000), 4700);
	start(0, NO_FLOOR);
	balloon_account(&account);
	assert_int_equal(account.available, account.free);
	vm_events.cached = 400;
	vm_events.dirty = 100;
	vm_events.reserve = 50;
	balloon_account(&account);
	assert_int_equal(account.available, account.free - 50 + 250);
	vm_events.dirty = 401; /* which would be a fault, and no reason for a wrong sum */
	balloon_account(&account);
	assert_int_equal(account.available, account.free - 50);
	vm_events.cached = vm_events.dirty = vm_events.reserve = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ballooned_memory_is_counted_once),
		TEST(what_a_given_up_device_has_is_not_said_to_come_back),
		TEST(available_is_what_no_disk_has_to_be_waited_for),
	};

	return cmocka_run_group_tests_name("balloon_account", tests, set_up_ram, NULL);
}
