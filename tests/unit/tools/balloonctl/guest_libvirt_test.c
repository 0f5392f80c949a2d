/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_libvirt.c against libvirt's own test driver, which has one
 * domain, "test", of 8 GiB with 2 GiB left. Where balloonctl is built without libvirt
 * only that is tested.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <stdlib.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

#define NAME "test:///default#test"
#define GIB (1024 * MIB)
#define LONG_MS 60000

/* NULL: without libvirt; the test is over. */
static struct guest *open_test(void)
{
	struct guest *guest;
	char *error;
	int err = guest_open(NAME, deadline_in(LONG_MS), &guest, &error);

	if (err == -ENOTSUP)
		assert_says(error, "built without libvirt");
	else if (err)
		fail_msg("%s", error);
	free(error);
	return err ? NULL : guest;
}

static void assert_fails(const char *name, int err, const char *words)
{
	struct guest *guest;
	char *error;
	int is = guest_open(name, deadline_in(LONG_MS), &guest, &error);

	if (is != -ENOTSUP) {
		assert_int_equal(is, err);
		assert_says(error, words);
	}
	free(error);
}

static void names_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_fails("test:///default", -EINVAL, "names no domain");
	assert_fails("test:///default#", -EINVAL, "names no domain");
	assert_fails("test:///default#nobody", -ENOTCONN, "libvirt: ");
	assert_fails("nonsense://#test", -ENOTCONN, "libvirt: ");
}

static void state_is_libvirts_in_bytes(void **state)
{
	struct guest *guest = open_test();
	struct guest_state is;

	(void)state;
	if (!guest)
		return;
	assert_string_equal(guest_name(guest), NAME);
	assert_true(guest_may_be_kept(guest));
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.ram == (uint64_t)(8 * GIB) && is.left == (uint64_t)(2 * GIB));
	assert_false(is.paused || is.has_target || is.has_features);
	guest_close(guest);
}

static void target_is_whole_kib(void **state)
{
	struct guest *guest = open_test();
	struct guest_state is;

	(void)state;
	if (!guest)
		return;
	assert_int_equal(guest_set_target(guest, 3 * GIB), 0);
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.left == (uint64_t)(3 * GIB));
	assert_int_equal(guest_set_target(guest, 3 * GIB + 512), -ERANGE);
	assert_says(guest_error(guest), "libvirt counts in KiB");
	assert_int_equal(guest_set_target(guest, 8 * GIB + 1024), -ERANGE);
	assert_int_equal(guest_set_target(guest, 0), -ERANGE);
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.left == (uint64_t)(3 * GIB));
	assert_int_equal(guest_set_target(guest, 2 * GIB), 0);
	guest_close(guest);
}

static void statistics_are_libvirts_in_bytes(void **state)
{
	struct guest *guest = open_test();
	struct guest_stats stats;
	struct guest_cost cost;

	(void)state;
	if (!guest)
		return;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_true(stats.ever && stats.update == 627319920 && stats.age > 0);
	assert_int_equal(stats.interval, 0);
	assert_true(stats.present >> STAT_FREE_MEMORY & 1);
	assert_true(stats.value[STAT_FREE_MEMORY] == (uint64_t)GIB);
	assert_true(stats.value[STAT_TOTAL_MEMORY] == (uint64_t)(2 * GIB));
	assert_true(stats.value[STAT_DISK_CACHES] == (uint64_t)GIB / 4);
	assert_false(stats.present >> STAT_OOM_KILLS & 1);
	assert_int_equal(guest_cost(guest, &cost), 0);
	assert_true(cost.resident == (uint64_t)GIB);
	guest_close(guest);
}

static void interval_is_kept_by_libvirt(void **state)
{
	struct guest *guest = open_test();
	struct guest_stats stats;

	(void)state;
	if (!guest)
		return;
	assert_int_equal(guest_set_interval(guest, 5), 0);
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_int_equal(stats.interval, 5);
	assert_int_equal(guest_set_interval(guest, 0), 0);
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_int_equal(stats.interval, 0);
	guest_close(guest);
}

static void guest_is_halted_by_libvirt(void **state)
{
	struct guest *guest = open_test();
	struct guest_state now;
	bool ran;

	(void)state;
	if (!guest)
		return;
	assert_int_equal(guest_halt(guest, &ran), 0);
	assert_true(ran);
	assert_int_equal(guest_state(guest, &now), 0);
	assert_true(now.paused && !now.panicked);
	assert_int_equal(guest_halt(guest, &ran), 0);
	assert_false(ran);
	assert_int_equal(guest_resume(guest), 0);
	assert_int_equal(guest_state(guest, &now), 0);
	assert_false(now.paused);
	guest_close(guest);
}

static void memory_is_libvirts(void **state)
{
	static const char before[8] = "unread!";
	struct guest *guest = open_test();
	char memory[8];

	(void)state;
	if (!guest)
		return;
	memcpy(memory, before, sizeof(memory));
	assert_int_equal(guest_peek(guest, 0, memory, sizeof(memory)), 0);
	assert_memory_not_equal(memory, before, sizeof(memory));
	guest_close(guest);
}

/* It runs already. */
static void refusal_by_libvirt_is_passed_on(void **state)
{
	struct guest *guest = open_test();

	(void)state;
	if (!guest)
		return;
	assert_int_equal(guest_resume(guest), -EPROTO);
	assert_says(guest_error(guest), "libvirt: ");
	guest_close(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(state_is_libvirts_in_bytes),
		cmocka_unit_test(target_is_whole_kib),
		cmocka_unit_test(statistics_are_libvirts_in_bytes),
		cmocka_unit_test(interval_is_kept_by_libvirt),
		cmocka_unit_test(guest_is_halted_by_libvirt),
		cmocka_unit_test(memory_is_libvirts),
		cmocka_unit_test(refusal_by_libvirt_is_passed_on),
	};

	return cmocka_run_group_tests_name("balloonctl/guest_libvirt", tests, NULL, NULL);
}
